"""What the characters of a filter or phrase are, also of one that is only half typed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cloudstore_tui.fiql import is_fiql
from cloudstore_tui.state.searches import SIGN, placeholders_of


class TokenPart(StrEnum):
    """What a token is."""

    FIELD = "field"
    OPERATOR = "operator"
    VALUE = "value"
    JOIN = "join"
    """`;`, `,` and parentheses."""
    TEXT = "text"
    """A word of a phrase without a key."""
    HOLE = "placeholder"
    SAVED = "saved"
    """The name of a saved search."""


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of the text."""

    part: TokenPart
    start: int
    end: int

    def of(self, text: str) -> str:
        """Its characters."""
        return text[self.start : self.end]


_QUOTED = r"""'(?:\\[\s\S]|[^'\\])*(?:'|\\?\Z)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?\Z)"""
"""A text in quotes; the last one may not be closed yet."""
_FIQL = re.compile(
    rf"(?P<value>{_QUOTED})|(?P<operator>==|!=|=[A-Za-z]*=?|!\Z)|(?P<join>[();,])|(?P<word>[^\"'(),;=!~<>\s]+)|(?P<odd>\S)"
)
_KEY = re.compile(r"(?P<field>-?[^\W\d][\w.-]*)(?P<operator>:(?:>=|<=|!=|==?|>|<|~)?|>=|<=|>|<)")
_VALUE = re.compile(rf"(?:{_QUOTED}|[^\s,])+")
_TEXT = re.compile(rf"-?(?:{_QUOTED})|\S+")


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens from left to right; what is between two of them is blank."""
    if text.startswith(SIGN):
        end = len(text.split(maxsplit=1)[0])
        yield Token(TokenPart.SAVED, 0, end)
        yield from _given(text, end)
        return
    placeholders = {placeholder.start: placeholder.end for placeholder in placeholders_of(text)}
    meant_as_fiql = is_fiql(text) or text.lstrip().startswith("(")
    for token in _fiql(text) if meant_as_fiql else _phrase(text):
        yield Token(TokenPart.HOLE, token.start, token.end) if token.start in placeholders else token


def _fiql(text: str) -> Iterator[Token]:
    after_operator, in_list = False, False
    for found in _FIQL.finditer(text):
        kind = found.lastgroup or ""
        if kind == "word":
            part = TokenPart.VALUE if after_operator or in_list else TokenPart.FIELD
        else:
            part = TokenPart.TEXT if kind == "odd" else TokenPart(kind)
        if part is TokenPart.JOIN:
            in_list = (found.group() == "(" and after_operator) or (in_list and found.group() != ")")
        after_operator = part is TokenPart.OPERATOR
        yield Token(part, *found.span())


def _phrase(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        key = _KEY.match(text, position)
        if key is None:
            word = _TEXT.match(text, position)
            end = word.end() if word else position + 1
            yield Token(TokenPart.TEXT, position, end)
            position = end
            continue
        yield Token(TokenPart.FIELD, *key.span("field"))
        yield Token(TokenPart.OPERATOR, *key.span("operator"))
        position = key.end()
        while value := _VALUE.match(text, position):
            yield Token(TokenPart.VALUE, *value.span())
            position = value.end()
            if not text.startswith(",", position):
                break
            yield Token(TokenPart.JOIN, position, position + 1)
            position += 1


def _given(text: str, start: int) -> Iterator[Token]:
    """The values that are given to the placeholders of a saved search: `queue=Sales`."""
    for found in re.finditer(rf"([\w-]+)(=)((?:{_QUOTED}|[^\s])*)|\S+", text[start:]):
        if found[1] is None:
            yield Token(TokenPart.TEXT, start + found.start(), start + found.end())
            continue
        parts = (TokenPart.FIELD, TokenPart.OPERATOR, TokenPart.VALUE)
        for group, part in enumerate(parts, 1):
            if found[group]:
                yield Token(part, start + found.start(group), start + found.end(group))

"""A filter or phrase while it is typed: its tokens, what it means inside a place, and what is wrong with it."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, tzinfo
from enum import StrEnum

from msgspec import Struct

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Location, Retention
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.phrases import Compiled, is_fiql, local_words, understand
from cloudstore_tui.fiql.phrases.lexer import KEY
from cloudstore_tui.fiql.reading import brief
from cloudstore_tui.fiql.syntax import names_type
from cloudstore_tui.state.searches import SIGN, missing, placeholders_of
from cloudstore_tui.ui.browser.targets import ALL_REGIONS, place_filter, types_of
from cloudstore_tui.ui.format import place_names

AVAILABLE = "available only (add state:any for all)"
AVAILABLE_SHORT = "available only"
LOCAL_ONLY = "8x8 can't search for part of a text: loaded rows only"
EXAMPLE = 'agent:"Khang Glynn" since:yesterday dur:>10m'

_POSITION = re.compile(r" \(at character \d+\)\Z")
"""The end of an error message, for those who see no underline."""
QUOTES = "\"'"


class Scope(Struct, frozen=True):
    """A place that a search stays inside."""

    location: Location
    words: str
    types: tuple[str, ...] = ()
    """The types it holds; empty for any."""
    retention: Retention | None = None
    """The policy that `expires:` uses."""


def scopes_of(provider: StorageProvider, location: Location) -> tuple[Scope, ...]:
    """The places that hold a location, the smallest first: of a type or a day, its region, all regions."""
    retention = provider.profile.retention
    scopes = [Scope(Location(location.profile), ALL_REGIONS, retention=retention)]
    if location.region:
        scopes.insert(0, Scope(Location(location.profile, location.region), location.region, retention=retention))
    if inside := place_filter(provider, location):
        scopes.insert(0, Scope(location, " › ".join(place_names(location)), types_of(inside), retention))
    return tuple(scopes)


class Diagnostic(Struct, frozen=True):
    """Something that is wrong, or looks wrong, and where."""

    position: int
    text: str
    fatal: bool
    corrected: str = ""
    """The whole text with it corrected, where that is possible."""


class Analysis(Struct, frozen=True):
    """What is known of a text."""

    meaning: Compiled | None = None
    """`None` if it has none."""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def fatal(self) -> Diagnostic | None:
        return next((found for found in self.diagnostics if found.fatal), None)

    @property
    def first(self) -> Diagnostic | None:
        """The one to show: why the text cannot be sent, or else the first that looks wrong."""
        return self.fatal or next(iter(self.diagnostics), None)


def analyse(text: str, zone: tzinfo, now: datetime, tags: Collection[str] = (), scope: Scope | None = None) -> Analysis:
    """What a filter or phrase means, and what is wrong with it; an empty text finds everything.

    Args:
        text: what was typed.
        zone: what times without a zone are in.
        now: the present moment, with a zone.
        tags: names of tags that were seen on objects.
        scope: the place that is searched.
    """
    if placeholders := placeholders_of(text):
        return Analysis(diagnostics=(_diagnostic(missing(text, placeholders[0])),))
    try:
        meaning = understand(text, zone, now, *((scope.types, scope.retention) if scope else ()))
    except FilterError as error:
        return Analysis(diagnostics=(_diagnostic(error),))
    if meaning.node is None:
        return Analysis(meaning)
    found = check(meaning.node, text, zone, tags) if is_fiql(text) else ()
    diagnostics = (Diagnostic(one.position, one.sentence, one.fatal, one.corrected or "") for one in found)
    return Analysis(meaning, tuple(diagnostics))


def in_words(text: str, scope: Scope, zone: tzinfo, now: datetime) -> tuple[str, bool]:
    """What a text finds inside a place, in a few words, and whether it finds available objects only.

    After a value whose quote is still open, or a last word without a meaning, the words end with `…`.
    """
    meaning, is_partial = _best_meaning(text, zone, now, scope)
    node = meaning.node if meaning is not None else None
    parts = [] if names_type(node) or not scope.types else [scope.words]
    parts += [brief(node, zone, scope.types)] if node is not None else []
    parts += local_words(meaning.local) if meaning is not None else []
    words = ", ".join(part for part in parts if part) or "everything"
    names_state = meaning is not None and "objectState" in meaning.filter
    return f"{words}…" if is_partial else words, not names_state


def _best_meaning(text: str, zone: tzinfo, now: datetime, scope: Scope) -> tuple[Compiled | None, bool]:
    """The meaning of a text, else with its last quote closed, else without its last word; whether it was changed."""
    head = text.rstrip()
    shorter = head.rpartition(" ")[0]
    for attempt in dict.fromkeys((text, *(head + quote for quote in QUOTES), shorter)):
        if placeholders_of(attempt):
            continue
        try:
            return understand(attempt, zone, now, scope.types, scope.retention), attempt != text
        except FilterError:
            continue
    return None, bool(head)


def is_finished(text: str, cursor: int, position: int) -> bool:
    """Whether the word at a position is no longer being typed."""
    token = next((token for token in tokens_of(text) if token.start <= position < token.end), None)
    if token is None:
        return position < len(text.rstrip())
    if token.part in (TokenPart.VALUE, TokenPart.TEXT) and _is_open(token.of(text)):
        return False
    last = _word_end(text, token.end)
    return last < len(text) and not position <= cursor <= last


def _word_end(text: str, end: int) -> int:
    """Where the condition around a position ends."""
    while end < len(text) and not text[end].isspace():
        end += 1
    return end


def _is_open(word: str) -> bool:
    return word[:1] in QUOTES and (len(word) == 1 or word[-1] != word[0])


def _diagnostic(error: FilterError) -> Diagnostic:
    message = _POSITION.sub("", error.message)
    return Diagnostic(error.position, f"{message[:1].upper()}{message[1:]}. {error.hint}".strip(), fatal=True)


# Tokens, also of a text that is only half typed


class TokenPart(StrEnum):
    """What a token is."""

    FIELD = "field"
    OPERATOR = "operator"
    VALUE = "value"
    JOIN = "join"
    """`;`, `,` and parentheses."""
    TEXT = "text"
    """A word of a phrase without a key."""
    PLACEHOLDER = "placeholder"
    SAVED = "saved"
    """The name of a saved search."""


class Token(Struct, frozen=True):
    """A stretch of the text."""

    part: TokenPart
    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


_QUOTED = r"""'(?:\\[\s\S]|[^'\\])*(?:'|\\?\Z)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?\Z)"""
"""A text in quotes; the last one may not be closed yet."""
_FIQL = re.compile(
    rf"(?P<value>{_QUOTED})|(?P<operator>==|!=|=[A-Za-z]*=?|!\Z)|(?P<join>[();,])|(?P<word>[^\"'(),;=!~<>\s]+)|(?P<odd>\S)"
)
_VALUE = re.compile(rf"(?:{_QUOTED}|[^\s,])+")
_TEXT = re.compile(rf"-?(?:{_QUOTED})|\S+")


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens from left to right; between them there are only blanks."""
    if text.startswith(SIGN):
        end = len(text.split(maxsplit=1)[0])
        yield Token(TokenPart.SAVED, 0, end)
        yield from _placeholder_values(text, end)
        return
    placeholders = {placeholder.start: placeholder.end for placeholder in placeholders_of(text)}
    meant_as_fiql = is_fiql(text) or text.lstrip().startswith("(")
    for token in _fiql_tokens(text) if meant_as_fiql else _phrase_tokens(text):
        yield Token(TokenPart.PLACEHOLDER, token.start, token.end) if token.start in placeholders else token


def _fiql_tokens(text: str) -> Iterator[Token]:
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


def _phrase_tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        key = KEY.match(text, position)
        if key is None:
            word = _TEXT.match(text, position)
            end = word.end() if word else position + 1
            yield Token(TokenPart.TEXT, position, end)
            position = end
            continue
        yield Token(TokenPart.FIELD, key.start(), key.end(2))
        yield Token(TokenPart.OPERATOR, key.end(2), key.end())
        position = key.end()
        while value := _VALUE.match(text, position):
            yield Token(TokenPart.VALUE, *value.span())
            position = value.end()
            if not text.startswith(",", position):
                break
            yield Token(TokenPart.JOIN, position, position + 1)
            position += 1


def _placeholder_values(text: str, start: int) -> Iterator[Token]:
    """The values for the placeholders of a saved search: `queue=Sales`."""
    for found in re.finditer(rf"([\w-]+)(=)((?:{_QUOTED}|[^\s])*)|\S+", text[start:]):
        if found[1] is None:
            yield Token(TokenPart.TEXT, start + found.start(), start + found.end())
            continue
        parts = (TokenPart.FIELD, TokenPart.OPERATOR, TokenPart.VALUE)
        for group, part in enumerate(parts, 1):
            if found[group]:
                yield Token(part, start + found.start(group), start + found.end(group))

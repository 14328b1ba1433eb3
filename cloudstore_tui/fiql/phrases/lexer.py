"""Splits a phrase into items: `-agent:"Khang Glynn"` is negated, has the key `agent` and one value.

Takes linear time.
"""

import re
from collections.abc import Iterator

import msgspec

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.fields import Unit, name_of, unit_of


class Value(msgspec.Struct, frozen=True):
    """A value to look for, without quotes and escapes."""

    parts: tuple[str, ...]
    """The texts between the stars; a single one without stars."""
    quoted: bool
    start: int
    """Offset in the phrase."""

    @property
    def text(self) -> str:
        """The value as one text."""
        return "*".join(self.parts)

    @property
    def wild(self) -> bool:
        """Whether it has a star that stands for anything."""
        return len(self.parts) > 1


class Item(msgspec.Struct, frozen=True):
    """One condition of a phrase."""

    key: str
    """The word before the colon; empty for a bare text."""
    operator: str
    """`>`, `>=`, `<`, `<=`, `!=`, `~` (contains), or nothing."""
    values: tuple[Value, ...]
    """At least one, of which any may match."""
    start: int
    phrase: str
    """The whole phrase."""
    negated: bool = False

    def error(self, message: str, hint: str, position: int | None = None) -> FilterError:
        """An error about it, at its start or at a position of the phrase."""
        return phrase_error(self.phrase, self.start if position is None else position, message, hint)


def phrase_error(phrase: str, position: int, message: str, hint: str) -> FilterError:
    """The error for a phrase that is wrong at a position."""
    return FilterError(f"{message} (at character {position + 1})", text=phrase, position=position, hint=hint)


_BLANKS = re.compile(r"\s*")
KEY = re.compile(r"(-?)([^\W\d][\w.-]*)(?::(>=|<=|!=|==?|>|<|~)?|(>=|<=|>|<))")
"""What precedes a value: a minus, the word, an operator."""
_FIQL = re.compile(r"[\w.-]+(==|!=|=[a-z]+=|=|~)")
_QUOTED = re.compile(r""""((?:\\[\s\S]|[^"\\])*)"|'((?:\\[\s\S]|[^'\\])*)'""")
_PIECE = re.compile(r"\\(?P<escaped>[\s\S])|(?P<star>\*|^…|…\Z)|(?P<text>[^\\*…]+|…)")
_BARE = re.compile(r"[^\s,]+")
_BARE_TEXT = re.compile(r"\S+")
_WIDE_TIME = re.compile(
    r"(?:last|past)\s+\d+\s+[a-z]+(?=\s|,|$)|(?:this|last)\s+(?:week|month|year)(?=\s|,|$)|"
    r"\d{1,2}\.?\s+[a-z]{3,9}\.?\s+\d{4}(?=\s|,|$)|[a-z]{3,9}\s+\d{4}(?=\s|,|$)|"
    r"\d{4}-\d{2}-\d{2}\s+\d{1,2}:\d{2}\S*|\d+\s*(?:[smhdw]|(?:second|minute|hour|day|week|month|year)s?)\s+ago(?=\s|,|$)",
    re.IGNORECASE | re.ASCII,
)
_WIDE_MEASURE = re.compile(r"\d+(?:\.\d+)?\s+[a-z]{1,12}(?=\s|,|$)", re.IGNORECASE | re.ASCII)
PHONE = re.compile(
    r"(?:\+\d{1,3}(?:[ .-]?\(?\d{2,6}\)?){1,4}"
    r"|\(\d{3}\)[ .-]?\d{3}[ .-]?\d{4}|\d{3}[ .-]\d{3}[ .-]\d{4})(?=[\s,]|$)",
    re.ASCII,
)
"""A telephone number as screens and people write it: `+1 669 555 3203`, `(669) 555-3203`."""
_NO_DIGIT = re.compile(r"[ ().-]")
_TIMES = (Unit.EPOCH_MS,)
_MEASURES = (Unit.MILLISECONDS, Unit.SECONDS, Unit.BYTES)
_ODD = re.compile(r"[=<>~();]")
_JOINS = frozenset({"and", "or", "not", "&&", "||", "&", "|"})


def items_of(phrase: str) -> Iterator[Item]:
    """The items of a phrase, from left to right.

    Raises:
        FilterError: part of it is not an item.
    """
    position = _skip(phrase, 0)
    while position < len(phrase):
        item, position = _keyed(phrase, position) or _text(phrase, position)
        yield item
        if position < len(phrase) and not phrase[position].isspace():
            hint = "Write a blank between two conditions, and a value with blanks or quotes in quotes."
            raise phrase_error(phrase, position, "a blank is missing here", hint)
        position = _skip(phrase, position)


def _skip(phrase: str, position: int) -> int:
    found = _BLANKS.match(phrase, position)
    return found.end() if found else position


def _keyed(phrase: str, start: int) -> tuple[Item, int] | None:
    found = KEY.match(phrase, start)
    if not found:
        return None
    key, position = found[2], found.end()
    values: list[Value] = []
    while True:
        value, position = _value(phrase, position, key)
        values.append(value)
        if not phrase.startswith(",", position):
            break
        position += 1
    operator = {"=": "", "==": ""}.get(found[3] or "", found[3] or found[4] or "")
    return Item(key, operator, tuple(values), start, phrase, found[1] == "-"), position


def _value(phrase: str, start: int, key: str) -> tuple[Value, int]:
    if phrase[start : start + 1] in ("'", '"'):
        return _quoted(phrase, start)
    name = name_of(key)
    if name and name.phone_fields and (phone := PHONE.match(phrase, start)):
        return _number(phone), phone.end()
    found = _wide(phrase, start, key) or _BARE.match(phrase, start)
    if not found:
        raise phrase_error(
            phrase,
            start,
            f"a value is expected after `{key}:`",
            f'Write `{key}:word` or `{key}:"two words"`, without a blank.',
        )
    return _bare(phrase, found.group(), start), found.end()


def _wide(phrase: str, start: int, key: str) -> "re.Match[str] | None":
    """A value that may contain blanks without quotes: `since:last 7 days`, `dur:>10 minutes`."""
    name = name_of(key)
    unit = unit_of(name.fields[0]) if name else Unit.TEXT
    if unit in _TIMES:
        return _WIDE_TIME.match(phrase, start)
    return _WIDE_MEASURE.match(phrase, start) if unit in _MEASURES else None


def _quoted(phrase: str, start: int) -> tuple[Value, int]:
    found = _QUOTED.match(phrase, start)
    if not found:
        raise phrase_error(phrase, start, "missing closing quote", f"Close it with {phrase[start]}.")
    inner = found[1] if found[1] is not None else found[2]
    parts = [""]
    for piece in _PIECE.finditer(inner):
        if piece["star"]:
            parts.append("")
        else:
            parts[-1] += piece["escaped"] or piece["text"]
    return Value(tuple(parts), True, start), found.end()


def _bare(phrase: str, text: str, start: int) -> Value:
    if '"' in text:
        hint = "Put the whole value in quotes, with \\ before a quote that belongs to it."
        raise phrase_error(phrase, start + text.index('"'), "a quote inside a value", hint)
    return Value(tuple(text.split("*")), False, start)


def _number(found: "re.Match[str]") -> Value:
    """A telephone number, without separators."""
    return Value((_NO_DIGIT.sub("", found.group()),), False, found.start())


def _text(phrase: str, start: int) -> tuple[Item, int]:
    """A text without a key: a time, a telephone number, or part of a name."""
    negated = phrase.startswith("-", start)
    begin = start + negated
    if phrase[begin : begin + 1] in ("'", '"'):
        value, end = _quoted(phrase, begin)
        return Item("", "", (value,), start, phrase, negated), end
    if phone := PHONE.match(phrase, begin):
        return Item("", "", (_number(phone),), start, phrase, negated), phone.end()
    found = _WIDE_TIME.match(phrase, begin) or _BARE_TEXT.match(phrase, begin)
    if not found:
        raise phrase_error(phrase, start, "nothing follows the `-`", "Write the word that is not wanted after it.")
    _refuse_foreign(phrase, begin, found.group())
    return Item("", "", (_bare(phrase, found.group(), begin),), start, phrase, negated), found.end()


def _refuse_foreign(phrase: str, start: int, word: str) -> None:
    """Raise for what was meant as an operator; as part of a name it would find nothing."""
    if word.lower() in _JOINS:
        hint = 'All conditions must hold. Write `agent:"One","Two"` for either, `-agent:One` for not.'
        raise phrase_error(phrase, start, f"`{word}` joins nothing in a phrase", hint)
    if fiql := _FIQL.match(word):
        key = fiql.group().removesuffix(fiql[1])
        value = word[fiql.end() :] or "…"
        hint = f"Write `{key}:{value}`, or the whole filter in FIQL: `{key}=={value}`."
        raise phrase_error(phrase, start + len(key), f"`{fiql[1]}` is not part of a phrase", hint)
    if odd := _ODD.search(word):
        raise phrase_error(
            phrase, start + odd.start(), f"`{odd.group()}` is not part of a phrase", f'Write `"{word}"`.'
        )

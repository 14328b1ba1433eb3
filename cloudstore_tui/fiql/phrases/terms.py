"""Compiles single items of a phrase: which fields an item means, and its condition on times, quantities or texts.

Conditions that the service cannot check become local ones, for the rows that were fetched.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from functools import partial
from math import ceil, floor
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from cloudstore_tui.core.models import Retention
from cloudstore_tui.core.text import folded
from cloudstore_tui.fiql.evaluator import Row, number
from cloudstore_tui.fiql.fields import (
    KNOWN_FIELDS,
    NAMES,
    STATES,
    TYPE_NAMES,
    TYPES,
    Name,
    Unit,
    has_tag,
    key_of,
    name_of,
    nearest,
    unit_of,
    units_of,
)
from cloudstore_tui.fiql.measures import EXAMPLES, Span, epoch_ms, in_unit, read_duration, read_size, read_span
from cloudstore_tui.fiql.phrases.lexer import Item, Value
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or

_PHONE = re.compile(r"\+?[0-9]{5,}", re.ASCII)
_WITHOUT_PLUS = re.compile(r"[0-9]{7,15}", re.ASCII)
_NORTH_AMERICAN = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}", re.ASCII)
"""A North American number as it is dialled there, without its country code 1."""
WORD_FIELDS = ("objectName", "agentName", "userName", "queueName", "channelName", "callerName", "calleeName")
"""The fields in which a bare text is searched for."""
PHONES = ("callerId", "calleeId", "address")
_FORMS = (
    (re.compile(r"\+?[0-9]{7,15}", re.ASCII), PHONES),
    (re.compile(r"[0-9]{3,6}", re.ASCII), ("extensionNumber", "queueNumber")),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE), ("id", "callId")),
    (re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{24,}", re.ASCII), ("callId", "transactionId")),
)
"""Texts that can only be a number or an id, and the fields that they are compared with."""
_HINTS: Mapping[str, str] = {
    "region": "Name the region in the path: PROFILE:REGION.",
    "limit": "The number of results is not a condition; the command line has --limit.",
    "sort": "The order is not a condition; the command line has --sort.",
    "from": "Write `since:` for times and `caller:` for people.",
    "to": "Write `until:` for times and `called:` for people.",
    "http": "Put an address in quotes.",
    "https": "Put an address in quotes.",
}


def name_in(item: Item) -> Name:
    """What the key of an item means.

    Raises:
        FilterError: the key is unknown.
    """
    if name := name_of(item.key):
        return name
    key = item.key
    if near := nearest(key, {*NAMES, *KNOWN_FIELDS}):
        hint = f"Did you mean `{near}:`? A tag of your own is written `tag.{key}:`."
    else:
        hint = _HINTS.get(key.lower(), "Put the word in quotes if it is part of a name.")
        hint = f"{hint} A tag of your own is written `tag.{key}:`."
    raise item.error(f"unknown field `{key}:`", hint)


def fields_of(item: Item, name: Name, types: tuple[str, ...]) -> tuple[str, ...]:
    """The fields or tags that a word means: for each type the first that its objects have.

    Raises:
        FilterError: no object of these types has any of them.
    """
    by_number = name.phone_fields and all(_PHONE.fullmatch(value.text) for value in item.values)
    wanted = name.phone_fields if by_number else name.fields
    if not types or name.is_tag:
        return wanted[:1]
    found = [next((field for field in wanted if has_tag(kind, field)), "") for kind in types]
    if not any(found):
        hint = f"Leave it out, or name another type. `tag.{wanted[0]}:` asks for it anyway."
        raise item.error(f"objects of the type {' or '.join(types)} have no {item.key}", hint)
    return tuple(dict.fromkeys(field for field in found if field))


def types_of(items: tuple[Item, ...]) -> tuple[str, ...]:
    """The types that a phrase asks for; empty for any."""
    for item in items:
        if item.key.lower() == "type" and not item.negated and not item.operator:
            return names_of(item, name_in(item))
    return ()


def allowed_types(items: tuple[Item, ...], types: tuple[str, ...]) -> tuple[str, ...]:
    """The types without those that a phrase excludes; empty for any."""
    refused = {
        name
        for item in items
        if item.key.lower() == "type" and item.negated != (item.operator == "!=")
        for name in names_of(item, name_in(item))
    }
    return tuple(name for name in types or TYPE_NAMES if name not in refused) if refused else types


def names_of(item: Item, name: Name) -> tuple[str, ...]:
    """The service's names for the values of an item; unknown values are accepted in quotes.

    Raises:
        FilterError: a value looks like a typing error, or is unknown.
    """
    found: list[str] = []
    for value in item.values:
        known = _known(value, name)
        if not known:
            near = nearest(value.text, name.values or ())
            hint = f"Did you mean `{near}`?" if near else f"Known are {', '.join(_shown(name))}."
            hint = f"{hint} A value in quotes is taken as it is."
            raise item.error(f"unknown {name.word} {value.text}", hint, value.start)
        found += known
    return tuple(dict.fromkeys(found))


def _known(value: Value, name: Name) -> tuple[str, ...]:
    # In capitals it is exactly the service's state, such as DELETED.
    if name.word == "state" and value.text in STATES:
        return (value.text,)
    if known := (name.values or {}).get(value.text.lower()):
        return known
    # Types are an open set: an unknown one that resembles no other may well exist.
    is_new = name.word == "type" and not value.wild and not nearest(value.text, name.values or ())
    return (value.text,) if value.quoted or is_new else ()


def _shown(name: Name) -> tuple[str, ...]:
    return TYPE_NAMES if name.word == "type" else tuple(name.values or ())


class Pattern(msgspec.Struct, frozen=True):
    """A text with stars for anything; case and the encoding of accents do not matter."""

    parts: tuple[str, ...]
    """The texts between the stars."""

    def matches(self, text: str) -> bool:
        """Whether a whole text matches, in linear time."""
        text, parts = folded(text), [folded(part) for part in self.parts]
        if len(parts) == 1:
            return text == parts[0]
        first, *middle, last = parts
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        position, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True

    @property
    def is_part(self) -> bool:
        """Whether it matches any text that contains a given one."""
        return len(self.parts) == 3 and not self.parts[0] and not self.parts[2]

    def __str__(self) -> str:
        return "*".join(self.parts)


class LocalTerm(msgspec.Struct, frozen=True):
    """One condition on fetched rows."""

    fields: tuple[str, ...]
    """Fields and tags, one of which must match."""
    patterns: tuple[Pattern, ...]
    """Patterns, one of which must match."""
    negated: bool = False

    def holds(self, row: Row) -> bool:
        """Whether a row matches; a row without the field matches only if negated."""
        values = [str(row[name]) for name in self.fields if name in row]
        return any(pattern.matches(value) for value in values for pattern in self.patterns) != self.negated

    @property
    def brief(self) -> str:
        """A short form for a title, such as `“invoice”`."""
        if self.fields != WORD_FIELDS:
            return str(self)
        texts = (pattern.parts[1] if pattern.is_part else str(pattern) for pattern in self.patterns)
        return f"{'not ' if self.negated else ''}{' or '.join(f'“{text}”' for text in texts)}"

    @property
    def subject(self) -> str:
        """Its fields in words."""
        if self.fields == WORD_FIELDS:
            return "name, person or queue"
        return " or ".join(key_of(field).removeprefix("tag.") for field in self.fields)

    @property
    def demand(self) -> str:
        """Its condition in words."""
        return " or ".join(_words(pattern, negated=self.negated) for pattern in self.patterns)

    def __str__(self) -> str:
        return f"{self.subject} {self.demand}"


def local_words(terms: Iterable[LocalTerm]) -> list[str]:
    """Conditions in words, grouped by their fields."""
    demands: dict[str, list[str]] = {}
    for term in terms:
        demands.setdefault(term.subject, []).append(term.demand)
    return [f"{subject} {' and '.join(wanted)}" for subject, wanted in demands.items()]


def _words(pattern: Pattern, *, negated: bool) -> str:
    parts = pattern.parts
    if pattern.is_part:
        return f"{'does not contain' if negated else 'contains'} {parts[1]!r}"
    return f"is {'not ' if negated else ''}like {str(pattern)!r}"


Quantity = TypeVar("Quantity")

SIGNS = {">": "=gt=", ">=": "=ge=", "<": "=lt=", "<=": "=le=", "": "=="}
"""The service's operators for those of phrases."""


class Bound(msgspec.Struct, Generic[Quantity], frozen=True):
    """One comparison with a quantity."""

    operator: str
    """As the service writes it."""
    quantity: Quantity


Bounds = tuple[Bound[Quantity], ...]
"""Bounds that must all hold."""


def refuse_negation(item: Item) -> None:
    """Raise for a condition that cannot be negated simply.

    Raises:
        FilterError: the item is negated, or asks for a part of a text.
    """
    if item.negated or item.operator == "!=":
        hint = f"Write where it begins or ends: `{item.key}:<…` or `{item.key}:>…`."
        raise item.error(f"{item.key} cannot be negated", hint)
    if item.operator == "~":
        raise item.error(f"{item.key} is not a text", f"Write `{item.key}:>…` or `{item.key}:<…`.")


def pieces_of(item: Item, value: Value) -> tuple[str, str] | None:
    """The two ends of a range such as `1m..5m`; `None` if a value is not a range.

    Raises:
        FilterError: a range without ends, or after an operator.
    """
    low, dots, high = value.text.partition("..")
    if not dots:
        return None
    if item.operator:
        hint = f"Write `{item.key}:{value.text}` without it."
        raise item.error(f"a range after `{item.operator}`", hint, value.start)
    if not low.strip() and not high.strip():
        raise item.error("a range without ends", "Write `1m..5m`, `1m..` or `..5m`.", value.start)
    return low.strip(), high.strip()


def number_bounds(item: Item, value: Value, read: Callable[[str, Value], Fraction]) -> Bounds[Fraction]:
    """The bounds that one value of a quantity means; a range includes both ends."""
    ends = pieces_of(item, value)
    if ends is None:
        return (Bound(SIGNS[item.operator], read(value.text, value)),)
    signs = ("=ge=", "=le=")
    found = tuple(Bound(sign, read(end, value)) for sign, end in zip(signs, ends, strict=True) if end)
    if len(found) == 2 and found[0].quantity > found[1].quantity:
        raise item.error("a range that ends before it begins", "Write the smaller value first.", value.start)
    return found


def whole(bounds: Bounds[Fraction]) -> Iterator[Bound[int]]:
    """The equivalent bounds for whole numbers."""
    for bound in bounds:
        up = bound.operator in ("=ge=", "=lt=")
        yield Bound(bound.operator, ceil(bound.quantity) if up else floor(bound.quantity))


def within(field: str, bounds: Iterator[Bound[int]]) -> Node:
    """The condition that a field is within bounds."""
    terms = tuple(Comparison(field, bound.operator, (str(bound.quantity),)) for bound in bounds)
    return terms[0] if len(terms) == 1 else And(terms)


def any_of(nodes: list[Node]) -> Node:
    """The disjunction of several conditions."""
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


_ORDERS = frozenset({">", ">=", "<", "<="})


def text_term(item: Item, name: Name, fields: tuple[str, ...]) -> Node | LocalTerm:
    """The condition that one of the fields has one of the values; with stars, a local one.

    Raises:
        FilterError: it asks for an order of texts.
    """
    if item.operator in _ORDERS:
        hint = f"Write `{item.key}:{item.values[0].text}`."
        raise item.error(f"{item.key} is a text: nothing is larger or smaller", hint)
    negated = item.negated != (item.operator == "!=")
    if name.values:
        return equality(fields, names_of(item, name), negated=negated)
    if item.operator == "~":
        return LocalTerm(fields, tuple(_around(value) for value in item.values), negated)
    if any(value.wild for value in item.values):
        return LocalTerm(fields, tuple(Pattern(value.parts) for value in item.values), negated)
    texts = tuple(dict.fromkeys(spelling for value in item.values for spelling in _spellings(value, fields)))
    return equality(fields, texts, negated=negated)


def bare_text(item: Item) -> Node | LocalTerm:
    """The condition of a bare text: an id or a number in its fields, or a local condition for any other text.

    Such a text is part of a name, of a person or of a queue; with stars it is a whole name.
    """
    value = item.values[0]
    if not value.quoted and not value.wild:
        for form, fields in _FORMS:
            if form.fullmatch(value.text):
                return equality(
                    fields, _numbers(value.text) if fields is PHONES else (value.text,), negated=item.negated
                )
    return LocalTerm(WORD_FIELDS, (Pattern(value.parts) if value.wild else _around(value),), item.negated)


def _numbers(text: str) -> tuple[str, ...]:
    """A telephone number as services write it: with or without the plus, and a North American one in full."""
    digits = text.removeprefix("+")
    full = (f"+1{digits}", f"1{digits}") if _NORTH_AMERICAN.fullmatch(text) else ()
    return (*full, f"+{digits}", digits)


def equality(fields: tuple[str, ...], values: tuple[str, ...], *, negated: bool = False) -> Node:
    """The condition that one of some fields equals a value, or with `negated` that none does."""
    several = len(values) > 1
    operator = ("=out=" if several else "!=") if negated else ("=in=" if several else "==")
    terms = tuple(Comparison(field, operator, values) for field in fields)
    if len(terms) == 1:
        return terms[0]
    return And(terms) if negated else Or(terms)


def _around(value: Value) -> Pattern:
    return Pattern(("", *(part for part in value.parts if part), ""))


def _spellings(value: Value, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Spellings of a value: agent ids with and without `ag`, telephone numbers also with the plus and country code."""
    if value.quoted:
        return (value.text,)
    if set(fields) <= set(PHONES) and _WITHOUT_PLUS.fullmatch(value.text):
        return _numbers(value.text)
    if "agentId" not in fields:
        return (value.text,)
    plain = value.text.removeprefix("ag")
    return (plain, f"ag{plain}")


_IN_SECONDS = tuple(known.name for known in TYPES if known.duration is Unit.SECONDS)

BOTH_UNITS = (
    "The tag duration is seconds on transcripts and milliseconds on everything else, so both are asked for; "
    "a type makes the filter shorter."
)


def quantity_term(item: Item, field: str, types: tuple[str, ...]) -> Node:
    """The condition that a field is within the bounds of an item.

    Raises:
        FilterError: a value is not such a quantity.
    """
    refuse_negation(item)
    terms = []
    for value in item.values:
        bounds = number_bounds(item, value, lambda text, value: _read(item, field, text, value))
        if unit_of(field) is Unit.MILLISECONDS:
            terms.append(_lasting(field, _shown_second(bounds), types))
        else:
            terms.append(within(field, whole(bounds)))
    return any_of(terms)


def _read(item: Item, field: str, text: str, value: Value) -> Fraction:
    unit = unit_of(field)
    if unit is Unit.MILLISECONDS:
        found, hint = read_duration(text), "Write a unit: 90s, 10m, 1h30m or 1:30."
    elif unit is Unit.BYTES:
        found, hint = read_size(text), "Write 500kB, 10MB, 1.5GiB or a number of bytes."
    else:
        plain = number(text)
        found, hint = None if plain is None else Fraction(str(plain)), "Write a number."
    if found is None:
        kind = {Unit.MILLISECONDS: "duration", Unit.BYTES: "size"}.get(unit, "number")
        raise item.error(f"{text!r} is not a {kind}", hint, value.start)
    return found


def _shown_second(bounds: Bounds[Fraction]) -> Bounds[Fraction]:
    """Bounds in which a whole number of seconds, such as `1:30`, means any duration that is shown like that."""
    if len(bounds) != 1 or bounds[0].operator != "==":
        return bounds
    exact = bounds[0].quantity
    return (Bound("=ge=", exact), Bound("=lt=", exact + 1000)) if exact % 1000 == 0 else bounds


def _lasting(field: str, bounds: Bounds[Fraction], types: tuple[str, ...]) -> Node:
    units = units_of(field, types)
    if len(units) == 1:
        return _in(field, bounds, next(iter(units)))
    seconds, rest = equality(("type",), _IN_SECONDS), equality(("type",), _IN_SECONDS, negated=True)
    return any_of(
        [And((rest, _in(field, bounds, Unit.MILLISECONDS))), And((seconds, _in(field, bounds, Unit.SECONDS)))]
    )


def _in(field: str, bounds: Bounds[Fraction], unit: Unit) -> Node:
    return within(field, whole(tuple(replace(bound, quantity=in_unit(bound.quantity, unit)) for bound in bounds)))


class PhraseClock(msgspec.Struct, frozen=True):
    """The current time, and the user's time zone."""

    zone: tzinfo
    now: datetime


def time_bounds(item: Item, value: Value, operator: str, read: Callable[[str], Span]) -> Bounds[datetime]:
    """The bounds that one value means, with the operator of its item or key.

    Raises:
        FilterError: the value is not a time.
    """
    ends = pieces_of(item, value)
    if ends is None:
        return tuple(_compared(read(value.text), operator))
    low, high = (read(end) if end else None for end in ends)
    bounds = [Bound("=ge=", low.start)] if low else []
    return tuple([*bounds, Bound("=lt=", high.end or high.start)] if high else bounds)


def time_term(item: Item, field: str, operator: str, clock: PhraseClock) -> tuple[Node, Bounds[datetime]]:
    """The condition on a time, and its bounds if there is only one value.

    Raises:
        FilterError: a value is not a time.
    """
    refuse_negation(item)
    spans = [time_bounds(item, value, operator, partial(_span, item, value, clock)) for value in item.values]
    node = any_of([within(field, _in_milliseconds(bounds)) for bounds in spans])
    return node, spans[0] if len(spans) == 1 else ()


def _in_milliseconds(bounds: Bounds[datetime]) -> Iterator[Bound[int]]:
    return (Bound(bound.operator, epoch_ms(bound.quantity)) for bound in bounds)


def _span(item: Item, value: Value, clock: PhraseClock, text: str) -> Span:
    found = read_span(text, clock.zone, clock.now)
    if found is None:
        raise item.error(f"{text!r} is not a date or time", f"Write {EXAMPLES}.", value.start)
    return found


def _compared(span: Span, operator: str) -> Iterator[Bound[datetime]]:
    """The bounds of a comparison with a span: after a day means after its end, before it before its start."""
    end = span.end or span.start
    if operator in ("", ">="):
        yield Bound("=ge=", span.start)
    if operator == "" and span.end:
        yield Bound("=lt=", span.end)
    if operator == ">":
        yield Bound("=ge=", end)
    if operator in ("<", "<="):
        yield Bound("=lt=", span.start if operator == "<" else end)


_AHEAD = re.compile(r"([0-9]{1,5}) ?([hdwy])", re.IGNORECASE)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}


def expiry_term(
    item: Item, types: tuple[str, ...], retention: Retention | None, clock: PhraseClock
) -> tuple[Node, str]:
    """The condition that objects are purged at some time, and a note that this is by the user's policy.

    Args:
        item: `expires:<7d`, for what has 7 days left, or a date or a range of either.
        types: the types searched; empty for any.
        retention: the user's policy.
        clock: the current time, and the user's time zone.

    Raises:
        FilterError: there is no policy, or a value is not a time.
    """
    if retention is None:
        hint = 'Write yours into the configuration, under the profile: retention = { hot = "90d", cold = "5y" }.'
        raise item.error("the service does not say how long it keeps objects", hint)
    refuse_negation(item)
    try:
        spans = [_expiry_bounds(item, value, clock) for value in item.values]
        nodes = [node for bounds in spans for node in _created(bounds, types, retention)]
    except OverflowError:
        raise item.error("this is beyond the calendar", "Write a time that is nearer.") from None
    if not nodes:
        raise item.error("your policy says nothing of these types", "See retention in the configuration.")
    return any_of(nodes), "Expiry is by your policy (retention in the configuration): the service does not say."


def _created(bounds: Bounds[datetime], types: tuple[str, ...], retention: Retention) -> Iterator[Node]:
    """When objects that expire within bounds were created: by type where types have policies of their own."""
    own = [name for name in retention.types if not types or name in types]
    for name in own:
        yield And((equality(("type",), (name,)), *_created_before(bounds, retention.types[name].kept_for(name))))
    rest = tuple(name for name in types if name not in own)
    if (rest or not types) and (kept := retention.kept_for("")) is not None:
        named = [equality(("type",), rest or tuple(own), negated=not rest)] if own else []
        terms = (*named, *_created_before(bounds, kept))
        yield terms[0] if len(terms) == 1 else And(terms)


def _created_before(bounds: Bounds[datetime], kept: timedelta | None) -> Iterator[Node]:
    for bound in bounds:
        yield Comparison("createdTime", bound.operator, (str(epoch_ms(bound.quantity - (kept or timedelta(0)))),))


def _expiry_bounds(item: Item, value: Value, clock: PhraseClock) -> Bounds[datetime]:
    operator = item.operator or ("<" if _AHEAD.fullmatch(value.text.strip()) else "")
    return time_bounds(item, value, operator, partial(_expiry, item, value, clock))


def _expiry(item: Item, value: Value, clock: PhraseClock, text: str) -> Span:
    """A number of days from now, or else a date as everywhere."""
    if found := _AHEAD.fullmatch(text.strip()):
        return Span(clock.now + timedelta(hours=int(found[1]) * _HOURS[found[2].lower()]))
    return _span(item, value, clock, text)

"""Puts filters into words."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction

from cloudstore_tui.fiql.evaluator import number
from cloudstore_tui.fiql.fields import ALIASES, STATES, TYPES, Unit, type_label, units_of
from cloudstore_tui.fiql.measures import duration_words, size_words
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, Types, comparisons, top_terms, types_within

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PLAIN = re.compile(r"[\w@+.:*/-]+( [\w@+.:*/-]+)*")
_SPEECH = re.compile(r"\b(or|and|is|not|nor|neither|either)\b")

_LABELS: Mapping[str, str] = {
    "agentName": "agent",
    "userName": "user",
    "queueName": "queue",
    "channelName": "channel",
    "callerName": "caller",
    "calleeName": "called party",
    "callerId": "caller's number",
    "calleeId": "called number",
    "address": "other party's number",
    "callId": "call",
    "bucketId": "bucket",
    "objectName": "name",
    "objectState": "state",
    "mimeType": "MIME type",
    "extensionNumber": "extension",
    "sourceObjectType": "made from",
    "createdTime": "created",
    "updatedTime": "updated",
    "startTime": "started",
    "endTime": "ended",
    "storedBytes": "size",
    "holdDuration": "hold",
}
_NUMBERS = frozenset({"callerId", "calleeId", "address"})
"""Fields that hold the telephone number of a party."""
_PEOPLE = frozenset({"agentName", "userName"})
"""The two products' names for the person who took a call."""
_STATES: Mapping[str, str] = {"REVOKED": "deleted (recoverable by 8x8 only)", "DELETED": "purged"}
_PLURALS: Mapping[str, str] = {known.name: known.plural for known in TYPES}
_TITLES: Mapping[str, str] = {known.name: known.title for known in TYPES}
_TIMES = {"=ge=": "on or after", "=gt=": "after", "=lt=": "before", "=le=": "on or before", "==": "at", "!=": "not at"}
_LONG = {"=gt=": "longer than", "=ge=": "at least", "=lt=": "shorter than", "=le=": "at most"}
_LARGE = {"=gt=": "larger than", "=ge=": "at least", "=lt=": "smaller than", "=le=": "at most"}
_EQUAL = {"==": "is", "!=": "is not", "=in=": "is", "=out=": "is neither"}


def explain(node: Node, zone: tzinfo) -> str:
    """What a filter finds, in words: `Call recordings, created on or after 1 Sep 2024 00:00 UTC, …`.

    Times are shown in `zone`.
    """
    types = types_within(node)
    terms = top_terms(node)
    named = next((term for term in terms if _names_types(term)), None)
    subject = " or ".join(_title(value, _PLURALS) for value in named.values) if isinstance(named, Comparison) else ""
    clauses = [_inside(term, types, zone, top=True) for term in terms if term is not named]
    text = ", ".join([subject or "objects", *clauses])
    if any(term.selector == "objectState" for term in comparisons(node)):
        return text
    return f"{text}; available only (add state:any for all)"


def brief(node: Node, zone: tzinfo, types: Types = ()) -> str:
    """A filter in as few words as a title has room for: `agent Khang Glynn, 1 Sep 2024, longer than 10 min`.

    Args:
        node: the filter.
        zone: the time zone in which times are shown.
        types: the types searched, if the filter names none.
    """
    types, terms = types_within(node, types), top_terms(node)
    parts: dict[str, str] = {}
    for term in terms:
        if isinstance(term, Comparison) and units_of(term.selector, types) == {Unit.EPOCH_MS}:
            about = [one for one in terms if isinstance(one, Comparison) and one.selector == term.selector]
            parts.setdefault(term.selector, _stretch(about, zone))
        else:
            parts.setdefault(str(term), _brief(term, types, zone))
    return ", ".join(parts.values())


def _brief(node: Node, types: Types, zone: tzinfo) -> str:
    if isinstance(node, Comparison):
        return _few(node, types, zone)
    inner = types_within(node, types)
    if isinstance(node, And):
        return " and ".join(_brief(term, inner, zone) for term in node.terms)
    for fields, label in ((_NUMBERS, "number"), (_PEOPLE, "agent")):
        if all(isinstance(term, Comparison) and term.selector in fields for term in node.terms):
            # The same number, or person, in several fields is named once.
            wanted = {(term.operator, _distinct(term.selector, term.values)) for term in comparisons(node)}
            if len(wanted) == 1 and (only := wanted.pop())[0] in ("==", "=in="):
                return f"{label} {only[1]}"
    # A duration that is compared in two units, for different types, is named once.
    alike = {_brief(_untyped(term), types_within(term, inner), zone) for term in node.terms}
    return alike.pop() if len(alike) == 1 else " or ".join(_brief(term, inner, zone) for term in node.terms)


def _untyped(node: Node) -> Node:
    rest = [term for term in top_terms(node) if not (isinstance(term, Comparison) and term.selector == "type")]
    if not isinstance(node, And) or not rest:
        return node
    return And(tuple(rest)) if len(rest) > 1 else rest[0]


def _few(term: Comparison, types: Types, zone: tzinfo) -> str:
    name = ALIASES.get(term.selector, term.selector)
    if units_of(name, types) != {Unit.TEXT} or term.operator not in _EQUAL:
        return clause_words(term, types, zone)
    if name == "objectState" and set(term.values) == set(STATES):
        return "in any state"
    label = _LABELS.get(name) or f"{name} is"
    joined = _distinct(name, term.values)
    words = joined if name == "type" else joined.lower() if name == "direction" else f"{label} {joined}"
    return words if term.operator in ("==", "=in=") else f"not {words}"


def _distinct(name: str, values: Sequence[str]) -> str:
    """Values without those that are the same to people: in another case, or numbers without plus and country code."""
    words = _kinds(values) if name == "type" else [_value(name, value) for value in values]
    same = _digits if name in _NUMBERS else str.casefold
    return " or ".join({same(word): word for word in words}.values())


def _digits(number: str) -> str:
    """The digits of a telephone number without its country code."""
    return number.removeprefix("+")[-10:]


def _stretch(terms: list[Comparison], zone: tzinfo) -> str:
    """The time between some bounds: a day, month or year by its name, else its start and end."""
    label = _LABELS.get(terms[0].selector, terms[0].selector)
    lows = [_moment(term.value, zone) for term in terms if term.operator == "=ge="]
    highs = [_moment(term.value, zone) for term in terms if term.operator == "=lt="]
    known = [moment for moment in (*lows, *highs) if moment is not None]
    if len(known) < len(terms):
        return ", ".join(clause_words(term, (), zone) for term in terms)
    low = max((moment for moment in lows if moment), default=None)
    high = min((moment for moment in highs if moment), default=None)
    if low is None or high is None:
        words = f"since {_day(low)}" if low else f"before {_day(high)}" if high else ""
    else:
        words = _calendar(low, high) or f"{_day(low)} to {_day(high)}"
    return words if label == "created" else f"{label} {words}"


def _moment(value: str, zone: tzinfo) -> datetime | None:
    wanted = number(value)
    try:
        return (_EPOCH + timedelta(milliseconds=wanted)).astimezone(zone) if isinstance(wanted, int) else None
    except OverflowError:
        return None


def _day(moment: datetime) -> str:
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    return day if not (moment.hour or moment.minute or moment.second) else f"{day} {moment:%H:%M}"


def _calendar(low: datetime, high: datetime) -> str:
    """The name of the day, month or year between two times; empty unless they are midnights."""
    if any(moment.hour or moment.minute or moment.second or moment.microsecond for moment in (low, high)):
        return ""
    days, last = (high.date() - low.date()).days, high - timedelta(days=1)
    if days == 1:
        return _day(low)
    if low.day == high.day == 1 and low.month == high.month == 1 and high.year == low.year + 1:
        return str(low.year)
    if low.day == high.day == 1 and days <= 31:
        return f"{_MONTHS[low.month - 1]} {low.year}"
    return f"{_day(low)} to {_day(last)}"


def time_words(value: str, zone: tzinfo) -> str:
    """Epoch milliseconds as `1 Sep 2024 00:00 UTC`; anything else as it is."""
    local = _moment(value, zone)
    if local is None:
        return _word(value)
    seconds = f":{local:%S}" if local.second or local.microsecond else ""
    thousandths = f".{local.microsecond // 1000:03d}" if local.microsecond else ""
    clock = f"{local:%H:%M}{seconds}{thousandths}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year} {clock} {local.tzname() or ''}".rstrip()


def clause_words(term: Comparison, types: Types, zone: tzinfo) -> str:
    """One comparison in words, for objects of some types."""
    name = ALIASES.get(term.selector, term.selector)
    units = units_of(name, types)
    label = _LABELS.get(name, name)
    if units == {Unit.EPOCH_MS}:
        return _compared(label, term, _TIMES, [time_words(value, zone) for value in term.values])
    if units <= {Unit.MILLISECONDS, Unit.SECONDS}:
        return _lasting(label, term, units)
    if units == {Unit.BYTES}:
        return _compared(
            "" if term.operator in _LARGE else label, term, _LARGE, [_size(value) for value in term.values]
        )
    return _compared(label, term, {}, [_value(name, value) for value in term.values])


def _names_types(term: Node) -> bool:
    return isinstance(term, Comparison) and term.selector == "type" and term.operator in ("==", "=in=")


def _inside(node: Node, types: Types, zone: tzinfo, *, top: bool = False) -> str:
    if isinstance(node, Comparison):
        return clause_words(node, types, zone)
    inner = types_within(node, types)
    parts = [_inside(term, inner, zone) for term in node.terms]
    text = f"either {' or '.join(parts)}" if isinstance(node, Or) else " and ".join(parts)
    return text if top else f"({text})"


def _lasting(label: str, term: Comparison, units: frozenset[Unit]) -> str:
    if len(units) > 1:
        words = [f"{_word(value)} (seconds on transcripts, else milliseconds)" for value in term.values]
        return _compared(label, term, {}, words)
    factor = 1000 if units == {Unit.SECONDS} else 1
    words = [_duration(value, factor) for value in term.values]
    return _compared("" if label == "duration" and term.operator in _LONG else label, term, _LONG, words)


def _compared(label: str, term: Comparison, orders: Mapping[str, str], words: list[str]) -> str:
    joined = (" nor " if term.operator == "=out=" else " or ").join(words)
    if term.operator == "=out=" and len(words) == 1:
        return f"{label} is not {joined}"
    order = orders.get(term.operator) or _EQUAL.get(term.operator) or f"is {_LARGE[term.operator]}"
    return f"{label} {order} {joined}".strip()


def _duration(value: str, factor: int) -> str:
    wanted = number(value)
    if wanted is None or not 0 <= wanted < 10**15:
        return _word(value)
    return duration_words(Fraction(str(wanted)) * factor)


def _size(value: str) -> str:
    wanted = number(value)
    return size_words(wanted) if isinstance(wanted, int) and wanted >= 0 else _word(value)


def _value(name: str, value: str) -> str:
    if name == "type":
        return _title(value, _TITLES)
    return (
        _STATES.get(value, value.lower() if value.isalpha() else _word(value))
        if name == "objectState"
        else _word(value)
    )


def _kinds(types: Sequence[str]) -> list[str]:
    """What types are called in a list; types with the same label share one plural, such as `Recordings`."""
    labels = Counter(map(type_label, types))
    return [f"{label}s" if labels[label := type_label(name)] > 1 else _title(name, _PLURALS) for name in types]


def _title(value: str, titles: Mapping[str, str]) -> str:
    return titles.get(value) or f"objects of type {_word(value)}"


def _word(value: str) -> str:
    """A value, quoted if it could be mistaken for part of the sentence."""
    if not value:
        return "empty"
    return value if _PLAIN.fullmatch(value) and not _SPEECH.search(value) else f"{value!r}"

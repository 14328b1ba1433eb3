"""What is likely, or certain, to be wrong with a filter that parses, and why a search may have found nothing.

A mismatch with the known fields, types and units is only a warning, since the service may know more.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, tzinfo
from fractions import Fraction
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from cloudstore_tui.fiql.evaluator import number
from cloudstore_tui.fiql.fields import (
    ALIASES,
    CONTENT_FIELDS,
    KNOWN_FIELDS,
    STATES,
    TYPE_NAMES,
    TYPES,
    Unit,
    has_tag,
    nearest,
    units_of,
)
from cloudstore_tui.fiql.measures import duration_words, epoch_ms, in_unit, parse_iso, read_duration, read_size
from cloudstore_tui.fiql.reading import clause_words
from cloudstore_tui.fiql.syntax import (
    LIST_OPERATORS,
    QUOTED,
    WORD,
    Comparison,
    Node,
    Or,
    Types,
    comparisons,
    rewrite,
    scoped,
    spell_out,
    unparse,
)


class Problem(msgspec.Struct, frozen=True):
    """Something that is, or looks, wrong."""

    position: int
    """Offset of the first character concerned."""
    text: str
    """What is wrong: a clause without capital or full stop."""
    hint: str
    """What to do: a whole sentence."""
    fatal: bool = False
    """Whether the filter must not be sent as it is."""
    corrected: str | None = None
    """The whole filter with every fatal problem corrected, if that is possible."""

    @property
    def sentence(self) -> str:
        """What is wrong and what to do; a leading name keeps its case."""
        first = self.text.split(" ", 1)[0]
        is_word = first.islower() and first.isalpha() and first not in KNOWN_FIELDS
        return f"{self.text[:1].upper() if is_word else self.text[:1]}{self.text[1:]}. {self.hint}".rstrip()


_DURATIONS = frozenset({Unit.MILLISECONDS, Unit.SECONDS})
_MAX_TRANSCRIPT_S = 100_000
"""More than a day: no transcript is longer."""

_MIN_DURATION_MS = 1000
"""Nobody searches for fractions of a second."""

_ORDERS = frozenset({"=gt=", "=ge=", "=lt=", "=le="})
_KNOWN_TYPES = frozenset(known.name for known in TYPES)


def _mismatches(node: Node, zone: tzinfo) -> Iterator[Problem]:
    """What does not fit the known fields, types and units; times without a zone are in `zone`."""
    for term, types in scoped(node):
        field = ALIASES.get(term.selector, term.selector)
        yield from _check_tag(term, field, types)
        yield from _check_stars(term)
        units = units_of(field, types)
        if units != {Unit.TEXT} and field not in ("createdTime", "updatedTime"):
            yield from _check_number(term, units, zone)
            yield from _check_unit(term, units, types)


def _check_tag(term: Comparison, field: str, types: Types) -> Iterator[Problem]:
    # An unknown tag may be the customer's own.
    if types and field in KNOWN_FIELDS and not any(has_tag(kind, field) for kind in types):
        owners = [known.name for known in TYPES if field in known.tags]
        hint = f"It is known of {', '.join(owners[:4])}{' and others' if len(owners) > 4 else ''}."
        yield Problem(term.start, f"objects of the type {' or '.join(types)} have no tag {field} that we know", hint)


def _check_stars(term: Comparison) -> Iterator[Problem]:
    if term.operator not in _ORDERS and any("*" in value for value in term.values):
        hint = "The service may take it for a star. In a phrase, as in `agent:Kh*`, it stands for anything."
        yield Problem(term.start, "a `*` in a value", hint)


def _check_number(term: Comparison, units: frozenset[Unit], zone: tzinfo) -> Iterator[Problem]:
    for value in term.values:
        if number(value) is not None or not value:
            continue
        meant = _meant_number(value, units, zone)
        corrected = f"({meant})" if term.operator in LIST_OPERATORS else meant
        hint = (
            f"Write {term.selector}{term.operator}{corrected}: the unit is {_unit_words(units)}."
            if meant
            else f"Write a number of {_unit_words(units)}; a text is compared letter by letter."
        )
        yield Problem(term.start, f"{value!r} is not a number, and {term.selector} is one", hint)


def _meant_number(value: str, units: frozenset[Unit], zone: tzinfo) -> str:
    """The number meant by `90s`, `10MB` or a date; empty if unclear."""
    if len(units) > 1:
        return ""
    unit = next(iter(units))
    found: Fraction | int | None = None
    if unit in _DURATIONS:
        duration = read_duration(value)
        found = None if duration is None else in_unit(duration, unit)
    elif unit is Unit.BYTES:
        found = read_size(value)
    elif unit is Unit.EPOCH_MS:
        moment = parse_iso(value, zone)
        found = epoch_ms(moment) if moment else None
    return "" if found is None else str(round(found))


def _check_unit(term: Comparison, units: frozenset[Unit], types: Types) -> Iterator[Problem]:
    if term.operator not in _ORDERS or not units <= _DURATIONS:
        return
    if len(units) > 1:
        hint = "It is seconds on transcripts and else milliseconds: name the type, as in type==callrecording."
        yield Problem(term.start, f"{term.selector} without a type has two units", hint)
        return
    value = number(term.value)
    if value is None or value <= 0:
        return
    if units == {Unit.MILLISECONDS} and value < _MIN_DURATION_MS:
        hint = f"Write {term.selector}{term.operator}{round(value * 1000)} if you mean seconds."
        words = duration_words(Fraction(str(value)))
        yield Problem(term.start, f"{term.value} is milliseconds here, which is {words}", hint)
    if units == {Unit.SECONDS} and value >= _MAX_TRANSCRIPT_S and set(types) <= _KNOWN_TYPES:
        hint = f"Write {term.selector}{term.operator}{round(value / 1000)} if you mean milliseconds."
        yield Problem(term.start, f"{term.value} is seconds here, which is longer than a day", hint)


def _unit_words(units: frozenset[Unit]) -> str:
    return " or ".join(sorted(units))


_NUMBER = re.compile(r"-?\d{1,18}")
_SECONDS = range(10**8, 10**11)
"""Numbers that are a recent time in seconds, but early 1970 in milliseconds."""

_MIN_SIMILARITY = 0.8
"""How similar to a known name an unknown one must be to count as a typing error."""

_PARTS = re.compile(rf"{QUOTED}|==|!=|=[a-z]+=|(?P<mark>[();,])|(?P<blank>[ \t\r\n]+)|{WORD}")
"""The parts of a filter, of which the marks and the blanks have names."""


def check(node: Node, text: str, zone: tzinfo = UTC, tags: Collection[str] = ()) -> tuple[Problem, ...]:
    """The problems of a filter, in the order of their positions.

    Args:
        node: the tree of the filter.
        text: the filter as it was written.
        zone: the time zone of ISO times without one.
        tags: names of tags that objects have, besides the known ones.
    """
    found = [*_check_blanks(text), *_check_joins(node, text), *_check_loose_state(node), *_mismatches(node, zone)]
    names = sorted({*KNOWN_FIELDS, *tags})
    for term in comparisons(node):
        found += [*_check_time(term, zone), *_check_list(term, text)]
        found += [*_check_names(term, names), *_check_negated_state(term)]
    corrected = unparse(rewrite(node, lambda term: _with_epoch_times(term, zone)))
    return tuple(
        replace(problem, corrected=corrected) if problem.fatal and problem.corrected is not None else problem
        for problem in sorted(found, key=lambda problem: problem.position)
    )


def _check_blanks(text: str) -> Iterator[Problem]:
    for match in _PARTS.finditer(text):
        if match.lastgroup == "blank" and match.start() > 0 and match.end() < len(text):
            hint = "Leave it out; only a value in quotes may hold blanks."
            yield Problem(match.start(), "a blank between the parts of the filter", hint, True, "")
            return
    if text != text.strip(" \t\r\n"):
        yield Problem(0, "blanks around the filter", "Leave them out.", True, "")


def _check_time(term: Comparison, zone: tzinfo) -> Iterator[Problem]:
    if CONTENT_FIELDS.get(term.selector) is not Unit.EPOCH_MS:
        return
    for value in term.values:
        if not _NUMBER.fullmatch(value):
            known = parse_iso(value, zone) is not None
            hint = "The service takes epoch milliseconds." if known else "Write a date such as 2024-09-01 with --since."
            message = f"{term.selector} takes no date like {value!r}" if known else f"{value!r} is not a time"
            yield Problem(term.start, message, hint, True, "" if known else None)
        elif int(value) in _SECONDS:
            hint = f"Write {value}000 if you mean seconds: the service takes milliseconds."
            yield Problem(term.start, f"{value} looks like seconds", hint)


def _check_list(term: Comparison, text: str) -> Iterator[Problem]:
    if term.operator in LIST_OPERATORS and not text[: term.end].endswith(")"):
        hint = f"Write the list in parentheses, also for one value: {unparse(term)}."
        yield Problem(term.start, f"{term.operator} takes a list", hint, True, "")


def _check_names(term: Comparison, names: list[str]) -> Iterator[Problem]:
    if term.selector not in names and (near := nearest(term.selector, names, _MIN_SIMILARITY)):
        hint = f"Did you mean {near}? An unknown name is taken for a tag, and finds nothing."
        yield Problem(term.start, f"unknown field {term.selector}", hint)
    known = {"type": TYPE_NAMES, "objectState": STATES}.get(term.selector, ())
    for value in term.values:
        if known and value not in known and (near := nearest(value, known, _MIN_SIMILARITY)):
            yield Problem(term.start, f"unknown {term.selector} {value}", f"Did you mean {near}?")


def _check_joins(node: Node, text: str) -> Iterator[Problem]:
    joins: list[set[str]] = [set()]
    for match in _PARTS.finditer(text):
        mark = match.group() if match.lastgroup == "mark" else ""
        if mark == "(":
            joins.append(set())
        elif mark == ")" and len(joins) > 1:
            joins.pop()
        elif mark:
            joins[-1].add(mark)
        if len(joins[-1]) == 2:
            hint = f"`;` binds tighter, so this is read as {spell_out(node)}. Write the parentheses that you mean."
            yield Problem(match.start(), "`,` and `;` without parentheses", hint)
            return


def _check_negated_state(term: Comparison) -> Iterator[Problem]:
    if term.selector == "objectState" and term.operator in ("!=", "=out="):
        hint = "Naming objectState ends the rule that only AVAILABLE objects are found: all other states come too."
        yield Problem(term.start, "a negated objectState", hint)


def _check_loose_state(node: Node) -> Iterator[Problem]:
    if not isinstance(node, Or):
        return
    for one, other in pairwise(node.terms):
        if _is_state(one) != _is_state(other):
            state = one if _is_state(one) else other
            hint = "`,` is OR: this finds every object in that state. Write `;` for AND."
            yield Problem(next(comparisons(state)).start, "objectState is only one of several alternatives", hint)
            return


def _is_state(node: Node) -> bool:
    return isinstance(node, Comparison) and node.selector == "objectState"


def _with_epoch_times(term: Comparison, zone: tzinfo) -> Comparison:
    if CONTENT_FIELDS.get(term.selector) is not Unit.EPOCH_MS:
        return term
    moments = [(value, parse_iso(value, zone)) for value in term.values]
    return replace(term, values=tuple(str(epoch_ms(moment)) if moment else value for value, moment in moments))


_LISTED = frozenset({"type", "objectState"})
_EQUAL = frozenset({"==", "=in="})


def why_empty(node: Node | None, text: str, zone: tzinfo) -> tuple[str, ...]:
    """Likely reasons why a filter finds nothing, as sentences, the likeliest first.

    Args:
        node: the tree of the filter, `None` without one.
        text: the filter as it was sent.
        zone: the time zone in which times are shown.
    """
    if node is None:
        return (_STATE,)
    problems = (found.sentence for found in check(node, text, zone))
    return tuple(dict.fromkeys((*problems, *_general_reasons(node, zone))))


_STATE = "Only available objects are found: add state:any for all (in FIQL objectState==ARCHIVED, and so on)."


def _general_reasons(node: Node, zone: tzinfo) -> Iterator[str]:
    terms = list(scoped(node))
    if all(term.selector != "objectState" for term, _types in terms):
        yield _STATE
    times: list[str] = []
    for term, types in terms:
        units = units_of(ALIASES.get(term.selector, term.selector), types)
        if units == {Unit.EPOCH_MS}:
            times.append(clause_words(term, types, zone))
        elif units <= _DURATIONS:
            yield f"The unit of {term.selector} is {' or '.join(sorted(units))}: {clause_words(term, types, zone)}."
    if times:
        name = getattr(zone, "key", None) or zone.tzname(None) or "your zone"
        yield f"Times are in {name} (your time_zone setting): {', '.join(dict.fromkeys(times))}."
    texts = (term for term, _types in terms if term.selector not in _LISTED and term.operator in _EQUAL)
    if any(CONTENT_FIELDS.get(term.selector, Unit.TEXT) is Unit.TEXT for term in texts):
        yield "Values are case-sensitive and must match exactly. agent:~khang finds a part, in loaded rows."

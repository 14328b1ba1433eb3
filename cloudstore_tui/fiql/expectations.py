"""What is known of fields, types and units, held against a filter: warnings, because the service may know more."""

from collections.abc import Iterator
from datetime import tzinfo
from fractions import Fraction

from cloudstore_tui.fiql.evaluator import number
from cloudstore_tui.fiql.fields import ALIASES, KNOWN_FIELDS, TYPES, Unit, has_tag, units_of
from cloudstore_tui.fiql.measures import duration_words, in_unit, read_duration, read_size
from cloudstore_tui.fiql.problem import Problem
from cloudstore_tui.fiql.scope import Types, scoped
from cloudstore_tui.fiql.times import epoch_ms, parse_iso
from cloudstore_tui.fiql.tree import LIST_OPERATORS, Comparison, Node

_LENGTHS = frozenset({Unit.MILLISECONDS, Unit.SECONDS})
_LONGEST = 100_000
"""Seconds, more than a day: a longer transcript does not exist."""

_SHORTEST = 1000
"""Milliseconds: nobody looks for a part of a second."""

_ORDERS = frozenset({"=gt=", "=ge=", "=lt=", "=le="})
_KNOWN_TYPES = frozenset(known.name for known in TYPES)


def unexpected(node: Node, zone: tzinfo) -> Iterator[Problem]:
    """What does not fit the fields, types and units that are known.

    Args:
        node: the tree of the filter.
        zone: what a time without a zone is taken to be in.
    """
    for term, types in scoped(node):
        field = ALIASES.get(term.selector, term.selector)
        yield from _not_of_the_type(term, field, types)
        yield from _stars(term)
        units = units_of(field, types)
        if units != {Unit.TEXT} and field not in ("createdTime", "updatedTime"):
            yield from _no_number(term, units, zone)
            yield from _unit(term, units, types)


def _not_of_the_type(term: Comparison, field: str, types: Types) -> Iterator[Problem]:
    # A tag that nobody knows may be the customer's own.
    if types and field in KNOWN_FIELDS and not any(has_tag(kind, field) for kind in types):
        owners = [known.name for known in TYPES if field in known.tags]
        hint = f"It is known of {', '.join(owners[:4])}{' and others' if len(owners) > 4 else ''}."
        yield Problem(term.start, f"objects of the type {' or '.join(types)} have no tag {field} that we know", hint)


def _stars(term: Comparison) -> Iterator[Problem]:
    if term.operator not in _ORDERS and any("*" in value for value in term.values):
        hint = "The service may take it for a star. In a phrase, as in `agent:Kh*`, it stands for anything."
        yield Problem(term.start, "a `*` in a value", hint)


def _no_number(term: Comparison, units: frozenset[Unit], zone: tzinfo) -> Iterator[Problem]:
    for value in term.values:
        if number(value) is not None or not value:
            continue
        meant = _meant(value, units, zone)
        suffix = ")" if term.operator in LIST_OPERATORS else ""
        opened = "(" if suffix else ""
        hint = (
            f"Write {term.selector}{term.operator}{opened}{meant}{suffix}: the unit is {_spoken(units)}."
            if meant
            else f"Write a number of {_spoken(units)}; a text is compared letter by letter."
        )
        yield Problem(term.start, f"{value!r} is no number, and {term.selector} is one", hint)


def _meant(value: str, units: frozenset[Unit], zone: tzinfo) -> str:
    """The number that somebody meant by `90s`, `10MB` or a date; empty if it cannot be told."""
    if len(units) > 1:
        return ""
    unit = next(iter(units))
    found: Fraction | int | None = None
    if unit in _LENGTHS:
        long = read_duration(value)
        found = None if long is None else in_unit(long, unit)
    elif unit is Unit.BYTES:
        found = read_size(value)
    elif unit is Unit.EPOCH_MS:
        moment = parse_iso(value, zone)
        found = epoch_ms(moment) if moment else None
    return "" if found is None else str(round(found))


def _unit(term: Comparison, units: frozenset[Unit], types: Types) -> Iterator[Problem]:
    if term.operator not in _ORDERS or not units <= _LENGTHS:
        return
    if len(units) > 1:
        hint = "It is seconds on transcripts and else milliseconds: name the type, as in type==callrecording."
        yield Problem(term.start, f"{term.selector} without a type has two units", hint)
        return
    value = number(term.value)
    if value is None or value <= 0:
        return
    if units == {Unit.MILLISECONDS} and value < _SHORTEST:
        hint = f"Write {term.selector}{term.operator}{round(value * 1000)} if you mean seconds."
        words = duration_words(Fraction(str(value)))
        yield Problem(term.start, f"{term.value} is milliseconds here, which is {words}", hint)
    if units == {Unit.SECONDS} and value >= _LONGEST and set(types) <= _KNOWN_TYPES:
        hint = f"Write {term.selector}{term.operator}{round(value / 1000)} if you mean milliseconds."
        yield Problem(term.start, f"{term.value} is seconds here, which is longer than a day", hint)


def _spoken(units: frozenset[Unit]) -> str:
    return " or ".join(sorted(units))

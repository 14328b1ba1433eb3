"""Conditions on durations, sizes and numbers, in the unit of each type."""

from dataclasses import replace
from fractions import Fraction

from cloudstore_tui.fiql.evaluator import number
from cloudstore_tui.fiql.fields import TYPES, Unit, unit_of, units_of
from cloudstore_tui.fiql.measures import in_unit, read_duration, read_size
from cloudstore_tui.fiql.phrases.bounds import (
    Bound,
    Bounds,
    any_of,
    number_bounds,
    refuse_negation,
    whole,
    within,
)
from cloudstore_tui.fiql.phrases.item import Item, Value
from cloudstore_tui.fiql.phrases.texts import equality
from cloudstore_tui.fiql.tree import And, Node

_IN_SECONDS = tuple(known.name for known in TYPES if known.duration is Unit.SECONDS)

BOTH_UNITS = (
    "The tag duration is seconds on transcripts and milliseconds on everything else, so both are asked for; "
    "a type makes the filter shorter."
)


def quantity_term(item: Item, field: str, types: tuple[str, ...]) -> Node:
    """The condition that a field keeps the bounds of an item.

    Raises:
        FilterError: a value is no such quantity.
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
        raise item.error(f"{text!r} is no {kind}", hint, value.start)
    return found


def _shown_second(bounds: Bounds[Fraction]) -> Bounds[Fraction]:
    """A duration alone, such as `1:30`, is what is shown so: any within that second."""
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
        [
            And((rest, _in(field, bounds, Unit.MILLISECONDS))),
            And((seconds, _in(field, bounds, Unit.SECONDS))),
        ]
    )


def _in(field: str, bounds: Bounds[Fraction], unit: Unit) -> Node:
    return within(field, whole(tuple(replace(bound, quantity=in_unit(bound.quantity, unit)) for bound in bounds)))

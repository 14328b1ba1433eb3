"""Bounds of a quantity: from where, and up to where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Generic, TypeVar

from cloudstore_tui.fiql.phrases.item import Item, Value
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or

Quantity = TypeVar("Quantity")

SIGNS = {">": "=gt=", ">=": "=ge=", "<": "=lt=", "<=": "=le=", "": "=="}
"""The service's operators for those of phrases."""


@dataclass(frozen=True, slots=True)
class Bound(Generic[Quantity]):
    """One comparison with a quantity."""

    operator: str
    """As the service writes it."""
    quantity: Quantity


Bounds = tuple[Bound[Quantity], ...]
"""Bounds that must all be kept."""


def refuse_negation(item: Item) -> None:
    """Raise for what has no simple opposite.

    Raises:
        FilterError: the item is negated, or asks for a part of a text.
    """
    if item.negated or item.operator == "!=":
        hint = f"Write where it begins or ends: `{item.key}:<…` or `{item.key}:>…`."
        raise item.error(f"{item.key} cannot be negated", hint)
    if item.operator == "~":
        raise item.error(f"{item.key} is no text", f"Write `{item.key}:>…` or `{item.key}:<…`.")


def pieces_of(item: Item, value: Value) -> tuple[str, str] | None:
    """The two ends of a range such as `1m..5m`, `None` if a value is no range.

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
    """The bounds that one value of a quantity means; both ends of a range belong to it."""
    ends = pieces_of(item, value)
    if ends is None:
        return (Bound(SIGNS[item.operator], read(value.text, value)),)
    signs = ("=ge=", "=le=")
    found = tuple(Bound(sign, read(end, value)) for sign, end in zip(signs, ends, strict=True) if end)
    if len(found) == 2 and found[0].quantity > found[1].quantity:
        raise item.error("a range that ends before it begins", "Write the smaller value first.", value.start)
    return found


def whole(bounds: Bounds[Fraction]) -> Iterator[Bound[int]]:
    """The same bounds for values that are whole numbers."""
    for bound in bounds:
        up = bound.operator in ("=ge=", "=lt=")
        yield Bound(bound.operator, ceil(bound.quantity) if up else floor(bound.quantity))


def within(field: str, bounds: Iterator[Bound[int]]) -> Node:
    """The condition that a field keeps bounds."""
    terms = tuple(Comparison(field, bound.operator, (str(bound.quantity),)) for bound in bounds)
    return terms[0] if len(terms) == 1 else And(terms)


def any_of(nodes: list[Node]) -> Node:
    """One of several conditions."""
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

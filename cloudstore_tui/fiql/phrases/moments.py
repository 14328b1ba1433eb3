"""Conditions on times: every stretch has its start in it and its end not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cloudstore_tui.fiql.phrases.bounds import Bound, any_of, pieces_of, refuse_negation, within
from cloudstore_tui.fiql.phrases.item import Item, Value
from cloudstore_tui.fiql.spans import EXAMPLES, Span, read_span
from cloudstore_tui.fiql.times import epoch_ms
from cloudstore_tui.fiql.tree import Node


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, and where."""

    zone: tzinfo
    now: datetime


def time_bounds(item: Item, value: Value, operator: str, clock: Clock) -> tuple[Bound[datetime], ...]:
    """The bounds that one value means; `operator` is that of the item, or of its key.

    Raises:
        FilterError: the value is no time.
    """
    ends = pieces_of(item, value)
    if ends is None:
        return tuple(_compared(_span(item, value, value.text, clock), operator))
    low, high = (_span(item, value, end, clock) if end else None for end in ends)
    bounds = [Bound("=ge=", low.start)] if low else []
    return tuple([*bounds, Bound("=lt=", high.end or high.start)] if high else bounds)


def time_term(item: Item, field: str, operator: str, clock: Clock) -> tuple[Node, tuple[Bound[datetime], ...]]:
    """The condition on a time, and its bounds where there is but one stretch.

    Raises:
        FilterError: a value is no time.
    """
    refuse_negation(item)
    stretches = [time_bounds(item, value, operator, clock) for value in item.values]
    node = any_of([within(field, _in_milliseconds(bounds)) for bounds in stretches])
    return node, stretches[0] if len(stretches) == 1 else ()


def _in_milliseconds(bounds: tuple[Bound[datetime], ...]) -> Iterator[Bound[int]]:
    return (Bound(bound.operator, epoch_ms(bound.quantity)) for bound in bounds)


def _span(item: Item, value: Value, text: str, clock: Clock) -> Span:
    found = read_span(text, clock.zone, clock.now)
    if found is None:
        raise item.error(f"{text!r} is no date or time", f"Write {EXAMPLES}.", value.start)
    return found


def _compared(span: Span, operator: str) -> Iterator[Bound[datetime]]:
    """After a day is after its end, until a day is until its start."""
    end = span.end or span.start
    if operator in ("", ">="):
        yield Bound("=ge=", span.start)
    if operator == "" and span.end:
        yield Bound("=lt=", span.end)
    if operator == ">":
        yield Bound("=ge=", end)
    if operator in ("<", "<="):
        yield Bound("=lt=", span.start if operator == "<" else end)

"""Hours, days and months of a zone, and how many rows are of each."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

QUARTER = 900
"""Seconds: the offsets of all zones are multiples of it, so that quarters add up to hours and days of any zone."""
_MOST = 400
"""Spans up to which those without rows are shown as well."""


class SpanUnit(StrEnum):
    """How long a span is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def unit_for(quarters: Mapping[int, int]) -> SpanUnit:
    """The unit that gives some dozens of spans."""
    if not quarters:
        return SpanUnit.DAY
    days = (max(quarters) - min(quarters)) * QUARTER / 86_400
    return SpanUnit.HOUR if days <= 3 else SpanUnit.DAY if days <= 120 else SpanUnit.MONTH


def spans(quarters: Mapping[int, int], unit: SpanUnit, zone: tzinfo) -> list[tuple[datetime, int]]:
    """When each span begins, and how many rows are of it, the oldest first.

    Spans are told apart by their instant: where clocks go back, two of them have the same time on the wall.
    """
    counts: Counter[datetime] = Counter()
    for number, many in quarters.items():
        start = start_of(datetime.fromtimestamp(number * QUARTER, UTC).astimezone(zone), unit)
        counts[start.astimezone(UTC)] += many
    if not counts:
        return []
    every = list(_between(min(counts), max(counts), unit, zone))
    instants = every if len(every) <= _MOST else sorted(counts)
    return [(instant.astimezone(zone), counts[instant]) for instant in instants]


def start_of(moment: datetime, unit: SpanUnit) -> datetime:
    """The beginning of the span that a moment is in."""
    if unit is SpanUnit.HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return day.replace(day=1) if unit is SpanUnit.MONTH else day


def end_of(start: datetime, unit: SpanUnit) -> datetime:
    """When the next span begins."""
    if unit is not SpanUnit.HOUR:
        return _existing(start_of(start + timedelta(days=1 if unit is SpanUnit.DAY else 31), unit))
    # Where clocks are changed by half an hour, hours are shorter or longer.
    first = start_of(start, unit).astimezone(UTC)
    quarters = (start.astimezone(UTC) + timedelta(seconds=QUARTER * number) for number in range(1, 13))
    following = (start_of(moment.astimezone(start.tzinfo), unit) for moment in quarters)
    return _existing(next(later for later in following if later.astimezone(UTC) > first))


def name_of(start: datetime, unit: SpanUnit) -> str:
    """`2024-09-01 09:00`, `2024-09-01 Sun`, `2024-09`."""
    return start.strftime({SpanUnit.HOUR: "%Y-%m-%d %H:00", SpanUnit.DAY: "%Y-%m-%d %a", SpanUnit.MONTH: "%Y-%m"}[unit])


def _existing(moment: datetime) -> datetime:
    """The same instant as clocks show it: a time that they skip becomes the one after the gap."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo)


def _between(first: datetime, last: datetime, unit: SpanUnit, zone: tzinfo) -> Iterator[datetime]:
    start = first
    for _number in range(_MOST + 1):
        if start > last:
            return
        yield start
        start = end_of(start.astimezone(zone), unit).astimezone(UTC)

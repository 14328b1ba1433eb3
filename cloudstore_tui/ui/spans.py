"""Hours, days and months of a zone, and how many rows are of each."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

QUARTER = 900
"""Seconds: the offsets of all zones are multiples of it, so that quarters add up to hours and days of any zone."""
_MOST = 400
"""Spans up to which those without rows are shown as well."""


class Unit(StrEnum):
    """How long a span is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def unit_for(quarters: Mapping[int, int]) -> Unit:
    """The unit that gives some dozens of spans."""
    if not quarters:
        return Unit.DAY
    days = (max(quarters) - min(quarters)) * QUARTER / 86_400
    return Unit.HOUR if days <= 3 else Unit.DAY if days <= 120 else Unit.MONTH


def spans(quarters: Mapping[int, int], unit: Unit, zone: tzinfo) -> list[tuple[datetime, int]]:
    """When each span begins, and how many rows are of it, the oldest first."""
    counts: Counter[datetime] = Counter()
    for number, many in quarters.items():
        counts[start_of(datetime.fromtimestamp(number * QUARTER, UTC).astimezone(zone), unit)] += many
    if not counts:
        return []
    every = list(_between(min(counts), max(counts), unit))
    return [(start, counts[start]) for start in every] if len(every) <= _MOST else sorted(counts.items())


def start_of(moment: datetime, unit: Unit) -> datetime:
    """The beginning of the span that a moment is in."""
    if unit is Unit.HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return day.replace(day=1) if unit is Unit.MONTH else day


def end_of(start: datetime, unit: Unit) -> datetime:
    """When the next span begins."""
    if unit is Unit.HOUR:
        # Hours are as long as they are, also where clocks are changed.
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
    return start_of(start + timedelta(days=1 if unit is Unit.DAY else 31), unit)


def name_of(start: datetime, unit: Unit) -> str:
    """`2024-09-01 09:00`, `2024-09-01 Sun`, `2024-09`."""
    return start.strftime({Unit.HOUR: "%Y-%m-%d %H:00", Unit.DAY: "%Y-%m-%d %a", Unit.MONTH: "%Y-%m"}[unit])


def _between(first: datetime, last: datetime, unit: Unit) -> Iterator[datetime]:
    start = first
    for _number in range(_MOST + 1):
        if start > last:
            return
        yield start
        start = end_of(start, unit)

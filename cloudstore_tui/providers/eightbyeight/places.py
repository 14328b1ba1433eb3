"""The virtual folders above the objects: types, years, months, days, buckets."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.models import Folder, Location, Query, Sort
from cloudstore_tui.fiql import compare, conjunction, epoch_ms

BUCKETS = "buckets"
"""The place of all buckets of a region; a type of that name would be hidden by it."""

NEWEST_FIRST = Sort("createdTime", descending=True)
OLDEST_FIRST = Sort("createdTime")
DAY_DEPTH = 4
"""Names in the place of a day: type, year, month, day."""

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A time from a moment up to, not including, another."""

    start: datetime
    end: datetime


def is_bucket_place(location: Location) -> bool:
    """Whether a location is the list of buckets, or one of them."""
    return location.place[:1] == (BUCKETS,)


def region_of(location: Location) -> Location:
    """The region that a place or object is in."""
    return replace(location, path="", place=())


def place_query(location: Location) -> Query | None:
    """The query that a place stands for, newest first; `None` for buckets, for objects and for all regions.

    Raises:
        MissingError: its names are no date.
    """
    if is_bucket_place(location) or location.path or not location.region:
        return None
    kind = compare("type", "==", location.place[0]) if location.place else ""
    found = span(location)
    if found is None:
        return Query(region_of(location), kind, NEWEST_FIRST)
    since = compare("createdTime", "=ge=", str(epoch_ms(found.start)))
    until = compare("createdTime", "=lt=", str(epoch_ms(found.end)))
    return Query(region_of(location), conjunction(kind, since, until), NEWEST_FIRST)


def span(location: Location) -> Span | None:
    """The time in UTC that the names of a year, month and day below a type stand for; `None` without a year.

    Raises:
        MissingError: they are no date.
    """
    names = location.place[1:]
    if not names:
        return None
    try:
        year, month, day = (*(int(name) for name in names), 1, 1)[: max(len(names), 3)]
        start = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        raise MissingError("there is no such year, month or day", subject=location.address) from None
    try:
        return Span(start, _end(start, len(names)))
    except (ValueError, OverflowError):
        # The last year, month and day of the calendar have no next one.
        return Span(start, _LAST)


def folder(location: Location, modified: datetime | None = None) -> Folder:
    """A place as a folder."""
    expandable = len(location.place) < (2 if is_bucket_place(location) else DAY_DEPTH)
    name = location.place[-1] if location.place else location.region or location.profile
    return Folder(location, name, place_query(location), modified, expandable)


def time_folders(parent: Location, moments: Iterable[datetime], *, whole: bool) -> list[Folder]:
    """The years, months or days below a place, newest first.

    Args:
        parent: the place of a type, a year or a month.
        moments: when objects of the place were created, the newest and the oldest among them.
        whole: whether these are all: then only times that have content are given, else all from first to last.
    """
    above = span(parent)
    inside = [moment for moment in moments if above is None or above.start <= moment < above.end]
    depth = len(parent.place) - 1
    numbers = {(moment.year, moment.month, moment.day)[depth] for moment in inside}
    if numbers and not whole:
        numbers = set(range(min(numbers), max(numbers) + 1))
    width = 4 if depth == 0 else 2
    return [folder(parent.child(f"{number:0{width}}")) for number in sorted(numbers, reverse=True)]


def _end(start: datetime, depth: int) -> datetime:
    if depth == 1:
        return start.replace(year=start.year + 1)
    return (start + timedelta(days=32)).replace(day=1) if depth == 2 else start + timedelta(days=1)

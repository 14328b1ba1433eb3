"""The virtual folders above the objects: types, years, months, days and buckets, and their direct children."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, PartialError, StorageError, distinct, unreadable
from cloudstore_tui.core.models import Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page, next_window_start
from cloudstore_tui.fiql.fields import type_rank
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.parser import conjunction
from cloudstore_tui.fiql.syntax import compare
from cloudstore_tui.net.api import segment
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient, region_of
from cloudstore_tui.providers.eightbyeight.paging import NEWEST_FIRST, OLDEST_FIRST, PAGE, START, Position, next_offset
from cloudstore_tui.providers.eightbyeight.search import Searcher, empty_page_error

BUCKETS = "buckets"
"""The place of all buckets of a region; a type of that name would be hidden by it."""

DAY_DEPTH = 4
"""Length of the place of a day: type, year, month, day."""

_LAST = datetime.max.replace(tzinfo=UTC)


def is_bucket_place(location: Location) -> bool:
    """Whether a location is the list of buckets, or one of them."""
    return location.place[:1] == (BUCKETS,)


def place_query(location: Location) -> Query | None:
    """The query of a place, newest first; `None` for buckets, for objects and for all regions.

    Raises:
        MissingError: its names are not a date.
    """
    if is_bucket_place(location) or location.path or not location.region:
        return None
    kind = compare("type", "==", location.place[0]) if location.place else ""
    found = span(location)
    if found is None:
        return Query(region_of(location), kind, NEWEST_FIRST)
    start, end = found
    since = compare("createdTime", "=ge=", str(epoch_ms(start)))
    until = compare("createdTime", "=lt=", str(epoch_ms(end)))
    return Query(region_of(location), conjunction(kind, since, until), NEWEST_FIRST)


def span(location: Location) -> tuple[datetime, datetime] | None:
    """Start and end of the time in UTC that the year, month and day in a place stand for; `None` without a year.

    Raises:
        MissingError: they are not a date.
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
        return start, _end(start, len(names))
    except (ValueError, OverflowError):
        # Nothing follows the last year, month and day of the calendar.
        return start, _LAST


def folder(location: Location, modified: datetime | None = None) -> Folder:
    """A place as a folder."""
    expandable = len(location.place) < (2 if is_bucket_place(location) else DAY_DEPTH)
    name = location.place[-1] if location.place else location.region or location.profile
    return Folder(location, name, place_query(location), modified, expandable)


def time_folders(parent: Location, moments: Iterable[datetime], *, whole: bool) -> list[Folder]:
    """The years, months or days below a place, newest first.

    Args:
        parent: the place of a type, a year or a month.
        moments: when objects of the place were created, including the newest and the oldest.
        whole: whether these are all objects: if not, all times between the first and the last are included.
    """
    above = span(parent)
    inside = [moment for moment in moments if above is None or above[0] <= moment < above[1]]
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


MAX_TYPES = 40
"""Requests for the types of a region; the service is known to have about twenty types."""


class Tree:
    """Lists the children of places."""

    def __init__(self, client: EightByEightClient, searcher: Searcher) -> None:
        self._client = client
        self._searcher = searcher

    async def folders(self, location: Location, cursor: str | None) -> Page[Folder]:
        """The direct children of a place."""
        if location.path:
            raise MissingError("is an object, not a folder", subject=location.address)
        if not location.region:
            return await self._regions(location)
        if not location.place:
            return await self._types(location)
        if is_bucket_place(location):
            return await self._buckets(location, cursor) if len(location.place) == 1 else Page(())
        return await self._times(location)

    async def bucket(self, location: Location) -> Page[StoredObject]:
        """The objects of one bucket."""
        path = f"buckets/{segment(location.place[1])}"
        reply = await self._client.get(location.region, path, subject=location.address)
        found, damaged = wire.bucket_objects(reply, region_of(location), location.address)
        return Page(tuple(found), failures=unreadable(damaged, location.address))

    async def _regions(self, root: Location) -> Page[Folder]:
        names = await self._client.regions()
        found = tuple(folder(Location(root.profile, name)) for name in names)
        return Page(found, None, len(found), self._client.warnings, failures=self._client.failures)

    async def _types(self, region: Location) -> Page[Folder]:
        """The types that exist: those of the newest objects, then repeatedly those of objects with other types."""
        found: list[str] = []
        failures: tuple[StorageError, ...] = ()
        complete = False
        for _round in range(MAX_TYPES):
            others = conjunction(*(compare("type", "!=", name) for name in found))
            page = await self._searcher.region_page(Query(region, others, NEWEST_FIRST), region.region)
            new = list(dict.fromkeys(entry.type for entry in page.entries if entry.type not in ("", *found)))
            found += new
            failures += unreadable(len(page.unreadable), region.address)
            # Without a new type, the service ignores the filter.
            if (complete := page.next is None or not page.entries) or not new:
                break
        names = [*sorted(found, key=type_rank), BUCKETS]
        if not complete:
            hint = "Search for the others by name: type==NAME."
            failures += (PartialError("there are more types than these", subject=region.address, hint=hint),)
        return Page(tuple(folder(region.child(name)) for name in names), failures=distinct(failures))

    async def _times(self, location: Location) -> Page[Folder]:
        query = place_query(location)
        if query is None or len(location.place) >= DAY_DEPTH:
            return Page(())
        newest = await self._searcher.region_page(query, location.region)
        entries, lost, whole = newest.entries, len(newest.unreadable), newest.next is None
        failures: tuple[StorageError, ...] = ()
        if not whole:
            oldest = await self._searcher.region_page(replace(query, sort=OLDEST_FIRST), location.region, limit=1)
            entries += oldest.entries
            lost += len(oldest.unreadable)
            why = ""
            if not any(entry.created for entry in oldest.entries):
                why = "the oldest object has no time"
            elif next_window_start([-epoch_ms(entry.created) for entry in entries if entry.created]) is None:
                why = "the service does not list by time as it is asked to"
            if why:
                message, hint = f"{why}, so there may be more than these", "Search by time instead."
                failures = (PartialError(message, subject=location.address, hint=hint),)
        if timeless := sum(entry.created is None for entry in entries):
            what = "1 object has" if timeless == 1 else f"{timeless:,} objects have"
            hint = f"Search for the type: {query.filter.partition(';')[0]}."
            message = f"{what} no time and can be in none of these"
            failures += (PartialError(message, subject=location.address, hint=hint),)
        found = time_folders(location, (entry.created for entry in entries if entry.created), whole=whole)
        return Page(tuple(found), failures=failures + unreadable(lost, location.address))

    async def _buckets(self, location: Location, cursor: str | None) -> Page[Folder]:
        at = Position(int(cursor)) if cursor else START
        page = await self._bucket_page(location, at, PAGE)
        if not page.rows and (at.offset or page.is_odd) and (await self._bucket_page(location, at, 1)).rows:
            raise empty_page_error(location)
        rows = [bucket for row in page.rows if (bucket := wire.bucket_row(row))]
        found = tuple(folder(location.child(row.name), wire.moment(row.created_time)) for row in rows)
        is_over = page.last and len(page.rows) < PAGE
        following = None if is_over else str(next_offset(at, page.claimed_next, len(page.rows)))
        return Page(found, following, failures=unreadable(len(page.rows) - len(rows), location.address))

    async def _bucket_page(self, location: Location, at: Position, limit: int) -> wire.WirePage:
        order = [("sortField", "createdTime"), ("sortDirection", "DESC")]
        pairs = [("pageKey", str(at.offset)), ("limit", str(limit)), *order]
        reply = await self._client.get(location.region, BUCKETS, pairs, subject=location.address)
        return wire.page(reply, location.address)

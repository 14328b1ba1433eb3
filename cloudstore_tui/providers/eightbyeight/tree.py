"""The children of places, found with as few requests as the service allows."""

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, PartialError, StorageError, UnreadableError, distinct
from cloudstore_tui.core.models import Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql import compare, conjunction
from cloudstore_tui.net import segment
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient
from cloudstore_tui.providers.eightbyeight.places import (
    BUCKETS,
    DAY_DEPTH,
    NEWEST_FIRST,
    OLDEST_FIRST,
    folder,
    is_bucket_place,
    place_query,
    region_of,
    time_folders,
)
from cloudstore_tui.providers.eightbyeight.position import PAGE, START, At, next_offset
from cloudstore_tui.providers.eightbyeight.search import Searcher

MOST_TYPES = 40
"""Requests for the types of a region; the service is known to have about twenty types."""


class Tree:
    """Looks below places."""

    def __init__(self, client: EightByEightClient, searcher: Searcher) -> None:
        self._client = client
        self._searcher = searcher

    async def folders(self, location: Location, cursor: str | None) -> Page[Folder]:
        """The places right below one."""
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
        return Page(tuple(found), failures=_unreadable(damaged, location))

    async def _regions(self, root: Location) -> Page[Folder]:
        names = await self._client.regions()
        found = tuple(folder(Location(root.profile, name)) for name in names)
        return Page(found, None, len(found), self._client.warnings, failures=self._client.failures)

    async def _types(self, region: Location) -> Page[Folder]:
        """The types that exist: those of the newest objects, then those of what has none of these, to the end."""
        found: list[str] = []
        failures: tuple[StorageError, ...] = ()
        complete = False
        for _round in range(MOST_TYPES):
            others = conjunction(*(compare("type", "!=", name) for name in found))
            page = await self._searcher.slice(Query(region, others, NEWEST_FIRST), region.region)
            new = list(dict.fromkeys(entry.type for entry in page.entries if entry.type not in ("", *found)))
            found += new
            failures += _unreadable(len(page.unreadable), region)
            if complete := page.next is None or not new:
                break
        names = [*sorted(found, key=str.lower), BUCKETS]
        if not complete:
            hint = "Search for the others by name: type==NAME."
            failures += (PartialError("there are more types than these", subject=region.address, hint=hint),)
        return Page(tuple(folder(region.child(name)) for name in names), failures=distinct(failures))

    async def _times(self, location: Location) -> Page[Folder]:
        query = place_query(location)
        if query is None or len(location.place) >= DAY_DEPTH:
            return Page(())
        newest = await self._searcher.slice(query, location.region)
        entries, unreadable, whole = newest.entries, len(newest.unreadable), newest.next is None
        if not whole:
            oldest = await self._searcher.slice(replace(query, sort=OLDEST_FIRST), location.region, limit=1)
            entries += oldest.entries
            unreadable += len(oldest.unreadable)
        found = time_folders(location, (entry.created for entry in entries if entry.created), whole=whole)
        return Page(tuple(found), failures=_unreadable(unreadable, location))

    async def _buckets(self, location: Location, cursor: str | None) -> Page[Folder]:
        at = At(int(cursor)) if cursor else START
        order = [("sortField", "createdTime"), ("sortDirection", "DESC")]
        pairs = [("pageKey", str(at.offset)), ("limit", str(PAGE)), *order]
        reply = await self._client.get(location.region, BUCKETS, pairs, subject=location.address)
        page = wire.page(reply, location.address)
        rows = [bucket for row in page.rows if (bucket := wire.bucket_row(row))]
        found = tuple(folder(location.child(row.name), wire.moment(row.created_time)) for row in rows)
        following = None if page.last else str(next_offset(at, page.told, PAGE))
        return Page(found, following, failures=_unreadable(len(page.rows) - len(rows), location))


def _unreadable(number: int, where: Location) -> tuple[StorageError, ...]:
    return (UnreadableError(number, subject=where.address),) if number else ()

"""The pages of a search, of one region or of several merged, several of them on their way at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil
from typing import TypeAlias

import msgspec

from cloudstore_tui.core.errors import (
    ForbiddenError,
    MissingError,
    StorageError,
    UnavailableError,
    UnreadableError,
    distinct,
)
from cloudstore_tui.core.models import Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.providers.eightbyeight.extent import Extent
from cloudstore_tui.providers.eightbyeight.lane import Lane
from cloudstore_tui.providers.eightbyeight.merge import merge
from cloudstore_tui.providers.eightbyeight.places import NEWEST_FIRST
from cloudstore_tui.providers.eightbyeight.position import PAGE, START, At
from cloudstore_tui.providers.eightbyeight.slice import Slice

MOST_EMPTY = 20
"""Pages in a row that are asked for when nothing of one may be shown: an empty page looks like no progress."""

FetchSlice: TypeAlias = Callable[[Query, str, At, int], Awaitable[Slice]]
"""Gives at most so many records from a place of a region on."""
Regions: TypeAlias = tuple[tuple[str, ...], tuple[StorageError, ...]]
"""The names of all regions, and what that list lacks."""
Ways: TypeAlias = tuple[dict[str, At], tuple[StorageError, ...]]
"""Where to begin in each region, and why in some there is no way."""


class Sweep:
    """Reads on through one result.

    A page carries where the next one starts, so that a result can be read on by another sweep, or after an error by
    the same one. Whoever is done with it calls `close`.
    """

    def __init__(
        self,
        query: Query,
        fetch: FetchSlice,
        regions: Callable[[], Awaitable[Regions]],
        contradicts: Callable[[StoredObject], bool] = lambda _entry: False,
        *,
        ahead: int = 0,
    ) -> None:
        """Read `query`.

        Args:
            query: what is searched for, in one region or in all.
            fetch: gives records of a region.
            regions: gives the names of all regions, and what that list lacks.
            contradicts: whether a row does not meet the filter, as this program reads it.
            ahead: how many pages may be on their way besides the one that is waited for.
        """
        self._query = query
        self._order = query.sort or NEWEST_FIRST
        self._fetch = fetch
        self._regions = regions
        self._contradicts = contradicts
        self._ahead = ahead
        self._lanes: list[Lane] | None = None
        self._cursor: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def page(self, cursor: str | None = None) -> Page[StoredObject]:
        """The rows from `cursor` on, in order."""
        failures: list[StorageError] = []
        if self._lanes is None or cursor != self._cursor:
            self.close()
            ways, lost = await self._ways(cursor)
            self._lanes, self._cursor = [self._lane(region, at) for region, at in ways.items()], cursor
            failures += lost
        rows: list[StoredObject] = []
        for _round in range(MOST_EMPTY):
            self._lanes, failed = await self._filled(self._lanes)
            rows = merge(self._lanes, self._order)
            failures += [*failed, *self._unreadable(self._lanes)]
            if rows or all(lane.is_over for lane in self._lanes):
                break
        self._cursor = _packed(self._lanes)
        self._ask(self._lanes)
        return Page(
            tuple(rows),
            self._cursor,
            left=_left(self._lanes),
            failures=distinct(failures),
            unmatched=sum(map(self._contradicts, rows)),
        )

    def close(self) -> None:
        """Give up the pages that are on their way."""
        for lane in self._lanes or ():
            lane.stop()
        self._lanes = None
        if self._asking is not None:
            self._asking.cancel()

    def _ask(self, lanes: list[Lane]) -> None:
        """Find out how much is left, one question at a time, so that the rows are not kept waiting."""
        if not self._ahead or (self._asking is not None and not self._asking.done()):
            return
        vague = next((lane for lane in lanes if not lane.is_over and lane.extent.is_vague(lane.passed)), None)
        if vague is not None:
            self._asking = asyncio.ensure_future(vague.extent.ask(vague.passed))

    async def _filled(self, lanes: list[Lane]) -> tuple[list[Lane], list[StorageError]]:
        """The regions that can be read, each with its next row, and why others cannot.

        Raises:
            StorageError: none of them can, or the query or the login is refused.
        """
        going = [lane for lane in lanes if not lane.is_over]
        ahead = ceil(self._ahead / max(len(going), 1))
        answers = await asyncio.gather(*(lane.fill(ahead) for lane in going), return_exceptions=True)
        kept: list[Lane] = []
        failed: list[StorageError] = []
        for lane, answer in zip(going, answers, strict=True):
            if answer is None:
                kept.append(lane)
            elif isinstance(answer, ForbiddenError | MissingError | UnavailableError):
                failed.append(answer.about(self._address(lane.region)))
            else:
                raise answer
        if failed and not kept:
            raise failed[0]
        return kept, failed

    def _unreadable(self, lanes: list[Lane]) -> list[StorageError]:
        numbers = [(lane.region, lane.unreadable()) for lane in lanes]
        return [UnreadableError(number, subject=self._address(region)) for region, number in numbers if number]

    def _address(self, region: str) -> str:
        return Location(self._query.location.profile, region).address

    async def _ways(self, cursor: str | None) -> Ways:
        if cursor:
            return msgspec.json.decode(cursor, type=dict[str, At]), ()
        if region := self._query.location.region:
            return {region: START}, ()
        names, lost = await self._regions()
        return dict.fromkeys(names, START), lost

    def _lane(self, region: str, at: At) -> Lane:
        async def is_there(offset: int) -> bool:
            return (await self._fetch(self._query, region, At(offset, at.bound), 1)).given > 0

        return Lane(region, at, self._order, lambda at: self._fetch(self._query, region, at, PAGE), Extent(is_there))


def _left(lanes: list[Lane]) -> int | None:
    known = [left for lane in lanes if (left := lane.left) is not None]
    return sum(known) if len(known) == len(lanes) else None


def _packed(lanes: list[Lane]) -> str | None:
    ways = {lane.region: at for lane in lanes if (at := lane.at) is not None}
    return msgspec.json.encode(ways).decode() if ways else None

"""How many objects a query finds, without fetching them: the service does not tell, but it knows where they end."""

import asyncio
from dataclasses import replace

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.query import Query
from cloudstore_tui.fiql import compare, conjunction, epoch_ms
from cloudstore_tui.providers.eightbyeight.places import NEWEST_FIRST, OLDEST_FIRST
from cloudstore_tui.providers.eightbyeight.position import LARGEST_WINDOW, SECOND, At
from cloudstore_tui.providers.eightbyeight.search import Searcher

MOST = 2**40
"""Where the search for the end is given up; no customer has a million million objects."""


class Counter:
    """Finds the end of a result by asking for single records at doubling offsets, then by halving."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def total(self, query: Query, regions: tuple[str, ...]) -> int:
        """The number of objects in these regions now."""
        query = replace(query, sort=NEWEST_FIRST)
        return sum(await asyncio.gather(*(self._in_region(query, region) for region in regions)))

    async def _in_region(self, query: Query, region: str) -> int:
        first = await self._searcher.slice(query, region)
        if first.next is None:
            return first.given
        try:
            return await self._end(query, region, first.given, MOST)
        except UsageError as error:
            if error.status is None:
                # It is about something else than how far offsets may go.
                raise
            return await self._by_windows(query, region)

    async def _end(self, query: Query, region: str, some: int, most: int) -> int:
        """The number of objects, known to be at least `some` and at most `most`."""
        low, high, probe = some, most, some * 2
        while probe < high:
            if await self._is_there(query, region, probe):
                low, probe = probe + 1, probe * 2
            else:
                high = probe
        while low < high:
            middle = (low + high) // 2
            if await self._is_there(query, region, middle):
                low = middle + 1
            else:
                high = middle
        return low

    async def _is_there(self, query: Query, region: str, offset: int) -> bool:
        return (await self._searcher.slice(query, region, At(offset), 1)).given > 0

    async def _by_windows(self, query: Query, region: str) -> int:
        """Where large offsets are refused: halve the time until each part is small enough."""
        newest = await self._searcher.slice(query, region, limit=1)
        oldest = await self._searcher.slice(replace(query, sort=OLDEST_FIRST), region, limit=1)
        ends = [entry.created for one in (newest, oldest) for entry in one.entries if entry.created]
        if len(ends) < 2:
            raise _uncountable(query)
        total, spans = 0, [(epoch_ms(ends[1]), epoch_ms(ends[0]) + SECOND)]
        while spans:
            start, end = spans.pop()
            part = await self._within(query, region, start, end)
            if part is not None:
                total += part
            elif end - start > 1:
                spans += [(start, (start + end) // 2), ((start + end) // 2, end)]
            else:
                raise _uncountable(query)
        return total

    async def _within(self, query: Query, region: str, start: int, end: int) -> int | None:
        """The number in a span of time, `None` if it is too large to be counted at once."""
        since = compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(end))
        part = replace(query, filter=conjunction(query.filter, since, until))
        first = await self._searcher.slice(part, region)
        if first.next is None:
            return first.given
        if await self._is_there(part, region, LARGEST_WINDOW - 1):
            return None
        return await self._end(part, region, first.given, LARGEST_WINDOW - 1)


def _uncountable(query: Query) -> UsageError:
    return UsageError(
        "the service does not let us count so many objects",
        subject=query.location.address,
        hint="Narrow the query by time or by type.",
    )

"""How much a query finds, without fetching it all: the service does not tell, but it knows where they end."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Query, ResultSize
from cloudstore_tui.fiql import compare, conjunction, epoch_ms
from cloudstore_tui.providers.eightbyeight.places import NEWEST_FIRST, OLDEST_FIRST
from cloudstore_tui.providers.eightbyeight.position import LARGEST_WINDOW, PAGE, SECOND, At
from cloudstore_tui.providers.eightbyeight.search import Searcher

MOST = 2**40
"""Where the search for the end is given up; no customer has a million million objects."""
SAMPLES, SAMPLE = 24, 20
"""Places of a result that are looked at to tell how large its objects are, and records at each of them."""


class _Part(NamedTuple):
    """Objects of one region that were counted together, newest first."""

    query: Query
    region: str
    number: int


class _Sample(NamedTuple):
    part: _Part
    offset: int
    limit: int


class Counter:
    """Finds the end of a result by asking for single records at doubling offsets, then by halving."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    async def total(self, query: Query, regions: tuple[str, ...]) -> int:
        """The number of objects in these regions now."""
        return sum(part.number for part in await self._parts(query, regions))

    async def size(self, query: Query, regions: tuple[str, ...]) -> ResultSize:
        """The number of objects in these regions now, and the sizes of some that lie evenly all over them.

        The newest are no measure for the others: recordings are archived after a while and their companions are not,
        and offices open and close.
        """
        parts = await self._parts(query, regions)
        total = sum(part.number for part in parts)
        samples = [sample for sample in _samples(parts, total) if sample.limit]
        slices = await asyncio.gather(
            *(self._searcher.slice(one.part.query, one.part.region, At(one.offset), one.limit) for one in samples)
        )
        found = {entry.location: entry.size for one in slices for entry in one.entries if entry.size is not None}
        return ResultSize(total, len(found), sum(found.values()))

    async def _parts(self, query: Query, regions: tuple[str, ...]) -> list[_Part]:
        query = replace(query, sort=NEWEST_FIRST)
        tasks = [asyncio.ensure_future(self._in_region(query, region)) for region in regions]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            # One that fails ends all.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [part for parts in found for part in parts]

    async def _in_region(self, query: Query, region: str) -> list[_Part]:
        first = await self._searcher.slice(query, region)
        if first.next is None:
            return [_Part(query, region, first.given)]
        try:
            return [_Part(query, region, await self._end(query, region, first.given, MOST))]
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

    async def _by_windows(self, query: Query, region: str) -> list[_Part]:
        """Where large offsets are refused: halve the time until each part is small enough."""
        newest = await self._searcher.slice(query, region, limit=1)
        oldest = await self._searcher.slice(replace(query, sort=OLDEST_FIRST), region, limit=1)
        ends = [entry.created for one in (newest, oldest) for entry in one.entries if entry.created]
        if len(ends) < 2:
            raise _uncountable(query)
        parts, spans = [], [(epoch_ms(ends[1]), epoch_ms(ends[0]) + SECOND)]
        while spans:
            start, end = spans.pop()
            part = await self._within(query, region, start, end)
            if part is not None:
                parts.append(part)
            elif end - start > 1:
                spans += [(start, (start + end) // 2), ((start + end) // 2, end)]
            else:
                raise _uncountable(query)
        return parts

    async def _within(self, query: Query, region: str, start: int, end: int) -> _Part | None:
        """What is in a span of time, `None` if it is too much to be counted at once."""
        since = compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(end))
        part = replace(query, filter=conjunction(query.filter, since, until))
        first = await self._searcher.slice(part, region)
        if first.next is None:
            return _Part(part, region, first.given)
        if await self._is_there(part, region, LARGEST_WINDOW - 1):
            return None
        return _Part(part, region, await self._end(part, region, first.given, LARGEST_WINDOW - 1))


def _samples(parts: Sequence[_Part], total: int) -> Iterator[_Sample]:
    """Where to look: everywhere in a small result, else at places that are equally far from each other."""
    if total <= SAMPLES * SAMPLE:
        for part in parts:
            for offset in range(0, part.number, PAGE):
                yield _Sample(part, offset, min(PAGE, part.number - offset))
        return
    begins = 0
    for part in parts:
        ends = begins + part.number
        for number in range(SAMPLES):
            middle = (2 * number + 1) * total // (2 * SAMPLES)
            if begins <= middle < ends:
                offset = max(min(middle - begins - SAMPLE // 2, part.number - SAMPLE), 0)
                yield _Sample(part, offset, min(SAMPLE, part.number))
        begins = ends


def _uncountable(query: Query) -> UsageError:
    return UsageError(
        "the service does not let us count so many objects",
        subject=query.location.address,
        hint="Narrow the query by time or by type.",
    )

"""Searches of one customer: pages of one region or of all, and how many objects there are."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from cloudstore_tui.core.errors import FilterError, PartialError, ReplyError, UsageError
from cloudstore_tui.core.models import Location, Query, ResultSize, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.evaluator import contradicts
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.parser import conjunction, parse
from cloudstore_tui.fiql.syntax import compare
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient
from cloudstore_tui.providers.eightbyeight.paging import (
    LARGEST_WINDOW,
    NEWEST_FIRST,
    OLDEST_FIRST,
    PAGE,
    START,
    Position,
    PrefetchingSearch,
    RegionPage,
    Regions,
    next_offset,
)

Result = TypeVar("Result")

ROUND = 1000
"""A result of a multiple of so many may be cut: services limit what one search gives."""


class Searcher:
    """Runs searches over the regions of one customer."""

    def __init__(self, client: EightByEightClient) -> None:
        self._client = client

    async def page(self, query: Query, cursor: str | None) -> Page[StoredObject]:
        """One page of a query, in its order."""
        return await self.prefetching(query).page(cursor)

    def prefetching(self, query: Query, ahead: int = 0) -> PrefetchingSearch:
        """All pages of a query, up to `ahead` of them on their way besides the next."""
        return PrefetchingSearch(
            query, self.region_page, self._regions, partial(contradicts, filter_=query.filter), ahead=ahead
        )

    async def _regions(self) -> Regions:
        return await self._client.regions(), self._client.failures

    async def region_page(self, query: Query, region: str, at: Position = START, limit: int = PAGE) -> RegionPage:
        """One page of one region, and where the next one starts.

        An empty page ends a result only where nothing speaks against it.

        Raises:
            ReplyError: what the service gave contradicts what it gave before.
        """
        page = await self._page(query, region, at, limit)
        if limit == 1:
            return page
        where = Location(query.location.profile, region)
        if at.is_far_from(page.entries) and not page.unreadable:
            raise _not_again(where)
        if page.given:
            return page
        if at.resume:
            return await self.region_page(query, region, Position(0, at.resume), limit)
        if (at.offset or page.is_odd) and (await self._page(query, region, at, 1)).given:
            raise not_empty(where)
        if at.offset and at.offset % ROUND == 0:
            raise PartialError(
                f"the service gives {at.offset:,} and no more in this order, and there may be more",
                subject=where.address,
                hint="Sort by createdTime, or narrow the query by time.",
            )
        return page

    async def _page(self, query: Query, region: str, at: Position, limit: int) -> RegionPage:
        order = query.sort or NEWEST_FIRST
        where = Location(query.location.profile, region)
        pairs = [
            ("pageKey", str(at.offset)),
            ("limit", str(limit)),
            ("sortField", order.field),
            ("sortDirection", "DESC" if order.descending else "ASC"),
        ]
        if text := conjunction(query.filter, at.window(order)):
            pairs.insert(0, ("filter", text))
        try:
            reply = await self._client.get(region, "objects", pairs, subject=where.address)
        except UsageError as error:
            raise _refused(error, at, query.filter) from None
        return _region_page(wire.page(reply, where.address), where, query, at, limit)


def _region_page(page: wire.WirePage, where: Location, query: Query, at: Position, limit: int) -> RegionPage:
    order = query.sort or NEWEST_FIRST
    read = [(number, wire.record(row, where)) for number, row in enumerate(page.rows)]
    good = [(number, entry) for number, entry in read if entry]
    seen = [entry for _, entry in good]
    following = at.moved(next_offset(at, page.claimed_next, len(page.rows)), order, seen)
    resume = at.next_bound(order, seen)
    if resume and seen[0].created != seen[-1].created:
        # A last page that is full may be no last one.
        following = Position(0, resume) if page.last else replace(following, resume=resume)
    is_over = page.last and len(page.rows) < limit
    return RegionPage(
        region=where.region,
        at=at,
        order=order,
        entries=tuple(entry for _, entry in good),
        positions=tuple(number for number, _ in good),
        next=None if is_over else following,
        given=len(page.rows),
        unreadable=tuple(number for number, entry in read if not entry),
        is_odd=page.is_odd,
    )


def not_empty(where: Location) -> ReplyError:
    """An empty page where a question for a single record of it gives one."""
    return ReplyError(
        "the service gives an empty page where there is something",
        subject=where.address,
        hint="Narrow the query by time, or tell the service's support.",
    )


def _not_again(where: Location) -> ReplyError:
    return ReplyError(
        "the service cannot find by time what it has just listed, so objects may be missing",
        subject=where.address,
        hint="Narrow the query by time, or run it once more.",
    )


def _refused(error: UsageError, at: Position, filter_: str) -> UsageError:
    """What a refused search means, where that is more than the service's own words."""
    if error.status is None:
        return error
    if at.offset + PAGE > LARGEST_WINDOW:
        return error.with_(
            message=f"the service gives no results beyond {at.offset:,} in this order",
            hint="Sort by createdTime, or narrow the query by time.",
        )
    return error.with_(hint=_suggestion(filter_)) if filter_ and not error.hint else error


def _suggestion(filter_: str) -> str:
    try:
        problems = check(parse(filter_), filter_)
    except FilterError as error:
        return str(error)
    known = [f"{problem.text[:1].upper()}{problem.text[1:]}. {problem.hint}" for problem in problems]
    if not known and ("'" in filter_ or '"' in filter_):
        return "The service may not take quotes. Try the id or the time without them."
    return " ".join(known[:2]) if known else "Look at the filter: cloudstore fiql check 'FILTER'."


MAX_OBJECTS = 2**40
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
        self.looked = 0
        """Objects whose records came along."""
        self.unmatched = 0
        """Those of them that do not meet the filter, as this program reads it."""

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
        slices = await _all_of(
            self._searcher.region_page(one.part.query, one.part.region, Position(one.offset), one.limit)
            for one in samples
        )
        found = {entry.location: entry.size for one in slices for entry in one.entries if entry.size is not None}
        return ResultSize(total, len(found), sum(found.values()))

    async def _parts(self, query: Query, regions: tuple[str, ...]) -> list[_Part]:
        query = replace(query, sort=NEWEST_FIRST)
        found = await _all_of(self._in_region(query, region) for region in regions)
        return [part for parts in found for part in parts]

    async def _in_region(self, query: Query, region: str) -> list[_Part]:
        first = await self._look(query, region)
        if first.next is None:
            return [_Part(query, region, first.given)]
        try:
            number = await self._end(query, region, first.given, MAX_OBJECTS)
        except UsageError as error:
            if error.status is None:
                # It is about something else than how far offsets may go.
                raise
            return await self._by_windows(query, region)
        if number == MAX_OBJECTS:
            raise _uncountable(query)
        if number % ROUND or await self._is_last(query, region, number):
            return [_Part(query, region, number)]
        return await self._by_windows(query, region, number)

    async def _look(self, query: Query, region: str, at: Position = START, limit: int = PAGE) -> RegionPage:
        page = await self._searcher.region_page(query, region, at, limit)
        self.looked += len(page.entries)
        self.unmatched += sum(contradicts(entry, query.filter) for entry in page.entries)
        return page

    async def _is_last(self, query: Query, region: str, number: int) -> bool:
        """Whether the last of so many is the oldest of all: services may say nothing of those beyond a limit."""
        last = await self._searcher.region_page(query, region, Position(number - 1), 1)
        oldest = await self._searcher.region_page(replace(query, sort=OLDEST_FIRST), region, limit=1)
        return [entry.created for entry in last.entries] == [entry.created for entry in oldest.entries]

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
        return (await self._look(query, region, Position(offset), 1)).given > 0

    async def _by_windows(self, query: Query, region: str, largest: int = LARGEST_WINDOW) -> list[_Part]:
        """Where large offsets give nothing: halve the time until each part is small enough.

        From 1970 to tomorrow: the first and last records are only known from a service that sorts as it is asked to.
        """
        parts, spans = [], [(0, epoch_ms(datetime.now(UTC) + timedelta(days=1)))]
        while spans:
            start, end = spans.pop()
            part = await self._within(query, region, start, end, largest)
            if part is not None:
                parts.append(part)
            elif end - start > 1:
                spans += [(start, (start + end) // 2), ((start + end) // 2, end)]
            else:
                raise _uncountable(query)
        return parts

    async def _within(self, query: Query, region: str, start: int, end: int, largest: int) -> _Part | None:
        """What is in a span of time, `None` if it is too much to be counted at once."""
        since = compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(end))
        part = replace(query, filter=conjunction(query.filter, since, until))
        first = await self._look(part, region)
        if first.next is None:
            return _Part(part, region, first.given)
        if await self._is_there(part, region, largest - 1):
            return None
        return _Part(part, region, await self._end(part, region, first.given, largest - 1))


async def _all_of(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """What several works give, in their order; the first that fails ends the others, and its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
        for place in range(SAMPLES):
            middle = (2 * place + 1) * total // (2 * SAMPLES)
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

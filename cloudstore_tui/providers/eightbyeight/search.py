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
from cloudstore_tui.fiql.parser import conjunction, parse, requires
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

CAP_UNIT = 1000
"""A result of exactly a multiple of this may have been cut off: services cap what one search returns."""


class Searcher:
    """Runs searches over the regions of one customer."""

    def __init__(self, client: EightByEightClient) -> None:
        self._client = client

    async def page(self, query: Query, cursor: str | None) -> Page[StoredObject]:
        """One page of a query, in its order."""
        return await self.prefetching(query).page(cursor)

    def prefetching(self, query: Query, ahead: int = 0) -> PrefetchingSearch:
        """A reader of all pages of a query, which requests up to `ahead` of them besides the next."""
        return PrefetchingSearch(
            query, self.region_page, self._regions, partial(contradicts, filter_=query.filter), ahead=ahead
        )

    async def _regions(self) -> Regions:
        return await self._client.regions(), self._client.failures

    async def region_page(self, query: Query, region: str, at: Position = START, limit: int = PAGE) -> RegionPage:
        """One page of one region, and where the next one starts.

        An empty page counts as the end of a result only if nothing contradicts that.

        Raises:
            ReplyError: the page contradicts an earlier one.
        """
        page = await self._page(query, region, at, limit)
        if limit == 1:
            return page
        where = Location(query.location.profile, region)
        if at.is_far_before(page.entries) and not page.unreadable:
            raise _time_filter_error(where)
        if page.given:
            return page
        if at.resume:
            return await self.region_page(query, region, Position(0, at.resume), limit)
        if (at.offset or page.is_odd) and (await self._page(query, region, at, 1)).given:
            raise empty_page_error(where)
        if at.offset and at.offset % CAP_UNIT == 0:
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
            raise _explained(error, at, query.filter) from None
        return _region_page(wire.object_page(reply, where.address), where, query, at, limit)


def _region_page(page: wire.WirePage, where: Location, query: Query, at: Position, limit: int) -> RegionPage:
    order = query.sort or NEWEST_FIRST
    read = [(number, wire.record(row, where)) for number, row in enumerate(page.rows)]
    good = [(number, entry) for number, entry in read if entry]
    seen = [entry for _, entry in good]
    following = at.moved(next_offset(at, page.claimed_next, len(page.rows)), order, seen)
    resume = at.next_bound(order, seen)
    if resume and seen[0].created != seen[-1].created:
        # A full page may not be the last one, whatever it says.
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


def empty_page_error(where: Location) -> ReplyError:
    """The error for an empty page from which a request for a single record does return one."""
    return ReplyError(
        "the service returns an empty page although there is more",
        subject=where.address,
        hint="Narrow the query by time, or tell the service's support.",
    )


def _time_filter_error(where: Location) -> ReplyError:
    return ReplyError(
        "the service cannot find by time what it has just listed, so objects may be missing",
        subject=where.address,
        hint="Narrow the query by time, or run it once more.",
    )


def _explained(error: UsageError, at: Position, filter_: str) -> UsageError:
    """The error for a refused search, with what this program knows about the cause."""
    if error.status is None:
        return error
    if at.offset + PAGE > LARGEST_WINDOW:
        return error.with_(
            message=f"the service gives no results beyond {at.offset:,} in this order",
            hint="Sort by createdTime, or narrow the query by time.",
        )
    return error.with_(hint=_filter_hint(filter_)) if filter_ and not error.hint else error


def _filter_hint(filter_: str) -> str:
    try:
        problems = check(parse(filter_), filter_)
    except FilterError as error:
        return str(error)
    known = [problem.sentence for problem in problems]
    if not known and ("'" in filter_ or '"' in filter_):
        return "The service may not take quotes. Try the id or the time without them."
    return " ".join(known[:2]) if known else "Look at the filter: cloudstore fiql check 'FILTER'."


MAX_OBJECTS = 2**40
"""Counting is given up here; no customer has a trillion objects."""
SAMPLE_COUNT, SAMPLE_SIZE = 24, 20
"""Samples that are taken of a large result to estimate the size of its objects, and records per sample."""


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
    """Counts a result by requesting single records at doubling offsets, then by bisection."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self.inspected = 0
        """Objects whose records were received."""
        self.unmatched = 0
        """Those of them that do not match the filter, as this program reads it."""
        self.skips_undated = False
        """Whether objects without a creation time, which the filter allows, cannot be among them."""

    async def total(self, query: Query, regions: tuple[str, ...]) -> int:
        """The number of objects in these regions now."""
        return sum(part.number for part in await self._count_parts(query, regions))

    async def size(self, query: Query, regions: tuple[str, ...]) -> ResultSize:
        """The number of objects in these regions now, and the sizes of a sample spread evenly over them.

        The newest objects are not representative: recordings are archived after a while, their transcripts are not,
        and offices open and close.
        """
        parts = await self._count_parts(query, regions)
        total = sum(part.number for part in parts)
        samples = [sample for sample in _samples(parts, total) if sample.limit]
        pages = await _gather(
            self._searcher.region_page(sample.part.query, sample.part.region, Position(sample.offset), sample.limit)
            for sample in samples
        )
        sizes = {entry.location: entry.size for page in pages for entry in page.entries if entry.size is not None}
        return ResultSize(total, len(sizes), sum(sizes.values()))

    async def _count_parts(self, query: Query, regions: tuple[str, ...]) -> list[_Part]:
        query = replace(query, sort=NEWEST_FIRST)
        found = await _gather(self._count_region(query, region) for region in regions)
        return [part for parts in found for part in parts]

    async def _count_region(self, query: Query, region: str) -> list[_Part]:
        first = await self._counted_page(query, region)
        if first.next is None:
            return [_Part(query, region, first.given)]
        try:
            number = await self._bisect(query, region, first.given, MAX_OBJECTS)
        except UsageError as error:
            if error.status is None:
                # Not a refusal of a large offset.
                raise
            return await self._count_by_windows(query, region)
        if number == MAX_OBJECTS:
            raise _uncountable(query)
        if number % CAP_UNIT or await self._is_last(query, region, number):
            return [_Part(query, region, number)]
        return await self._count_by_windows(query, region, number)

    async def _counted_page(self, query: Query, region: str, at: Position = START, limit: int = PAGE) -> RegionPage:
        page = await self._searcher.region_page(query, region, at, limit)
        self.inspected += len(page.entries)
        self.unmatched += sum(contradicts(entry, query.filter) for entry in page.entries)
        return page

    async def _is_last(self, query: Query, region: str, number: int) -> bool:
        """Whether the last of `number` objects is the oldest of all: services may silently cap a result."""
        last = await self._searcher.region_page(query, region, Position(number - 1), 1)
        oldest = await self._searcher.region_page(replace(query, sort=OLDEST_FIRST), region, limit=1)
        return [entry.created for entry in last.entries] == [entry.created for entry in oldest.entries]

    async def _bisect(self, query: Query, region: str, low: int, high: int) -> int:
        """The number of objects, known to be at least `low` and at most `high`."""
        probe = low * 2
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
        return (await self._counted_page(query, region, Position(offset), 1)).given > 0

    async def _count_by_windows(self, query: Query, region: str, largest: int = LARGEST_WINDOW) -> list[_Part]:
        """Count without large offsets: halve the time until each part is small enough.

        It starts with 1970 to tomorrow, since the first and last records are known only if the service sorts as asked.
        """
        self.skips_undated = not requires(query.filter, "createdTime")
        parts, spans = [], [(0, epoch_ms(datetime.now(UTC) + timedelta(days=1)))]
        while spans:
            start, end = spans.pop()
            part = await self._count_span(query, region, start, end, largest)
            if part is not None:
                parts.append(part)
            elif end - start > 1:
                spans += [(start, (start + end) // 2), ((start + end) // 2, end)]
            else:
                raise _uncountable(query)
        return parts

    async def _count_span(self, query: Query, region: str, start: int, end: int, largest: int) -> _Part | None:
        """The objects in a span of time; `None` if they are too many to be counted at once."""
        since = compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(end))
        part = replace(query, filter=conjunction(query.filter, since, until))
        first = await self._counted_page(part, region)
        if first.next is None:
            return _Part(part, region, first.given)
        if await self._is_there(part, region, largest - 1):
            return None
        return _Part(part, region, await self._bisect(part, region, first.given, largest - 1))


async def _gather(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of several coroutines, in order; the first error cancels the others and is raised as it is."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _samples(parts: Sequence[_Part], total: int) -> Iterator[_Sample]:
    """All records of a small result, else samples at equal distances."""
    if total <= SAMPLE_COUNT * SAMPLE_SIZE:
        for part in parts:
            for offset in range(0, part.number, PAGE):
                yield _Sample(part, offset, min(PAGE, part.number - offset))
        return
    start = 0
    for part in parts:
        end = start + part.number
        for index in range(SAMPLE_COUNT):
            middle = (2 * index + 1) * total // (2 * SAMPLE_COUNT)
            if start <= middle < end:
                offset = max(min(middle - start - SAMPLE_SIZE // 2, part.number - SAMPLE_SIZE), 0)
                yield _Sample(part, offset, min(SAMPLE_SIZE, part.number))
        start = end


def _uncountable(query: Query) -> UsageError:
    return UsageError(
        "there are too many objects for this service to count",
        subject=query.location.address,
        hint="Narrow the query by time or by type.",
    )

"""The pages of a search in one region, or merged from several, with several requests in flight.

`RegionPage` is one page of one region, `RegionStream` reads the result of a region page by page, and
`PrefetchingSearch` merges the streams of all regions into one result.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from cloudstore_tui.core.errors import (
    ForbiddenError,
    MissingError,
    PartialError,
    StorageError,
    UnavailableError,
    UnreadableError,
    distinct,
)
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject
from cloudstore_tui.core.paging import MAX_DISORDER, Page, next_window_start
from cloudstore_tui.fiql.evaluator import number, values_of
from cloudstore_tui.fiql.measures import SECOND, epoch_ms
from cloudstore_tui.fiql.parser import requires
from cloudstore_tui.fiql.syntax import compare

NEWEST_FIRST = Sort("createdTime", descending=True)
OLDEST_FIRST = Sort("createdTime")

PAGE = 100
"""Records per page: the most that the service gives."""
LARGEST_WINDOW = 10_000
"""Offsets beyond this may be refused; a search by time continues with a new window instead."""
LARGEST_GAP = 600 * SECOND
"""Shorter than the difference between two time zones."""


class Position(msgspec.Struct, frozen=True):
    """A position in the result of one region: an offset into a window of time."""

    offset: int = 0
    bound: int = 0
    """Where the window starts, in epoch milliseconds and in the direction of the sort; 0 without a window."""
    resume: int = 0
    """The bound of the window to try if the page here is empty; 0 if there is none."""

    def window(self, order: Sort) -> str:
        """The filter for the window; empty without one."""
        return compare("createdTime", "=lt=" if order.descending else "=ge=", str(self.bound)) if self.bound else ""

    def moved(self, offset: int, order: Sort, seen: Sequence[StoredObject]) -> "Position":
        """The position at an offset, or at the start of a new window if the offset is too large.

        Args:
            offset: of the next record in the current window.
            order: the order of the service.
            seen: the rows of the current page up to there.
        """
        bound = self.next_bound(order, seen) if offset + PAGE > LARGEST_WINDOW else 0
        return Position(0, bound) if bound else Position(offset, self.bound)

    def next_bound(self, order: Sort, seen: Sequence[StoredObject]) -> int:
        """The bound of a window that continues after these rows; 0 if there can be none."""
        if order.field != "createdTime":
            return 0
        times = [entry.created for entry in seen if entry.created]
        if times == sorted(times, reverse=order.descending):
            # Only the last ones matter then, and converting all of every page would be slow.
            times = times[-MAX_DISORDER:]
        moments = [epoch_ms(time) for time in times]
        start = next_window_start([-moment for moment in moments] if order.descending else moments)
        if start is None:
            return 0
        # Rows of the same second come again, and the pager drops them.
        bound = SECOND - start if order.descending else start
        advances = bound < self.bound if order.descending else bound > self.bound
        return bound if advances or not self.bound else 0

    def is_far_before(self, entries: Sequence[StoredObject]) -> bool:
        """Whether a window starts here but not with these rows, although it should repeat the last rows before it."""
        first = next((entry.created for entry in entries if entry.created), None)
        if self.offset or not self.bound or (entries and first is None):
            return False
        gap = abs(epoch_ms(first) - self.bound) if first else math.inf
        return gap > LARGEST_GAP

    def predicted(self, stride: int, order: Sort) -> "Position | None":
        """Where the page after the one here most likely starts; `None` if only the page itself can show that."""
        if order.field == "createdTime" and self.offset + stride + PAGE > LARGEST_WINDOW:
            return None
        return Position(self.offset + stride, self.bound)


START = Position()


def next_offset(at: Position, claimed: int, given: int) -> int:
    """The offset of the next page: the service's own number if it is plausible, else ours.

    Some replies name the current page instead, and a page can be smaller than asked for, so that a number beyond the
    records given would skip some.
    """
    return claimed if at.offset < claimed <= at.offset + given else at.offset + given


class RegionPage(msgspec.Struct, frozen=True):
    """One page of one region, and where the next one starts."""

    region: str
    at: Position
    order: Sort
    entries: tuple[StoredObject, ...]
    positions: tuple[int, ...]
    """The index of each entry in the service's page."""
    next: Position | None
    """Where the next page starts; `None` at the end."""
    given: int
    """Number of records in the service's page, including those that cannot be read."""
    unreadable: tuple[int, ...] = ()
    """The indices of records that cannot be read."""
    is_odd: bool = False
    """Whether it is empty although the reply does not say that it is the last, or that it has no records."""

    def after(self, taken: int) -> Position | None:
        """Where to continue if only the first `taken` entries were used."""
        if taken >= len(self.entries):
            return self.next
        return self.at.moved(self.at.offset + self.positions[taken], self.order, self.entries[: taken + 1])


def sort_key(entry: StoredObject, name: str) -> tuple[int, float, str]:
    """A key that sorts as the service does: missing values first, then numbers, then texts."""
    found = values_of(entry, name)
    if not found:
        return 0, 0.0, ""
    value = number(found[0])
    return (2, 0.0, found[0]) if value is None else (1, value, "")


MIN_ROWS = 500
"""Rows after which an estimate is worth a request; a shorter result is complete before the reply."""
PRECISION = 10
"""The rest is estimated to within one part in this many."""


class CountEstimate:
    """Estimates how many records a result has, by probing for single ones: at doubling offsets, then by bisection."""

    def __init__(self, is_there: Callable[[int], Awaitable[bool]]) -> None:
        """`is_there` returns whether there is a record at an offset."""
        self._is_there = is_there
        self._low = 0
        self._high: int | None = None
        self._failed = False

    def left(self, passed: int) -> int | None:
        """Roughly how many records follow the first `passed`; `None` while that could be far off."""
        if self._failed or self._high is None:
            return None
        low = max(self._low, passed)
        left = max((low + self._high) // 2 - passed, 0)
        return left if 4 * (self._high - low) <= max(left, MIN_ROWS) else None

    def is_vague(self, passed: int) -> bool:
        """Whether another probe is worthwhile."""
        if self._failed or passed < MIN_ROWS:
            return False
        if self._high is None:
            return True
        low = max(self._low, passed)
        return self._high - low > max((low - passed) // PRECISION, MIN_ROWS // PRECISION)

    async def refine(self, passed: int) -> None:
        """Send one probe."""
        low = max(self._low, passed)
        probe = 4 * low if self._high is None else (low + self._high) // 2
        try:
            if await self._is_there(probe):
                self._low = max(self._low, probe + 1)
            else:
                self._high = probe
        except StorageError:
            # Some services refuse large offsets. Without an estimate the rows are complete all the same.
            self._failed = True


class _PendingPage(NamedTuple):
    at: Position
    page: asyncio.Task[RegionPage]


class RegionStream:
    """Reads one region: holds the page that rows are taken from, and requests for the pages after it.

    Where a page starts is certain only once the one before it has arrived. Until then it is predicted, and a page whose
    prediction turns out wrong is discarded, so that nothing is ever skipped.
    """

    def __init__(
        self,
        region: str,
        at: Position,
        order: Sort,
        fetch: Callable[[Position], Awaitable[RegionPage]],
        estimate: CountEstimate,
    ) -> None:
        self.region = region
        self._start = at
        self._order = order
        self._fetch = fetch
        self._current: RegionPage | None = None
        self._taken = 0
        self._reported = 0
        self._pending: deque[_PendingPage] = deque()
        self._depth = 0
        self._stride = PAGE
        self.has_duplicates = False
        """Whether rows came twice, so that others may be missing."""
        self.passed = at.offset
        """Records up to the end of the current page, over all windows."""
        self.estimate = estimate

    @property
    def at(self) -> Position | None:
        """Where to continue after the rows taken; `None` at the end."""
        return self._current.after(self._taken) if self._current is not None else self._start

    @property
    def head(self) -> StoredObject | None:
        """The next row, if it has been fetched."""
        current = self._current
        return current.entries[self._taken] if current is not None and self._taken < len(current.entries) else None

    @property
    def needs_page(self) -> bool:
        """Whether a page has to be fetched before the next row can be taken."""
        return self.head is None and self.at is not None

    @property
    def is_exhausted(self) -> bool:
        """Whether no rows are left, here or at the service."""
        return self.at is None

    @property
    def starts_window(self) -> bool:
        """Whether the current page starts a window, and so repeats rows of the one before."""
        current = self._current
        return current is not None and current.at.bound > 0 and not current.at.offset

    @property
    def left(self) -> int | None:
        """Roughly how many rows are left; `None` while unknown."""
        current = self._current
        here = len(current.entries) - self._taken if current is not None else 0
        if current is not None and current.next is None:
            return here
        behind = self.estimate.left(self.passed)
        return None if behind is None else here + behind

    def take(self) -> StoredObject:
        """Take the next row, which must have been fetched."""
        entry = self.head
        assert entry is not None
        self._taken += 1
        return entry

    def take_all(self) -> tuple[StoredObject, ...]:
        """Take all rows that have been fetched."""
        current = self._current
        rows = current.entries[self._taken :] if current is not None else ()
        self._taken += len(rows)
        return rows

    def take_unreadable(self) -> int:
        """How many unreadable records were passed since the last call."""
        current = self._current
        if current is None:
            return 0
        here = current.positions[self._taken] if self._taken < len(current.positions) else current.given
        number = sum(self._reported <= position < here for position in current.unreadable)
        self._reported = here
        return number

    async def fetch_rows(self, ahead: int) -> None:
        """Make the next row available, if there is one.

        Args:
            ahead: how many further pages may be requested at the same time.

        Raises:
            StorageError: the page could not be fetched; call again to retry.
        """
        at = self.at
        if at is None or not self.needs_page:
            return
        if not self._pending or self._pending[0].at.offset != at.offset or self._pending[0].at.bound != at.bound:
            self.cancel()
            self._request(at)
        self._request_ahead(min(self._depth, ahead))
        try:
            current = await self._pending[0].page
            if not current.given and self._pending[0].at != at:
                # A predicted position lacks the window to resume with.
                current = await self._fetch(at)
            current = await self._without_duplicates(current, at)
        except BaseException:
            self.cancel()
            raise
        self._pending.popleft()
        self._current, self._taken, self._reported = current, 0, 0
        self.passed += current.given
        self._update_stride(current)
        # Prefetching starts slowly, since many results fit on one page.
        self._depth = max(2 * self._depth, 1)
        self._request_ahead(min(self._depth, ahead))

    async def _without_duplicates(self, current: RegionPage, at: Position) -> RegionPage:
        """The next page; if it repeats rows, and so may hide as many others, the first page of a new window instead.

        Rows shift when objects are added or deleted, and rows with equal values may change places.
        """
        before = self._current
        if before is None or not current.at.offset or current.at.bound != before.at.bound:
            return current
        if {entry.id for entry in before.entries}.isdisjoint(entry.id for entry in current.entries):
            return current
        if at.resume:
            return await self._fetch(Position(0, at.resume))
        self.has_duplicates = True
        return current

    def cancel(self) -> None:
        """Cancel all pending requests."""
        for pending in self._pending:
            pending.page.cancel()
        self._pending.clear()

    def _update_stride(self, current: RegionPage) -> None:
        following = current.next
        if following is not None and following.bound == current.at.bound and following.offset > current.at.offset:
            self._stride = following.offset - current.at.offset

    def _request_ahead(self, depth: int) -> None:
        if not self._pending:
            if self._current is None or self._current.next is None or not depth:
                return
            self._request(self._current.next)
        at: Position | None = self._pending[-1].at
        while at is not None and len(self._pending) < depth and not self._end_is_known():
            at = at.predicted(self._stride, self._order)
            if at is not None:
                self._request(at)

    def _end_is_known(self) -> bool:
        return any(pending.page.done() and _is_last(pending.page) for pending in self._pending)

    def _request(self, at: Position) -> None:
        task = asyncio.ensure_future(self._fetch(at))
        task.add_done_callback(self._page_done)
        self._pending.append(_PendingPage(at, task))

    def _page_done(self, page: asyncio.Task[RegionPage]) -> None:
        """Cancel requests for pages beyond the last one."""
        if not _is_last(page) or all(pending.page is not page for pending in self._pending):
            return
        while self._pending[-1].page is not page:
            self._pending.pop().page.cancel()


def _is_last(page: asyncio.Task[RegionPage]) -> bool:
    # Retrieving the exception also keeps asyncio from reporting it as never retrieved.
    return not page.cancelled() and page.exception() is None and page.result().next is None


def merged(streams: Sequence[RegionStream], order: Sort) -> list[StoredObject]:
    """Take rows in order, until a region needs another page."""
    rows: list[StoredObject] = []
    pick = max if order.descending else min
    while not any(stream.needs_page for stream in streams):
        heads = [(stream, entry) for stream in streams if (entry := stream.head) is not None]
        if len(heads) <= 1:
            return rows + [entry for stream, _ in heads for entry in stream.take_all()]
        stream, _ = pick(heads, key=lambda head: sort_key(head[1], order.field))
        rows.append(stream.take())
    return rows


MAX_EMPTY = 20
"""Rounds without a row after which a page is returned empty."""

FetchPage: TypeAlias = Callable[[Query, str, Position, int], Awaitable[RegionPage]]
"""Fetches a page: query, region, position, maximal number of records."""
Regions: TypeAlias = tuple[tuple[str, ...], tuple[StorageError, ...]]
"""The names of all regions, and what that list lacks."""


class PrefetchingSearch:
    """Reads through one result, requesting pages ahead of time.

    The cursor of a page holds the position in every region, so that another search can continue from it, as can this
    one after an error. Call `close` when done.
    """

    def __init__(
        self,
        query: Query,
        fetch: FetchPage,
        regions: Callable[[], Awaitable[Regions]],
        contradicts: Callable[[StoredObject], bool] = lambda _entry: False,
        *,
        ahead: int = 0,
    ) -> None:
        """Send nothing yet.

        Args:
            query: in one region or in all.
            fetch: fetches a page of a region.
            regions: returns the names of all regions, and what that list lacks.
            contradicts: whether a row does not match the filter, as this program reads it.
            ahead: how many pages may be requested besides the one that is awaited.
        """
        self._query = query
        self._order = query.sort or NEWEST_FIRST
        self._fetch = fetch
        self._regions = regions
        self._contradicts = contradicts
        self._ahead = ahead
        self._streams: list[RegionStream] | None = None
        self._cursor: str | None = None
        self._failures: list[StorageError] = []
        """Failures that no page has reported yet: if a call raises, the next one reports them."""
        self._probing: asyncio.Task[None] | None = None

    async def page(self, cursor: str | None = None) -> Page[StoredObject]:
        """The rows from `cursor` on, in order."""
        if self._streams is None or cursor != self._cursor:
            self.close()
            starts, lost = await self._starts(cursor)
            self._streams, self._cursor = [self._stream(region, at) for region, at in starts.items()], cursor
            self._failures = list(lost)
        rows: list[StoredObject] = []
        for _round in range(MAX_EMPTY):
            self._streams = await self._fetched(self._streams)
            rows = merged(self._streams, self._order)
            self._failures += [*self._unreadable(self._streams), *self._duplicates(self._streams)]
            if rows or all(stream.is_exhausted for stream in self._streams):
                break
        self._cursor = _encode_cursor(self._streams)
        self._refine_estimate(self._streams)
        failures, self._failures = distinct(self._failures), []
        starts_window = any(stream.starts_window for stream in self._streams)
        return Page(
            tuple(rows),
            self._cursor,
            left=_left(self._streams),
            failures=failures,
            unmatched=sum(map(self._contradicts, rows)),
            overlaps=starts_window,
            skips_undated=starts_window and not requires(self._query.filter, "createdTime"),
        )

    def close(self) -> None:
        """Cancel all pending requests."""
        for stream in self._streams or ():
            stream.cancel()
        self._streams = None
        if self._probing is not None:
            self._probing.cancel()

    def _refine_estimate(self, streams: list[RegionStream]) -> None:
        """Start one probe at a time, so that the rows are not kept waiting."""
        if not self._ahead or (self._probing is not None and not self._probing.done()):
            return
        vague = next(
            (stream for stream in streams if not stream.is_exhausted and stream.estimate.is_vague(stream.passed)), None
        )
        if vague is not None:
            self._probing = asyncio.ensure_future(vague.estimate.refine(vague.passed))

    async def _fetched(self, streams: list[RegionStream]) -> list[RegionStream]:
        """The streams that could be read, each with its next row; why others could not is added to the failures.

        Raises:
            StorageError: none of them could, or the query or the login is refused.
        """
        unfinished = [stream for stream in streams if not stream.is_exhausted]
        ahead = math.ceil(self._ahead / max(len(unfinished), 1))
        outcomes = await asyncio.gather(*(stream.fetch_rows(ahead) for stream in unfinished), return_exceptions=True)
        kept: list[RegionStream] = []
        failed: list[StorageError] = []
        for stream, outcome in zip(unfinished, outcomes, strict=True):
            if outcome is None:
                kept.append(stream)
            elif isinstance(outcome, ForbiddenError | MissingError | UnavailableError):
                failed.append(outcome.about(self._address(stream.region)))
            else:
                raise outcome
        if failed and not kept:
            raise failed[0]
        self._failures += failed
        return kept

    def _unreadable(self, streams: list[RegionStream]) -> list[StorageError]:
        numbers = [(stream.region, stream.take_unreadable()) for stream in streams]
        return [UnreadableError(number, subject=self._address(region)) for region, number in numbers if number]

    def _duplicates(self, streams: list[RegionStream]) -> list[StorageError]:
        message = "objects appear twice in this order, so others may be missing"
        hint = "Sort by createdTime, or run it once more."
        regions = [stream.region for stream in streams if stream.has_duplicates]
        return [PartialError(message, subject=self._address(region), hint=hint) for region in regions]

    def _address(self, region: str) -> str:
        return Location(self._query.location.profile, region).address

    async def _starts(self, cursor: str | None) -> tuple[dict[str, Position], tuple[StorageError, ...]]:
        """Where to start in each region, and what the list of regions lacks."""
        if cursor:
            return msgspec.json.decode(cursor, type=dict[str, Position]), ()
        start = Position(self._query.offset)
        if region := self._query.location.region:
            return {region: start}, ()
        names, lost = await self._regions()
        return dict.fromkeys(names, start), lost

    def _stream(self, region: str, at: Position) -> RegionStream:
        async def is_there(offset: int) -> bool:
            return (await self._fetch(self._query, region, Position(offset, at.bound), 1)).given > 0

        return RegionStream(
            region, at, self._order, lambda at: self._fetch(self._query, region, at, PAGE), CountEstimate(is_there)
        )


def _left(streams: list[RegionStream]) -> int | None:
    known = [left for stream in streams if (left := stream.left) is not None]
    return sum(known) if len(known) == len(streams) else None


def _encode_cursor(streams: list[RegionStream]) -> str | None:
    positions = {stream.region: at for stream in streams if (at := stream.at) is not None}
    return msgspec.json.encode(positions).decode() if positions else None

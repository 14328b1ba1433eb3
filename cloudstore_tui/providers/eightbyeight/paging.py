"""The pages of a search: of one region or of several merged, several of them on their way at the same time.

`RegionPage` is one page of one region, `RegionStream` the result of a region read on page by page, and
`PrefetchingSearch` what the program sees of all regions together.
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
from cloudstore_tui.fiql.syntax import compare

NEWEST_FIRST = Sort("createdTime", descending=True)
OLDEST_FIRST = Sort("createdTime")

PAGE = 100
"""Records of a page: the most that the service gives."""
LARGEST_WINDOW = 10_000
"""Records beyond this may be refused; a search by time continues with a new window instead."""
LARGEST_GAP = 600 * SECOND
"""Less than zones of time can differ by."""


class Position(msgspec.Struct, frozen=True):
    """A place in the result of one region."""

    offset: int = 0
    bound: int = 0
    """Epoch milliseconds from which the present window of time goes on, in the direction of the sort; 0 without."""
    resume: int = 0
    """The bound of the window that goes on where nothing comes here; 0 where there is none."""

    def window(self, order: Sort) -> str:
        """The filter of the present window; empty without one."""
        return compare("createdTime", "=lt=" if order.descending else "=ge=", str(self.bound)) if self.bound else ""

    def moved(self, offset: int, order: Sort, seen: Sequence[StoredObject]) -> "Position":
        """This place moved on to an offset, or to the start of a new window where offsets get too large.

        Args:
            offset: of the next record in the present window.
            order: what the service sorts by.
            seen: the rows of this page up to there.
        """
        bound = self.next_bound(order, seen) if offset + PAGE > LARGEST_WINDOW else 0
        return Position(0, bound) if bound else Position(offset, self.bound)

    def next_bound(self, order: Sort, seen: Sequence[StoredObject]) -> int:
        """The bound of the window that goes on after these rows; 0 where none does."""
        if order.field != "createdTime":
            return 0
        times = [entry.created for entry in seen if entry.created]
        if times == sorted(times, reverse=order.descending):
            # Only the last ones matter then, and all of every page would take long.
            times = times[-MAX_DISORDER:]
        # Rows of the border's second come again, and are dropped by whoever walks the pages.
        moments = [epoch_ms(time) for time in times]
        border = next_window_start([-moment for moment in moments] if order.descending else moments)
        if border is None:
            return 0
        bound = SECOND - border if order.descending else border
        forward = bound < self.bound if order.descending else bound > self.bound
        return bound if forward or not self.bound else 0

    def is_far_from(self, entries: Sequence[StoredObject]) -> bool:
        """Whether a window begins here and these are not its first rows: those that it follows come again."""
        first = next((entry.created for entry in entries if entry.created), None)
        if self.offset or not self.bound or (entries and first is None):
            return False
        gap = abs(epoch_ms(first) - self.bound) if first else math.inf
        return gap > LARGEST_GAP

    def guessed(self, stride: int, order: Sort) -> "Position | None":
        """Where the page after the one that starts here most likely starts; `None` where only that page can tell."""
        if order.field == "createdTime" and self.offset + stride + PAGE > LARGEST_WINDOW:
            return None
        return Position(self.offset + stride, self.bound)


START = Position()


def next_offset(at: Position, claimed: int, given: int) -> int:
    """The offset of the next page: the service's own number where that can be one, else ours.

    Some replies name the present page, and a number beyond the records that were given would skip some: a page can be
    smaller than was asked for.
    """
    return claimed if at.offset < claimed <= at.offset + given else at.offset + given


class RegionPage(msgspec.Struct, frozen=True):
    """What the service gave, and where it goes on."""

    region: str
    at: Position
    order: Sort
    entries: tuple[StoredObject, ...]
    positions: tuple[int, ...]
    """Where each entry stood in the service's page."""
    next: Position | None
    """Where the next page starts; `None` at the end."""
    given: int
    """Records that the service gave, with those that cannot be read."""
    unreadable: tuple[int, ...] = ()
    """Where records stood that cannot be read."""
    is_odd: bool = False
    """Whether it is empty and does not say so."""

    def after(self, taken: int) -> Position | None:
        """Where to go on when only the first `taken` entries were used."""
        if taken >= len(self.entries):
            return self.next
        return self.at.moved(self.at.offset + self.positions[taken], self.order, self.entries[: taken + 1])


def sort_key(entry: StoredObject, name: str) -> tuple[int, float, str]:
    """What the service sorts by: what is missing first, then numbers, then texts."""
    found = values_of(entry, name)
    if not found:
        return 0, 0.0, ""
    value = number(found[0])
    return (2, 0.0, found[0]) if value is None else (1, value, "")


FIRST = 500
"""Rows after which it is worth asking; a shorter result is there before the answer."""
PART = 10
"""The rest is estimated to within one in so many of itself."""


class CountEstimate:
    """Asks for single records further on: at growing offsets, then in the middle, as exactly as what is left needs."""

    def __init__(self, is_there: Callable[[int], Awaitable[bool]]) -> None:
        """`is_there` tells whether there is a record at an offset."""
        self._is_there = is_there
        self._low = 0
        self._high: int | None = None
        self._lost = False

    def left(self, passed: int) -> int | None:
        """Roughly how many records are behind the first `passed`; `None` while that could be far from the truth."""
        if self._lost or self._high is None:
            return None
        low = max(self._low, passed)
        left = max((low + self._high) // 2 - passed, 0)
        return left if 4 * (self._high - low) <= max(left, FIRST) else None

    def is_vague(self, passed: int) -> bool:
        """Whether it is worth asking again."""
        if self._lost or passed < FIRST:
            return False
        if self._high is None:
            return True
        low = max(self._low, passed)
        return self._high - low > max((low - passed) // PART, FIRST // PART)

    async def ask(self, passed: int) -> None:
        """Find out a little more."""
        low = max(self._low, passed)
        probe = 4 * low if self._high is None else (low + self._high) // 2
        try:
            if await self._is_there(probe):
                self._low = max(self._low, probe + 1)
            else:
                self._high = probe
        except StorageError:
            # Some services refuse large offsets. Nobody needs to know: the rows themselves are what was asked for.
            self._lost = True


class _Coming(NamedTuple):
    at: Position
    page: asyncio.Task[RegionPage]


class RegionStream:
    """Holds the page that is being taken from, and the pages after it that are on their way.

    Where a page starts is only known for certain when the one before it is there. Until then it is guessed, and a guess
    that turns out wrong is thrown away, so that nothing is ever skipped.
    """

    def __init__(
        self,
        region: str,
        at: Position,
        order: Sort,
        fetch: Callable[[Position], Awaitable[RegionPage]],
        extent: CountEstimate,
    ) -> None:
        self.region = region
        self._start = at
        self._order = order
        self._fetch = fetch
        self._present: RegionPage | None = None
        self._taken = 0
        self._reported = 0
        self._coming: deque[_Coming] = deque()
        self._depth = 0
        self._stride = PAGE
        self.is_unsettled = False
        """Whether rows came twice and others may never have come."""
        self.passed = at.offset
        """Records of the service up to the end of the page that is being taken from, from its first window on."""
        self.extent = extent

    @property
    def at(self) -> Position | None:
        """Where to go on after what was taken; `None` at the end."""
        return self._present.after(self._taken) if self._present is not None else self._start

    @property
    def head(self) -> StoredObject | None:
        """The next row, if it is there."""
        present = self._present
        return present.entries[self._taken] if present is not None and self._taken < len(present.entries) else None

    @property
    def is_dry(self) -> bool:
        """Whether the next row has to be fetched before it is known."""
        return self.head is None and self.at is not None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing any more to be taken."""
        return self.at is None

    @property
    def begins_anew(self) -> bool:
        """Whether the present page is the first of a window that begins with rows of the one before."""
        present = self._present
        return present is not None and present.at.bound > 0 and not present.at.offset

    @property
    def left(self) -> int | None:
        """Roughly how many rows are left to take; `None` while unknown."""
        present = self._present
        here = len(present.entries) - self._taken if present is not None else 0
        if present is not None and present.next is None:
            return here
        behind = self.extent.left(self.passed)
        return None if behind is None else here + behind

    def take(self) -> StoredObject:
        """Take the next row, which has to be there."""
        entry = self.head
        assert entry is not None
        self._taken += 1
        return entry

    def rest(self) -> tuple[StoredObject, ...]:
        """Take all rows that are there."""
        present = self._present
        rows = present.entries[self._taken :] if present is not None else ()
        self._taken += len(rows)
        return rows

    def unreadable(self) -> int:
        """How many records that cannot be read were passed since this was asked last."""
        present = self._present
        if present is None:
            return 0
        here = present.positions[self._taken] if self._taken < len(present.positions) else present.given
        number = sum(self._reported <= position < here for position in present.unreadable)
        self._reported = here
        return number

    async def fill(self, ahead: int) -> None:
        """Have rows to take, if there are more.

        Args:
            ahead: how many pages after it may be on their way at the same time.

        Raises:
            StorageError: the page could not be fetched; it can be asked for again.
        """
        at = self.at
        if at is None or not self.is_dry:
            return
        if not self._coming or self._coming[0].at.offset != at.offset or self._coming[0].at.bound != at.bound:
            self.stop()
            self._begin(at)
        self._look_ahead(min(self._depth, ahead))
        try:
            present = await self._coming[0].page
            if not present.given and self._coming[0].at != at:
                # A guess does not know where to go on instead.
                present = await self._fetch(at)
            present = await self._settled(present, at)
        except BaseException:
            self.stop()
            raise
        self._coming.popleft()
        self._present, self._taken, self._reported = present, 0, 0
        self.passed += present.given
        self._learn(present)
        # A short result is not worth guessing at, so it begins with one page.
        self._depth = max(2 * self._depth, 1)
        self._look_ahead(min(self._depth, ahead))

    async def _settled(self, present: RegionPage, at: Position) -> RegionPage:
        """The next page, or where rows come again the first of a window: what comes twice hides as many others.

        Rows move when others come or go, and those of one value change places where nothing else orders them.
        """
        before = self._present
        if before is None or not present.at.offset or present.at.bound != before.at.bound:
            return present
        if {entry.id for entry in before.entries}.isdisjoint(entry.id for entry in present.entries):
            return present
        if at.resume:
            return await self._fetch(Position(0, at.resume))
        self.is_unsettled = True
        return present

    def stop(self) -> None:
        """Give up the pages that are on their way."""
        for coming in self._coming:
            coming.page.cancel()
        self._coming.clear()

    def _learn(self, present: RegionPage) -> None:
        following = present.next
        if following is not None and following.bound == present.at.bound and following.offset > present.at.offset:
            self._stride = following.offset - present.at.offset

    def _look_ahead(self, depth: int) -> None:
        if not self._coming:
            if self._present is None or self._present.next is None or not depth:
                return
            self._begin(self._present.next)
        at: Position | None = self._coming[-1].at
        while at is not None and len(self._coming) < depth and not self._sees_the_end():
            at = at.guessed(self._stride, self._order)
            if at is not None:
                self._begin(at)

    def _sees_the_end(self) -> bool:
        return any(coming.page.done() and _is_last(coming.page) for coming in self._coming)

    def _begin(self, at: Position) -> None:
        task = asyncio.ensure_future(self._fetch(at))
        task.add_done_callback(self._came)
        self._coming.append(_Coming(at, task))

    def _came(self, page: asyncio.Task[RegionPage]) -> None:
        """Do not ask for what lies beyond the end."""
        if not _is_last(page) or all(coming.page is not page for coming in self._coming):
            return
        while self._coming[-1].page is not page:
            self._coming.pop().page.cancel()


def _is_last(page: asyncio.Task[RegionPage]) -> bool:
    # Asking for the exception also keeps asyncio from reporting one that nobody waits for.
    return not page.cancelled() and page.exception() is None and page.result().next is None


def merged(streams: Sequence[RegionStream], order: Sort) -> list[StoredObject]:
    """Take rows in order until a region that has more on the server runs out."""
    rows: list[StoredObject] = []
    pick = max if order.descending else min
    while not any(stream.is_dry for stream in streams):
        heads = [(stream, entry) for stream in streams if (entry := stream.head) is not None]
        if len(heads) <= 1:
            return rows + [entry for stream, _ in heads for entry in stream.rest()]
        stream, _ = pick(heads, key=lambda head: sort_key(head[1], order.field))
        rows.append(stream.take())
    return rows


MAX_EMPTY = 20
"""Pages in a row that are asked for when nothing of one may be shown: an empty page looks like no progress."""

FetchPage: TypeAlias = Callable[[Query, str, Position, int], Awaitable[RegionPage]]
"""Gives at most so many records from a place of a region on."""
Regions: TypeAlias = tuple[tuple[str, ...], tuple[StorageError, ...]]
"""The names of all regions, and what that list lacks."""


class PrefetchingSearch:
    """Reads on through one result.

    A page carries where the next one starts, so that a result can be read on by another search, or after an error by
    the same one. Whoever is done with it calls `close`.
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
        self._streams: list[RegionStream] | None = None
        self._cursor: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def page(self, cursor: str | None = None) -> Page[StoredObject]:
        """The rows from `cursor` on, in order."""
        failures: list[StorageError] = []
        if self._streams is None or cursor != self._cursor:
            self.close()
            starts, lost = await self._starts(cursor)
            self._streams, self._cursor = [self._stream(region, at) for region, at in starts.items()], cursor
            failures += lost
        rows: list[StoredObject] = []
        for _round in range(MAX_EMPTY):
            self._streams, failed = await self._filled(self._streams)
            rows = merged(self._streams, self._order)
            failures += [*failed, *self._unreadable(self._streams), *self._unsettled(self._streams)]
            if rows or all(stream.is_over for stream in self._streams):
                break
        self._cursor = _packed(self._streams)
        self._ask(self._streams)
        return Page(
            tuple(rows),
            self._cursor,
            left=_left(self._streams),
            failures=distinct(failures),
            unmatched=sum(map(self._contradicts, rows)),
            overlaps=any(stream.begins_anew for stream in self._streams),
        )

    def close(self) -> None:
        """Give up the pages that are on their way."""
        for stream in self._streams or ():
            stream.stop()
        self._streams = None
        if self._asking is not None:
            self._asking.cancel()

    def _ask(self, streams: list[RegionStream]) -> None:
        """Find out how much is left, one question at a time, so that the rows are not kept waiting."""
        if not self._ahead or (self._asking is not None and not self._asking.done()):
            return
        vague = next(
            (stream for stream in streams if not stream.is_over and stream.extent.is_vague(stream.passed)), None
        )
        if vague is not None:
            self._asking = asyncio.ensure_future(vague.extent.ask(vague.passed))

    async def _filled(self, streams: list[RegionStream]) -> tuple[list[RegionStream], list[StorageError]]:
        """The regions that can be read, each with its next row, and why others cannot.

        Raises:
            StorageError: none of them can, or the query or the login is refused.
        """
        going = [stream for stream in streams if not stream.is_over]
        ahead = math.ceil(self._ahead / max(len(going), 1))
        answers = await asyncio.gather(*(stream.fill(ahead) for stream in going), return_exceptions=True)
        kept: list[RegionStream] = []
        failed: list[StorageError] = []
        for stream, answer in zip(going, answers, strict=True):
            if answer is None:
                kept.append(stream)
            elif isinstance(answer, ForbiddenError | MissingError | UnavailableError):
                failed.append(answer.about(self._address(stream.region)))
            else:
                raise answer
        if failed and not kept:
            raise failed[0]
        return kept, failed

    def _unreadable(self, streams: list[RegionStream]) -> list[StorageError]:
        numbers = [(stream.region, stream.unreadable()) for stream in streams]
        return [UnreadableError(number, subject=self._address(region)) for region, number in numbers if number]

    def _unsettled(self, streams: list[RegionStream]) -> list[StorageError]:
        message = "objects come twice in this order, so others may be missing"
        hint = "Sort by createdTime, or run it once more."
        regions = [stream.region for stream in streams if stream.is_unsettled]
        return [PartialError(message, subject=self._address(region), hint=hint) for region in regions]

    def _address(self, region: str) -> str:
        return Location(self._query.location.profile, region).address

    async def _starts(self, cursor: str | None) -> tuple[dict[str, Position], tuple[StorageError, ...]]:
        """Where to begin in each region, and what the list of regions lacks."""
        if cursor:
            return msgspec.json.decode(cursor, type=dict[str, Position]), ()
        if region := self._query.location.region:
            return {region: START}, ()
        names, lost = await self._regions()
        return dict.fromkeys(names, START), lost

    def _stream(self, region: str, at: Position) -> RegionStream:
        async def is_there(offset: int) -> bool:
            return (await self._fetch(self._query, region, Position(offset, at.bound), 1)).given > 0

        return RegionStream(
            region, at, self._order, lambda at: self._fetch(self._query, region, at, PAGE), CountEstimate(is_there)
        )


def _left(streams: list[RegionStream]) -> int | None:
    known = [left for stream in streams if (left := stream.left) is not None]
    return sum(known) if len(known) == len(streams) else None


def _packed(streams: list[RegionStream]) -> str | None:
    positions = {stream.region: at for stream in streams if (at := stream.at) is not None}
    return msgspec.json.encode(positions).decode() if positions else None

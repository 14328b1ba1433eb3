"""Paging: one answer of a listing, the walk from the first to the last, and how long that will take."""

import math
import time
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from cloudstore_tui.core.errors import StorageError, distinct

Item = TypeVar("Item")
Given = TypeVar("Given", covariant=True)

STALLED_PAGES = 3
"""Pages in a row without anything new after which a listing that does not end is given up."""

FEW = 300
"""Items up to which nothing is fetched ahead: most of it would not be wanted."""

_OTHER_COMPARISON = "the service found them, and compares numbers, texts or times in another way."


class Page(msgspec.Struct, Generic[Given], frozen=True):
    """One answer of a listing."""

    items: tuple[Given, ...]
    cursor: str | None = None
    """Where the next page starts, opaque to everybody but the provider; `None` at the end."""
    total: int | None = None
    """Number of items over all pages, where the service tells."""
    warnings: tuple[str, ...] = ()
    """Sentences about this page that a user should see and that mean no loss."""
    left: int | None = None
    """Roughly how many items come after this page, if known."""
    failures: tuple[StorageError, ...] = ()
    """What this page lacks: a region that refused, records that could not be read. Whoever reads it has to tell them,
    and they decide the exit code."""
    unmatched: int = 0
    """Rows that do not meet the filter as this program reads it. The service found them, so they are here."""
    overlaps: bool = False
    """Whether it begins before the end of the page before it on purpose."""


Fetch: TypeAlias = Callable[[str | None], Awaitable[Page[Item]]]
"""Fetches the page of a cursor, or the first one without."""
Prefetch: TypeAlias = Callable[[], AbstractAsyncContextManager[Fetch[Item]]]
"""Opens a faster way to the same pages, for a caller that wants all of them."""


class EndlessListingError(StorageError):
    """A listing that names a next page again and again without anything new."""


class Pager(Generic[Item]):
    """Walks a listing page by page and gives each item once.

    Pages of a live set overlap and shift, and a faulty service may repeat itself for ever: items seen before are
    dropped, and after `STALLED_PAGES` pages without anything new the walk ends with `EndlessListingError`.
    What was found until then stays good.
    """

    def __init__(
        self,
        fetch: Fetch[Item],
        identify: Callable[[Item], Hashable],
        subject: str = "",
        prefetch: Prefetch[Item] | None = None,
    ) -> None:
        self._fetch = fetch
        self._prefetch = prefetch
        self._identify = identify
        self._subject = subject
        self._seen = Hashes()
        self._cursor: str | None = None
        self._stalled = 0
        self.ended = False
        """Whether the last page was reached."""
        self.total: int | None = None
        """Number of items over all pages, where the service tells."""
        self.left: int | None = None
        """Roughly how many items are still to come; known only while pages are prefetched."""
        self.failures: tuple[StorageError, ...] = ()
        """What the pages until now lack, each thing once."""
        self.repeated = 0
        """Items that had come before, were not meant to come again, and were dropped."""
        self.unmatched = 0
        """Rows of the pages until now that do not meet the filter as this program reads it."""

    async def next_page(self) -> Page[Item]:
        """The next page with what is new in it; an empty one at the end.

        A page that could not be fetched can be asked for again: nothing is skipped.

        Raises:
            EndlessListingError: the service repeats itself.
            StorageError: the page could not be fetched.
        """
        if self.ended:
            return Page(())
        page = await self._fetch(self._cursor)
        new = tuple(item for item in page.items if self._is_new(item))
        self.repeated += 0 if page.overlaps else len(page.items) - len(new)
        self._stalled = 0 if new else self._stalled + 1
        self._cursor = page.cursor
        self.ended = page.cursor is None
        self.total = page.total if page.total is not None else self.total
        self.failures = distinct((*self.failures, *page.failures))
        self.unmatched += page.unmatched
        if not self.ended and self._stalled >= STALLED_PAGES:
            self.ended = True
            raise EndlessListingError(
                f"the service names a next page for ever, without anything new in the last {STALLED_PAGES}",
                subject=self._subject,
                hint="What was found until here is shown; narrow the query or tell the service's support.",
            )
        self.left = page.left
        return replace(page, items=new, warnings=(*page.warnings, *self._last_words()))

    @asynccontextmanager
    async def prefetch(self) -> AsyncIterator[None]:
        """While this lasts, pages that will be asked for soon are fetched already, where there is a way."""
        if self._prefetch is None:
            yield
            return
        usual = self._fetch
        async with self._prefetch() as self._fetch:
            try:
                yield
            finally:
                self._fetch = usual
                self.left = None

    def _last_words(self) -> tuple[str, ...]:
        if not self.ended or not self.unmatched:
            return ()
        do = "does" if self.unmatched == 1 else "do"
        return (f"{self.unmatched:,} of these {do} not meet the filter to the letter: {_OTHER_COMPARISON}",)

    def _is_new(self, item: Item) -> bool:
        return self._seen.add(hash(self._identify(item)))

    async def __aiter__(self) -> AsyncIterator[Page[Item]]:
        while not self.ended:
            yield await self.next_page()


class Hashes:
    """Many hashes in some nine bytes each, where a set takes seventy: short sorted lists, by the last bits."""

    def __init__(self) -> None:
        self._lists: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))

    def add(self, number: int) -> bool:
        """Add a hash; whether it is new."""
        known = self._lists[number & 1023]
        place = bisect_left(known, number)
        if place < len(known) and known[place] == number:
            return False
        known.insert(place, number)
        return True


BORDER = 10
"""Rows looked at for where a window of time begins: one of them may be out of order."""


def next_window(moments: Sequence[int]) -> int | None:
    """Where a window of time begins that hides none of the rows to come, after rows that come oldest first.

    `None` where the rows themselves are not in that order, whatever was asked for: a window that had begun anywhere
    among them would have hidden one that follows.
    """
    oldest_to_come = math.inf
    for place in range(len(moments) - 1, BORDER - 1, -1):
        oldest_to_come = min(oldest_to_come, moments[place])
        if oldest_to_come < min(moments[place - BORDER : place]):
            return None
    return min(moments[-BORDER:], default=None)


MINUTE = 60.0
NEAR = 0.8
"""Part of the pace from which on the pace is what limits."""


class EtaEstimator:
    """Goes by how fast rows came until now, and by the calls a minute that the profile allows."""

    def __init__(self, per_minute: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now; `per_minute` is the pace of the profile, 0 for none."""
        self._per_minute = per_minute
        self._clock = clock
        self._began = clock()
        self._pages = 0
        self.rows = 0
        """Rows that came."""
        self.left: int | None = None
        """Roughly how many rows are still to come; `None` while unknown."""

    def update(self, rows: int, left: int | None) -> None:
        """A page came."""
        self._pages += bool(rows)
        self.rows += rows
        self.left = left

    @property
    def seconds(self) -> float | None:
        """Seconds until the end; `None` while unknown."""
        passed = self._clock() - self._began
        if self.left is None or not self.rows or passed <= 0:
            return None
        rate = self.rows / passed
        if self._per_minute:
            pace = self._per_minute / MINUTE * self.rows / self._pages
            # Calls are let through in bursts with pauses between them, which only look faster or slower than the pace.
            rate = pace if rate > NEAR * pace else rate
        return self.left / rate

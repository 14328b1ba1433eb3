"""Paging: one page of a listing, the walk from the first page to the last, and an estimate of how long that takes."""

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
Item_co = TypeVar("Item_co", covariant=True)

STALLED_PAGES = 3
"""A listing that names ever more pages is given up after this many in a row without anything new."""

PREFETCH_THRESHOLD = 300
"""A caller that wants no more items than this should not prefetch: most of the pages would go unused."""

_NO_UNDATED = (
    "Objects without a creation time, if there are any, may be missing: so long a result can only be listed by time. "
    "Narrow it by something other than time to see them."
)
_OTHER_COMPARISON = "the service found them, and compares numbers, texts or times in another way."


class Page(msgspec.Struct, Generic[Item_co], frozen=True):
    """One page of a listing."""

    items: tuple[Item_co, ...]
    cursor: str | None = None
    """Where the next page starts; opaque to everyone but the provider, and `None` at the end."""
    total: int | None = None
    """Number of items over all pages, where the service reports it."""
    warnings: tuple[str, ...] = ()
    """Sentences the user should see; nothing is missing because of them."""
    left: int | None = None
    """Roughly how many items come after this page, if known."""
    failures: tuple[StorageError, ...] = ()
    """What this page lacks: a region that refused, records that could not be read. The caller must report them, and
    they decide the exit code."""
    unmatched: int = 0
    """Rows that do not match the filter as this program reads it; they are included, since the service found them."""
    overlaps: bool = False
    """Whether it deliberately repeats the end of the page before it."""
    skips_undated: bool = False
    """Whether objects without a creation time, which the filter allows, cannot be on it or on the pages after it."""


Fetch: TypeAlias = Callable[[str | None], Awaitable[Page[Item]]]
"""Fetches the page at a cursor, or the first page for `None`."""
Prefetch: TypeAlias = Callable[[], AbstractAsyncContextManager[Fetch[Item]]]
"""Opens a faster way to fetch the same pages, for callers that want all of them."""


class EndlessListingError(StorageError):
    """A listing that keeps naming a next page without anything new."""


class Pager(Generic[Item]):
    """Walks a listing page by page and yields each item once.

    Pages of a live set overlap and shift, and a faulty service may repeat itself forever: items seen before are
    dropped, and after `STALLED_PAGES` pages without anything new the walk ends with `EndlessListingError`.
    What was found until then remains valid.
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
        self._seen = HashSet()
        self._cursor: str | None = None
        self._stalled = 0
        self._skipped_undated = False
        self.ended = False
        """Whether the last page was reached."""
        self.total: int | None = None
        """Number of items over all pages, where the service reports it."""
        self.left: int | None = None
        """Roughly how many items are still to come; known only while prefetching."""
        self.failures: tuple[StorageError, ...] = ()
        """What the pages so far lack, without repetitions."""
        self.repeated = 0
        """Items that came again unexpectedly and were dropped."""
        self.unmatched = 0
        """Rows so far that do not match the filter as this program reads it."""

    async def next_page(self) -> Page[Item]:
        """The next page, reduced to the items not seen before; an empty one at the end.

        After an error it can be called again: no page is skipped.

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
        # Without anything new, it only confirms that the page before it was the last one.
        self._skipped_undated |= page.skips_undated and bool(new)
        if not self.ended and self._stalled >= STALLED_PAGES:
            self.ended = True
            raise EndlessListingError(
                f"the service keeps naming a next page, without anything new in the last {STALLED_PAGES}",
                subject=self._subject,
                hint="What was found so far is shown; narrow the query or tell the service's support.",
            )
        self.left = page.left
        return replace(page, items=new, warnings=(*page.warnings, *self._closing_warnings()))

    @asynccontextmanager
    async def prefetch(self) -> AsyncIterator[None]:
        """Fetch pages before they are asked for, where the provider can."""
        if self._prefetch is None:
            yield
            return
        one_by_one = self._fetch
        async with self._prefetch() as self._fetch:
            try:
                yield
            finally:
                self._fetch = one_by_one
                self.left = None

    def _closing_warnings(self) -> tuple[str, ...]:
        if not self.ended:
            return ()
        warnings = (_NO_UNDATED,) if self._skipped_undated else ()
        if not self.unmatched:
            return warnings
        do = "does" if self.unmatched == 1 else "do"
        return (f"{self.unmatched:,} of these {do} not meet the filter to the letter: {_OTHER_COMPARISON}", *warnings)

    def _is_new(self, item: Item) -> bool:
        return self._seen.add(hash(self._identify(item)))

    async def __aiter__(self) -> AsyncIterator[Page[Item]]:
        while not self.ended:
            yield await self.next_page()


class HashSet:
    """A set of hashes at about nine bytes each (`set` takes seventy): short sorted arrays, keyed by the low bits."""

    def __init__(self) -> None:
        self._buckets: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))

    def add(self, number: int) -> bool:
        """Add a hash; return whether it is new."""
        bucket = self._buckets[number & 1023]
        index = bisect_left(bucket, number)
        if index < len(bucket) and bucket[index] == number:
            return False
        bucket.insert(index, number)
        return True


MAX_DISORDER = 10
"""Rows by which a service's order by time may be off; a window of time starts this many rows early."""


def next_window_start(times: Sequence[int]) -> int | None:
    """Where the next window of time has to start so that it hides none of the rows that follow these.

    `times` are those of rows listed oldest first. `None` where they are not in that order after all: a window started
    anywhere among them would have hidden a later row.
    """
    oldest_to_come = math.inf
    for index in range(len(times) - 1, MAX_DISORDER - 1, -1):
        oldest_to_come = min(oldest_to_come, times[index])
        if oldest_to_come < min(times[index - MAX_DISORDER : index]):
            return None
    return min(times[-MAX_DISORDER:], default=None)


THROTTLED_RATIO = 0.8
"""Rows that come at more than this part of the profile's limit are taken to be held back by it."""


class EtaEstimator:
    """Estimates when a listing ends, from how fast rows came so far and the calls a minute that the profile allows."""

    def __init__(self, per_minute: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock; `per_minute` is the profile's limit, 0 for none."""
        self._per_minute = per_minute
        self._clock = clock
        self._started = clock()
        self._pages = 0
        self.rows = 0
        """Rows that came."""
        self.left: int | None = None
        """Roughly how many rows are still to come; `None` while unknown."""

    def update(self, rows: int, left: int | None) -> None:
        """Count a page."""
        self._pages += bool(rows)
        self.rows += rows
        self.left = left

    @property
    def seconds(self) -> float | None:
        """Seconds until the end; `None` while unknown."""
        elapsed = self._clock() - self._started
        if self.left is None or not self.rows or elapsed <= 0:
            return None
        rate = self.rows / elapsed
        if self._per_minute:
            limit = self._per_minute / 60 * self.rows / self._pages
            # Calls go out in bursts with pauses between them, so the rate measured swings around the limit.
            rate = limit if rate > THROTTLED_RATIO * limit else rate
        return self.left / rate

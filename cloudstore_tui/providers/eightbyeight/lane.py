"""The result of one region, read on page by page, or several pages at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from cloudstore_tui.core.models import Sort, StoredObject
from cloudstore_tui.providers.eightbyeight.extent import Extent
from cloudstore_tui.providers.eightbyeight.position import PAGE, At
from cloudstore_tui.providers.eightbyeight.slice import Slice


class _Coming(NamedTuple):
    at: At
    page: asyncio.Task[Slice]


class Lane:
    """Holds the page that is being taken from, and the pages after it that are on their way.

    Where a page starts is only known for certain when the one before it is there. Until then it is guessed, and a guess
    that turns out wrong is thrown away, so that nothing is ever skipped.
    """

    def __init__(
        self, region: str, at: At, order: Sort, fetch: Callable[[At], Awaitable[Slice]], extent: Extent
    ) -> None:
        self.region = region
        self._start = at
        self._order = order
        self._fetch = fetch
        self._present: Slice | None = None
        self._taken = 0
        self._told = 0
        self._coming: deque[_Coming] = deque()
        self._depth = 0
        self._stride = PAGE
        self.passed = at.offset
        """Records of the service up to the end of the page that is being taken from, from its first window on."""
        self.extent = extent

    @property
    def at(self) -> At | None:
        """Where to go on after what was taken; `None` at the end."""
        return self._present.after(self._taken) if self._present is not None else self._start

    @property
    def head(self) -> StoredObject | None:
        """The next row, if it is there."""
        present = self._present
        return present.entries[self._taken] if present is not None and self._taken < len(present.entries) else None

    @property
    def is_dry(self) -> bool:
        """Whether the next row has to be fetched before anybody knows what it is."""
        return self.head is None and self.at is not None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing any more to be taken."""
        return self.at is None

    @property
    def left(self) -> int | None:
        """Roughly how many rows are still to be taken; `None` while nobody knows."""
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
        number = sum(self._told <= position < here for position in present.unreadable)
        self._told = here
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
        if not self._coming or self._coming[0].at != at:
            self.stop()
            self._begin(at)
        self._look_ahead(min(self._depth, ahead))
        try:
            present = await self._coming[0].page
        except BaseException:
            self.stop()
            raise
        self._coming.popleft()
        self._present, self._taken, self._told = present, 0, 0
        self.passed += present.given
        self._learn(present)
        # A short result is not worth guessing at, so it begins with one page.
        self._depth = max(2 * self._depth, 1)
        self._look_ahead(min(self._depth, ahead))

    def stop(self) -> None:
        """Give up the pages that are on their way."""
        for coming in self._coming:
            coming.page.cancel()
        self._coming.clear()

    def _learn(self, present: Slice) -> None:
        following = present.next
        if following is not None and following.bound == present.at.bound and following.offset > present.at.offset:
            self._stride = following.offset - present.at.offset

    def _look_ahead(self, depth: int) -> None:
        if not self._coming:
            if self._present is None or self._present.next is None or not depth:
                return
            self._begin(self._present.next)
        at: At | None = self._coming[-1].at
        while at is not None and len(self._coming) < depth and not self._sees_the_end():
            at = at.guessed(self._stride, self._order)
            if at is not None:
                self._begin(at)

    def _sees_the_end(self) -> bool:
        return any(coming.page.done() and _is_last(coming.page) for coming in self._coming)

    def _begin(self, at: At) -> None:
        task = asyncio.ensure_future(self._fetch(at))
        task.add_done_callback(self._came)
        self._coming.append(_Coming(at, task))

    def _came(self, page: asyncio.Task[Slice]) -> None:
        """Do not ask for what lies beyond the end."""
        if not _is_last(page) or all(coming.page is not page for coming in self._coming):
            return
        while self._coming[-1].page is not page:
            self._coming.pop().page.cancel()


def _is_last(page: asyncio.Task[Slice]) -> bool:
    # Asking for the exception also keeps asyncio from reporting one that nobody waits for.
    return not page.cancelled() and page.exception() is None and page.result().next is None

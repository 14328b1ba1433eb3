"""Reading on, and reading again, when the user asks for it."""

import asyncio

from textual.screen import Screen

from cloudstore_tui.core.paging import EtaEstimator
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.report import tell

MOST_MARKED = 100_000
"""Rows up to which everything that matches is read to be marked."""

_LOOKS = 0.25
"""Seconds between two looks at how far it is."""


class ReadAgainFlow(Flow):
    """Reads again what is shown."""

    opens = False

    async def run(self) -> None:
        """Cursor, marks, filter and order stay."""
        self.listing.read_again()


class ReadAllFlow(Flow):
    """Reads all that is left."""

    opens = False

    @property
    def is_possible(self) -> bool:
        """Only while there is more."""
        reading = self.listing.reading
        return super().is_possible and reading is not None and not reading.pager.ended

    async def run(self) -> None:
        """Counts up in the foot line; Escape stops it."""
        if (reading := self.listing.reading) is not None:
            await self._read_all(reading)

    async def _read_all(self, reading: Reading, most: int = 0, doing: str = "") -> None:
        """Read what is left, several pages at once, or until `most` rows are there; say how long it will take."""
        eta, pager = EtaEstimator(reading.provider.profile.requests_per_minute), reading.pager
        fetched = reading.fetched
        async with pager.prefetch():
            self.listing.read_on(everything=True)
            await asyncio.sleep(_LOOKS)
            try:
                while self.listing.is_busy and reading is self.listing.reading and pager is reading.pager:
                    eta.update(reading.fetched - fetched - eta.rows, pager.left)
                    self.listing.say(" · ".join(part for part in (doing, _to_come(eta, reading)) if part))
                    if most and reading.store.loaded >= most:
                        self.listing.stop()
                    await asyncio.sleep(_LOOKS)
            finally:
                self.listing.say("")


class MarkMatchingFlow(ReadAllFlow):
    """Marks everything that matches, also what is not loaded yet."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, pane: EntriesPane) -> None:
        super().__init__(screen, listing)
        self._pane = pane

    @property
    def is_possible(self) -> bool:
        """Wherever there are rows."""
        reading = self.listing.reading
        return reading is not None and reading.store.loaded > 0

    async def run(self) -> None:
        """Read what is left, then mark it; if that is stopped, nothing is marked."""
        reading = self.listing.reading
        if reading is None:
            return
        if not reading.pager.ended:
            await self._read_all(reading, MOST_MARKED, "marking all matches…")
        if reading is not self.listing.reading:
            return
        if reading.pager.ended and not reading.error:
            await self._mark(reading)
        elif reading.store.loaded >= MOST_MARKED:
            much = f"More than {MOST_MARKED:,} rows match: none of them was marked. Narrow the query."
            tell(self.screen, much, "warning")
        else:
            tell(self.screen, "Not all that matches was read: nothing was marked.", "warning")

    async def _mark(self, reading: Reading) -> None:
        while reading.store.stale:
            # Until a filter has found its rows.
            await reading.store.settle()
            await asyncio.sleep(0)
        self._pane.table.action_marks("all")
        marks = reading.store.selection
        size = f" ({words.size(marks.size, exact=marks.size_exact)})" if marks.size else ""
        which = "matches that hold the text" if reading.store.filtered_by else "matches"
        lacks = f" {reading.lacking[:1].upper()}{reading.lacking[1:]}." if reading.lacking else ""
        said = f"Marked all {marks.count:,} {which}{size}.{lacks}"
        tell(self.screen, said, "warning" if lacks else "information")


def _to_come(eta: EtaEstimator, reading: Reading) -> str:
    """How many rows, how large their objects are by those that came, and how long reading the rows takes."""
    if eta.left is None:
        return ""
    known, size = reading.store.sizes
    guess = f" of roughly {words.size(round(eta.left * size / known))}" if known and size else ""
    return f"about {eta.left:,} to come{guess}, {words.time_left(eta.seconds) or 'soon'}"

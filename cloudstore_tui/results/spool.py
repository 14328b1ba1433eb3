"""The rows of a list, on disk, with what the user marked among them."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cloudstore_tui.core.columns import Column
from cloudstore_tui.core.entry import Entry
from cloudstore_tui.results.arrangement import Arrangement
from cloudstore_tui.results.marks import MarkedRows, Marks


class Spool(Arrangement):
    """Entries fetched so far: arranged, read in windows, and marked.

    A mark belongs to the entry, wherever it is shown and whether it is. Use it from one thread, the event loop's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._marked = MarkedRows()
        super().__init__(folder)

    @property
    def marks(self) -> Marks:
        """How much is marked, also of what the filter hides."""
        return self._marked.summary(self._sizes)

    @property
    def sizes(self) -> tuple[int, int]:
        """How many of the loaded objects tell their size, and how large these are together."""
        return self._sizes.known

    def is_marked(self, index: int) -> bool:
        """Whether the entry shown at `index` is marked."""
        return index < len(self._shown) and self._shown[index] in self._marked

    def marked(self, limit: int | None = None) -> list[Entry]:
        """The marked entries in the order in which they came, at most `limit`."""
        return self._store.read(self._marked.numbers()[:limit])

    def mark(self, identities: Iterable[str], on: bool = True) -> None:
        """Mark or unmark entries, shown or not; unknown ones are passed over."""
        self._marked.set(self._store.find(identities), on=on)

    def mark_range(self, first: int, last: int, on: bool = True) -> None:
        """Mark or unmark the entries shown from `first` to `last`, both included."""
        self._marked.set(self._shown[first : last + 1], on=on)

    def toggle(self, index: int) -> None:
        """Mark the entry shown at `index`, or unmark it."""
        self.mark_range(index, index, not self.is_marked(index))

    def mark_all(self) -> None:
        """Mark everything that is shown."""
        self._marked.set(self._shown, on=True)

    def invert(self) -> None:
        """Mark what is shown and not marked, unmark what is shown and marked."""
        marked = [number for number in self._shown if number in self._marked]
        self._marked.set(self._shown, on=True)
        self._marked.set(marked, on=False)

    def clear_marks(self) -> None:
        """Unmark everything, also what the filter hides."""
        self._marked.clear()

    async def tally(self, column: Column, limit: int) -> list[tuple[str, int]]:
        """The most frequent values of a column among the shown objects, each with how often it is there."""
        while not self._store.closed:
            found = await asyncio.to_thread(self._store.tally, self.filtered_by, column, limit)
            # Sorting comes first, and interrupts what else is going on.
            if found is not None:
                return found
        return []

    async def tally_times(self, span: int) -> Counter[int]:
        """How many of the shown entries are of each span of `span` seconds, by its number since the epoch."""
        shown, moments = self._shown[:], self._sizes.moments[:]
        return await asyncio.to_thread(_spans, shown, moments, span)

    def clear(self) -> None:
        """Forget everything; filter and sort stay as they are."""
        super().clear()
        self._marked.clear()

    def _drop(self, gone: set[int]) -> None:
        super()._drop(gone)
        self._marked.set(gone, on=False)


def _spans(shown: "array[int]", moments: "array[int]", span: int) -> Counter[int]:
    return Counter(moments[number] // span for number in shown if moments[number])

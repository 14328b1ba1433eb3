"""The rows of a list: stored on disk, filtered and sorted with folders first, read in windows, and marked."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path

import msgspec

from cloudstore_tui.core.models import Column, Entry, StoredObject
from cloudstore_tui.results.database import DisplayText, RowDatabase, RowInfo


class Sizes:
    """Size and time of every row by its number, in 17 bytes, so that selections are added up without reading them."""

    def __init__(self) -> None:
        self.bytes = array("q")
        """0 where unknown."""
        self.rounded = bytearray()
        """1 where the size is unknown or not exact."""
        self.timestamps = array("q")
        """Epoch seconds; 0 where unknown."""
        self.span = (0, 0)
        """The oldest and the newest timestamp so far; 0 if there is none."""
        self.version = 0
        """Changes with every update."""

    @property
    def totals(self) -> tuple[int, int]:
        """The number of rows of known size, and the sum of these sizes."""
        return len(self.bytes) - self.bytes.count(0), sum(self.bytes)

    def update(self, rows: Sequence[RowInfo]) -> None:
        """Take over the values of rows that are new or have changed."""
        self.version += 1
        sizes, rounded, timestamps = self.bytes, self.rounded, self.timestamps
        for row in rows:
            number = row.number
            if number >= len(sizes):
                # Numbers are skipped where entries turn out to be stored already.
                missing = number + 1 - len(sizes)
                sizes.extend([0] * missing)
                rounded.extend(bytes(missing))
                timestamps.extend([0] * missing)
            sizes[number], rounded[number], timestamps[number] = row.size, row.rounded, row.timestamp
        times = [row.timestamp for row in rows if row.timestamp]
        if times:
            first, last = self.span
            self.span = (min(first or times[0], *times), max(last, *times))


class Selection(msgspec.Struct, frozen=True):
    """A summary of what is marked."""

    count: int = 0
    size: int = 0
    """Bytes of all marked objects of known size."""
    size_exact: bool = True
    """False if a size among them is rounded or unknown."""
    first: int = 0
    """The time of the oldest, in epoch seconds; 0 if no time is known."""
    last: int = 0
    """The time of the newest."""


class MarkedRows:
    """One byte per row: marks survive sorting, filtering and refreshing."""

    def __init__(self) -> None:
        self._flags = bytearray()
        self._cleared = bytearray()
        """The flags before the last `clear`."""
        self.version = 0
        """Changes whenever a row is marked or unmarked."""

    def __contains__(self, number: int) -> bool:
        return number < len(self._flags) and self._flags[number] == 1

    def numbers(self) -> list[int]:
        """The marked rows in order of arrival."""
        return list(compress(range(len(self._flags)), self._flags))

    def set(self, numbers: Iterable[int], *, on: bool) -> None:
        """Mark or unmark rows."""
        self.version += 1
        flags = self._flags
        for number in numbers:
            if number >= len(flags):
                flags.extend(bytes(number - len(flags) + 1024))
            flags[number] = on
            if not on and number < len(self._cleared):
                self._cleared[number] = False

    def clear(self) -> None:
        """Unmark all rows."""
        if any(self._flags):
            self._cleared = self._flags
        self.version += 1
        self._flags = bytearray()

    def restore(self) -> None:
        """Undo the last `clear`."""
        cleared, self._cleared = self._cleared, bytearray()
        self.set(compress(range(len(cleared)), cleared), on=True)

    def summary(self, sizes: Sizes) -> Selection:
        """Number, size and times of the marked rows."""
        flags = self._flags
        size, exact = sum(compress(sizes.bytes, flags)), not any(compress(sizes.rounded, flags))
        timestamps = [timestamp for timestamp in compress(sizes.timestamps, flags) if timestamp]
        return Selection(flags.count(1), size, exact, min(timestamps, default=0), max(timestamps, default=0))


MAX_SORTED_DIRECTLY = 10_000
"""Rows up to which sorting and filtering happen at once, in about a frame; more are left to a thread."""


class InsertionOrder:
    """Row numbers in order of arrival, folders before objects."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self.folders = 0
        """Number of folders, which come first."""

    def add(self, rows: Iterable[RowInfo]) -> bool:
        """Add rows after the others of their kind; false if that moved rows that were there."""
        folders, objects = array("I"), array("I")
        for row in rows:
            (folders if row.is_folder else objects).append(row.number)
        in_place = not folders or self.folders == len(self.numbers)
        self.numbers[self.folders : self.folders] = folders
        self.folders += len(folders)
        self.numbers.extend(objects)
        return in_place

    def remove(self, gone: set[int]) -> None:
        """Remove rows."""
        self.folders -= sum(number in gone for number in self.numbers[: self.folders])
        self.numbers = array("I", [number for number in self.numbers if number not in gone])

    def replace(self, seen: Mapping[int, bool]) -> None:
        """Replace all rows by these, each with whether it is a folder."""
        self.numbers = array("I", [number for number, is_folder in seen.items() if is_folder])
        self.folders = len(self.numbers)
        self.numbers.extend([number for number, is_folder in seen.items() if not is_folder])


class RowStore:
    """The entries fetched so far, and the view of them: filtered, sorted, and read in windows.

    In memory are only row numbers, sizes, times and marks. With many rows, `sort` and `filter` only set `stale`, and
    `settle` does the work in a thread; until then the view stays as it was.

    Marks belong to entries, whether these are in the view or not. For the thread of the event loop only.
    """

    def __init__(self, folder: Path | None = None, shown: DisplayText | None = None) -> None:
        self._database = RowDatabase(folder, shown)
        self.filtered_by = ""
        """The filter text, as the user typed it."""
        self.sorted_by: tuple[Column | None, bool] = (None, False)
        """Column, and whether descending; `None` for the order of arrival."""
        self._is_arranged = False
        self._version = 0
        self._arrived: array[int] | None = None
        self._seen: dict[int, bool] | None = None
        self._marked = MarkedRows()
        self._summary_versions = (-1, -1)
        """Versions of marks and sizes that `_summary` is of: adding up a hundred thousand marks takes a while."""
        self._summary = Selection()
        self.clear()

    # Reading

    def __len__(self) -> int:
        """Number of rows in the view."""
        return len(self._view)

    @property
    def loaded(self) -> int:
        """Number of all rows, including those that the filter hides."""
        return len(self._order.numbers)

    @property
    def folders(self) -> int:
        """Number of folders among all rows."""
        return self._order.folders

    @property
    def span(self) -> tuple[int, int]:
        """Times of the oldest and the newest of all rows, in epoch seconds; 0 if unknown."""
        return self._sizes.span

    @property
    def stale(self) -> bool:
        """Whether the view is out of date until `settle` has run."""
        return self._dirty or self._arrived is not None

    def window(self, first: int, count: int) -> list[Entry]:
        """The entries of the view from `first` on, at most `count`."""
        return self._database.read(self._view[max(first, 0) : max(first + count, 0)])

    def of_call(self, entry: Entry) -> list[Entry]:
        """The rows of the same call as an entry, including itself, whether in the view or not."""
        return self._database.of_call(entry)

    def rows_with_person(self, entries: Iterable[Entry]) -> dict[str, StoredObject]:
        """By identity, for each entry that does not name the person of its call: a row of that call that does."""
        return self._database.rows_with_person(entries)

    def at(self, index: int) -> Entry:
        """One entry of the view."""
        return self._database.read([self._view[index]])[0]

    def index_of(self, identity: str) -> int | None:
        """The index of an entry in the view."""
        found = self._database.find([identity])
        try:
            return self._view.index(found[0]) if found else None
        except ValueError:
            return None

    # Adding and removing

    def extend(self, entries: Iterable[Entry]) -> int:
        """Append one page of at most a thousand or so entries, except those that are here already.

        Returns:
            The number of new entries.
        """
        return self._take(self._database.add(entries, filter_text=self.filtered_by))

    def merge(self, entries: Iterable[Entry]) -> int:
        """Add one page of entries that may be here already; these are replaced in place and keep their marks.

        Returns:
            The number of new entries.
        """
        seen = self._seen
        rows = self._database.add(entries, filter_text=self.filtered_by, update=True, reorder=seen is not None)
        if seen is not None:
            for row in rows:
                # If a page repeats a row, it moves to the end, as on disk.
                seen.pop(row.number, None)
                seen[row.number] = row.is_folder
        new = self._take(rows)
        self._sizes.update(rows)
        if new < len(rows):
            # An updated row may no longer match the filter, or belong elsewhere.
            self._arrange()
        return new

    @contextmanager
    def refresh(self) -> Iterator[None]:
        """Read everything again with `merge` inside the block; rows that were not merged are removed at its end.

        The order of the rows becomes that of the merges. If the block raises, as when the user stops it, no row is
        removed.
        """
        seen: dict[int, bool] = {}
        self._seen = seen
        try:
            yield
            if self._seen is seen:
                gone = {number for number in self._order.numbers if number not in seen}
                self._order.replace(seen)
                self._drop(gone)
        finally:
            if self._seen is seen:
                self._seen = None

    def remove(self, identities: Iterable[str]) -> int:
        """Remove entries.

        Returns:
            How many there were.
        """
        gone = set(self._database.find(identities))
        self._order.remove(gone)
        self._drop(gone)
        return len(gone)

    def clear(self) -> None:
        """Remove all rows; filter and sort order stay."""
        self._supersede()
        self._database.clear()
        self._order = InsertionOrder()
        self._view = array("I")
        self._sizes = Sizes()
        self._dirty = False
        self._seen = None
        self._marked.clear()

    def close(self) -> None:
        """Free the disk space."""
        self._database.close()

    # Filtering and sorting

    def filter(self, text: str) -> None:
        """Show only entries whose name, tags or display text contain `text`, ignoring case; all if it is empty."""
        if text != self.filtered_by:
            self.filtered_by = text
            self._supersede()
            self._arrange()

    def sort(self, column: Column | None, descending: bool = False) -> None:
        """Show entries in the order of a column, unknown values last; `None` for the order of arrival."""
        if (column, descending) != self.sorted_by:
            self.sorted_by = (column, descending)
            self._supersede()
            self._arrange()

    async def settle(self) -> None:
        """Apply the last `sort` and `filter`, if that is still to be done, without blocking the event loop.

        To be called again while `stale`: rows may have arrived meanwhile, or the filter changed.
        """
        if not self._dirty or self._arrived is not None:
            return
        version, arrived = self._version, array("I")
        self._dirty, self._arrived = False, arrived
        view: array[int] | None = None
        try:
            view = await asyncio.to_thread(
                self._database.sorted_numbers, self.filtered_by, *self.sorted_by, self._database.last
            )
        except asyncio.CancelledError:
            self._database.interrupt()
            raise
        finally:
            if self._arrived is arrived:
                self._arrived = None
                self._dirty = not self._database.closed and (self._dirty or view is None)
        if view is not None and version == self._version:
            self._view = view + arrived

    # Marking and counting

    @property
    def selection(self) -> Selection:
        """What is marked, including rows that the filter hides."""
        state = (self._marked.version, self._sizes.version)
        if state != self._summary_versions:
            self._summary_versions, self._summary = state, self._marked.summary(self._sizes)
        return self._summary

    @property
    def sizes(self) -> tuple[int, int]:
        """The number of loaded objects of known size, and the sum of these sizes."""
        return self._sizes.totals

    @property
    def sizes_exact(self) -> bool:
        """Whether the sizes of all loaded objects are known to the byte."""
        return self._sizes.rounded.count(1) <= self.folders

    def is_marked(self, index: int) -> bool:
        """Whether the entry at an index of the view is marked."""
        return index < len(self._view) and self._view[index] in self._marked

    def marked(self, limit: int | None = None) -> list[Entry]:
        """The marked entries in order of arrival, at most `limit`."""
        return self._database.read(self._marked.numbers()[:limit])

    def mark(self, identities: Iterable[str], on: bool = True) -> None:
        """Mark or unmark entries, in the view or not; unknown ones are ignored."""
        self._marked.set(self._database.find(identities), on=on)

    def mark_range(self, first: int, last: int, on: bool = True) -> None:
        """Mark or unmark the entries of the view from `first` to `last`, both included."""
        self._marked.set(self._view[first : last + 1], on=on)

    def toggle(self, index: int) -> None:
        """Mark the entry at an index of the view, or unmark it."""
        self.mark_range(index, index, not self.is_marked(index))

    def mark_all(self) -> None:
        """Mark everything in the view."""
        self._marked.set(self._view, on=True)

    def invert(self) -> None:
        """Invert the marks in the view."""
        marked = [number for number in self._view if number in self._marked]
        self._marked.set(self._view, on=True)
        self._marked.set(marked, on=False)

    def clear_marks(self) -> None:
        """Unmark everything, including what the filter hides."""
        self._marked.clear()

    def restore_marks(self) -> None:
        """Undo the last `clear_marks`."""
        self._marked.restore()

    async def tally(self, column: Column, limit: int) -> list[tuple[str, int]]:
        """The most frequent values of a column among the objects in the view, each with its count."""
        while not self._database.closed:
            found = await asyncio.to_thread(self._database.tally, self.filtered_by, column, limit)
            # Sorting takes precedence, and interrupts a tally.
            if found is not None:
                return found
        return []

    async def tally_times(self, span: int) -> Counter[int]:
        """The number of entries in the view for each interval of `span` seconds since the epoch, by its number."""
        view, timestamps = self._view[:], self._sizes.timestamps[:]
        return await asyncio.to_thread(
            lambda: Counter(timestamps[number] // span for number in view if timestamps[number])
        )

    # Internals

    def _take(self, rows: list[RowInfo]) -> int:
        new = sorted((row for row in rows if row.is_new), key=lambda row: not row.is_folder)
        self._sizes.update(new)
        in_place = self._order.add(new)
        if not self._is_arranged:
            self._view = self._order.numbers
        elif view := [row.number for row in new if row.matches]:
            self._view.extend(view)
            if self._arrived is not None:
                self._arrived.extend(view)
            if self.sorted_by[0] is not None or not in_place:
                self._arrange()
        return len(new)

    def _drop(self, gone: set[int]) -> None:
        self._supersede()
        self._database.delete(gone)
        for number in gone:
            if self._seen is not None:
                self._seen.pop(number, None)
        self._view = array("I", [number for number in self._view if number not in gone])
        self._arrange()
        self._marked.set(gone, on=False)

    def _supersede(self) -> None:
        # Whatever the thread returns from here on belongs to an outdated sort or filter.
        self._version += 1
        self._arrived = None
        self._database.interrupt()

    def _arrange(self) -> None:
        self._is_arranged = bool(self.filtered_by) or self.sorted_by[0] is not None
        if not self._is_arranged:
            self._view, self._dirty = self._order.numbers, False
            return
        view = None
        if self.loaded <= MAX_SORTED_DIRECTLY:
            view = self._database.sorted_numbers(self.filtered_by, *self.sorted_by, self._database.last)
        self._dirty = view is None
        if view is not None:
            self._view = view
        elif self._view is self._order.numbers:
            # The view stays as it is while the order of arrival grows.
            self._view = self._view[:]

"""The rows of a list: kept on disk, shown filtered and sorted with folders first, read in windows, and marked."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from pathlib import Path

import msgspec

from cloudstore_tui.core.models import Column, Entry, StoredObject
from cloudstore_tui.results.database import RowDatabase, RowFacts, Shown


class Sizes:
    """Seventeen bytes per row, by row number, so that what is marked can be added up without reading it."""

    def __init__(self) -> None:
        self.bytes = array("q")
        """0 where unknown."""
        self.rounded = bytearray()
        """1 where the size is not exact or not known."""
        self.moments = array("q")
        """Seconds of the epoch; 0 where unknown."""
        self.span = (0, 0)
        """The oldest and the newest of them that ever came; 0 where none is known."""
        self.version = 0
        """Another number whenever something is noted."""

    @property
    def known(self) -> tuple[int, int]:
        """How many rows tell their size, and the sum of these."""
        return len(self.bytes) - self.bytes.count(0), sum(self.bytes)

    def note(self, rows: Sequence[RowFacts]) -> None:
        """Keep the sizes of new rows, or of rows that changed."""
        self.version += 1
        sizes, rounded, moments = self.bytes, self.rounded, self.moments
        for row in rows:
            number = row.number
            if number >= len(sizes):
                # Numbers given to entries that turned out to be known are never used.
                missing = number + 1 - len(sizes)
                sizes.extend([0] * missing)
                rounded.extend(bytes(missing))
                moments.extend([0] * missing)
            sizes[number], rounded[number], moments[number] = row.size, row.rounded, row.moment
        known = [row.moment for row in rows if row.moment]
        if known:
            first, last = self.span
            self.span = (min(first or known[0], *known), max(last, *known))


class Selection(msgspec.Struct, frozen=True):
    """What is marked, in one line."""

    count: int = 0
    size: int = 0
    """Bytes of all marked objects whose size is known."""
    size_exact: bool = True
    """False if a size among them is rounded or not known."""
    first: int = 0
    """When the oldest of them was made, in seconds of the epoch; 0 if that is not known of any."""
    last: int = 0
    """When the newest was."""


class MarkedRows:
    """One byte per row: marks survive sorting, filtering and reading again."""

    def __init__(self) -> None:
        self._flags = bytearray()
        self._dropped = bytearray()
        """The flags before all of them were taken away."""
        self.version = 0
        """Another number whenever something is marked or unmarked."""

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
            if not on and number < len(self._dropped):
                self._dropped[number] = False

    def clear(self) -> None:
        """Unmark all rows."""
        if any(self._flags):
            self._dropped = self._flags
        self.version += 1
        self._flags = bytearray()

    def bring_back(self) -> None:
        """Mark again what was unmarked at once."""
        dropped, self._dropped = self._dropped, bytearray()
        self.set(compress(range(len(dropped)), dropped), on=True)

    def summary(self, sizes: Sizes) -> Selection:
        """What is marked, how large it is, and of when."""
        flags = self._flags
        size, exact = sum(compress(sizes.bytes, flags)), not any(compress(sizes.rounded, flags))
        moments = [moment for moment in compress(sizes.moments, flags) if moment]
        return Selection(flags.count(1), size, exact, min(moments, default=0), max(moments, default=0))


MAX_SORTED_DIRECTLY = 10_000
"""Rows up to which sorting and filtering is done in the call, in about a frame; more go to a thread."""


class InsertionOrder:
    """Row numbers: first those of folders, then those of objects, each in order of arrival."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self.folders = 0
        """How many of them are of folders."""

    def add(self, rows: Iterable[RowFacts]) -> bool:
        """Add rows to the end of their kind; whether all of them are at the very end."""
        folders, objects = array("I"), array("I")
        for row in rows:
            (folders if row.is_folder else objects).append(row.number)
        in_place = not folders or self.folders == len(self.numbers)
        self.numbers[self.folders : self.folders] = folders
        self.folders += len(folders)
        self.numbers.extend(objects)
        return in_place

    def remove(self, gone: set[int]) -> None:
        """Forget rows."""
        self.folders -= sum(number in gone for number in self.numbers[: self.folders])
        self.numbers = array("I", [number for number in self.numbers if number not in gone])

    def replace(self, seen: Mapping[int, bool]) -> None:
        """Take over another order of rows, each with whether it is a folder."""
        self.numbers = array("I", [number for number, is_folder in seen.items() if is_folder])
        self.folders = len(self.numbers)
        self.numbers.extend([number for number, is_folder in seen.items() if not is_folder])


class RowStore:
    """The entries fetched so far: which are shown in which order, read in windows, and marked.

    In memory there are only row numbers, sizes and marks. `sort` and `filter` of many rows say what is wanted and set
    `stale`; `settle` does it in a thread while everything else goes on, and what was shown before stays until then.

    A mark belongs to the entry, wherever it is shown and whether it is. Use it from one thread, the event loop's.
    """

    def __init__(self, folder: Path | None = None, shown: Shown | None = None) -> None:
        self._database = RowDatabase(folder, shown)
        self.filtered_by = ""
        """The filter text, as the user wrote it."""
        self.sorted_by: tuple[Column | None, bool] = (None, False)
        """Column and whether descending; `None` for the order in which rows came."""
        self._arranged = False
        self._version = 0
        self._late: array[int] | None = None
        self._seen: dict[int, bool] | None = None
        self._marked = MarkedRows()
        self._summed = (-1, -1)
        """Of which state of marks and sizes the summary is: adding up a hundred thousand marks takes a while."""
        self._summary = Selection()
        self.clear()

    # What is there

    def __len__(self) -> int:
        """Rows that are shown."""
        return len(self._shown)

    @property
    def loaded(self) -> int:
        """All rows, also those that the filter hides."""
        return len(self._order.numbers)

    @property
    def folders(self) -> int:
        """How many of all rows are folders."""
        return self._order.folders

    @property
    def span(self) -> tuple[int, int]:
        """When the oldest and the newest of all rows were made, in seconds of the epoch; 0 where that is not known."""
        return self._sizes.span

    @property
    def stale(self) -> bool:
        """Whether the view is out of date until `settle` has run."""
        return self._dirty or self._late is not None

    def window(self, first: int, count: int) -> list[Entry]:
        """The shown entries from `first` on, at most `count`."""
        return self._database.read(self._shown[max(first, 0) : max(first + count, 0)])

    def of_call(self, entry: Entry) -> list[Entry]:
        """The rows of the same call as an entry, shown or not, itself among them."""
        return self._database.of_call(entry)

    def tellers(self, entries: Iterable[Entry]) -> dict[str, StoredObject]:
        """For each entry that does not tell whose call it is of, by identity: a row of the same call that does."""
        return self._database.tellers(entries)

    def at(self, index: int) -> Entry:
        """One shown entry."""
        return self._database.read([self._shown[index]])[0]

    def index_of(self, identity: str) -> int | None:
        """Where an entry is shown."""
        found = self._database.find([identity])
        try:
            return self._shown.index(found[0]) if found else None
        except ValueError:
            return None

    # What comes and goes

    def extend(self, entries: Iterable[Entry]) -> int:
        """Add one page of entries, at most a thousand or so, to the end; those known already are left.

        Returns:
            How many were new.
        """
        return self._take(self._database.add(entries, found_by=self.filtered_by))

    def merge(self, entries: Iterable[Entry]) -> int:
        """Add one page of entries read again: those known already are replaced where they are and keep their mark.

        Returns:
            How many were new.
        """
        seen = self._seen
        rows = self._database.add(entries, found_by=self.filtered_by, update=True, again=seen is not None)
        if seen is not None:
            for row in rows:
                # To the end, as on disk, if a page repeats it.
                seen.pop(row.number, None)
                seen[row.number] = row.is_folder
        new = self._take(rows)
        self._sizes.note(rows)
        if new < len(rows):
            # What was known may no longer match, or belong elsewhere.
            self._arrange()
        return new

    @contextmanager
    def refresh(self) -> Iterator[None]:
        """Read everything again with `merge` inside the block; what was not merged by its end is forgotten.

        The rows then have the order in which they were given. If it ends with an exception, as when the user stops
        it, nothing is forgotten.
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
        """Forget entries.

        Returns:
            How many were there.
        """
        gone = set(self._database.find(identities))
        self._order.remove(gone)
        self._drop(gone)
        return len(gone)

    def clear(self) -> None:
        """Forget all rows; filter and sort stay as they are."""
        self._supersede()
        self._database.clear()
        self._order = InsertionOrder()
        self._shown = array("I")
        self._sizes = Sizes()
        self._dirty = False
        self._seen = None
        self._marked.clear()

    def close(self) -> None:
        """Give the disk space back."""
        self._database.close()

    # What is asked for

    def filter(self, text: str) -> None:
        """Show only entries with `text` in their name or in a tag, in any case; all if empty."""
        if text != self.filtered_by:
            self.filtered_by = text
            self._supersede()
            self._arrange()

    def sort(self, column: Column | None, descending: bool = False) -> None:
        """Show entries in the order of a column, unknown values last; `None` for the order in which they came."""
        if (column, descending) != self.sorted_by:
            self.sorted_by = (column, descending)
            self._supersede()
            self._arrange()

    async def settle(self) -> None:
        """Do what `sort` and `filter` asked for, if it is not done yet, without holding up the screen.

        Call it again while `stale`: rows may have come in the meantime, or another wish.
        """
        if not self._dirty or self._late is not None:
            return
        version, late = self._version, array("I")
        self._dirty, self._late = False, late
        shown: array[int] | None = None
        try:
            shown = await asyncio.to_thread(
                self._database.arranged, self.filtered_by, *self.sorted_by, self._database.last
            )
        except asyncio.CancelledError:
            self._database.interrupt()
            raise
        finally:
            if self._late is late:
                self._late = None
                self._dirty = not self._database.closed and (self._dirty or shown is None)
        if shown is not None and version == self._version:
            self._shown = shown + late

    # What is marked, and what is counted

    @property
    def selection(self) -> Selection:
        """How much is marked, also of what the filter hides."""
        state = (self._marked.version, self._sizes.version)
        if state != self._summed:
            self._summed, self._summary = state, self._marked.summary(self._sizes)
        return self._summary

    @property
    def sizes(self) -> tuple[int, int]:
        """How many of the loaded objects tell their size, and how large these are together."""
        return self._sizes.known

    @property
    def sizes_exact(self) -> bool:
        """Whether the sizes of all loaded objects are known to the byte."""
        return self._sizes.rounded.count(1) <= self.folders

    def is_marked(self, index: int) -> bool:
        """Whether the entry shown at `index` is marked."""
        return index < len(self._shown) and self._shown[index] in self._marked

    def marked(self, limit: int | None = None) -> list[Entry]:
        """The marked entries in the order in which they came, at most `limit`."""
        return self._database.read(self._marked.numbers()[:limit])

    def mark(self, identities: Iterable[str], on: bool = True) -> None:
        """Mark or unmark entries, shown or not; unknown ones are passed over."""
        self._marked.set(self._database.find(identities), on=on)

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

    def bring_back_marks(self) -> None:
        """Mark again what was marked before everything was last unmarked."""
        self._marked.bring_back()

    async def tally(self, column: Column, limit: int) -> list[tuple[str, int]]:
        """The most frequent values of a column among the shown objects, each with its count."""
        while not self._database.closed:
            found = await asyncio.to_thread(self._database.tally, self.filtered_by, column, limit)
            # Sorting comes first, and interrupts what else is going on.
            if found is not None:
                return found
        return []

    async def tally_times(self, span: int) -> Counter[int]:
        """How many of the shown entries are of each span of `span` seconds, by its number since the epoch."""
        shown, moments = self._shown[:], self._sizes.moments[:]
        return await asyncio.to_thread(_spans, shown, moments, span)

    # How it is done

    def _take(self, rows: list[RowFacts]) -> int:
        new = sorted((row for row in rows if row.is_new), key=_folders_first)
        self._sizes.note(new)
        in_place = self._order.add(new)
        if not self._arranged:
            self._shown = self._order.numbers
        elif shown := [row.number for row in new if row.matches]:
            self._shown.extend(shown)
            if self._late is not None:
                self._late.extend(shown)
            if self.sorted_by[0] is not None or not in_place:
                self._arrange()
        return len(new)

    def _drop(self, gone: set[int]) -> None:
        self._supersede()
        self._database.delete(gone)
        for number in gone:
            if self._seen is not None:
                self._seen.pop(number, None)
        self._shown = array("I", [number for number in self._shown if number not in gone])
        self._arrange()
        self._marked.set(gone, on=False)

    def _supersede(self) -> None:
        # Whatever the thread finds from here on is the answer to an older question.
        self._version += 1
        self._late = None
        self._database.interrupt()

    def _arrange(self) -> None:
        self._arranged = bool(self.filtered_by) or self.sorted_by[0] is not None
        if not self._arranged:
            self._shown, self._dirty = self._order.numbers, False
            return
        shown = None
        if self.loaded <= MAX_SORTED_DIRECTLY:
            shown = self._database.arranged(self.filtered_by, *self.sorted_by, self._database.last)
        self._dirty = shown is None
        if shown is not None:
            self._shown = shown
        elif self._shown is self._order.numbers:
            # From here on the two grow apart.
            self._shown = self._shown[:]


def _folders_first(row: RowFacts) -> bool:
    return not row.is_folder


def _spans(shown: "array[int]", moments: "array[int]", span: int) -> Counter[int]:
    return Counter(moments[number] // span for number in shown if moments[number])

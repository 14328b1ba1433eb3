"""Which rows the user marked, and how large they are together."""

from array import array
from collections.abc import Iterable
from itertools import compress

import msgspec

from cloudstore_tui.results.database import RowFacts


class Sizes:
    """Seventeen bytes per row, by row number, so that what is marked can be added up without reading it."""

    def __init__(self) -> None:
        self.bytes = array("q")
        """0 where unknown."""
        self.rounded = bytearray()
        """1 where the size is not exact or not known."""
        self.moments = array("q")
        """Seconds of the epoch; 0 where unknown."""

    @property
    def known(self) -> tuple[int, int]:
        """How many rows tell their size, and the sum of these."""
        return len(self.bytes) - self.bytes.count(0), sum(self.bytes)

    def note(self, rows: Iterable[RowFacts]) -> None:
        """Keep the sizes of new rows, or of rows that changed."""
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
    """One byte per row; a row is marked or not, whatever is sorted, filtered or read again."""

    def __init__(self) -> None:
        self._flags = bytearray()

    def __contains__(self, number: int) -> bool:
        return number < len(self._flags) and self._flags[number] == 1

    def numbers(self) -> list[int]:
        """The marked rows in order of arrival."""
        return list(compress(range(len(self._flags)), self._flags))

    def set(self, numbers: Iterable[int], *, on: bool) -> None:
        """Mark or unmark rows."""
        flags = self._flags
        for number in numbers:
            if number >= len(flags):
                flags.extend(bytes(number - len(flags) + 1024))
            flags[number] = on

    def clear(self) -> None:
        """Unmark all rows."""
        self._flags = bytearray()

    def summary(self, sizes: Sizes) -> Selection:
        """What is marked, how large it is, and of when."""
        flags = self._flags
        size, exact = sum(compress(sizes.bytes, flags)), not any(compress(sizes.rounded, flags))
        moments = [moment for moment in compress(sizes.moments, flags) if moment]
        return Selection(flags.count(1), size, exact, min(moments, default=0), max(moments, default=0))

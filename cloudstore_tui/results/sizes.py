"""How large each row's object is, and of when."""

from array import array
from collections.abc import Iterable

from cloudstore_tui.results.row_store import Row


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

    def note(self, rows: Iterable[Row]) -> None:
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

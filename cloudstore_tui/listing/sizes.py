"""How large each row's object is."""

from array import array
from collections.abc import Iterable

from cloudstore_tui.listing.row_store import Row


class Sizes:
    """Nine bytes per row, by row number, so that what is marked can be added up without reading it."""

    def __init__(self) -> None:
        self.bytes = array("q")
        """0 where unknown."""
        self.rounded = bytearray()
        """1 where the size is not exact or not known."""

    def note(self, rows: Iterable[Row]) -> None:
        """Keep the sizes of new rows, or of rows that changed."""
        sizes, rounded = self.bytes, self.rounded
        for row in rows:
            number = row.number
            if number >= len(sizes):
                # Numbers given to entries that turned out to be known are never used.
                missing = number + 1 - len(sizes)
                sizes.extend([0] * missing)
                rounded.extend(bytes(missing))
            sizes[number], rounded[number] = row.size, row.rounded

"""Which rows the user marked."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress

from cloudstore_tui.results.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Marks:
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

    def summary(self, sizes: Sizes) -> Marks:
        """What is marked, how large it is, and of when."""
        flags = self._flags
        size, exact = sum(compress(sizes.bytes, flags)), not any(compress(sizes.rounded, flags))
        moments = [moment for moment in compress(sizes.moments, flags) if moment]
        return Marks(flags.count(1), size, exact, min(moments, default=0), max(moments, default=0))

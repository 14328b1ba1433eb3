"""A file of which only some stretches are here."""

import io
from collections.abc import Sequence

MOST_UNKNOWN = 1 << 18
"""Bytes outside the stretches that are read as zeros; whoever wants more is lost in a damaged file."""


class Patchwork(io.RawIOBase):
    """Reads what is here, and zeros for a while where nothing is."""

    def __init__(self, pieces: Sequence[tuple[int, bytes]], size: int) -> None:
        super().__init__()
        self._pieces = [(start, data) for start, data in pieces if data]
        self._size = size
        self._at = 0
        self._unknown = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Any place can be gone to."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, count: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            OSError: too much was read that is not here.
        """
        left = max(self._size - self._at, 0)
        wanted = left if count is None or count < 0 else min(count, left)
        out = bytearray()
        while len(out) < wanted:
            out += self._next(wanted - len(out))
        return bytes(out)

    def _next(self, wanted: int) -> bytes:
        gap = wanted
        for start, data in self._pieces:
            if start <= self._at < start + len(data):
                found = data[self._at - start : self._at - start + wanted]
                self._at += len(found)
                return found
            if self._at < start:
                gap = min(gap, start - self._at)
        self._unknown += gap
        if self._unknown > MOST_UNKNOWN:
            raise OSError("that part was not fetched")
        self._at += gap
        return bytes(gap)

"""An object as a file: libraries read and seek in it, and the bytes are fetched as they are needed."""

import io
from collections.abc import Callable, Sequence

BLOCK = 4096
"""Bytes that are cached together."""
_READ_AHEAD = 64 * 1024
"""Bytes fetched at a time, unless the reader asks for another number."""

Fetch = Callable[[Sequence[tuple[int, int]]], tuple[Sequence[bytes], str]]
"""Fetches ranges (offset, length); returns the bytes of each, and why some are missing."""


class NotFetchedError(OSError):
    """The bytes cannot be read, or are more than a preview may read."""


class RemoteFile(io.RawIOBase):
    """Read-only and seekable. Whatever was fetched is cached.

    `head` holds the first bytes. A reader that jumps about in the file sets `read_ahead` low.
    """

    def __init__(self, fetch: Fetch, size: int, head: bytes = b"", read_ahead: int = _READ_AHEAD) -> None:
        super().__init__()
        self.read_ahead = read_ahead
        self.size = size
        self.requests_left: int | None = None
        """How many more requests may be sent; `None` if only `fetch` limits them."""
        self.problem = ""
        """Why bytes were missing."""
        self._fetch = fetch
        self._at = 0
        self._head = head
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Offset of the next byte to be read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset, which may lie past the end.

        Raises:
            OSError: it lies before the beginning.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if not 0 <= base + offset < 1 << 63:
            raise OSError("the file has no such offset")
        self._at = base + offset
        return self._at

    def read(self, count: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            NotFetchedError: they cannot be fetched.
        """
        left = max(self.size - self._at, 0)
        wanted = left if count is None or count < 0 else min(count, left)
        data = self.read_at(self._at, wanted)
        self._at += len(data)
        return data

    def readinto(self, buffer: object) -> int:
        """The next bytes into a buffer."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read_at(self, first: int, count: int) -> bytes:
        """Bytes at an offset; the current position stays.

        Raises:
            NotFetchedError: they cannot be fetched.
        """
        last = min(first + count, self.size)
        if last <= len(self._head):
            return self._head[first:last]
        if last <= first:
            return b""
        self._load(first, last)
        start = first // BLOCK
        joined = b"".join(self._block(number) for number in range(start, (last - 1) // BLOCK + 1))
        return joined[first - start * BLOCK : last - start * BLOCK]

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several ranges at once, past the cache; empty, or shorter, where they cannot be fetched."""
        pieces, problem = self._fetch(ranges)
        self.problem = problem or self.problem
        return list(pieces)

    def _block(self, number: int) -> bytes:
        end = (number + 1) * BLOCK
        if end <= len(self._head):
            return self._head[end - BLOCK : end]
        return self._blocks[number]

    def _load(self, first: int, last: int) -> None:
        """Fetch what is missing between two offsets, one run of blocks after the other."""
        number = first // BLOCK
        while number * BLOCK < last:
            if self._has(number):
                number += 1
                continue
            start, end = number, number + 1
            most = max(-(-last // BLOCK), number + self.read_ahead // BLOCK)
            while end < most and end * BLOCK < self.size and not self._has(end):
                end += 1
            if end * BLOCK >= self.size:
                # Whoever reads the end wants what lies before it next: the directories of archives are there.
                while start > 0 and start > end - self.read_ahead // BLOCK and not self._has(start - 1):
                    start -= 1
            self._fetch_blocks(start, min(end * BLOCK, self.size))
            number = end

    def _has(self, number: int) -> bool:
        return (number + 1) * BLOCK <= len(self._head) or number in self._blocks

    def _fetch_blocks(self, number: int, end: int) -> None:
        start = number * BLOCK
        if self.requests_left is not None:
            self.requests_left -= 1
            if self.requests_left < 0:
                raise NotFetchedError("There is more than a preview reads.")
        (data,), problem = self._fetch([(start, end - start)])
        if len(data) < end - start:
            self.problem = problem or "The store did not send all bytes."
            raise NotFetchedError(self.problem)
        for offset in range(0, len(data), BLOCK):
            self._blocks[number + offset // BLOCK] = data[offset : offset + BLOCK]

"""An object as a file: libraries read and seek in it, and the bytes are fetched when they are wanted."""

import io
from collections.abc import Callable, Sequence

BLOCK = 4096
"""Bytes that are kept together."""
_AHEAD = 64 * 1024
"""Bytes that are fetched at once, unless the reader knows better."""

Fetch = Callable[[Sequence[tuple[int, int]]], tuple[Sequence[bytes], str]]
"""Fetches stretches (offset, length); gives the bytes of each, and why some are missing."""


class NotFetchedError(OSError):
    """Bytes were wanted that cannot be read, or more than a preview may read."""


class RemoteFile(io.RawIOBase):
    """Read-only and seekable. What was read once is kept."""

    def __init__(self, fetch: Fetch, size: int, head: bytes = b"", ahead: int = _AHEAD) -> None:
        """Make it; nothing is fetched before the first read.

        Args:
            fetch: fetches bytes.
            size: bytes of the whole object.
            head: the first bytes, which are here already.
            ahead: bytes to fetch at once; a reader that hops over the file wants few.
        """
        super().__init__()
        self.ahead = ahead
        self.size = size
        self.requests_left: int | None = None
        """How often more may be fetched; `None` where `fetch` limits it itself."""
        self.problem = ""
        """Why bytes were missing."""
        self._fetch = fetch
        self._at = 0
        self._head = head
        self._blocks: dict[int, bytes] = {}

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
        """Go to a place, also behind the end.

        Raises:
            OSError: it is before the beginning.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if not 0 <= base + offset < 1 << 63:
            raise OSError("there is no such place in the file")
        self._at = base + offset
        return self._at

    def read(self, count: int | None = -1) -> bytes:
        """The next bytes.

        Raises:
            NotFetchedError: they cannot be had.
        """
        left = max(self.size - self._at, 0)
        wanted = left if count is None or count < 0 else min(count, left)
        data = self.stretch(self._at, wanted)
        self._at += len(data)
        return data

    def readinto(self, buffer: object) -> int:
        """The next bytes into a buffer."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def stretch(self, first: int, count: int) -> bytes:
        """Bytes from an offset on, wherever the file stands.

        Raises:
            NotFetchedError: they cannot be had.
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

    def stretches(self, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several stretches at once; empty, or shorter, where they cannot be read."""
        pieces, problem = self._fetch(wanted)
        self.problem = problem or self.problem
        return list(pieces)

    def _block(self, number: int) -> bytes:
        end = (number + 1) * BLOCK
        if end <= len(self._head):
            return self._head[end - BLOCK : end]
        return self._blocks[number]

    def _load(self, first: int, last: int) -> None:
        """Fetch what is missing between two places, one run of blocks after the other."""
        number = first // BLOCK
        while number * BLOCK < last:
            if self._has(number):
                number += 1
                continue
            start, end = number, number + 1
            most = max(-(-last // BLOCK), number + self.ahead // BLOCK)
            while end < most and end * BLOCK < self.size and not self._has(end):
                end += 1
            if end * BLOCK >= self.size:
                # Whoever looks at the end wants what is before it next: the directories of archives lie there.
                while start > 0 and start > end - self.ahead // BLOCK and not self._has(start - 1):
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
            self.problem = problem or "The store did not give all bytes."
            raise NotFetchedError(self.problem)
        for offset in range(0, len(data), BLOCK):
            self._blocks[number + offset // BLOCK] = data[offset : offset + BLOCK]

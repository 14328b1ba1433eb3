"""One download into a pipe, which is verified while it is written."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.failures import ContradictionError
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.fetch import OVERLAP, Fetch, may_be_html
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferProgress, TransferSnapshot
from cloudstore_tui.transfers.verify import Digests, verify


class Stream:
    """A `FetchStore` that cannot take bytes back: if all come again, those already written are compared instead."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.offset = 0
        self.durable = 0
        self._write = write
        self._size: int | None = None
        self._written = 0
        self._tail = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._again = hashlib.sha256()

    @property
    def digests(self) -> Digests:
        """The digests of what was written."""
        return Digests(self._written, self._md5.hexdigest(), self._sha256.hexdigest())

    def expect(self, size: int | None) -> None:
        """Set the exact size.

        Raises:
            IntegrityError: more bytes were written already.
        """
        if size is not None and size < self._written:
            raise _changed()
        self._size = size

    def write(self, view: memoryview) -> None:
        """Write the bytes, or compare them with what was written."""
        data = bytes(view)
        if self._size is not None and self.offset + len(data) > self._size:
            raise ContradictionError(f"more than the expected {self._size} bytes came")
        if repeated := self._written - self.offset:
            data = self._compare(data, repeated)
        if data:
            self._write(data)
            self._md5.update(data)
            self._sha256.update(data)
            self.offset += len(data)
            self._written = self.offset
            self._tail += data[-OVERLAP:]
            del self._tail[:-OVERLAP]

    def tail(self, count: int) -> bytes:
        """The last `count` bytes; none while bytes are compared anyway."""
        return b"" if self.offset < self._written else bytes(self._tail[-count:])

    def restart(self) -> None:
        """Start over: all bytes come again."""
        self.offset = 0
        self._again = hashlib.sha256()

    def end(self) -> None:
        """Check that not fewer bytes came than were written.

        Raises:
            IntegrityError: the object has become shorter.
        """
        if self.offset < self._written:
            raise _changed()

    def recover(self) -> None:
        """Do nothing: a pipe gives nothing back."""

    def _compare(self, data: bytes, repeated: int) -> bytes:
        """Compare bytes that were written already, and return the others."""
        seen = data[:repeated]
        self._again.update(seen)
        self.offset += len(seen)
        if self.offset == self._written and self._again.digest() != self._sha256.digest():
            raise _changed()
        return data[repeated:]


def _changed() -> IntegrityError:
    return IntegrityError("it changed on the server while it was read", hint="What was written is not whole.")


async def pipe(
    provider: StorageProvider, context: TransferContext, entry: StoredObject, write: Callable[[bytes], object]
) -> TransferSnapshot:
    """Fetch an object, and call `write` with its bytes in order.

    It is verified while it is written, so what was written before an error is found stays written.

    Raises:
        OSError: `write` failed, for example because the pipe was closed.
    """
    location = entry.location
    progress = TransferProgress(0, DownloadRequest(location, Path("-")), context.clock)
    store = Stream(write)
    progress.meter = lambda: store.offset
    sign = partial(provider.source, location)
    fetch = Fetch(context, sign, progress, html=may_be_html(entry.name, entry.mime), known=entry)
    try:
        await fetch.run(store)
        store.end()
        result = verify(fetch.evidence.expected, store.digests, lambda _size: "")
        if result.contradiction:
            raise IntegrityError(f"it arrived damaged: {result.contradiction}", hint="Fetch it again.")
    except StorageError as error:
        progress.error = error.about(location.address)
        progress.to(State.FAILED)
    else:
        progress.level = result.level
        progress.to(State.DONE, fetch.evidence.remark or result.doubt)
    return progress.snapshot()

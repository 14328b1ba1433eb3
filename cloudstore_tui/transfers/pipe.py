"""An object written to something that takes bytes in order and gives none back: a pipe."""

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
    """A store that cannot forget: when all bytes come again, those that were written are only compared."""

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
        """What was written."""
        return Digests(self._written, self._md5.hexdigest(), self._sha256.hexdigest())

    def expect(self, size: int | None) -> None:
        """Learn how many bytes will come.

        Raises:
            IntegrityError: more were written already.
        """
        if size is not None and size < self._written:
            raise _changed()
        self._size = size

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._size is not None and self.offset + len(data) > self._size:
            raise ContradictionError(f"more than the expected {self._size} bytes came")
        behind = self._written - self.offset
        if behind:
            data = self._compare(data, behind)
        if data:
            self._write(data)
            self._md5.update(data)
            self._sha256.update(data)
            self.offset += len(data)
            self._written = self.offset
            self._tail += data[-OVERLAP:]
            del self._tail[:-OVERLAP]

    def tail(self, count: int) -> bytes:
        """The last `count` bytes; none while bytes come again, which are compared anyhow."""
        return b"" if self.offset < self._written else bytes(self._tail[-count:])

    def restart(self) -> None:
        """All bytes come again."""
        self.offset = 0
        self._again = hashlib.sha256()

    def recover(self) -> None:
        """Nothing: what a pipe took stays taken."""

    def _compare(self, data: bytes, behind: int) -> bytes:
        seen = data[:behind]
        self._again.update(seen)
        self.offset += len(seen)
        if self.offset == self._written and self._again.digest() != self._sha256.digest():
            raise _changed()
        return data[behind:]


def _changed() -> IntegrityError:
    return IntegrityError("it changed on the server while it was read", hint="What was written is not whole.")


async def pipe(
    provider: StorageProvider, context: TransferContext, entry: StoredObject, write: Callable[[bytes], object]
) -> TransferSnapshot:
    """Fetch an object into a function that takes its bytes in order, such as the write of a pipe.

    It is verified while it is written: what was written before an error is found stays written.

    Raises:
        OSError: `write` failed, such as by a closed pipe.
    """
    location = entry.location
    progress = TransferProgress(0, DownloadRequest(location, Path("-")), context.clock)
    store = Stream(write)
    progress.meter = lambda: store.offset
    sign = partial(provider.source, location)
    fetch = Fetch(context, sign, progress, html=may_be_html(entry.name, entry.mime), known=entry)
    try:
        await fetch.run(store)
        result = verify(fetch.expected, store.digests, lambda _size: "")
        if result.contradiction:
            raise IntegrityError(f"it arrived damaged: {result.contradiction}", hint="Fetch it again.")
    except StorageError as error:
        progress.error = error.about(location.address)
        progress.to(State.FAILED)
    else:
        progress.level = result.level
        progress.to(State.DONE, fetch.remark)
    return progress.snapshot()

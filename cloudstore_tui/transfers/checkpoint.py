"""What goes on beside a download: checkpoints, and reading back what is on the disk already."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.fetch import Version
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.part_file import PartFile
from cloudstore_tui.transfers.verify import CHUNK, Digester, Digests
from cloudstore_tui.transfers.workers import Stop, Workers

START_AFTER_S = 0.2
"""Thousands of small objects should not pay for what only a large one needs."""

BYTES = 8 * 1024 * 1024
"""New bytes that are worth a wait for the disk."""
SECONDS = 5.0
"""Or so much time with any new byte."""
_POLL = 0.05
WORTH_READING = 4 * 1024 * 1024
"""Bytes that are worth a turn; a smaller file is read in one go at its end."""
_REREAD_POLL = 0.02


@asynccontextmanager
async def alongside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Do something while a block runs, if the block takes long enough for that to be worth anything.

    It ends with the block; its errors are its own business.
    """
    task: asyncio.Task[None] | None = None

    def begin() -> None:
        nonlocal task
        task = asyncio.create_task(work())

    timer = asyncio.get_running_loop().call_later(START_AFTER_S, begin)
    try:
        yield
    finally:
        timer.cancel()
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()


class Checkpoints:
    """Checkpoints of one part file."""

    def __init__(
        self, part: PartFile, journal_entry: JournalEntry, workers: Workers, version_of: Callable[[], Version]
    ) -> None:
        """Make it.

        Args:
            part: the file.
            journal_entry: where to write.
            workers: who waits for the disk.
            version_of: what is known of the version that the bytes are from.
        """
        self._part = part
        self._journal = journal_entry
        self._workers = workers
        self._version_of = version_of

    async def take(self) -> None:
        """One checkpoint, now."""
        version = self._version_of()
        etag, size = version.etag, version.size
        failpoint("checkpoint")
        durable = await self._workers.run(lambda _stop: self._part.sync())
        if durable is not None:
            self._journal.note(durable=durable, etag=etag, size=size)

    async def repeat(self) -> None:
        """One whenever it is worth it, for as long as bytes come."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(_POLL)
            new = self._part.offset - self._part.durable
            if new >= BYTES or (new > 0 and loop.time() - last >= SECONDS):
                try:
                    await self.take()
                except StorageError as error:
                    # What was written since the last one may be lost: nothing more may be added to it.
                    self._part.spoil(error)
                    return
                last = loop.time()


class Reread:
    """Follows a part file, never beyond what is known to be on the disk.

    It starts at the first byte in every run: nothing is carried over from an earlier one.
    """

    def __init__(self, part: PartFile, workers: Workers, wanted: Callable[[], frozenset[str]]) -> None:
        self._part = part
        self._workers = workers
        self._wanted = wanted
        self._running: Digester | None = None
        self._restarts = part.restarts

    def finish(self, stop: Stop) -> Digests:
        """Of the whole file, all of which is on the disk. Blocks."""
        self._advance(stop)
        return self._digests().digests()

    async def follow(self) -> None:
        """Read whatever is known to be on the disk, for as long as bytes come."""
        while True:
            await asyncio.sleep(_REREAD_POLL)
            if self._part.durable - (self._running.size if self._running else 0) >= WORTH_READING:
                await self._workers.run(self._advance)

    def _advance(self, stop: Stop) -> None:
        running = self._digests()
        if not running.wanted:
            running.size = self._part.durable
        while running.size < self._part.durable and self._restarts == self._part.restarts:
            stop.check()
            piece = self._part.read(min(CHUNK, self._part.durable - running.size), running.size)
            if not piece:
                return
            running.update(piece)

    def _digests(self) -> Digester:
        """Those of the present bytes: begun anew when all were given up, or when others are wanted."""
        wanted = self._wanted()
        if self._running is None or self._running.wanted != wanted or self._restarts != self._part.restarts:
            self._restarts = self._part.restarts
            self._running = Digester(wanted)
        return self._running

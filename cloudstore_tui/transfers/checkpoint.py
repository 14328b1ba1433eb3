"""Brings what was written to the disk from time to time, and only then writes down how far it is."""

import asyncio
from collections.abc import Callable

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.attempt import Version
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.part_file import PartFile
from cloudstore_tui.transfers.workers import Workers

BYTES = 8 * 1024 * 1024
"""New bytes that are worth a wait for the disk."""
SECONDS = 5.0
"""Or so much time with any new byte."""
_LOOK = 0.05


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
            await asyncio.sleep(_LOOK)
            new = self._part.offset - self._part.durable
            if new >= BYTES or (new > 0 and loop.time() - last >= SECONDS):
                try:
                    await self.take()
                except StorageError as error:
                    # What was written since the last one may be lost: nothing more may be added to it.
                    self._part.spoil(error)
                    return
                last = loop.time()

"""Reads a part file back from the disk while the rest of it still comes, so that it is hashed when it is complete."""

import asyncio
from collections.abc import Callable

from cloudstore_tui.transfers.content import CHUNK
from cloudstore_tui.transfers.part_file import PartFile
from cloudstore_tui.transfers.running_digests import RunningDigests
from cloudstore_tui.transfers.verify import Digests
from cloudstore_tui.transfers.workers import Stop, Workers

WORTH = 4 * 1024 * 1024
"""Bytes that are worth a turn; a smaller file is read in one go at its end."""
_LOOK = 0.02


class Reread:
    """Follows a part file, never beyond what is known to be on the disk.

    It starts at the first byte in every run: nothing is carried over from an earlier one.
    """

    def __init__(self, part: PartFile, workers: Workers, wanted: Callable[[], frozenset[str]]) -> None:
        self._part = part
        self._workers = workers
        self._wanted = wanted
        self._running: RunningDigests | None = None
        self._restarts = part.restarts

    def finish(self, stop: Stop) -> Digests:
        """Of the whole file, all of which is on the disk. Blocks."""
        self._advance(stop)
        return self._digests().digests()

    async def follow(self) -> None:
        """Read whatever is known to be on the disk, for as long as bytes come."""
        while True:
            await asyncio.sleep(_LOOK)
            if self._part.durable - (self._running.size if self._running else 0) >= WORTH:
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

    def _digests(self) -> RunningDigests:
        """Those of the present bytes: begun anew when all were given up, or when others are wanted."""
        wanted = self._wanted()
        if self._running is None or self._running.wanted != wanted or self._restarts != self._part.restarts:
            self._restarts = self._part.restarts
            self._running = RunningDigests(wanted)
        return self._running

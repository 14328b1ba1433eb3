"""A look into an object: reads what its format wants to see, and no more than is allowed."""

import asyncio
from dataclasses import replace

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.links import Piece, ReadPiece
from cloudstore_tui.preview.examine import examine
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.preview import Look, Preview
from cloudstore_tui.preview.reading import HEAD, MOST_HEAD, MOST_READ, MOST_REQUESTS, Steps, Stretch

_AT_ONCE = 4
"""Requests at the same time."""


async def look(read: ReadPiece, facts: Facts, wanted: int = HEAD) -> Look:
    """Read the first bytes, and what the format asks for then.

    Raises:
        StorageError: the first bytes cannot be had.
    """
    wanted = min(max(wanted, 1), MOST_HEAD)
    first = await read(0, wanted)
    total = first.total if first.total is not None else facts.size
    if len(first.data) < wanted:
        total = len(first.data)
    facts = replace(facts, size=total, effort=max(wanted // HEAD, 1))
    reader = _Reader(read, first)
    preview = await _drive(examine(first.data, facts), reader)
    if reader.error is not None:
        preview = replace(preview, notes=(*preview.notes, f"Some of it could not be read: {reader.error.message}."))
    elif reader.refused:
        note = "The store cannot begin in the middle of an object, so only its beginning was looked at."
        preview = replace(preview, notes=(*preview.notes, note))
    return Look(preview, len(first.data), reader.fetched, total)


async def _drive(steps: Steps, reader: "_Reader") -> Preview:
    """Formats are read in a thread: one that takes its time must not hold up whoever waits."""
    pieces: tuple[bytes, ...] | None = None
    while True:
        asked = await asyncio.to_thread(_step, steps, pieces)
        if isinstance(asked, Preview):
            return asked
        pieces = await reader.read(asked)


def _step(steps: Steps, pieces: tuple[bytes, ...] | None) -> Preview | tuple[Stretch, ...]:
    try:
        return next(steps) if pieces is None else steps.send(pieces)
    except StopIteration as end:
        return end.value if isinstance(end.value, Preview) else ()


class _Reader:
    """Reads further pieces, within bounds; what cannot be had is empty."""

    def __init__(self, read: ReadPiece, first: Piece) -> None:
        self._read = read
        self._ranged = first.ranged
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._requests = 1
        self.fetched = len(first.data)
        self.refused = False
        """Whether something was not asked for, because the store would have sent everything."""
        self.error: StorageError | None = None

    async def read(self, asked: tuple[Stretch, ...]) -> tuple[bytes, ...]:
        """The bytes of each stretch."""
        return tuple(await asyncio.gather(*map(self._one, asked)))

    async def _one(self, stretch: Stretch) -> bytes:
        async with self._gate:
            if self.error is not None or self._requests >= MOST_REQUESTS or stretch.count <= 0:
                return b""
            if self.fetched + stretch.count > MOST_READ + MOST_HEAD:
                return b""
            if not self._ranged:
                self.refused = True
                return b""
            self._requests += 1
            try:
                piece = await self._read(stretch.first, stretch.count)
            except StorageError as error:
                self.error = error
                return b""
            self._ranged = self._ranged and piece.ranged
            self.fetched += len(piece.data)
            return piece.data

"""A preview of an object: a worker process reads it, and gets the bytes that it asks for from here."""

import asyncio
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import msgspec

from cloudstore_tui.core.errors import StorageError, no_more_threads
from cloudstore_tui.core.links import Piece, ReadPiece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.model import (
    HEAD,
    MAX_HEAD,
    MAX_HEX,
    Answer,
    Ask,
    Bytes,
    Done,
    Draft,
    Job,
    Nothing,
    ObjectFacts,
    Preview,
)

MAX_REQUESTS = 400
"""Pieces that are read of an object."""
MAX_READ = MAX_HEAD + 6 * 1024 * 1024
"""Bytes that are read of an object altogether."""
MAX_FOR_FACTS = 400_000
"""Bytes after which a note says how many were read, although only facts are shown."""
MAX_SECONDS = 60.0
"""Seconds after which nothing more is read."""
SILENCE_S = 20.0
"""Seconds in which a worker asks for nothing and ends with nothing, until it is given up."""
MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes that a worker may say at once."""
_MAX_WORKERS = 4
"""Requests at the same time."""
_LENGTH = struct.Struct(">I")
_M = TypeVar("_M")
PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from cloudstore_tui.preview.worker import main; main()"
_MESSAGES: msgspec.msgpack.Decoder[Ask | Draft | Done] = msgspec.msgpack.Decoder(Ask | Draft | Done)
_NO_RANGES = "The store cannot begin in the middle of an object, so only its beginning was looked at."
_BUDGET = "There is more than a preview reads."


def facts_of(entry: StoredObject) -> ObjectFacts:
    """What the service tells of an object."""
    size = entry.size if entry.size_exact else None
    return ObjectFacts(entry.name, entry.mime, size, entry.duration, entry.tag("speaker"))


async def make_preview(read: ReadPiece, facts: ObjectFacts, wanted: int = HEAD) -> Preview:
    """Read the first bytes of an object, and let a worker read what they are.

    Raises:
        StorageError: the first bytes cannot be had.
    """
    wanted = min(max(wanted, 1), MAX_HEAD)
    async with _worker() as worker:
        first = await read(0, wanted)
        total = first.total if first.total is not None else facts.size
        if len(first.data) < wanted:
            total = len(first.data)
        facts = msgspec.structs.replace(facts, size=total)
        reader = PieceReader(read, first)
        if first.data:
            preview = await _converse(worker, Job(facts, first.data, wanted), reader)
        else:
            preview = Preview("empty", Nothing(), notes=("There is nothing in it.",))
    notes = preview.notes
    if first.coding and isinstance(preview.body, Bytes):
        notes = (*notes, f"It is stored compressed ({first.coding}), which is not opened here.")
    if isinstance(preview.body, Nothing) and reader.fetched > MAX_FOR_FACTS:
        notes = (*notes, f"{reader.fetched / 1e6:.1f} MB were read for this: what describes it lies all over the file.")
    if reader.problem and reader.problem not in notes:
        notes = (*notes, reader.problem)
    return msgspec.structs.replace(preview, notes=notes, head=len(first.data), fetched=reader.fetched, total=total)


@asynccontextmanager
async def _worker() -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that ends with this block: when it is done, on Esc, or when the program quits."""
    pipe = asyncio.subprocess.PIPE
    try:
        # What waits for the worker's end is a thread; one that cannot begin would leave the worker to itself.
        threading.Thread(target=int, name="preview", daemon=True).start()
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", PROGRAM, *filter(None, sys.path),
            stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env={}, cwd="/",
        )  # fmt: skip
    except (OSError, RuntimeError):
        raise no_more_threads() from None
    try:
        yield worker
    finally:
        if worker.stdin is not None:
            # One that is done ends by itself when nobody speaks to it any more.
            worker.stdin.close()
        if worker.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        await reap(worker)


async def reap(worker: asyncio.subprocess.Process) -> None:
    """Wait for the end of a killed worker, also where a loop that ends cancels everything: it takes a moment."""
    cancelled = False
    while True:
        try:
            # Its end is only told when its pipe is empty.
            while worker.stdout is not None and await worker.stdout.read(1 << 20):
                pass
            await worker.wait()
            break
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def _converse(worker: asyncio.subprocess.Process, job: Job, reader: "PieceReader") -> Preview:
    """Answer what the worker asks, until it is done or dead."""
    known = Preview("bytes", Bytes(job.head[:MAX_HEX]))
    try:
        await send(worker, job)
        while True:
            async with asyncio.timeout(SILENCE_S):
                message = await receive(worker, _MESSAGES)
            if isinstance(message, Done):
                return message.preview
            if isinstance(message, Draft):
                known = message.preview
            else:
                await send(worker, await reader.answer(message))
    except TimeoutError:
        why = f"Its content was not understood within {SILENCE_S:.0f} seconds."
    except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError, ValueError):
        why = await _obituary(worker)
    return msgspec.structs.replace(known, notes=(*known.notes, why))


async def _obituary(worker: asyncio.subprocess.Process) -> str:
    """Why a worker ended without a result."""
    try:
        code = await asyncio.wait_for(worker.wait(), 1)
    except TimeoutError:
        code = 0
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "Reading its content takes more work than a preview may do, so it was stopped."
    return "Its content could not be read: it is damaged, or made to do harm."


async def send(worker: asyncio.subprocess.Process, message: msgspec.Struct) -> None:
    """Say something to a worker.

    Raises:
        ConnectionError: it has ended.
    """
    if worker.stdin is None:
        raise ConnectionError
    data = msgspec.msgpack.encode(message)
    worker.stdin.write(_LENGTH.pack(len(data)) + data)
    await worker.stdin.drain()


async def receive(worker: asyncio.subprocess.Process, messages: msgspec.msgpack.Decoder[_M]) -> _M:
    """Wait for what a worker says next.

    Raises:
        IncompleteReadError: it has ended.
        ValueError: it says what makes no sense.
    """
    if worker.stdout is None:
        raise ConnectionError
    (size,) = _LENGTH.unpack(await worker.stdout.readexactly(_LENGTH.size))
    if size > MAX_MESSAGE:
        raise ValueError("a message is too long")
    return messages.decode(await worker.stdout.readexactly(size))


class PieceReader:
    """Reads further pieces, within bounds; pieces that cannot be read are empty."""

    def __init__(self, read: ReadPiece, first: Piece) -> None:
        self._read = read
        self._ranged = first.ranged
        self._gate = asyncio.Semaphore(_MAX_WORKERS)
        self._requests = 1
        self._end = time.monotonic() + MAX_SECONDS
        self.fetched = len(first.data)
        self.problem = ""
        """Why something could not be read, unless the budget was spent."""

    async def answer(self, ask: Ask) -> Answer:
        """The bytes of each stretch."""
        stretches: Sequence[tuple[int, int]] = ask.stretches[:MAX_REQUESTS]
        pieces = await asyncio.gather(*(self._one(first, count) for first, count in stretches))
        missing = any(len(piece) < count for piece, (_, count) in zip(pieces, stretches, strict=True))
        return Answer(tuple(pieces), (self.problem or _BUDGET) if missing else "")

    async def _one(self, first: int, count: int) -> bytes:
        async with self._gate:
            if self.problem or count <= 0 or first < 0 or self._is_spent(count):
                return b""
            if not self._ranged:
                self.problem = _NO_RANGES
                return b""
            self._requests += 1
            try:
                piece = await self._read(first, count)
            except StorageError as error:
                self.problem = f"Some of it could not be read: {error.message}."
                return b""
            self._ranged = self._ranged and piece.ranged
            self.fetched += len(piece.data)
            return piece.data

    def _is_spent(self, count: int) -> bool:
        return self._requests >= MAX_REQUESTS or self.fetched + count > MAX_READ or time.monotonic() > self._end

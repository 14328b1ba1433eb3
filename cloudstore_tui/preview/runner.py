"""Makes the preview of an object: starts a worker process and reads the bytes that it requests."""

import asyncio
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator
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
    Bytes,
    Done,
    Draft,
    Job,
    Nothing,
    ObjectFacts,
    Preview,
    ReadReply,
    ReadRequest,
)

MAX_REQUESTS = 400
"""Requests per preview."""
MAX_READ = MAX_HEAD + 6 * 1024 * 1024
"""Bytes read per preview."""
MAX_FOR_FACTS = 400_000
"""Bytes beyond which a preview of facts alone says how many were read."""
MAX_S = 60.0
"""Seconds after which nothing more is read."""
MAX_SILENCE_S = 20.0
"""Seconds without a message after which a worker is killed."""
MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of one message from a worker."""
_MAX_CONCURRENT = 4
"""Requests at a time."""
_LENGTH = struct.Struct(">I")
_M = TypeVar("_M")
PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from cloudstore_tui.preview.worker import main; main()"
_MESSAGES: msgspec.msgpack.Decoder[ReadRequest | Draft | Done] = msgspec.msgpack.Decoder(ReadRequest | Draft | Done)
_NO_RANGES = "The store only sends whole objects, so only the beginning was read."
_BUDGET = "There is more than a preview reads."


def facts_of(entry: StoredObject) -> ObjectFacts:
    """What the service says about an object."""
    size = entry.size if entry.size_exact else None
    return ObjectFacts(entry.name, entry.mime, size, entry.duration, entry.tag("speaker"))


async def make_preview(read: ReadPiece, facts: ObjectFacts, wanted: int = HEAD) -> Preview:
    """Read the first `wanted` bytes of an object, and whatever else a worker needs to make its preview.

    Raises:
        StorageError: the first bytes cannot be read.
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
            preview = await _serve(worker, Job(facts, first.data, wanted), reader)
        else:
            preview = Preview("empty", Nothing(), notes=("There is nothing in it.",))
    notes = preview.notes
    if first.coding and isinstance(preview.body, Bytes):
        notes = (*notes, f"It is stored compressed ({first.coding}), which a preview does not decompress.")
    if isinstance(preview.body, Nothing) and reader.fetched > MAX_FOR_FACTS:
        notes = (*notes, f"{reader.fetched / 1e6:.1f} MB were read: the metadata is scattered all over the file.")
    if reader.problem and reader.problem not in notes:
        notes = (*notes, reader.problem)
    return msgspec.structs.replace(preview, notes=notes, head=len(first.data), fetched=reader.fetched, total=total)


@asynccontextmanager
async def _worker() -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that lives no longer than this block, however that ends."""
    pipe = asyncio.subprocess.PIPE
    try:
        # A thread waits for the worker's exit; if none can start, the worker would be left behind.
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
            # One that is done exits by itself at the end of its input.
            worker.stdin.close()
        if worker.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        await reap(worker)


async def reap(worker: asyncio.subprocess.Process) -> None:
    """Wait until a killed worker has exited, even when cancelled meanwhile: it takes a moment only."""
    cancelled = False
    while True:
        try:
            # Its exit is only reported once its pipe is empty.
            while worker.stdout is not None and await worker.stdout.read(1 << 20):
                pass
            await worker.wait()
            break
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def _serve(worker: asyncio.subprocess.Process, job: Job, reader: "PieceReader") -> Preview:
    """Answer the worker's requests until it is done or dead."""
    draft = Preview("bytes", Bytes(job.head[:MAX_HEX]))
    try:
        await send(worker, job)
        while True:
            async with asyncio.timeout(MAX_SILENCE_S):
                message = await receive(worker, _MESSAGES)
            if isinstance(message, Done):
                return message.preview
            if isinstance(message, Draft):
                draft = message.preview
            else:
                await send(worker, await reader.answer(message))
    except TimeoutError:
        why = f"Its content could not be read within {MAX_SILENCE_S:.0f} seconds."
    except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError, ValueError):
        why = await _death_note(worker)
    return msgspec.structs.replace(draft, notes=(*draft.notes, why))


async def _death_note(worker: asyncio.subprocess.Process) -> str:
    """Why a worker exited without a result."""
    try:
        code = await asyncio.wait_for(worker.wait(), 1)
    except TimeoutError:
        code = 0
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "Reading its content takes more work than a preview may do, so it was stopped."
    return "Its content could not be read: it is damaged or malicious."


async def send(worker: asyncio.subprocess.Process, message: msgspec.Struct) -> None:
    """Send a message to a worker.

    Raises:
        ConnectionError: it has exited.
    """
    if worker.stdin is None:
        raise ConnectionError
    data = msgspec.msgpack.encode(message)
    worker.stdin.write(_LENGTH.pack(len(data)) + data)
    await worker.stdin.drain()


async def receive(worker: asyncio.subprocess.Process, messages: msgspec.msgpack.Decoder[_M]) -> _M:
    """Wait for the next message of a worker.

    Raises:
        IncompleteReadError: it has exited.
        ValueError: what it sent is no such message.
    """
    if worker.stdout is None:
        raise ConnectionError
    (size,) = _LENGTH.unpack(await worker.stdout.readexactly(_LENGTH.size))
    if size > MAX_MESSAGE:
        raise ValueError("a message is too long")
    return messages.decode(await worker.stdout.readexactly(size))


class PieceReader:
    """Reads ranges of an object up to the limits of a preview; what cannot be read is empty."""

    def __init__(self, read: ReadPiece, first: Piece) -> None:
        self._read = read
        self._ranged = first.ranged
        self._gate = asyncio.Semaphore(_MAX_CONCURRENT)
        self._requests = 1
        self._end = time.monotonic() + MAX_S
        self.fetched = len(first.data)
        self.problem = ""
        """Why something could not be read, apart from the limits."""

    async def answer(self, request: ReadRequest) -> ReadReply:
        """The bytes of each range."""
        ranges = request.ranges[:MAX_REQUESTS]
        pieces = await asyncio.gather(*(self._read_range(first, count) for first, count in ranges))
        missing = any(len(piece) < count for piece, (_, count) in zip(pieces, ranges, strict=True))
        return ReadReply(tuple(pieces), (self.problem or _BUDGET) if missing else "")

    async def _read_range(self, first: int, count: int) -> bytes:
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

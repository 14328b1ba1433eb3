"""Plays a recording while it is being fetched.

One process decodes it and requests the bytes that it needs, another one has the sound device. Samples go from the first
through this program to the second, and the position comes back.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from cloudstore_tui.core.errors import StorageError, UnsupportedError
from cloudstore_tui.core.links import ReadPiece
from cloudstore_tui.preview.model import ReadReply, ReadRequest
from cloudstore_tui.preview.runner import reap, receive, send
from cloudstore_tui.preview.sound_process import HEAD, NO_DEVICE, RATE, REPORT, WIDTH, DecodeJob, Samples, format_of

AHEAD_S = 1.0
"""Seconds of sound buffered in the process that plays, to bridge a busy screen."""
PIECE = 64 * 1024
"""Bytes of a recording fetched at a time: 15 seconds of a call's MP3."""
MAX_SOUND = 256 * 1024 * 1024
"""Bytes of the largest recording that is played."""
MAX_WHOLE = 64 * 1024 * 1024
"""The same for a store without ranges, which sends all of it before any of it is heard."""
SPEEDS = (1.0, 1.25, 1.5, 2.0)
_HINT = "e opens it in another program, d downloads it."
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from cloudstore_tui.preview.sound_process import {0}; {0}()"
_MESSAGES: msgspec.msgpack.Decoder[ReadRequest | Samples] = msgspec.msgpack.Decoder(ReadRequest | Samples)


class RemoteSound:
    """The bytes of a recording: fetched on demand, one piece ahead, and cached."""

    def __init__(self, read: ReadPiece, size: int | None) -> None:
        self._read = read
        self._pieces: dict[int, asyncio.Task[bytes]] = {}
        self._whole = b""
        self.size = size or 0
        self.problem = ""
        """Why some of it cannot be read, as a sentence."""

    async def open(self) -> bytes:
        """Its first bytes, which show its format.

        Raises:
            StorageError: they cannot be read.
            UnsupportedError: it is too large to be played.
        """
        first = await self._read(0, PIECE)
        self.size = first.total if first.total is not None else self.size
        most = MAX_SOUND if first.ranged else MAX_WHOLE
        if not 0 < self.size <= most:
            raise UnsupportedError("it is too large, or of unknown size", hint="d downloads it, y links to it.")
        if not first.ranged:
            self._whole = (await self._read(0, self.size)).data
        return first.data

    async def answer(self, request: ReadRequest) -> ReadReply:
        """The bytes of each range; none where they cannot be read."""
        try:
            return ReadReply(tuple([await self._read_range(first, count) for first, count in request.ranges]))
        except StorageError as error:
            self.problem = f"The rest could not be read: {error.message}."
            return ReadReply(tuple(b"" for _ in request.ranges), self.problem)

    async def close(self) -> None:
        """Stop fetching."""
        for task in self._pieces.values():
            task.cancel()
        await asyncio.gather(*self._pieces.values(), return_exceptions=True)

    async def _read_range(self, first: int, count: int) -> bytes:
        last = min(first + count, self.size)
        if self._whole or last <= first:
            return self._whole[first:last]
        numbers = range(first // PIECE, (last - 1) // PIECE + 1)
        tasks = [self._piece(number) for number in numbers]
        if numbers.stop * PIECE < self.size:
            self._piece(numbers.stop)
        # Shielded, because the next reader wants these pieces even if this one is cancelled.
        joined = b"".join(await asyncio.gather(*map(asyncio.shield, tasks)))
        return joined[first - numbers.start * PIECE : last - numbers.start * PIECE]

    def _piece(self, number: int) -> asyncio.Task[bytes]:
        task = self._pieces.get(number)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._pieces[number] = asyncio.create_task(self._fetch(number))
        return task

    async def _fetch(self, number: int) -> bytes:
        return (await self._read(number * PIECE, min(PIECE, self.size - number * PIECE))).data


class Player:
    """Plays one recording.

    Calls `on_change` a few times a second while the position moves, and at the end. `environment` is for the process
    with the sound device, since desktops pass the address of their sound server that way.
    """

    def __init__(self, sound: RemoteSound, on_change: Callable[[], None], environment: Mapping[str, str]) -> None:
        self._sound = sound
        self._on_change = on_change
        self._environment = dict(environment)
        self._output: Process | None = None
        self._decoder: Process | None = None
        self._reports: asyncio.Task[None] | None = None
        self._feeder: asyncio.Task[None] | None = None
        self._played_more = asyncio.Event()
        self._flushes = 0
        self._played = self._sent = 0
        self._base = 0.0
        self._all_sent = False
        self.speed = 1.0
        self.paused = False
        self.ended = False
        """Whether the last sample was heard."""
        self.is_waiting = False
        """Whether playback has stalled until more bytes arrive."""

    @property
    def position(self) -> float:
        """Seconds from the beginning of the recording."""
        return self._base + self._played / RATE * self.speed

    @property
    def problem(self) -> str:
        """Why it ended early, as a sentence."""
        if self.ended and not self._sound.problem and self._base == 0.0 and self._sent == 0:
            return "Its sound could not be decoded. e opens it in another program."
        return self._sound.problem

    async def start(self) -> None:
        """Play from the beginning.

        Raises:
            UnsupportedError: its format is not supported, or there is no sound device.
            StorageError: it cannot be read.
        """
        if format_of(await self._sound.open()) is None:
            raise UnsupportedError("its format is not played here", hint=_HINT)
        self._output = await _start_process("output_main", self._environment)
        assert self._output.stdout is not None
        try:
            await self._output.stdout.readexactly(REPORT.size)
        except asyncio.IncompleteReadError:
            code = await self._output.wait()
            why = "no sound device was found" if code == NO_DEVICE else "the sound device cannot be used"
            raise UnsupportedError(why, hint=_HINT) from None
        self._reports = asyncio.create_task(self._read_reports(self._output))
        await self.seek(0.0)

    async def seek(self, seconds: float) -> None:
        """Continue from another position."""
        await self._stop_feeding()
        self._send_command(b"F")
        self._flushes = (self._flushes + 1) % 256
        self._base, self._played, self._sent = max(seconds, 0.0), 0, 0
        self._all_sent = self.ended = self.is_waiting = False
        self._sound.problem = ""
        self._feeder = asyncio.create_task(self._feed())
        self._on_change()

    async def set_speed(self, speed: float) -> None:
        """Continue at another speed, at the same pitch."""
        at, self.speed = self.position, speed
        await self.seek(at)

    def pause(self, *, paused: bool) -> None:
        """Pause or resume."""
        self.paused = paused
        self._send_command(b"P" if paused else b"R")
        self._on_change()

    async def close(self) -> None:
        """End both processes."""
        await self._stop_feeding()
        await _cancel(self._reports)
        output, self._output = self._output, None
        if output is not None:
            await _kill(output)
        await self._sound.close()

    async def _stop_feeding(self) -> None:
        await _cancel(self._feeder)
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            await _kill(decoder)

    async def _feed(self) -> None:
        """Pass bytes to the decoder and its samples to the output, `AHEAD_S` ahead of what is played."""
        decoder = self._decoder = await _start_process("decoder_main", {})
        # A decoder that sends anything but messages was taken over by the recording, and is stopped.
        with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            await send(decoder, DecodeJob(self._sound.size, self._base, self.speed))
            while True:
                message = await receive(decoder, _MESSAGES)
                if isinstance(message, ReadRequest):
                    await send(decoder, await self._sound.answer(message))
                else:
                    await self._pass_on(message.data)
        self._all_sent = True

    async def _pass_on(self, samples: bytes) -> None:
        self._send_command(b"D", samples)
        self._sent += len(samples) // WIDTH
        while self._sent - self._played > AHEAD_S * RATE:
            self._played_more.clear()
            await self._played_more.wait()

    async def _read_reports(self, output: Process) -> None:
        """Read the position from the process that plays, until it exits."""
        assert output.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while True:
                flushes, played = REPORT.unpack(await output.stdout.readexactly(REPORT.size))
                if flushes == self._flushes:
                    self._set_played(played)
        self.ended = True
        self._on_change()

    def _set_played(self, played: int) -> None:
        """Take over how many samples have been played since the last flush."""
        before = self._played, self.is_waiting, self.ended
        self._played = played
        self.ended = self._all_sent and played >= self._sent
        self.is_waiting = played >= self._sent and not self.ended
        if (self._played, self.is_waiting, self.ended) != before:
            self._played_more.set()
            self._on_change()

    def _send_command(self, letter: bytes, data: bytes = b"") -> None:
        if self._output is not None and self._output.stdin is not None:
            self._output.stdin.write(HEAD.pack(letter, len(data)) + data)


async def _start_process(main: str, environment: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _PROGRAM.format(main), *filter(None, sys.path),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=dict(environment), cwd="/",
    )  # fmt: skip


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _kill(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    await reap(process)

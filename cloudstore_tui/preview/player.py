"""Listening to a recording: it is fetched while it is heard.

One process decodes and asks for the bytes that it needs, one has the sound device; samples go from the first through
this program to the second, and the position comes back.
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
from cloudstore_tui.preview.model import Answer, Ask
from cloudstore_tui.preview.runner import reap, receive, send
from cloudstore_tui.preview.sound_process import HEAD, NO_DEVICE, RATE, REPORT, WIDTH, DecodeJob, Samples, format_of

AHEAD_S = 1.0
"""Seconds of sound that wait in the process that plays: what a busy screen may take."""
PIECE = 64 * 1024
"""Bytes of a recording that are fetched at once: for a call's MP3 a quarter of a minute."""
MAX_SOUND = 256 * 1024 * 1024
"""Bytes of a recording that is played here."""
MAX_WHOLE = 64 * 1024 * 1024
"""Bytes of one whose store cannot begin in the middle, so that it has to be fetched before it is heard."""
SPEEDS = (1.0, 1.25, 1.5, 2.0)
_HINT = "e opens it in another program, d fetches it."
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from cloudstore_tui.preview.sound_process import {0}; {0}()"
_MESSAGES: msgspec.msgpack.Decoder[Ask | Samples] = msgspec.msgpack.Decoder(Ask | Samples)


class RemoteSound:
    """The bytes of a recording: fetched when they are wanted, and the next ones meanwhile; kept once they are here."""

    def __init__(self, read: ReadPiece, size: int | None) -> None:
        """Take what reads it; an unknown size is asked for."""
        self._read = read
        self._pieces: dict[int, asyncio.Task[bytes]] = {}
        self._whole = b""
        self.size = size or 0
        self.problem = ""
        """Why some of it cannot be read, as a sentence."""

    async def open(self) -> bytes:
        """Its first bytes, by which its format is known.

        Raises:
            StorageError: they cannot be had.
            UnsupportedError: it is too large to be played.
        """
        first = await self._read(0, PIECE)
        self.size = first.total if first.total is not None else self.size
        most = MAX_SOUND if first.ranged else MAX_WHOLE
        if not 0 < self.size <= most:
            raise UnsupportedError("it is too large, or of unknown size", hint="d fetches it, y links to it.")
        if not first.ranged:
            self._whole = (await self._read(0, self.size)).data
        return first.data

    async def answer(self, ask: Ask) -> Answer:
        """The bytes of each stretch; none where they cannot be read."""
        try:
            return Answer(tuple([await self._stretch(first, count) for first, count in ask.stretches]))
        except StorageError as error:
            self.problem = f"It could not be read on: {error.message}."
            return Answer(tuple(b"" for _ in ask.stretches), self.problem)

    async def close(self) -> None:
        """Fetch no more."""
        for task in self._pieces.values():
            task.cancel()
        await asyncio.gather(*self._pieces.values(), return_exceptions=True)

    async def _stretch(self, first: int, count: int) -> bytes:
        last = min(first + count, self.size)
        if self._whole or last <= first:
            return self._whole[first:last]
        numbers = range(first // PIECE, (last - 1) // PIECE + 1)
        tasks = [self._piece(number) for number in numbers]
        if numbers.stop * PIECE < self.size:
            self._piece(numbers.stop)
        # Whoever waits may give up; what is on its way is wanted by the next one.
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
    """Plays one recording, and calls `moved` with its position a few times a second."""

    def __init__(self, sound: RemoteSound, moved: Callable[[], None], environment: Mapping[str, str]) -> None:
        """Take a recording.

        Args:
            sound: its bytes.
            moved: told when the position is another one, or the end was reached.
            environment: of the process that plays, in which desktops tell where their sound goes.
        """
        self._sound = sound
        self._moved = moved
        self._environment = dict(environment)
        self._output: Process | None = None
        self._decoder: Process | None = None
        self._following: asyncio.Task[None] | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._played_more = asyncio.Event()
        self._forgotten = 0
        self._played = self._sent = 0
        self._base = 0.0
        self._all_sent = False
        self.speed = 1.0
        self.paused = False
        self.ended = False
        """Whether the last sample was heard."""
        self.is_waiting = False
        """Whether it would be heard if its bytes were here."""

    @property
    def position(self) -> float:
        """Seconds of the recording that were heard, or passed over."""
        return self._base + self._played / RATE * self.speed

    @property
    def problem(self) -> str:
        """Why it ended early, as a sentence."""
        if self.ended and not self._sound.problem and self._base == 0.0 and self._sent == 0:
            return "Its sound could not be decoded. e opens it in another program."
        return self._sound.problem

    async def start(self) -> None:
        """Begin at the beginning.

        Raises:
            UnsupportedError: nothing here plays it.
            StorageError: it cannot be had.
        """
        if format_of(await self._sound.open()) is None:
            raise UnsupportedError("its format is not played here", hint=_HINT)
        self._output = await _started("output_main", self._environment)
        assert self._output.stdout is not None
        try:
            await self._output.stdout.readexactly(REPORT.size)
        except asyncio.IncompleteReadError:
            code = await self._output.wait()
            why = "no sound device was found" if code == NO_DEVICE else "the sound device cannot be used"
            raise UnsupportedError(why, hint=_HINT) from None
        self._following = asyncio.create_task(self._follow(self._output))
        await self.seek(0.0)

    async def seek(self, seconds: float) -> None:
        """Go on from another second; what is not here yet is fetched from there."""
        await self._stop_feeding()
        self._order(b"F")
        self._forgotten = (self._forgotten + 1) % 256
        self._base, self._played, self._sent = max(seconds, 0.0), 0, 0
        self._all_sent = self.ended = self.is_waiting = False
        self._sound.problem = ""
        self._feeding = asyncio.create_task(self._feed())
        self._moved()

    async def set_speed(self, speed: float) -> None:
        """Go on from here at another speed, at the same pitch."""
        at, self.speed = self.position, speed
        await self.seek(at)

    def pause(self, *, paused: bool) -> None:
        """Be silent, or go on."""
        self.paused = paused
        self._order(b"P" if paused else b"R")
        self._moved()

    async def close(self) -> None:
        """End both processes."""
        await self._stop_feeding()
        await _cancelled(self._following)
        output, self._output = self._output, None
        if output is not None:
            await _end(output)
        await self._sound.close()

    async def _stop_feeding(self) -> None:
        await _cancelled(self._feeding)
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            await _end(decoder)

    async def _feed(self) -> None:
        """Pass bytes to the decoder and its samples on, never many more than are played."""
        decoder = self._decoder = await _started("decoder_main", {})
        # What is no message comes from a decoder that was led astray: that is its end.
        with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            await send(decoder, DecodeJob(self._sound.size, self._base, self.speed))
            while True:
                message = await receive(decoder, _MESSAGES)
                if isinstance(message, Ask):
                    await send(decoder, await self._sound.answer(message))
                else:
                    await self._pass_on(message.data)
        self._all_sent = True

    async def _pass_on(self, samples: bytes) -> None:
        self._order(b"D", samples)
        self._sent += len(samples) // WIDTH
        while self._sent - self._played > AHEAD_S * RATE:
            self._played_more.clear()
            await self._played_more.wait()

    async def _follow(self, output: Process) -> None:
        """Take the reports of the process that plays, until it ends."""
        assert output.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while True:
                forgotten, played = REPORT.unpack(await output.stdout.readexactly(REPORT.size))
                if forgotten == self._forgotten:
                    self._take(played)
        self.ended = True
        self._moved()

    def _take(self, played: int) -> None:
        """Note how many samples were heard by now."""
        before = self._played, self.is_waiting, self.ended
        self._played = played
        self.ended = self._all_sent and played >= self._sent
        self.is_waiting = played >= self._sent and not self.ended
        if (self._played, self.is_waiting, self.ended) != before:
            self._played_more.set()
            self._moved()

    def _order(self, letter: bytes, data: bytes = b"") -> None:
        if self._output is not None and self._output.stdin is not None:
            self._output.stdin.write(HEAD.pack(letter, len(data)) + data)


async def _started(main: str, environment: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _PROGRAM.format(main), *filter(None, sys.path),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=dict(environment), cwd="/",
    )  # fmt: skip


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    await reap(process)

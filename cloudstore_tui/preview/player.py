"""Listening to a recording: samples go from the process that decodes to the one that plays; the position comes back."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from cloudstore_tui.core.errors import UnsupportedError
from cloudstore_tui.preview.runner import reap
from cloudstore_tui.preview.sound_process import HEAD, NO_DEVICE, RATE, REPORT, WIDTH, DecodeJob, format_of

AHEAD_S = 1.0
"""Seconds of sound that wait in the process that plays: what a busy screen may take."""
MAX_SOUND = 64 * 1024 * 1024
"""Bytes of a recording that are kept to be listened to."""
SPEEDS = (1.0, 1.25, 1.5, 2.0)
_PIECE = RATE // 5 * WIDTH
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from cloudstore_tui.preview.sound_process import {0}; {0}()"


class Player:
    """Plays one recording. Whatever is called, `moved` is told where it is a few times a second."""

    def __init__(self, data: bytes, moved: Callable[[], None], environment: Mapping[str, str]) -> None:
        """Take a recording.

        Args:
            data: all of it.
            moved: told when the position is another one, or the end was reached.
            environment: of the process that plays, in which desktops tell where their sound goes.

        Raises:
            UnsupportedError: it is in no format that is played here.
        """
        if format_of(data) is None:
            raise UnsupportedError("its format is not played here", hint="e opens it in another program, d fetches it.")
        self._data = data
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

    @property
    def position(self) -> float:
        """Seconds of the recording that were heard, or passed over."""
        return self._base + self._played / RATE * self.speed

    @property
    def is_mute(self) -> bool:
        """Whether nothing in it could be decoded."""
        return self.ended and self._base == 0.0 and self._sent == 0

    async def start(self) -> None:
        """Begin at the beginning.

        Raises:
            UnsupportedError: nothing here plays sound.
        """
        self._output = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _PROGRAM.format("output_main"), *filter(None, sys.path),
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=self._environment,
        )  # fmt: skip
        assert self._output.stdout is not None
        try:
            await self._output.stdout.readexactly(REPORT.size)
        except asyncio.IncompleteReadError:
            code = await self._output.wait()
            why = "no sound device was found" if code == NO_DEVICE else "the sound device cannot be used"
            raise UnsupportedError(why, hint="e opens the recording in another program, d fetches it.") from None
        self._following = asyncio.create_task(self._follow(self._output))
        await self.seek(0.0)

    async def seek(self, seconds: float) -> None:
        """Go on from another second."""
        await self._stop_feeding()
        self._order(b"F")
        self._forgotten = (self._forgotten + 1) % 256
        self._base, self._played, self._sent = max(seconds, 0.0), 0, 0
        self._all_sent = self.ended = False
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

    async def _stop_feeding(self) -> None:
        await _cancelled(self._feeding)
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            await _end(decoder)

    async def _feed(self) -> None:
        """Pass samples on, never many more than are played."""
        decoder = self._decoder = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _PROGRAM.format("decoder_main"), *filter(None, sys.path),
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/", limit=4 * _PIECE,
        )  # fmt: skip
        assert decoder.stdin is not None
        assert decoder.stdout is not None
        with suppress(ConnectionError):
            decoder.stdin.write(msgspec.msgpack.encode(DecodeJob(self._data, self._base, self.speed)))
            await decoder.stdin.drain()
        decoder.stdin.close()
        while samples := await decoder.stdout.read(_PIECE):
            if len(samples) % WIDTH:
                samples += await decoder.stdout.readexactly(WIDTH - len(samples) % WIDTH)
            self._order(b"D", samples)
            self._sent += len(samples) // WIDTH
            while self._sent - self._played > AHEAD_S * RATE:
                self._played_more.clear()
                await self._played_more.wait()
        self._all_sent = True

    async def _follow(self, output: Process) -> None:
        """Take the reports of the process that plays, until it ends."""
        assert output.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while True:
                forgotten, played = REPORT.unpack(await output.stdout.readexactly(REPORT.size))
                if forgotten == self._forgotten and played != self._played:
                    self._played = played
                    self._played_more.set()
                    self._moved()
                if self._all_sent and not self.ended and self._played >= self._sent:
                    self.ended = True
                    self._moved()
        self.ended = True
        self._moved()

    def _order(self, letter: bytes, data: bytes = b"") -> None:
        if self._output is not None and self._output.stdin is not None:
            self._output.stdin.write(HEAD.pack(letter, len(data)) + data)


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

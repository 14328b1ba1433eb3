"""How this process begins, and how signals end its work."""

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from cloudstore_tui.cli.output import Output


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of those it starts, write no memory to the disk."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_ERROR = 2


def open_closed_streams() -> None:
    """Open them to nowhere: else the next file of ours would be in their place, and be read or written as such."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _ERROR:
        pass
    os.close(handle)
    nowhere = Path(os.devnull)
    # Nobody closes them again before the end.
    sys.stdin = sys.stdin or nowhere.open()
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")


LONGEST = 2.0
"""Seconds after a signal in which everything has to be put away."""

_CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


class Stop:
    """Cancels a command's work when a signal comes while inside the block; whoever asks twice gets the end at once.

    The handlers are plain ones, not the loop's: a loop that waits for an answer or for a full pipe would not hear.
    """

    def __init__(self, task: asyncio.Future[None], output: Output) -> None:
        self.code = 0
        """The exit code of the signal that came; 0 if none did."""
        self._task = task
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        for number in _CODES:
            self._before[number] = signal.getsignal(number)
            # A program started by nohup shall outlive its terminal.
            if number is not signal.SIGHUP or self._before[number] is not signal.SIG_IGN:
                signal.signal(number, self._hear)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code:
            # What is put away after the work must not be cut short by another kind of signal.
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        code = _CODES[signal.Signals(number)]
        if self.code:
            os._exit(code)
        self.code = code
        watchdog = threading.Timer(LONGEST, os._exit, (code,))
        watchdog.daemon = True
        watchdog.start()
        if self._output.asking:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._task.cancel)

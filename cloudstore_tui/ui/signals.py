"""Signals that end the program, and the certainty that it ends."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable

from cloudstore_tui.ui.terminal.driver import TERMINAL

HANGUP = 129
"""Exit code after the terminal was closed."""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: HANGUP}
"""Exit code of each signal that is listened to."""

PATIENCE = 2.0
"""Seconds that the program gets to end by itself: something in it may hang, as looking up a name does."""


def listen(loop: asyncio.AbstractEventLoop, stop: Callable[[int], None], *, outlives_terminal: bool = False) -> None:
    """Let each signal call `stop` with its exit code, and end the process if that takes too long.

    One that outlives its terminal still has work to do after SIGHUP, and takes its time.
    """

    def end(code: int) -> None:
        if not (outlives_terminal and code == HANGUP):
            watchdog = threading.Timer(PATIENCE, _end_now, (code,))
            watchdog.daemon = True
            watchdog.start()
        stop(code)

    for number, code in CODES.items():
        loop.add_signal_handler(number, end, code)


def _end_now(code: int) -> None:
    TERMINAL.give_back_now()
    os._exit(code)


def ignore(loop: asyncio.AbstractEventLoop) -> None:
    """Give the signals back to the system."""
    for number in CODES:
        loop.remove_signal_handler(number)

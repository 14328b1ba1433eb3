"""Other programs that show a file: which one, and how it gets the terminal for a while."""

import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from cloudstore_tui.config.secrets import child_environment
from cloudstore_tui.core.errors import ConfigError

FALLBACKS = ("less", "more", "vi")
AT_ONCE = 1.5
"""Seconds; a program that ends sooner has passed the file on to another one, which still needs it."""


def opener(configured: str, environment: Mapping[str, str]) -> list[str]:
    """The program and its arguments: as configured, else the user's pager, else their editor, else what there is.

    Raises:
        ConfigError: there is none, or it cannot be found.
    """
    for text, place in (
        (configured, "opener"),
        *((environment.get(name, ""), name) for name in ("PAGER", "VISUAL", "EDITOR")),
    ):
        if text.strip():
            return _found(text, place)
    for name in FALLBACKS:
        if shutil.which(name):
            return [name]
    raise ConfigError(
        "there is no program to open it with", hint="Set PAGER or EDITOR, or opener under [settings]; p shows it here."
    )


def command(program: Sequence[str], path: Path) -> list[str]:
    """The whole command; `{}` stands for the file, which else comes last."""
    if any("{}" in part for part in program):
        return [part.replace("{}", str(path)) for part in program]
    return [*program, str(path)]


def run(arguments: Sequence[str]) -> bool:
    """Let a program have the terminal until it ends; whether it took long enough to have shown something.

    Ctrl+C belongs to the program. What would end ours ends the program first, and ours after it.

    Raises:
        ConfigError: it cannot be started.
    """
    begun, caught = time.monotonic(), list[int]()
    # The loop stands still meanwhile; what comes now must not be carried out when it goes on.
    wakeup = signal.set_wakeup_fd(-1)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    try:
        child = subprocess.Popen(arguments, env=child_environment())

        def end(number: int, _frame: FrameType | None) -> None:
            caught.append(number)
            child.terminate()

        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        child.wait()
    except OSError as error:
        why = (error.strerror or "unknown").lower()
        raise ConfigError(
            f"{arguments[0]} cannot be started: {why}", hint="Look at PAGER, EDITOR and opener."
        ) from None
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
    for late in caught:
        signal.raise_signal(late)
    return time.monotonic() - begun >= AT_ONCE


def _found(text: str, place: str) -> list[str]:
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = []
    if not parts or shutil.which(parts[0]) is None:
        message = f"it names a program that is not there: {text}"
        raise ConfigError(message, subject=place, hint=f"Install it, or change {place}.")
    return parts

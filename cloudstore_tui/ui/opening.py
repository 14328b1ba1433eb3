"""Opening files in other programs: which one, and how it gets the terminal."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from cloudstore_tui.config.secrets import child_environment
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui.clipboard import is_local

PAGERS = ("less", "more", "vi")
PLAYERS = ("mpv", "ffplay -nodisp -autoexit", "afplay", "xdg-open")
VIEWERS = ("mpv", "ffplay -autoexit", "open", "xdg-open")
PICTURES = ("open", "xdg-open")
"""Programs by kind of file, the best first; without a desktop, those that need one are skipped."""
PASSED_ON_S = 1.5
"""Seconds; a program that ends sooner has handed the file to another one, which still needs it."""

_WITHOUT_DESKTOP = frozenset({"mpv", "ffplay", "afplay"})
"""Programs that play sound without a desktop."""
_BY_KIND = {"audio": PLAYERS, "video": VIEWERS, "image": PICTURES}
_LACKS = {
    "audio": "Nothing on this machine plays sound.",
    "video": "Nothing on this machine shows videos.",
    "image": "Nothing on this machine shows images.",
}
_ENDINGS = {
    **dict.fromkeys(("mp3", "wav", "ogg", "oga", "opus", "flac", "m4a", "aac"), "audio"),
    **dict.fromkeys(("amr", "au", "snd", "aiff", "wma", "gsm", "w64", "ac3"), "audio"),
    **dict.fromkeys(("mp4", "webm", "mkv", "avi", "mov", "ogv", "flv", "mpg"), "video"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "heic"), "image"),
}


def kind_of(entry: StoredObject) -> str:
    """The kind of an object: `audio`, `video`, `image` or `text`."""
    kind = entry.mime.partition("/")[0]
    if kind in _BY_KIND:
        return kind
    return _ENDINGS.get(entry.name.lower().rpartition(".")[2], "text")


def opener(kind: str, configured: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """The program for a kind of file and its arguments: as configured, from the environment, or the first installed.

    Raises:
        ConfigError: there is none, or the configured one is not installed.
    """
    if program := configured.get(kind, ""):
        return _found(program, "opener")
    if kind != "text":
        return _first(kind, environment)
    for name in ("PAGER", "VISUAL", "EDITOR"):
        if environment.get(name, "").strip():
            return _found(environment[name], name)
    for name in PAGERS:
        if shutil.which(name):
            return [name]
    raise ConfigError(
        "there is no program to open it with", hint="Set PAGER or EDITOR, or opener under [settings]; p shows it here."
    )


def has_desktop(environment: Mapping[str, str]) -> bool:
    """Whether programs can show windows."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")) or sys.platform == "darwin"


def open_folder(folder: Path, environment: Mapping[str, str]) -> bool:
    """Show a folder in the file manager of the user's desktop; whether there is one. Never blocks."""
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None or not has_desktop(environment) or not is_local(environment) or not folder.is_dir():
        return False
    nothing = subprocess.DEVNULL
    try:
        subprocess.Popen(
            [program, str(folder)],
            env=child_environment(),
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
        )
    except OSError:
        return False
    return True


def _first(kind: str, environment: Mapping[str, str]) -> list[str]:
    """The first installed program for a kind of media."""
    desktop = has_desktop(environment)
    for text in _BY_KIND[kind]:
        parts = text.split()
        if shutil.which(parts[0]) and (desktop or (kind == "audio" and parts[0] in _WITHOUT_DESKTOP)):
            return parts
    raise ConfigError(
        _LACKS[kind].rstrip(".").lower(),
        hint=f'd fetches it, y links to it; or set opener = {{ {kind} = "…" }} under [settings].',
    )


def command(program: Sequence[str], path: Path) -> list[str]:
    """The whole command; the file replaces `{}`, or comes last."""
    if any("{}" in part for part in program):
        return [part.replace("{}", str(path)) for part in program]
    return [*program, str(path)]


def run(arguments: Sequence[str]) -> bool:
    """Run a program in the terminal; whether it ran long enough to have shown the file itself.

    Ctrl+C goes to that program. SIGTERM and SIGHUP end it first, then this one.

    Raises:
        ConfigError: it cannot be started.
    """
    begun, caught = time.monotonic(), list[int]()
    # The event loop is blocked meanwhile; signals must not be handled again when it continues.
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
    return time.monotonic() - begun >= PASSED_ON_S


def _found(text: str, place: str) -> list[str]:
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = []
    if not parts or shutil.which(parts[0]) is None:
        message = f"it names a program that is not there: {text}"
        raise ConfigError(message, subject=place, hint=f"Install it, or change {place}.")
    return parts

"""Other programs that show a file: which one, and how it gets the terminal for a while."""

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
"""What shows a kind of file, the best first; those that need a desktop are left out where there is none."""
PASSED_ON_S = 1.5
"""Seconds; a program that ends sooner has passed the file on to another one, which still needs it."""

_WITHOUT_DESKTOP = frozenset({"mpv", "ffplay", "afplay"})
"""Programs that play sound without one."""
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
    """What kind of program shows an object: for `audio`, `video`, `image` or `text`."""
    kind = entry.mime.partition("/")[0]
    if kind in _BY_KIND:
        return kind
    return _ENDINGS.get(entry.name.lower().rpartition(".")[2], "text")


def opener(kind: str, configured: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """The program for a kind of file and its arguments: as configured, else what there is; of texts the user's own.

    Raises:
        ConfigError: there is none, or it cannot be found.
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
    """Whether a program can show a window."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")) or sys.platform == "darwin"


def open_folder(folder: Path, environment: Mapping[str, str]) -> bool:
    """Show a folder in the file manager of the desktop that the user sits at; whether there is one. Never waits."""
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
    """The first program that is there. Never a pager: a recording is no text."""
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

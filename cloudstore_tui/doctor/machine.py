"""This machine: room on the disk, folders that can be written, the terminal and its clipboard."""

import locale
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.doctor.finding import Finding, Verdict
from cloudstore_tui.transfers.journal.store import FILE

LITTLE_ROOM = 2_000_000_000
"""Bytes: less does not hold one zip of the service."""
SMALLEST = (60, 15)
"""Columns and lines that the browser needs at least."""

_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY")
_NO_CURSOR = ("", "dumb", "unknown")


def look_at_disk(download_dir: Path) -> Iterator[Finding]:
    """The folder for downloads, and the one for what must survive a restart."""
    folder = download_dir.expanduser().absolute()
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        hint = "Name another folder as download_dir under [settings], or make this one writable."
        text = f"{folder}: {(error.strerror or 'cannot be written').lower()}"
        yield Finding("", "downloads", Verdict.FAIL, text, hint, 5)
    else:
        text = f"{folder}: {free / 1e9:,.1f} GB free"
        if free < LITTLE_ROOM:
            yield Finding("", "downloads", Verdict.WARN, text, "Make room: one zip of the service has up to 2 GB.")
        else:
            yield Finding("", "downloads", Verdict.OK, text)
    yield _journal()


def _journal() -> Finding:
    """Whether the journal of transfers can be read. Opening it as a transfer does would mend what is damaged."""
    path = state_folder() / FILE
    if not path.exists():
        return Finding("", "journal", Verdict.OK, f"{path}: none yet, the first transfer makes it")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as journal:
            (told,) = journal.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        told = str(error)
    if told == "ok":
        return Finding("", "journal", Verdict.OK, str(path))
    hint = "The next transfer moves it aside and begins a new one; what was interrupted then begins anew."
    return Finding("", "journal", Verdict.FAIL, f"{path}: {told}", hint, 5)


def look_at_terminal(environment: Mapping[str, str], size: os.terminal_size | None) -> Iterator[Finding]:
    """What the browser would find; `size` is `None` where there is no terminal."""
    yield _terminal(environment, size)
    yield _letters(environment)
    yield _clipboard(environment)


def _terminal(environment: Mapping[str, str], size: os.terminal_size | None) -> Finding:
    kind = environment.get("TERM", "")
    if size is None:
        return Finding("", "terminal", Verdict.SKIP, "not checked: this runs without one; the browser needs one")
    if kind in _NO_CURSOR:
        text = f"TERM is {kind or 'not set'}: the browser cannot be drawn"
        return Finding(
            "", "terminal", Verdict.WARN, text, "Set it to what your terminal is, such as TERM=xterm-256color."
        )
    between = [name for name, variable in (("tmux", "TMUX"), ("screen", "STY")) if environment.get(variable)]
    parts = [kind, f"{size.columns}×{size.lines}", *between, *(["over SSH"] if _is_remote(environment) else [])]
    text = ", ".join(parts)
    if size.columns < SMALLEST[0] or size.lines < SMALLEST[1]:
        hint = f"Make the window larger: {SMALLEST[0]}×{SMALLEST[1]} at least."
        return Finding("", "terminal", Verdict.WARN, text, hint)
    return Finding("", "terminal", Verdict.OK, text)


def _letters(environment: Mapping[str, str]) -> Finding:
    wanted = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    if "utf" in wanted.lower() or (not wanted and "utf" in locale.getpreferredencoding(do_setlocale=False).lower()):
        return Finding("", "letters", Verdict.OK, wanted or "UTF-8")
    text = f"the locale {wanted or 'C'} is not UTF-8: names beyond ASCII are shown as ?"
    return Finding("", "letters", Verdict.WARN, text, "Set LANG=C.UTF-8, or another locale that ends with UTF-8.")


def _clipboard(environment: Mapping[str, str]) -> Finding:
    if environment.get("TMUX"):
        text = "through tmux, which passes it on if set-clipboard is on"
        return Finding("", "clipboard", Verdict.OK, text, "If copying does nothing: tmux set -g set-clipboard on")
    if environment.get("TERM", "").startswith(("linux", "vt")):
        return Finding("", "clipboard", Verdict.WARN, "this terminal has none", "Links are shown in full: select them.")
    own = any(environment.get(name) for name in _DESKTOPS) and not _is_remote(environment)
    text = "your terminal's, by OSC 52" + (", and that of this desktop" if own else "")
    return Finding(
        "", "clipboard", Verdict.OK, text, "" if own else "If copying does nothing, your terminal forbids it."
    )


def _is_remote(environment: Mapping[str, str]) -> bool:
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))

"""Copying text to where the user can paste it, also over SSH.

OSC 52 asks the user's own terminal to copy a text, wherever the program runs. Terminals do not confirm it, so the text
stays on the screen as well. On a desktop the system clipboard is tried after that.
"""

import base64
import os
import shlex
import threading
from collections.abc import Mapping
from typing import Any

import pyperclip
from textual.app import App

from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.terminal.driver import driver_of
from cloudstore_tui.ui.text import COMMANDS

LARGEST = 74_000
"""Longest sequence, in characters, that every terminal accepts; xterm's limit is the lowest."""

SENT = "Copied to your terminal's clipboard."

_SCREEN_CHUNK = 252
"""GNU screen cuts strings at 256 characters, four of which wrap them."""


def copy_text(app: App[Any], text: str) -> str:
    """Send a text to the clipboard and return a sentence that says what was done. Never raises, never blocks.

    Call it with secrets only if the user asked for that with a key.
    """
    # Line breaks are kept; within a line nothing may act as a command where it is pasted.
    text = "\n".join(map(one_line, text.split("\n")))
    if not text:
        return "There is nothing to copy."
    sequences = terminal_sequences(text, os.environ)
    if sequences:
        app.copy_to_clipboard(text)
        for sequence in sequences[1:]:
            _write(app, sequence)
    local = is_local(os.environ)
    if local:
        # In a daemon thread: the programs behind pyperclip may hang without a display.
        threading.Thread(target=_copy_native, args=(text,), daemon=True).start()
    if sequences:
        return f"{SENT} It holds the real text, not the masked one." if MASK.on else SENT
    why = "Too long for a terminal's clipboard" if has_clipboard(os.environ) else "This terminal has no clipboard"
    return f"{why}: {'tried that of this machine only.' if local else 'select it on the screen instead.'}"


def one_line(text: str) -> str:
    """A text that is safe to paste into a shell: one line without control characters."""
    # A lone surrogate, from a file name that is not UTF-8, cannot be sent.
    return COMMANDS.sub("\ufffd", text).encode("utf-8", "replace").decode("utf-8")


def curl_line(name: str, url: str) -> str:
    """A shell command that downloads a link to a file of this name in the current folder."""
    return shlex.join(["curl", "--fail", "--globoff", "--output", safe_name(name or "download"), url])


def has_clipboard(environment: Mapping[str, str]) -> bool:
    """Whether the terminal may have a clipboard; the Linux console and old terminals ignore OSC 52 at best."""
    between = environment.get("TMUX") or environment.get("STY")
    return bool(between) or not environment.get("TERM", "").startswith(("linux", "vt"))


def is_local(environment: Mapping[str, str]) -> bool:
    """Whether the program runs on the user's own machine, going by the SSH variables."""
    return not any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def terminal_sequences(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The OSC 52 sequence, then the one wrapped for tmux or screen if one of them runs.

    Empty if there is no clipboard, or if the text is too long: half a link would be worse than none.
    """
    if not has_clipboard(environment):
        return ()
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    plain = f"\x1b]52;c;{encoded}\a"
    if len(plain) > LARGEST:
        return ()
    if environment.get("TMUX"):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return plain, f"\x1bPtmux;{doubled}\x1b\\"
    if environment.get("STY") or environment.get("TERM", "").startswith("screen"):
        chunks = [plain[start : start + _SCREEN_CHUNK] for start in range(0, len(plain), _SCREEN_CHUNK)]
        return plain, "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return (plain,)


def _copy_native(text: str) -> None:
    try:
        pyperclip.copy(text)
    except Exception:  # noqa: BLE001  # best effort: the terminal was asked already
        return


def _write(app: App[Any], sequence: str) -> None:
    driver = driver_of(app)
    if driver is not None:
        driver.write(sequence)

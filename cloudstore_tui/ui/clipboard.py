"""Copying text to where the user can paste it, also over SSH.

The sequence OSC 52 asks the user's own terminal to take a text, wherever the program runs; nobody can know whether it
did, so the text stays on the screen, too. On a desktop the clipboard of the machine is tried as well, and only after.
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
"""Characters of a sequence that every terminal takes; xterm's limit is the lowest."""

SENT = "Copied to your terminal's clipboard."

_SCREEN_CHUNK = 252
"""GNU screen cuts strings at 256 characters; four are ours."""


def copy_text(app: App[Any], text: str) -> str:
    """Send a text to the clipboard, and say in a sentence what was done. Never raises, never waits.

    Secrets are copied only when the user asked for it by a key.
    """
    # No command for whatever it is pasted into; lines stay lines: what is in one of them is `one_line`.
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
        # After the terminal was asked: programs behind it may hang without a display. Nobody waits for the thread.
        threading.Thread(target=_copy_native, args=(text,), daemon=True).start()
    if sequences:
        return f"{SENT} It holds the real text, not the masked one." if MASK.on else SENT
    why = "Too long for a terminal's clipboard" if has_clipboard(os.environ) else "This terminal has no clipboard"
    return f"{why}: {'tried that of this machine only.' if local else 'select it on the screen instead.'}"


def one_line(text: str) -> str:
    """A text as it may be pasted into a shell: on one line, and with nothing in it that a terminal obeys."""
    # A lone surrogate, from a file name that is not UTF-8, cannot be sent.
    return COMMANDS.sub("\ufffd", text).encode("utf-8", "replace").decode("utf-8")


def curl_line(name: str, url: str) -> str:
    """The line for a shell that fetches a link into a file of this name in the current folder, whatever the name is."""
    return shlex.join(["curl", "--fail", "--globoff", "--output", safe_name(name or "download"), url])


def has_clipboard(environment: Mapping[str, str]) -> bool:
    """Whether the terminal can have one: the console and the old ones would at best ignore the sequence."""
    between = environment.get("TMUX") or environment.get("STY")
    return bool(between) or not environment.get("TERM", "").startswith(("linux", "vt"))


def is_local(environment: Mapping[str, str]) -> bool:
    """Whether the program runs on the machine that the user sits at, as far as one can tell."""
    return not any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def terminal_sequences(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What is written to the terminal: the plain sequence, then the wrapped one where tmux or screen is in between.

    Empty if the text is too long to be sent in one piece, as half a link is worse than none, or if nobody takes it.
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
    except Exception:  # noqa: BLE001  # whatever it is: the thread has nobody to tell
        # No clipboard on this machine; the terminal has been asked anyway.
        return


def _write(app: App[Any], sequence: str) -> None:
    driver = driver_of(app)
    if driver is not None:
        driver.write(sequence)

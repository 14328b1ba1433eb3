"""What a terminal is put into while the program has it, and how it is given back. Nothing in here asks it anything."""

import atexit
import os
import termios
import tty
from contextlib import suppress
from typing import Any

MOUSE_MODES = ("1000", "1006")
"""Clicks and the wheel, reported so that wide terminals work."""
DRAGGED, MOVED = "1002", "1003"
"""Moves with a button held; all moves."""

ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h\x1b[m\x1b[H\x1b[2J"
"""Alternate screen, no wrapping, no cursor, pasted text marked as such; blank, for those without another screen."""
LEAVE = "\x1b[m\x1b[H\x1b[2J\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"

ALONE = "\x1b[m\x1b[H\x1b[2J\x1b[?7h\x1b[?25h"
"""Room for a text that is to be selected: wrapped by the terminal itself, which then knows that it is one line."""

Attributes = list[Any]


def enter(*, mouse: bool, moves: bool) -> str:
    """What takes the terminal."""
    return f"{ENTER}{_mouse_on(moves=moves)}" if mouse else ENTER


def leave(*, mouse: bool) -> str:
    """What gives it back."""
    return f"{MOUSE_OFF}{LEAVE}" if mouse else LEAVE


def alone(text: str, *, mouse: bool) -> str:
    """What shows a text and nothing else, for the terminal's own selection."""
    return f"{MOUSE_OFF}{ALONE}{text}" if mouse else f"{ALONE}{text}"


def _mouse_on(*, moves: bool) -> str:
    """Ask for reports of the mouse; of moves without a button only if they are worth the line."""
    modes = (MOUSE_MODES[0], MOVED if moves else DRAGGED, MOUSE_MODES[1])
    return "".join(f"\x1b[?{mode}h" for mode in modes)


MOUSE_OFF = "".join(f"\x1b[?{mode}l" for mode in (*MOUSE_MODES, DRAGGED, MOVED))


def attributes(fd: int) -> Attributes | None:
    """How the line is set, if it is one."""
    with suppress(termios.error, OSError):
        return termios.tcgetattr(fd)
    return None


def set_attributes(fd: int, wanted: Attributes | None) -> None:
    """Set the line as it was; one that is gone needs nothing."""
    if wanted is not None:
        with suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSANOW, wanted)


def raw(before: Attributes) -> Attributes:
    """The same line, but every key comes at once and as it is."""
    after = [*before[:6], list(before[6])]
    after[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    after[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    after[tty.CC][termios.VMIN] = 1
    return after


class TerminalLoan:
    """The terminal while the program has it; can be given back by whoever is left, however the program ends."""

    def __init__(self) -> None:
        self._taken: tuple[int, int, Attributes | None] | None = None
        atexit.register(self.give_back_now)

    def take(self, source: int, target: int) -> None:
        """Take it, and remember how it was."""
        before = attributes(source)
        self._taken = source, target, before
        if before is not None:
            set_attributes(source, raw(before))

    def settle(self) -> None:
        """Set the line as it was."""
        if self._taken is not None:
            source, _target, before = self._taken
            self._taken = None
            set_attributes(source, before)

    def give_back_now(self) -> None:
        """Put everything back without waiting for anybody: the process is about to end."""
        if self._taken is None:
            return
        _source, target, _before = self._taken
        self.settle()
        with suppress(OSError):
            os.set_blocking(target, False)
        with suppress(OSError, termios.error):
            # What a stalled terminal did not take yet would only hold up what matters.
            termios.tcflush(target, termios.TCOFLUSH)
            os.write(target, f"{MOUSE_OFF}{LEAVE}".encode("ascii"))
        with suppress(OSError):
            # The shell shares it.
            os.set_blocking(target, True)


TERMINAL = TerminalLoan()
"""There is one terminal."""

"""A real pseudo-terminal with a program in it, which remembers what it was told and how it was set."""

import fcntl
import os
import re
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
import psutil
import pyte

from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE, PROMPTLY

ECHO, STILL = 0.5, 0.06
"""Seconds that a program takes at most to begin to answer a key, and after which it has said all."""

ESCAPE = 0.2
"""Seconds after which Escape alone is Escape, and no longer the beginning of another key."""

TIOCGPTPEER = 0x5441
"""Asks a terminal for the end that the program has; Linux alone knows it."""

SWITCH = re.compile(rb"\x1b\[\?(\d+)([hl])")


class Terminal:
    """A terminal of some size with a program in it."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.sent = b""
        variables = own_environment(folder, TERM="xterm-256color", LANG="C.UTF-8")
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(folder),
            env={name: value for name, value in (variables | environment).items() if value},
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )
        self.child.delaybeforesend = None
        self.before = self.after = self.attributes
        self._is_closed = False

    @property
    def attributes(self) -> list[Any]:
        """How the line is set; it can be asked as long as this end is open."""
        return termios.tcgetattr(self.child.child_fd)

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.screen.display)

    @property
    def steady(self) -> str:
        """What the screen shows, without the minutes that go by."""
        return re.sub(r"(?<=token )\d+(?= min)|(?<=in )\d+(?= minutes)", "59", self.text)

    @property
    def _unread(self) -> int:
        """Bytes that were typed and not read yet: a busy program reads Escape and what follows as one key."""
        with suppress(OSError):  # it has ended
            other_end = fcntl.ioctl(self.child.child_fd, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
            try:
                return int.from_bytes(fcntl.ioctl(other_end, termios.FIONREAD, bytes(4)), sys.byteorder)
            finally:
                os.close(other_end)
        return 0

    @property
    def modes_left_on(self) -> set[str]:
        """Private modes that were switched on and not off again; 7 and 25 are on to begin with."""
        on = {"7", "25"}
        for mode, switch in SWITCH.findall(self.sent):
            (on.add if switch == b"h" else on.discard)(mode.decode())
        return on

    def take(self, seconds: float) -> bool:
        """Take in what the program writes next, if it does so within some seconds.

        Raises:
            pexpect.EOF: it has nothing more to say.
        """
        try:
            data = self.child.read_nonblocking(65_536, timeout=seconds)
        except pexpect.TIMEOUT:
            return False
        self.sent += data
        self._stream.feed(data)
        return True

    def read(self, seconds: float = 0.2) -> bool:
        """Take in what the program writes for a while; whether it still can."""
        until = time.monotonic() + seconds
        try:
            while (left := until - time.monotonic()) > 0:
                self.take(left)
        except pexpect.EOF:
            return False
        return True

    def settle(self, still: float = STILL) -> None:
        """Read until nothing has come for a while."""
        until = time.monotonic() + PATIENCE
        with suppress(pexpect.EOF):
            while self.take(still):
                assert time.monotonic() < until, f"it does not come to rest:\n{self.text}"

    def wait_for(self, pattern: str) -> str:
        """Read until the screen shows `pattern`."""
        return self.wait_until(lambda: re.search(pattern, self.text) is not None, pattern)

    def wait_until(self, met: Callable[[], bool], what: str) -> str:
        """Read until a condition is met."""
        until = time.monotonic() + PATIENCE
        alive = self.read(0.02)
        while not met():
            # What the screen shows is not looked at for every piece of a picture, and seldom while nothing comes.
            if not alive or time.monotonic() > until:
                raise AssertionError(f"{what} did not come; the screen shows:\n{self.text}")
            with suppress(pexpect.EOF):
                self.take(0.1)
            alive = self.read(0.02)
        return self.text

    def press(self, *keys: str) -> None:
        """Type keys or whole texts, each when the one before has been read and answered."""
        for key in keys:
            self.settle()
            self.child.send(key)
            until = time.monotonic() + PROMPTLY
            with suppress(pexpect.EOF):
                while self._unread and time.monotonic() < until:
                    self.take(0.01)
            if key == "\x1b":
                self.read(ESCAPE)
            with suppress(pexpect.EOF):
                if self.take(ECHO):
                    self.settle()

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self.screen.resize(rows, columns)
        self.screen.erase_in_display(2)
        self.child.setwinsize(rows, columns)

    def end(self, patience: float = PATIENCE) -> int | None:
        """Wait for the program to end by itself; its exit code, or the negative number of the signal."""
        until = time.monotonic() + patience
        while self.child.isalive() and time.monotonic() < until:
            if self._is_closed:
                time.sleep(0.02)
            else:
                self.read(0.05)
        if not self._is_closed:
            self.settle()
            self.after = self.attributes
        assert not self.child.isalive(), f"it does not end; the screen shows:\n{self.text}"
        code, number = self.child.exitstatus, self.child.signalstatus
        return int(code) if code is not None else -int(number) if number is not None else None

    def check_restored(self) -> None:
        """Everything is as it was before the program had the terminal."""
        assert self.after == self.before
        self.check_modes()

    def check_modes(self) -> None:
        """No mode is left on, and the screen that was there before is back."""
        assert self.modes_left_on == {"7", "25"}
        assert b"\x1b[?1049h" in self.sent
        assert self.sent.rindex(b"\x1b[?1049l") > self.sent.rindex(b"\x1b[?1049h")
        assert not re.search(rb"\x1b\[[<>=][\d;]*u", self.sent), "the keyboard protocol was touched"

    def hang_up(self) -> None:
        """Close the window."""
        self._is_closed = True
        self.child.ptyproc.fileobj.close()

    def close(self) -> None:
        """Leave nothing running."""
        if self.child.isalive():
            for process in psutil.Process(self.child.pid).children(recursive=True):
                process.kill()
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:
            # It was killed, and a busy machine needs longer for that than pexpect waits.
            psutil.wait_procs([process for process in psutil.process_iter() if process.pid == self.child.pid], PATIENCE)

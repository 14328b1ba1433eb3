"""What goes over the line: no questions, little text, and the same screen as if everything were sent."""

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest

from cloudstore_tui.sandbox.server import Ready

Open = Callable[..., Any]

QUESTION = re.compile(
    rb"\x1b\[[<=>?]?[\d;]*(?:\$p|[cnx])|\x1b\[[\d;]*t|\x1b\[>[\d;]*q|\x1b\[\?[\d;]*u|\x1b\][\d;]*;\?|\x1bP[+$]q|\x05"
)
"""Anything that a terminal would answer."""
ENTER, ESCAPE, DOWN, PAGE_DOWN, GO_TO = "\r", "\x1b", "\x1b[B", "\x1b[6~", "\x07"
FOLDER = "acme:exports/reporting/outreach/"


@pytest.mark.parametrize("flag", ["--no-low-bandwidth", "--low-bandwidth"])
def test_nothing_is_asked_of_the_terminal(terminal: Open, ready: Ready, flag: str) -> None:
    shown = terminal(FOLDER, flag, CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.press(DOWN, PAGE_DOWN, "?", ESCAPE, "q")
    assert shown.end() == 0
    assert not QUESTION.search(shown.sent)
    assert b"\x1b]" not in shown.sent
    shown.check_restored()


@pytest.mark.parametrize(
    ("environment", "flags", "moves"),
    [
        ({}, (), True),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, (), False),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, ("--no-low-bandwidth",), True),
        ({}, ("--low-bandwidth",), False),
    ],
)
def test_the_line_is_spared_over_ssh_and_where_asked(
    terminal: Open, ready: Ready, environment: dict[str, str], flags: tuple[str, ...], moves: bool
) -> None:
    shown = terminal(FOLDER, *flags, CLOUDSTORE_CONFIG=str(ready.config), **environment)
    shown.wait_for(r"outreach-\d{8}\.tar")
    assert (b"\x1b[?1003h" in shown.sent) is moves
    assert (b"\x1b[?1002h" in shown.sent) is not moves


def test_nothing_is_sent_while_nothing_happens_and_little_for_a_key(terminal: Open, ready: Ready) -> None:
    shown = terminal("acme8:us-east/", size=(120, 40), CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"Recording")
    shown.press("i", "i")
    shown.settle(1)
    sizes = []
    for key in (DOWN, DOWN, DOWN, PAGE_DOWN):
        before = len(shown.sent)
        shown.press(key)
        shown.settle(0.4)
        sizes.append(len(shown.sent) - before)
    assert all(0 < size <= 350 for size in sizes[:3])
    assert 0 < sizes[3] <= 4000
    before = len(shown.sent)
    shown.read(1.5)
    assert len(shown.sent) == before


def test_a_cursor_key_sends_little_beside_the_detail_too(terminal: Open, ready: Ready) -> None:
    """Each line of the detail has its place, so that only what differs between two recordings is sent."""
    shown = terminal("acme8:us-east/callcenterrecording/", size=(120, 40), CLOUDSTORE_CONFIG=str(ready.config))

    def checksum() -> str:
        found = re.search(r"Checksum +(\w+)", shown.text)
        return found[1] if found else ""

    shown.wait_until(checksum, "the detail of the first recording")
    shown.settle(0.4)
    sizes = []
    for _key in range(8):
        sent, last = len(shown.sent), checksum()
        shown.press(DOWN)
        shown.wait_until(lambda last=last: checksum() not in ("", last), "the detail of the next recording")
        shown.settle()
        sizes.append(len(shown.sent) - sent)
    assert max(sizes) <= 700, sizes


class Session:
    """A session that is also replayed as it would be if every frame were sent."""

    def __init__(self, shown: Any, given: Path, seen_cells: Callable[[Any], Any]) -> None:
        self.shown = shown
        self._given = given
        self._read = 0
        self._seen_cells = seen_cells
        self.whole = pyte.Screen(shown.screen.columns, shown.screen.lines)
        self._stream = pyte.ByteStream(self.whole)
        self._stream.feed(b"\x1b[?7l")

    @property
    def bytes_of_frames(self) -> int:
        return self._read

    def resize(self, columns: int, rows: int) -> None:
        self._catch_up()
        self.whole.resize(rows, columns)
        self.whole.erase_in_display(2)
        self.shown.resize(columns, rows)
        self.shown.settle(0.4)

    def suspend(self) -> None:
        child = self.shown.child.pid
        self.shown.settle()
        os.kill(child, signal.SIGTSTP)
        self.shown.wait_until(lambda: not self.shown.text.strip(), "the empty screen of before")
        # One that comes before the program has stopped would be lost.
        looking = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        self.shown.wait_until(lambda: os.waitid(os.P_PID, child, looking) is not None, "the end of the program's turn")
        os.kill(child, signal.SIGCONT)
        self.shown.wait_until(lambda: bool(self.shown.text.strip()), "the screen")

    def check(self) -> None:
        """Both screens are the same as soon as everything has come, and stay so."""
        self.shown.settle(0.2)
        self.shown.wait_until(lambda: not self._different(), "the same screen as if everything were sent")

    def _different(self) -> list[int]:
        self._catch_up()
        whole, sent = self._seen_cells(self.whole), self._seen_cells(self.shown.screen)
        return [y for y in range(self.whole.lines) if whole[y] != sent[y]]

    def _catch_up(self) -> None:
        data = self._given.read_bytes()
        self._stream.feed(data[self._read :])
        self._read = len(data)


@pytest.mark.parametrize("flag", ["--no-low-bandwidth", pytest.param("--low-bandwidth", marks=pytest.mark.long)])
def test_the_screen_is_the_same_as_if_every_frame_were_sent(
    terminal: Open, ready: Ready, tmp_path: Path, seen_cells: Callable[[Any], Any], flag: str
) -> None:
    folder = tmp_path / "given"
    command = (sys.executable, str(Path(__file__).with_name("recording.py")), str(folder))
    shown = terminal(FOLDER, flag, command=command, size=(100, 30), CLOUDSTORE_CONFIG=str(ready.config))
    session = Session(shown, folder, seen_cells)
    shown.wait_for(r"outreach-\d{8}\.tar")
    session.check()
    for keys in ((DOWN, DOWN, " ", PAGE_DOWN), ("?",), (ESCAPE, "o"), (ESCAPE, "/", "漢字é🙂", ENTER), (ESCAPE,)):
        shown.press(*keys)
        session.check()
    shown.press(GO_TO)
    shown.press("acme8:us-east/", ENTER)
    shown.wait_for(r"Recording")
    session.check()
    session.resize(60, 15)
    session.check()
    shown.press(DOWN, PAGE_DOWN)
    session.check()
    session.suspend()
    session.check()
    session.resize(120, 40)
    session.check()
    shown.press("2", PAGE_DOWN, "d")
    session.check()
    assert len(shown.sent) < session.bytes_of_frames / 2
    shown.press(ESCAPE)

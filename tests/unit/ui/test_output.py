"""The thread that writes to the terminal: behind a slow one, a stalled one, and one that is gone."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator

import pytest

from cloudstore_tui.ui.terminal.output import OutputThread
from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer
from tests.support.waiting import PATIENCE, PROMPTLY, until


class Line:
    """A pipe in place of a terminal: what is not read blocks the writer sooner or later."""

    def __init__(self, interval: float = 0.0) -> None:
        self.end, self.start = os.pipe()
        self.lost = threading.Event()
        self.buffer = ScreenBuffer(80, 24)
        self.output = OutputThread(self.start, self.buffer, "utf-8", interval, self.lost.set)
        self.output.start()

    def draw(self, number: int) -> None:
        text = "".join(f"\x1b[{row};1H{f'{number:06} ' * 11}" for row in range(1, 25))
        self.output.draw(f"{text}\x1b[1;1H")

    def read(self, seconds: float = 0.3) -> bytes:
        """What comes in some seconds."""
        data, until = b"", time.monotonic() + seconds
        while time.monotonic() < until:
            data += self._take()
        return data

    def read_to(self, wanted: bytes) -> bytes:
        """What comes until something is among it, and right behind that."""
        data, until = b"", time.monotonic() + PATIENCE
        while wanted not in data:
            assert time.monotonic() < until, f"{wanted!r} did not come"
            data += self._take()
        return data + self.read(0.1)

    def _take(self) -> bytes:
        os.set_blocking(self.end, False)
        try:
            return os.read(self.end, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            return b""

    def close(self) -> None:
        self.read(0.05)
        self.output.stop("")
        for descriptor in (self.end, self.start):
            os.close(descriptor)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_a_stalled_terminal_holds_nobody_up_and_gets_the_latest_picture_only(line: Line) -> None:
    started = time.monotonic()
    for number in range(2000):
        line.draw(number)
    assert time.monotonic() - started < PATIENCE
    line.output.draw("\x1b[1;1Hlatest")
    sent = line.read_to(b"latest")
    assert len(sent) < 200_000
    assert sent.count(b"000500") + sent.count(b"001500") < 24 * 11


def test_a_terminal_that_was_set_not_to_wait_still_gets_everything(line: Line) -> None:
    os.set_blocking(line.start, False)
    line.output.send("x" * 300_000 + "the end")
    assert line.read_to(b"the end") == b"x" * 300_000 + b"the end"
    assert not line.lost.is_set()


def test_what_is_no_picture_is_sent_whole_and_in_order(line: Line) -> None:
    for number in range(100):
        line.output.send(f"<{number}>")
    assert line.read_to(b"<99>") == b"".join(b"<%d>" % number for number in range(100))


def test_frames_of_a_slow_line_become_one() -> None:
    line = Line(interval=0.2)
    line.draw(0)
    sent, began = line.read_to(b"000000"), time.monotonic()
    for number in range(1, 20):
        line.draw(number)
        time.sleep(0.01)
    asyncio.run(until(lambda: not line.buffer.is_stale))
    sent += line.read(0.1)
    assert sent.rstrip().count(b"\x1b[H") <= 4 + (time.monotonic() - began) / 0.2
    line.close()


def test_while_held_no_picture_is_sent_and_afterwards_all_of_it(line: Line) -> None:
    line.draw(1)
    line.read_to(b"000001")
    line.output.hold("alone")
    line.draw(2)
    assert line.read_to(b"alone") == b"alone"
    line.output.release("cleared")
    assert line.read_to(b"000002").startswith(b"cleared000002")


def test_the_last_word_is_the_last_one(line: Line) -> None:
    line.draw(1)
    line.output.stop("the end")
    line.draw(2)
    assert line.read_to(b"the end").endswith(b"the end")


def test_a_terminal_that_takes_nothing_holds_up_the_end_for_a_second_only() -> None:
    line = Line()
    for number in range(200):
        line.draw(number)
        time.sleep(0.001)
    line.output.send("x" * 200_000)
    time.sleep(0.1)
    started = time.monotonic()
    line.output.stop("the end")
    assert 0.9 < time.monotonic() - started < PROMPTLY
    line.read_to(b"the end")
    line.output.join(PATIENCE)
    line.close()


def test_a_terminal_that_is_gone_is_reported_once() -> None:
    calls: list[int] = []
    end, start = os.pipe()
    output = OutputThread(start, ScreenBuffer(80, 24), "utf-8", 0.0, lambda: calls.append(1))
    output.start()
    os.close(end)
    output.send("one")
    asyncio.run(until(lambda: calls))
    output.send("two")
    output.stop("the end")
    output.join(PATIENCE)
    assert calls == [1]
    assert not output.is_alive()
    os.close(start)

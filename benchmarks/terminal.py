"""What the browser sends to a terminal. Run with python; prints one line per figure, and what it should be at most.

    python benchmarks/terminal.py [--columns 120] [--rows 40] [--one-mode]

The program runs in a pseudo-terminal, as `cloudstore demo` with 20,000 recordings; bytes are those it writes.
"""

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from cloudstore_tui.cli.browser import SandboxProcess

DOWN, UP, PAGE, GO_TO, ENTER = b"\x1b[B", b"\x1b[A", b"\x1b[6~", b"\x07", b"\r"
DETAIL = b"i"
MARKED = 120
"""Objects of one or a few MB that are downloaded while keys are measured."""
QUIET = 0.15
"""Seconds without a byte after which a key counts as answered."""
FAST = 8_000_000
"""Bytes a second of each of four downloads."""
REGION = "acme8:us-east/"
RESTED = 0.4
"""The same where what is beside the list follows a little later."""


def say(what: str, value: float, unit: str, goal: str = "") -> None:
    sys.stdout.write(f"{what:<58}{value:>12.3f} {unit:<6}{goal}\n")
    sys.stdout.flush()


class Line:
    """The program at the other end of a line."""

    def __init__(self, folder: str, command: Sequence[str], columns: int, rows: int, told: Mapping[str, str]) -> None:
        self.end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {"PATH": os.environ["PATH"], "HOME": folder, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloudstore_tui", *command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env=variables | {"LANG": "C.UTF-8", **told},
            start_new_session=True,
        )
        os.close(inner)

    def press(self, key: bytes) -> None:
        os.write(self.end, key)

    def read(self, quiet: float, most: float, rate: float = 0.0) -> tuple[int, float]:
        """Bytes until nothing came for `quiet` seconds, and when the last one came; at `rate` bytes a second."""
        total, last = 0, time.monotonic()
        until = last + most
        while time.monotonic() < until:
            if not select.select([self.end], [], [], min(quiet, max(until - time.monotonic(), 0)))[0]:
                if quiet < most:
                    break
                continue
            got = len(os.read(self.end, 512 if rate else 65536))
            total, last = total + got, time.monotonic()
            if rate:
                time.sleep(got / rate)
        return total, last

    def answer(self, key: bytes, quiet: float = QUIET) -> int:
        """Bytes that a key brings."""
        self.press(key)
        return self.read(quiet, 10)[0]

    def delay(self, key: bytes) -> float:
        """Milliseconds until a key brings its first byte."""
        began = time.monotonic()
        self.press(key)
        if not select.select([self.end], [], [], 5)[0]:
            raise SystemExit("a key brought nothing")
        took = time.monotonic() - began
        self.read(0.05, 5)
        return 1000 * took

    @property
    def cpu(self) -> float:
        """Seconds of CPU of the program alone."""
        return float(sum(psutil.Process(self.process.pid).cpu_times()[:2]))

    @property
    def memory(self) -> float:
        """MiB of the program alone; its sandbox, where it has one, is a process of its own."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)

    def close(self) -> None:
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()
        self.process.kill()
        self.process.wait(10)
        os.close(self.end)


@contextmanager
def opened(
    folder: str, command: Sequence[str], columns: int, rows: int, told: Mapping[str, str] | None = None
) -> Iterator[Line]:
    line = Line(folder, command, columns, rows, told or {})
    try:
        yield line
    finally:
        line.close()


def hold(line: Line, seconds: float, rate: float = 0.0) -> tuple[float, float]:
    """Bytes a second while a key is held down at 30/s, and seconds from its release to the last byte."""
    total, began = 0, time.monotonic()
    pressed = 0
    while (now := time.monotonic()) - began < seconds:
        while pressed < (now - began) * 30:
            line.press(DOWN)
            pressed += 1
        total += line.read(1 / 60, 1 / 60, rate)[0]
    released = time.monotonic()
    rest, last = line.read(1.0, 20, rate)
    return total / seconds, last - released if rest else 0.0


def measure_keys(line: Line, what: str, most: int) -> None:
    for name, key, times, goal in (("cursor key", DOWN, 12, most), ("page", PAGE, 10, 4000)):
        sizes = [line.answer(key, RESTED) for _ in range(times)]
        say(f"{name}, {what}, median", statistics.median(sizes), "B", f"at most {goal}")
        say(f"{name}, {what}, most", max(sizes), "B")


def measure_delays(line: Line, what: str, times: int = 60) -> None:
    for name, key, goal in (("cursor key", DOWN, 15), ("page", PAGE, 35)):
        delays = sorted(line.delay(key) for _ in range(times))
        say(f"{name}, {what}, first byte, p95", delays[int(0.95 * times)], "ms", f"at most {goal}")


def measure_held(line: Line, what: str) -> None:
    say(f"key held at 30/s, {what}", hold(line, 4)[0], "B/s", "at most 11000")
    rate, lag = hold(line, 4, 16_000)
    say(f"key held at 30/s, {what}, line of 16 kB/s", rate, "B/s")
    say("   last byte after its release", lag, "s", "at most 0.3")


def measure(line: Line) -> None:
    total, _ = line.read(4, 60)
    say("start, until the places are there", total, "B")
    say("memory at start", line.memory, "MiB", "at most 60")
    line.answer(GO_TO, 1)
    line.answer(b"acme8:us-east/", 1)
    say("going to a region", line.answer(ENTER, 3), "B")
    measure_keys(line, "with detail", 700)
    measure_held(line, "with detail")
    # From the preview to all fields, and from these to nothing.
    line.answer(DETAIL, 1)
    line.answer(DETAIL, 1)
    measure_keys(line, "without", 300)
    measure_delays(line, "without")
    measure_held(line, "without")
    line.read(1, 5)
    before = line.cpu
    say("idle", line.read(6, 6)[0] / 6, "B/s", "0")
    say("idle, CPU", 100 * (line.cpu - before) / 6, "%", "at most 0.2")


def measure_transfers(line: Line) -> None:
    line.read(4, 60)
    line.answer(b"    ", 1)
    line.press(b"d")
    line.read(2, 2)
    say("four transfers, 10 kB/s each", line.read(8, 8)[0] / 8, "B/s", "at most 2000")


def measure_busy(line: Line) -> None:
    """Four downloads at a time, of as many objects as that takes, while the cursor moves."""
    line.read(8, 60)
    line.answer(b" " * MARKED, 2)
    line.press(b"d")
    line.read(0.3, 1)
    delays = sorted(line.delay(UP) for _ in range(60))
    say("cursor key, four downloads at 8 MB/s each, first byte, p95", delays[57], "ms", "at most 40")


@contextmanager
def fetching(columns: int, rows: int) -> Iterator[tuple[Line, str]]:
    """A list that can be scrolled while four zips come, and the folder that they come to."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SandboxProcess(seed=1, objects=1500, faults=[f"slow rate={FAST} where=blob"]) as config,
    ):
        told = {"CLOUDSTORE_CONFIG": str(config)}
        with opened(folder, [REGION, "--no-low-bandwidth"], columns, rows, told) as line:
            line.read(4, 60)
            yield line, folder


def begin_zips(line: Line, folder: str) -> None:
    """Mark everything, fetch it as zips, and wait until bytes come."""
    for key in (b"A", b"z", ENTER):
        line.press(key)
        line.read(3, 60)
    until = time.monotonic() + 120
    while arrived(folder) < FAST and time.monotonic() < until:
        line.read(0.1, 0.1)


def arrived(folder: str) -> int:
    """Bytes below a folder."""
    total = 0
    for path in Path(folder).rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total


def measure_stall(columns: int, rows: int) -> None:
    """How fast zips come while the terminal takes what is drawn, and while it takes nothing."""
    for what, stalls in (("takes all", False), ("takes nothing", True)):
        with fetching(columns, rows) as (line, folder):
            begin_zips(line, folder)
            before, began = arrived(folder), time.monotonic()
            while time.monotonic() - began < 6:
                line.press(PAGE)
                if stalls:
                    time.sleep(0.1)
                else:
                    line.read(0.1, 0.1)
            speed = (arrived(folder) - before) / (time.monotonic() - began) / 1e6
            say(f"four zips, of which the terminal {what}", speed, "MB/s")


def main() -> None:
    """Measure both modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--one-mode", action="store_true", help="leave out the mode for slow lines")
    asked = parser.parse_args()
    flags = ("--no-low-bandwidth", "--low-bandwidth")
    for flag in flags[: 1 if asked.one_mode else 2]:
        sys.stdout.write(f"{flag}\n")
        with tempfile.TemporaryDirectory() as folder:
            with opened(folder, ["demo", "--objects", "20000", flag], asked.columns, asked.rows) as line:
                measure(line)
            with SandboxProcess(seed=1, objects=0, faults=["slow rate=10000 where=blob"]) as config:
                place = "acme:exports/reporting/outreach/"
                told = {"CLOUDSTORE_CONFIG": str(config)}
                with opened(folder, [place, flag], asked.columns, asked.rows, told) as line:
                    measure_transfers(line)
            with SandboxProcess(seed=1, objects=2000, faults=["slow rate=8000000 where=blob"]) as config:
                told = {"CLOUDSTORE_CONFIG": str(config)}
                with opened(folder, ["acme8:us-east/", flag], asked.columns, asked.rows, told) as line:
                    measure_busy(line)
    measure_stall(asked.columns, asked.rows)


if __name__ == "__main__":
    main()

"""What the store and the table cost. Run with python; prints one line per figure.

    python benchmarks/listing.py [--rows 100000] [--seconds SECONDS] [--no-terminal]

Times are those of this machine at this moment: compare figures of one run with each other.
"""

import argparse
import asyncio
import contextlib
import fcntl
import gc
import math
import os
import pty
import random
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import psutil
from textual.app import App, ComposeResult

from cloudstore_tui.core.models import Column, ColumnKind, Location, StoredObject
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui.browser.entry_table import EntryTable, RowStates
from cloudstore_tui.ui.text import install_guard

PAGE = 1000
MIN_ROWS = 20_000
KEYS_S = 40
"""Seconds that the keys take, however many rows there are."""
COLUMNS = (
    Column("name", "Name"),
    Column("agentName", "Agent", width=14),
    Column("queueName", "Queue", width=10),
    Column("created", "When (UTC)", ColumnKind.TIME, 16),
    Column("duration", "Length", ColumnKind.DURATION, 8),
    Column("size", "Size", ColumnKind.SIZE, 9),
    Column("state", "State", ColumnKind.STATE, 10),
)
SORTED = (COLUMNS[5], COLUMNS[3], COLUMNS[0], COLUMNS[1])
KEYS = {"down": b"\x1b[B", "page down": b"\x1b[6~"}


def say(what: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{what:<58}{value:>12.3f} {unit}\n")
    sys.stdout.flush()


def recording(number: int) -> StoredObject:
    """An object as 8x8 returns them: twelve tags, some 850 bytes of JSON."""
    started = datetime(2024, 9, 1, tzinfo=UTC) + timedelta(seconds=number * 7919 % 10_000_000)
    return StoredObject(
        Location("acme8", "us-east", f"{number:032x}"),
        f"int-{number:012x}-call-acmecorp01.mp3",
        f"{number:032x}",
        "callcenterrecording",
        "audio/mpeg",
        number * 7919 % 10_000_019,
        False,
        started,
        started,
        started,
        "AVAILABLE",
        "a" * 32,
        "MD5",
        "bucket01",
        "user0001",
        "acmecorp01",
        number * 31 % 3000 / 1.0,
        (
            ("agentName", f"Agent {number % 97}"),
            ("queueName", f"Level {number % 5}"),
            ("direction", "INBOUND"),
            ("callId", f"int-{number:012x}"),
            ("agentId", f"ag{number % 97}"),
            ("address", "+15551234567"),
            ("duration", str(number * 13 % 4_000_000)),
            ("channelId", "voice"),
            ("startTime", str(1725148800000 + number)),
            ("endTime", str(1725148801000 + number)),
            ("branch", "Main"),
            ("dnis", "+18005551212"),
        ),
    )


def fill(store: RowStore, rows: int) -> list[float]:
    """Seconds that each page took."""
    taken = []
    for first in range(0, rows, PAGE):
        page = [recording(number) for number in range(first, first + PAGE)]
        started = time.perf_counter()
        store.extend(page)
        taken.append(time.perf_counter() - started)
    return taken


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def timed(action: Callable[[], object], times: int = 1) -> float:
    """Median of the milliseconds an action takes."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


async def longest_turn(work: Callable[[], Coroutine[None, None, None]]) -> tuple[float, float]:
    """Seconds that awaiting `work` takes, and the longest the event loop was held up meanwhile."""
    task = asyncio.create_task(work())
    started = last = time.perf_counter()
    longest = 0.0
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return time.perf_counter() - started, longest


def measure_store(rows: int) -> None:
    with contextlib.closing(RowStore()) as warm:
        fill(warm, PAGE)
        for column in SORTED:
            say(f"store: sort {PAGE:,} rows by {column.name}", timed(partial(warm.sort, column, descending=True)), "ms")
            warm.sort(None)
        fill(warm, 5 * PAGE)
    before = resident()
    with contextlib.closing(RowStore()) as store:
        taken = fill(store, rows)
        say(f"store: memory per row, {rows:,} rows", (resident() - before) / rows, "B")
        say("store: 100,000 rows appended", sum(taken) / rows * 100_000, "s")
        say("store: page of 1,000 rows, median", statistics.median(taken) * 1000, "ms")
        say("store: page of 1,000 rows, longest", max(taken) * 1000, "ms")
        pick = random.Random(1)
        say("store: window of 40 rows", timed(lambda: store.window(pick.randrange(rows - 40), 40), 200), "ms")
        say("store: one entry found by its identity", timed(lambda: store.index_of("nothing"), 50), "ms")
        for column in SORTED:
            store.sort(column, descending=True)
            total, longest = asyncio.run(longest_turn(store.settle))
            say(f"store: sort {rows:,} rows by {column.name}", total, "s")
            say("store:   loop held up at most", longest * 1000, "ms")
        store.sort(None)
        store.filter("agent 9")
        total, longest = asyncio.run(longest_turn(store.settle))
        say(f"store: filter {rows:,} rows", total, "s")
        say("store:   loop held up at most", longest * 1000, "ms")
        store.filter("")
        say("store: mark all", timed(store.mark_all), "ms")
        say("store: what is marked", timed(lambda: store.selection), "ms")


class TableApp(App[None]):
    """One table over a store of some rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.store = RowStore()
        fill(self.store, rows)

    def compose(self) -> ComposeResult:
        yield EntryTable(RowStates(lambda _: None))

    def on_mount(self) -> None:
        table = self.query_one(EntryTable)
        table.show(self.store, COLUMNS)
        table.focus()

    def on_unmount(self) -> None:
        self.store.close()


@contextlib.contextmanager
def program(rows: int) -> Iterator[tuple[int, psutil.Process]]:
    """This script, showing a table in a terminal of 120 × 40."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(sys.executable, [sys.executable, __file__, "--app", str(rows)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield terminal, psutil.Process(child)
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(child, 0)


def written(terminal: int, quiet: float, patience: float = 5) -> int:
    """Bytes written until nothing came for `quiet` seconds."""
    total, ends = 0, time.monotonic() + patience
    while time.monotonic() < ends and select.select([terminal], [], [], quiet)[0]:
        total += len(os.read(terminal, 65536))
    return total


def measure_keys(rows: int) -> None:
    with program(rows) as (terminal, process):
        select.select([terminal], [], [], 600)
        written(terminal, 2, 60)
        for key, code in KEYS.items():
            count = 30 if key == "down" else 15
            before, sizes = sum(process.cpu_times()[:2]), []
            for _ in range(count):
                os.write(terminal, code)
                sizes.append(written(terminal, 0.12))
            spent = (sum(process.cpu_times()[:2]) - before) / count * 1000
            say(f"table: {key}, {rows:,} rows", spent, "ms CPU")
            say(f"table: {key}, {rows:,} rows", statistics.median(sizes), "bytes")
        started, total = time.monotonic(), 0
        while time.monotonic() - started < 4:
            os.write(terminal, KEYS["down"])
            total += written(terminal, 1 / 30, 1 / 30)
        say(f"table: down held at 30/s, {rows:,} rows", total / 4000, "kB/s")
        written(terminal, 0.5)
        say(f"table: idle, {rows:,} rows", written(terminal, 3, 3) / 3, "B/s")
        say(f"table: resident memory, {rows:,} rows", process.memory_info().rss / 2**20, "MiB")


def main() -> None:
    """Measure, or be the program that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=math.inf, help="halve the rows until that is enough, roughly")
    parser.add_argument("--no-terminal", action="store_true")
    parser.add_argument("--app", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.app:
        install_guard()
        TableApp(asked.app).run()
        return
    rows = asked.rows
    while rows > MIN_ROWS and KEYS_S + rows * seconds_per_row() > asked.seconds:
        rows //= 2
    measure_store(rows)
    if not asked.no_terminal:
        measure_keys(PAGE)
        measure_keys(rows)


def seconds_per_row() -> float:
    """What a row takes in all, by how long a few take now: it is made and stored twice, sorted, and filtered."""
    with contextlib.closing(RowStore()) as store:
        begun = time.perf_counter()
        fill(store, 3 * PAGE)
        return (time.perf_counter() - begun) / PAGE


if __name__ == "__main__":
    main()

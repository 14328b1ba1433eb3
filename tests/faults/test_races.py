"""Two programs want to make the same file at the same moment."""

import asyncio
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.transfers.journal.store import JournalStore
from tests.support.waiting import until

BUSY = 10
CONFLICT = 9
STARTUP = 0.6
"""Seconds that a program needs until it can begin."""
SIZES = [
    pytest.param(6, id="quick"),
    pytest.param(50, id="full", marks=[pytest.mark.long, pytest.mark.timeout(600)]),
]


def race(place: Any, name: str, lead: float, **orders: Any) -> list[tuple[str, int]]:
    """How both programs ended, of which one began so much earlier."""
    begin = time.time() + STARTUP
    children = [place.start([name], start_at=begin + late, adopt=False, **orders) for late in (0, lead)]
    ended = [child.end() for child in children]
    assert [item.stderr for item in ended] == ["", ""]
    return sorted(item.outcomes[name] for item in ended)


@pytest.mark.parametrize("races", SIZES)
def test_a_new_journal_can_be_made_by_several_programs_at_once(races: int, tmp_path: Path) -> None:
    # SQLite refuses about every twentieth time, where it is not asked again.
    for number in range(races * 10):
        begin = threading.Barrier(2)

        def make(folder: Path, begin: threading.Barrier = begin) -> None:
            begin.wait(10)
            JournalStore(folder).close()

        with ThreadPoolExecutor(2) as threads:
            made = [threads.submit(make, tmp_path / str(number)) for _ in range(2)]
        assert [future.exception() for future in made] == [None] * 2


@pytest.mark.parametrize("races", SIZES)
def test_only_one_of_two_programs_writes_and_the_other_says_so(
    races: int, open_store: Callable[..., Any], open_place: Callable[..., Any], chance: random.Random
) -> None:
    objects = {"call.wav": 700_000, "plain.wav": 700_000}
    store = open_store(objects)
    busy = 0
    for number in range(races):
        name = list(objects)[number % 2]
        store.order(rate=chance.choice((2_000_000, 8_000_000)))
        before = len(store.requests())
        place = open_place(store)
        outcomes = race(place, name, chance.choice((0, 0, 0.01, 0.05)))
        assert outcomes in ([("done", 0), ("done", 0)], [("done", 0), ("failed", BUSY)])
        busy += outcomes[1] == ("failed", BUSY)
        # Who finds it done without a checksum to compare it with has to fetch it again, into a part file of its own.
        if outcomes[1] == ("failed", BUSY) or name == "call.wav":
            sent = sum(request["sent"] for request in store.requests()[before:])
            assert sent == objects[name], "both wrote"
        place.check()
        place.finish([name])
    sys.stdout.write(f"{races} races: {busy} times the other one was refused with code {BUSY}\n")
    assert busy > races / 2


@pytest.mark.parametrize("races", SIZES)
def test_the_bytes_are_right_even_where_every_lock_is_given(
    races: int, open_store: Callable[..., Any], open_place: Callable[..., Any], chance: random.Random
) -> None:
    objects = {"call.wav": 700_000, "plain.wav": 700_000}
    store = open_store(objects)
    ends: Counter[str] = Counter()
    for number in range(races):
        name = list(objects)[number % 2]
        store.order(rate=chance.choice((1_000_000, 2_000_000, 8_000_000)))
        place = open_place(store)
        outcome = race(place, name, chance.uniform(0, 0.5), locks=False, quick=True)
        ends[str(outcome)] += 1
        place.check()
        place.finish([name])
    sys.stdout.write(f"{races} races without locks: {dict(ends)}\n")


@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=pytest.mark.long)], ids=["quick", "full"])
def test_a_file_that_somebody_else_puts_there_meanwhile_is_left_alone(
    moments: int, open_store: Callable[..., Any], open_place: Callable[..., Any], chance: random.Random
) -> None:
    objects = {"call.wav": 500_000}
    store = open_store(objects, rate=1_000_000)
    conflicts = 0
    for _ in range(moments):
        place = open_place(store)
        before = len(store.requests())
        child = place.start(["call.wav"], adopt=False)
        asyncio.run(until(place.parts))
        place.foreign["call.wav"] = b"somebody's own"
        (place.folder / "call.wav").write_bytes(place.foreign["call.wav"])
        ended = child.end()
        assert len(store.requests()) > before
        assert ended.outcomes == {"call.wav": ("failed", CONFLICT)}
        conflicts += 1
        place.check()
    sys.stdout.write(f"{conflicts} files that came meanwhile, all left alone\n")

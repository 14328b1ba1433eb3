"""What arrived once is not fetched again: neither after a lost connection nor after a kill."""

import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

MIB = 1 << 20
MAX_REPEATED = 0.05
CHECKPOINT = 8 * MIB
LAG = 6 * MIB
"""What arrives while a checkpoint waits for the disk and the journal, and what the system holds of a connection."""
DROPS = [
    pytest.param(30_000_000, 3, id="quick"),
    pytest.param(100_000_000, 10, id="full", marks=[pytest.mark.long, pytest.mark.timeout(300)]),
]
KILLS = [
    pytest.param(40_000_000, 2, id="quick"),
    pytest.param(200_000_000, 8, id="full", marks=[pytest.mark.long, pytest.mark.timeout(300)]),
]


def sent(store: Any) -> int:
    return sum(request["sent"] for request in store.requests())


@pytest.mark.parametrize(("size", "drops"), DROPS)
@pytest.mark.parametrize("name", ["call.wav", "plain.wav"])
def test_lost_connections_cost_nearly_nothing(
    name: str,
    size: int,
    drops: int,
    open_store: Callable[..., Any],
    open_place: Callable[..., Any],
    chance: random.Random,
) -> None:
    places = sorted(chance.randrange(size) for _ in range(drops))
    store = open_store({name: size}, drops=places)
    place = open_place(store, quick=True)
    assert place.start([name]).end().wrong == []
    place.check_end([name])
    repeated = sent(store) - size
    sys.stdout.write(f"{drops} drops in {size / 1e6:.0f} MB: {repeated:,} bytes repeated, {repeated / size:.2%}\n")
    assert len(store.requests()) == drops + 1
    assert repeated <= MAX_REPEATED * size


@pytest.mark.parametrize(("size", "kills"), KILLS)
def test_a_kill_costs_no_more_than_what_came_since_the_last_checkpoint(
    size: int, kills: int, open_store: Callable[..., Any], open_place: Callable[..., Any], chance: random.Random
) -> None:
    name = "call.wav"
    rate = 25_000_000
    store = open_store({name: size}, rate=rate)
    place = open_place(store)
    for _ in range(kills):
        assert place.start([name]).kill_after(chance.uniform(0.5, 0.9) * size / kills / rate)
        place.check()
    place.finish([name])
    repeated = sent(store) - size
    sys.stdout.write(f"{kills} kills in {size / 1e6:.0f} MB: {repeated / kills / MIB:.1f} MiB repeated for each\n")
    assert repeated <= kills * (CHECKPOINT + LAG)

"""The program is killed at random moments; whatever it left, the next run makes it right."""

import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

SIZES = [
    pytest.param(10, 12, id="quick"),
    pytest.param(200, 60, id="full", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
]


@pytest.mark.parametrize(("kills", "files"), SIZES)
def test_kills_at_random_moments_cost_no_byte_and_leave_nothing(
    kills: int,
    files: int,
    open_store: Callable[..., Any],
    open_place: Callable[..., Any],
    recordings: Callable[..., dict[str, int]],
    chance: random.Random,
) -> None:
    objects = recordings(files, 2_000_000, 5_000_000)
    names = list(objects)
    store = open_store(objects, rate=2_000_000)
    killed = waves = resumed = 0
    # A wave ends when everything has arrived; as many follow as the kills need.
    for _ in range(kills):
        place = open_place(store, checkpoint=300_000)
        waves += 1
        store.order(rate=2_000_000)
        while killed < kills:
            was_killed = place.start(names, only_missing=True).kill_after(chance.uniform(0.0, 1.25))
            place.check()
            killed += was_killed
            if not was_killed:
                break
        place.finish(names)
        if killed >= kills:
            break
    resumed = sum(request.get("start", 0) > 0 for request in store.requests())
    sys.stdout.write(f"{killed} kills in {waves} waves of {files} files: {resumed} requests went on in the middle\n")
    assert killed == kills
    assert resumed > kills / 4, "too few transfers went on to mean anything"

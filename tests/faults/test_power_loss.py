"""The machine loses its power: everything that was not synced is as if it had never been, or is garbage.

A kill alone cannot show that, because what a killed program wrote is still in the system's memory. The program writes
down each sync that is done; a power cut keeps of every file what its last sync covered, and of every folder the names
that were in it at its last sync. (A name that was taken away does not come back here, as it might: that of a part file
is another name of a finished file then.)
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SIZES = [
    pytest.param(6, id="quick"),
    pytest.param(100, id="full", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
]
MOMENTS = ("checkpoint", "after_sync", "verifying", "before_link", "after_link", "after_folder_sync", "after_unlink")


def lose_power(place: Any, chance: random.Random) -> tuple[int, int]:
    """How many files lost bytes, and how many names were undone."""
    spoilt = undone = 0
    synced = place.synced()
    for path in place.folder.iterdir():
        if path.name not in place.foreign and path.stat().st_size > synced.get(path.stat().st_ino, 0):
            spoil(path, synced.get(path.stat().st_ino, 0), chance)
            spoilt += 1
    listings = [entry["names"] for entry in place.entries() if "names" in entry]
    certain = set(listings[-1]) if listings else set()
    for path in place.folder.iterdir():
        if path.name not in certain | set(place.foreign) and chance.random() < 0.7:
            path.unlink()
            undone += 1
    return spoilt, undone


def spoil(path: Path, kept: int, chance: random.Random) -> None:
    """Leave the first bytes of a file and any of its lengths, with anything in the rest."""
    size = chance.randint(kept, path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(kept)
        file.write(bytes(size - kept) if chance.random() < 0.3 else chance.randbytes(size - kept))


@pytest.mark.parametrize("runs", SIZES)
def test_a_power_cut_costs_no_byte_that_was_promised(
    runs: int, open_store: Callable[..., Any], open_place: Callable[..., Any], recordings: Any, chance: random.Random
) -> None:
    objects = recordings(8, 700_000, 2_500_000)
    names = list(objects)
    store = open_store(objects)
    spoilt = undone = resumed = 0
    for run in range(runs):
        place = open_place(store, checkpoint=200_000)
        place.orders["record"] = str(place.record)
        for _ in range(2):
            store.order(rate=1_500_000)
            if run % 3:
                place.start(names).kill_after(chance.uniform(0.05, 0.85))
            else:
                where = f"{chance.choice(MOMENTS)}:{chance.randint(1, 3)}"
                place.start(names, {"CLOUDSTORE_CRASH_AT": where}).end()
            files, links = lose_power(place, chance)
            spoilt, undone = spoilt + files, undone + links
            place.check()
            resumed += any(row.durable for row in place.rows())
        place.finish(names)
    sys.stdout.write(
        f"{2 * runs} power cuts: {spoilt} files lost bytes, {undone} names were undone, "
        f"after {resumed} there were bytes to go on with\n"
    )
    assert spoilt >= runs
    assert resumed >= runs / 2, "too little was promised to mean anything"

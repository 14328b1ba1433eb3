"""What all targets share: an input that is spoiled in a new way each time, until the time is over.

`uv run pytest -n 0 tests/fuzz --fuzz-seconds 600` spends ten minutes, shared by all targets; without the option each
takes a moment. A failure names the input; it goes into the target's corpus when the fault is mended.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from cloudstore_tui.core.errors import StorageError

LONGEST = 2.0
"""Seconds that one input may take."""

FEW = 150
"""Inputs of a target where no time was given."""

Fuzz = Callable[..., int]


def spoiled(chance: random.Random, corpus: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """One of the corpus with a few changes: bytes and tokens put in, taken out, doubled and swapped."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 64)))
        match chance.randrange(6):
            case 0:
                data[at:at] = chance.choice(tokens)
            case 1:
                data[at:to] = chance.choice(tokens)
            case 2:
                data[at:to] = chance.randbytes(to - at)
            case 3:
                del data[at:to]
            case 4:
                data[at:at] = data[at:to] * chance.choice((1, 2, 50))
            case _:
                other = chance.choice(corpus)
                data[at:to] = other[chance.randrange(len(other) + 1) :][: to - at + 8]
    return bytes(data)


def inputs(chance: random.Random, corpus: Sequence[bytes], tokens: Sequence[bytes], seconds: float) -> Iterator[bytes]:
    """The corpus as it is, and then what becomes of it."""
    yield from corpus
    end, count = time.monotonic() + seconds, 0
    while count < FEW or time.monotonic() < end:
        count += 1
        yield spoiled(chance, corpus, tokens)


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Fuzz:
    """Run a target: `fuzz(target, corpus, tokens)`. It may raise what the program tells users, and nothing else."""
    targets = sum(item.name.startswith("test_fuzz_") for item in request.session.items)
    seconds = request.config.getoption("--fuzz-seconds") / max(targets, 1)
    chance = random.Random(f"{request.config.getoption('--seed')}:{request.node.name}")

    def run(target: Callable[[bytes], object], corpus: Sequence[bytes], tokens: Sequence[bytes]) -> int:
        count = 0
        for data in inputs(chance, corpus, tokens, seconds):
            begun = time.process_time()
            try:
                target(data)
            except StorageError:
                pass
            except BaseException as error:
                error.add_note(f"the input was {data!r}")
                raise
            took = time.process_time() - begun
            assert took < LONGEST, f"{took:.1f} s for {data!r}"
            count += 1
        return count

    return run

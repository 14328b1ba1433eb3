"""The threads for what blocks."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from cloudstore_tui.transfers.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


async def test_one_thread_does_what_is_asked_one_after_the_other(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.transfers.workers.WAIT_FOR_THREAD_S", 3600)
    threads = {await workers.run(lambda _stop: threading.get_ident()) for _ in range(5)}
    assert len(threads) == 1


async def test_work_that_would_wait_for_other_work_gets_a_thread_of_its_own(workers: Workers) -> None:
    # Nobody passes before all three are at work at the same time.
    together = threading.Barrier(3)
    passed = await asyncio.gather(*(workers.run(lambda _stop: together.wait()) for _ in range(3)))
    assert sorted(passed) == [0, 1, 2]

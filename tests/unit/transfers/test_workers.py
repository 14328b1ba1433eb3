"""The threads for what blocks."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from cloudstore_tui.core.errors import UnavailableError
from cloudstore_tui.transfers.workers import Stop, Workers
from tests.support.waiting import PATIENCE


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


class Gate:
    """Work that ends when it is told to, and what came of each list."""

    def __init__(self) -> None:
        self.lists: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def each(self, _item: str) -> None:
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE)

    def then(self, items: list[str]) -> None:
        self.lists.append(items)
        if "fault" in items:
            raise ValueError

    async def come(self, workers: Workers, item: str, disk: str = "disk", stop: Stop | None = None) -> None:
        await workers.run_together(self.each, self.then, disk, item, stop or Stop())

    async def seen(self, count: int) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE), "it waits for others"


async def test_what_comes_while_a_list_is_at_work_is_on_the_next_one(workers: Workers) -> None:
    gate = Gate()
    first = asyncio.create_task(gate.come(workers, "a"))
    await gate.seen(1)
    later = [asyncio.create_task(gate.come(workers, item)) for item in ("b", "fault", "c")]
    elsewhere = asyncio.create_task(gate.come(workers, "d", "another disk"))
    await gate.seen(1)
    assert not any(task.done() for task in (first, elsewhere, *later))
    gate.go_on.release(5)
    await asyncio.gather(first, elsewhere)
    assert [type(error) for error in await asyncio.gather(*later, return_exceptions=True)] == [ValueError] * 3
    assert sorted(gate.lists) == [["a"], ["b", "fault", "c"], ["d"]]
    gate.go_on.release()
    await gate.come(workers, "e")


async def test_threads_that_have_nothing_to_do_help_with_a_list(workers: Workers) -> None:
    together = threading.Barrier(3)
    await asyncio.gather(*(workers.run(lambda _stop: together.wait()) for _ in range(3)))
    gate = Gate()
    first = asyncio.create_task(gate.come(workers, "a"))
    await gate.seen(1)
    later = [asyncio.create_task(gate.come(workers, item)) for item in ("b", "c", "d")]
    await asyncio.sleep(0)
    gate.go_on.release()
    # All three are at work before one of them may end.
    await gate.seen(3)
    gate.go_on.release(3)
    await asyncio.gather(first, *later)
    assert gate.lists == [["a"], ["b", "c", "d"]]


async def test_who_stops_waiting_for_a_list_stops_nobody_else(workers: Workers) -> None:
    gate, stop = Gate(), Stop()
    first = asyncio.create_task(gate.come(workers, "a"))
    await gate.seen(1)
    stopped = asyncio.create_task(gate.come(workers, "b", stop=stop))
    other = asyncio.create_task(gate.come(workers, "c"))
    await asyncio.sleep(0)
    stopped.cancel()
    gate.go_on.release(3)
    ended = await asyncio.gather(first, stopped, other, return_exceptions=True)
    assert [type(result) for result in ended] == [type(None), asyncio.CancelledError, type(None)]
    assert stop.asked
    assert gate.lists == [["a"], ["b", "c"]]


async def test_nothing_is_done_at_the_end_of_the_program(workers: Workers) -> None:
    workers.close()
    with pytest.raises(UnavailableError):
        await workers.run(lambda _stop: None)
    with pytest.raises(UnavailableError):
        await workers.run_together(lambda _item: None, lambda _items: None, "disk", "a", Stop())

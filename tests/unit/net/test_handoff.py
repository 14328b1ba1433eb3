"""What other threads do for a loop, and how that comes back."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from functools import partial

import pytest

from cloudstore_tui.net import handoff as module
from cloudstore_tui.net.handoff import Handoff, Mailbox
from tests.support.waiting import PATIENCE


def in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


async def test_whoever_is_cancelled_waits_until_the_thread_has_let_go() -> None:
    stopping, letting_go = threading.Event(), threading.Event()
    work: Handoff[str] = Handoff(stopping.set)
    mailbox = Mailbox.here()

    def carry_out() -> None:
        assert stopping.wait(PATIENCE)
        assert letting_go.wait(PATIENCE)
        mailbox.put(work.end, "done")

    async def wait() -> str:
        return await work

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    in_a_thread(carry_out)
    waiting.cancel()
    assert await asyncio.to_thread(stopping.wait, PATIENCE)
    assert not waiting.done()
    letting_go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.result() == "done"


async def test_a_thread_that_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.01)
    work: Handoff[None] = Handoff(lambda: None)

    async def wait() -> None:
        await work

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, PATIENCE)
    # What comes too late is nobody's.
    work.end(None, ValueError())
    assert work.cancelled()


async def test_who_asks_twice_does_not_wait() -> None:
    work: Handoff[None] = Handoff(lambda: None)

    async def wait() -> None:
        await work

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, PATIENCE)


async def test_ended_work_does_not_stay_in_memory_until_garbage_is_collected() -> None:
    class Work:
        def __init__(self) -> None:
            self.ended: Handoff[None] = Handoff(self.stop)

        def stop(self) -> None:
            """Nothing."""

    work = Work()
    gone = weakref.ref(work)
    gc.disable()
    try:
        work.ended.end(None, None)
        await work.ended
        del work
        assert gone() is None
    finally:
        gc.enable()


async def test_many_ends_wake_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, mailbox = asyncio.get_running_loop(), Mailbox.here()
    told: list[int] = []
    calls = 0

    def count(*given: object, real: Callable[..., object] = loop.call_soon_threadsafe) -> object:
        nonlocal calls
        calls += 1
        return real(*given)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    works: list[Handoff[int]] = [Handoff(lambda: None) for _ in range(10)]
    for number, work in enumerate(works):
        mailbox.put(work.end, number)
        mailbox.put(lambda result, _error: told.append(result), number)
    assert await asyncio.gather(*works) == told == list(range(10))
    assert calls == 1
    again: Handoff[str] = Handoff(lambda: None)
    in_a_thread(partial(mailbox.put, again.end, "again"))
    assert await again == "again"
    assert Mailbox.here() is mailbox


async def test_an_end_that_fails_by_a_mistake_fails_alone() -> None:
    loop, mailbox = asyncio.get_running_loop(), Mailbox.here()
    mistakes: list[object] = []
    loop.set_exception_handler(lambda _loop, context: mistakes.append(context["exception"]))

    def fail(_result: object, _error: object) -> None:
        raise ValueError

    work: Handoff[str] = Handoff(lambda: None)
    mailbox.put(fail)
    mailbox.put(work.end, "done")
    assert await asyncio.wait_for(work, PATIENCE) == "done"
    assert [type(mistake) for mistake in mistakes] == [ValueError]

"""Which transfers have changed is pushed, gathered, to whoever listens, in the loop where they listen."""

import asyncio
import threading
from pathlib import Path
from typing import Any

from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.transfers.manager import PUSH_INTERVAL_S, Changes
from cloudstore_tui.transfers.model import DownloadRequest, State
from tests.support.waiting import until

PLACE = Location("tiny", path="exports/x.tar")


async def test_a_transfer_that_comes_ends_and_goes_is_told(engine: Any, server: Any, folder: Path) -> None:
    server.put("/exports/x.tar", b"content")
    told: set[int] = set()
    end = engine.listen(told.update)
    number = engine.submit(DownloadRequest(PLACE, folder))
    await until(lambda: number in told)
    await engine.wait(number)
    told.clear()
    await until(lambda: engine.snapshot([number])[0].state is State.DONE)
    engine.forget(number)
    await until(lambda: number in told)
    assert (engine.snapshot([number]), engine.snapshot()) == ((), ())
    end()
    told.clear()
    engine.submit(DownloadRequest(PLACE, folder, "y"))
    await asyncio.sleep(2 * PUSH_INTERVAL_S)
    assert told == set()


async def test_many_changes_are_pushed_together() -> None:
    changes = Changes()
    pushed: list[frozenset[int]] = []
    changes.bind(asyncio.get_running_loop())
    changes.listen(pushed.append)
    for round_ in range(3):
        for number in range(1000):
            changes.mark(number)
        await until(lambda: len(pushed) == round_ + 1)  # noqa: B023 - asked at once
    assert [len(numbers) for numbers in pushed] == [1000] * 3


async def test_changes_are_told_where_somebody_listens(provider: Any, server: Any, folder: Path) -> None:
    server.put("/exports/x.tar", b"content")
    engine = EngineThread({"tiny": lambda: provider}, 2, Timeouts(read=30))
    engine.start()
    here = threading.get_ident()
    threads: set[int] = set()
    told: set[int] = set()

    def listen(numbers: frozenset[int]) -> None:
        threads.add(threading.get_ident())
        told.update(numbers)

    engine.listen(listen)
    number = engine.submit(DownloadRequest(PLACE, folder))
    await until(lambda: number in told and engine.snapshot([number])[0].state is State.DONE)
    engine.stop()
    assert threads == {here}


async def test_a_listener_that_fails_takes_nothing_from_the_others() -> None:
    changes = Changes()
    pushed: list[frozenset[int]] = []
    changes.bind(asyncio.get_running_loop())
    changes.listen(lambda _numbers: 1 / 0)
    changes.listen(pushed.append)
    changes.mark(1)
    await until(lambda: pushed == [{1}])

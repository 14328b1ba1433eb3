"""The thread behind the screen."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import MissingError, UnavailableError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.transfers.backstage import Backstage
from cloudstore_tui.transfers.stand_in import StandIn
from cloudstore_tui.transfers.transfer import DownloadRequest, State

PLACE = Location("tiny", path="x")


@pytest.fixture
def backstage(provider: Any) -> Iterator[Backstage]:
    running = Backstage({"tiny": lambda: provider}, 2, Timeouts(read=30))
    running.start()
    yield running
    running.stop()


def ended(backstage: Backstage, number: int) -> Any:
    for _ in range(500):
        for transfer in backstage.snapshot():
            if transfer.id == number and transfer.state.ended:
                return transfer
        time.sleep(0.01)
    raise AssertionError("it never ended")


def test_transfers_run_without_any_loop_of_the_caller(
    backstage: Backstage, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    number = backstage.submit(DownloadRequest(PLACE, folder))
    assert ended(backstage, number).state is State.DONE
    assert (folder / "x").read_bytes() == content
    backstage.clear_ended()
    for _ in range(100):
        if backstage.snapshot() == ():
            return
        time.sleep(0.01)
    raise AssertionError("it was not cleared")


def test_cancel_and_retry_reach_the_transfer(
    backstage: Backstage, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(stall=1000))
    number = backstage.submit(DownloadRequest(PLACE, folder))
    asyncio.run(server.saw(1))
    backstage.cancel(number)
    assert ended(backstage, number).state is State.CANCELLED
    backstage.retry(number)
    for _ in range(500):
        if backstage.snapshot()[0].state is State.DONE:
            break
        time.sleep(0.01)
    assert (folder / "x").read_bytes() == content


async def test_a_stand_in_answers_from_the_other_thread(backstage: Backstage, provider: Any, server: Any) -> None:
    server.put("/x", b"content")
    threads: list[str] = []
    stat = provider.stat

    async def noted(location: Location) -> Any:
        threads.append(threading.current_thread().name)
        return await stat(location)

    provider.stat = noted
    stand_in = backstage.providers["tiny"]
    assert (await stand_in.stat(PLACE)).name == "x"
    assert threads == ["backstage"]
    with pytest.raises(MissingError):
        await stand_in.stat(Location("tiny", path="nothing"))


async def test_a_stand_in_is_the_provider_for_all_that_sends_nothing(backstage: Backstage, provider: Any) -> None:
    stand_in = backstage.providers["tiny"]
    assert stand_in.profile is provider.profile
    assert stand_in.capabilities == provider.capabilities == {Capability.UPLOAD}
    assert stand_in.locate("a/b") == Location("tiny", path="a/b")
    assert stand_in.is_folder(Location("tiny", path="a/"))
    assert stand_in.session == provider.session
    stand_in.require(Capability.UPLOAD, PLACE)


async def test_cancelling_reaches_the_other_loop(backstage: Backstage, provider: Any) -> None:
    cancelled = threading.Event()
    begun = threading.Event()

    async def endless(_location: Location) -> Any:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    provider.stat = endless
    task = asyncio.create_task(backstage.providers["tiny"].stat(PLACE))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if cancelled.is_set():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the other task goes on")


async def test_a_caller_whose_loop_stalls_stalls_no_download(
    backstage: Backstage, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    backstage.submit(DownloadRequest(PLACE, folder))
    time.sleep(0.5)  # noqa: ASYNC251 - the stall is the subject
    assert backstage.snapshot()[0].state is State.DONE


def test_stopping_is_quick_whatever_runs(provider: Any, server: Any, answer: Any, content: bytes, folder: Path) -> None:
    for number in range(4):
        server.put(f"/{number}", content)
    server.answer(*[answer(stall=1000)] * 4)
    backstage = Backstage({"tiny": lambda: provider}, 4, Timeouts(read=30))
    backstage.start()
    for number in range(4):
        backstage.submit(DownloadRequest(Location("tiny", path=str(number)), folder))
    asyncio.run(server.saw(4))
    begun = time.monotonic()
    backstage.stop()
    assert time.monotonic() - begun < 1
    assert list(folder.iterdir()) == []
    assert not any(thread.name == "backstage" for thread in threading.enumerate())
    backstage.cancel(1)
    with pytest.raises(UnavailableError):
        asyncio.run(backstage.providers["tiny"].stat(PLACE))


def test_a_provider_is_opened_once_and_only_when_needed(provider: Any) -> None:
    opened: list[int] = []

    def opener() -> StorageProvider:
        opened.append(1)
        found: StorageProvider = provider
        return found

    backstage = Backstage({"tiny": opener})
    backstage.start()
    assert opened == []
    for _ in range(3):
        backstage.providers["tiny"].locate("x")
    backstage.stop()
    assert opened == [1]


def test_every_method_of_the_contract_is_passed_on() -> None:
    own = set(vars(StandIn))
    public = {name for name in vars(StorageProvider) if not name.startswith("_")}
    assert public - own == {"require"}
    assert not StandIn.__abstractmethods__

"""The thread behind the screen."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import LocalDiskError, MissingError, StorageError, UnavailableError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.transfers.engine_thread import EngineThread, ProviderProxy
from cloudstore_tui.transfers.model import DownloadRequest, State
from tests.support.waiting import PATIENCE, PROMPTLY, until

PLACE = Location("tiny", path="x")


@pytest.fixture
def engine(provider: Any) -> Iterator[EngineThread]:
    running = EngineThread({"tiny": lambda: provider}, 2, Timeouts(read=30))
    running.start()
    yield running
    running.stop()


def ended(engine: EngineThread, number: int) -> Any:
    def those() -> list[Any]:
        return [transfer for transfer in engine.snapshot() if transfer.id == number and transfer.state.ended]

    asyncio.run(until(those))
    return those()[0]


def test_transfers_run_without_any_loop_of_the_caller(
    engine: EngineThread, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    number = engine.submit(DownloadRequest(PLACE, folder))
    assert ended(engine, number).state is State.DONE
    assert (folder / "x").read_bytes() == content
    engine.forget(number)
    asyncio.run(until(lambda: engine.snapshot() == ()))


def test_cancel_and_retry_reach_the_transfer(
    engine: EngineThread, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(stall=1000))
    number = engine.submit(DownloadRequest(PLACE, folder))
    asyncio.run(server.saw(1))
    engine.cancel(number)
    assert ended(engine, number).state is State.CANCELLED
    engine.retry(number)
    asyncio.run(until(lambda: [transfer.state for transfer in engine.snapshot()] == [State.DONE]))
    assert (folder / "x").read_bytes() == content


async def test_a_proxy_answers_from_the_other_thread(engine: EngineThread, provider: Any, server: Any) -> None:
    server.put("/x", b"content")
    threads: list[str] = []
    stat = provider.stat

    async def noted(location: Location) -> Any:
        threads.append(threading.current_thread().name)
        return await stat(location)

    provider.stat = noted
    proxy = engine.providers["tiny"]
    assert (await proxy.stat(PLACE)).name == "x"
    assert threads == ["transfers"]
    with pytest.raises(MissingError):
        await proxy.stat(Location("tiny", path="nothing"))


async def test_a_stand_in_is_the_provider_for_all_that_sends_nothing(engine: EngineThread, provider: Any) -> None:
    proxy = engine.providers["tiny"]
    assert proxy.profile is provider.profile
    assert proxy.capabilities == provider.capabilities == {Capability.UPLOAD}
    assert proxy.locate("a/b") == Location("tiny", path="a/b")
    assert proxy.is_folder(Location("tiny", path="a/"))
    assert proxy.session == provider.session
    proxy.require(Capability.UPLOAD, PLACE)


async def test_cancelling_reaches_the_other_loop(engine: EngineThread, provider: Any) -> None:
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
    task = asyncio.create_task(engine.providers["tiny"].stat(PLACE))
    await until(begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(cancelled.is_set)


async def test_a_caller_whose_loop_stalls_stalls_no_download(
    engine: EngineThread, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    engine.submit(DownloadRequest(PLACE, folder))
    end = time.monotonic() + PATIENCE
    # It is on the list once the thread has heard of it.
    while [transfer.state for transfer in engine.snapshot()] != [State.DONE] and time.monotonic() < end:
        time.sleep(0.05)  # noqa: ASYNC251 - the stall is the subject
    assert [transfer.state for transfer in engine.snapshot()] == [State.DONE]


def test_stopping_is_quick_whatever_runs(provider: Any, server: Any, answer: Any, content: bytes, folder: Path) -> None:
    for number in range(4):
        server.put(f"/{number}", content)
    server.answer(*[answer(stall=1000)] * 4)
    engine = EngineThread({"tiny": lambda: provider}, 4, Timeouts(read=30))
    engine.start()
    for number in range(4):
        engine.submit(DownloadRequest(Location("tiny", path=str(number)), folder))
    asyncio.run(server.saw(4))
    begun = time.monotonic()
    engine.stop()
    assert time.monotonic() - begun < PROMPTLY
    assert list(folder.iterdir()) == []
    assert not any(thread.name == "transfers" for thread in threading.enumerate())
    engine.cancel(1)
    with pytest.raises(UnavailableError):
        asyncio.run(engine.providers["tiny"].stat(PLACE))


def test_a_provider_is_opened_once_and_only_when_needed(provider: Any) -> None:
    opened: list[int] = []

    def opener() -> StorageProvider:
        opened.append(1)
        found: StorageProvider = provider
        return found

    engine = EngineThread({"tiny": opener})
    engine.start()
    assert opened == []
    for _ in range(3):
        engine.providers["tiny"].locate("x")
    engine.stop()
    assert opened == [1]


def test_every_method_of_the_contract_is_passed_on() -> None:
    own = set(vars(ProviderProxy))
    public = {name for name in vars(StorageProvider) if not name.startswith("_")}
    assert public - own == {"require"}
    assert not ProviderProxy.__abstractmethods__


def test_a_thread_that_ends_at_once_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any, **_named: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cloudstore_tui.transfers.engine_thread.TransferManager", broken)
    engine = EngineThread({})
    with pytest.raises(StorageError, match="cannot be started"):
        engine.start()
    assert engine.snapshot() == ()
    engine.submit(DownloadRequest(PLACE, Path("/downloads")))
    engine.finish()
    engine.stop()


def test_a_machine_without_threads_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(LocalDiskError, match="no more threads"):
        EngineThread({}).start()


async def test_whoever_waits_is_told_when_the_thread_ends_by_a_mistake(
    provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def hangs(_location: Location) -> Any:
        loops.append(asyncio.get_running_loop())
        await asyncio.Event().wait()

    provider.stat = hangs
    engine = EngineThread({"tiny": lambda: provider})
    engine.start()
    waiting = asyncio.create_task(engine.providers["tiny"].stat(PLACE))
    await until(lambda: loops)
    loops[0].call_soon_threadsafe(loops[0].stop)
    with pytest.raises((asyncio.CancelledError, UnavailableError)):
        await asyncio.wait_for(waiting, PATIENCE)
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(engine.providers["tiny"].stat(PLACE), PATIENCE)
    engine.finish()


async def test_a_profile_that_is_gone_is_an_error_of_its_transfer(folder: Path) -> None:
    engine = EngineThread({})
    engine.start()
    number = engine.submit(DownloadRequest(PLACE, folder))
    failed = await asyncio.to_thread(ended, engine, number)
    engine.stop()
    assert (failed.error.code, failed.error.subject) == (2, "tiny")

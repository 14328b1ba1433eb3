"""The queue: how many at once, cancel, retry, numbers, and a quick end."""

import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.clock import Clock, SleepDetector
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    State,
    TransferProgress,
    TransferSnapshot,
    UploadRequest,
)
from tests.support.downloads import get, names_in
from tests.support.waiting import PROMPTLY, until


def request(folder: Path, name: str = "x") -> DownloadRequest:
    return DownloadRequest(Location("tiny", path=name), folder)


async def reached(engine: Any, number: int, state: State) -> TransferSnapshot:
    def those() -> list[TransferSnapshot]:
        return [transfer for transfer in engine.snapshot() if transfer.id == number and transfer.state is state]

    await until(those, str(state))
    return those()[0]


async def test_no_more_run_at_once_than_allowed(fresh_engine: Any, server: Any, answer: Any, folder: Path) -> None:
    for number in range(12):
        server.put(f"/{number}", b"x" * 10)
    server.answer(*[answer(slow=True)] * 12)
    engine = fresh_engine(at_once=3)
    numbers = [engine.submit(request(folder, str(number))) for number in range(12)]
    most = 0
    while not all(transfer.state.ended for transfer in engine.snapshot()):
        states = [transfer.state for transfer in engine.snapshot()]
        most = max(most, sum(state in (State.SIGNING, State.RUNNING) for state in states))
        await asyncio.sleep(0.01)
    assert most == 3
    assert [transfer.id for transfer in engine.snapshot()] == numbers
    assert {transfer.state for transfer in engine.snapshot()} == {State.DONE}
    assert len(names_in(folder)) == 12
    await engine.close()


async def test_what_waits_can_change_places_and_many_are_told_at_once(
    fresh_engine: Any, server: Any, answer: Any, folder: Path
) -> None:
    names = ["first", "a", "b", "c", "d"]
    for name in names:
        server.put(f"/{name}", b"x" * 10)
    server.answer(answer(slow=True))
    engine = fresh_engine(at_once=1)
    first, a, b, c, d = (engine.submit(request(folder, name)) for name in names)
    await reached(engine, first, State.RUNNING)
    engine.reorder([d, b, first])
    engine.pause(a, c)
    engine.resume(a)
    for number in (d, a, b):
        await engine.wait(number)
    began = sorted((transfer.started, transfer.id) for transfer in engine.snapshot() if transfer.attempts)
    assert [number for _, number in began] == [first, d, b, a]
    assert await reached(engine, c, State.PAUSED)
    engine.cancel(c, c, 12345)
    assert (await engine.wait(c)).state is State.CANCELLED
    await engine.close()


async def test_the_order_that_was_given_is_that_of_the_next_run(
    fresh_engine: Any, server: Any, answer: Any, folder: Path, tmp_path: Path
) -> None:
    server.answer(answer(slow=True))
    server.put("/first", b"x" * 10)
    journal = JournalStore(tmp_path / "state")
    engine = fresh_engine(at_once=1, journal=journal)
    first, a, b, c = (engine.submit(request(folder, name)) for name in ("first", "a", "b", "c"))
    await reached(engine, first, State.RUNNING)
    # What runs already has no place in the queue to give.
    engine.reorder([c, first, a])
    await engine.close()
    journal.close()
    journal = JournalStore(tmp_path / "state")
    engine = fresh_engine(journal=journal)
    assert [transfer.id for transfer in await engine.left_overs.interrupted()] == [first, c, b, a]
    assert await engine.adopt() == (first, c, b, a)
    await engine.close()
    journal.close()


async def test_small_objects_share_connections(engine: Any, server: Any, folder: Path) -> None:
    for number in range(60):
        server.put(f"/{number}", b"x" * number)
    numbers = [engine.submit(request(folder, str(number))) for number in range(60)]
    transfers = [await engine.wait(number) for number in numbers]
    assert {transfer.state for transfer in transfers} == {State.DONE}
    assert server.connections <= 8


@pytest.mark.parametrize("fault", [{"stall": 1000}, {"silent": True}])
async def test_a_cancelled_download_leaves_nothing(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path, fault: dict[str, Any]
) -> None:
    server.put("/x", content)
    server.answer(answer(**fault))
    engine = fresh_engine(timeouts={"read": 30, "stall": 60})
    number = engine.submit(request(folder))
    await server.saw(1)
    await reached(engine, number, State.RUNNING)
    begun = time.monotonic()
    engine.cancel(number)
    transfer = await engine.wait(number)
    assert time.monotonic() - begun < PROMPTLY
    assert (transfer.state, transfer.error) == (State.CANCELLED, None)
    assert names_in(folder) == []
    await engine.close()


async def test_cancelling_before_the_first_step_ends_it_too(engine: Any, server: Any, folder: Path) -> None:
    server.put("/x", b"x")
    numbers = [engine.submit(request(folder)) for _ in range(6)]
    for number in numbers:
        engine.cancel(number)
    transfers = [await engine.wait(number) for number in numbers]
    assert {transfer.state for transfer in transfers} == {State.CANCELLED}
    again = await engine.wait(engine.submit(request(folder)))
    assert again.state is State.DONE


async def test_a_cancel_that_comes_while_the_file_gets_its_name_is_too_late(
    fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    reached_link = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow(Disk):
        def link(self, name: str, new: str, folder: int) -> None:
            super().link(name, new, folder)
            loop.call_soon_threadsafe(reached_link.set)
            time.sleep(0.2)

    server.put("/x", content)
    engine = fresh_engine(disk=Slow())
    number = engine.submit(request(folder))
    await reached_link.wait()
    engine.cancel(number)
    assert (await engine.wait(number)).state is State.DONE
    await engine.close()
    assert names_in(folder) == ["x"]


async def test_a_lost_link_says_where_it_goes_on(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(cut=100_000), *[answer(cut=0)] * 9)
    engine = fresh_engine(clock=Clock())
    number = engine.submit(request(folder))
    waiting = await reached(engine, number, State.WAITING)
    assert waiting.note == "the connection to 127.0.0.1 was lost; going on at 31 %"
    await engine.close()


async def test_a_failure_without_a_byte_keeps_no_part_file(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(*[answer(cut=0)] * 200)
    engine = fresh_engine(timeouts={"give_up": 5.0})
    await engine.wait(engine.submit(request(folder)))
    assert names_in(folder) == []
    await engine.close()


async def test_a_cancelled_wait_for_the_store_ends(fresh_engine: Any, server: Any, answer: Any, folder: Path) -> None:
    server.put("/x", b"x")
    server.answer(answer(status=429, headers={"Retry-After": "100"}))
    engine = fresh_engine(clock=Clock())
    number = engine.submit(request(folder))
    waiting = await reached(engine, number, State.WAITING)
    assert "100 s" in waiting.note
    engine.cancel(number)
    assert (await engine.wait(number)).state is State.CANCELLED
    assert names_in(folder) == []
    await engine.close()


async def test_a_cancelled_download_can_be_started_again(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(stall=1000))
    number = engine.submit(request(folder))
    await server.saw(1)
    engine.cancel(number)
    await engine.wait(number)
    engine.retry(number)
    transfer = await engine.wait(number)
    assert (transfer.state, transfer.error) == (State.DONE, None)
    assert (folder / "x").read_bytes() == content


async def test_only_what_ended_is_cleared(fresh_engine: Any, server: Any, answer: Any, folder: Path) -> None:
    server.put("/a", b"a")
    server.put("/b", b"b")
    engine = fresh_engine(timeouts={"read": 30})
    done = engine.submit(request(folder, "a"))
    await engine.wait(done)
    server.answer(answer(silent=True))
    running = engine.submit(request(folder, "b"))
    await server.saw(2)
    engine.forget(done, running)
    assert [transfer.id for transfer in engine.snapshot()] == [running]
    await engine.close()


async def test_closing_waits_for_nobody_and_leaves_no_part(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    for number in range(6):
        server.put(f"/{number}", content)
    server.answer(*[answer(stall=1000)] * 6)
    engine = fresh_engine(timeouts={"read": 30, "stall": 60})
    numbers = [engine.submit(request(folder, str(number))) for number in range(6)]
    await server.saw(4)
    begun = time.monotonic()
    await engine.close()
    assert time.monotonic() - begun < PROMPTLY
    assert names_in(folder) == []
    assert {(await engine.wait(number)).state for number in numbers} == {State.CANCELLED}
    late = engine.submit(request(folder))
    assert (await engine.wait(late)).state is State.CANCELLED


async def test_a_kept_part_is_removed_when_the_engine_closes(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(cut=100_000), *[answer(cut=0)] * 200)
    engine = fresh_engine(timeouts={"give_up": 5.0})
    await engine.wait(engine.submit(request(folder)))
    assert len(names_in(folder)) == 1
    await engine.close()
    assert names_in(folder) == []


async def test_an_error_of_the_program_ends_the_transfer_and_is_reported(
    engine: Any, provider: Any, server: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.put("/x", b"x")
    provider.source_errors.append(ZeroDivisionError("a mistake"))
    transfer = await engine.wait(engine.submit(request(folder)))
    assert transfer.state is State.FAILED
    assert transfer.error is not None
    assert transfer.error.subject == "tiny:x"
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
    assert names_in(folder) == []
    assert (await engine.wait(engine.submit(request(folder)))).state is State.DONE


def test_the_speed_is_that_of_the_last_seconds_and_tells_the_time_left(clock: Any, folder: Path) -> None:
    progress = TransferProgress(1, request(folder), clock)
    done = 0
    progress.meter = lambda: done
    progress.size = 10_000_000
    progress.to(State.RUNNING)
    for _ in range(40):
        progress.sample()
        clock.passed += 0.25
        done += 50_000
    fast = progress.snapshot()
    assert fast.speed == pytest.approx(200_000, rel=0.02)
    assert fast.eta == pytest.approx((10_000_000 - done) / 200_000, rel=0.05)
    for _ in range(20):
        progress.sample()
        clock.passed += 0.25
    progress.sample()
    stalled = progress.snapshot()
    assert (stalled.speed, stalled.eta) == (0, None)
    progress.to(State.DONE)
    assert progress.snapshot().eta is None


async def test_a_running_download_shows_its_numbers(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/x", content)
    server.answer(answer(stall=100_000))
    engine = fresh_engine(timeouts={"read": 30, "stall": 60})
    number = engine.submit(request(folder))
    await reached(engine, number, State.RUNNING)
    await until(lambda: engine.snapshot()[0].done == 100_000)
    transfer = engine.snapshot()[0]
    assert (transfer.done, transfer.size, transfer.attempts) == (100_000, len(content), 1)
    assert transfer.started is not None
    assert transfer.ended is None
    await engine.close()


# Uploads share the queue


async def test_uploads_and_downloads_share_one_queue(engine: Any, server: Any, folder: Path, tmp_path: Path) -> None:
    server.put("/x", b"x")
    (tmp_path / "up").write_bytes(b"up")
    numbers = [
        engine.submit(request(folder)),
        engine.submit(UploadRequest(tmp_path / "up", Location("tiny", path="in/up"))),
        engine.submit(DownloadRequest(Location("tiny", path="x"), folder, "y", OnConflict.REFUSE)),
    ]
    assert {(await engine.wait(number)).state for number in numbers} == {State.DONE}
    assert server.objects["/in/up"] == b"up"
    assert names_in(folder) == ["x", "y"]


async def test_an_engine_that_moved_nothing_never_loads_libcurl(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("cloudstore_tui.net.blob.BlobClient", lambda *given: made.append(given))
    engine = TransferManager(lambda _name: provider)
    await engine.close()
    assert made == []


async def test_a_mistake_while_watching_ends_neither_the_watch_nor_the_transfers(
    fresh_engine: Any,
    server: Any,
    answer: Any,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put("/x", b"x" * 400)
    server.answer(answer(slow=True))
    engine = fresh_engine()
    number = engine.submit(request(folder))
    await reached(engine, number, State.RUNNING)
    failures = 0

    def renew() -> None:
        nonlocal failures
        failures += 1
        raise RuntimeError("a mistake")

    engine.context.blob.renew = renew
    monkeypatch.setattr(SleepDetector, "happened", lambda _self: failures < 2)
    await until(lambda: failures == 2, "a second round after the mistake")
    await until(lambda: engine.snapshot()[0].speed > 0, "a measured speed")
    assert "a round of watching over transfers failed" in caplog.text
    assert (await engine.wait(number)).state is State.DONE
    await engine.close()


async def test_a_download_that_was_forgotten_leaves_nothing_for_the_garbage_collector(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    """Thousands of them in a row would pile up until it runs."""
    server.put("/exports/x.tar", content)

    async def get_and_forget() -> None:
        transfer = await get(engine, folder)

        def is_gone() -> bool:
            engine.forget(transfer.id)
            left: tuple[TransferSnapshot, ...] = engine.snapshot()
            return not left

        await until(is_gone, "the end of its task")

    await get_and_forget()
    (folder / "x.tar").unlink()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await get_and_forget()
        gc.collect()
        # Other threads, such as that of the server, may leave cycles of their own.
        left = [type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("cloudstore_tui.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []

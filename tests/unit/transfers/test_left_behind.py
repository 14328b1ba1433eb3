"""However a transfer ends, every part file on the disk belongs to an entry of the journal, and pruning finds it."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import (
    ConfigError,
    ForbiddenError,
    LoginError,
    MissingError,
    StorageError,
    no_more_threads,
)
from cloudstore_tui.core.models import Location
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers import workers
from cloudstore_tui.transfers.journal.store import FILE, JournalStore
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, State, UploadRequest
from cloudstore_tui.transfers.workers import Workers
from tests.support.downloads import PLACE, names_in
from tests.support.waiting import PATIENCE, until


class Slow(Disk):
    """Brings no bytes to the disk before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.free.set()

    def sync(self, descriptor: int) -> None:
        self.free.wait(PATIENCE)
        super().sync(descriptor)


class Runs:
    """One program after another, with the same journal and folder."""

    def __init__(self, tmp_path: Path, folder: Path, provider: Any, clock: Any, timeouts: Any) -> None:
        self.state = tmp_path / "state"
        self.folder = folder
        self.provider = provider
        self.clock = clock
        self.timeouts = timeouts
        self.journals: list[JournalStore] = []

    def journal(self) -> JournalStore:
        self.journals.append(JournalStore(self.state))
        return self.journals[-1]

    def engine(self, provider_of: Callable[[str], Any] | None = None, disk: Disk | None = None) -> TransferManager:
        return TransferManager(
            provider_of or (lambda _name: self.provider),
            1,
            timeouts=self.timeouts,
            clock=self.clock,
            journal=self.journal(),
            disk=disk,
        )

    async def end(self, engine: TransferManager) -> None:
        await engine.close()
        self.journals[-1].close()

    @property
    def parts(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if path.name.startswith(".cs-")}

    @property
    def rows(self) -> list[dict[str, Any]]:
        with sqlite3.connect(self.state / FILE) as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute("SELECT * FROM transfer ORDER BY created")]
        connection.close()
        return found

    def check(self) -> None:
        """Every part file is known."""
        known = {name for row in self.rows for name in (row["part"], row["alone"])}
        assert self.parts - known == set()

    async def prune(self) -> None:
        """Everything that is left can be pruned, without any profile."""
        journal = self.journal()
        left = LeftOvers(journal, Disk(), Workers())
        await left.drop(await left.older_than(0))
        journal.close()
        assert (self.rows, self.parts) == ([], set())


@pytest.fixture
def runs(tmp_path: Path, folder: Path, provider: Any, clock: Any, timeouts: Any) -> Iterator[Runs]:
    running = Runs(tmp_path, folder, provider, clock, timeouts)
    yield running
    for journal in running.journals:
        journal.close()


@pytest.fixture
async def interrupted(runs: Runs, server: Any, answer: Any, content: bytes) -> int:
    """A download of which a part arrived when its program ended."""
    server.put("/exports/x.tar", content)
    server.answer(answer(stall=200_000))
    engine = runs.engine()
    number = engine.submit(DownloadRequest(PLACE, runs.folder))
    await until(lambda: engine.snapshot()[0].done >= 200_000)
    await runs.end(engine)
    assert len(runs.parts) == 1
    runs.check()
    return number


def gone(_name: str) -> Any:
    raise ConfigError("there is no such profile", subject="tiny")


def wrong_key(_name: str) -> Any:
    raise LoginError("the secret was refused")


def mistake(_name: str) -> Any:
    raise KeyError("tiny")


@pytest.mark.parametrize("provider_of", [gone, wrong_key, mistake])
async def test_what_a_profile_is_missing_for_stays_with_its_bytes(
    runs: Runs, interrupted: int, content: bytes, provider_of: Any, server: Any
) -> None:
    before = runs.parts
    engine = runs.engine(provider_of)
    assert await engine.adopt() == (interrupted,)
    failed = await engine.wait(interrupted)
    assert (failed.state, failed.error is not None) == (State.FAILED, True)
    await runs.end(engine)
    (row,) = runs.rows
    assert (row["state"], row["durable"], runs.parts) == ("failed", 200_000, before)
    assert row["reason"] == (failed.error.message if failed.error else "")
    engine = runs.engine()
    await engine.adopt()
    assert (await engine.wait(interrupted)).state is State.DONE
    await runs.end(engine)
    assert server.starts() == [0, 200_000]
    assert (runs.rows, names_in(runs.folder)) == ([], ["x.tar"])


@pytest.mark.parametrize("provider_of", [gone, mistake])
async def test_what_failed_is_pruned_with_its_bytes(runs: Runs, interrupted: int, provider_of: Any) -> None:
    engine = runs.engine(provider_of)
    await engine.adopt()
    await engine.wait(interrupted)
    await runs.end(engine)
    await runs.prune()


FAILURES: dict[str, StorageError] = {
    "the object is gone": MissingError("no such object"),
    "it is forbidden": ForbiddenError("you may not"),
    "the secret is refused": LoginError("the secret was refused"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_failure_on_the_way_keeps_what_arrived(
    runs: Runs, provider: Any, server: Any, answer: Any, content: bytes, failure: StorageError
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=150_000, once=lambda: provider.source_errors.append(failure)))
    engine = runs.engine()
    number = engine.submit(DownloadRequest(PLACE, runs.folder))
    failed = await engine.wait(number)
    assert (failed.state, failed.error.message if failed.error else "") == (State.FAILED, failure.message)
    assert failed.error is not None
    assert failed.error.subject == "tiny:exports/x.tar"
    await runs.end(engine)
    (row,) = runs.rows
    assert (row["state"], row["reason"], row["durable"]) == ("failed", failure.message, 150_000)
    runs.check()
    await runs.prune()


async def test_a_failure_before_any_byte_leaves_an_entry_and_no_file(runs: Runs, folder: Path) -> None:
    for _ in range(3):
        engine = runs.engine()
        number = engine.submit(DownloadRequest(PLACE, folder))
        assert (await engine.wait(number)).state is State.FAILED
        await runs.end(engine)
        (row,) = runs.rows
        assert (row["state"], row["part"], runs.parts) == ("failed", "", set())
    await runs.prune()


async def test_a_damaged_object_leaves_an_entry_and_no_file(
    runs: Runs, server: Any, answer: Any, content: bytes
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(*[answer(flip=7)] * 2)
    engine = runs.engine()
    failed = await engine.wait(engine.submit(DownloadRequest(PLACE, runs.folder)))
    assert failed.error is not None
    assert failed.error.code == 6
    await runs.end(engine)
    assert (len(runs.rows), runs.rows[0]["part"], runs.parts) == (1, "", set())
    await runs.prune()


async def test_a_file_in_the_way_keeps_what_arrived(
    runs: Runs, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(once=lambda: (folder / "x.tar").write_bytes(b"mine")))
    engine = runs.engine()
    failed = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    assert failed.error is not None
    assert failed.error.code == 9
    runs.check()
    await runs.end(engine)
    runs.check()
    await runs.prune()
    assert (folder / "x.tar").read_bytes() == b"mine"


@pytest.mark.parametrize("at", ["once", "later"])
async def test_a_transfer_that_is_cancelled_after_a_restart_leaves_nothing(
    runs: Runs, interrupted: int, server: Any, answer: Any, at: str
) -> None:
    server.answer(*[answer(silent=True)] * 9)
    engine = runs.engine()
    await engine.adopt()
    if at == "later":
        await until(lambda: engine.snapshot()[0].state is State.RUNNING)
    engine.cancel(interrupted)
    assert (await engine.wait(interrupted)).state is State.CANCELLED
    await runs.end(engine)
    assert (runs.rows, runs.parts) == ([], set())


async def test_a_waiting_transfer_that_is_cancelled_after_a_restart_leaves_nothing(
    runs: Runs, interrupted: int, server: Any, answer: Any
) -> None:
    server.answer(*[answer(silent=True)] * 9)
    engine = runs.engine()
    first = engine.submit(DownloadRequest(PLACE, runs.folder, "first"))
    await engine.adopt()
    engine.cancel(interrupted)
    assert (await engine.wait(interrupted)).state is State.CANCELLED
    engine.cancel(first)
    await engine.wait(first)
    await runs.end(engine)
    assert (runs.rows, runs.parts) == ([], set())


async def test_a_failed_transfer_stays_until_it_is_cancelled(runs: Runs, interrupted: int) -> None:
    engine = runs.engine(gone)
    await engine.adopt()
    await engine.wait(interrupted)
    assert [transfer.id for transfer in engine.snapshot()] == [interrupted]
    engine.cancel(interrupted)
    assert (await engine.wait(interrupted)).state is State.CANCELLED
    await runs.end(engine)
    assert (runs.rows, runs.parts) == ([], set())


async def test_a_failed_transfer_that_is_forgotten_leaves_nothing(runs: Runs, interrupted: int) -> None:
    engine = runs.engine(gone)
    await engine.adopt()
    await engine.wait(interrupted)
    engine.forget(interrupted)
    assert engine.snapshot() == ()
    await runs.end(engine)
    assert (runs.rows, runs.parts) == ([], set())


class Stuck(Disk):
    """Keeps everything, as long as it is stuck."""

    is_stuck = True

    def remove(self, name: str, folder: int) -> None:
        if self.is_stuck:
            raise OSError(5, "input/output error")
        super().remove(name, folder)


@pytest.mark.parametrize("way", ["before", "meanwhile", "failed"])
async def test_what_is_cancelled_and_cannot_be_removed_stays_on_the_list(
    runs: Runs, interrupted: int, server: Any, answer: Any, way: str
) -> None:
    server.answer(*[answer(silent=True)] * 9)
    disk = Stuck()
    engine = runs.engine(gone if way == "failed" else None, disk)
    await engine.adopt()
    if way == "meanwhile":
        await until(lambda: engine.snapshot()[0].state is State.RUNNING)
    elif way == "failed":
        await engine.wait(interrupted)
    engine.cancel(interrupted)
    failed = await engine.wait(interrupted)
    assert failed.error is not None
    assert (failed.state, failed.error.message) == (State.FAILED, "the disk reports an error")
    runs.check()
    disk.is_stuck = way == "meanwhile"
    engine.cancel(interrupted)
    again = await engine.wait(interrupted)
    await runs.end(engine)
    if way != "meanwhile":
        assert (again.state, runs.rows, runs.parts) == (State.CANCELLED, [], set())
        return
    assert (again.state, len(runs.parts), [row["state"] for row in runs.rows]) == (State.FAILED, 1, ["failed"])
    await runs.prune()


async def test_what_is_forgotten_and_cannot_be_removed_is_there_in_the_next_run(runs: Runs, interrupted: int) -> None:
    engine = runs.engine(gone, Stuck())
    await engine.adopt()
    await engine.wait(interrupted)
    engine.forget(interrupted)
    await runs.end(engine)
    assert [(row["state"], row["reason"]) for row in runs.rows] == [("failed", "the disk reports an error")]
    assert len(runs.parts) == 1
    runs.check()
    await runs.prune()


async def test_where_no_thread_starts_an_upload_fails_without_a_mistake(
    runs: Runs, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise no_more_threads()

    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: lost.append(context))
    engine = runs.engine()
    monkeypatch.setattr(workers, "start_thread", none)
    number = engine.submit(UploadRequest(plan, Location("tiny", path="imports/plan.csv")))
    failed = await engine.wait(number)
    await runs.end(engine)
    assert failed.error is not None
    assert failed.error.message == no_more_threads().message
    gc.collect()
    assert lost == []


async def test_a_disk_that_is_too_slow_for_the_end_is_no_mistake_of_the_program(
    runs: Runs, server: Any, answer: Any, content: bytes
) -> None:
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: lost.append(context))
    server.put("/exports/x.tar", content)
    server.answer(answer(stall=200_000))
    disk = Slow()
    engine = runs.engine(disk=disk)
    engine.submit(DownloadRequest(PLACE, runs.folder))
    await until(lambda: engine.snapshot()[0].done >= 200_000)
    disk.free.clear()
    before = asyncio.all_tasks()
    await runs.end(engine)
    late = asyncio.all_tasks() - before
    disk.free.set()
    assert late
    await asyncio.wait(late)
    late.clear()
    gc.collect()
    assert lost == []
    runs.check()


async def test_pruning_needs_no_profile_and_keeps_what_it_cannot_remove(runs: Runs, interrupted: int) -> None:
    journal = runs.journal()
    with pytest.raises(StorageError):
        await LeftOvers(journal, Stuck(), Workers()).drop([interrupted])
    journal.close()
    assert len(runs.rows) == 1
    runs.check()
    await runs.prune()


async def test_an_interrupted_transfer_never_goes_on_for_another_account(
    runs: Runs, interrupted: int, server: Any, provider: Any
) -> None:
    with sqlite3.connect(runs.state / FILE) as connection:
        connection.execute("UPDATE transfer SET account = ?", ('{"provider": "tiny", "org": "beta"}',))
    connection.close()
    asked = len(server.log)
    engine = runs.engine()
    await engine.adopt()
    failed = await engine.wait(interrupted)
    assert failed.error is not None
    assert (failed.error.code, len(server.log)) == (2, asked)
    assert "its organisation was beta and is not set" in failed.error.message
    await runs.end(engine)
    runs.check()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.csv"
    file.write_bytes(b"one,two")
    return file


async def waiting_upload(runs: Runs, server: Any, answer: Any, plan: Path) -> int:
    """An upload that waited for its turn when its program ended."""
    server.put("/exports/x.tar", b"content")
    server.answer(answer(silent=True))
    engine = runs.engine()
    engine.submit(DownloadRequest(PLACE, runs.folder, "first"))
    number = engine.submit(UploadRequest(plan, Location("tiny", path="imports/plan.csv")))
    await server.saw(1)
    await until(lambda: any(row["file"] for row in runs.rows))
    await runs.end(engine)
    return number


def put_in_place(plan: Path, change: str) -> None:
    secret = plan.with_name("secret")
    secret.write_bytes(b"secrets")
    if change == "content":
        plan.write_bytes(b"something else")
        return
    plan.unlink()
    if change == "link":
        plan.symlink_to(secret)
    else:
        secret.rename(plan)


@pytest.mark.parametrize("change", ["link", "content", "other file"])
async def test_only_the_file_that_was_meant_is_sent_after_a_restart(
    runs: Runs, server: Any, answer: Any, plan: Path, change: str
) -> None:
    number = await waiting_upload(runs, server, answer, plan)
    put_in_place(plan, change)
    engine = runs.engine()
    await engine.adopt([number])
    failed = await engine.wait(number)
    await runs.end(engine)
    assert failed.error is not None
    assert "is not the file that was to be sent" in str(failed.error)
    assert [seen for seen in server.log if seen.method == "PUT"] == []


async def test_the_file_that_was_meant_is_sent_after_a_restart(
    runs: Runs, server: Any, answer: Any, plan: Path
) -> None:
    number = await waiting_upload(runs, server, answer, plan)
    engine = runs.engine()
    await engine.adopt([number])
    assert (await engine.wait(number)).state is State.DONE
    await runs.end(engine)
    assert server.objects["/imports/plan.csv"] == b"one,two"

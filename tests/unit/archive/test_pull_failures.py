"""Every disk call and every statement of a pull fails in turn: nothing hangs, nothing is lost without a word."""

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.archive.bag import seal
from cloudstore_tui.archive.chain import lacking_lines
from cloudstore_tui.archive.manifest import place_of
from cloudstore_tui.archive.verify import Found, verify_folder
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.transfers.workers import Stop

LIMIT = 20
"""Seconds for one pull: it needs a fraction of one."""
_NEVER_FAIL = {"close"}


class Counter:
    """Raises at one of many calls, or at all from that one on."""

    def __init__(self, at: int, error: Exception, *, stays: bool = False) -> None:
        self.calls = 0
        self._at = at
        self._error = error
        self._stays = stays

    def call(self) -> None:
        """One more."""
        self.calls += 1
        if self.calls == self._at or (self._stays and self.calls > self._at):
            raise self._error


class FailingDisk(Disk):
    """Counts its calls."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or name in _NEVER_FAIL:
            return found
        return partial(_counted, super().__getattribute__("_counter"), found)


def _counted(counter: Counter, call: Callable[..., Any], *args: Any) -> Any:
    counter.call()
    return call(*args)


@pytest.fixture
def stocked(bucket: Any) -> Any:
    for name in ("in/a", "in/b/c"):
        bucket.put(name)
    return bucket


async def outcome(pull: Any, **options: Any) -> bool:
    """Whether a pull with a failure says that all is well."""
    try:
        result = await asyncio.wait_for(pull(sidecars=True, table=True, **options), LIMIT)
    except StorageError:
        return False
    report = result.report
    assert report.found == report.had + report.fetched + report.skipped + report.missing == 2
    assert report.missing == len(result.losses)
    return bool(report.is_complete)


async def check_next(pull: Any) -> None:
    """The next pull brings everything, and leaves nothing else."""
    done = await pull(sidecars=True, table=True)
    assert done.report.is_complete
    assert set(pull.files()) == {"a", "a.json", "b/c", "b/c.json"}
    assert len(pull.manifest()) == 2
    assert {finding.found for finding in verify_folder(pull.folder, Stop())} == {Found.GOOD}


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
async def test_each_disk_call_fails_in_turn(stocked: Any, pull: Any, tmp_path: Path, number: int, stays: bool) -> None:
    counter = Counter(0, OSError())
    assert await outcome(pull, disk=FailingDisk(counter))
    assert counter.calls > 30
    error = OSError(number, os.strerror(number))
    for at in range(1, counter.calls + 1, 3 if stays else 1):
        pull.folder = tmp_path / f"calls-{at}"
        failing = Counter(at, error, stays=stays)
        is_well = await outcome(pull, disk=FailingDisk(failing))
        if is_well:
            assert {finding.found for finding in verify_folder(pull.folder, Stop())} == {Found.GOOD}
        await check_next(pull)


async def test_a_manifest_that_cannot_be_written_is_in_the_report(stocked: Any, pull: Any) -> None:
    class Full(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    done = await pull(disk=Full())
    assert done.report.found == 2
    assert not done.report.is_complete
    assert {(error.subject, error.code) for error in done.report.unwritten} == {(str(pull.folder / "events.jsonl"), 5)}
    assert all(loss.error.subject.startswith("acme:in/") for loss in done.losses)
    await check_next(pull)


@pytest.mark.parametrize("lines", [0, 3])
async def test_nothing_more_is_fetched_once_the_manifest_cannot_be_written(
    bucket: Any, pull: Any, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    class Full(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            nonlocal lines
            lines -= 1
            if lines < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(descriptor, data)

    is_full = not lines
    monkeypatch.setattr("cloudstore_tui.archive.fetch.MAX_DOWNLOADS", 2)
    for number in range(20):
        bucket.put(f"in/{number:02}")
    done = await pull(disk=Full())
    assert len(done.fetched) < 10
    assert not (is_full and done.fetched), "a file was fetched that cannot be recorded"
    assert (done.report.found, done.report.missing) == (20, 20 - done.report.fetched)


class DyingDisk(Disk):
    """Changes nothing any more from one of its calls on, as if the program had been killed there.

    A write at that moment leaves half of its bytes.
    """

    def __init__(self, at: int) -> None:
        super().__init__()
        self.calls = 0
        self._at = at

    def _alive(self) -> None:
        self.calls += 1
        if self.calls >= self._at:
            raise OSError(errno.EIO, "killed")

    def open(self, name: str | Path, flags: int, folder: int | None = None) -> int:
        if flags & (os.O_CREAT | os.O_TRUNC):
            self._alive()
        return super().open(name, flags, folder)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self.calls + 1 == self._at and len(data) > 1:
            super().write(descriptor, data[: len(data) // 2])
        self._alive()
        return super().write(descriptor, data)

    def truncate(self, descriptor: int, size: int) -> None:
        self._alive()
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self._alive()
        super().sync(descriptor)

    def replace(self, name: str, new: str, folder: int) -> None:
        self._alive()
        super().replace(name, new, folder)

    def remove(self, name: str, folder: int) -> None:
        self._alive()
        super().remove(name, folder)


async def test_wherever_a_pull_is_killed_the_folder_is_whole(
    bucket: Any, pull: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.archive.fetch.BATCH", 2)
    for name in "abcd":
        bucket.put(f"in/{name}")
    await pull()
    before = {name: bucket.put(f"in/{name}", b"another version").size for name in "ab"} | {"e": bucket.put("in/e").size}
    untouched = tmp_path / "untouched"
    shutil.copytree(pull.folder, untouched)
    lacking = 0
    for at in count(1):
        shutil.rmtree(pull.folder)
        shutil.copytree(untouched, pull.folder)
        if at % 3 == 0:
            # What a run does first where one of the two is gone.
            (pull.folder / ("manifest.jsonl" if at % 2 else "events.jsonl")).unlink()
        dying = DyingDisk(at)
        with contextlib.suppress(StorageError):
            await pull(disk=dying, on_conflict=OnConflict.OVERWRITE)
        if dying.calls < at:
            break
        if (pull.folder / "manifest.jsonl").exists():
            lacking += (pull.folder / "events.jsonl").exists() and any(lacking_lines(place_of(pull.folder)))
            found = list(verify_folder(pull.folder, Stop()))
            wrong = [finding for finding in found if finding.error]
            # A file that was replaced at that very moment is not recorded yet.
            assert all(finding.found is Found.CHANGED and finding.path in before for finding in wrong), (at, found)
            assert {finding.path for finding in found if finding.found is Found.GOOD} >= {"c", "d"}
        done = await pull(on_conflict=OnConflict.OVERWRITE)
        assert done.report.is_complete
        found = list(verify_folder(pull.folder, Stop()))
        assert not [finding for finding in found if finding.error], (at, found)
        assert {finding.path for finding in found if finding.found is Found.GOOD} == set("abcde")
    assert at > 30
    assert lacking > 3


async def test_what_a_killed_pull_brought_can_be_sealed(bucket: Any, pull: Any) -> None:
    for name in "abc":
        bucket.put(f"in/{name}")
    await pull()
    for name in ("events.jsonl", "manifest.jsonl"):
        # Killed before its end was recorded, and before the manifest followed.
        lines = (pull.folder / name).read_bytes().splitlines(keepends=True)
        (pull.folder / name).write_bytes(b"".join(lines[:-1]))
    assert any(lacking_lines(place_of(pull.folder)))
    assert seal(pull.folder, Stop()).missing == 0
    found = {finding.path: finding.found for finding in verify_folder(pull.folder, Stop())}
    assert found == dict.fromkeys("abc", Found.GOOD) | {"bag-info.txt": Found.SEALED}


async def test_what_takes_the_place_of_a_file_is_on_the_disk_by_then(stocked: Any, pull: Any) -> None:
    class Watched(Disk):
        """Knows which files hold bytes that a power cut would take."""

        def __init__(self) -> None:
            super().__init__()
            self.unsynced: set[int] = set()
            self.placed: dict[str, bool] = {}

        def write(self, descriptor: int, data: memoryview) -> int:
            self.unsynced.add(os.fstat(descriptor).st_ino)
            return super().write(descriptor, data)

        def sync(self, descriptor: int) -> None:
            super().sync(descriptor)
            self.unsynced.discard(os.fstat(descriptor).st_ino)

        def replace(self, name: str, new: str, folder: int) -> None:
            found = self.lstat(name, folder)
            assert found is not None
            self.placed[new] = found.st_ino not in self.unsynced
            super().replace(name, new, folder)

    disk = Watched()
    assert await outcome(pull, disk=disk)
    assert disk.placed == dict.fromkeys(("a.json", "c.json", "events.jsonl", "manifest.jsonl", "manifest.csv"), True)


async def test_a_disk_that_cannot_sync_folders_is_no_failure(stocked: Any, pull: Any) -> None:
    class Remote(Disk):
        def sync(self, descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            super().sync(descriptor)

    assert await outcome(pull, disk=Remote())
    await check_next(pull)


async def test_what_a_killed_run_has_recorded_is_had_and_not_fetched_again(
    stocked: Any, pull: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    with monkeypatch.context() as patched:
        # Killed before the journal knew what the events know.
        patched.setattr(JournalStore, "remove", lambda *_: None)
        with contextlib.closing(JournalStore(state)) as journal:
            first = await pull(journal=journal)
    recorded = (pull.folder / "events.jsonl").read_text().count('"event": "fetched"')
    assert recorded == first.report.fetched > 0
    with contextlib.closing(JournalStore(state)) as journal:
        assert len(await journal.interrupted()) == recorded
        again = await pull(journal=journal)
        assert await journal.interrupted() == ()
    assert (again.report.had, again.report.fetched, again.report.size) == (recorded, 0, 0)
    assert again.fetched == []
    assert (pull.folder / "events.jsonl").read_text().count('"event": "fetched"') == recorded


@pytest.mark.parametrize("harm", ["no database", "no file"])
async def test_a_journal_that_breaks_is_no_reason_to_hang_or_to_lose_anything(
    stocked: Any, pull: Any, tmp_path: Path, harm: str
) -> None:
    state = tmp_path / "state"
    journal = JournalStore(state)
    if harm == "no database":
        (state / "journal.db").write_bytes(os.urandom(60_000))
    else:
        for file in sorted(state.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
    try:
        await outcome(pull, journal=journal)
    finally:
        journal.close()
    await check_next(pull)


async def test_each_statement_of_the_plan_fails_in_turn(
    stocked: Any, pull: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(0, sqlite3.OperationalError("disk I/O error"))

    class Failing(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            counter.call()
            return super().execute(*args)

        def executemany(self, *args: Any) -> sqlite3.Cursor:
            counter.call()
            return super().executemany(*args)

    with monkeypatch.context() as patch:
        patch.setattr("cloudstore_tui.results.scratch.sqlite3.connect", partial(sqlite3.connect, factory=Failing))
        assert await outcome(pull)
        for at in range(1, counter.calls + 1):
            pull.folder = tmp_path / f"calls-{at}"
            counter = Counter(at, sqlite3.OperationalError("disk I/O error"))
            is_well = await outcome(pull)
            counter = Counter(0, sqlite3.OperationalError())
            if is_well:
                assert {finding.found for finding in verify_folder(pull.folder, Stop())} == {Found.GOOD}
            await check_next(pull)

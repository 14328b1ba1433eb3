"""The journal: rows that make no sense, writes that fail, files that others can change."""

import asyncio
import os
import queue
import shlex
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError, StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.journal.database import Database
from cloudstore_tui.transfers.journal.store import FILE, JournalStore
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferBatch, UploadRequest, ZipRequest
from cloudstore_tui.transfers.part_file import PartNames
from cloudstore_tui.transfers.workers import Workers
from tests.support.downloads import PLACE, names_in
from tests.support.waiting import PATIENCE

PART = ".cs-0123456789ab.part"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def interrupted(state: Path, folder: Path) -> Callable[[dict[str, object]], None]:
    """Leaves the entry of a program that ended, with some columns changed to anything at all."""

    def leave(changes: dict[str, object]) -> None:
        journal = JournalStore(state)
        journal.add(7, DownloadRequest(PLACE, folder, "x.tar"))
        journal.add(8, DownloadRequest(PLACE, folder, "y.tar"))
        asyncio.run(journal.settled())
        journal.close()
        with sqlite3.connect(state / FILE) as connection:
            for name, value in changes.items():
                connection.execute(f"UPDATE transfer SET {name} = ? WHERE id = 7", (value,))
        connection.close()

    return leave


def spoil(journal: Path) -> None:
    """Write over everything but the first page, which says what kind of file it is."""
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = journal.read_bytes()
    journal.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def test_a_journal_that_is_damaged_in_its_middle_is_moved_aside_and_said(
    open_journal: Any, interrupted: Any, state: Path, folder: Path
) -> None:
    interrupted({})
    spoil(state / FILE)
    journal = open_journal()
    (aside,) = state.glob(f"{FILE}.damaged-*")
    assert str(aside) in journal.warning
    assert asyncio.run(journal.interrupted()) == ()
    journal.add(9, DownloadRequest(PLACE, folder, "z.tar"))
    asyncio.run(journal.settled(9))


def test_a_journal_that_is_damaged_while_it_is_open_says_so(state: Path) -> None:
    raw = sqlite3.OperationalError("database disk image is malformed")
    raw.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX

    def fails(_connection: object) -> None:
        raise raw

    told: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    database = Database(state / FILE)
    database.run(fails, lambda _done, error: told.put(error))
    error = told.get(timeout=PATIENCE)
    database.close()
    assert isinstance(error, LocalDiskError)
    assert error.message == "the journal of transfers is damaged"


ANYTHING: dict[str, tuple[str, object]] = {
    "an unknown choice": ("on_conflict", "explode"),
    "an unknown kind": ("kind", "teleport"),
    "an unknown state": ("state", "confused"),
    "a folder that is no path": ("folder", "relative"),
    "a folder that climbs": ("folder", "/tmp/../etc"),
    "a folder with a NUL": ("folder", "/tmp/\0x"),
    "a root that is elsewhere": ("root", "/elsewhere"),
    "a name that climbs": ("name", "../x"),
    "a part file that climbs": ("part", "../../victim.txt"),
    "a part file that is somebody's": ("part", "victim.txt"),
    "a negative count": ("durable", -1),
    "a text for a count": ("inode", "many"),
    "no time": ("created", "yesterday"),
    "a time beyond all": ("created", 1e300),
    "bytes that are no text": ("path", b"\xff\xfe"),
    "an entry that is no JSON": ("entry", "{"),
    "an entry of another form": ("entry", '{"name": 3}'),
    "deep JSON": ("entry", "[" * 100_000),
    "an account of another form": ("account", '["a"]'),
    "a file of another form": ("file", '{"a": 1}'),
    "text that is not UTF-8": ("reason", None),
}


@pytest.mark.parametrize(("column", "value"), ANYTHING.values(), ids=ANYTHING)
async def test_a_row_that_makes_no_sense_is_shown_and_stops_nothing(
    interrupted: Any,
    open_journal: Any,
    provider: Any,
    server: Any,
    state: Path,
    folder: Path,
    column: str,
    value: object,
) -> None:
    server.put("/exports/x.tar", b"content")
    await asyncio.to_thread(interrupted, {} if value is None else {column: value})
    if value is None:
        with sqlite3.connect(state / FILE) as connection:
            connection.execute("UPDATE transfer SET reason = CAST(x'ff' AS TEXT), state = 'x' WHERE id = 7")
        connection.close()
    engine = TransferManager(lambda _name: provider, journal=open_journal())
    shown = {transfer.id: transfer for transfer in await engine.left_overs.interrupted()}
    assert (shown[7].state, shown[8].state) == (State.FAILED, State.QUEUED)
    assert "damaged" in str(shown[7].error)
    assert sorted(await engine.adopt()) == [7, 8]
    damaged, good = await engine.wait(7), await engine.wait(8)
    assert (damaged.state, good.state) == (State.FAILED, State.DONE)
    assert "its entry in the journal is damaged" in str(damaged.error)
    assert "cloudstore transfers cancel 0000000007" in str(damaged.error)
    engine.cancel(7)
    assert (await engine.wait(7)).state is State.CANCELLED
    await engine.close()
    assert await open_journal().interrupted() == ()


async def test_the_part_file_of_a_damaged_row_is_found_and_nothing_else(
    interrupted: Any, open_journal: Any, folder: Path, tmp_path: Path
) -> None:
    (folder / PART).touch(0o600)
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    await asyncio.to_thread(interrupted, {"on_conflict": "explode", "part": PART, "alone": "../../victim.txt"})
    left = LeftOvers(open_journal(), Disk(), Workers())
    assert await left.drop([7]) == 1
    assert names_in(folder) == []
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("part", ["../victim.txt", "victim.txt", PART])
async def test_nothing_is_pruned_but_part_files_of_ours(
    interrupted: Any, open_journal: Any, folder: Path, tmp_path: Path, part: str
) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (folder / "victim.txt").write_text("mine")
    (folder / PART).symlink_to(victim)
    await asyncio.to_thread(interrupted, {"part": part})
    await LeftOvers(open_journal(), Disk(), Workers()).drop([7])
    assert victim.read_text() == (folder / "victim.txt").read_text() == "mine"
    assert (folder / PART).is_symlink()


async def test_a_job_that_fails_fails_alone_and_its_owner_is_told(open_journal: Any, folder: Path) -> None:
    journal = open_journal()
    for number in (1, 2, 2, 3):
        journal.add(number, DownloadRequest(PLACE, folder, f"file-{number}"))
    await journal.begin(1, "0123456789a1", PartNames.of("0123456789a1"))
    with pytest.raises(LocalDiskError):
        await journal.begin(2, "0123456789a2", PartNames.of("0123456789a2"))
    await journal.begin(3, "0123456789a3", PartNames.of("0123456789a3"))
    journal.close()
    assert [row.id for row in await open_journal().interrupted()] == [1, 2, 3]


async def test_a_transfer_whose_entry_was_lost_says_so_and_the_others_go_on(
    open_journal: Any, provider: Any, server: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"content")
    journal = open_journal()
    journal.add(5, DownloadRequest(PLACE, folder, "there"))
    engine = TransferManager(lambda _name: provider, journal=journal)
    lost = engine.submit(DownloadRequest(PLACE, folder, "lost"), 5)
    good = engine.submit(DownloadRequest(PLACE, folder, "good"))
    failed, done = await engine.wait(lost), await engine.wait(good)
    await engine.close()
    assert (failed.state, done.state) == (State.FAILED, State.DONE)
    assert "journal" in str(failed.error)


@pytest.mark.parametrize("name", ["", FILE, "writers"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_state_that_others_can_write_to_is_refused_with_a_cure(
    open_journal: Any, state: Path, name: str, mode: int
) -> None:
    open_journal().close()
    place = state / name
    place.chmod(place.stat().st_mode | mode)
    with pytest.raises(LocalDiskError, match="others can write to it") as refused:
        open_journal()
    assert f"chmod go-w {shlex.quote(str(place))}." in refused.value.hint
    place.chmod(place.stat().st_mode & ~mode)
    open_journal()


def test_state_of_another_user_is_refused(open_journal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    open_journal().close()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if mine:
        with pytest.raises(LocalDiskError, match="belongs to another user"):
            open_journal()


async def test_what_comes_after_the_end_is_refused_at_once(open_journal: Any, folder: Path) -> None:
    journal = open_journal()
    journal.close()
    journal.add(1, DownloadRequest(PLACE, folder))
    with pytest.raises(LocalDiskError):
        await asyncio.wait_for(journal.settled(), PATIENCE)


async def test_a_thread_that_dies_fails_all_who_wait(open_journal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_database: Database, _batch: object) -> None:
        raise SystemExit

    journal = open_journal()
    monkeypatch.setattr(Database, "carry_out", dies)
    for _ in range(2):
        with pytest.raises(StorageError):
            await asyncio.wait_for(journal.interrupted(), PATIENCE)


def test_a_machine_without_threads_is_a_disk_error_and_leaves_no_mark(
    open_journal: Any, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(LocalDiskError, match="no more threads"):
            open_journal()
    assert list((state / "writers").iterdir()) == []


def test_without_locks_a_program_lives_as_long_as_its_process(
    open_journal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_journal()
    first.add(1, DownloadRequest(PLACE, Path("/downloads")))
    asyncio.run(first.settled())

    def no_locks(_file: int, _operation: int) -> None:
        raise OSError(38, "no locks")

    monkeypatch.setattr("cloudstore_tui.transfers.journal.database.fcntl.flock", no_locks)
    second = open_journal()
    assert [row.id for row in asyncio.run(second.running_elsewhere())] == [1]
    assert asyncio.run(second.interrupted()) == ()


def test_an_order_that_was_given_outlives_the_program(
    open_journal: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.transfers.journal.store.time.time", lambda: 1_700_000_000.0)
    journal = open_journal()
    for number in (1, 2, 3, 4):
        journal.add(number, DownloadRequest(PLACE, folder, str(number)))
    # 9 is none of its own.
    journal.reorder([4, 9, 2])
    journal.reorder([3, 4])
    asyncio.run(journal.settled())
    journal.close()
    again = open_journal()
    assert [row.id for row in asyncio.run(again.interrupted())] == [1, 3, 4, 2]
    assert [row.id for row in asyncio.run(again.adopt())] == [1, 3, 4, 2]


@pytest.mark.parametrize("last", ["queued", "failed"])
def test_an_entry_costs_the_same_however_many_there_are(
    open_journal: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def counted(*given: Any, connect: Any = sqlite3.connect, **named: Any) -> Any:
        connection = connect(*given, **named)
        connection.set_progress_handler(count, 1)
        return connection

    monkeypatch.setattr("sqlite3.connect", counted)
    journal = open_journal()

    def enter(number: int) -> None:
        journal.add(number, DownloadRequest(Location("tiny", path=f"{number}"), folder))
        journal.note(number, part_id=f"{number:012x}", state=last)

    def cost(number: int) -> int:
        before = steps
        enter(number)
        asyncio.run(journal.begin(number, f"{number:012x}", PartNames.of(f"{number:012x}")))
        return steps - before

    few = [cost(number) for number in range(5)]
    for number in range(5, 500):
        enter(number)
    asyncio.run(journal.settled())
    assert cost(500) <= 1.5 * max(few)


OLD = """
CREATE TABLE transfer (id INTEGER PRIMARY KEY, writer TEXT NOT NULL, wish TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL,
profile TEXT NOT NULL, region TEXT NOT NULL, path TEXT NOT NULL, folder TEXT NOT NULL, name TEXT NOT NULL DEFAULT '',
on_conflict TEXT NOT NULL DEFAULT 'refuse', overwrite INTEGER NOT NULL DEFAULT 0, sha256 INTEGER NOT NULL DEFAULT 0,
entry TEXT NOT NULL DEFAULT '', tid TEXT NOT NULL DEFAULT '', part TEXT NOT NULL DEFAULT '',
inode INTEGER NOT NULL DEFAULT 0, durable INTEGER NOT NULL DEFAULT 0, size INTEGER, etag TEXT NOT NULL DEFAULT '',
zip TEXT NOT NULL DEFAULT '', intent REAL NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'queued',
reason TEXT NOT NULL DEFAULT '', code INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, updated REAL NOT NULL);
CREATE INDEX transfer_tid ON transfer (tid) WHERE tid <> '';
CREATE TABLE member (transfer INTEGER NOT NULL REFERENCES transfer ON DELETE CASCADE, position INTEGER NOT NULL,
path TEXT NOT NULL, folder TEXT NOT NULL, name TEXT NOT NULL, on_conflict TEXT NOT NULL, sha256 INTEGER NOT NULL,
entry TEXT NOT NULL, PRIMARY KEY (transfer, position)) WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY, at REAL NOT NULL, transfer INTEGER NOT NULL, what TEXT NOT NULL);
INSERT INTO transfer (id, writer, kind, profile, region, path, folder, name, tid, durable, created, updated)
VALUES (7, '1-x', 'download', 'tiny', '', 'a', '/downloads', 'a', '0123456789ab', 5, 1.0, 2.0);
PRAGMA user_version = 1;
"""


def test_a_journal_of_the_first_form_is_read(open_journal: Any, state: Path) -> None:
    state.mkdir(0o700)
    (state / FILE).touch(0o600)
    with sqlite3.connect(state / FILE) as connection:
        connection.executescript(OLD)
    connection.close()
    (row,) = asyncio.run(open_journal().interrupted())
    assert (row.id, row.part_id, row.durable, row.damage) == (7, "0123456789ab", 5, "")
    with sqlite3.connect(state / FILE) as connection:
        assert connection.execute("SELECT place FROM transfer").fetchall() == [(1.0,)]
    connection.close()
    assert asyncio.run(open_journal().interrupted()) == (row,)


@pytest.mark.parametrize("kind", ["download", "upload", "zip"])
@pytest.mark.parametrize("name", ["«é».tar", "half \ud83d.tar"])
def test_what_is_written_is_read_again(open_journal: Any, folder: Path, kind: str, name: str) -> None:
    entry = StoredObject(PLACE, name, size=5, size_exact=True, modified=datetime.now(UTC), checksum="0" * 32)
    member = DownloadRequest(PLACE, folder / "a" / "b", "x", entry=entry, sha256=True, root=folder)
    batch = TransferBatch.of("plan\udcff.csv, «é»", str(folder), [5, None])
    requests = {
        "download": replace(member, batch=batch),
        "upload": UploadRequest(folder / "plan\udcff.csv", PLACE, overwrite=True, batch=batch),
        "zip": ZipRequest((member,), Location("tiny"), folder, batch=batch),
    }
    journal = open_journal()
    journal.add(1, requests[kind])
    asyncio.run(journal.settled())
    journal.close()
    (row,) = asyncio.run(open_journal().interrupted())
    assert (row.request, row.damage) == (requests[kind], "")


def test_a_batch_that_makes_no_sense_costs_only_the_batch(open_journal: Any, interrupted: Any) -> None:
    interrupted({"batch": '{"id": 3}'})
    rows = asyncio.run(open_journal().interrupted())
    assert [(row.request.batch, row.damage) for row in rows] == [(None, "")] * 2

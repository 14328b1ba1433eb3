"""A disk that fails: at every call in turn, nothing wrong appears and nothing is left."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import LocalDiskError, UnsafeError
from cloudstore_tui.fs.disk import Disk, TargetFolder
from cloudstore_tui.net import curl
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State
from cloudstore_tui.transfers.part_file import PartFile, PartNames
from cloudstore_tui.transfers.space import MARGIN, Space
from tests.support.downloads import PLACE, names_in

CALLS = (
    "open_folder",
    "open",
    "lstat",
    "write",
    "read",
    "truncate",
    "sync",
    "set_time",
    "lock",
    "link",
    "remove",
    "room",
)


class FailingDisk(Disk):
    """Fails the given call of one kind."""

    def __init__(self, kind: str = "", at: int = 1, number: int = errno.ENOSPC) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.kind, self.at, self.number = kind, at, number

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in CALLS:
            return found

        def counted(*arguments: Any) -> Any:
            self.calls.append(name)
            if name == self.kind and self.calls.count(name) == self.at:
                raise OSError(self.number, os.strerror(self.number))
            return found(*arguments)

        return counted


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.ESTALE])
@pytest.mark.parametrize("kind", [kind for kind in CALLS if kind not in ("remove", "link", "lstat", "truncate")])
async def test_each_failing_call_ends_with_a_disk_error_and_leaves_nothing(
    fresh_engine: Any, server: Any, content: bytes, folder: Path, kind: str, number: int
) -> None:
    server.put("/exports/x.tar", content)
    disk = FailingDisk(kind, number=number)
    engine = fresh_engine(disk=disk)
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    assert kind in disk.calls
    assert transfer.state is State.FAILED
    assert isinstance(transfer.error, LocalDiskError)
    assert str(folder) in str(transfer.error)
    assert names_in(folder) == []


async def test_a_part_file_that_cannot_be_emptied_is_a_disk_error(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(ignore_range=True))
    engine = fresh_engine(disk=FailingDisk("truncate"))
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    assert isinstance(transfer.error, LocalDiskError)
    assert names_in(folder) == []


async def test_a_disk_that_fills_at_any_write_leaves_nothing(
    fresh_engine: Any, server: Any, content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curl, "MAX_GATHERED", 1)
    server.put("/exports/x.tar", content)
    probe = FailingDisk()
    engine = fresh_engine(disk=probe)
    await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    (folder / "x.tar").unlink()
    writes = probe.calls.count("write")
    assert writes > 3
    for at in range(1, writes + 1):
        engine = fresh_engine(disk=FailingDisk("write", at))
        transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
        await engine.close()
        # How the bytes are cut into writes differs from run to run.
        if transfer.state is State.DONE:
            assert (folder / "x.tar").read_bytes() == content
            (folder / "x.tar").unlink()
        else:
            assert transfer.error is not None
            assert transfer.error.code == 5
        assert names_in(folder) == []


async def test_short_writes_are_completed(fresh_engine: Any, server: Any, content: bytes, folder: Path) -> None:
    class Stingy(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            return super().write(descriptor, data[:1000])

    server.put("/exports/x.tar", content)
    engine = fresh_engine(disk=Stingy())
    await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    assert (folder / "x.tar").read_bytes() == content


async def test_too_little_space_is_said_before_a_byte_is_written(
    fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    class Small(FailingDisk):
        def room(self, _descriptor: int) -> tuple[int, int]:
            return MARGIN + len(content) - 1, 1 << 40

    server.put("/exports/x.tar", content)
    disk = Small()
    engine = fresh_engine(disk=disk)
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    assert transfer.error is not None
    assert transfer.error.code == 5
    assert "write" not in disk.calls
    assert len(server.log) == 1


def test_space_that_others_were_promised_is_not_promised_again() -> None:
    space = Space()
    space.claim("a", 1, lambda: 1000, MARGIN + 1500)
    space.claim("b", 2, lambda: 1000, MARGIN + 1500)
    with pytest.raises(LocalDiskError):
        space.claim("c", 1, lambda: 1000, MARGIN + 1500)
    space.release("a")
    space.claim("c", 1, lambda: 1000, MARGIN + 1500)


async def test_a_folder_that_may_not_be_written_to_is_found_before_any_request(
    engine: Any, server: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"x")
    (folder / "file").write_bytes(b"")
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder / "file")))
    assert transfer.error is not None
    assert (transfer.error.code, server.log) == (5, [])


class NoLinks(Disk):
    """A disk that knows no second names."""

    def link(self, name: str, new: str, folder: int) -> None:
        raise OSError(errno.EPERM, "no links")


class NoLocks(Disk):
    """A disk that knows no locks."""

    def lock(self, descriptor: int) -> bool:
        return False


class NoServices(NoLinks, NoLocks):
    """A disk with neither links, locks, exclusive renames nor folders that can be synced."""

    number = errno.EINVAL

    def move(self, name: str, new: str, folder: int) -> None:
        raise OSError(self.number, "no exclusive rename")

    def sync(self, descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(self.number, "no sync of folders")
        super().sync(descriptor)


class OtherNoServices(NoServices):
    number = errno.EOPNOTSUPP


class LastNoServices(NoServices):
    number = errno.EACCES


@pytest.mark.parametrize("kind", [NoLinks, NoLocks, NoServices, OtherNoServices, LastNoServices])
async def test_disks_with_fewer_abilities_are_used_as_safely(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path, kind: Callable[[], Disk]
) -> None:
    server.put("/exports/x.tar", content)
    engine = fresh_engine(disk=kind())
    first = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    assert first.state is State.DONE
    assert (folder / "x.tar").read_bytes() == content
    (folder / "x.tar").unlink()
    server.answer(answer(once=lambda: (folder / "x.tar").write_bytes(b"mine")))
    second = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    assert second.error is not None
    assert second.error.code == 9
    assert (folder / "x.tar").read_bytes() == b"mine"
    assert names_in(folder) == ["x.tar"]


def test_publishing_never_replaces_a_name_that_is_taken(tmp_path: Path) -> None:
    for disk in (Disk(), NoLinks(), NoServices()):
        part = PartFile(disk, Space(), TargetFolder(tmp_path), PartNames.of("0123456789ab"))
        part.open()
        part.write(b"new")
        (tmp_path / "x").write_bytes(b"old")
        with pytest.raises(FileExistsError):
            part.publish("x", overwrite=False)
        assert (tmp_path / "x").read_bytes() == b"old"
        assert not part.published
        part.publish("y", overwrite=False)
        assert (tmp_path / "y").read_bytes() == b"new"
        part.discard()
        assert names_in(tmp_path) == ["x", "y"]
        (tmp_path / "y").unlink()


@pytest.fixture
def published(tmp_path: Path) -> Callable[[Disk, str], PartFile]:
    def publish(disk: Disk, name: str) -> PartFile:
        part = PartFile(disk, Space(), TargetFolder(tmp_path), PartNames.of(f"{ord(name):012x}"))
        part.open()
        part.publish(name, overwrite=False)
        return part

    return publish


def test_files_that_are_published_together_share_the_sync_of_their_folder(
    published: Callable[[Disk, str], PartFile], tmp_path: Path
) -> None:
    disk, synced = FailingDisk(), set[tuple[int, int]]()
    for part in [published(disk, name) for name in "abc"]:
        part.settle(synced)
        assert not part.is_open
    assert disk.calls.count("sync") == 1
    published(disk, "d").settle(set())
    assert disk.calls.count("sync") == 2
    assert names_in(tmp_path) == ["a", "b", "c", "d"]


def test_a_sync_that_failed_serves_nobody(published: Callable[[Disk, str], PartFile], tmp_path: Path) -> None:
    disk, synced = FailingDisk("sync", number=errno.EIO), set[tuple[int, int]]()
    first, second = published(disk, "a"), published(disk, "b")
    with pytest.raises(LocalDiskError, match="reports an error"):
        first.settle(synced)
    second.settle(synced)
    assert disk.calls.count("sync") == 2
    first.discard()
    assert names_in(tmp_path) == ["a", "b"]


def test_what_could_not_be_synced_once_is_written_again_and_never_taken_for_synced(tmp_path: Path) -> None:
    disk = FailingDisk("sync", number=errno.EIO)
    part = PartFile(disk, Space(), TargetFolder(tmp_path), PartNames.of("0123456789ab"))
    part.open()
    part.write(b"lost")
    for _ in range(2):
        # The system says it once only.
        with pytest.raises(LocalDiskError, match="reports an error"):
            part.sync()
    assert disk.calls.count("sync") == 1
    part.recover()
    assert part.offset == 0
    part.write(b"kept")
    assert part.sync() == 4
    part.discard()


async def test_another_try_fetches_again_what_could_not_be_synced(
    tmp_path: Path, fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    journal = JournalStore(tmp_path / "state")
    engine = fresh_engine(journal=journal, disk=FailingDisk("sync", number=errno.EIO))
    number = engine.submit(DownloadRequest(PLACE, folder))
    failed = await engine.wait(number)
    assert failed.error is not None
    engine.retry(number)
    transfer = await engine.wait(number)
    await engine.close()
    journal.close()
    assert (transfer.error, (folder / "x.tar").read_bytes()) == (None, content)
    assert server.starts() == [0, 0]


async def test_what_is_published_was_synced_and_read_back_before(
    fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    disk = FailingDisk()
    engine = fresh_engine(disk=disk)
    await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    order = [call for call in disk.calls if call in ("write", "sync", "read", "link", "remove")]
    last_write = len(order) - order[::-1].index("write")
    end = order[last_write:]
    assert end[0] == "sync"
    assert set(end[1 : end.index("link")]) == {"read"}
    assert end[end.index("link") :] == ["link", "sync", "remove"]


async def test_bytes_that_the_disk_changes_are_noticed(
    fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    class Rotten(Disk):
        def read(self, descriptor: int, count: int, offset: int) -> bytes:
            data = super().read(descriptor, count, offset)
            return b"!" + data[1:] if offset == 0 and data else data

    server.put("/exports/x.tar", content)
    engine = fresh_engine(disk=Rotten())
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder, on_conflict=OnConflict.OVERWRITE)))
    await engine.close()
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert names_in(folder) == []


async def test_a_placeholder_of_a_run_that_ended_too_early_is_taken_over(
    tmp_path: Path, fresh_engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    class Ends(NoServices):
        def lock(self, descriptor: int) -> bool:
            return Disk.lock(self, descriptor)

        def replace(self, name: str, new: str, folder: int) -> None:
            if armed:
                raise SystemExit
            super().replace(name, new, folder)

    armed = True
    server.put("/exports/x.tar", content)
    for expected in (State.FAILED, State.DONE):
        journal = JournalStore(tmp_path / "state")
        engine = fresh_engine(disk=Ends(), journal=journal)
        numbers = [engine.submit(DownloadRequest(PLACE, folder))] if armed else await engine.adopt()
        assert (await engine.wait(numbers[0])).state is expected
        await engine.close()
        journal.close()
        assert (folder / "x.tar").stat().st_size == (0 if armed else len(content))
        armed = False
    assert names_in(folder) == ["x.tar"]


async def test_a_small_disk_is_used_up_to_a_small_reserve(fresh_engine: Any, server: Any, folder: Path) -> None:
    class Small(Disk):
        def room(self, _descriptor: int) -> tuple[int, int]:
            return 30_000_000, 32_000_000

    server.put("/exports/x.tar", b"x" * 2_900)
    engine = fresh_engine(disk=Small())
    assert (await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))).state is State.DONE
    await engine.close()


def test_a_disk_that_is_too_full_is_told_in_true_numbers() -> None:
    space = Space()
    space.claim("other", 1, lambda: 1_500_000, 30_000_000, 32_000_000)
    with pytest.raises(LocalDiskError) as refused:
        space.claim("mine", 1, lambda: 2_900, 1_600_000, 32_000_000)
    said = (
        "the disk is too full: 2.9 kB are needed, 1.5 MB for other downloads, 320.0 kB in reserve, and 1.6 MB are free"
    )
    assert refused.value.message == said


PART = PartNames.of("0123456789ab")


def test_a_part_file_that_others_can_write_to_is_made_anew(tmp_path: Path) -> None:
    there = tmp_path / PART.shared
    there.write_bytes(b"theirs")
    there.chmod(0o666)
    with there.open("r+b") as held:
        part = PartFile(Disk(), Space(), TargetFolder(tmp_path), PART)
        part.open()
        part.write(b"mine")
        held.write(b"evil")
    assert there.read_bytes() == b"mine"
    assert there.stat().st_mode & 0o777 == 0o600
    part.discard()


def test_a_part_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PART.shared).touch(0o666)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(UnsafeError, match="another user"):
        PartFile(Disk(), Space(), TargetFolder(tmp_path), PART).open()
    assert names_in(tmp_path) == [PART.shared]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_is_put_in_place_of_the_part_file_is_not_published(tmp_path: Path, *, overwrite: bool) -> None:
    part = PartFile(Disk(), Space(), TargetFolder(tmp_path), PART)
    part.open()
    part.write(b"mine")
    (tmp_path / PART.shared).unlink()
    (tmp_path / PART.shared).write_bytes(b"evil")
    with pytest.raises(UnsafeError, match="another file was put in its place"):
        part.publish("x", overwrite=overwrite)
    assert "x" not in names_in(tmp_path)
    part.discard()


@pytest.mark.parametrize("link", ["a", "a/b"])
async def test_a_link_below_the_chosen_folder_is_never_followed(
    engine: Any, server: Any, content: bytes, folder: Path, tmp_path: Path, link: str
) -> None:
    server.put("/exports/x.tar", content)
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(outside)
    request = DownloadRequest(PLACE, folder / "a" / "b", root=folder)
    transfer = await engine.wait(engine.submit(request))
    assert transfer.error is not None
    assert (transfer.error.code, transfer.error.subject) == (7, str(folder / link))
    assert [path.name for path in outside.rglob("*")] == ["b"]


async def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere_else(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    def swap() -> None:
        (folder / "a").rename(folder / "moved")
        (folder / "a").symlink_to(outside)

    server.put("/exports/x.tar", content)
    server.answer(answer(once=swap))
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder / "a", root=folder)))
    assert names_in(outside) == []
    assert names_in(folder / "moved") == ["x.tar"]
    assert transfer.error is not None
    assert transfer.error.code == 5


@pytest.mark.parametrize("again", [False, True])
async def test_a_file_that_is_not_where_it_was_to_be_is_told_and_comes_there_when_it_is_tried_again(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, tmp_path: Path, again: bool
) -> None:
    def move() -> None:
        folder.rename(tmp_path / "moved")
        if again:
            folder.mkdir()

    server.put("/exports/x.tar", content)
    server.answer(answer(once=move))
    number = engine.submit(DownloadRequest(PLACE, folder))
    transfer = await engine.wait(number)
    assert (transfer.state, names_in(tmp_path / "moved")) == (State.FAILED, ["x.tar"])
    assert (transfer.error.code, transfer.error.subject) == (5, str(folder / "x.tar"))
    engine.retry(number)
    transfer = await engine.wait(number)
    assert (transfer.error, transfer.path) == (None, folder / "x.tar")
    assert names_in(folder) == ["x.tar"]


async def test_the_chosen_folder_itself_may_be_a_link(
    engine: Any, server: Any, content: bytes, folder: Path, tmp_path: Path
) -> None:
    server.put("/exports/x.tar", content)
    (tmp_path / "link").symlink_to(folder)
    root = tmp_path / "link"
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, root / "a", root=root)))
    assert (transfer.error, (folder / "a" / "x.tar").read_bytes()) == (None, content)


async def test_a_restart_waits_for_the_journal_in_no_loop(
    tmp_path: Path, fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path, monkeypatch: Any
) -> None:
    threads: list[str] = []
    forget = JournalStore.forget_bytes

    def noted(journal: JournalStore, number: int) -> None:
        threads.append(threading.current_thread().name)
        forget(journal, number)

    monkeypatch.setattr(JournalStore, "forget_bytes", noted)
    monkeypatch.setattr("cloudstore_tui.transfers.download.CHECKPOINT_BYTES", 1)
    server.put("/exports/x.tar", content)
    server.answer(answer(stall=200_000), answer(ignore_range=True))
    journal = JournalStore(tmp_path / "state")
    # As long as a checkpoint may need on a busy machine, without which there is nothing to forget.
    engine = fresh_engine(journal=journal, timeouts={"read": 3, "stall": 4})
    transfer = await engine.wait(engine.submit(DownloadRequest(PLACE, folder)))
    await engine.close()
    journal.close()
    assert (transfer.error, (folder / "x.tar").read_bytes()) == (None, content)
    assert set(threads) == {"transfer worker"}

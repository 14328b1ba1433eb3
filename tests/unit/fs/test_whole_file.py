"""A file that is replaced as a whole: the old one or the new one, and nothing beside it."""

import errno
import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import BusyError, FullDiskError, LocalDiskError, UnsafeError
from cloudstore_tui.fs import whole_file
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.fs.whole_file import READABLE, beside, write_whole


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("old")
    return tmp_path / "file"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_private_unless_others_have_to_read_it(tmp_path: Path) -> None:
    for mode in (0o600, READABLE):
        path = tmp_path / "made" / f"{mode:o}"
        write_whole(path, "é\n", mode=mode)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == ("é\n".encode(), mode)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700
    assert names(tmp_path / "made") == ["600", "644"]


def test_a_full_disk_leaves_the_old_one_and_nothing_else(file: Path) -> None:
    class Full(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(FullDiskError) as told:
        write_whole(file, "new", disk=Full())
    assert told.value.subject == str(file)
    assert file.read_text() == "old"
    assert names(file.parent) == ["file"]


def test_what_a_crash_left_makes_way_whatever_it_is(file: Path) -> None:
    left, other = file.with_name(beside("file")), file.with_name("other")
    for kind in ("half a file", "a link"):
        if kind == "a link":
            left.symlink_to("other")
        else:
            left.write_text(kind)
        write_whole(file, "new")
        assert file.read_text() == "new"
        assert names(file.parent) == ["file"]
    assert not other.exists()


def test_a_link_in_its_place_is_replaced_and_followed_only_if_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("kept")
    write_whole(link, "new", follows=True)
    assert (link.is_symlink(), (tmp_path / "kept").read_text()) == (True, "new")
    write_whole(link, "own")
    assert (link.is_symlink(), (tmp_path / "kept").read_text()) == (False, "new")
    assert names(tmp_path) == ["kept", "link"]


def test_one_that_somebody_writes_just_now_is_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = file.with_name(beside("file"))
    with left.open("w") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        with monkeypatch.context() as patch:
            patch.setattr(whole_file, "LOCK_TIMEOUT_S", 0.0)
            with pytest.raises(BusyError):
                write_whole(file, "mine")
        assert (file.read_text(), left.exists()) == ("old", True)
        waiting = threading.Thread(target=write_whole, args=(file, "mine"))
        waiting.start()
        left.rename(file)
    waiting.join()
    assert file.read_text() == "mine"
    assert names(file.parent) == ["file"]


def test_many_that_write_at_once_leave_one_of_theirs(file: Path) -> None:
    texts = [f"{number}" * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write_whole, args=(file, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read_text() in texts
    assert names(file.parent) == ["file"]


def test_a_folder_that_cannot_be_is_told(file: Path) -> None:
    with pytest.raises(LocalDiskError, match="is a file, not a folder"):
        write_whole(file / "x", "new")
    file.with_name("loop").symlink_to("loop")
    with pytest.raises((UnsafeError, LocalDiskError)):
        write_whole(file.with_name("loop") / "x", "new")

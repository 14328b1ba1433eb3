"""Which file systems have locks that can be trusted, and which cannot hold large files."""

import errno
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import FullDiskError
from cloudstore_tui.fs.disk import FAT_LIMIT, Disk, FileSystem, FileSystems, database_error, file_system_named


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    return tmp_path / "mountinfo"


def line(descriptor: int, kind: str, place: str = "/mnt/a\\040b", options: str = "shared:1 master:2 ") -> str:
    device = os.fstat(descriptor).st_dev
    return f"36 35 {os.major(device)}:{os.minor(device)} / {place} rw,noatime {options}- {kind} //server/share rw\n"


OTHERS = (
    "22 27 0:21 / /proc rw - proc proc rw\n\ngarbage\n1 2 x:y / / rw - ext4 / rw\n9 9 0:9999 / /n rw - nfs4 s:/ rw\n"
)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "lustre", "gpfs", "fuse", "fuse.sshfs", "cifs", "smb3", "9p"])
def test_locks_of_shared_file_systems_are_not_trusted(mounts: Path, folder: int, kind: str) -> None:
    mounts.write_text(OTHERS + line(folder, kind))
    assert FileSystems(mounts).of_device(os.fstat(folder).st_dev) == file_system_named(kind)
    assert not file_system_named(kind).trusts_locks


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "fuseblk", "fusectl", "zfs"])
def test_locks_of_local_file_systems_are_trusted(mounts: Path, folder: int, kind: str) -> None:
    mounts.write_text(OTHERS + line(folder, kind, options=""))
    assert FileSystems(mounts).of_device(os.fstat(folder).st_dev) == file_system_named(kind)
    assert file_system_named(kind).trusts_locks


@pytest.mark.parametrize("kind", ["vfat", "msdos"])
def test_fat_holds_files_below_four_gibibytes(mounts: Path, folder: int, kind: str) -> None:
    mounts.write_text(line(folder, kind))
    assert FileSystems(mounts).of_device(os.fstat(folder).st_dev).most_bytes == FAT_LIMIT == 4_294_967_295
    assert file_system_named("exfat").most_bytes is None


def test_what_nobody_tells_is_taken_for_a_local_disk(mounts: Path, folder: int) -> None:
    assert FileSystems(mounts).of_device(os.fstat(folder).st_dev) == FileSystem()
    mounts.write_text(OTHERS)
    assert FileSystems(mounts).of_device(os.fstat(folder).st_dev) == FileSystem()


def test_each_device_is_looked_up_once(mounts: Path, folder: int) -> None:
    mounts.write_bytes(b"1 2 0:1 / /caf\xe9 rw - ext4 /dev/a rw\n" + line(folder, "nfs").encode())
    systems = FileSystems(mounts)
    assert systems.of_device(os.fstat(folder).st_dev).name == "nfs"
    mounts.write_text(line(folder, "ext4"))
    assert systems.of_device(os.fstat(folder).st_dev).name == "nfs"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_this_machine_tells_of_its_own_file_systems(folder: int) -> None:
    assert Disk().file_system(folder).name
    process = os.open("/proc/self", os.O_RDONLY)
    try:
        assert Disk().file_system(process) == FileSystem("proc")
    finally:
        os.close(process)


def test_a_database_that_cannot_be_written_says_why_and_how_to_go_on(tmp_path: Path) -> None:
    def write(path: Path, pragma: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA {pragma}")
            for name in "abc":
                connection.execute(f"CREATE TABLE {name}(x)")

    def failure(path: Path, pragma: str) -> str:
        with pytest.raises(sqlite3.Error) as refused:
            write(path, pragma)
        error = database_error(refused.value, "the list", str(path), "set TMPDIR to another folder")
        assert isinstance(error, FullDiskError) == ("page_count" in pragma)
        return str(error)

    file = tmp_path / "list.db"
    assert failure(file, "max_page_count = 2") == (
        f"{file}: the list cannot be written: the disk is full. Free some space, or set TMPDIR to another folder."
    )
    assert "cannot be written: it cannot be opened. Check the folder, or" in failure(
        tmp_path / "no/x.db", "user_version"
    )
    assert "it may not be written. Check" in failure(tmp_path / "new.db", "query_only = 1")
    error = database_error(OSError(errno.EROFS, "Read-only file system"), "the list", "x", "do so")
    assert error.message == "the list cannot be written: read-only file system"
    assert isinstance(database_error(OSError(errno.EDQUOT, "Disk quota exceeded"), "", "", ""), FullDiskError)

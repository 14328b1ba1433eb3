"""Opens a part file so that one download alone writes it, with what an earlier run left in it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudstore_tui.core.errors import BusyError, UnsafeError
from cloudstore_tui.fs.disk import Disk, os_errors_as, random_part

_TRIES = 5


class Kept(Protocol):
    """What is known of a part file that an earlier run left."""

    @property
    def part(self) -> str:
        """Its name."""

    @property
    def inode(self) -> int:
        """What tells it from another file of that name; 0 if nobody knows."""

    @property
    def durable(self) -> int:
        """Bytes that are known to be on the disk."""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """An open part file."""

    descriptor: int
    name: str
    offset: int
    """Bytes in it, all of them known to be on the disk."""


def part_name(part_id: str) -> str:
    """The name of the part file of one object and target."""
    return f".cs-{part_id}.part"


def open_part(disk: Disk, subject: int, part_id: str, kept: Kept | None) -> OpenPart:
    """Open the part file in an open folder.

    On a file system without locks it gets a name that nobody else has, and nothing of an earlier run is used.

    Raises:
        BusyError: another download writes it.
        UnsafeError: something that is no plain file has its name.
        OSError: the disk refuses.
    """
    name = part_name(part_id)
    for _ in range(_TRIES):
        descriptor = disk.open(name, os.O_RDWR | os.O_CREAT, subject)
        keep = False
        try:
            if not _lock(disk, descriptor):
                disk.remove(name, subject)
                alone = random_part(part_id)
                return OpenPart(disk.open(alone, os.O_RDWR | os.O_CREAT | os.O_EXCL, subject), alone, 0)
            if _is_current(disk, descriptor, name, subject):
                offset = _trimmed(disk, descriptor, kept)
                keep = True
                return OpenPart(descriptor, name, offset)
        except OSError:
            disk.remove(name, subject)
            raise
        finally:
            if not keep:
                disk.close(descriptor)
    raise BusyError("another program keeps writing the same download")


def remove_left(disk: Disk, folder: Path, kept: Kept) -> None:
    """Remove the part file that an earlier run left, unless somebody works on it. Blocks.

    Raises:
        LocalDiskError: the disk refuses.
    """
    if not kept.part or not folder.is_dir():
        return
    with os_errors_as(folder):
        subject = disk.open_folder(folder)
        try:
            _remove(disk, subject, kept)
        finally:
            disk.close(subject)


def _remove(disk: Disk, subject: int, kept: Kept) -> None:
    found = disk.lstat(kept.part, subject)
    if found is None or kept.inode not in (0, found.st_ino):
        return
    descriptor = disk.open(kept.part, os.O_RDWR, subject)
    try:
        disk.lock(descriptor)
        disk.remove(kept.part, subject)
    except BlockingIOError:
        return
    finally:
        disk.close(descriptor)


def _lock(disk: Disk, descriptor: int) -> bool:
    """Whether the file is ours alone; False on file systems where nobody can tell."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise UnsafeError("something that is no file has the name of a part file", hint="Remove it.")
    try:
        return disk.lock(descriptor)
    except BlockingIOError:
        raise BusyError("the same download is running already") from None


def _is_current(disk: Disk, descriptor: int, name: str, subject: int) -> bool:
    """Whether the locked file still has its name, and no other one.

    Whoever held the lock before may have published the file between our opening and locking it: then it is
    somebody's finished file, and not to be touched.
    """
    held, there = os.fstat(descriptor), disk.lstat(name, subject)
    if there is None or (held.st_ino, held.st_dev) != (there.st_ino, there.st_dev):
        return False
    if held.st_nlink > 1:
        disk.remove(name, subject)
        return False
    return True


def _trimmed(disk: Disk, descriptor: int, kept: Kept | None) -> int:
    """Cut off everything that is not known to be whole; the bytes that are left."""
    found = os.fstat(descriptor)
    known = kept is not None and kept.inode == found.st_ino
    offset = min(kept.durable, found.st_size) if kept is not None and known else 0
    if found.st_size != offset or offset:
        disk.truncate(descriptor, offset)
    return offset

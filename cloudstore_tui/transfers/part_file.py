"""The part file: where a download grows until it is complete and verified.

Its name is unique, and a lock keeps all but one download from writing it. What an earlier run left in it is kept.
"""

import hashlib
import os
import random
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

from cloudstore_tui.core.errors import BusyError, LocalDiskError, StorageError, UnsafeError
from cloudstore_tui.core.models import Location
from cloudstore_tui.fs.disk import Disk, TargetFolder, disk_error, os_errors_as
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.space import Space
from cloudstore_tui.transfers.verify import Content
from cloudstore_tui.transfers.workers import Stop

_PART = re.compile(r"\.cs-[0-9a-f]{12}(-[0-9a-f]{8})?\.part")

LATEST = 253_402_300_799
"""The last second of the year 9999; later file times are not set."""
_TRIES = 5
_CHANCE = random.Random()
"""Seeded once: asking the system for each of thousands of objects takes longer than opening their files."""


class PartNames(Struct, frozen=True):
    """The names that one transfer may give its part file."""

    shared: str
    """The same in every run, so that the next one finds it, and the lock on it keeps others away."""
    alone: str
    """Random, for file systems without locks."""

    @classmethod
    def of(cls, part_id: str) -> Self:
        """Names for the part file of one object and target."""
        return cls(f".cs-{part_id}.part", f".cs-{part_id}-{_CHANCE.getrandbits(32):08x}.part")


def is_part_name(name: str) -> bool:
    """Whether a file of this name can be a part file of ours."""
    return _PART.fullmatch(name) is not None


def part_id_of(provider: str, profile: str, location: Location, target: Path) -> str:
    """The same for every transfer of this object into this file, and different for all others."""
    names = (provider, profile, location.region, location.path, str(target.absolute()))
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]


class ResumeState(Protocol):
    """What is known of a part file that an earlier run left."""

    @property
    def part(self) -> str:
        """Its name."""

    @property
    def alone(self) -> str:
        """Another name that it may have; empty if there is none."""

    @property
    def inode(self) -> int:
        """Its inode number, to recognize it; 0 if unknown."""

    @property
    def durable(self) -> int:
        """Bytes that are known to be on the disk."""


class PartFile:
    """A file beside its target, written by one download alone.

    `offset` counts bytes after they were written, never before; `durable` those that are known to be on the disk.
    Its methods block.
    """

    def __init__(
        self,
        disk: Disk,
        space: Space,
        folder: TargetFolder,
        names: PartNames,
        forget_bytes: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            disk: the file calls.
            space: the space that all downloads have reserved.
            folder: its folder.
            names: the names it may have.
            forget_bytes: called before bytes that were counted as durable are dropped.
        """
        self.offset = 0
        self.durable = 0
        self.size: int | None = None
        """Bytes that are expected; more are refused."""
        self._final_name = ""
        self.folder = folder.path
        self._target = folder
        self._disk = disk
        self._space = space
        self._names = names
        self._forget_bytes = forget_bytes
        self.restarts = 0
        """How often all bytes were dropped."""
        self._spoilt: StorageError | None = None
        self._lost: StorageError | None = None
        """Why written bytes may never reach the disk."""
        self._resumed = False
        self.name = names.shared
        self.inode = 0
        """Its inode number, once it is open."""
        self._dir_fd = -1
        self._file = -1

    @property
    def is_open(self) -> bool:
        """Whether it can be written, and is not yet settled or discarded."""
        return self._file >= 0

    @property
    def device(self) -> int:
        """The disk it is on."""
        return self._disk.identity(self._file)[0]

    @property
    def published(self) -> bool:
        """Whether it has its final name."""
        return bool(self._final_name)

    def open(
        self,
        resume_state: ResumeState | None = None,
        unless: Callable[[int], bool] = lambda _dir_fd: False,
        *,
        make: bool = True,
    ) -> bool:
        """Open the folder, and in it the part file, which may have been done before; whether it is to be written.

        It is empty, unless an earlier run left it: then what is known to be on the disk is kept, and the rest cut off.

        Args:
            resume_state: what is known of an earlier run.
            unless: whether, by what is in the open folder, no part file is to be opened or written.
            make: whether a folder that is not there is made.

        Raises:
            BusyError: another download writes the same part file.
            UnsafeError: its name belongs to something that is not a plain file or not ours, or the folder is a link.
            LocalDiskError: the disk refuses.
        """
        if self.is_open:
            return not unless(self._dir_fd)
        self._spoilt = self._lost = None
        try:
            with os_errors_as(self.folder):
                self._dir_fd = self._target.open(self._disk, make=make)
                if unless(self._dir_fd):
                    self.leave()
                    return False
                self._file, self.name, offset = _open_part(self._disk, self._dir_fd, self._names, resume_state)
                _, self.inode = self._disk.identity(self._file)
                self._resumed = offset is not None
                self.offset = self.durable = offset or 0
        except StorageError as error:
            self.leave()
            raise error.about(str(self.folder)) from None
        failpoint("part_open")
        return True

    def sync(self) -> int | None:
        """Sync the file. The number of bytes on the disk, `None` if they were dropped meanwhile.

        Raises:
            LocalDiskError: the disk refuses, and what is on it is unknown.
        """
        if self._lost is not None:
            raise self._lost
        offset, restarts = self.offset, self.restarts
        try:
            self._disk.sync(self._file)
        except OSError as error:
            # The system reports it once, and treats the lost bytes as written from then on.
            self._lost = self._spoilt = disk_error(error, self.folder)
            raise self._lost from None
        if restarts != self.restarts:
            return None
        self.durable = offset
        return offset

    def spoil(self, error: StorageError) -> None:
        """Refuse more bytes: earlier ones may be lost."""
        self._spoilt = error

    def recover(self) -> None:
        """After a failure of the disk, go back to the bytes that are known to be on it."""
        if self._spoilt is None:
            return
        self._spoilt = self._lost = None
        with os_errors_as(self.folder):
            self._disk.truncate(self._file, self.durable)
        self.offset = self.durable

    def expect(self, size: int | None) -> None:
        """Note the size, and reserve room for it.

        Raises:
            LocalDiskError: there is no room.
        """
        self.size = size
        with os_errors_as(self.folder):
            self._disk.check_size(self._file, size or 0)
            free, capacity = self._disk.room(self._file)
            device, _ = self._disk.identity(self._file)
        try:
            self._space.claim(self, device, self._remaining, free, capacity)
        except StorageError as error:
            raise error.about(str(self.folder)) from None

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes.

        Raises:
            ContradictionError: there are more than expected.
            LocalDiskError: the disk refuses.
        """
        if self.size is not None and self.offset + len(data) > self.size:
            # Deferred: the journal knows part files long before anything is sent.
            from cloudstore_tui.net.failures import ContradictionError

            raise ContradictionError(f"more than the expected {self.size} bytes came")
        if self._spoilt is not None:
            raise self._spoilt
        left = memoryview(data)
        try:
            while left:
                written = self._disk.write(self._file, left)
                self.offset += written
                left = left[written:]
        except OSError as error:
            self._spoilt = disk_error(error, self.folder)
            raise self._spoilt from None

    def read(self, count: int, offset: int) -> bytes:
        """Bytes read back from the disk."""
        with os_errors_as(self.folder):
            return self._disk.read(self._file, count, offset)

    def tail(self, count: int) -> bytes:
        """The last `count` bytes."""
        return self.read(count, self.offset - count)

    def restart(self) -> None:
        """Drop all bytes."""
        self.restarts += 1
        if self.durable:
            self._forget_bytes()
            self.durable = 0
        with os_errors_as(self.folder):
            self._disk.truncate(self._file, 0)
        self.offset = 0

    def content(self, stop: Stop) -> Content:
        """All bytes, read back from the disk."""
        return Content(self._disk, self._file, self.folder, stop)

    def set_time(self, seconds: float) -> None:
        """Set the time of the last change."""
        if 0 <= seconds <= LATEST:
            with os_errors_as(self.folder):
                self._disk.set_time(self._file, seconds)

    def publish(self, name: str, *, overwrite: bool) -> None:
        """Give the file its final name, which is on the disk for certain only after `settle`.

        Raises:
            FileExistsError: the name is taken, and `overwrite` is off.
            UnsafeError: another file was put in its place.
            LocalDiskError: the disk refuses.
        """
        try:
            failpoint("before_link")
            self._check_name(self.name)
            self._rename(name, overwrite=overwrite)
            self._final_name = name
            failpoint("after_link")
        except FileExistsError:
            raise
        except OSError as error:
            raise disk_error(error, self.folder / name) from None

    def settle(self, synced: set[tuple[int, int]]) -> None:
        """Sync the folder of a published file, and take the name of the part file away.

        Args:
            synced: folders that were synced since the file got its name, and are still where they were; its own is
                added.

        Raises:
            LocalDiskError: the disk refuses, or the folder is not where it was.
        """
        if not self.published or not self.is_open:
            return
        try:
            folder = self._disk.identity(self._dir_fd)
            is_there = folder in synced
            if not is_there:
                self._disk.sync_folder(self._dir_fd)
                is_there = self._disk.is_at(self.folder, self._dir_fd)
            failpoint("after_folder_sync")
            self._disk.remove(self.name, self._dir_fd)
            failpoint("after_unlink")
        except OSError as error:
            raise disk_error(error, self.folder / self._final_name) from None
        self.leave()
        if not is_there:
            raise LocalDiskError(
                "its folder was renamed, replaced or unmounted while it was written, and the file is in that one",
                subject=str(self.folder / self._final_name),
                hint="Look where the folder is now, or fetch it again.",
            )
        synced.add(folder)

    def discard(self) -> StorageError | None:
        """Remove the file, unless it is published or gone. Why it is still there and open, if it is."""
        if self._dir_fd < 0:
            return None
        try:
            self._disk.remove(self.name, self._dir_fd)
        except OSError as error:
            return disk_error(error, self.folder / self.name)
        self.leave()
        return None

    def _rename(self, name: str, *, overwrite: bool) -> None:
        if overwrite:
            self._disk.replace(self.name, name, self._dir_fd)
        else:
            self._disk.give_free_name(self.name, name, self._dir_fd, reclaim=self._resumed)
        try:
            self._check_name(name)
        except UnsafeError:
            self._disk.remove(name, self._dir_fd)
            raise

    def _check_name(self, name: str) -> None:
        if not self._disk.is_same(self._file, name, self._dir_fd):
            raise UnsafeError(
                "another file was put in its place while it was written",
                subject=str(self.folder / name),
                hint="Choose a folder that no other user can write to.",
            )

    def _remaining(self) -> int:
        return max((self.size or 0) - self.offset, 0)

    def leave(self) -> None:
        """Close it, and keep it for another run."""
        self._space.release(self)
        for descriptor in (self._file, self._dir_fd):
            if descriptor >= 0:
                self._disk.close(descriptor)
        self._file = self._dir_fd = -1


def remove_left(disk: Disk, folder: TargetFolder, left: ResumeState) -> None:
    """Remove the part file that an earlier run left, whichever name it has, unless a program is writing it. Blocks.

    Raises:
        UnsafeError: something on the way to it is a link.
        LocalDiskError: the disk refuses.
    """
    remove_part(disk, folder, left.part, left.inode)
    if left.alone != left.part:
        remove_part(disk, folder, left.alone)


def remove_part(disk: Disk, folder: TargetFolder, name: str, inode: int = 0) -> None:
    """Remove a part file that an earlier run left, unless a program is writing it. Blocks.

    Nothing is removed that cannot be one: another name, another kind, another owner, or, with `inode`, another file.

    Raises:
        UnsafeError: something on the way to it is a link.
        LocalDiskError: the disk refuses.
    """
    if not is_part_name(name):
        return
    with os_errors_as(folder.path), folder.opened(disk) as dir_fd:
        if dir_fd is not None:
            _remove(disk, dir_fd, name, inode)


def _remove(disk: Disk, dir_fd: int, name: str, inode: int) -> None:
    found = disk.lstat(name, dir_fd)
    if found is None or inode not in (0, found.st_ino):
        return
    if not stat.S_ISREG(found.st_mode) or not disk.is_private(found, dir_fd):
        return
    descriptor = disk.open(name, os.O_RDWR, dir_fd)
    try:
        disk.lock(descriptor)
        disk.remove(name, dir_fd)
    except BlockingIOError:
        return
    finally:
        disk.close(descriptor)


def _open_part(
    disk: Disk, dir_fd: int, names: PartNames, resume_state: ResumeState | None
) -> tuple[int, str, int | None]:
    """Open the part file in an open folder; returns its descriptor, its name, and what an earlier run left in it.

    That is the bytes that are known to be on the disk, and `None` if it is not the file of an earlier run.

    On a file system without locks it gets a unique name, and nothing of an earlier run is used.

    Raises:
        BusyError: another download writes it.
        UnsafeError: its name belongs to something that is not a plain file, or not ours.
        OSError: the disk refuses.
    """
    name = names.shared
    for _ in range(_TRIES):
        descriptor, is_new = _open_own(disk, name, dir_fd)
        if descriptor is None:
            continue
        keep = False
        try:
            if not _lock(disk, descriptor):
                disk.remove(name, dir_fd)
                alone = disk.open(names.alone, os.O_RDWR | os.O_CREAT | os.O_EXCL, dir_fd)
                return alone, names.alone, None
            held = _held(disk, descriptor, name, dir_fd)
            if held is not None:
                known = resume_state is not None and resume_state.inode == held.st_ino
                offset = _trimmed(disk, descriptor, held.st_size, resume_state.durable if resume_state and known else 0)
                keep = True
                return descriptor, name, offset if known else None
        except OSError:
            if is_new:
                disk.remove(name, dir_fd)
            raise
        finally:
            if not keep:
                disk.close(descriptor)
    raise BusyError("another program keeps writing the same download")


def _open_own(disk: Disk, name: str, dir_fd: int) -> tuple[int | None, bool]:
    """Make the file, or open one that is ours; nothing if it went away meanwhile. And whether it was made.

    Raises:
        UnsafeError: it is not ours, or not a plain file.
    """
    try:
        return disk.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, dir_fd), True
    except FileExistsError:
        found = disk.lstat(name, dir_fd)
    if found is None:
        return None, False
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeError("something that is not a file has the name of a part file", hint="Remove it.")
    if not disk.is_private(found, dir_fd):
        if found.st_uid == os.geteuid():
            # Others could have written to it: nothing in it can be trusted.
            disk.remove(name, dir_fd)
            return None, False
        raise UnsafeError(
            "a file of another user has the name of a part file", hint="Have it removed, or choose another folder."
        )
    try:
        descriptor = disk.open(name, os.O_RDWR, dir_fd)
    except FileNotFoundError:
        return None, False
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode) or not disk.is_private(opened, dir_fd):
        disk.close(descriptor)
        return None, False
    return descriptor, False


def _lock(disk: Disk, descriptor: int) -> bool:
    """Whether the lock on the file is ours; False on file systems without reliable locks."""
    try:
        return disk.lock(descriptor)
    except BlockingIOError:
        raise BusyError("the same download is running already") from None


def _held(disk: Disk, descriptor: int, name: str, dir_fd: int) -> os.stat_result | None:
    """What the locked file is, if it still has its name, and no other one.

    The program that held the lock may have published the file after we opened it: then it is a finished file,
    which must not be touched.
    """
    there = disk.lstat(name, dir_fd)
    if there is None or disk.identity(descriptor) != (there.st_dev, there.st_ino):
        return None
    if there.st_nlink > 1:
        disk.remove(name, dir_fd)
        return None
    return there


def _trimmed(disk: Disk, descriptor: int, size: int, durable: int) -> int:
    """Cut off everything that is not known to be whole; the bytes that are left."""
    offset = min(durable, size)
    if size != offset or offset:
        disk.truncate(descriptor, offset)
    return offset

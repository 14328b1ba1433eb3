"""The part file: where a download grows until it is complete and verified."""

import os
import stat
from pathlib import Path

from cloudstore_tui.core.errors import BusyError, StorageError, UnsafeError
from cloudstore_tui.transfers.content import Content
from cloudstore_tui.transfers.detour import ContradictionError
from cloudstore_tui.transfers.disk import Disk, disk_error, has_no_links, random_part, told
from cloudstore_tui.transfers.space import Space
from cloudstore_tui.transfers.workers import Stop

LATEST = 253_402_300_799
"""The last second of the year 9999: file times beyond are left out."""

_TRIES = 5


class PartFile:
    """A file beside its target, written by one download alone.

    `offset` counts bytes after they were written, never before. Its methods block.
    """

    def __init__(self, disk: Disk, space: Space, folder: Path, tid: str) -> None:
        self.offset = 0
        self.size: int | None = None
        """Bytes that are expected; not one more is taken."""
        self.published = False
        self.folder = folder
        self._disk = disk
        self._space = space
        self._tid = tid
        self._name = f".cs-{tid}.part"
        self._alone = False
        """Whether nobody else can have the name, so that no lock is needed."""
        self._place = -1
        self._file = -1

    @property
    def is_open(self) -> bool:
        """Whether it may be written, and is still to be published or discarded."""
        return self._file >= 0

    def open(self) -> None:
        """Open the folder, and in it the part file, empty. Nothing happens if that was done.

        Raises:
            BusyError: another download writes the same part file.
            UnsafeError: something that is no plain file has its name.
            LocalDiskError: the disk refuses.
        """
        if self.is_open:
            return
        try:
            with told(self.folder):
                self._place = self._disk.open_folder(self.folder)
                self._file = self._open()
        except StorageError:
            self._close()
            raise

    def expect(self, size: int | None) -> None:
        """Learn how many bytes will come.

        Raises:
            LocalDiskError: there is no room for them.
        """
        self.size = size
        with told(self.folder):
            free = self._disk.free(self._place)
            device = os.fstat(self._place).st_dev
        self._space.claim(self, device, self._remaining, free)

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            ContradictionError: there are more than expected.
            LocalDiskError: the disk refuses.
        """
        if self.size is not None and self.offset + len(data) > self.size:
            raise ContradictionError(f"more than the expected {self.size} bytes came")
        left = memoryview(data)
        with told(self.folder):
            while left:
                written = self._disk.write(self._file, left)
                self.offset += written
                left = left[written:]

    def tail(self, count: int) -> bytes:
        """The last `count` bytes."""
        with told(self.folder):
            return self._disk.read(self._file, count, self.offset - count)

    def restart(self) -> None:
        """Forget all bytes."""
        with told(self.folder):
            self._disk.cut(self._file, 0)
        self.offset = 0

    def content(self, stop: Stop) -> Content:
        """All bytes, on the disk and read back from there."""
        with told(self.folder):
            self._disk.sync(self._file)
        return Content(self._disk, self._file, self.folder, stop)

    def set_time(self, seconds: float) -> None:
        """Set when the object was last changed."""
        if 0 <= seconds <= LATEST:
            with told(self.folder):
                self._disk.set_time(self._file, seconds)

    def publish(self, name: str, *, overwrite: bool) -> None:
        """Give the file its final name, and be done.

        Raises:
            FileExistsError: the name is taken, and `overwrite` is off.
            LocalDiskError: the disk refuses.
        """
        try:
            self._rename(name, overwrite=overwrite)
            self.published = True
            self._disk.sync(self._place)
            self._disk.remove(self._name, self._place)
        except FileExistsError:
            raise
        except OSError as error:
            raise disk_error(error, self.folder / name) from None
        self._close()

    def discard(self) -> None:
        """Remove the file; nothing happens if that was done, or if it was published."""
        if self._place >= 0:
            try:
                self._disk.remove(self._name, self._place)
            except OSError:
                # The folder or its disk is gone, and the part file with it.
                return
            finally:
                self._close()

    def _rename(self, name: str, *, overwrite: bool) -> None:
        if overwrite:
            self._disk.replace(self._name, name, self._place)
            return
        try:
            self._disk.link(self._name, name, self._place)
        except FileExistsError:
            raise
        except OSError as error:
            if not has_no_links(error):
                raise
            self._disk.move(self._name, name, self._place)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT
        for _ in range(_TRIES):
            descriptor = self._disk.open(self._name, flags, self._place)
            try:
                if not self._lock(descriptor):
                    self._disk.remove(self._name, self._place)
                    self._name, self._alone = random_part(self._tid), True
                    flags |= os.O_EXCL
                elif self._is_current(descriptor):
                    return self._emptied(descriptor)
            except OSError:
                self._disk.close(descriptor)
                self._disk.remove(self._name, self._place)
                raise
            except StorageError:
                self._disk.close(descriptor)
                raise
            self._disk.close(descriptor)
        raise BusyError("another program keeps writing the same download", place=str(self.folder))

    def _emptied(self, descriptor: int) -> int:
        """The same file without what a killed run left in it."""
        if os.fstat(descriptor).st_size:
            self._disk.cut(descriptor, 0)
        return descriptor

    def _lock(self, descriptor: int) -> bool:
        """Whether the file is ours alone; False on file systems where nobody can tell."""
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnsafeError("something that is no file has the name of a part file", place=str(self.folder))
        try:
            return self._disk.lock(descriptor) or self._alone
        except BlockingIOError:
            raise BusyError("the same download is running already", place=str(self.folder)) from None

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked file still has its name, and no other one.

        Whoever held the lock before may have published the file between our opening and locking it: then it is
        somebody's finished file, and not to be touched.
        """
        held, there = os.fstat(descriptor), self._disk.look(self._name, self._place)
        if there is None or (held.st_ino, held.st_dev) != (there.st_ino, there.st_dev):
            return False
        if held.st_nlink > 1:
            self._disk.remove(self._name, self._place)
            return False
        return True

    def _remaining(self) -> int:
        return max((self.size or 0) - self.offset, 0)

    def _close(self) -> None:
        self._space.release(self)
        for descriptor in (self._file, self._place):
            if descriptor >= 0:
                self._disk.close(descriptor)
        self._file = self._place = -1

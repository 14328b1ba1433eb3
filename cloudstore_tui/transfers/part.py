"""The part file: where a download grows until it is complete and verified."""

import os
from collections.abc import Callable
from pathlib import Path

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.fs.disk import Disk, disk_error, has_no_links, os_errors_as
from cloudstore_tui.fs.space import Space
from cloudstore_tui.net.failures import ContradictionError
from cloudstore_tui.transfers.content import Content
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.open_part import Kept, open_part, part_name
from cloudstore_tui.transfers.workers import Stop

LATEST = 253_402_300_799
"""The last second of the year 9999: file times beyond are left out."""


class PartFile:
    """A file beside its target, written by one download alone.

    `offset` counts bytes after they were written, never before; `durable` those that are known to be on the disk.
    Its methods block.
    """

    def __init__(
        self, disk: Disk, space: Space, folder: Path, part_id: str, forget_bytes: Callable[[], None] = lambda: None
    ) -> None:
        """Make it.

        Args:
            disk: the file calls.
            space: the promises of all downloads.
            folder: where it lies.
            part_id: what names it.
            forget_bytes: called before bytes that were counted as durable are given up.
        """
        self.offset = 0
        self.durable = 0
        self.size: int | None = None
        """Bytes that are expected; not one more is taken."""
        self.published = False
        self.folder = folder
        self._disk = disk
        self._space = space
        self.part_id = part_id
        self._forget_bytes = forget_bytes
        self.restarts = 0
        """How often all bytes were given up."""
        self._spoilt: StorageError | None = None
        self.name = part_name(part_id)
        self._place = -1
        self._file = -1

    @property
    def is_open(self) -> bool:
        """Whether it may be written, and is still to be published or discarded."""
        return self._file >= 0

    @property
    def inode(self) -> int:
        """What tells it from another file of its name."""
        return os.fstat(self._file).st_ino

    def open(self, kept: Kept | None = None) -> None:
        """Open the folder, and in it the part file. Nothing happens if that was done.

        It is empty, unless an earlier run left it: then what is known to be on the disk is kept, and the rest cut off.

        Raises:
            BusyError: another download writes the same part file.
            UnsafeError: something that is no plain file has its name.
            LocalDiskError: the disk refuses.
        """
        if self.is_open:
            return
        try:
            with os_errors_as(self.folder):
                self._place = self._disk.open_folder(self.folder)
                opened = open_part(self._disk, self._place, self.part_id, kept)
                self._file, self.name = opened.descriptor, opened.name
                self.offset = self.durable = opened.offset
        except StorageError as error:
            self._close()
            raise error.about(str(self.folder)) from None
        failpoint("part_open")

    def sync(self) -> int | None:
        """Wait until what was written is on the disk; how many bytes that are, `None` if they were given up meanwhile.

        Raises:
            LocalDiskError: the disk refuses; nobody knows then what of it is there.
        """
        offset, restarts = self.offset, self.restarts
        with os_errors_as(self.folder):
            self._disk.sync(self._file)
        if restarts != self.restarts:
            return None
        self.durable = offset
        return offset

    def spoil(self, error: StorageError) -> None:
        """Take no more bytes: what came before may be lost."""
        self._spoilt = error

    def recover(self) -> None:
        """After a failure of the disk, go back to what is known to be there."""
        if self._spoilt is None:
            return
        self._spoilt = None
        with os_errors_as(self.folder):
            self._disk.truncate(self._file, self.durable)
        self.offset = self.durable

    def expect(self, size: int | None) -> None:
        """Learn how many bytes will come.

        Raises:
            LocalDiskError: there is no room for them.
        """
        self.size = size
        with os_errors_as(self.folder):
            self._disk.check_size(self._place, size or 0)
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
        """Forget all bytes."""
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
        """Set when the object was last changed."""
        if 0 <= seconds <= LATEST:
            with os_errors_as(self.folder):
                self._disk.set_time(self._file, seconds)

    def publish(self, name: str, *, overwrite: bool) -> None:
        """Give the file its final name, and be done.

        Raises:
            FileExistsError: the name is taken, and `overwrite` is off.
            LocalDiskError: the disk refuses.
        """
        try:
            failpoint("before_link")
            self._rename(name, overwrite=overwrite)
            self.published = True
            failpoint("after_link")
            self._disk.sync(self._place)
            failpoint("after_folder_sync")
            self._disk.remove(self.name, self._place)
            failpoint("after_unlink")
        except FileExistsError:
            raise
        except OSError as error:
            raise disk_error(error, self.folder / name) from None
        self._close()

    def discard(self) -> None:
        """Remove the file; nothing happens if that was done, or if it was published."""
        if self._place >= 0:
            try:
                self._disk.remove(self.name, self._place)
            except OSError:
                # The folder or its disk is gone, and the part file with it.
                return
            finally:
                self._close()

    def leave(self) -> None:
        """Close it, and keep what is there for another run."""
        self._close()

    def _rename(self, name: str, *, overwrite: bool) -> None:
        if overwrite:
            self._disk.replace(self.name, name, self._place)
            return
        try:
            self._disk.link(self.name, name, self._place)
        except FileExistsError:
            raise
        except OSError as error:
            if not has_no_links(error):
                raise
            self._disk.move(self.name, name, self._place)

    def _remaining(self) -> int:
        return max((self.size or 0) - self.offset, 0)

    def _close(self) -> None:
        self._space.release(self)
        for descriptor in (self._file, self._place):
            if descriptor >= 0:
                self._disk.close(descriptor)
        self._file = self._place = -1

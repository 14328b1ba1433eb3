"""The folder of a pull: locked against a second one, and never left through a link.

Anyone who may write to it could replace a folder by a link at any moment. So nothing below it is opened by its path:
for every access, each folder is opened inside the one above, without following links.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from cloudstore_tui.core.errors import BusyError, ConflictError, LocalDiskError, StorageError, UnsafeError
from cloudstore_tui.fs.disk import Disk, TargetFolder, disk_error, os_errors_as
from cloudstore_tui.fs.whole_file import replaced
from cloudstore_tui.transfers.verify import Content, ExpectedChecksum, VerifyResult, needed
from cloudstore_tui.transfers.workers import Stop

_CHUNK = 1 << 20
_NEW = ".cs-sidecar.new"
"""The same name for all sidecars, so that what a crash leaves is overwritten by the next one."""


class PullFolder:
    """A folder that is filled or read. All methods but `file` and `unlock` may block."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path.absolute()
        self._disk = disk or Disk()
        self._lock: int | None = None

    def lock(self) -> None:
        """Make the folder if it is missing, and lock it until `unlock` or the end of the process.

        Raises:
            BusyError: it is locked already.
            StorageError: the disk refuses.
        """
        with os_errors_as(self.path):
            # The folder itself is locked, so that no lock file is left in it.
            descriptor = self._disk.open_folder(self.path)
            try:
                self._disk.lock(descriptor)
            except BlockingIOError:
                self._disk.close(descriptor)
                raise BusyError(
                    "another pull fills this folder", subject=str(self.path), hint="Wait until it has ended."
                ) from None
            except OSError as error:
                # Some network file systems lock only what is open for writing, which a folder cannot be.
                if error.errno != errno.EBADF:
                    self._disk.close(descriptor)
                    raise
            self._lock = descriptor

    @property
    def is_locked(self) -> bool:
        """Whether another process has locked it, to fill or seal it."""
        try:
            descriptor = self._disk.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            self._disk.lock(descriptor)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._disk.close(descriptor)
        return False

    def unlock(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._disk.close(self._lock)
            self._lock = None

    def file(self, path: PurePosixPath) -> Path:
        """The full path of a file in this folder, for messages and for the transfers."""
        return self.path / path

    def stat(self, path: PurePosixPath) -> os.stat_result | None:
        """The status of a plain file; `None` if there is none, or if a link leads there."""
        try:
            with os_errors_as(self.file(path)), self._parent(path) as parent:
                found = None if parent is None else self._disk.lstat(path.name, parent)
        except UnsafeError:
            return None
        return found if found is not None and stat.S_ISREG(found.st_mode) else None

    def checked_stat(self, path: PurePosixPath) -> os.stat_result | None:
        """The status of a plain file where one may be written; `None` if there is none.

        Raises:
            StorageError: one of the folders above it is a link or a file, or cannot be opened.
        """
        try:
            with TargetFolder(self.path, path.parent).opened(self._disk) as parent:
                found = None if parent is None else self._disk.lstat(path.name, parent)
        except NotADirectoryError as error:
            raise (self._file_in_the_way(path) or disk_error(error, self.file(path))) from None
        except OSError as error:
            raise disk_error(error, self.file(path)) from None
        return found if found is not None and stat.S_ISREG(found.st_mode) else None

    def _file_in_the_way(self, path: PurePosixPath) -> ConflictError | None:
        for folder in list(reversed(path.parents))[1:]:
            if self.stat(folder) is not None:
                return ConflictError(
                    "a file is in the place of a folder",
                    subject=str(self.file(folder)),
                    hint="Move it away, or choose another folder or --name.",
                )
        return None

    def sha256(self, path: PurePosixPath, stop: Stop) -> str:
        """The SHA-256 of a file in hex."""
        digest = hashlib.sha256()
        with self.plain_file(path) as content:
            while chunk := content.read(_CHUNK):
                stop.check()
                digest.update(chunk)
        return digest.hexdigest()

    def verified(self, path: PurePosixPath, expected: ExpectedChecksum, stop: Stop) -> tuple[str, VerifyResult]:
        """Read a file back: its SHA-256 in hex, and how its bytes compare with what is expected."""
        with self.plain_file(path) as file:
            content = Content(self._disk, file.fileno(), self.file(path), stop)
            digests = content.digests(needed(expected, sha256=True))
            return digests.sha256, content.verify(expected, digests)

    @contextmanager
    def plain_file(self, path: PurePosixPath) -> Iterator[BinaryIO]:
        """A file, open for reading; links and anything that could block are refused."""
        with self._inside(path) as parent:
            descriptor = self._disk.open(path.name, os.O_RDONLY, parent)
            with os.fdopen(descriptor, "rb", buffering=0) as content:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise LocalDiskError("it is not a plain file", subject=str(self.file(path)))
                yield cast("BinaryIO", content)

    def read(self, path: PurePosixPath, most: int) -> bytes:
        """The first bytes of a small file."""
        with self.plain_file(path) as content:
            return content.read(most)

    def write_whole(self, path: PurePosixPath, text: bytes) -> None:
        """Write or replace a small file in an existing folder, synced to the disk.

        Raises:
            StorageError: the disk refuses, or a link leads elsewhere.
        """
        # Synced, because a later pull does not write an empty sidecar again.
        with self._inside(path) as parent, replaced(self._disk, path.name, parent, new=_NEW) as file:
            self._disk.write_all(file, text)

    def rename(self, path: PurePosixPath, name: str) -> bool:
        """Rename a file in its folder; False if the name is taken.

        Raises:
            StorageError: the disk refuses, or a link leads elsewhere.
        """
        with self._inside(path) as parent:
            try:
                self._disk.give_free_name(path.name, name, parent)
            except FileExistsError:
                return False
            self._disk.remove(path.name, parent)
        return True

    def is_writable(self) -> bool:
        """Whether a file can be written into it."""
        try:
            self.write_whole(PurePosixPath(_NEW), b"?")
            with self._inside(PurePosixPath(_NEW)) as parent:
                self._disk.remove(_NEW, parent)
        except StorageError:
            return False
        return True

    def files(self) -> Iterator[str]:
        """The relative paths of everything below it but folders; links are listed and not followed."""
        waiting = [PurePosixPath()]
        while waiting:
            here = waiting.pop()
            with self._inside(here / "_") as parent, os.scandir(parent) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(here / entry.name)
                    else:
                        yield str(here / entry.name)

    @contextmanager
    def _parent(self, path: PurePosixPath) -> Iterator[int | None]:
        """The folder that a path is in, open; `None` if it is not there.

        Raises:
            UnsafeError: a link is in the way.
            OSError: the disk refuses.
        """
        try:
            dir_fd = self._disk.open_below(self.path, path.parent)
        except NotADirectoryError:
            dir_fd = None
        try:
            yield dir_fd
        finally:
            if dir_fd is not None:
                self._disk.close(dir_fd)

    @contextmanager
    def _inside(self, path: PurePosixPath) -> Iterator[int]:
        """The folder that a path is in, open; failures inside the block are errors about the path.

        Raises:
            StorageError: it is not there, a link is in the way, or the disk refuses.
        """
        with os_errors_as(self.file(path)), self._parent(path) as parent:
            if parent is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            yield parent

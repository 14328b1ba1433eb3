"""The folder of a pull: locked against a second one, and never left through a link.

Whoever may write to it could put a link in the place of a folder at any moment. So nothing below it is ever named by a
path: each folder is opened inside the one above, without following a link, every time something is read or written.
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
"""One name for all of a folder: what a crash leaves is replaced by the next one."""


class PullFolder:
    """A folder that is filled or looked through. Its methods block, unless they say nothing of the disk."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path.absolute()
        self._disk = disk or Disk()
        self._lock: int | None = None

    def lock(self) -> None:
        """Make the folder if it is missing, and keep other pulls out of it while this process lives.

        Raises:
            BusyError: another pull fills it.
            StorageError: the disk refuses.
        """
        with os_errors_as(self.path):
            # The folder itself is locked, so that no file of ours is left in it.
            descriptor = self._disk.open_folder(self.path)
            try:
                self._disk.lock(descriptor)
            except BlockingIOError:
                self._disk.close(descriptor)
                raise BusyError(
                    "another pull fills this folder", subject=str(self.path), hint="Wait until it has ended."
                ) from None
            except OSError as error:
                # Network folders can be locked by those only who could write to them as to a file.
                if error.errno != errno.EBADF:
                    self._disk.close(descriptor)
                    raise
            self._lock = descriptor

    @property
    def is_filled(self) -> bool:
        """Whether a pull fills it just now."""
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
        """Let others in."""
        if self._lock is not None:
            self._disk.close(self._lock)
            self._lock = None

    def file(self, path: PurePosixPath) -> Path:
        """The path of a file in this folder, for people and for the engine."""
        return self.path / path

    def stat(self, path: PurePosixPath) -> os.stat_result | None:
        """The plain file of this name; `None` if there is none, or if a link leads there."""
        try:
            with os_errors_as(self.file(path)), self._parent(path) as parent:
                found = None if parent is None else self._disk.lstat(path.name, parent)
        except UnsafeError:
            return None
        return found if found is not None and stat.S_ISREG(found.st_mode) else None

    def refusal(self, path: PurePosixPath) -> StorageError | None:
        """Why a file may not be put there: a link among the folders above it, or a file in the place of one."""
        try:
            with TargetFolder(self.path, path.parent).opened(self._disk):
                return None
        except StorageError as refused:
            return refused
        except NotADirectoryError as error:
            return self._file_in_the_way(path) or disk_error(error, self.file(path))
        except OSError as error:
            return disk_error(error, self.file(path))

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
        """The digest of a file in hex."""
        digest = hashlib.sha256()
        with self.plain_file(path) as content:
            while chunk := content.read(_CHUNK):
                stop.check()
                digest.update(chunk)
        return digest.hexdigest()

    def verified(self, path: PurePosixPath, expected: ExpectedChecksum, stop: Stop) -> tuple[str, VerifyResult]:
        """The SHA-256 of a file in hex, and how well its bytes are those that a service tells of; it is read back."""
        with self.plain_file(path) as file:
            content = Content(self._disk, file.fileno(), self.file(path), stop)
            digests = content.digests(needed(expected) | {"sha256"})
            return digests.sha256, content.verify(expected, digests)

    @contextmanager
    def plain_file(self, path: PurePosixPath) -> Iterator[BinaryIO]:
        """A file to be read: no link, and nothing that would have to be waited for."""
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
        """Put a small file there, in place of one from before; the folders above it are there.

        Raises:
            StorageError: the disk refuses, or a link leads elsewhere.
        """
        # On the disk: a name without its text would be no reason for a later pull to write it again.
        with self._inside(path) as parent, replaced(self._disk, path.name, parent, new=_NEW) as file:
            self._disk.write_all(file, text)

    def rename(self, path: PurePosixPath, name: str) -> bool:
        """Give a file another name in the same folder; False if that is taken.

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

    def takes_files(self) -> bool:
        """Whether a file can be written into it at all."""
        try:
            self.write_whole(PurePosixPath(_NEW), b"?")
            with self._inside(PurePosixPath(_NEW)) as parent:
                self._disk.remove(_NEW, parent)
        except StorageError:
            return False
        return True

    def files(self) -> Iterator[str]:
        """Everything in it that is no folder, as paths below it; links are not followed."""
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

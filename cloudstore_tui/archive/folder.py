"""The folder of a pull: locked against a second one, and never left through a link."""

import errno
import os
import stat
from pathlib import Path, PurePosixPath

from cloudstore_tui.core.errors import BusyError, StorageError, UnsafeError
from cloudstore_tui.fs.disk import Disk, os_errors_as

_MOST_REMEMBERED = 10_000


class PullFolder:
    """A folder that is filled. Its methods block, unless they say nothing of the disk."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path.absolute()
        self._disk = disk or Disk()
        self._lock: int | None = None
        self._safe: set[PurePosixPath] = set()

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

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._disk.close(self._lock)
            self._lock = None

    def file(self, path: PurePosixPath) -> Path:
        """Where a file of this folder is."""
        return self.path / path

    def look(self, path: PurePosixPath) -> os.stat_result | None:
        """The plain file of this name; `None` if there is none."""
        found = self._disk.lstat(self.file(path))
        return found if found is not None and stat.S_ISREG(found.st_mode) else None

    def refusal(self, path: PurePosixPath) -> StorageError | None:
        """Why a file may not be put there: a link among the folders above it would lead elsewhere."""
        for parent in reversed(path.parents):
            if parent in self._safe or not parent.parts:
                continue
            found = self._disk.lstat(self.file(parent))
            if found is not None and stat.S_ISLNK(found.st_mode):
                hint = "Remove it, or choose another folder."
                return UnsafeError("is a symbolic link", subject=str(self.file(parent)), hint=hint)
            if len(self._safe) < _MOST_REMEMBERED:
                self._safe.add(parent)
        return None

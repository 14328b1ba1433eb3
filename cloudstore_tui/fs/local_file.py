"""A file of the user that is uploaded."""

import os
import stat
from pathlib import Path
from typing import TypeAlias

from cloudstore_tui.core.errors import LocalDiskError, UsageError
from cloudstore_tui.fs.disk import Disk, os_errors_as

Identity: TypeAlias = tuple[int, ...]
"""Identifies a file and its state: device, inode, size, time of change in ns. Empty if unknown."""
_FACTS = ("disk", "inode", "size", "time of change")


def identity_of(path: Path) -> Identity:
    """The identity of the file at a path, following links; empty if there is none. Blocks."""
    try:
        return _identity(path.stat())
    except OSError:
        return ()


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class LocalFile:
    """Reads the bytes of a file in order, as many as there were when it was opened."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self.size = 0
        self.offset = 0
        self._disk = disk
        self._file = -1
        self._seen: Identity = ()

    @property
    def modified(self) -> float:
        """When it had been changed last, when it was opened."""
        return self._seen[3] / 1e9 if self._seen else 0.0

    @property
    def identity(self) -> Identity:
        """Its identity when it was opened."""
        return self._seen

    @property
    def is_read(self) -> bool:
        """Whether all bytes were read."""
        return self.offset >= self.size

    def open(self) -> None:
        """Open it.

        Raises:
            UsageError: it is not there, or no plain file.
            LocalDiskError: it cannot be read.
        """
        self.close()
        self.offset = 0
        path = self.path.resolve()
        try:
            # A FIFO would otherwise wait for its other end.
            self._file = self._disk.open(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError("there is no such file", subject=str(self.path)) from None
        except OSError:
            self._refuse_specials(path)
            raise LocalDiskError("it cannot be read", subject=str(self.path), hint="Check its rights.") from None
        self._refuse_specials(path)
        self._seen = self._identity_now()
        self.size = self._seen[2]
        # Files of /proc have no length but bytes.
        with os_errors_as(self.path):
            if self.size == 0 and self._disk.read(self._file, 1, 0):
                raise UsageError("its length is unknown, so it cannot be sent", subject=str(self.path))

    def read(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            LocalDiskError: it has become shorter.
        """
        with os_errors_as(self.path):
            data = self._disk.read(self._file, min(count, self.size - self.offset), self.offset)
        if not data and self.offset < self.size:
            raise self._changed()
        self.offset += len(data)
        return data

    def rewind(self) -> None:
        """Start again at the first byte."""
        self.offset = 0

    def check_same(self, before: Identity) -> None:
        """Compare the open file with the one of an earlier run; an empty identity matches everything.

        Raises:
            LocalDiskError: it is another one, or was changed since; or that is unknown, and a link is in its place.
        """
        hint = "To send this one, cancel the old transfer and upload it again."
        if before and before != self._seen:
            names = [name for name, was, now in zip(_FACTS, before, self._seen, strict=False) if was != now]
            raise LocalDiskError(
                f"it is not the file that was to be sent: it has a different {' and '.join(names)}",
                subject=str(self.path),
                hint=hint,
            )
        if not before and self.path.is_symlink():
            raise LocalDiskError("a link is where the file was that was to be sent", subject=str(self.path), hint=hint)

    def check_unchanged(self) -> None:
        """Compare its identity with that when it was opened.

        Raises:
            LocalDiskError: it was written to meanwhile.
        """
        if self._identity_now() != self._seen:
            raise self._changed()

    def close(self) -> None:
        """Close it, unless that was done."""
        if self._file >= 0:
            self._disk.close(self._file)
        self._file = -1

    def _identity_now(self) -> Identity:
        with os_errors_as(self.path):
            return _identity(os.fstat(self._file))

    def _refuse_specials(self, path: Path) -> None:
        found = self._disk.lstat(path)
        if found is not None and not stat.S_ISREG(found.st_mode):
            self.close()
            raise UsageError("is not a plain file", subject=str(self.path), hint="Only plain files can be uploaded.")

    def _changed(self) -> LocalDiskError:
        return LocalDiskError(
            "the file changed while it was sent",
            subject=str(self.path),
            hint="Upload it again when nothing writes to it any more.",
        )

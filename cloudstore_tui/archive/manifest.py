"""`manifest.jsonl`: a line for every object, written as things happen and good for everything that comes later."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from cloudstore_tui.archive.database import private_database
from cloudstore_tui.archive.line import key_of_line
from cloudstore_tui.fs.disk import Disk, os_errors_as

NAME = "manifest.jsonl"
_NEW = ".manifest.jsonl.new"
_BATCH = 50
"""Lines after which everything is waited to be on the disk."""
_LONGEST = 1 << 22
"""Bytes of a line: nothing that we write comes near."""
_LAST = "CREATE TABLE last(key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID"


class Manifest:
    """Writes the manifest of a folder. Blocks; used from one thread at a time."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        """Open it to append, after whatever a crash left of a last line is cut.

        Raises:
            StorageError: the disk refuses.
        """
        self.path = folder / NAME
        self._disk = disk or Disk()
        self._unsynced = 0
        with os_errors_as(folder):
            self._folder = self._disk.open_folder(folder)
        try:
            with os_errors_as(self.path):
                self._disk.remove(_NEW, self._folder)
                self._file = self._open(NAME, os.O_APPEND)
                self._disk.truncate(self._file, _whole_lines(self._disk, self._file))
        except BaseException:
            self._disk.close(self._folder)
            raise

    def append(self, line: Mapping[str, object]) -> None:
        """Write a line; it outlives the program at once, and the machine a little later."""
        with os_errors_as(self.path):
            self._write(self._file, line)
            self._unsynced += 1
            if self._unsynced >= _BATCH:
                self.sync()

    def sync(self) -> None:
        """Wait until all lines are on the disk."""
        if self._unsynced:
            with os_errors_as(self.path):
                self._disk.sync(self._file)
            self._unsynced = 0

    def compact(self, folder: Path | None = None) -> None:
        """Leave one line for each object, the last, and put that in place of the manifest all at once.

        Args:
            folder: where a database lies meanwhile.
        """
        self.sync()
        with os_errors_as(self.path), closing(private_database(folder, _LAST)) as last:
            last.executemany(
                "INSERT OR REPLACE INTO last VALUES (?, ?)",
                ((key_of_line(line), number) for number, line in enumerate(read_manifest(self.path))),
            )
            new = self._open(_NEW, os.O_TRUNC)
            try:
                for number, line in enumerate(read_manifest(self.path)):
                    if last.execute(
                        "SELECT 1 FROM last WHERE key = ? AND number = ?", (key_of_line(line), number)
                    ).fetchone():
                        self._write(new, line)
                self._disk.sync(new)
                self._disk.replace(_NEW, NAME, self._folder)
                self._disk.sync(self._folder)
            except BaseException:
                self._disk.close(new)
                self._disk.remove(_NEW, self._folder)
                raise
            self._disk.close(self._file)
            self._file = new

    def close(self) -> None:
        """Write everything and close it."""
        try:
            self.sync()
        finally:
            self._disk.close(self._file)
            self._disk.close(self._folder)

    def _open(self, name: str, flags: int) -> int:
        return self._disk.open(name, os.O_RDWR | os.O_CREAT | flags, self._folder)

    def _write(self, file: int, line: Mapping[str, object]) -> None:
        data = memoryview(json.dumps(line).encode() + b"\n")
        while data:
            data = data[self._disk.write(file, data) :]


def read_manifest(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a manifest in order, of whatever size it is; those that are none are passed over.

    Raises:
        StorageError: it cannot be read.
    """
    with os_errors_as(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            while text := file.readline(_LONGEST):
                line = _line(text)
                if line is not None:
                    yield line


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and key_of_line(line) else None


def _whole_lines(disk: Disk, file: int) -> int:
    """The bytes up to and with the last line end."""
    end = os.fstat(file).st_size
    while end:
        start = max(end - 65_536, 0)
        found = disk.read(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

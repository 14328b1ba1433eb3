"""Which process a transfer belongs to, and whether it still lives."""

import fcntl
import os
import secrets
from pathlib import Path

from cloudstore_tui.fs.disk import PRIVATE_FILE, PRIVATE_FOLDER

_TRIES = 5


class Writer:
    """The mark of one running program: a file that it keeps locked. The lock ends with the process, however that ends.

    A number would not do: the system gives the number of an ended process to another one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        for _ in range(_TRIES):
            self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
            self._path = folder / self.name
            self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
            _lock(self._file)
            # Whoever looked between the two calls found no lock, and cleaned up.
            if self._path.exists():
                return
            os.close(self._file)
        raise FileNotFoundError(f"{folder} loses what is written to it")

    def close(self) -> None:
        """Give the mark back; nothing happens if that was done."""
        if self._file >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
        self._file = -1


def living(folder: Path) -> frozenset[str]:
    """The names of the writers that still run; marks of others are removed."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(path.name for path in folder.iterdir() if _lives(path))


def process_of(name: str) -> int:
    """The number of the process that made a mark."""
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def _lives(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if not _lock(file):
            return True
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    """Whether the lock is ours now; a file system without locks gives it to everybody."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True

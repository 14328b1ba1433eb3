"""Temporary copies of objects that other programs open: private, and always removed afterwards."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from cloudstore_tui.core.errors import LocalDiskError, UnsupportedError
from cloudstore_tui.core.links import Piece, ReadPiece
from cloudstore_tui.fs.names import safe_name

PREFIX = "cloudstore-open-"
"""The names of all folders that hold such copies start with it."""
_LOCK = ".lock"
PIECE = 4 * 1024 * 1024
MAX_AT_ONCE = 256 * 1024 * 1024
"""Bytes of an object that are kept in memory, if its store only sends whole objects."""

Progress = Callable[[int, int | None], Awaitable[None] | None]
"""Called with the bytes that have arrived, and the total if known."""


class TemporaryCopy:
    """A copy of one object in a folder of its own, which is locked while this program runs."""

    def __init__(self, name: str) -> None:
        """Create the folder.

        Raises:
            LocalDiskError: the disk refuses.
        """
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _refused(error) from None
        self.path = self._folder / safe_name(name)
        self._open = True

    async def fetch(self, read: ReadPiece, progress: Callable[[int, int | None], object]) -> None:
        """Fetch the whole object.

        Raises:
            StorageError: it cannot be fetched, or the disk refuses.
        """
        try:
            with os.fdopen(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                done = 0
                while True:
                    piece = await _next(read, done)
                    if piece.coding:
                        raise UnsupportedError(f"it is stored compressed ({piece.coding})", hint=_COMPRESSED)
                    file.write(piece.data)
                    done += len(piece.data)
                    progress(done, piece.total)
                    if _is_last(piece, done):
                        return
        except OSError as error:
            raise _refused(error) from None

    def remove(self) -> None:
        """Remove the copy; never fails."""
        if self._open:
            self._open = False
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)


def remove_left(folder: Path | None = None) -> int:
    """Remove copies that programs left when they ended; returns how many. Never fails."""
    removed = 0
    with suppress(OSError):
        for left in (folder or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
            removed += _remove_if_left(left)
    return removed


def _remove_if_left(folder: Path) -> bool:
    """Remove a folder if it is ours and no program has locked it."""
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    finally:
        os.close(lock)


def _is_last(piece: Piece, done: int) -> bool:
    if piece.total is not None:
        return done >= piece.total or not piece.data
    # A store that sends ranges has nothing after the end; one that only sends whole objects has sent all.
    return not piece.data if piece.ranged else len(piece.data) < PIECE


async def _next(read: ReadPiece, done: int) -> Piece:
    piece = await read(done, PIECE)
    if done and not piece.ranged and piece.total is None:
        raise UnsupportedError("its store sends only whole objects, and does not say how large this one is", hint=_HINT)
    if piece.ranged or not done or piece.total is None or done >= piece.total:
        return piece
    if piece.total > MAX_AT_ONCE:
        raise UnsupportedError("it is too large to be opened from a store that sends only whole objects", hint=_HINT)
    whole = await read(0, piece.total)
    return Piece(whole.data[done:], whole.total, ranged=False)


_HINT = "Download it instead."
_COMPRESSED = "p shows what is in it; a download is as it is stored."


def _refused(error: OSError) -> LocalDiskError:
    why = (error.strerror or "unknown").lower()
    return LocalDiskError(f"no temporary copy can be made: {why}", hint="Look at the space in the folder of TMPDIR.")

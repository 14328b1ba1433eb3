"""A file of the user's that nobody else reads, replaced as a whole."""

import fcntl
import os
import shlex
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudstore_tui.core.errors import BusyError, LocalDiskError
from cloudstore_tui.fs.disk import PRIVATE_FOLDER

PATIENCE = 5.0
"""Seconds to wait for others that change a file; they need milliseconds."""


@contextmanager
def turn(path: Path | None) -> Iterator[None]:
    """Keep other programs from changing a file while it is read, changed and written; without a file, do nothing.

    The lock lies on its folder: the file itself is replaced, and a lock file would be left behind.

    Raises:
        BusyError: another program does not come to an end.
        LocalDiskError: there can be no such file.
    """
    if path is None:
        yield
        return
    folder = path.resolve().parent
    try:
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        _wait_for(handle, path)
        yield
    finally:
        os.close(handle)


def write_private(path: Path, text: str) -> None:
    """Put a text in the place of a file; whoever reads at the same time sees the old one or the new one.

    A link is followed: people keep their configuration elsewhere and link to it.

    Raises:
        LocalDiskError: it cannot be written; the old one is still there.
    """
    place = path.resolve()
    try:
        place.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        # Made with 0600, as every file of this function.
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    except OSError as error:
        raise _refused(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _refused(path, error) from None


def refuse_shared(path: Path) -> None:
    """Make sure that nobody else can write to a file or folder whose content is believed.

    Raises:
        LocalDiskError: somebody can.
    """
    found = path.lstat()
    if found.st_uid not in (os.geteuid(), 0):
        raise LocalDiskError(
            "it belongs to another user, so what it says is not believed",
            subject=str(path),
            hint="Set XDG_STATE_HOME to a folder of your own.",
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(found.st_mode):
        raise LocalDiskError(
            "others can write to it, so what it says is not believed",
            subject=str(path),
            hint=f"Take that right away: chmod go-w {shlex.quote(str(path))}. Or set XDG_STATE_HOME to another folder.",
        )


def _wait_for(handle: int, path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BusyError("another program is changing it", subject=str(path), hint="Try again.") from None
            time.sleep(0.02)
        except OSError:
            # A network share without locks: two changes within the same milliseconds are rare.
            return
        else:
            return


def _refused(path: Path, error: OSError) -> LocalDiskError:
    return LocalDiskError(f"cannot be written: {error.strerror}", subject=str(path))

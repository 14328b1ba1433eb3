"""Replaces files as a whole: a reader, also after a power cut, sees either the old one or the new one.

The new file is written beside the old one, as `.NAME.new`, synced before it takes the name, and removed if it cannot be
finished. What a crash left of one is replaced by the next.
"""

import errno
import fcntl
import os
import shlex
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cloudstore_tui.core.errors import BusyError, ConflictError, LocalDiskError
from cloudstore_tui.fs.disk import PRIVATE_FILE, PRIVATE_FOLDER, Disk, TargetFolder, os_errors_as

READABLE = 0o644
"""The mode of a file that another user, such as that of a monitor, has to read."""
LOCK_TIMEOUT_S = 5.0
"""Seconds to wait for another program that changes a file; that takes milliseconds."""
_POLL_S = 0.02


def write_whole(
    path: Path, text: str | bytes, *, mode: int = PRIVATE_FILE, follows: bool = False, disk: Disk | None = None
) -> None:
    """Replace the content of a file; missing folders are created, private to the user.

    Args:
        path: the file.
        text: its new content.
        mode: its permissions.
        follows: whether a link is followed: people keep their configuration elsewhere and link to it.
        disk: the file calls.

    Raises:
        BusyError: another program keeps changing it.
        StorageError: the disk refuses; the old one is still there.
    """
    disk = disk or Disk()
    with os_errors_as(path):
        place = path.resolve() if follows else path.absolute()
        folder = disk.open_folder(place.parent)
        try:
            with replaced(disk, place.name, folder, mode=mode) as file:
                disk.write_all(file, text.encode() if isinstance(text, str) else text)
        finally:
            disk.close(folder)


def beside(name: str) -> str:
    """The name of the new file until it takes the name of the old one."""
    return f".{name}.new"


@contextmanager
def replaced(disk: Disk, name: str, folder: int, *, new: str = "", mode: int = PRIVATE_FILE) -> Iterator[int]:
    """A new file, open for reading and writing, that replaces one in an open folder when the block ends.

    Args:
        disk: the file calls.
        name: the file that it replaces.
        folder: the folder of both.
        new: its name until then; `.NAME.new` if empty.
        mode: its permissions.

    Raises:
        BusyError: another program keeps changing it.
        OSError: the disk refuses; the old one is still there.
    """
    new = new or beside(name)
    file = _create(disk, name, new, folder)
    try:
        yield file
        if mode != PRIVATE_FILE:
            os.fchmod(file, mode)
        disk.sync(file)
        disk.replace(new, name, folder)
    except BaseException:
        _drop(disk, file, new, folder)
        raise
    disk.close(file)
    disk.sync_folder(folder)


def _drop(disk: Disk, file: int, name: str, folder: int) -> None:
    """Remove and close a file that is locked by us."""
    with suppress(OSError):
        disk.remove(name, folder)
    disk.close(file)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A private file that gets its name once it is complete; nothing is replaced.

    Raises:
        ConflictError: there is such a file.
        StorageError: the disk refuses; nothing is left.
    """
    disk, name, new = Disk(), path.name, beside(path.name)
    taken = ConflictError("there is such a file already", subject=str(path), hint="Name another, or remove it.")
    if path.is_dir():
        taken = ConflictError("is a folder", subject=str(path), hint="Name a file in it.")
    if os.path.lexists(path):
        raise taken
    with os_errors_as(path), TargetFolder(path.absolute().parent).opened(disk) as folder:
        if folder is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        created = _create(disk, name, new, folder)
        try:
            with os.fdopen(os.dup(created), "wb") as file:
                yield file
            disk.sync(created)
            disk.give_free_name(new, name, folder)
            disk.sync_folder(folder)
        except FileExistsError:
            raise taken from None
        finally:
            _drop(disk, created, new, folder)


def _create(disk: Disk, name: str, new: str, folder: int) -> int:
    """Create an empty file and lock it; waits for another program that writes it."""
    end = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            file = disk.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, folder)
        except FileExistsError:
            if _clear(disk, new, folder):
                continue
        else:
            try:
                if _lock(disk, file, new, folder):
                    return file
            except BaseException:
                _drop(disk, file, new, folder)
                raise
            disk.close(file)
        if time.monotonic() > end:
            raise BusyError("another program is changing it", subject=name, hint="Try again.")
        time.sleep(_POLL_S)


def _clear(disk: Disk, name: str, folder: int) -> bool:
    """Remove what a crash left; returns whether the name is free now."""
    try:
        file = disk.open(name, os.O_RDONLY, folder)
    except FileNotFoundError:
        return True
    except OSError:
        disk.remove(name, folder)
        return True
    try:
        # Under the lock: a program that creates it at this moment checks its name once it has the lock.
        is_left = _lock(disk, file, name, folder)
        if is_left:
            disk.remove(name, folder)
        return is_left
    finally:
        disk.close(file)


def _lock(disk: Disk, file: int, name: str, folder: int) -> bool:
    """Lock an open file; returns whether that worked and it still has its name."""
    try:
        disk.lock(file)
        return disk.is_same(file, name, folder)
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def turn(path: Path | None) -> Iterator[None]:
    """Keep other programs from changing a file while it is read, changed and written; without a file, do nothing.

    The lock lies on its folder: the file itself is replaced, and a lock file would be left behind.

    Raises:
        BusyError: another program keeps changing it.
        LocalDiskError: there can be no such file.
    """
    if path is None:
        yield
        return
    folder = path.resolve().parent
    with os_errors_as(path):
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _wait_for(handle, path)
        yield
    finally:
        os.close(handle)


def refuse_shared(path: Path) -> None:
    """Make sure that no other user can write to a file or folder whose content we trust.

    Raises:
        LocalDiskError: one can.
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
    end = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BusyError("another program is changing it", subject=str(path), hint="Try again.") from None
            time.sleep(_POLL_S)
        except OSError:
            # A network share without locks: two changes within the same milliseconds are rare.
            return
        else:
            return

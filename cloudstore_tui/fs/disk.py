"""The calls that touch the user's disk, in one place.

Everything is done relative to an open folder, so a folder that is swapped for a link meanwhile changes nothing, and
no last segment is ever followed if it is a link.
"""

import ctypes
import errno
import fcntl
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudstore_tui.core.errors import FullDiskError, LocalDiskError, StorageError, UnsafeError
from cloudstore_tui.fs.file_system import FileSystems

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
"""Recordings are personal data."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4


class Disk:
    """File calls. Tests put another one in its place that fails where they want."""

    def __init__(self) -> None:
        self._file_systems = FileSystems()

    def open_folder(self, path: Path) -> int:
        """Open a folder, making it and those above it if they are not there."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            for folder in reversed([path, *path.parents]):
                if not folder.exists():
                    folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        return os.open(path, flags)

    def open(self, name: str | Path, flags: int, folder: int | None = None) -> int:
        """Open a file, in an open folder if given; a link in its place is refused."""
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, PRIVATE_FILE, dir_fd=folder)

    def close(self, descriptor: int) -> None:
        """Close a file or folder. Never fails: it is closed even then, and what matters was synced before."""
        with suppress(OSError):
            os.close(descriptor)

    def lstat(self, name: str | Path, folder: int | None = None) -> os.stat_result | None:
        """What is there under a name, without following a link in its place; `None` if nothing is."""
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write at the present place; gives the number of bytes that were taken."""
        return os.write(descriptor, data)

    def read(self, descriptor: int, count: int, offset: int) -> bytes:
        """Read at a place."""
        return os.pread(descriptor, count, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        """Make a file `size` bytes long and go on writing at its end."""
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def sync(self, descriptor: int) -> None:
        """Wait until a file's bytes, or a folder's names, are on the disk."""
        os.fsync(descriptor)

    def set_time(self, descriptor: int, seconds: float) -> None:
        """Set when a file was last changed."""
        os.utime(descriptor, (seconds, seconds))

    def lock(self, descriptor: int) -> bool:
        """Take the lock on a file, which ends with the process; False where the file system has none to trust.

        Raises:
            BlockingIOError: somebody else holds it.
        """
        if not self._file_systems.kind_of(descriptor).trusts_locks:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            raise
        return True

    def link(self, name: str, new: str, folder: int) -> None:
        """Give a file a second name.

        Raises:
            FileExistsError: the new name is taken.
        """
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)

    def move(self, name: str, new: str, folder: int) -> None:
        """Give a file another name that must be free, on file systems without links.

        Raises:
            FileExistsError: the new name is taken.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            result = libc.renameatx_np(folder, os.fsencode(name), folder, os.fsencode(new), _RENAME_EXCL)
        else:
            result = libc.renameat2(folder, os.fsencode(name), folder, os.fsencode(new), _RENAME_NOREPLACE)
        if result:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def replace(self, name: str, new: str, folder: int) -> None:
        """Give a file another name, in place of what has it."""
        os.replace(name, new, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, name: str, folder: int) -> None:
        """Take a name away, if it is there."""
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return

    def check_size(self, folder: int, size: int) -> None:
        """Make sure that a file of so many bytes can be in a folder.

        Raises:
            OSError: its file system has no files of that size.
        """
        most = self._file_systems.kind_of(folder).most_bytes
        if most is not None and size > most:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    def free(self, folder: int) -> int:
        """Bytes that may still be written to the file system of a folder."""
        system = os.fstatvfs(folder)
        return system.f_bavail * system.f_frsize


def has_no_links(error: OSError) -> bool:
    """Whether linking failed because this file system has no links."""
    return error.errno in _NO_LINKS


def random_part(tid: str) -> str:
    """A part name nobody else uses, for file systems without locks."""
    return f".cs-{tid}-{secrets.token_hex(4)}.part"


@contextmanager
def os_errors_as(subject: Path) -> Iterator[None]:
    """Turn failures of the disk into errors about `place`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, subject) from None


def disk_error(error: OSError, subject: Path) -> StorageError:
    """What a failed file call means for the user."""
    if subject == Path():
        # A dot tells nobody which disk it is about.
        subject = subject.absolute()
    if error.errno == errno.ELOOP:
        return UnsafeError("is a symbolic link", subject=str(subject), hint="Remove it, or choose another folder.")
    if error.errno in _FULL:
        return FullDiskError(_FULL[error.errno], subject=str(subject), hint="Free some space and try again.")
    message, hint = _MEANINGS.get(error.errno or 0, (f"the disk refuses: {(error.strerror or 'unknown').lower()}", ""))
    return LocalDiskError(message, subject=str(subject), hint=hint)


_OTHER_FOLDER = "Choose another folder."
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your disk quota is used up"}
_MEANINGS = {
    errno.EFBIG: (
        "the file is too large for this disk, or for a limit that was set",
        "FAT disks hold files below 4 GB; `ulimit -f` shows the limit.",
    ),
    errno.EROFS: ("the file system is read-only", _OTHER_FOLDER),
    errno.EACCES: ("you may not write or read here", _OTHER_FOLDER),
    errno.EPERM: ("you may not write or read here", _OTHER_FOLDER),
    errno.ENOENT: ("it is not there, or its folder is gone", "Check the path."),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", _OTHER_FOLDER),
    errno.ENAMETOOLONG: ("the path is too long", _OTHER_FOLDER),
    errno.EIO: ("the disk reports an error", "Check the disk."),
    errno.ESTALE: ("the network folder is gone", "Mount it again and try again."),
    errno.EMFILE: ("too many files are open", "Try again with fewer transfers at once."),
    errno.ENFILE: ("too many files are open", "Try again with fewer transfers at once."),
}

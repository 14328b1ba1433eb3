"""The calls that touch the user's disk, what its file systems can do, and how much space is left.

Everything is relative to an open folder, so swapping a folder for a link changes nothing, and a link in place of the
last segment is never followed.
"""

import errno
import fcntl
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Self

from msgspec import Struct

from cloudstore_tui.core.errors import FullDiskError, LocalDiskError, StorageError, UnsafeError, UsageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
"""Recordings are personal data."""

_UNSUPPORTED = frozenset(
    {
        *(errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOTTY),
        *(errno.EACCES, errno.EPERM, errno.EBADF, errno.ENOLCK, errno.EMLINK, errno.EXDEV),
    }
)
"""Errors by which file systems say that they do not support a call."""
_LONGEST_PATH = os.pathconf("/", "PC_PATH_MAX") - 256
"""Bytes of a folder's path, which leave room for the name of a file."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4


class Disk:
    """File calls. Tests replace it by one that fails where they want."""

    def __init__(self) -> None:
        self._file_systems = FileSystems()
        self._identities: dict[int, tuple[int, int]] = {}
        """Device and inode by open descriptor: each `fstat` would give way to all other threads."""

    def open_folder(self, path: Path) -> int:
        """Open a folder that the user named, and create it and its parents if they are missing. It may be a link."""
        try:
            return self._opened(os.open(path, _FOLDER))
        except FileNotFoundError:
            refuse_dangling_link(path)
            for folder in reversed([path, *path.parents]):
                if not folder.exists():
                    folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        return self._opened(os.open(path, _FOLDER))

    def _opened(self, descriptor: int) -> int:
        """Note that a descriptor is new; its number may have been that of another file."""
        self._identities.pop(descriptor, None)
        return descriptor

    def identity(self, descriptor: int) -> tuple[int, int]:
        """Device and inode of an open file or folder, which do not change until it is closed."""
        known = self._identities.get(descriptor)
        if known is None:
            found = os.fstat(descriptor)
            known = self._identities[descriptor] = found.st_dev, found.st_ino
        return known

    def file_system(self, descriptor: int) -> "FileSystem":
        """The file system of an open file or folder."""
        return self._file_systems.of_device(self.identity(descriptor)[0])

    def open_below(self, root: Path, below: PurePath, *, make: bool = False) -> int | None:
        """Open a folder below one that the user named, segment by segment, following no link on the way.

        The root itself may be a link. The descriptor stays that of the same folder, whatever happens to its name.

        Args:
            root: the folder that the user named.
            below: the relative path from there; empty for the root.
            make: create what is missing; otherwise the result is `None` then.

        Raises:
            UnsafeError: a segment is a link, or not the name of a folder.
            OSError: the disk refuses.
        """
        try:
            dir_fd = self.open_folder(root) if make else self._opened(os.open(root, _FOLDER))
        except FileNotFoundError:
            return None
        try:
            for depth, segment in enumerate(below.parts, 1):
                try:
                    inner = self._open_segment(segment, dir_fd, make=make)
                except UnsafeError as error:
                    raise error.about(str(root.joinpath(*below.parts[:depth]))) from None
                self.close(dir_fd)
                dir_fd = -1
                if inner is None:
                    return None
                dir_fd = inner
            opened, dir_fd = dir_fd, -1
            return opened
        finally:
            if dir_fd >= 0:
                self.close(dir_fd)

    def _open_segment(self, segment: str, dir_fd: int, *, make: bool) -> int | None:
        """Open a folder in an open one; `None` if it is missing."""
        if segment in ("", ".", "..") or "/" in segment:
            raise UnsafeError("is not a valid folder name")
        if make:
            with suppress(FileExistsError):
                os.mkdir(segment, PRIVATE_FOLDER, dir_fd=dir_fd)
        try:
            return self._opened(os.open(segment, _FOLDER | os.O_NOFOLLOW, dir_fd=dir_fd))
        except FileNotFoundError:
            if make:
                raise
            return None
        except OSError:
            found = self.lstat(segment, dir_fd)
            if found is not None and stat.S_ISLNK(found.st_mode):
                raise UnsafeError("is a symbolic link", hint=_NO_LINK) from None
            raise

    def open(self, name: str | Path, flags: int, folder: int | None = None) -> int:
        """Open a file, relative to an open folder if one is given; a link is refused."""
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        return self._opened(os.open(name, flags, PRIVATE_FILE, dir_fd=folder))

    def close(self, descriptor: int) -> None:
        """Close a file or folder. Never fails: whatever matters was synced before."""
        self._identities.pop(descriptor, None)
        with suppress(OSError):
            os.close(descriptor)

    def lstat(self, name: str | Path, folder: int | None = None) -> os.stat_result | None:
        """The status of a name, without following a link; `None` if nothing has the name."""
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write at the present position; returns how many bytes were written."""
        return os.write(descriptor, data)

    def write_all(self, descriptor: int, text: bytes) -> None:
        """Write all bytes at the present position."""
        data = memoryview(text)
        while data:
            data = data[self.write(descriptor, data) :]

    def read(self, descriptor: int, count: int, offset: int) -> bytes:
        """Read up to `count` bytes at an offset."""
        return os.pread(descriptor, count, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        """Make a file `size` bytes long, and set the position to its end."""
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def sync(self, descriptor: int) -> None:
        """Wait until a file's bytes are on the disk."""
        os.fsync(descriptor)

    def sync_folder(self, descriptor: int) -> None:
        """Wait until a folder's names are on the disk, if the file system can do that: many network ones cannot."""
        try:
            self.sync(descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise

    def set_time(self, descriptor: int, seconds: float) -> None:
        """Set the time of the last change, in seconds since 1970."""
        os.utime(descriptor, (seconds, seconds))

    def lock(self, descriptor: int) -> bool:
        """Take the lock on a file, which ends with the process; False if the file system has no reliable locks.

        Raises:
            BlockingIOError: another program holds it.
        """
        if not self.file_system(descriptor).trusts_locks:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in _UNSUPPORTED:
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
        """Give a file another name that must be free, on file systems without hard links.

        Raises:
            FileExistsError: the new name is taken.
        """
        # Deferred: hardly any file system has no hard links.
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            result = libc.renameatx_np(folder, os.fsencode(name), folder, os.fsencode(new), _RENAME_EXCL)
        else:
            result = libc.renameat2(folder, os.fsencode(name), folder, os.fsencode(new), _RENAME_NOREPLACE)
        if result:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def give_free_name(self, name: str, new: str, folder: int, *, reclaim: bool = False) -> None:
        """Give a file a name that must be free, in the first way that its file system supports.

        The old name may still be there afterwards.

        Args:
            name: its present name.
            new: the name it gets.
            folder: the folder of both.
            reclaim: replace an empty file of ours, as a placeholder that an earlier run left.

        Raises:
            FileExistsError: the new name is taken.
            OSError: the disk refuses.
        """
        for rename in (self.link, self.move):
            try:
                rename(name, new, folder)
            except OSError as error:
                if isinstance(error, FileExistsError) or error.errno not in _UNSUPPORTED:
                    raise
            else:
                return
        self.move_onto_placeholder(name, new, folder, reclaim=reclaim)

    def move_onto_placeholder(self, name: str, new: str, folder: int, *, reclaim: bool = False) -> None:
        """Give a file another name that must be free, on a file system that can neither link nor move exclusively.

        An empty file takes the name first, which never replaces anything.

        Raises:
            FileExistsError: the new name is taken.
        """
        try:
            self.close(self.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, folder))
        except FileExistsError:
            if not (reclaim and self.is_placeholder(self.lstat(new, folder), folder)):
                raise
        try:
            self.replace(name, new, folder)
        except OSError:
            self.remove(new, folder)
            raise

    def is_placeholder(self, found: os.stat_result | None, folder: int) -> bool:
        """Whether a file may be a placeholder of ours: an empty file that no other user can have made."""
        return (
            found is not None and stat.S_ISREG(found.st_mode) and not found.st_size and self.is_private(found, folder)
        )

    def is_private(self, found: os.stat_result, folder: int) -> bool:
        """Whether a file is ours and no other user may write to it; True if the file system has no owners."""
        if not self.file_system(folder).keeps_owners:
            return True
        return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def is_same(self, descriptor: int, name: str, folder: int) -> bool:
        """Whether an open file still has this name; True if the file system cannot identify files.

        Raises:
            FileNotFoundError: nothing has it.
        """
        if not self.file_system(descriptor).keeps_owners:
            # Such file systems may also give a file another inode number when it is moved.
            return True
        there = self.lstat(name, folder)
        if there is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self.identity(descriptor) == (there.st_dev, there.st_ino)

    def is_at(self, path: Path, folder: int) -> bool:
        """Whether a path, links included, leads to an open folder."""
        try:
            there = path.stat()
        except OSError:
            return False
        if self.identity(folder) == (there.st_dev, there.st_ino):
            return True
        # Some file systems give a folder another inode number when it changes, others at every call.
        here, numbers = os.fstat(folder), self.file_system(folder).keeps_owners
        return here.st_dev == there.st_dev and (here.st_ino == there.st_ino or not numbers)

    def replace(self, name: str, new: str, folder: int) -> None:
        """Give a file another name, replacing what has it."""
        os.replace(name, new, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, name: str, folder: int) -> None:
        """Remove a name, if it is there."""
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return

    def check_size(self, descriptor: int, size: int) -> None:
        """Make sure that an open file can have `size` bytes.

        Raises:
            OSError: its file system has no files of that size.
        """
        most = self.file_system(descriptor).most_bytes
        if most is not None and size > most:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    def room(self, descriptor: int) -> tuple[int, int]:
        """Free bytes of the file system of an open file, and its capacity."""
        system = os.fstatvfs(descriptor)
        return system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize


HERE = PurePath()


class TargetFolder(Struct, frozen=True):
    """A folder below one that the user named. That one may be a link, but nothing on the way from there."""

    root: Path
    """As the user named it."""
    below: PurePath = HERE
    """The relative path from there."""

    @classmethod
    def of(cls, folder: Path, root: Path | None = None) -> Self:
        """A folder below the one that the user named; without one, it is that folder itself.

        Raises:
            UnsafeError: it is not below the root.
        """
        if root is None or root == folder:
            return cls(folder)
        try:
            return cls(root, folder.relative_to(root))
        except ValueError:
            raise UnsafeError("lies outside the folder that was chosen", subject=str(folder)) from None

    @property
    def path(self) -> Path:
        """Its path, for display; only `open` opens it safely."""
        return self.root / self.below if self.below.parts else self.root

    def open(self, disk: "Disk", *, make: bool = True) -> int:
        """Open it, and with `make` create what is missing; the caller closes it.

        Raises:
            UnsafeError: something on the way is a link.
            OSError: the disk refuses.
        """
        if len(os.fsencode(self.path.absolute())) > _LONGEST_PATH:
            # It could be created segment by segment, but other programs could not open what is in it.
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        opened = disk.open_below(self.root, self.below, make=make)
        if opened is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return opened

    @contextmanager
    def opened(self, disk: "Disk") -> Iterator[int | None]:
        """Keep it open within a block; `None` if it is not there.

        Raises:
            UnsafeError: something on the way is a link.
            OSError: the disk refuses.
        """
        dir_fd = disk.open_below(self.root, self.below)
        try:
            yield dir_fd
        finally:
            if dir_fd is not None:
                disk.close(dir_fd)


class os_errors_as:  # noqa: N801 - it reads as `suppress` does
    """Turns `OSError` in a block, except a closed pipe, into an error about `subject`."""

    def __init__(self, subject: Path) -> None:
        self._subject = subject

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Raise an error of ours if the disk failed."""
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise disk_error(error, self._subject) from None


def refuse_dangling_link(folder: Path) -> None:
    """Refuse a folder that cannot be made, because it or one above it is a link to nothing.

    Raises:
        UsageError: it is.
    """
    for part in (folder, *folder.parents):
        if part.is_symlink() and not part.exists():
            hint = "Name another, or make the folder that it is to lead to."
            raise UsageError("is a link to a folder that is not there", subject=str(part), hint=hint)


def disk_error(error: OSError, subject: Path) -> StorageError:
    """The error for a failed file call."""
    if subject == Path():
        # A dot does not say which disk it is about.
        subject = subject.absolute()
    if error.errno == errno.ELOOP:
        return UnsafeError("is a symbolic link", subject=str(subject), hint=_NO_LINK)
    if error.errno in _FULL:
        return FullDiskError(_FULL[error.errno], subject=str(subject), hint="Free some space and try again.")
    message, hint = _MEANINGS.get(error.errno or 0, (f"the disk refuses: {(error.strerror or 'unknown').lower()}", ""))
    return LocalDiskError(message, subject=str(subject), hint=hint)


def database_error(error: BaseException, what: str, subject: str, elsewhere: str) -> LocalDiskError:
    """What a failed call of SQLite or of the disk means for one of our databases.

    Args:
        error: of `sqlite3`, or an `OSError`.
        what: the database, in words.
        subject: where it is.
        elsewhere: what to do to keep it in another folder.
    """
    # Deferred: most commands open no database.
    import sqlite3

    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    reasons = {
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_READONLY: "it may not be written",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
        sqlite3.SQLITE_IOERR: "the disk reports an error",
    }
    reason = (getattr(error, "strerror", "") or str(error) or "unknown").lower()
    message = f"{what} cannot be written: {reasons.get(code, reason)}"
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in _FULL:
        return FullDiskError(message, subject=subject, hint=f"Free some space, or {elsewhere}.")
    return LocalDiskError(message, subject=subject, hint=f"Check the folder, or {elsewhere}.")


_NO_LINK = "Remove it, or choose another folder."
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


MOUNTS = Path("/proc/self/mountinfo")
FAT_LIMIT = 4 * 1024**3 - 1
"""Bytes that a file on FAT can have."""

_SHARED = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs"),
        *("panfs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"),
    }
)
"""Shared between machines: a lock taken on one often means nothing on another."""
_FAT = frozenset({"msdos", "vfat"})
_NO_OWNERS = _FAT | {"9p", "cifs", "exfat", "fuseblk", "ntfs", "ntfs3", "smb3", "smbfs", "vboxsf", "vmhgfs"}
"""File systems that give all files the owner and mode of the mount."""


class FileSystem(Struct, frozen=True):
    """One kind of file system; an unknown one is treated as an ordinary local disk."""

    name: str = ""
    """The name that the system uses; empty if unknown."""
    trusts_locks: bool = True
    """Whether a lock keeps other programs away, also on other machines."""
    keeps_owners: bool = True
    """Whether files keep their owner and mode."""
    most_bytes: int | None = None
    """Bytes that a file can have, if that is little enough to matter."""


class FileSystems:
    """Looks up the file system of open files. May be used from any thread."""

    def __init__(self, mounts: Path = MOUNTS) -> None:
        self._mounts = mounts
        self._known: dict[int, FileSystem] = {}
        self._reading = threading.Lock()

    def of_device(self, device: int) -> FileSystem:
        """The file system of a device."""
        if (known := self._known.get(device)) is not None:
            return known
        with self._reading:
            if device not in self._known:
                # A number may be that of another disk after one was removed, so all are looked up again.
                self._known = self._read()
                self._known.setdefault(device, FileSystem())
            return self._known[device]

    def _read(self) -> dict[int, FileSystem]:
        try:
            lines = self._mounts.read_text("utf-8", "replace").splitlines()
        except OSError:
            # Only Linux has this file, and sandboxes hide it.
            return {}
        return dict(found for line in lines if (found := _mount(line)) is not None)


def _mount(line: str) -> tuple[int, FileSystem] | None:
    """Device and file system in a line such as `36 35 98:0 / /mnt rw shared:1 - ext4 /dev/sda1 rw`."""
    place, _, kind = line.partition(" - ")
    fields, name = place.split(" "), kind.partition(" ")[0]
    if len(fields) < 3 or not name:
        return None
    major, _, minor = fields[2].partition(":")
    if not (major.isdecimal() and minor.isdecimal()):
        return None
    return os.makedev(int(major), int(minor)), file_system_named(name)


def file_system_named(name: str) -> FileSystem:
    """The file system of a name, such as `nfs4` or `fuse.sshfs`."""
    # "fuseblk" is a local disk, such as one with NTFS; other FUSE file systems reach other machines.
    fuse = name == "fuse" or name.startswith("fuse.")
    return FileSystem(
        name,
        trusts_locks=not fuse and name not in _SHARED,
        keeps_owners=not fuse and name not in _NO_OWNERS,
        most_bytes=FAT_LIMIT if name in _FAT else None,
    )


def user_name() -> str:
    """The user who runs this program: the name, or the number if the machine has no name for it."""
    # Deferred: only logs need it.
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return str(os.getuid())

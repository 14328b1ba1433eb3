"""What kind of file system a folder is on: whether its locks can be trusted, and how large a file may be."""

import os
import threading
from pathlib import Path

from msgspec import Struct

MOUNTS = Path("/proc/self/mountinfo")
FAT_LIMIT = 4 * 1024**3 - 1
"""Bytes that a file on FAT can have."""

_SHARED = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "panfs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    }
)
"""Several machines see them, and a lock taken on one often means nothing on another."""
_FAT = frozenset({"msdos", "vfat"})
_NO_OWNERS = _FAT | {"9p", "cifs", "exfat", "fuseblk", "ntfs", "ntfs3", "smb3", "smbfs", "vboxsf", "vmhgfs"}
"""Owner and mode of their files are those of the mount, whoever made them."""


class FileSystem(Struct, frozen=True):
    """One kind of file system; what is not known is taken to be an ordinary local disk."""

    name: str = ""
    """As the system calls it; empty if unknown."""
    trusts_locks: bool = True
    """Whether a lock keeps everybody else away."""
    keeps_owners: bool = True
    """Whether a file has the owner and the mode that it was made with."""
    most_bytes: int | None = None
    """Bytes that a file can have, where that is so little that it matters."""


class FileSystems:
    """Looks up the file system of open files. May be used from any thread."""

    def __init__(self, mounts: Path = MOUNTS) -> None:
        self._mounts = mounts
        self._known: dict[int, FileSystem] = {}
        self._reading = threading.Lock()

    def kind_of(self, descriptor: int) -> FileSystem:
        """The file system of an open file or folder."""
        device = os.fstat(descriptor).st_dev
        with self._reading:
            if device not in self._known:
                # A number may stand for another disk after one was taken away, so the others are looked up anew.
                self._known = self._read()
                self._known.setdefault(device, FileSystem())
            return self._known[device]

    def _read(self) -> dict[int, FileSystem]:
        try:
            lines = self._mounts.read_text("utf-8", "replace").splitlines()
        except OSError:
            # Other systems than Linux, and sandboxes, do not tell.
            return {}
        return dict(found for line in lines if (found := _mount(line)) is not None)


def _mount(line: str) -> tuple[int, FileSystem] | None:
    """Device and kind of one line: `36 35 98:0 / /mnt rw shared:1 - ext4 /dev/sda1 rw`."""
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
    # "fuseblk" is a disk of this machine, such as one with NTFS; other FUSE systems reach for other machines.
    fuse = name == "fuse" or name.startswith("fuse.")
    return FileSystem(
        name,
        trusts_locks=not fuse and name not in _SHARED,
        keeps_owners=not fuse and name not in _NO_OWNERS,
        most_bytes=FAT_LIMIT if name in _FAT else None,
    )


_ALL = FileSystems()


def kind_of(descriptor: int) -> FileSystem:
    """The file system of an open file or folder of this machine."""
    return _ALL.kind_of(descriptor)

"""The destination of a download: its folder, the names it may take, and what is there already."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from msgspec import Struct

from cloudstore_tui.core.errors import ConflictError, UnsafeError, UsageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fs.disk import Disk, TargetFolder, os_errors_as
from cloudstore_tui.fs.names import distinct_name, is_segment, safe_name
from cloudstore_tui.transfers.failpoint import failpoint
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict
from cloudstore_tui.transfers.part_file import PartFile
from cloudstore_tui.transfers.verify import Content, Digests, ExpectedChecksum, VerifyResult, needed
from cloudstore_tui.transfers.workers import Stop

_SUFFIX_LENGTHS = (8, 12, 16, 24, 32)
_MAX_COPIES = 100


class VerifiedFile(Struct, frozen=True):
    """A local file that was verified to be the object."""

    path: Path
    level: str
    sha256: str


class Published(Struct, frozen=True):
    """What became of a complete part file."""

    path: Path | None = None
    """The file; `None` if it is not the object, or if the name is taken by something that is to be left alone."""
    level: str = ""
    sha256: str = ""
    contradiction: str = ""
    """Why it is not the object, as a clause; empty if it is."""
    doubt: str = ""
    """What is odd about it, as a clause; empty if nothing is."""


class Destination:
    """The destination of one object. Its methods block."""

    def __init__(
        self,
        disk: Disk,
        folder: TargetFolder,
        name: str,
        identity: str,
        on_conflict: OnConflict,
        *,
        resumed: bool = False,
    ) -> None:
        """Nothing is opened yet.

        Raises:
            UsageError: the name is not that of a file.

        Args:
            disk: the file calls.
            folder: the folder of the file.
            name: the name it should get.
            identity: distinguishes this object from others of the same name.
            on_conflict: what to do if the name is taken.
            resumed: whether an earlier run may have left a placeholder there.
        """
        if not is_segment(name):
            raise UsageError("is not a valid file name", subject=name, hint="Give a name without /.")
        self.path = folder.path / name
        """The path it should get."""
        self._disk = disk
        self._folder = folder
        self._name = name
        self._identity = identity
        self._on_conflict = on_conflict
        self._resumed = resumed

    @classmethod
    def of(cls, disk: Disk, request: DownloadRequest, entry: StoredObject, *, resumed: bool = False) -> Self:
        """The destination of a download.

        Raises:
            UsageError: the name is not that of a file.
        """
        name, identity = request.name or safe_name(entry.name), entry.id or entry.location.path
        return cls(disk, request.target, name, identity, request.on_conflict, resumed=resumed)

    def is_taken(self) -> bool:
        """Whether something has the name already.

        Raises:
            UnsafeError: what has it is not a plain file, and would have to be replaced; or a link is on the way there.
        """
        with os_errors_as(self.path.parent), self._folder.opened(self._disk) as dir_fd:
            return dir_fd is not None and self.is_taken_in(dir_fd)

    def is_taken_in(self, dir_fd: int) -> bool:
        """Whether something has the name already in its folder, which is open.

        Raises:
            UnsafeError: what has it is not a plain file, and would have to be replaced.
        """
        found = self._disk.lstat(self._name, dir_fd)
        if found is None or (self._resumed and self._disk.is_placeholder(found, dir_fd)):
            return False
        if not stat.S_ISREG(found.st_mode) and self._on_conflict in (OnConflict.REFUSE, OnConflict.OVERWRITE):
            raise UnsafeError(
                f"{_kind(found.st_mode)} has this name", subject=str(self.path), hint="Choose another folder or name."
            )
        return True

    def existing(self, expected: ExpectedChecksum, stop: Stop, *, sha256: bool = False) -> VerifiedFile | None:
        """The file that is the object already; `None` if it must be fetched, also if only that can show it.

        Raises:
            ConflictError: another file has the name, and nothing else is allowed.
        """
        with os_errors_as(self.path.parent), self._folder.opened(self._disk) as dir_fd:
            for path in self._candidates() if dir_fd is not None else ():
                found = self._disk.lstat(path.name, dir_fd)
                if found is None:
                    return None
                result, digests = self._result(path, found, expected, stop, dir_fd, sha256=sha256)
                if result.is_same is not False:
                    return VerifiedFile(path, result.level, digests.sha256) if result.is_same else None
                if self._on_conflict is OnConflict.REFUSE:
                    raise self._conflict(path)
                if self._on_conflict is OnConflict.OVERWRITE:
                    return None
        return None

    def publish(self, part: PartFile, expected: ExpectedChecksum, digests: Digests, stop: Stop) -> Published:
        """Verify a complete part file, and give it its name if it is the object.

        Args:
            part: the file, which is synced.
            expected: what is claimed of the object.
            digests: those of the file as it is on the disk.
            stop: ends it early.

        Raises:
            ConflictError: another file has come there meanwhile, and nothing else is allowed.
        """
        failpoint("verifying")
        result = part.content(stop).verify(expected, digests)
        if result.contradiction:
            return Published(contradiction=result.contradiction)
        path = self._give_name(part, digests, stop)
        return Published(path, result.level, digests.sha256, doubt=result.doubt)

    def _give_name(self, part: PartFile, digests: Digests, stop: Stop) -> Path | None:
        stop.check()
        if self._on_conflict is OnConflict.OVERWRITE:
            self.is_taken()
            part.publish(self._name, overwrite=True)
            return self.path
        for path in self._candidates():
            try:
                part.publish(path.name, overwrite=False)
            except FileExistsError:
                if self._has(path, part, digests, stop):
                    return path
                if self._on_conflict is OnConflict.KEEP_BOTH:
                    continue
                if self._on_conflict is OnConflict.SKIP:
                    return None
                raise self._conflict(path) from None
            return path
        raise self._conflict(self.path)

    def _candidates(self) -> Iterator[Path]:
        yield self.path
        if self._on_conflict is not OnConflict.KEEP_BOTH:
            return
        for length in _SUFFIX_LENGTHS:
            yield self.path.with_name(distinct_name(self._name, self._identity, length))
        for number in range(2, _MAX_COPIES):
            yield self.path.with_name(distinct_name(self._name, f"{self._identity} {number}"))

    def _result(
        self,
        path: Path,
        found: os.stat_result,
        expected: ExpectedChecksum,
        stop: Stop,
        dir_fd: int | None,
        *,
        sha256: bool = False,
    ) -> tuple[VerifyResult, Digests]:
        other = expected.size not in (None, found.st_size)
        if not stat.S_ISREG(found.st_mode) or (other and not expected.is_strong):
            return VerifyResult("", "it is another file"), Digests(found.st_size)
        if not expected.checksum:
            return VerifyResult("unverified"), Digests(found.st_size)
        with os_errors_as(path):
            descriptor = self._disk.open(path.name, os.O_RDONLY, dir_fd)
            try:
                content = Content(self._disk, descriptor, path, stop)
                digests = content.digests(needed(expected, sha256=sha256))
                return content.verify(expected, digests), digests
            finally:
                self._disk.close(descriptor)

    def _has(self, path: Path, part: PartFile, digests: Digests, stop: Stop) -> bool:
        with os_errors_as(path), self._folder.opened(self._disk) as dir_fd:
            found = self._disk.lstat(path.name, dir_fd) if dir_fd is not None else None
            if found is None or found.st_size != digests.size:
                return False
            md5 = digests.md5 or part.content(stop).digests(frozenset({"md5"})).md5
            return self._result(path, found, ExpectedChecksum(digests.size, md5), stop, dir_fd)[0].is_same is True

    def _conflict(self, path: Path) -> ConflictError:
        return ConflictError(
            "another file has this name",
            subject=str(path),
            hint="Choose another folder, or --on-conflict skip, overwrite or keep-both.",
        )


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a symbolic link" if stat.S_ISLNK(mode) else "something that is no file"

"""Where a download lands: its folder, the names it may take, and what is there already."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudstore_tui.core.errors import ConflictError, UnsafeError
from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.fs.names import distinct_name
from cloudstore_tui.transfers.content import Content
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.transfers.part import PartFile
from cloudstore_tui.transfers.verify import Digests, ExpectedChecksum, VerifyResult, needed
from cloudstore_tui.transfers.workers import Stop

_SUFFIX_LENGTHS = (8, 12, 16, 24, 32)
_MOST_COPIES = 100


@dataclass(frozen=True, slots=True)
class Existing:
    """A file that is the object already."""

    path: Path
    level: str
    sha256: str


class Destination:
    """The place for one object on the disk. Its methods block."""

    def __init__(self, disk: Disk, folder: Path, name: str, identity: str, on_conflict: OnConflict) -> None:
        self._disk = disk
        self._folder = folder
        self._name = name
        self._identity = identity
        self._on_conflict = on_conflict

    @property
    def path(self) -> Path:
        """The file as wished."""
        return self._folder / self._name

    def is_taken(self, _stop: Stop) -> bool:
        """Whether something has the name already.

        Raises:
            UnsafeError: what has it is no plain file, and may not be left beside.
        """
        with os_errors_as(self.path):
            found = self._disk.lstat(self.path)
        if found is None:
            return False
        if not stat.S_ISREG(found.st_mode) and self._on_conflict in (OnConflict.REFUSE, OnConflict.OVERWRITE):
            raise UnsafeError(
                f"{_kind(found.st_mode)} has this name", subject=str(self.path), hint="Choose another folder or name."
            )
        return True

    def existing(self, expected: ExpectedChecksum, stop: Stop, *, sha256: bool = False) -> Existing | None:
        """The file that is the object already; `None` if it must be fetched, be it to find out.

        Raises:
            ConflictError: another file has the name, and nothing else is allowed.
        """
        for path in self._candidates():
            found = self._disk.lstat(path)
            if found is None:
                return None
            result, digests = self._result(path, found, expected, stop, sha256=sha256)
            if result.is_same is not False:
                return Existing(path, result.level, digests.sha256) if result.is_same else None
            if self._on_conflict is OnConflict.REFUSE:
                raise self._conflict(path)
            if self._on_conflict is OnConflict.OVERWRITE:
                return None
        return None

    def publish(self, part: PartFile, digests: Digests, stop: Stop) -> Path | None:
        """Give a complete part file its name; the path, or `None` if the user wants what is there left alone.

        Raises:
            ConflictError: another file has come there meanwhile, and nothing else is allowed.
        """
        stop.check()
        if self._on_conflict is OnConflict.OVERWRITE:
            self.is_taken(stop)
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
            yield self._folder / distinct_name(self._name, self._identity, length)
        for number in range(2, _MOST_COPIES):
            yield self._folder / distinct_name(self._name, f"{self._identity} {number}")

    def _result(
        self, path: Path, found: os.stat_result, expected: ExpectedChecksum, stop: Stop, *, sha256: bool = False
    ) -> tuple[VerifyResult, Digests]:
        if not stat.S_ISREG(found.st_mode) or expected.size not in (None, found.st_size):
            return VerifyResult("", "it is another file"), Digests(found.st_size)
        if not expected.checksum:
            return VerifyResult("unverified"), Digests(found.st_size)
        with os_errors_as(path):
            descriptor = self._disk.open(path, os.O_RDONLY)
            try:
                content = Content(self._disk, descriptor, path, stop)
                digests = content.digests(needed(expected) | ({"sha256"} if sha256 else set()))
                return content.verify(expected, digests), digests
            finally:
                self._disk.close(descriptor)

    def _has(self, path: Path, part: PartFile, digests: Digests, stop: Stop) -> bool:
        found = self._disk.lstat(path)
        if found is None:
            return False
        md5 = digests.md5 or part.content(stop).digests(frozenset({"md5"})).md5
        return self._result(path, found, ExpectedChecksum(digests.size, md5), stop)[0].is_same is True

    def _conflict(self, path: Path) -> ConflictError:
        return ConflictError(
            "another file has this name",
            subject=str(path),
            hint="Choose another folder, or to skip, overwrite or keep-both (--on-conflict).",
        )


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a symbolic link" if stat.S_ISLNK(mode) else "something that is no file"

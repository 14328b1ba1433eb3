"""Proof, before objects are deleted at the service, that a folder holds a good copy of each."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

import msgspec

from cloudstore_tui.archive.chain import object_lines, open_chain
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    NAME,
    ManifestEntry,
    key_of,
    key_of_entry,
    location_of,
    matches_object,
    path_of,
    place_of,
)
from cloudstore_tui.core.errors import MissingError, StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Deletion
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.transfers.verify import ExpectedChecksum
from cloudstore_tui.transfers.workers import Stop

_SCHEMA = """
CREATE TABLE lines(key TEXT PRIMARY KEY, line TEXT) WITHOUT ROWID;
CREATE TABLE proved(key TEXT PRIMARY KEY, state TEXT, checksum TEXT, size INTEGER) WITHOUT ROWID;
"""
_BY_CHECKSUM = "md5"
"""The beginning of the levels at which bytes were compared with a checksum of the service."""


class ProofFolder:
    """A pulled folder that proves copies of objects; locked until `close`. Blocks."""

    def __init__(self, folder: Path, scratch: Path | None = None) -> None:
        """Lock it and load its manifest.

        Raises:
            MissingError: nothing was ever pulled there.
            StorageError: another run has locked it, or the disk refuses.
        """
        place = place_of(folder)
        self._place = place
        self._folder = PullFolder(place.payload)
        if self._folder.stat(PurePosixPath(NAME)) is None:
            hint = "Only folders of `pull` prove anything."
            raise MissingError(f"there is no {NAME} in it", subject=str(folder), hint=hint)
        self._folder.lock()
        self._database = ScratchDatabase(scratch, _SCHEMA)
        with self._database.transaction():
            for line in object_lines(place):
                row = (key_of_entry(line), msgspec.json.encode(dict(line)).decode())
                self._database.execute("INSERT OR REPLACE INTO lines VALUES (?, ?)", row)

    def close(self) -> None:
        """Unlock the folder."""
        self._database.close()
        self._folder.unlock()

    def locations(self) -> Iterator[Location]:
        """The locations of all objects that the folder holds."""
        for _key, text in self._database.walk("key, line", "lines"):
            line: ManifestEntry = msgspec.json.decode(text)
            if "sha256" in line and (location := location_of(line)) is not None:
                yield location

    def prove(self, entry: StoredObject, stop: Stop) -> str:
        """Read the copy of an object back: why it is no good copy of its present version; empty if it is one."""
        key = key_of(entry.location)
        line = self._line(key)
        if why := _why_other(line, entry):
            return why
        path = PurePosixPath(path_of(line))
        try:
            before = self._state(path)
            if before is None:
                return "its copy is missing"
            size = entry.size if entry.size_exact else None
            expected = ExpectedChecksum(size, entry.checksum, entry.checksum_type)
            digest, result = self._folder.verified(path, expected, stop)
            after = self._state(path)
        except StorageError as failure:
            return f"its copy cannot be read: {failure.message}"
        if digest != line["sha256"] or after != before:
            return "its copy is not what was fetched"
        if not result.is_same:
            return "its copy does not have the service's checksum"
        row = (key, before, entry.checksum, entry.size)
        self._database.execute("INSERT OR REPLACE INTO proved VALUES (?, ?, ?, ?)", row)
        return ""

    def still_proved(self, entry: StoredObject) -> str:
        """Why a proof no longer holds; empty if neither the object nor its copy was touched since. Reads no bytes."""
        key = key_of(entry.location)
        row = self._database.one("SELECT state, checksum, size FROM proved WHERE key = ?", (key,))
        if row is None:
            return "it was not proved"
        if (entry.checksum, entry.size) != (row[1], row[2]):
            return "it was changed at the service meanwhile"
        try:
            state = self._state(PurePosixPath(path_of(self._line(key))))
        except StorageError as failure:
            return f"its copy cannot be read: {failure.message}"
        return "" if state == row[0] else "its copy was touched meanwhile"

    def note_released(self, done: list[Deletion]) -> None:
        """Record in the events of the folder what was deleted at the service."""
        events = []
        for one in done:
            path = path_of(self._line(key_of(one.location)))
            events.append(("released", {"path": path, "of": one.location.address, "outcome": one.outcome.value}))
        with closing(open_chain(self._place)) as chain:
            chain.append(events)

    def _line(self, key: str) -> ManifestEntry:
        row = self._database.one("SELECT line FROM lines WHERE key = ?", (key,))
        line: ManifestEntry = msgspec.json.decode(row[0]) if row is not None else {}
        return line

    def _state(self, path: PurePosixPath) -> str | None:
        """Text that changes with every change of a file, even if its modification time is set back afterwards."""
        found = self._folder.stat(path)
        if found is None:
            return None
        return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _why_other(line: ManifestEntry, entry: StoredObject) -> str:
    """Why a line cannot prove a copy of an object's present version; empty if it can."""
    if "sha256" not in line:
        return "it was never fetched"
    if not matches_object(line, entry):
        return "what was fetched is another version"
    if not entry.checksum or not str(line.get("level", "")).startswith(_BY_CHECKSUM):
        return "its copy was never compared with a checksum of the service"
    return ""

"""`manifest.jsonl`: a line for every object, appended as its outcome is known.

A line says what an object is, where its file is, and how well it was verified. There are three more kinds of lines:

* with `error`: the object is missing. The line keeps what is known of an earlier file, which may still be there.
* with `superseded`: a file that has been replaced, such as an older version of the object. The value is the path of
  the current file. Without a digest, the old file no longer exists.
* with `event` `unlisted`: what could not be listed by the last pull that `asked` for the same.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import BufferedReader
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from cloudstore_tui.core.errors import ConflictError, StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.records import csv_row, entry_record, json_object
from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.fs.whole_file import beside, replaced
from cloudstore_tui.results.scratch import ScratchDatabase

NAME = "manifest.jsonl"
TABLE = "manifest.csv"
RUNS = {"pull": "last-pull.json", "watch": "last-watch.json", "verify": "last-verify.json"}
"""The file with the status of the last run, by command."""
REFUSED = "refused-runs.json"
"""The runs that could not begin because another one was filling the folder; see `runs`."""
CHAIN = "events.jsonl"
"""The history of the folder; see `chain`."""
RESERVED = (NAME, TABLE, CHAIN, REFUSED, *RUNS.values())
"""Names in the folder of a pull that no object may have."""
DATA, DECLARATION, MOVING = "data", "bagit.txt", ".data.new"
"""What makes a bag: the folder of the files, the declaration, and that folder's name while files are moved in."""

COLUMNS = (
    *("path", "size", "checksum", "level", "sha256", "fetched", "error", "superseded", "profile", "provider", "region"),
    *("id", "key", "name", "type", "mime", "modified", "created", "updated", "state", "checksum_type", "bucket_id"),
)
"""Columns of the table before those of the tags."""

UNLISTED = "unlisted"

BATCH = 50
"""Lines after which the file is synced."""
_MAX_LINE = 1 << 22
"""Bytes of a line; those that this program writes are far shorter."""
MAX_SIDECAR = 1 << 22
"""Bytes of a sidecar; those that this program writes are far smaller."""
_IDENTITY_FIELDS = ("profile", "provider", "region", "id", "key")
_FILE_FIELDS = ("size", "size_exact", "listed_size", "level", "sha256", "fetched", "mtime", "sidecar")

ManifestEntry = Mapping[str, Any]
"""One line of a manifest: the record of an object and its file. It comes from a disk, so any field may be wrong."""


# Where it is


class ArchivePlace(msgspec.Struct, frozen=True):
    """Where the parts of a pulled folder are."""

    root: Path
    """The folder that the user names: run status, events, and the files of the bag."""
    payload: Path
    """Where the objects and their manifest are: the same folder, or `data/` in it once it is sealed."""

    @property
    def is_bag(self) -> bool:
        """Whether it was ever sealed."""
        return self.root != self.payload


def place_of(folder: Path) -> ArchivePlace:
    """Where the parts of a folder are, whether or not it exists.

    Raises:
        ConflictError: a seal was interrupted while it moved the files.
    """
    if (folder / MOVING).is_dir():
        hint = f"Go on with: cloudstore seal {folder}"
        raise ConflictError("sealing it was interrupted", subject=str(folder), hint=hint)
    inside = folder / DATA
    is_bag = (folder / DECLARATION).is_file() or ((inside / NAME).is_file() and not (folder / NAME).exists())
    return ArchivePlace(folder, inside if is_bag else folder)


# Fields of a line


def key_of(location: Location) -> str:
    """The identity of an object across all profiles, as ASCII text."""
    return json.dumps([location.profile, location.region, location.path])


def entry_of(entry: StoredObject, path: PurePosixPath, provider: str) -> dict[str, object]:
    """The part of a line that comes from the service."""
    line = entry_record(entry, provider) | {"path": str(path)}
    if entry.size is not None and not entry.size_exact:
        line["listed_size"] = entry.size
    return line


def fetched_entry(
    line: ManifestEntry, found: os.stat_result, level: str, sha256: str, now: datetime
) -> dict[str, object]:
    """A line about a complete file."""
    facts: dict[str, object] = {"size": found.st_size, "size_exact": True, "level": level, "sha256": sha256}
    facts |= {"fetched": now.isoformat(), "mtime": mtime_of(found)}
    return {**line, **{name: value for name, value in facts.items() if value != ""}}


def failed_entry(line: ManifestEntry, error: StorageError, before: ManifestEntry | None) -> dict[str, object]:
    """A line about a missing object, with what `before` says of an earlier file, which may still be there."""
    kept: dict[str, object] = {}
    if before is not None and before.get("path") == line["path"]:
        kept = {name: before[name] for name in _FILE_FIELDS if name in before}
    return {**line, **kept, "error": str(error), "code": error.code}


def superseded_entry(line: ManifestEntry, path: str, *, is_there: bool) -> dict[str, object]:
    """A line about a file that has been replaced.

    Args:
        line: the last line about it.
        path: the file to use instead.
        is_there: whether the folder holds the old file, or held it until now.
    """
    facts = {} if is_there else dict.fromkeys(_FILE_FIELDS)
    return {**{name: value for name, value in line.items() if name not in facts}, "superseded": path}


def unlisted_entry(failure: StorageError, profile: str, asked: str, now: datetime) -> dict[str, object]:
    """A line about a place that could not be listed."""
    facts = {"event": UNLISTED, "profile": profile, "where": failure.subject, "asked": asked}
    return {**facts, "error": str(failure), "code": failure.code, "at": now.isoformat()}


def location_of(line: ManifestEntry) -> Location | None:
    """The location of the line's object; `None` if the line does not say."""
    named = [line.get("profile"), line.get("region", ""), line.get("id") or line.get("key")]
    return Location(*named) if all(isinstance(part, str) for part in named) else None


def key_of_entry(line: ManifestEntry) -> str:
    """The identity of the line's object, as from `key_of`; empty if the line does not say."""
    location = location_of(line)
    return key_of(location) if location is not None else ""


def path_of(line: ManifestEntry) -> str:
    """The path of the file below the folder; empty if the line does not say."""
    path = line.get("path")
    return path if isinstance(path, str) else ""


def sidecar_of(line: ManifestEntry) -> str:
    """The path of the sidecar below the folder; empty if there is none."""
    name, path = line.get("sidecar"), path_of(line)
    return f"{path[: len(path) - len(path.rpartition('/')[2])]}{name}" if isinstance(name, str) else ""


def files_of(line: ManifestEntry) -> Iterator[str]:
    """The paths of the files that a line is about: the object's, and that of its sidecar."""
    if is_superseded(line) and "sha256" not in line:
        return
    yield path_of(line)
    if sidecar := sidecar_of(line):
        yield sidecar


def is_superseded(line: ManifestEntry) -> bool:
    """Whether the line is about a file that has been replaced."""
    return "superseded" in line


def matches_object(line: ManifestEntry, entry: StoredObject) -> bool:
    """Whether a line describes the present version of an object, by checksum, or else by size and time."""
    if "error" in line:
        return False
    if entry.checksum or line.get("checksum"):
        return line.get("checksum") == entry.checksum and (not entry.size_exact or line.get("size") == entry.size)
    listed = line.get("size") if entry.size_exact else line.get("listed_size")
    modified = entry.modified or entry.updated or entry.created
    before = line.get("modified") or line.get("updated") or line.get("created")
    return listed == entry.size and before == (modified.isoformat() if modified else None)


def sidecar_matches(sidecar: bytes, line: ManifestEntry, *, any_version: bool = False) -> bool:
    """Whether a sidecar describes the object of a line: the version that was fetched, or any version."""
    record = json_object(sidecar)
    # After a failed fetch, the line has the checksum of the version that could not be fetched.
    same = _IDENTITY_FIELDS if any_version or "error" in line else (*_IDENTITY_FIELDS, "checksum")
    return record is not None and [record.get(name) for name in same] == [line.get(name) for name in same]


def mtime_of(found: os.stat_result) -> str:
    """The modification time of a file, to the microsecond."""
    seconds, rest = divmod(found.st_mtime_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat()


# Reading


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A file, open for reading; links and anything that could block are refused."""
    with os_errors_as(path), os.fdopen(Disk().open(path, os.O_RDONLY), "rb") as file:
        yield file


def read_manifest(path: Path, *, damaged: Callable[[int], None] = lambda _number: None) -> Iterator[ManifestEntry]:
    """The lines of a manifest in order; `damaged` gets the numbers of those that cannot be read, which are left out."""
    with opened(path) as file:
        for number, text in enumerate(_lines(file.readline), 1):
            line = json_object(text)
            if line is not None and (line.get("event") == UNLISTED or (location_of(line) and path_of(line))):
                yield line
            else:
                damaged(number)


def _lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines, cut to `_MAX_LINE`, without an incomplete last one, which a crash leaves."""
    while text := readline(_MAX_LINE):
        rest = text
        while not rest.endswith(b"\n") and rest:
            rest = readline(_MAX_LINE)
        if rest:
            yield text


# Writing


class Manifest:
    """Writes the manifest of a folder. Blocks; used from one thread at a time."""

    def __init__(self, folder: Path, disk: Disk | None = None, lines: Iterable[ManifestEntry] = ()) -> None:
        """Open it for appending; an incomplete last line is cut off. A new manifest begins with `lines`."""
        self.path = folder / NAME
        self._disk = disk or Disk()
        self._unsynced = 0
        with os_errors_as(folder):
            self._folder = self._disk.open_folder(folder)
        try:
            with os_errors_as(self.path):
                self._disk.remove(beside(NAME), self._folder)
                if self._disk.lstat(NAME, self._folder) is None:
                    self._replace(lines)
                self._file = self._open()
                self._disk.truncate(self._file, whole_lines(self._disk, self._file))
        except BaseException:
            self._disk.close(self._folder)
            raise

    def append(self, *lines: ManifestEntry) -> None:
        """Write lines. They survive a crash of the program at once, and a power cut after `sync`."""
        with os_errors_as(self.path):
            self._disk.write_all(self._file, b"".join(_encoded(line) for line in lines))
            self._unsynced += len(lines)
            if self._unsynced >= BATCH:
                self.sync()

    def sync(self) -> None:
        """Sync all lines to the disk."""
        if self._unsynced:
            with os_errors_as(self.path):
                self._disk.sync(self._file)
            self._unsynced = 0

    def compact(self, unlisted: Iterable[ManifestEntry] = (), scratch: Path | None = None, *, asked: str = "") -> None:
        """Replace the manifest atomically by its current lines.

        These are, for each object, the last line about its present file and the last one about each older file, and
        what could not be listed, by this pull or by those that asked for something else.

        Args:
            unlisted: what this pull could not list.
            scratch: the folder for a temporary database.
            asked: what this pull asked for.
        """
        self.sync()
        with os_errors_as(self.path), closing(LastLines(scratch)) as last:
            last.add_all(read_manifest(self.path))
            kept = (
                line
                for number, line in enumerate(read_manifest(self.path))
                if last.counts(number, line) or line.get("asked", asked) != asked
            )
            self._replace(chain(kept, unlisted))
            old, self._file = self._file, self._open()
            self._disk.close(old)

    def _replace(self, lines: Iterable[ManifestEntry]) -> None:
        """Replace the manifest atomically."""
        with replaced(self._disk, NAME, self._folder) as new:
            for line in lines:
                self._disk.write_all(new, _encoded(line))

    def close(self) -> None:
        """Sync it and close it."""
        try:
            self.sync()
        finally:
            self._disk.close(self._file)
            self._disk.close(self._folder)

    def _open(self) -> int:
        return self._disk.open(NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, self._folder)


class LastLines:
    """Finds the lines of a manifest that no later line replaces."""

    def __init__(self, scratch: Path | None) -> None:
        self._database = ScratchDatabase(
            scratch, "CREATE TABLE last(key TEXT, file TEXT, number INTEGER, PRIMARY KEY (key, file)) WITHOUT ROWID;"
        )

    def add_all(self, lines: Iterable[ManifestEntry]) -> None:
        """Add all lines, in order."""
        with self._database.transaction():
            for number, line in enumerate(lines):
                self.add(number, line)

    def add(self, number: int, line: ManifestEntry) -> None:
        """Add a line, which replaces earlier ones of its kind."""
        if line.get("event") == UNLISTED:
            return
        key = key_of_entry(line)
        kinds = [_file_of(line)] if is_superseded(line) else [_file_of(line), ""]
        for kind in kinds:
            self._database.execute("INSERT OR REPLACE INTO last VALUES (?, ?, ?)", (key, kind, number))

    def counts(self, number: int, line: ManifestEntry) -> bool:
        """Whether a line is still current once all were added."""
        if line.get("event") == UNLISTED or (is_superseded(line) and "sha256" not in line):
            return False
        kind = _file_of(line) if is_superseded(line) else ""
        found = self._database.one("SELECT number FROM last WHERE key = ? AND file = ?", (key_of_entry(line), kind))
        return found is not None and found[0] == number

    def close(self) -> None:
        """Delete the temporary database."""
        self._database.close()


def _file_of(line: ManifestEntry) -> str:
    return json.dumps([path_of(line), line.get("sha256")])


def _encoded(line: ManifestEntry) -> bytes:
    return json.dumps(line).encode() + b"\n"


def whole_lines(disk: Disk, file: int) -> int:
    """The size of a file up to and including its last line end."""
    end = os.fstat(file).st_size
    while end:
        start = max(end - 65_536, 0)
        found = disk.read(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def last_line(disk: Disk, file: int, end: int) -> bytes:
    """The last line that ends at `end`, without its line end; empty if there is none."""
    start = max(end - _MAX_LINE, 0)
    return disk.read(file, end - start, start).rstrip(b"\n").rpartition(b"\n")[2] if end else b""


# As a table


def write_table(folder: Path, disk: Disk | None = None) -> Path:
    """Write the manifest of a folder as CSV beside it; returns the path. Blocks."""
    disk = disk or Disk()
    path = folder / TABLE
    manifest = folder / NAME
    tags = sorted({tag for line in read_manifest(manifest) for tag in _tags(line)})
    with os_errors_as(path):
        dir_fd = disk.open_folder(folder)
        try:
            with replaced(disk, TABLE, dir_fd) as file:
                for row in _rows(manifest, tags):
                    disk.write_all(file, f"{csv_row(row)}\r\n".encode("utf-8", "replace"))
        finally:
            disk.close(dir_fd)
    return path


def _rows(manifest: Path, tags: list[str]) -> Iterator[list[str]]:
    yield [*COLUMNS, *(f"tag {tag}" for tag in tags)]
    for line in read_manifest(manifest):
        values = _tags(line)
        found = (*(line.get(name) for name in COLUMNS), *(values.get(tag) for tag in tags))
        yield ["" if value is None else str(value) for value in found]


def _tags(line: ManifestEntry) -> Mapping[str, Any]:
    tags = line.get("tags")
    return tags if isinstance(tags, dict) else {}

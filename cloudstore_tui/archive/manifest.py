"""`manifest.jsonl`: a line for every object, written as things happen and good for everything that comes later.

A line tells what an object is, where it is, and how well it was verified. Three kinds stand beside those of the files
that are here:

* with `error`: the object is missing. What is known of a file from before stays in the line: it may still be there.
* with `superseded`: a file of ours that another one took the place of, such as an older version of the object. The
  value is the path of the file that is to be used now. Without a digest there is no file any more.
* with `event` `unlisted`: what the last pull that `asked` for the same could not list, and so cannot know of.
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
"""What is known of the last run, by command."""
REFUSED = "refused-runs.json"
"""The runs that could not begin because another one was filling the folder; see `runs`."""
CHAIN = "events.jsonl"
"""What happened to the folder; see `chain`."""
RESERVED = (NAME, TABLE, CHAIN, REFUSED, *RUNS.values())
"""Names of our own in the folder of a pull."""
DATA, DECLARATION, MOVING = "data", "bagit.txt", ".data.new"
"""What makes a bag: the folder of the files, the declaration, and that folder's name while files are moved in."""

COLUMNS = (
    *("path", "size", "checksum", "level", "sha256", "fetched", "error", "superseded", "profile", "provider", "region"),
    *("id", "key", "name", "type", "mime", "modified", "created", "updated", "state", "checksum_type", "bucket_id"),
)
"""Columns of the table before those of the tags."""

UNLISTED = "unlisted"

BATCH = 50
"""Lines after which everything is waited to be on the disk."""
_MAX_LINE = 1 << 22
"""Bytes of a line: nothing that we write comes near."""
MAX_SIDECAR = 1 << 22
"""Bytes of a file that tells of an object beside it; what we write stays far below."""
_IDENTITY = ("profile", "provider", "region", "id", "key")
_OF_THE_FILE = ("size", "size_exact", "listed_size", "level", "sha256", "fetched", "mtime", "sidecar")

ManifestEntry = Mapping[str, Any]
"""One line of a manifest: a record of an object with what is known of its file. It may say anything."""


# Where it is


class ArchivePlace(msgspec.Struct, frozen=True):
    """Where the parts of a pulled folder are."""

    root: Path
    """The folder as the user names it: runs, events, and what makes it a bag."""
    payload: Path
    """Where the files and their manifest are: the same, or `data/` in it once it was sealed."""

    @property
    def is_bag(self) -> bool:
        """Whether it was ever sealed."""
        return self.root != self.payload


def place_of(folder: Path) -> ArchivePlace:
    """Where the parts of a folder are; nothing need be there.

    Raises:
        ConflictError: sealing it was interrupted while its files were moved.
    """
    if (folder / MOVING).is_dir():
        hint = f"Go on with: cloudstore seal {folder}"
        raise ConflictError("sealing it was interrupted", subject=str(folder), hint=hint)
    inside = folder / DATA
    is_bag = (folder / DECLARATION).is_file() or ((inside / NAME).is_file() and not (folder / NAME).exists())
    return ArchivePlace(folder, inside if is_bag else folder)


# What a line says


def key_of(location: Location) -> str:
    """What tells an object from all others of all profiles, as a text that every database takes."""
    return json.dumps([location.profile, location.region, location.path])


def entry_of(entry: StoredObject, path: PurePosixPath, provider: str) -> dict[str, object]:
    """The part of a line that the service tells."""
    line = entry_record(entry, provider) | {"path": str(path)}
    if entry.size is not None and not entry.size_exact:
        line["listed_size"] = entry.size
    return line


def fetched_entry(
    line: ManifestEntry, found: os.stat_result, level: str, sha256: str, now: datetime
) -> dict[str, object]:
    """A line about a file that is complete."""
    facts: dict[str, object] = {"size": found.st_size, "size_exact": True, "level": level, "sha256": sha256}
    facts |= {"fetched": now.isoformat(), "mtime": mtime_of(found)}
    return {**line, **{name: value for name, value in facts.items() if value != ""}}


def failed_entry(line: ManifestEntry, error: StorageError, before: ManifestEntry | None) -> dict[str, object]:
    """A line about an object that is missing. What is known of a file from before stays: it may still be there."""
    kept: dict[str, object] = {}
    if before is not None and before.get("path") == line["path"]:
        kept = {name: before[name] for name in _OF_THE_FILE if name in before}
    return {**line, **kept, "error": str(error), "code": error.code}


def superseded_entry(line: ManifestEntry, path: str, *, is_there: bool) -> dict[str, object]:
    """A line about a file that was ours under its name until the one at `path` took its place.

    Args:
        line: what was known of it.
        path: what is to be used now.
        is_there: whether the file is an older version that the folder holds, or held until now.
    """
    facts = {} if is_there else dict.fromkeys(_OF_THE_FILE)
    return {**{name: value for name, value in line.items() if name not in facts}, "superseded": path}


def unlisted_entry(failure: StorageError, profile: str, asked: str, now: datetime) -> dict[str, object]:
    """A line about what could not be listed."""
    facts = {"event": UNLISTED, "profile": profile, "where": failure.subject, "asked": asked}
    return {**facts, "error": str(failure), "code": failure.code, "at": now.isoformat()}


def location_of(line: ManifestEntry) -> Location | None:
    """Where its object is at the service; `None` if the line does not tell."""
    named = [line.get("profile"), line.get("region", ""), line.get("id") or line.get("key")]
    return Location(*named) if all(isinstance(part, str) for part in named) else None


def key_of_entry(line: ManifestEntry) -> str:
    """What tells its object from all others; empty if the line tells nothing."""
    location = location_of(line)
    return key_of(location) if location is not None else ""


def path_of(line: ManifestEntry) -> str:
    """Where its file is below the folder; empty if the line does not tell."""
    path = line.get("path")
    return path if isinstance(path, str) else ""


def sidecar_of(line: ManifestEntry) -> str:
    """Where the file is that tells of its object, below the folder; empty if there is none."""
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
    """Whether it tells of a file that another one took the place of."""
    return "superseded" in line


def tells_of_same(line: ManifestEntry, entry: StoredObject) -> bool:
    """Whether the object is still the one of the line, by checksum, or else by size and time."""
    if "error" in line:
        return False
    if entry.checksum or line.get("checksum"):
        return line.get("checksum") == entry.checksum and (not entry.size_exact or line.get("size") == entry.size)
    listed = line.get("size") if entry.size_exact else line.get("listed_size")
    modified = entry.modified or entry.updated or entry.created
    before = line.get("modified") or line.get("updated") or line.get("created")
    return listed == entry.size and before == (modified.isoformat() if modified else None)


def sidecar_tells_of(sidecar: bytes, line: ManifestEntry, *, any_version: bool = False) -> bool:
    """Whether a record beside a file is the one of the line's object, in the version that was fetched or in any."""
    told = json_object(sidecar)
    # Where an object could not be fetched again, the line has the checksum of the version that is not here.
    same = _IDENTITY if any_version or "error" in line else (*_IDENTITY, "checksum")
    return told is not None and [told.get(name) for name in same] == [line.get(name) for name in same]


def mtime_of(found: os.stat_result) -> str:
    """When a file was last changed, to the microsecond."""
    seconds, rest = divmod(found.st_mtime_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat()


# Reading


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A file to be read; a link in its place is refused, and nothing that would have to be waited for is."""
    with os_errors_as(path), os.fdopen(Disk().open(path, os.O_RDONLY), "rb") as file:
        yield file


def read_manifest(path: Path, *, damaged: Callable[[int], None] = lambda _number: None) -> Iterator[ManifestEntry]:
    """The lines of a manifest in order, read one by one.

    Args:
        path: the file.
        damaged: told the number of each line that cannot be read; the others are given all the same.
    """
    with opened(path) as file:
        for number, text in enumerate(_lines(file.readline), 1):
            line = json_object(text)
            if line is not None and (line.get("event") == UNLISTED or (key_of_entry(line) and path_of(line))):
                yield line
            else:
                damaged(number)


def _lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """Each line once; of one that is too long, the beginning. What a crash left of a last one is none."""
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
        """Open it to append, after cutting off a last line that a crash left incomplete.

        Args:
            folder: where it is.
            disk: the file calls.
            lines: what it begins with if it is not there.
        """
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
        """Write lines that belong together; they outlive the program at once, and the machine a little later."""
        with os_errors_as(self.path):
            self._disk.write_all(self._file, b"".join(_encoded(line) for line in lines))
            self._unsynced += len(lines)
            if self._unsynced >= BATCH:
                self.sync()

    def sync(self) -> None:
        """Wait until all lines are on the disk."""
        if self._unsynced:
            with os_errors_as(self.path):
                self._disk.sync(self._file)
            self._unsynced = 0

    def compact(self, unlisted: Iterable[ManifestEntry] = (), scratch: Path | None = None, *, asked: str = "") -> None:
        """Replace the manifest, all at once, by the lines that count.

        These are, for each object, the last line about its present file and the last one about each older file, and
        the lines about what could not be listed, by this pull or by those that asked for something else.

        Args:
            unlisted: the lines about what this pull could not list.
            scratch: where a database lies meanwhile.
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
        """Put these lines in place of the manifest all at once."""
        with replaced(self._disk, NAME, self._folder) as new:
            for line in lines:
                self._disk.write_all(new, _encoded(line))

    def close(self) -> None:
        """Write everything and close it."""
        try:
            self.sync()
        finally:
            self._disk.close(self._file)
            self._disk.close(self._folder)

    def _open(self) -> int:
        return self._disk.open(NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, self._folder)


class LastLines:
    """Which lines of a manifest are the last of their kind."""

    def __init__(self, scratch: Path | None) -> None:
        self._database = ScratchDatabase(
            scratch, "CREATE TABLE last(key TEXT, file TEXT, number INTEGER, PRIMARY KEY (key, file)) WITHOUT ROWID;"
        )

    def add_all(self, lines: Iterable[ManifestEntry]) -> None:
        """Look at all lines, in their order."""
        with self._database.transaction():
            for number, line in enumerate(lines):
                self.add(number, line)

    def add(self, number: int, line: ManifestEntry) -> None:
        """Look at a line; later ones count more."""
        if line.get("event") == UNLISTED:
            return
        key = key_of_entry(line)
        kinds = [_file_of(line)] if is_superseded(line) else [_file_of(line), ""]
        for kind in kinds:
            self._database.execute("INSERT OR REPLACE INTO last VALUES (?, ?, ?)", (key, kind, number))

    def counts(self, number: int, line: ManifestEntry) -> bool:
        """Whether a line says something that no other says better."""
        if line.get("event") == UNLISTED or (is_superseded(line) and "sha256" not in line):
            return False
        kind = _file_of(line) if is_superseded(line) else ""
        found = self._database.one("SELECT number FROM last WHERE key = ? AND file = ?", (key_of_entry(line), kind))
        return found is not None and found[0] == number

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _file_of(line: ManifestEntry) -> str:
    return json.dumps([path_of(line), line.get("sha256")])


def _encoded(line: ManifestEntry) -> bytes:
    return json.dumps(line).encode() + b"\n"


def whole_lines(disk: Disk, file: int) -> int:
    """The bytes up to and with the last line end."""
    end = os.fstat(file).st_size
    while end:
        start = max(end - 65_536, 0)
        found = disk.read(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def last_line(disk: Disk, file: int, end: int) -> bytes:
    """The last line that ends before there, without its line end; empty if there is none."""
    start = max(end - _MAX_LINE, 0)
    return disk.read(file, end - start, start).rstrip(b"\n").rpartition(b"\n")[2] if end else b""


# As a table


def write_table(folder: Path, disk: Disk | None = None) -> Path:
    """Write the manifest of a folder as CSV beside it, in place of one from before. Blocks."""
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

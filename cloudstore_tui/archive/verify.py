"""Whether a folder still holds what its manifest says."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from sqlite3 import Connection
from typing import Any

from cloudstore_tui.archive.collisions import RESERVED
from cloudstore_tui.archive.database import private_database
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.had import sha256_of
from cloudstore_tui.archive.line import key_of_line
from cloudstore_tui.archive.manifest import NAME, read_manifest
from cloudstore_tui.core.errors import IntegrityError, MissingError, StorageError, UnsafeError
from cloudstore_tui.fs.disk import os_errors_as
from cloudstore_tui.transfers.workers import Stop

_SCHEMA = """
CREATE TABLE known(number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, line TEXT NOT NULL);
CREATE TABLE paths(path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Found(StrEnum):
    """What was found about one file."""

    GOOD = "good"
    MISSING = "missing"
    CHANGED = "changed"
    EXTRA = "extra"
    """A file of which the manifest knows nothing."""
    NOT_FETCHED = "not fetched"
    """The manifest says itself that it could not be fetched."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One file of a folder or of its manifest."""

    found: Found
    path: str
    text: str = ""
    """What is wrong, as a clause."""
    error: StorageError | None = None
    """For what is missing or changed."""


class Verification:
    """Looks through a folder. Blocks."""

    def __init__(self, folder: Path, scratch: Path | None = None) -> None:
        """Prepare it.

        Args:
            folder: one that was pulled.
            scratch: where a database lies meanwhile.
        """
        self._folder = PullFolder(folder)
        self._scratch = scratch

    def findings(self, stop: Stop) -> Iterator[Finding]:
        """What there is, in the order of the manifest, and then the files that it does not know.

        Raises:
            MissingError: there is no manifest.
            StorageError: the disk refuses.
        """
        if self._folder.look(PurePosixPath(NAME)) is None:
            raise MissingError(
                f"there is no {NAME} in it",
                subject=str(self._folder.path),
                hint="Only folders of `pull` can be verified.",
            )
        with closing(private_database(self._scratch, _SCHEMA)) as database:
            self._read(database)
            last = 0
            while row := database.execute(
                "SELECT number, line FROM known WHERE number > ? ORDER BY number LIMIT 1", (last,)
            ).fetchone():
                last, line = row[0], json.loads(row[1])
                stop.check()
                yield self._finding(line, stop)
            yield from self._extra(database)

    def _read(self, database: Connection) -> None:
        database.execute("BEGIN")
        for line in read_manifest(self._folder.path / NAME):
            database.execute(
                "INSERT INTO known(key, line) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET line = excluded.line",
                (key_of_line(line), json.dumps(line)),
            )
            path = PurePosixPath(_path(line))
            names = [path.name, line["sidecar"]] if isinstance(line.get("sidecar"), str) else [path.name]
            database.executemany(
                "INSERT OR IGNORE INTO paths VALUES (?)", ((str(path.parent / name),) for name in names)
            )
        database.execute("COMMIT")

    def _finding(self, line: Mapping[str, Any], stop: Stop) -> Finding:
        path = _path(line)
        if "error" in line and "sha256" not in line:
            return Finding(Found.NOT_FETCHED, path, str(line["error"]))
        place = str(self._folder.path / path)
        relative = PurePosixPath(path)
        if not relative.parts or relative.is_absolute() or ".." in relative.parts:
            error: StorageError = UnsafeError("the manifest names a file outside the folder", subject=path)
            return Finding(Found.CHANGED, path, error.message, error)
        if refusal := self._folder.refusal(relative):
            return Finding(Found.CHANGED, path, refusal.message, refusal)
        found = self._folder.look(relative)
        if found is None:
            error = MissingError("the file is missing", subject=place, hint="Pull again.")
            return Finding(Found.MISSING, path, error.message, error)
        return self._compared(path, found, line, stop)

    def _compared(self, path: str, found: os.stat_result, line: Mapping[str, Any], stop: Stop) -> Finding:
        why = ""
        if found.st_size != line.get("size"):
            why = f"it has {found.st_size:,} bytes instead of {_number(line.get('size'))}"
        elif line.get("sha256") and sha256_of(self._folder.path / path, stop) != line["sha256"]:
            why = "its bytes are not those that were fetched"
        if not why:
            return Finding(Found.GOOD, path)
        hint = "Remove it and pull again to get it back."
        return Finding(Found.CHANGED, path, why, IntegrityError(why, subject=str(self._folder.path / path), hint=hint))

    def _extra(self, database: Connection) -> Iterator[Finding]:
        for path in _files(self._folder.path):
            known = database.execute("SELECT 1 FROM paths WHERE path = ?", (_stored(path),)).fetchone()
            if known is None and path not in RESERVED:
                yield Finding(Found.EXTRA, path, "the manifest does not know it")


def _files(root: Path) -> Iterator[str]:
    """Everything in a folder that is no folder; links are not followed."""
    waiting = [root]
    while waiting:
        here = waiting.pop()
        with os_errors_as(here), os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(here / entry.name)
                else:
                    yield (here / entry.name).relative_to(root).as_posix()


def _path(line: Mapping[str, Any]) -> str:
    path = line.get("path")
    return path if isinstance(path, str) else ""


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "none"


def _stored(path: str) -> str:
    """A path as a database takes it: names of files can hold bytes that are no text."""
    return path.encode("utf-8", "replace").decode()

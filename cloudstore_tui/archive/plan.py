"""The plan of a pull: its objects, their local paths and outcomes. It lies in a database, so memory use is constant.

Paths are unique and depend only on the objects, including those that the folder already holds, never on their order.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import (
    RESERVED,
    ManifestEntry,
    is_superseded,
    key_of,
    key_of_entry,
    matches_object,
    mtime_of,
    path_of,
    sidecar_of,
)
from cloudstore_tui.core.errors import StorageError, error_for_code
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fs.names import distinct_name
from cloudstore_tui.results.codec import decode, encode
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.transfers.workers import Stop

LENGTHS = (8, 12, 16, 24, 32, 0)
"""Characters of an object's id in a suffix, as few as are unique; 0 stands for a digest of its full identity."""

_COPIES = range(2, 100)
"""Numbers that the transfers give to copies with the same name."""

_SCHEMA = """
CREATE TABLE items(
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, identity TEXT NOT NULL, body TEXT NOT NULL,
    size INTEGER NOT NULL, base TEXT NOT NULL, own TEXT NOT NULL, path TEXT NOT NULL, folded TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'wanted', level TEXT NOT NULL DEFAULT '', changed INTEGER NOT NULL DEFAULT 0,
    code INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX by_name ON items(folded);
CREATE INDEX by_outcome ON items(outcome, number);
CREATE TABLE folders(folded TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE known(
    key TEXT PRIMARY KEY, path TEXT NOT NULL, folded TEXT NOT NULL, beside TEXT NOT NULL, line TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE others(folded TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX by_path ON known(folded);
CREATE INDEX by_beside ON known(beside);
CREATE TABLE older(key TEXT NOT NULL, path TEXT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (key, path)) WITHOUT ROWID;
"""
_ITEM = "number, key, body, own, path"

_SAME = "folded IN (SELECT folded FROM items GROUP BY folded HAVING count(*) > 1)"
_FOLDER = "folded IN (SELECT folded FROM folders)"
_OTHERS = "folded IN (SELECT folded FROM others)"
_OURS = f"folded IN ({', '.join(repr(name) for name in RESERVED)})"


class Outcome(StrEnum):
    """The outcome of one object."""

    WANTED = "wanted"
    """To be fetched."""
    UNDER_WAY = "under way"
    """A transfer of an earlier run was resumed for it."""
    HAD = "had"
    """It was there already, complete."""
    FETCHED = "fetched"
    SKIPPED = "skipped"
    """Another file has its name, which the user wants left alone."""
    MISSING = "missing"


class PlanItem(msgspec.Struct, frozen=True):
    """One object and its local path."""

    number: int
    key: str
    """Its identity, as from `key_of`."""
    entry: StoredObject
    path: PurePosixPath
    """Below the folder of the pull."""
    planned: PurePosixPath
    """The path that this plan gives it; `path` differs where an earlier pull gave it another one."""

    @property
    def address(self) -> str:
        """Its address at the service."""
        return self.entry.location.address


class Loss(msgspec.Struct, frozen=True):
    """An object that is missing, and why."""

    item: PlanItem
    error: StorageError


class PullPlan:
    """Every object of a pull with its local path and outcome. Used from one thread at a time."""

    def __init__(self, scratch: Path | None = None, *, sidecars: bool = False) -> None:
        """Make an empty plan.

        Args:
            scratch: the folder for its temporary database.
            sidecars: whether every file gets a `.json` beside it, whose name must be free.
        """
        self._database = ScratchDatabase(scratch, _SCHEMA)
        self._sidecars = sidecars

    def close(self) -> None:
        """Delete the database."""
        self._database.close()

    # Lines of the manifest

    def load_lines(self, lines: Iterable[ManifestEntry]) -> None:
        """Load lines of a manifest; later ones replace earlier ones."""
        with self._database.transaction():
            for line in lines:
                if key := key_of_entry(line):
                    self._load_line(key, line)

    def _load_line(self, key: str, line: ManifestEntry) -> None:
        if not is_superseded(line):
            path = path_of(line)
            row = (key, json.dumps(path), _folded(path), _folded(sidecar_of(line)), json.dumps(line))
            self._database.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?)", row)
            return
        if "sha256" in line:
            older = (key, json.dumps(path_of(line)), json.dumps(line))
            self._database.execute("INSERT OR REPLACE INTO older VALUES (?, ?, ?)", older)
        if (found := self._database.one("SELECT line FROM known WHERE key = ?", (key,))) is not None:
            known = _line(found[0])
            if "error" not in known and all(known.get(name) == line.get(name) for name in ("path", "sha256")):
                # Another object has its file name now.
                self._database.execute("DELETE FROM known WHERE key = ?", (key,))

    def line_of(self, item: PlanItem) -> ManifestEntry | None:
        """The last line of the manifest about an object."""
        found = self._database.one("SELECT line FROM known WHERE key = ?", (item.key,))
        return _line(found[0]) if found else None

    def own_lines_at(self, path: PurePosixPath, item: PlanItem) -> list[ManifestEntry]:
        """The lines about files of this object at a path, present or older versions."""
        older = self._database.all(
            "SELECT line FROM older WHERE key = ? AND path = ?", (item.key, json.dumps(str(path)))
        )
        lines = [_line(line) for (line,) in older]
        present = self.line_of(item)
        return [*lines, present] if present is not None and path_of(present) == str(path) else lines

    def other_lines_at(self, path: PurePosixPath, item: PlanItem) -> list[ManifestEntry]:
        """The lines about other objects whose file is at a path."""
        rows = self._database.all(
            "SELECT line FROM known WHERE folded = ? AND path = ? AND key <> ?",
            (_folded(str(path)), json.dumps(str(path)), item.key),
        )
        return [_line(line) for (line,) in rows]

    def lines_blocking_folders(self) -> list[ManifestEntry]:
        """The lines about objects outside this plan whose files have the names of its folders."""
        unlisted = "key NOT IN (SELECT key FROM items)"
        rows = self._database.all(f"SELECT line FROM known WHERE folded IN (SELECT folded FROM folders) AND {unlisted}")
        return [_line(line) for (line,) in rows]

    def _lines_with_wanted_names(self) -> list[ManifestEntry]:
        """The lines about objects outside this plan whose files have names that it needs."""
        unlisted, names = "key NOT IN (SELECT key FROM items)", "SELECT folded FROM items"
        if self._sidecars:
            names += " UNION ALL SELECT folded || '.json' FROM items"
        rows = self._database.all(
            f"SELECT line FROM known WHERE (folded IN ({names}) OR beside IN ({names})) AND {unlisted}"
        )
        return [_line(line) for (line,) in rows]

    def items_with_lines(self) -> Iterator[tuple[PlanItem, ManifestEntry]]:
        """The items that have a line, with the last one. Outcomes and paths may change during the iteration."""
        columns = "number, key, body, own, items.path, line"
        for *item, line in self._database.walk(columns, "items JOIN known USING (key)", first=0):
            yield _item(item), _line(line)

    # Objects

    def add(self, entries: Iterable[tuple[StoredObject, tuple[str, ...]]]) -> None:
        """Add objects with their paths, except those that are in it already."""
        rows, paths = [], set()
        for entry, given in entries:
            path = _avoid_reserved(given)
            rows.append(_row(entry, "/".join(path)))
            paths.add(path)
        columns = "key, identity, body, size, base, own, path, folded"
        self._database.execute_many(f"INSERT OR IGNORE INTO items({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        above = {fold("/".join(path[:depth])) for path in paths for depth in range(1, len(path))}
        self._database.execute_many("INSERT OR IGNORE INTO folders VALUES (?)", ((folder,) for folder in above))

    def assign_names(self, is_there: Callable[[ManifestEntry], bool] = lambda _line: False) -> None:
        """Make all paths unique by suffixes, and keep the names that earlier pulls gave.

        Suffixes depend only on the objects: those of this plan, and others whose files have names that it needs.

        Args:
            is_there: whether the file of a line still exists.
        """
        with self._database.transaction():
            for line in self._lines_with_wanted_names():
                if "sha256" in line and is_there(line):
                    paths = (path_of(line), sidecar_of(line))
                    folded = ((_folded(path),) for path in paths if path)
                    self._database.execute_many("INSERT OR IGNORE INTO others VALUES (?)", folded)
            self._make_names_distinct()
            self._database.execute("UPDATE items SET own = path")
            for item, line in self.items_with_lines():
                path = path_of(line)
                if "error" not in line and path != str(item.path) and self.could_be_named(item, path):
                    self._keep_path(item, path)

    def could_be_named(self, item: PlanItem, path: str) -> bool:
        """Whether an earlier pull with the same template can have given an object this path."""
        found = self._database.one("SELECT base FROM items WHERE number = ?", (item.number,))
        bases = {found[0] if found else "", str(item.planned)}
        if path in bases:
            return True
        # This excludes most names of other templates at little cost.
        if "~" not in path or PurePosixPath(path).parent != item.planned.parent:
            return False
        identity = item.entry.id or item.entry.location.path
        if any(path == suffixed(base, identity, item.key, length) for base in bases for length in LENGTHS):
            return True
        name = item.planned.name
        return any(path == str(item.planned.with_name(distinct_name(name, f"{identity} {copy}"))) for copy in _COPIES)

    # Outcomes

    def items(self, outcome: Outcome | None = None) -> Iterator[PlanItem]:
        """All items, or those with one outcome, in the order of adding. Outcomes may change during the iteration."""
        condition, given = ("1", ()) if outcome is None else ("outcome = ?", (outcome.value,))
        yield from map(_item, self._database.walk(_ITEM, "items", condition, given, first=0))

    def find(self, key: str) -> PlanItem | None:
        """The item with a key."""
        row = self._database.one(f"SELECT {_ITEM} FROM items WHERE key = ?", (key,))
        return _item(row) if row else None

    def outcome(self, item: PlanItem) -> Outcome:
        """The current outcome of an item."""
        found = self._database.one("SELECT outcome FROM items WHERE number = ?", (item.number,))
        return Outcome(found[0] if found else Outcome.WANTED)

    def set_outcome(
        self,
        item: PlanItem,
        outcome: Outcome,
        level: str = "",
        error: StorageError | None = None,
        *,
        changed: bool = False,
    ) -> None:
        """Record the outcome of an item.

        Args:
            item: of this plan.
            outcome: its outcome.
            level: how it was verified.
            error: why it is missing.
            changed: whether it is a new version of an object that an earlier pull fetched.
        """
        reason = json.dumps([error.message, error.subject, error.hint]) if error else ""
        self._database.execute(
            "UPDATE items SET outcome = ?, level = ?, changed = ?, code = ?, reason = ? WHERE number = ?",
            (outcome.value, level, changed, error.code if error else 0, reason, item.number),
        )

    def losses(self) -> Iterator[Loss]:
        """The missing objects and why."""
        for *item, code, reason in self._database.walk(
            f"{_ITEM}, code, reason", "items", "outcome = 'missing'", first=0
        ):
            message, subject, hint = json.loads(reason)
            yield Loss(_item(item), error_for_code(code, message, subject=subject, hint=hint))

    def counts(self) -> dict[Outcome, int]:
        """The number of items by outcome."""
        found = dict(self._database.all("SELECT outcome, count(*) FROM items GROUP BY outcome"))
        return {outcome: found.get(outcome.value, 0) for outcome in Outcome}

    def sizes(self) -> dict[Outcome, int]:
        """The bytes of the items by outcome; unknown sizes count as 0."""
        found = dict(self._database.all("SELECT outcome, sum(size) FROM items GROUP BY outcome"))
        return {outcome: found.get(outcome.value, 0) for outcome in Outcome}

    def changed(self) -> int:
        """The number of objects fetched in a new version."""
        found = self._database.one("SELECT count(*) FROM items WHERE changed")
        return int(found[0]) if found else 0

    def levels(self) -> dict[str, int]:
        """The number of objects that are here, by how they were verified."""
        rows = self._database.all(
            "SELECT level, count(*) FROM items WHERE outcome IN ('had', 'fetched') GROUP BY level ORDER BY level"
        )
        return {level or "unverified": count for level, count in rows}

    # Names

    def _make_names_distinct(self) -> None:
        """Add a suffix to every path that is used twice or reserved; all items that share the path get one."""
        taken = f"{_SAME} OR {_FOLDER} OR {_OTHERS} OR {_OURS}"
        if self._sidecars:
            self._database.execute("CREATE INDEX by_sidecar ON items(folded || '.json')")
            taken += " OR folded IN (SELECT folded || '.json' FROM items)"
            taken += " OR folded || '.json' IN (SELECT folded FROM others)"
        for length in LENGTHS:
            rows = self._database.all(f"SELECT number, base, identity, key FROM items WHERE {taken}")
            if not rows:
                return
            paths = (
                (number, suffixed(base, json.loads(identity), key, length)) for number, base, identity, key in rows
            )
            self._database.execute_many(
                "UPDATE items SET path = ?, folded = ? WHERE number = ?",
                ((path, fold(path), number) for number, path in paths),
            )

    def _keep_path(self, item: PlanItem, path: str) -> None:
        """Give an item its earlier path, if that is free."""
        folded = fold(path)
        names = (folded, f"{folded}.json", folded.removesuffix(".json")) if self._sidecars else (folded,)
        marks = ", ".join("?" * len(names))
        taken = f"SELECT folded FROM items WHERE folded IN ({marks}) AND number <> ?"
        taken += f" UNION ALL SELECT folded FROM folders WHERE folded IN ({marks})"
        if folded in RESERVED or self._database.one(taken, (*names, item.number, *names)):
            return
        self._database.execute("UPDATE items SET path = ?, folded = ? WHERE number = ?", (path, folded, item.number))


def fold(path: str) -> str:
    """A form that is equal for paths that some file system regards as the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _folded(path: str) -> str:
    """The same for a path from a manifest, which may hold lone surrogates."""
    return fold(path).encode(errors="backslashreplace").decode()


def suffixed(base: str, identity: str, key: str, length: int) -> str:
    """A path with a suffix of `length` characters of an object's id, or with a digest of its key if that is 0."""
    path = PurePosixPath(base)
    # Two regions can have the same id.
    return str(path.with_name(distinct_name(path.name, identity, length) if length else distinct_name(path.name, key)))


def suffixed_names(line: ManifestEntry) -> list[str]:
    """The suffixed names that a plan could give the object of a line, shortest first."""
    key, path = key_of_entry(line), path_of(line)
    identity = str(line.get("id") or line.get("key"))
    return [PurePosixPath(suffixed(path, identity, key, length)).name for length in LENGTHS]


def _avoid_reserved(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path with its first folder renamed if that name is reserved."""
    if len(path) > 1 and fold(path[0]) in RESERVED:
        return (distinct_name(path[0], path[0]), *path[1:])
    return path


def _row(entry: StoredObject, path: str) -> tuple[object, ...]:
    identity = entry.id or entry.location.path
    known = max(0, min(entry.size or 0, 2**53))
    return key_of(entry.location), json.dumps(identity), encode(entry), known, path, path, path, fold(path)


def _item(row: Sequence[Any]) -> PlanItem:
    number, key, body, own, path = row
    entry = decode(body, is_folder=False)
    if not isinstance(entry, StoredObject):
        raise TypeError(number)
    given = PurePosixPath(path)
    return PlanItem(number, key, entry, given, given if own == path else PurePosixPath(own))


def _line(text: str) -> ManifestEntry:
    line: ManifestEntry = json.loads(text)
    return line


class LocalMatch(StrEnum):
    """How a file compares with its line of the manifest."""

    SAME = "same"
    """The same size and time."""
    TOUCHED = "touched"
    """The same bytes, another time."""
    OTHER = "other"
    """Another file, or none."""


def match_file(folder: PullFolder, path: PurePosixPath, line: ManifestEntry, stop: Stop) -> LocalMatch:
    """Compare a file with its line. Its bytes are read only if its time differs.

    A file that cannot be read counts as another one; its transfer will report what is wrong.
    """
    try:
        found = folder.stat(path)
        if found is None or found.st_size != line.get("size"):
            return LocalMatch.OTHER
        if mtime_of(found) == line.get("mtime"):
            return LocalMatch.SAME
        digest = line.get("sha256")
        return LocalMatch.TOUCHED if digest and folder.sha256(path, stop) == digest else LocalMatch.OTHER
    except StorageError:
        return LocalMatch.OTHER


def match_plan(plan: PullPlan, folder: PullFolder, stop: Stop) -> int:
    """Mark every object whose present version is in the folder, under any earlier name, as `HAD`.

    Returns:
        How many of these have neither a time nor a checksum, so that only another size would reveal a new version.
    """
    vague = 0
    for item, line in plan.items_with_lines():
        stop.check()
        path = PurePosixPath(path_of(line))
        is_named = path == item.path or plan.could_be_named(item, str(path))
        if not (is_named and matches_object(line, item.entry)):
            continue
        if match_file(folder, path, line, stop) is not LocalMatch.OTHER:
            plan.set_outcome(item, Outcome.HAD, str(line.get("level", "")))
            entry = item.entry
            vague += not (entry.checksum or entry.modified or entry.updated or entry.created)
    return vague


def is_earlier_version(plan: PullPlan, folder: PullFolder, item: PlanItem, stop: Stop) -> bool:
    """Whether the file at an object's path is an earlier version of it, unchanged since an earlier pull."""
    lines = plan.own_lines_at(item.path, item)
    return any(match_file(folder, item.path, line, stop) is not LocalMatch.OTHER for line in lines)

"""What a pull has to do and what it has done, kept on the disk: any number of objects costs no memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cloudstore_tui.archive.collisions import LENGTHS, fold, keep, settle, suffixed
from cloudstore_tui.archive.database import private_database
from cloudstore_tui.archive.item import Fate, Item, key_of
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import (
    AccessError,
    BusyError,
    ConflictError,
    IntegrityError,
    InterruptedTransfer,
    JobError,
    LocalDiskError,
    MissingError,
    PartialError,
    StorageError,
    UnavailableError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.results.codec import decode, encode

_SCHEMA = """
CREATE TABLE items(
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, identity TEXT NOT NULL, body TEXT NOT NULL,
    size INTEGER NOT NULL, base TEXT NOT NULL, path TEXT NOT NULL, folded TEXT NOT NULL,
    fate TEXT NOT NULL DEFAULT 'wanted', level TEXT NOT NULL DEFAULT '',
    code INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX by_name ON items(folded);
CREATE INDEX by_fate ON items(fate, number);
CREATE TABLE folders(folded TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE known(key TEXT PRIMARY KEY, line TEXT NOT NULL) WITHOUT ROWID;
"""
_SOME = 200
"""Items read at once."""

Line = Mapping[str, Any]

_KINDS = {
    kind.code: kind
    for kind in (
        *(PartialError, UsageError, AccessError, UnavailableError, LocalDiskError, IntegrityError, UnsafeError),
        *(MissingError, ConflictError, BusyError, JobError, InterruptedTransfer),
    )
}
"""What an exit code stands for."""


@dataclass(frozen=True, slots=True)
class Loss:
    """An object that is missing, and why."""

    item: Item
    error: StorageError


class PullPlan:
    """Every object of a pull with its local path and fate. Used from one thread at a time."""

    def __init__(self, folder: Path | None = None, *, sidecars: bool = False) -> None:
        """Make an empty one.

        Args:
            folder: where its file lies while the pull runs.
            sidecars: whether every file gets a `.json` beside it, whose name must be free.
        """
        self._database = private_database(folder, _SCHEMA)
        self._sidecars = sidecars

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def know(self, lines: Iterable[tuple[str, str]]) -> None:
        """Take over lines of a manifest with their keys; later ones replace earlier ones."""
        self._all("INSERT OR REPLACE INTO known VALUES (?, ?)", lines)

    def known(self, item: Item) -> Line | None:
        """The last line of the manifest about an object."""
        found = self._database.execute("SELECT line FROM known WHERE key = ?", (item.key,)).fetchone()
        return json.loads(found[0]) if found else None

    def known_items(self) -> Iterator[tuple[Item, Line]]:
        """The items that the manifest has a line about, with the last one. Fates and paths may change meanwhile."""
        for number, line in self._rows("number, line", "items JOIN known USING (key)", "1"):
            row = self._database.execute("SELECT number, body, path FROM items WHERE number = ?", (number,)).fetchone()
            yield _item(row), json.loads(line)

    def add(self, entries: Iterable[tuple[StoredObject, tuple[str, ...]]]) -> None:
        """Take in objects with their paths; those that are in it already are passed over."""
        rows, paths = [], set()
        for entry, path in entries:
            rows.append(_row(entry, path))
            paths.add(path)
        self._all(
            "INSERT OR IGNORE INTO items(key, identity, body, size, base, path, folded) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        above = {fold("/".join(path[:depth])) for path in paths for depth in range(1, len(path))}
        self._all("INSERT OR IGNORE INTO folders VALUES (?)", ((folder,) for folder in above))

    def settle_names(self) -> None:
        """Give suffixes where two names are one, and keep the names that the manifest knows.

        The suffixes follow from the objects alone, whatever of them is here already.
        """
        self._database.execute("BEGIN")
        settle(self._database, sidecars=self._sidecars)
        for item, line in self.known_items():
            path = line.get("path")
            if "error" not in line and path != str(item.path) and path in self._forms(item):
                keep(self._database, item.number, str(path), sidecars=self._sidecars)
        self._database.execute("COMMIT")

    def items(self, fate: Fate | None = None) -> Iterator[Item]:
        """All items, or those of one fate, in the order in which they came. Fates may change meanwhile."""
        condition, given = ("1", ()) if fate is None else ("fate = ?", (fate.value,))
        yield from (_item(row) for row in self._rows("number, body, path", "items", condition, *given))

    def find(self, key: str) -> Item | None:
        """One item by its key."""
        row = self._database.execute("SELECT number, body, path FROM items WHERE key = ?", (key,)).fetchone()
        return _item(row) if row else None

    def fate(self, item: Item) -> Fate:
        """What became of an item so far."""
        return Fate(self._database.execute("SELECT fate FROM items WHERE number = ?", (item.number,)).fetchone()[0])

    def note(self, item: Item, fate: Fate, level: str = "", error: StorageError | None = None) -> None:
        """Write down what became of an item."""
        reason = json.dumps([error.message, error.subject, error.hint]) if error else ""
        self._database.execute(
            "UPDATE items SET fate = ?, level = ?, code = ?, reason = ? WHERE number = ?",
            (fate.value, level, error.code if error else 0, reason, item.number),
        )

    def losses(self) -> Iterator[Loss]:
        """The missing objects with their reasons."""
        for number, code, reason in self._rows("number, code, reason", "items", "fate = 'missing'"):
            row = self._database.execute("SELECT number, body, path FROM items WHERE number = ?", (number,)).fetchone()
            message, place, hint = json.loads(reason)
            yield Loss(_item(row), _KINDS.get(code, StorageError)(message, subject=place, hint=hint))

    def counts(self) -> dict[Fate, int]:
        """How many items have each fate."""
        found = dict(self._database.execute("SELECT fate, count(*) FROM items GROUP BY fate"))
        return {fate: found.get(fate.value, 0) for fate in Fate}

    def sizes(self) -> dict[Fate, int]:
        """The bytes of the items of each fate, as far as sizes are known."""
        found = dict(self._database.execute("SELECT fate, sum(size) FROM items GROUP BY fate"))
        return {fate: found.get(fate.value, 0) for fate in Fate}

    def levels(self) -> dict[str, int]:
        """How many of the objects that are here were verified how well."""
        rows = self._database.execute(
            "SELECT level, count(*) FROM items WHERE fate IN ('had', 'fetched') GROUP BY level ORDER BY level"
        )
        return {level or "unverified": count for level, count in rows}

    def _forms(self, item: Item) -> set[str]:
        """The paths that an object can have got in an earlier pull with the same template."""
        base = self._database.execute("SELECT base FROM items WHERE number = ?", (item.number,)).fetchone()[0]
        return {base, *(suffixed(base, item.entry.id or item.entry.location.path, item.key, one) for one in LENGTHS)}

    def _rows(self, columns: str, table: str, condition: str, *given: str) -> Iterator[tuple[Any, ...]]:
        """Rows that begin with their number, some at a time: no statement stays open between them."""
        last = 0
        statement = f"SELECT {columns} FROM {table} WHERE number > ? AND {condition} ORDER BY number LIMIT {_SOME}"
        while rows := self._database.execute(statement, (last, *given)).fetchall():
            yield from rows
            last = rows[-1][0]

    def _all(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")


def _row(entry: StoredObject, segments: tuple[str, ...]) -> tuple[object, ...]:
    path = "/".join(segments)
    identity = entry.id or entry.location.path
    known = min(entry.size or 0, 2**62)
    return key_of(entry.location), json.dumps(identity), encode(entry), known, path, path, fold(path)


def _item(row: tuple[Any, ...]) -> Item:
    entry = decode(row[1], is_folder=False)
    if not isinstance(entry, StoredObject):
        raise TypeError(row[0])
    return Item(row[0], entry, PurePosixPath(row[2]))

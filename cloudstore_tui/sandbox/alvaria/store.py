"""The files of the organisation: their keys in SQLite, uploaded bytes on disk, everything else made on reading."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cloudstore_tui.sandbox.alvaria.fixtures import Fixture, fixtures
from cloudstore_tui.sandbox.alvaria.recipe import Recipe
from cloudstore_tui.sandbox.alvaria.tree import V3_ONLY, all_folders
from cloudstore_tui.sandbox.blobs import Blob

_LAYOUT = "3"
"""Changes whenever the tables or the fixtures do, so that a data folder of an older version is made again."""

_SCHEMA = """
CREATE TABLE entry (
    key TEXT PRIMARY KEY, parent TEXT NOT NULL, folder INTEGER NOT NULL, v3 INTEGER NOT NULL,
    modified REAL NOT NULL, size INTEGER NOT NULL, oddity TEXT NOT NULL, recipe TEXT NOT NULL, etag TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX entry_by_parent ON entry (parent, key);
CREATE TABLE origin (layout TEXT, seed INTEGER, now REAL);
"""
_UPLOAD = "upload:"
_COLUMNS = "key, folder, modified, size, oddity, recipe, etag"
_INSERT = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Item:
    """One stored file or folder."""

    key: str
    """A folder's ends with `/`."""
    is_folder: bool
    modified: float
    size: int
    """Bytes, exactly."""
    oddity: str
    """How its entry in a listing differs from what one expects; see `wire`."""
    recipe: str
    """What it is made of, or the name of the file that holds an upload."""
    etag: str


@dataclass(frozen=True, slots=True)
class Span:
    """Which items a listing is about."""

    start: str
    """What their keys begin with."""
    level: str | None = None
    """The folder that they are right in; `None` for any depth."""
    files: bool = True
    folders: bool = False
    v3: bool = True
    """Whether those are included that only v3 knows."""

    @property
    def condition(self) -> tuple[str, tuple[str | int, ...]]:
        """As SQL with its values."""
        text = "key >= ? AND key < ? AND v3 <= ? AND folder BETWEEN ? AND ?"
        values = (self.start, self.start + "\U0010ffff", int(self.v3), int(not self.files), int(self.folders))
        if self.level is None:
            return text, values
        return f"{text} AND parent = ?", (*values, self.level)


class Store:
    """Everything below the root, in the order of UTF-8 bytes."""

    def __init__(self, folder: Path, seed: int, now: datetime) -> None:
        self._uploads = folder / "uploads"
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._seed = seed
        self._now = now
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "alvaria.sqlite", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        if not self._is_filled():
            self._fill()
        self._sweep()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # Reading

    def get(self, key: str) -> Item | None:
        """One file or folder by its key."""
        found = self._query(f"SELECT {_COLUMNS} FROM entry WHERE key = ?", (key,))
        return _item(found[0]) if found else None

    def file(self, key: str) -> Item | None:
        """One file by its key."""
        item = self.get(key)
        return item if item and not item.is_folder else None

    def is_folder(self, key: str) -> bool:
        """Whether a key, with its slash, is a folder."""
        item = self.get(key)
        return item is not None and item.is_folder

    def page(self, span: Span, after: str, most: int, *, inclusive: bool = False) -> list[Item]:
        """At most so many items whose keys come after one, or start with it."""
        condition, values = span.condition
        sql = f"SELECT {_COLUMNS} FROM entry WHERE {condition} AND key {'>=' if inclusive else '>'} ?"
        return [_item(row) for row in self._query(f"{sql} ORDER BY key LIMIT ?", (*values, after, most))]

    def count(self, span: Span) -> int:
        """How many items there are."""
        condition, values = span.condition
        return int(str(self._query(f"SELECT count(*) FROM entry WHERE {condition}", values)[0][0]))

    def blob(self, item: Item) -> Blob:
        """The bytes of a file."""
        if item.recipe.startswith(_UPLOAD):
            path = self._uploads / item.recipe.removeprefix(_UPLOAD)
            return Blob(item.size, item.etag, item.modified, "binary/octet-stream", _reader(path))
        recipe, seed = Recipe.parse(item.recipe), f"{self._seed}:{item.key}"

        def read(start: int, end: int) -> bytes:
            return recipe.read(seed, item.modified, start, end)

        return Blob(item.size, item.etag, item.modified, "binary/octet-stream", read)

    # Changing

    def part(self, name: str) -> Path:
        """Where the bytes of an upload are collected before `put`."""
        return self._uploads / name

    def put(self, key: str, part: Path, md5: str, now: float) -> None:
        """Make a collected upload the file called `key`; one that is there already is replaced."""
        # The bytes of the old one stay until the next start, for those who are reading them.
        self._change(_INSERT, _row(key, now, part.stat().st_size, "", f"{_UPLOAD}{part.name}", md5))

    def delete(self, key: str) -> bool:
        """Delete one file; whether it was there."""
        with self._lock:
            return self._database.execute("DELETE FROM entry WHERE key = ? AND folder = 0", (key,)).rowcount > 0

    def delete_below(self, folder: str) -> None:
        """Delete every file below a folder."""
        condition, values = Span(folder).condition
        self._change(f"DELETE FROM entry WHERE {condition}", values)

    # Beginning

    @property
    def _origin(self) -> tuple[object, ...]:
        """What the data was made from: other data is made anew."""
        return _LAYOUT, self._seed, self._now.timestamp()

    def _is_filled(self) -> bool:
        if not self._query("SELECT 1 FROM sqlite_master WHERE name = 'origin'", ()):
            return False
        return self._query("SELECT layout, seed, now FROM origin", ()) == [self._origin]

    def _fill(self) -> None:
        files, made = list(fixtures(self._seed, self._now)), self._now.timestamp()
        folders = all_folders() | {parent for item in files for parent in _parents(item.key)}
        with self._lock:
            self._database.executescript("DROP TABLE IF EXISTS entry; DROP TABLE IF EXISTS origin;" + _SCHEMA)
            self._database.execute("BEGIN")
            self._database.executemany(_INSERT, (_row(key, made, 0, "", "", "") for key in folders))
            self._database.executemany(_INSERT, map(self._fixture_row, files))
            # Written last: data without it was left half filled.
            self._database.execute("INSERT INTO origin VALUES (?, ?, ?)", self._origin)
            self._database.execute("COMMIT")

    def _fixture_row(self, item: Fixture) -> tuple[object, ...]:
        seed = f"{self._seed}:{item.key}"
        etag = hashlib.blake2b(f"{seed}:{item.modified}".encode(), digest_size=16).hexdigest()
        size = item.recipe.size(seed, item.modified)
        return _row(item.key, item.modified, size, item.oddity, str(item.recipe), etag)

    def _sweep(self) -> None:
        """Remove bytes of uploads that were replaced, deleted or never finished."""
        rows = self._query("SELECT recipe FROM entry WHERE recipe LIKE 'upload:%'", ())
        wanted = {str(recipe).removeprefix(_UPLOAD) for (recipe,) in rows}
        for path in self._uploads.iterdir():
            if path.name not in wanted:
                path.unlink()

    def _query(self, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _change(self, sql: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._database.execute(sql, values)


def _reader(path: Path) -> Callable[[int, int], bytes]:
    def read(start: int, end: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    return read


def _item(row: tuple[object, ...]) -> Item:
    key, folder, modified, size, oddity, recipe, etag = row
    return Item(str(key), bool(folder), float(str(modified)), int(str(size)), str(oddity), str(recipe), str(etag))


def _row(key: str, modified: float, size: int, oddity: str, recipe: str, etag: str) -> tuple[object, ...]:
    parent = key.rstrip("/").rpartition("/")[0] + "/"
    return key, parent, key.endswith("/"), key.startswith(V3_ONLY), modified, size, oddity, recipe, etag


def _parents(key: str) -> Iterator[str]:
    parts = key.split("/")[:-1]
    return ("/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1))

"""Rows on disk, in a SQLite file that no other program can see."""

import os
import shutil
import sqlite3
import tempfile
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Column, Entry, Folder, StoredObject, identity
from cloudstore_tui.fiql.fields import type_label
from cloudstore_tui.fs.disk import database_error
from cloudstore_tui.results import codec

# Large pages and a short log: a third of the time per row that SQLite's defaults take.
_ROWS = """
PRAGMA page_size = 16384;
PRAGMA journal_mode = WAL;
PRAGMA wal_autocheckpoint = 250;
PRAGMA synchronous = OFF;
CREATE TABLE rows (
    number INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    words TEXT NOT NULL,
    body TEXT NOT NULL
);
"""
_CACHE = "PRAGMA cache_size = -4000"
_FETCH_ROWS = 4096
_MAX_SIZE = 2**53
"""More bytes than any object has; the sum of a million such sizes still fits into 64 bits."""


Result = TypeVar("Result")


class RowInfo(msgspec.Struct, frozen=True, gc=False):
    """What was added or updated, and what is kept of it in memory."""

    number: int
    is_folder: bool
    is_new: bool
    matches: bool
    """Whether the filter finds it."""
    size: int
    """Bytes; 0 if unknown."""
    rounded: bool
    """Whether `size` is not exact, or unknown."""
    timestamp: int
    """When it was created or else modified, in epoch seconds; 0 if unknown."""


DisplayText: TypeAlias = Callable[[Entry], str]
"""The text that a list shows of an entry beside its name and tags; a filter searches that, too."""


class RowDatabase:
    """Entries by row number, each once.

    The file is unlinked as soon as it is open, so that nothing stays behind even if the program is killed. A second
    connection sorts in a thread while the first one reads and writes.
    """

    def __init__(self, folder: Path | None = None, shown: DisplayText | None = None) -> None:
        self._display_text = shown
        self._folder = str(folder or _large_temporary_folder())
        self._numbers = RowNumbers()
        self._calls = CallIndex()
        self._sequence = 0
        self._sorting = threading.Lock()
        self.closed = False
        with self._disk_errors():
            private = tempfile.mkdtemp(prefix="cloudstore-", dir=self._folder)
            try:
                self._rows, self._sorter = _open_connections(Path(private) / "rows.sqlite")
            finally:
                shutil.rmtree(private, ignore_errors=True)

    def add(
        self, entries: Iterable[Entry], *, filter_text: str = "", update: bool = False, reorder: bool = False
    ) -> list[RowInfo]:
        """Store entries, all of which are described in the result.

        Args:
            entries: one page of them; of equal ones the first wins, or the last if `update`.
            filter_text: the filter for `RowInfo.matches`.
            update: whether to replace entries that are stored already.
            reorder: whether to move these to the end of the order of arrival as well.
        """
        by_key: dict[int, Entry] = {}
        for entry in entries:
            key = identity_key(identity(entry))
            if update or key not in by_key:
                by_key[key] = entry
        normalized, before = codec.normalized(filter_text), self._numbers.last
        rows: list[RowInfo] = []
        new: list[_NewRow] = []
        old: list[_OldRow] = []
        numbers = self._numbers.assign(by_key)
        for sequence, number, entry in zip(count(self._sequence), numbers, by_key.values(), strict=False):
            words, is_folder, is_new = self._search_text(entry), isinstance(entry, Folder), number > before
            if is_new:
                new.append((number, sequence, is_folder, words, codec.encode(entry)))
            elif update:
                place = sequence if reorder else None
                old.append((place, is_folder, words, codec.encode(entry), number))
            rows.append(RowInfo(number, is_folder, is_new, normalized in words, *_size(entry), _timestamp(entry)))
        self._sequence += len(rows)
        self._write(new, old)
        self._calls.add(_call_keys(rows, by_key.values(), new=True))
        if update:
            self._calls.add_missing(_call_keys(rows, by_key.values(), new=False))
        return rows

    def _search_text(self, entry: Entry) -> str:
        words = codec.search_text(entry)
        return words if self._display_text is None else f"{words}\n{codec.normalized(self._display_text(entry))}"

    def read(self, numbers: Iterable[int]) -> list[Entry]:
        """The entries of these rows, in this order."""
        # CROSS JOIN keeps the order of its left side.
        return self._read("SELECT folder, body FROM json_each(?) CROSS JOIN rows ON number = value", numbers)

    def of_call(self, entry: Entry) -> list[Entry]:
        """The rows of the same call as an entry, including itself, in order of arrival."""
        call = call_of(entry)
        query = "SELECT folder, body FROM json_each(?) CROSS JOIN rows ON number = value ORDER BY sequence"
        rows = self._read(query, self._calls.find([call] if call else []))
        return [row for row in rows if call_of(row) == call]

    def _read(self, query: str, numbers: Iterable[int]) -> list[Entry]:
        with self._disk_errors():
            found = self._rows.execute(query, (json_array(numbers),)).fetchall()
        return [codec.decode(body, is_folder=folder) for folder, body in found]

    def rows_with_person(self, entries: Iterable[Entry]) -> dict[str, StoredObject]:
        """By identity, for each entry that does not name the person of its call: a row of that call that does."""
        anonymous = {
            identity(entry): call for entry in entries if (call := call_of(entry)) and not _names_person(entry)
        }
        rows = self.read(self._calls.find(set(anonymous.values()), with_person=True))
        named = {call_of(row): row for row in rows if isinstance(row, StoredObject) and _names_person(row)}
        return {name: named[call] for name, call in anonymous.items() if call in named}

    def find(self, identities: Iterable[str]) -> list[int]:
        """The row numbers of those entries that are stored."""
        return list(self._numbers.find(map(identity_key, identities)).values())

    def delete(self, numbers: Iterable[int]) -> None:
        """Delete rows."""
        gone = [(number,) for number in numbers]
        with self._disk_errors(), self._transaction():
            self._rows.executemany("DELETE FROM rows WHERE number = ?", gone)
        self._numbers.forget(number for (number,) in gone)

    def clear(self) -> None:
        """Delete all rows; the next one is number 1."""
        self.interrupt()
        with self._disk_errors():
            self._rows.execute("DELETE FROM rows")
        self._numbers.clear()
        self._calls = CallIndex()

    @property
    def last(self) -> int:
        """The highest row number."""
        return self._numbers.last

    def sorted_numbers(
        self, filter_text: str, column: Column | None, descending: bool, last: int
    ) -> "array[int] | None":
        """The rows up to `last` that a filter finds, folders first, in the order of a column or of arrival.

        Unknown values come last in both directions. Safe to call from a thread; `None` if `interrupt` or `close` was
        called meanwhile.
        """
        where, arguments = _filter_clause(filter_text, last)
        order = ""
        if column is not None:
            key, more = codec.sort_key(column)
            order = f", {key} COLLATE NOCASE {'DESC' if descending else 'ASC'} NULLS LAST"
            arguments.extend(more)
        query = f"SELECT number FROM rows WHERE number <= ? {where} ORDER BY folder DESC{order}, sequence"
        return self._query_sorter(query, arguments, _fetch_numbers)

    def tally(self, filter_text: str, column: Column, limit: int) -> "list[tuple[str, int]] | None":
        """The most frequent values of a column among the objects that a filter finds, each with its count.

        A missing value counts as an empty text. Threads and `None` as with `sorted_numbers`.
        """
        key, more = codec.column_value(column)
        where, arguments = _filter_clause(filter_text, self.last)
        query = (
            f"SELECT coalesce({key}, ''), count(*) AS many FROM rows WHERE number <= ? {where} AND NOT folder "
            "GROUP BY 1 ORDER BY many DESC, 1 LIMIT ?"
        )
        return self._query_sorter(
            query, [*more, *arguments, limit], lambda found: [(str(value), many) for value, many in found]
        )

    def _query_sorter(
        self, query: str, arguments: list[str | int], convert: Callable[[sqlite3.Cursor], Result]
    ) -> Result | None:
        """The result of a query on the second connection; `None` if it was interrupted."""
        with self._sorting, self._disk_errors():
            try:
                return None if self.closed else convert(self._sorter.execute(query, arguments))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return None
                raise

    def interrupt(self) -> None:
        """Abort a query of `sorted_numbers` or `tally` that is running in a thread."""
        if not self.closed:
            self._sorter.interrupt()

    def close(self) -> None:
        """Free the disk space."""
        if self.closed:
            return
        self.interrupt()
        self.closed = True
        with self._sorting:
            self._sorter.close()
        self._rows.close()
        self._numbers.close()

    def _write(self, new: "list[_NewRow]", old: "list[_OldRow]") -> None:
        update = "UPDATE rows SET sequence = coalesce(?, sequence), folder = ?, words = ?, body = ? WHERE number = ?"
        try:
            with self._disk_errors(), self._transaction():
                self._rows.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", new)
                self._rows.executemany(update, old)
        except LocalDiskError:
            # So that the same page can be added once there is space again.
            self._numbers.forget(number for number, *_ in new)
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._rows.execute("BEGIN")
        try:
            yield
            self._rows.execute("COMMIT")
        except BaseException:
            if self._rows.in_transaction:
                self._rows.execute("ROLLBACK")
            raise

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise database_error(error, "the list", self._folder, "set TMPDIR to a folder that has space") from None


def _open_connections(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    path.touch(mode=0o600)
    # Each connection is used by one thread at a time, the second one under a lock.
    rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    rows.executescript(_ROWS)
    sorter = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for connection in (rows, sorter):
        connection.execute(_CACHE)
        connection.create_function("natural_key", 1, codec.natural_key_of, deterministic=True)
        connection.create_function("type_label", 1, type_label, deterministic=True)
        # Reading opens the log beside the file, which has to happen before the file is unlinked.
        connection.execute("SELECT count(*) FROM rows").fetchone()
    return rows, sorter


def _filter_clause(filter_text: str, last: int) -> tuple[str, list[str | int]]:
    """The condition on `words`, and the values for a query of the rows up to `last`."""
    return ("AND instr(words, ?)", [last, codec.normalized(filter_text)]) if filter_text else ("", [last])


def _fetch_numbers(cursor: sqlite3.Cursor) -> "array[int]":
    numbers = array("I")
    while found := cursor.fetchmany(_FETCH_ROWS):
        numbers.extend([number for (number,) in found])
    return numbers


_NewRow: TypeAlias = tuple[int, int, bool, str, str]
_OldRow: TypeAlias = tuple[int | None, bool, str, str, int]


def _size(entry: Entry) -> tuple[int, bool]:
    if isinstance(entry, StoredObject) and entry.size is not None and entry.size >= 0:
        return min(entry.size, _MAX_SIZE), not entry.size_exact
    return 0, True


def _timestamp(entry: Entry) -> int:
    made = entry.created or entry.modified if isinstance(entry, StoredObject) else None
    return int(made.timestamp()) if made is not None else 0


def _large_temporary_folder() -> str:
    # /tmp is in memory on many systems, and a million rows take a gigabyte; SQLite prefers the same folders.
    if not os.environ.get("TMPDIR") and os.access("/var/tmp", os.W_OK | os.X_OK):
        return "/var/tmp"
    return tempfile.gettempdir()


# Which rows are of one call


def call_of(entry: Entry) -> str:
    """The id that all objects of one call share; empty for anything else."""
    return entry.tag("callId") if isinstance(entry, StoredObject) else ""


def _names_person(entry: Entry) -> bool:
    """Whether it names the person who made or took the call."""
    return isinstance(entry, StoredObject) and bool(entry.tag("agentName") or entry.tag("userName"))


def _call_keys(rows: Iterable[RowInfo], entries: Iterable[Entry], *, new: bool) -> list[int]:
    """The keys of those rows that belong to a call."""
    pairs = zip(rows, entries, strict=True)
    return [
        _call_hash(call, with_person=_names_person(entry)) | row.number
        for row, entry in pairs
        if row.is_new is new and (call := call_of(entry))
    ]


def _call_hash(call: str, *, with_person: bool) -> int:
    return (hash(call) & 0xFFFFFFFF) << 32 | with_person << 31


_NUMBER_MASK = 2**31 - 1
MAX_RECENT = 65_536
"""Keys that are collected before they become a sorted run."""
_MAX_PER_CALL = 64
"""Rows found per call."""


class CallIndex:
    """Finds the rows of a call: a key per row, of the hash of its call, whether it names a person, and its number.

    Eight bytes a row, in sorted runs, so that adding takes constant time. A row that is found may be of another call
    with the same hash, have changed, or be gone; callers have to check.
    """

    def __init__(self) -> None:
        self._runs: list[array[int]] = []
        self._recent: list[int] = []
        """Will become the next run."""

    def add(self, keys: Iterable[int]) -> None:
        """Add rows."""
        self._recent.extend(keys)
        if len(self._recent) >= MAX_RECENT:
            self._runs.append(array("Q", sorted(self._recent)))
            self._recent.clear()

    def add_missing(self, keys: Iterable[int]) -> None:
        """Add rows, some of which may be in the index already."""
        runs = self._sorted()
        self.add([key for key in keys if all(bisect_left(run, key) == bisect_right(run, key) for run in runs)])

    def find(self, calls: Iterable[str], *, with_person: bool = False) -> list[int]:
        """The numbers of rows that may be of these calls; optionally only of those that name a person."""
        runs, found = self._sorted(), []
        for call in calls:
            first, last = _call_hash(call, with_person=with_person), _call_hash(call, with_person=True) | _NUMBER_MASK
            keys = chain.from_iterable(run[bisect_left(run, first) : bisect_right(run, last)] for run in runs)
            found += [key & _NUMBER_MASK for key in islice(keys, _MAX_PER_CALL)]
        return list(dict.fromkeys(found))

    def _sorted(self) -> list[Sequence[int]]:
        self._recent.sort()
        return [*self._runs, self._recent]


# Row numbers by entry

_NUMBERS = """
PRAGMA journal_mode = OFF;
CREATE TABLE numbers (key INTEGER PRIMARY KEY, number INTEGER NOT NULL);
"""


def identity_key(text: str) -> int:
    """The key of an identity, valid in this process only.

    With 64 bits, one in 30 million lists of a million entries has a collision.
    """
    return hash(text)


class RowNumbers:
    """Assigns each key a number, counting from 1.

    A table in memory: about 25 bytes per key instead of 100 in a `dict`, and it grows without pauses.
    """

    def __init__(self) -> None:
        self._table = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._table.executescript(_NUMBERS)
        self.last = 0
        """The highest number assigned."""

    def assign(self, keys: Collection[int]) -> list[int]:
        """The number of each key; those above `last` as it was before are new."""
        numbers = range(self.last + 1, self.last + 1 + len(keys))
        pairs = zip(keys, numbers, strict=True)
        added = self._table.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?)", pairs).rowcount
        if added == len(keys):
            self.last += added
            return list(numbers)
        found = self.find(keys)
        self.last = max(self.last, *found.values())
        return [found[key] for key in keys]

    def find(self, keys: Iterable[int]) -> dict[int, int]:
        """The numbers of those keys that have one."""
        query = "SELECT key, number FROM numbers WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self._table.execute(query, (json_array(keys),)))

    def forget(self, numbers: Iterable[int]) -> None:
        """Delete the keys of these numbers."""
        query = "DELETE FROM numbers WHERE number IN (SELECT value FROM json_each(?))"
        self._table.execute(query, (json_array(numbers),))

    def clear(self) -> None:
        """Delete all keys and start again at 1."""
        self._table.execute("DELETE FROM numbers")
        self.last = 0

    def close(self) -> None:
        """Free the memory."""
        self._table.close()


def json_array(numbers: Iterable[int]) -> str:
    """Numbers as a JSON array, for `json_each` in SQL."""
    return msgspec.json.encode(list(numbers)).decode()

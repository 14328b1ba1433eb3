"""Rows on disk: a private SQLite file that no other program sees."""

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
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Column, Entry, Folder, StoredObject, identity
from cloudstore_tui.fiql.fields import type_label
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
_FETCH = 4096
_LARGEST = 2**53
"""More bytes than any service holds; a million of them still add up."""


Answer = TypeVar("Answer")


class RowFacts(NamedTuple):
    """What is kept in memory about an entry."""

    number: int
    is_folder: bool
    is_new: bool
    matches: bool
    """Whether the filter that was given finds it."""
    size: int
    """Bytes; 0 if unknown."""
    rounded: bool
    """Whether `size` is not exact, or not known."""
    moment: int
    """When it was made or changed, in seconds of the epoch; 0 if unknown."""


Shown: TypeAlias = Callable[[Entry], str]
"""Tells what a list shows of an entry."""


class RowDatabase:
    """Entries by row number, each once.

    The file has no name from the start: it is removed from its folder as soon as it is open, so that nothing stays
    behind even if the program is killed. A second connection sorts in a thread while the first one reads and writes.
    """

    def __init__(self, folder: Path | None = None, shown: Shown | None = None) -> None:
        """Open it.

        Args:
            folder: where the file is.
            shown: what a list shows of an entry beside its name and tags; a filter looks into that, too.
        """
        self._shown = shown
        self._folder = str(folder or _large_temporary_folder())
        self._numbers = RowNumbers()
        self._calls = CallIndex()
        self._sequence = 0
        self._sorting = threading.Lock()
        self.closed = False
        with self._disk_errors():
            private = tempfile.mkdtemp(prefix="cloudstore-", dir=self._folder)
            try:
                self._rows, self._sorter = _opened(Path(private) / "rows.sqlite")
            finally:
                shutil.rmtree(private, ignore_errors=True)

    def add(
        self, entries: Iterable[Entry], *, found_by: str = "", update: bool = False, again: bool = False
    ) -> list[RowFacts]:
        """Keep entries; those known already are left, or replaced if `update`.

        Args:
            entries: one page of them; of equal ones the first wins, or the last if `update`.
            found_by: the filter that tells `RowFacts.matches`.
            update: whether known entries are replaced by what is given.
            again: whether known entries also get a new place in the order of arrival.
        """
        by_key: dict[int, Entry] = {}
        for entry in entries:
            key = key_of(entry)
            if update or key not in by_key:
                by_key[key] = entry
        needle, before = codec.needle(found_by), self._numbers.last
        rows: list[RowFacts] = []
        new: list[_NewRow] = []
        old: list[_OldRow] = []
        numbers = self._numbers.give(by_key)
        for sequence, number, entry in zip(count(self._sequence), numbers, by_key.values(), strict=False):
            words, is_folder, is_new = self._words_of(entry), isinstance(entry, Folder), number > before
            if is_new:
                new.append((number, sequence, is_folder, words, codec.encode(entry)))
            elif update:
                place = sequence if again else None
                old.append((place, is_folder, words, codec.encode(entry), number))
            rows.append(RowFacts(number, is_folder, is_new, needle in words, *_size(entry), _moment(entry)))
        self._sequence += len(rows)
        self._write(new, old)
        self._calls.add(_call_keys(rows, by_key.values(), new=True))
        if update:
            self._calls.add_missing(_call_keys(rows, by_key.values(), new=False))
        return rows

    def _words_of(self, entry: Entry) -> str:
        words = codec.words(entry)
        return words if self._shown is None else f"{words}\n{codec.needle(self._shown(entry))}"

    def read(self, numbers: Iterable[int]) -> list[Entry]:
        """The entries of these rows, in this order."""
        # CROSS JOIN keeps the order of its left side.
        query = "SELECT folder, body FROM json_each(?) CROSS JOIN rows ON number = value"
        with self._disk_errors():
            found = self._rows.execute(query, (listed(numbers),)).fetchall()
        return [codec.decode(body, is_folder=folder) for folder, body in found]

    def of_call(self, entry: Entry) -> list[Entry]:
        """The rows that belong to the same call as an entry, itself among them, in order of arrival."""
        call = call_of(entry)
        query = "SELECT folder, body FROM json_each(?) CROSS JOIN rows ON number = value ORDER BY sequence"
        with self._disk_errors():
            found = self._rows.execute(query, (listed(self._calls.find([call] if call else [])),)).fetchall()
        rows = [codec.decode(body, is_folder=folder) for folder, body in found]
        return [row for row in rows if call_of(row) == call]

    def tellers(self, entries: Iterable[Entry]) -> dict[str, StoredObject]:
        """For each entry that does not tell whose call it is of, by identity: a row of the same call that does."""
        silent = {identity(entry): call for entry in entries if (call := call_of(entry)) and not _tells(entry)}
        rows = self.read(self._calls.find(set(silent.values()), telling=True))
        told = {call_of(row): row for row in rows if isinstance(row, StoredObject) and _tells(row)}
        return {name: told[call] for name, call in silent.items() if call in told}

    def find(self, identities: Iterable[str]) -> list[int]:
        """The rows of those entries that are known."""
        return list(self._numbers.find(map(key_of_identity, identities)).values())

    def delete(self, numbers: Iterable[int]) -> None:
        """Forget rows."""
        gone = [(number,) for number in numbers]
        with self._disk_errors(), self._transaction():
            self._rows.executemany("DELETE FROM rows WHERE number = ?", gone)
        self._numbers.forget(number for (number,) in gone)

    def clear(self) -> None:
        """Forget all rows; the next one is number 1."""
        self.interrupt()
        with self._disk_errors():
            self._rows.execute("DELETE FROM rows")
        self._numbers.clear()
        self._calls = CallIndex()

    @property
    def last(self) -> int:
        """The highest row number there is."""
        return self._numbers.last

    def arranged(self, found_by: str, column: Column | None, descending: bool, last: int) -> "array[int] | None":
        """The rows up to `last` that a filter finds, folders first, in the order of a column or of arrival.

        May run in a thread, at the same time as everything else. Values that are not known come last in both
        directions. `None` if `interrupt` or `close` came in between.
        """
        where, arguments = _where(found_by, last)
        order = ""
        if column is not None:
            key, more = codec.sort_key(column)
            order = f", {key} COLLATE NOCASE {'DESC' if descending else 'ASC'} NULLS LAST"
            arguments.extend(more)
        query = f"SELECT number FROM rows WHERE number <= ? {where} ORDER BY folder DESC{order}, sequence"
        return self._aside(query, arguments, _collected)

    def tally(self, found_by: str, column: Column, limit: int) -> "list[tuple[str, int]] | None":
        """The most frequent values of a column among the objects that a filter finds, each with its count.

        May run in a thread. What has no value counts as an empty text. `None` as with `arranged`.
        """
        key, more = codec.column_value(column)
        where, arguments = _where(found_by, self.last)
        query = (
            f"SELECT coalesce({key}, ''), count(*) AS many FROM rows WHERE number <= ? {where} AND NOT folder "
            "GROUP BY 1 ORDER BY many DESC, 1 LIMIT ?"
        )
        return self._aside(
            query, [*more, *arguments, limit], lambda found: [(str(value), many) for value, many in found]
        )

    def _aside(
        self, query: str, arguments: list[str | int], collected: Callable[[sqlite3.Cursor], Answer]
    ) -> Answer | None:
        """An answer of the second connection; `None` if it was interrupted."""
        with self._sorting, self._disk_errors():
            try:
                return None if self.closed else collected(self._sorter.execute(query, arguments))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    return None
                raise

    def interrupt(self) -> None:
        """Let `arranged`, running in a thread, give up."""
        if not self.closed:
            self._sorter.interrupt()

    def close(self) -> None:
        """Give the disk space back."""
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
            raise LocalDiskError(
                f"the list could not be kept on disk ({error})",
                subject=self._folder,
                hint="Free some space, or set TMPDIR to a folder that has it.",
            ) from None


def _opened(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    path.touch(mode=0o600)
    # Each connection is used by one thread at a time, the second one under a lock.
    rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    rows.executescript(_ROWS)
    sorter = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for connection in (rows, sorter):
        connection.execute(_CACHE)
        connection.create_function("natural_key", 1, codec.natural_key_of, deterministic=True)
        connection.create_function("type_label", 1, type_label, deterministic=True)
        # Reading opens the log beside the file: it has to be open before its name goes.
        connection.execute("SELECT count(*) FROM rows").fetchone()
    return rows, sorter


def _where(found_by: str, last: int) -> tuple[str, list[str | int]]:
    """The condition on `words` and the values that a query of the rows up to `last` needs."""
    return ("AND instr(words, ?)", [last, codec.needle(found_by)]) if found_by else ("", [last])


def _collected(cursor: sqlite3.Cursor) -> "array[int]":
    numbers = array("I")
    while found := cursor.fetchmany(_FETCH):
        numbers.extend([number for (number,) in found])
    return numbers


_NewRow: TypeAlias = tuple[int, int, bool, str, str]
_OldRow: TypeAlias = tuple[int | None, bool, str, str, int]


def _size(entry: Entry) -> tuple[int, bool]:
    if isinstance(entry, StoredObject) and entry.size is not None and entry.size >= 0:
        return min(entry.size, _LARGEST), not entry.size_exact
    return 0, True


def _moment(entry: Entry) -> int:
    made = entry.created or entry.modified if isinstance(entry, StoredObject) else None
    return int(made.timestamp()) if made is not None else 0


def _large_temporary_folder() -> str:
    # /tmp is memory on many systems, and a million rows take a gigabyte; SQLite looks in the same order.
    if not os.environ.get("TMPDIR") and os.access("/var/tmp", os.W_OK | os.X_OK):
        return "/var/tmp"
    return tempfile.gettempdir()


# Which rows are of one call


def call_of(entry: Entry) -> str:
    """What objects of one call have in common; empty if it is of none."""
    return entry.tag("callId") if isinstance(entry, StoredObject) else ""


def _tells(entry: Entry) -> bool:
    """Whether it tells who spoke."""
    return isinstance(entry, StoredObject) and bool(entry.tag("agentName") or entry.tag("userName"))


def _call_keys(rows: Iterable[RowFacts], entries: Iterable[Entry], *, new: bool) -> list[int]:
    """The keys of those entries of rows that are of a call."""
    pairs = zip(rows, entries, strict=True)
    return [
        _call_hash(call, telling=_tells(entry)) | row.number
        for row, entry in pairs
        if row.is_new is new and (call := call_of(entry))
    ]


def _call_hash(call: str, *, telling: bool) -> int:
    return (hash(call) & 0xFFFFFFFF) << 32 | telling << 31


_NUMBER = 2**31 - 1
MAX_RECENT = 65_536
"""Keys that wait for a run of their own."""
_OF_ONE_CALL = 64
"""Rows of one call that are found at most."""


class CallIndex:
    """Which rows are of a call: a key each of its hash, whether the row tells who spoke, and its number.

    Eight bytes a row, in sorted runs, so that adding costs the same however many there are. What is found may be of
    another call with the same hash, have changed or be gone: whoever reads it looks again.
    """

    def __init__(self) -> None:
        self._runs: list[array[int]] = []
        self._recent: list[int] = []
        """What becomes the next run."""

    def add(self, keys: Iterable[int]) -> None:
        """Add rows."""
        self._recent.extend(keys)
        if len(self._recent) >= MAX_RECENT:
            self._runs.append(array("Q", sorted(self._recent)))
            self._recent.clear()

    def add_missing(self, keys: Iterable[int]) -> None:
        """Add rows, some of which may be there already."""
        runs = self._sorted()
        self.add([key for key in keys if all(bisect_left(run, key) == bisect_right(run, key) for run in runs)])

    def find(self, calls: Iterable[str], *, telling: bool = False) -> list[int]:
        """The numbers of rows that may be of these calls; of all, or of those that tell who spoke."""
        runs, found = self._sorted(), []
        for call in calls:
            first, last = _call_hash(call, telling=telling), _call_hash(call, telling=True) | _NUMBER
            keys = chain.from_iterable(run[bisect_left(run, first) : bisect_right(run, last)] for run in runs)
            found += [key & _NUMBER for key in islice(keys, _OF_ONE_CALL)]
        return list(dict.fromkeys(found))

    def _sorted(self) -> list[Sequence[int]]:
        self._recent.sort()
        return [*self._runs, self._recent]


# Which row number each entry has

_NUMBERS = """
PRAGMA journal_mode = OFF;
CREATE TABLE numbers (key INTEGER PRIMARY KEY, number INTEGER NOT NULL);
"""


def key_of(entry: Entry) -> int:
    """A key for an entry's identity, good for this process."""
    return key_of_identity(identity(entry))


def key_of_identity(text: str) -> int:
    """A key for an identity: 64 bits, so that two of a million entries share one in 30 million listings."""
    return hash(text)


class RowNumbers:
    """Gives each key a number of its own, counting from 1.

    A table in memory: about 25 bytes per key, where a `dict` takes 100, and it grows without pauses.
    """

    def __init__(self) -> None:
        self._table = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._table.executescript(_NUMBERS)
        self.last = 0
        """The highest number given."""

    def give(self, keys: Collection[int]) -> list[int]:
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
        return dict(self._table.execute(query, (listed(keys),)))

    def forget(self, numbers: Iterable[int]) -> None:
        """Let the keys of these numbers be unknown again."""
        query = "DELETE FROM numbers WHERE number IN (SELECT value FROM json_each(?))"
        self._table.execute(query, (listed(numbers),))

    def clear(self) -> None:
        """Begin again with 1."""
        self._table.execute("DELETE FROM numbers")
        self.last = 0

    def close(self) -> None:
        """Give the memory back."""
        self._table.close()


def listed(numbers: Iterable[int]) -> str:
    """Numbers as one argument of SQL, for `json_each`."""
    return msgspec.json.encode(list(numbers)).decode()

"""A database for one run: on disk, so that memory stays small, and gone with the process."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.fs.disk import PRIVATE_FOLDER, database_error
from cloudstore_tui.fs.whole_file import refuse_shared

_CACHE_KIB = 4096
"""Size of the page cache in memory."""
_BATCH_ROWS = 200
"""Rows that `walk` reads at a time."""


class ScratchDatabase:
    """A database that nobody else can open, for one thread at a time.

    Every method raises `LocalDiskError` if the disk fails.
    """

    def __init__(self, folder: Path | None, schema: str) -> None:
        """Create the tables of `schema`.

        The file lies in `folder`, which is created if missing; failing that, in the system's temporary folder, and
        failing that, in memory.
        """
        with self._errors():
            self._connection = _open(folder)
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._connection.executescript(schema)

    def execute(self, statement: str, values: Iterable[object] = ()) -> None:
        """Execute a statement without a result."""
        with self._errors():
            self._connection.execute(statement, tuple(values))

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Execute a statement once for each row, in one transaction."""
        with self._errors(), self.transaction():
            self._connection.executemany(statement, rows)

    def all(self, statement: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._errors():
            return self._connection.execute(statement, tuple(values)).fetchall()

    def one(self, statement: str, values: Iterable[object] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with self._errors():
            found: tuple[Any, ...] | None = self._connection.execute(statement, tuple(values)).fetchone()
            return found

    def walk(
        self, columns: str, table: str, condition: str = "1", values: Iterable[object] = (), *, first: object = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Rows in the order of their first column, read in batches, so that the table may be changed meanwhile.

        Args:
            columns: the columns to read; the first must be unique.
            table: the table.
            condition: of the WHERE clause.
            values: for the placeholders in the condition.
            first: less than any value of the first column.
        """
        key = columns.partition(",")[0]
        statement = f"SELECT {columns} FROM {table} WHERE {key} > ? AND {condition} ORDER BY {key} LIMIT {_BATCH_ROWS}"
        while rows := self.all(statement, (first, *values)):
            yield from rows
            first = rows[-1][0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction around the block, for speed only: a failure rolls nothing back."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN")
        yield
        self.execute("COMMIT")

    def close(self) -> None:
        """Discard everything."""
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise database_error(error, "scratch data", "", "set TMPDIR to a folder that has space") from None


def _open(folder: Path | None) -> sqlite3.Connection:
    if folder is not None:
        with suppress(OSError, sqlite3.Error, LocalDiskError):
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            refuse_shared(folder)
            return _open_unlinked(folder)
    with suppress(OSError, sqlite3.Error):
        return _open_unlinked(Path(tempfile.gettempdir()))
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _open_unlinked(folder: Path) -> sqlite3.Connection:
    """A database whose file has no name, so that nothing is left behind however the process ends."""
    handle, name = tempfile.mkstemp(prefix="cloudstore-", suffix=".db", dir=folder)
    os.close(handle)
    try:
        connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
        # Nothing in it has to survive, and a journal would need the name of the file.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        # SQLite only opens the file when it is first used.
        connection.execute("CREATE TABLE opened(yes)")
    finally:
        Path(name).unlink()
    return connection

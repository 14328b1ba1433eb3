"""A database for one run: on the disk, so that memory stays small, and gone with the process."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cloudstore_tui.core.errors import FullDiskError, LocalDiskError, StorageError
from cloudstore_tui.fs.disk import PRIVATE_FOLDER
from cloudstore_tui.fs.whole_file import refuse_shared

_CACHE = 4096
"""KiB of it that are held in memory."""
_BATCH = 200
"""Rows read at once."""
_HINT = "Free some space, or set TMPDIR to a folder that has it."


class ScratchDatabase:
    """An empty database that nobody else can open. Used from one thread at a time.

    Every method raises `LocalDiskError` where the disk refuses.
    """

    def __init__(self, folder: Path | None, schema: str) -> None:
        """Make one.

        Args:
            folder: where its file lies, made if missing; where that cannot be, in the system's own place for such
                files, and where there is none, in memory.
            schema: statements that make its tables.
        """
        with self._errors():
            self._connection = _opened(folder)
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            self._connection.executescript(schema)

    def execute(self, statement: str, values: Iterable[object] = ()) -> None:
        """Change something."""
        with self._errors():
            self._connection.execute(statement, tuple(values))

    def execute_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Change something once for each row, all together."""
        with self._errors(), self.transaction():
            self._connection.executemany(statement, rows)

    def all(self, statement: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        with self._errors():
            return self._connection.execute(statement, tuple(values)).fetchall()

    def one(self, statement: str, values: Iterable[object] = ()) -> tuple[Any, ...] | None:
        """The first row of an answer."""
        with self._errors():
            found: tuple[Any, ...] | None = self._connection.execute(statement, tuple(values)).fetchone()
            return found

    def walk(
        self, columns: str, table: str, condition: str = "1", values: Iterable[object] = (), *, first: object = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Rows in the order of their first column, some at a time: others may be changed meanwhile.

        Args:
            columns: what they have; of the first one no two are equal.
            table: where they are.
            condition: which they are.
            values: what stands for the marks in it.
            first: less than any value of the first column.
        """
        key = columns.partition(",")[0]
        statement = f"SELECT {columns} FROM {table} WHERE {key} > ? AND {condition} ORDER BY {key} LIMIT {_BATCH}"
        while rows := self.all(statement, (first, *values)):
            yield from rows
            first = rows[-1][0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Changes inside the block become one, which is faster; what failed half-way is not taken back."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN")
        yield
        self.execute("COMMIT")

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _told(error) from None


def _told(error: sqlite3.Error) -> StorageError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return FullDiskError("the disk is full: scratch data cannot be kept", hint=_HINT)
    return LocalDiskError(f"scratch data cannot be kept on the disk: {error}", hint=_HINT)


def _opened(folder: Path | None) -> sqlite3.Connection:
    if folder is not None:
        with suppress(OSError, sqlite3.Error, LocalDiskError):
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            refuse_shared(folder)
            return _unnamed(folder)
    with suppress(OSError, sqlite3.Error):
        return _unnamed(Path(tempfile.gettempdir()))
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _unnamed(folder: Path) -> sqlite3.Connection:
    """A database in a file without a name: however the process ends, nothing is left."""
    handle, name = tempfile.mkstemp(prefix="cloudstore-", suffix=".db", dir=folder)
    os.close(handle)
    try:
        connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
        # Nothing in it has to survive, so there is no journal that would name the file.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        # Opens the file, which happens late otherwise.
        connection.execute("CREATE TABLE opened(yes)")
    finally:
        Path(name).unlink()
    return connection

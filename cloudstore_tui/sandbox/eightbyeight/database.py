"""The SQLite file behind the service."""

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudstore_tui.sandbox.eightbyeight.calls import Call, value_of
from cloudstore_tui.sandbox.eightbyeight.condition import Value
from cloudstore_tui.sandbox.eightbyeight.rules import match_from

Row = tuple[Any, ...]
"""One row of an answer."""


class Database:
    """One connection, used by one thread at a time.

    It need not survive a crash of the machine: the data can be made again from its seed.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        for setting in ("journal_mode = MEMORY", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        self._connection.create_function("holds", 2, _holds, deterministic=True)
        self._connection.create_function("derived", 7, _derived, deterministic=True)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """The answer to a question."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Value | bytes] | Mapping[str, Value] = ()) -> int:
        """Change something; the number of the last row that was added."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def run_many(self, sql: str, rows: Iterable[Sequence[Value | bytes]]) -> None:
        """Change something once for each row."""
        with self._lock:
            self._connection.executemany(sql, rows)

    def __enter__(self) -> "Database":
        """Begin a change that happens whole, or go on with the one that was begun."""
        self._lock.acquire()
        if not self._depth:
            self._connection.execute("BEGIN")
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._connection.execute("ROLLBACK" if kind else "COMMIT")
        self._lock.release()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _holds(value: str | int | None, key: str) -> bool:
    return match_from(key).holds(value)


def _derived(name: str, *numbers: int) -> str | int | None:
    return value_of(Call(*numbers), name)

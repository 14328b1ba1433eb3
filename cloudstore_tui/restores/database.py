"""The file that keeps the orders. Several programs use it at once."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cloudstore_tui.core.errors import BusyError, ConfigError, LocalDiskError, StorageError

VERSION = 1
BUSY = 10.0
"""Seconds that another program may keep the file locked."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders(
  profile TEXT NOT NULL, region TEXT NOT NULL, path TEXT NOT NULL,
  name TEXT NOT NULL, size INTEGER, days INTEGER NOT NULL,
  stage TEXT NOT NULL, added REAL NOT NULL, asked REAL, looked REAL, ready REAL, expires REAL,
  folder TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  looks INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
  told INTEGER NOT NULL DEFAULT 0, warned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (profile, region, path)
) WITHOUT ROWID
"""


class Database:
    """Opens the file for each piece of work: between two looks that are minutes apart, nothing is held."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept; nothing is made by looking."""
        return self.path.exists()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """One transaction that others see whole or not at all.

        Raises:
            ConfigError: a newer version of the program has made the file.
            BusyError: another program keeps it locked.
            LocalDiskError: it cannot be read or written.
        """
        try:
            self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
            # SQLite gives its other files the rights of this one.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            with closing(sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                self._prepare(connection)
                yield connection
                connection.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise ConfigError(
                "a newer version of this program wrote it",
                subject=str(self.path),
                hint="Use that version, or set XDG_STATE_HOME to another folder.",
            )
        if version == 0:
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def _failure(self, error: OSError | sqlite3.Error) -> StorageError:
        subject = str(self.path)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return BusyError("another program keeps the list of restores locked", subject=subject)
        # Without a code: a row that makes no sense. SQLITE_ERROR: the table is not there.
        damaged = (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        if isinstance(error, sqlite3.Error) and code in damaged:
            hint = "Move it away: the objects stay as they are, and can be asked for again."
            return LocalDiskError("the list of restores is damaged", subject=subject, hint=hint)
        reason = (error.strerror or "unknown").lower() if isinstance(error, OSError) else "the disk refuses"
        message = f"the list of restores cannot be written: {reason}"
        return LocalDiskError(message, subject=subject, hint="Check the folder, or set XDG_STATE_HOME to another one.")

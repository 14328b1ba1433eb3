"""The file of the journal, and the one thread that reads and writes it."""

import contextlib
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from cloudstore_tui.core.errors import BusyError, ConfigError, LocalDiskError, StorageError
from cloudstore_tui.fs.disk import PRIVATE_FILE, PRIVATE_FOLDER

Result = TypeVar("Result")
Job = Callable[[sqlite3.Connection], Any]

VERSION = 1
BUSY = 10.0
"""Seconds that another program may keep the journal locked."""
GATHER = 0.05
"""Seconds in which facts that nobody waits for are gathered, so that many share one write to the disk."""
_AGAIN = 0.02
_CLOSING = 2.0
_SCHEMA = (Path(__file__).parent / "schema.sql").read_text()


class Database:
    """Carries out jobs in the order they were given, many in one transaction.

    Raises:
        ConfigError: a newer version of the program has made the file.
        BusyError: another program keeps it locked.
        LocalDiskError: it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside: Path | None = None
        """Where a journal was moved to that could not be read."""
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any] | None] | None] = queue.SimpleQueue()
        self._connection = self._open()
        self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
        self._thread.start()

    def tell(self, job: Job) -> None:
        """Have something written soon. Nobody learns whether that worked: only for what may be lost."""
        self._jobs.put((job, None))

    def ask(self, job: Callable[[sqlite3.Connection], Result]) -> Future[Result]:
        """Have something done; the result when it, and everything told before, is on the disk.

        The future raises `LocalDiskError` or `BusyError`.
        """
        future: Future[Result] = Future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Write what was told, and end."""
        self._jobs.put(None)
        self._thread.join(_CLOSING)

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            # SQLite gives its other files the rights of this one.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE))
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                self.aside = _move_aside(self.path)
                return self._connect()
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            _share(connection)
            for setting in ("synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise ConfigError(
                    "a newer version of this program wrote it",
                    subject=str(self.path),
                    hint="Use that version, or set XDG_STATE_HOME to another folder.",
                )
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _serve(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            if batch:
                self._carry_out(batch)
        self._connection.close()

    def _gather(self) -> tuple[list[tuple[Job, Future[Any] | None]], bool]:
        """What is to be done next; and whether there may be more."""
        batch: list[tuple[Job, Future[Any] | None]] = []
        item = self._jobs.get()
        deadline = time.monotonic() + GATHER
        while item is not None:
            batch.append(item)
            wait = 0.0 if item[1] is not None else deadline - time.monotonic()
            try:
                item = self._jobs.get(timeout=wait) if wait > 0 else self._jobs.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _carry_out(self, batch: list[tuple[Job, Future[Any] | None]]) -> None:
        batch = [(job, future) for job, future in batch if future is None or future.set_running_or_notify_cancel()]
        results: list[tuple[Future[Any], Any]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job, future in batch:
                result = job(self._connection)
                if future is not None:
                    results.append((future, result))
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who wait, and the next batch goes on
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            failure = self._failure(error) if isinstance(error, sqlite3.Error | OSError) else error
            for _, future in batch:
                if future is not None:
                    future.set_exception(failure)
            return
        for future, result in results:
            future.set_result(result)

    def _failure(self, error: OSError | sqlite3.Error) -> StorageError:
        place = str(self.path)
        if isinstance(error, OSError):
            message = f"the journal of transfers cannot be written: {(error.strerror or 'unknown').lower()}"
            return LocalDiskError(
                message, subject=place, hint="Check the folder, or set XDG_STATE_HOME to another one."
            )
        if _is_busy(error):
            return BusyError("another program keeps the journal of transfers locked", subject=place)
        full = _code(error) == sqlite3.SQLITE_FULL
        message = "the disk is full" if full else "the journal of transfers cannot be written"
        return LocalDiskError(message, subject=place, hint="Free some space, or set XDG_STATE_HOME to another folder.")


def _share(connection: sqlite3.Connection) -> None:
    """Let others read while one writes. When two programs make the file at once, SQLite refuses instead of waiting."""
    deadline = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN)
        else:
            return


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE))
    return aside

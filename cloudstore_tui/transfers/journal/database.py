"""The file of the journal, the one thread that reads and writes it, and the marker files of programs that use it."""

import contextlib
import fcntl
import logging
import os
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from cloudstore_tui.core.errors import BusyError, ConfigError, LocalDiskError, StorageError
from cloudstore_tui.fs.disk import PRIVATE_FILE, PRIVATE_FOLDER, database_error
from cloudstore_tui.fs.whole_file import refuse_shared
from cloudstore_tui.net.handoff import End
from cloudstore_tui.transfers.workers import start_thread

_log = logging.getLogger(__name__)

Job = Callable[[sqlite3.Connection], Any]

VERSION = 5
BUSY_TIMEOUT_S = 10.0
"""Seconds that another program may keep the journal locked."""
GATHER_S = 0.05
"""Seconds in which changes that nobody waits for are gathered, so that many share one write to the disk."""
_RETRY_S = 0.02
_CLOSE_TIMEOUT_S = 2.0
_TRIES = 5
_SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
_MIGRATIONS = {
    1: (
        "ALTER TABLE transfer RENAME COLUMN tid TO part_id",
        *(
            f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''"
            for table, columns in (("transfer", ("root", "account", "file", "alone")), ("member", ("root",)))
            for column in columns
        ),
    ),
    2: ("ALTER TABLE transfer ADD COLUMN batch TEXT NOT NULL DEFAULT ''",),
    3: ("ALTER TABLE transfer ADD COLUMN place REAL NOT NULL DEFAULT 0", "UPDATE transfer SET place = created"),
    4: ("CREATE INDEX transfer_failed ON transfer (path) WHERE state = 'failed'",),
}
"""The statements that lead from each version to the next."""


class _QueuedJob(Struct):
    """A job, and who waits for it."""

    job: Job
    owner: int = 0
    """The id of its transfer; 0 for none."""
    end: End | None = None
    """Called with the result, if somebody waits for it."""
    is_wanted: Callable[[], bool] = lambda: True
    """Returns whether somebody still does."""


class Database:
    """Carries out jobs in their order, many in one transaction; a job that fails affects no other.

    Raises:
        ConfigError: a newer version of the program wrote the file.
        BusyError: another program keeps it locked.
        LocalDiskError: it cannot be read or written, or others can write to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside: Path | None = None
        """Where a damaged journal was moved; `None` if it was not damaged."""
        self._queue: list[_QueuedJob] = []
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Wakes the thread: for the first job, and for each that somebody waits for."""
        self._closing = False
        self._failures: dict[int, StorageError] = {}
        """Errors of jobs that nobody waited for, by transfer."""
        self._lock = threading.Lock()
        """Held where `_queue` and `_ended` must agree."""
        self._ended = False
        self._connection = self._open()
        try:
            self._thread = start_thread(self._serve, "journal")
        except StorageError:
            self._connection.close()
            raise

    def write(self, job: Job, owner: int = 0) -> None:
        """Carry out a job soon. If it fails, the next `run` for the owner gets the error."""
        self._put(_QueuedJob(job, owner=owner))

    def run(self, job: Job, end: End, is_wanted: Callable[[], bool] = lambda: True, *, owner: int = 0) -> None:
        """Carry out a job, unless nobody waits for it any more when it is its turn.

        Args:
            job: what to do.
            end: called in the thread of the journal with the result, once it and everything before it is on the disk;
                or with a `StorageError`, also for an earlier `write` of the owner.
            is_wanted: returns whether somebody still waits for it.
            owner: the id of its transfer.
        """
        self._put(_QueuedJob(job, owner, end, is_wanted))

    def close(self) -> None:
        """Write what is left, and end."""
        self._closing = True
        self._wake.put(None)
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _put(self, queued: _QueuedJob) -> None:
        with self._lock:
            has_ended, is_first = self._ended, not self._queue
            if not has_ended:
                self._queue.append(queued)
        if has_ended:
            self._fail([queued], self._closed())
        elif is_first or queued.end is not None:
            self._wake.put(None)

    def _closed(self) -> StorageError:
        return LocalDiskError("the journal of transfers is closed", subject=str(self.path))

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            refuse_shared(self.path.parent)
            # SQLite gives its other files the rights of this one.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE))
            refuse_shared(self.path)
            try:
                return self._connect()
            except (sqlite3.DatabaseError, _DamagedError) as error:
                if not _is_damaged(error):
                    raise
                self.aside = _move_aside(self.path)
                return self._connect()
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            # Any bytes can be read; `rows` decides whether they make sense.
            connection.text_factory = _text
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
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise _DamagedError
            for statement in _steps_from(version):
                connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _serve(self) -> None:
        batch: list[_QueuedJob] = []
        try:
            while self._queue or not self._closing:
                self._wait()
                if batch := self._take():
                    self.carry_out(batch)
                batch = []
        except BaseException as error:  # noqa: BLE001 - nobody else could report it
            _log.error("the thread of the journal ended", exc_info=error)
        finally:
            # Whoever waits gets an error, also if this thread ends by mistake.
            with self._lock:
                self._ended = True
            self._fail([*batch, *self._take()], self._closed())
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def _wait(self) -> None:
        """Return when somebody waits for a job, or a moment after the first one was queued."""
        self._wake.get()
        if not any(queued.end is not None for queued in self._queue):
            with contextlib.suppress(queue.Empty):
                self._wake.get(timeout=GATHER_S)

    def _take(self) -> list[_QueuedJob]:
        with self._lock:
            batch, self._queue = self._queue, []
        return batch

    def carry_out(self, batch: list[_QueuedJob]) -> None:
        """Carry out jobs in one transaction, and give the results to those who wait."""
        batch = [queued for queued in batch if queued.is_wanted()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            done = self._together(batch) or self._one_by_one(batch)
            self._connection.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._fail(batch, self._failure(error))
            if not isinstance(error, Exception):
                raise
            return
        for queued, result in done:
            if queued.end is not None:
                queued.end(result, None)

    def _together(self, batch: list[_QueuedJob]) -> list[tuple[_QueuedJob, Any]]:
        """Do all jobs and return their results; if one fails, nothing is done and the list is empty."""
        if self._failures:
            return []
        try:
            return [(queued, queued.job(self._connection)) for queued in batch]
        except Exception:
            if not self._connection.in_transaction:
                # Such as a full disk: SQLite has undone what came before, too.
                raise
            self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN IMMEDIATE")
            return []

    def _one_by_one(self, batch: list[_QueuedJob]) -> list[tuple[_QueuedJob, Any]]:
        """Do each job by itself; returns those that did not fail, and their results."""
        attempts = [(queued, self._attempt(queued)) for queued in batch]
        return [(queued, result) for queued, result in attempts if not isinstance(result, _Failed)]

    def _attempt(self, queued: _QueuedJob) -> Any:
        """Do a job within the transaction; returns its result, or `_Failed` if it failed alone.

        Raises:
            sqlite3.Error: the whole transaction is lost.
        """
        if queued.end is not None and (failure := self._failures.pop(queued.owner, None)) is not None:
            self._fail([queued], failure)
            return _Failed()
        self._connection.execute("SAVEPOINT job")
        try:
            result = queued.job(self._connection)
        except Exception as error:
            if not self._connection.in_transaction:
                # Such as a full disk: SQLite has undone what came before, too.
                raise
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            self._fail([queued], self._failure(error))
            return _Failed()
        self._connection.execute("RELEASE job")
        return result

    def _fail(self, batch: list[_QueuedJob], failure: StorageError) -> None:
        for queued in batch:
            if queued.end is not None:
                queued.end(None, failure)
            elif queued.owner:
                self._failures.setdefault(queued.owner, failure)

    def _failure(self, error: BaseException) -> StorageError:
        place = str(self.path)
        if isinstance(error, StorageError):
            return error
        if isinstance(error, sqlite3.Error) and _is_busy(error):
            return BusyError("another program keeps the journal of transfers locked", subject=place)
        if _is_damaged(error):
            hint = "Start the program again: it begins a new one, and leaves the damaged one beside it."
            return LocalDiskError("the journal of transfers is damaged", subject=place, hint=hint)
        return database_error(error, "the journal of transfers", place, "set XDG_STATE_HOME to another folder")


class _Failed:
    """The result of a job that failed, and whose error was passed on."""


class Writer:
    """The marker file of one running program, which keeps it locked. The lock ends with the process, however that ends.

    The process number would not do: the system gives it to another process later.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        refuse_shared(folder)
        for _ in range(_TRIES):
            self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
            self._path = folder / self.name
            self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
            _lock(self._file)
            # A program that looked between the two calls found no lock, and removed the file.
            if self._path.exists():
                return
            os.close(self._file)
        raise FileNotFoundError(f"{folder} loses what is written to it")

    def close(self) -> None:
        """Remove the marker, unless that was done."""
        if self._file >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
        self._file = -1


def living(folder: Path) -> frozenset[str]:
    """The names of the writers that still run; markers of others are removed."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(path.name for path in folder.iterdir() if _lives(path))


def process_of(name: str) -> int:
    """The number of the process that created a marker."""
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() and len(number) <= 10 else 0


def _lives(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        locked = _lock(file)
        if locked is None:
            return _runs(process_of(path.name))
        if not locked:
            return True
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(file)


def _lock(file: int) -> bool | None:
    """Whether the lock is ours now; `None` on a file system without locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _runs(process: int) -> bool:
    """Whether a process with this number runs: all that can be known without locks."""
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _steps_from(version: int) -> Iterator[str]:
    """The statements that bring a journal of this version to the present one."""
    if version == VERSION:
        return
    if version == 0:
        yield from _SCHEMA.split(";\n")
    for older in range(version or VERSION, VERSION):
        yield from _MIGRATIONS[older]
    yield f"PRAGMA user_version = {VERSION}"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _share(connection: sqlite3.Connection) -> None:
    """Let programs read while one writes. If two create the file at once, SQLite refuses instead of waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _DamagedError(Exception):
    """The journal can be opened, but not all of it can be read."""


def _is_damaged(error: BaseException) -> bool:
    damaged = isinstance(error, sqlite3.Error) and _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return damaged or isinstance(error, _DamagedError)


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE))
    return aside

"""Requests to restore archived objects: a persistent list, and the poller that works on it.

`RestoreStore` keeps the list in a small database that several programs can use at once. `RestorePoller` sends the
waiting requests to the service, polls the state of those under way, and records the results.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from cloudstore_tui.core.errors import (
    BusyError,
    ConfigError,
    ConflictError,
    LocalDiskError,
    MissingError,
    NetworkError,
    OutcomeUnknownError,
    StorageError,
    ThrottledError,
    UnavailableError,
    error_for_code,
)
from cloudstore_tui.core.links import is_loopback
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fs.disk import database_error
from cloudstore_tui.fs.whole_file import refuse_shared

USUAL_DURATION = timedelta(hours=24)
"""The service usually restores an object within this time."""
MAX_DURATION = timedelta(hours=72)
"""After this time a request is given up."""
EXPIRY_WARNING = timedelta(hours=24)
"""How long before the end of a restored copy to warn."""

AVAILABLE, ARCHIVED = "AVAILABLE", "ARCHIVED"
"""States of objects as the service names them."""


class RestoreStatus(StrEnum):
    """The status of a request."""

    WAITING = "waiting"
    """Not yet sent to the service."""
    ASKING = "asking"
    """Being sent to the service; if that takes long, the program that sent it has died."""
    RESTORING = "restoring"
    UNKNOWN = "unknown"
    """Sent, but it is unknown whether it arrived; the object's state will show."""
    READY = "ready"
    FETCHED = "fetched"
    FAILED = "failed"


UNSETTLED = frozenset(
    {RestoreStatus.WAITING, RestoreStatus.ASKING, RestoreStatus.RESTORING, RestoreStatus.UNKNOWN},
)
"""The statuses of requests that are not settled."""


class RestoreRequest(msgspec.Struct, frozen=True):
    """A request to restore one object; times are UTC."""

    location: Location
    name: str
    size: int | None
    days: int
    added: datetime
    status: RestoreStatus = RestoreStatus.WAITING
    asked: datetime | None = None
    checked: datetime | None = None
    checks: int = 0
    """How often it was polled before it was ready."""
    ready: datetime | None = None
    expires: datetime | None = None
    """The earliest time at which the copy may be gone again."""
    folder: str = ""
    """The folder to download it to once it is ready; empty if it is not to be downloaded."""
    note: str = ""
    """What is wrong, without the object's address."""
    hint: str = ""
    """What the user can do about it."""
    code: int = 0
    """The exit code of a failure."""
    title: str = ""
    """A title for people, where that says more than the name."""

    def is_unsettled(self, now: datetime) -> bool:
        """Whether it is unsettled and not yet given up."""
        return self.status in UNSETTLED and now - (self.asked or self.added) < MAX_DURATION

    def is_late(self, now: datetime) -> bool:
        """Whether it takes longer than usual."""
        return self.status in UNSETTLED and self.asked is not None and now - self.asked > USUAL_DURATION

    def is_abandoned(self, now: datetime) -> bool:
        """Whether the program that was requesting it has stopped before the service answered."""
        return self.status is RestoreStatus.ASKING and self.asked is not None and now - self.asked >= LEASE

    def has_expired(self, now: datetime) -> bool:
        """Whether the copy has probably expired."""
        return self.status is RestoreStatus.READY and self.expires is not None and now >= self.expires

    def can_be_fetched(self, now: datetime) -> bool:
        """Whether there is a copy to download."""
        return self.status is RestoreStatus.READY and not self.has_expired(now)

    def expires_soon(self, now: datetime) -> bool:
        """Whether the copy expires soon."""
        if self.status is not RestoreStatus.READY or self.expires is None:
            return False
        return now < self.expires <= now + EXPIRY_WARNING

    def failure(self, now: datetime) -> StorageError | None:
        """The error of a request that has failed or is overdue."""
        subject = self.location.address
        if self.status is RestoreStatus.FAILED:
            return error_for_code(self.code, self.note or "it cannot be restored", subject=subject, hint=self.hint)
        if self.status is RestoreStatus.UNKNOWN:
            return UnavailableError(self.note, subject=subject, hint="Look again with: cloudstore restore --wait")
        if self.status in UNSETTLED and not self.is_unsettled(now):
            message = "it did not come back within three days"
            return UnavailableError(message, subject=subject, hint="Ask 8x8, or ask again.")
        return None


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


# The list

FILE = "restores.db"
"""Its name in the state folder."""
LEASE = timedelta(minutes=2)
"""How long a step belongs to the process that took it. After that, others poll the object too, which does no harm."""
BUSY_TIMEOUT_S = 10.0
"""How long to wait for another program that has locked the file."""

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests(
  profile TEXT NOT NULL, region TEXT NOT NULL, path TEXT NOT NULL,
  name TEXT NOT NULL, size INTEGER, days INTEGER NOT NULL,
  status TEXT NOT NULL, added REAL NOT NULL, asked REAL, checked REAL, ready REAL, expires REAL,
  folder TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '',
  code INTEGER NOT NULL DEFAULT 0, checks INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
  told INTEGER NOT NULL DEFAULT 0, warned INTEGER NOT NULL DEFAULT 0, title TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (profile, region, path)
) WITHOUT ROWID
"""
_KEY = "profile = ? AND region = ? AND path = ?"
_CHECKED = "('asking', 'restoring', 'unknown')"
_OPEN = "('waiting', 'asking', 'restoring', 'unknown')"
_AMONG = "profile IN (SELECT value FROM json_each(:profiles))"
_NEVER = datetime.fromtimestamp(0, UTC)
_UNREADABLE = "what the list says of it cannot be read"
_FORGET = "Take it off the list, and ask again."


class RestoreStore:
    """The list. Every change is on the disk when its method returns; every method may block.

    Each step is taken by one program only: taking it postpones the next one in the same transaction. Rows that make no
    sense are given as failed requests.

    All methods raise `BusyError` (another program has locked the file), `LocalDiskError` (it cannot be read or written)
    and `ConfigError` (a newer version of the program wrote it), each with a hint.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, which the first request creates."""
        self.path = path

    def requests(self) -> tuple[RestoreRequest, ...]:
        """All requests, oldest first; works with a read-only file."""
        with self._reading() as database:
            if database is None:
                return ()
            return tuple(map(_request, database.execute("SELECT * FROM requests ORDER BY added, path")))

    def add(self, requests: Sequence[RestoreRequest]) -> None:
        """Add requests, replacing older ones for the same objects unless those were, or are being, sent."""
        with self._writing() as database:
            database.executemany(
                f"DELETE FROM requests WHERE {_KEY} AND NOT (status = 'restoring' AND asked > ?)"
                " AND NOT (status = 'asking' AND asked > ?)",
                [
                    (*_key(one.location), _seconds(one.added - MAX_DURATION), _seconds(one.added - LEASE))
                    for one in requests
                ],
            )
            database.executemany(
                "INSERT OR IGNORE INTO requests(profile, region, path, name, size, days, status, added, asked, folder,"
                " title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *_key(one.location),
                        *(_stored(one.name), one.size, one.days, one.status.value),
                        *(_seconds(one.added), _seconds(one.asked), one.folder, _stored(one.title)),
                    )
                    for one in requests
                ],
            )

    def set_folder(self, location: Location, folder: str) -> None:
        """Set the folder to download an object to."""
        self._set(location, folder=folder)

    def forget(self, locations: Iterable[Location]) -> int:
        """Remove requests from the list, which the service continues with; returns how many were on it."""
        if not self._exists:
            return 0
        with self._writing() as database:
            return sum(database.execute(f"DELETE FROM requests WHERE {_KEY}", _key(one)).rowcount for one in locations)

    # The next step

    def take_waiting(self, profiles: Sequence[str], now: datetime) -> RestoreRequest | None:
        """Take the next request to send."""
        where = f"status = 'waiting' AND due <= :now AND added > :oldest AND {_AMONG}"
        return self._take(where, "status = 'asking', asked = :now", profiles, now)

    def take_due(self, profiles: Sequence[str], now: datetime, since: datetime | None = None) -> RestoreRequest | None:
        """Take the next request to poll.

        Args:
            profiles: the available profiles.
            now: the time.
            since: include requests that are not due, if they were not polled since this time.
        """
        early = f"(status != 'asking' AND coalesce(checked, 0) < {_seconds(since)})" if since else "FALSE"
        where = f"status IN {_CHECKED} AND asked > :oldest AND (due <= :now OR {early}) AND {_AMONG}"
        return self._take(where, "checked = :now", profiles, now)

    def next_due(self, profiles: Sequence[str], now: datetime) -> datetime | None:
        """When the next step is due; `None` if there is none."""
        where = f"status IN {_OPEN} AND coalesce(asked, added) > :oldest AND {_AMONG}"
        with self._reading() as database:
            if database is None:
                return None
            sql = f"SELECT min(due) FROM requests WHERE {where} AND typeof(due) = 'real'"
            return _moment(database.execute(sql, _values(profiles, now)).fetchone()[0])

    # Results

    def mark_restoring(self, location: Location, days: int, due: datetime) -> None:
        """The service has accepted the request."""
        self._set(location, status="restoring", days=days, due=_seconds(due), note="")

    def mark_checked(self, location: Location, due: datetime) -> None:
        """It was polled, and is not ready yet."""
        with self._writing() as database:
            sql = f"UPDATE requests SET checks = checks + 1, due = ? WHERE {_KEY}"
            database.execute(sql, (_seconds(due), *_key(location)))

    def mark_unknown(self, location: Location, note: str, due: datetime) -> None:
        """It is unknown whether the service received the request."""
        self._set(location, status="unknown", note=note, due=_seconds(due))

    def mark_ready(self, location: Location, now: datetime, expires: datetime) -> None:
        """It can be fetched."""
        self._set(location, status="ready", ready=_seconds(now), expires=_seconds(expires), note="")

    def mark_waiting(self, location: Location, note: str, due: datetime) -> None:
        """The service certainly did not receive the request; it is sent again later."""
        self._set(location, status="waiting", asked=None, note=note, due=_seconds(due))

    def mark_failed(self, location: Location, error: StorageError) -> None:
        """The request has failed for good."""
        self._set(location, status="failed", note=error.message, hint=error.hint, code=error.code)

    def mark_fetched(self, location: Location) -> None:
        """It was downloaded, so no reminder is needed."""
        if self._exists:
            self._set(location, status="fetched")

    # Notifications, each given once

    def take_ready(self) -> tuple[RestoreRequest, ...]:
        """Requests whose objects are ready; each is given once, to one program."""
        return self._once("status = 'ready' AND told = 0", "told")

    def take_expiring(self, now: datetime) -> tuple[RestoreRequest, ...]:
        """Requests whose copies expire soon; each is given once."""
        return self._once("status = 'ready' AND warned = 0 AND expires BETWEEN :now AND :until", "warned", now)

    def _once(self, where: str, mark: str, now: datetime = _NEVER) -> tuple[RestoreRequest, ...]:
        if not self._exists:
            return ()
        with self._writing() as database:
            values = {"now": _seconds(now), "until": _seconds(now + EXPIRY_WARNING)}
            rows = database.execute(f"SELECT * FROM requests WHERE {where} ORDER BY added", values).fetchall()
            database.executemany(f"UPDATE requests SET {mark} = 1 WHERE {_KEY}", [tuple(row)[:3] for row in rows])
            return tuple(one for one in map(_request, rows) if one.status is RestoreStatus.READY)

    def _take(self, where: str, change: str, profiles: Sequence[str], now: datetime) -> RestoreRequest | None:
        if not self._exists:
            return None
        with self._writing() as database:
            sql = f"SELECT * FROM requests WHERE {where} ORDER BY due, added, path"
            for row in database.execute(sql, _values(profiles, now)).fetchall():
                found = _request(row)
                if found.status is RestoreStatus.FAILED:
                    database.execute(f"UPDATE requests SET status = 'failed' WHERE {_KEY}", tuple(row)[:3])
                    continue
                moments = {"now": _seconds(now), "lease": _seconds(now + LEASE)}
                key = "profile = :profile AND region = :region AND path = :path"
                database.execute(f"UPDATE requests SET {change}, due = :lease WHERE {key}", dict(row) | moments)
                return found
            return None

    def _set(self, location: Location, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._writing() as database:
            database.execute(f"UPDATE requests SET {columns} WHERE {_KEY}", (*values.values(), *_key(location)))

    # The file, opened for each operation: minutes may pass between two of them

    @property
    def _exists(self) -> bool:
        """Whether there is a file; reading must not create one."""
        with self._errors_as_sentences():
            try:
                self.path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The file, opened to read; `None` if it is missing or empty."""
        if not self._exists:
            yield None
            return
        # If SQLite can write, it rolls back what a killed program left.
        mode = "rw" if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK) else "ro"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        with self._errors_as_sentences(), closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)) as found:
            _prepare(found)
            yield found if self._version(found) == _VERSION else None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._errors_as_sentences():
            self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
            # SQLite gives its other files the same permissions.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            with closing(sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
                _prepare(connection)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                if self._version(connection) < _VERSION:
                    connection.execute(_SCHEMA)
                    connection.execute(f"PRAGMA user_version = {_VERSION}")
                if "title" not in {row["name"] for row in connection.execute("PRAGMA table_info(requests)")}:
                    # An older program made the file; it can still use it with this column.
                    connection.execute("ALTER TABLE requests ADD COLUMN title TEXT NOT NULL DEFAULT ''")
                yield connection
                connection.execute("COMMIT")

    def _version(self, database: sqlite3.Connection) -> int:
        version: int = database.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise ConfigError(
                "a newer version of this program wrote it",
                subject=str(self.path),
                hint="Use that version, or set XDG_STATE_HOME to another folder.",
            )
        return version

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        """Turn errors of the file system and SQLite into `StorageError`."""
        try:
            # Anyone who can write to it could choose where objects are downloaded to.
            for place in (self.path.parent, self.path):
                if place.exists():
                    refuse_shared(place)
            yield
        except (OSError, sqlite3.Error, LookupError) as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> StorageError:
        subject = str(self.path)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            hint = "Try again once it has ended."
            return BusyError("another program keeps the list of restores locked", subject=subject, hint=hint)
        # No code: a row cannot be converted. SQLITE_ERROR: a table or a column is missing.
        damaged = (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        if not isinstance(error, OSError) and code in damaged:
            hint = "Move it away: the objects stay as they are, and can be asked for again."
            return LocalDiskError("the list of restores is damaged", subject=subject, hint=hint)
        return database_error(error, "the list of restores", subject, "set XDG_STATE_HOME to another folder")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda data: data.decode("utf-8", "replace")


def _key(location: Location) -> tuple[str, str, str | bytes]:
    return (location.profile, location.region, _stored(location.path))


def _stored(text: str) -> str | bytes:
    """Text as SQLite accepts it: lone surrogates, which a service may send, need bytes."""
    data = text.encode("utf-8", "surrogatepass")
    return data if any("\ud800" <= character <= "\udfff" for character in text) else text


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace")


def _values(profiles: Sequence[str], now: datetime) -> dict[str, object]:
    return {"now": _seconds(now), "oldest": _seconds(now - MAX_DURATION), "profiles": json.dumps(list(profiles))}


def _request(row: sqlite3.Row) -> RestoreRequest:
    """The request of a row; a failed one if the row makes no sense."""
    columns = row.keys()
    profile, region, path, name = (_text(row[column]) for column in ("profile", "region", "path", "name"))
    try:
        read = {
            "location": {"profile": profile, "region": region, "path": path},
            "name": name,
            "title": _text(row["title"]) if "title" in columns else "",
            "status": RestoreStatus(row["status"]),
            **{column: row[column] for column in ("size", "days", "checks", "folder", "note", "hint", "code")},
            **{column: _moment(row[column]) for column in ("added", "asked", "checked", "ready", "expires")},
        }
        return msgspec.convert(read, RestoreRequest)
    except (ValueError, TypeError, OverflowError, OSError, msgspec.ValidationError):
        location, failed, code = Location(profile, region, path), RestoreStatus.FAILED, LocalDiskError.code
        return RestoreRequest(location, name, None, 0, _NEVER, failed, note=_UNREADABLE, hint=_FORGET, code=code)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


# Polling

POLL_PAUSES_S = (900, 3600)
"""The first and the longest pause between two polls of one object."""
SANDBOX_PAUSES_S = (5, 30)
"""The same for a sandbox on this machine, which restores within seconds."""
MAX_PAUSE_S = 60.0
"""The longest pause between two reads of the list."""
RETRY_PAUSE = timedelta(minutes=1)
"""The shortest pause before a request that did not reach the service is sent again."""

_PAUSE_GROWTH = 1.3
_UNSETTLED_NOTE = "it is unknown whether the service received the request; asking again does no harm"
_UNDER_WAY = frozenset({ARCHIVED, "PENDING", ""})


class RestoreStep(msgspec.Struct, frozen=True):
    """One step of a request."""

    request: RestoreRequest
    """The request before the step."""
    status: RestoreStatus
    """Its status after the step."""
    error: StorageError | None = None


class RestorePoller:
    """Works on the requests of some profiles. Several programs may do so at once; each step is done by one of them."""

    def __init__(
        self,
        store: RestoreStore,
        provider: Callable[[str], StorageProvider],
        profiles: Callable[[], tuple[str, ...]],
        pauses: tuple[int, ...] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare it.

        Args:
            store: the list.
            provider: opens a profile by its name.
            profiles: returns the names of the available profiles.
            pauses: seconds between two polls of one object, the first and the longest; chosen by the service if empty.
            clock: returns the current time.
        """
        self.store = store
        self._provider = provider
        self._profiles = profiles
        self._pauses = pauses
        self._clock = clock

    async def ask(self) -> AsyncIterator[RestoreStep]:
        """Send all waiting requests, one after the other.

        Raises:
            StorageError: the list cannot be read or written.
        """
        allowed = tuple(name for name in self._profiles() if Capability.RESTORE in self._provider(name).capabilities)
        while (request := await asyncio.to_thread(self.store.take_waiting, allowed, self._clock())) is not None:
            yield await self._ask(request)

    async def poll(self, *, early: bool = False) -> AsyncIterator[RestoreStep]:
        """Poll all requests that are due, or with `early` all of them.

        Raises:
            StorageError: the list cannot be read or written.
        """
        since, take = self._clock() if early else None, self.store.take_due
        while (request := await asyncio.to_thread(take, self._profiles(), self._clock(), since)) is not None:
            yield await self._check(request)

    async def wait(self) -> None:
        """Sleep until the next step is due, or for at most a minute, since other programs change the list, too."""
        most = min([MAX_PAUSE_S, *(self._pauses_of(name)[0] for name in self._profiles())])
        due = await asyncio.to_thread(self.store.next_due, self._profiles(), self._clock())
        left = (due - self._clock()).total_seconds() if due is not None else most
        await asyncio.sleep(min(max(left, 0.1), most))

    async def _ask(self, request: RestoreRequest) -> RestoreStep:
        where = request.location
        try:
            days = await self._provider(where.profile).restore(where, request.days)
        except OutcomeUnknownError as error:
            await self._note(self.store.mark_unknown, request, _UNSETTLED_NOTE, self._next(request))
            return RestoreStep(request, RestoreStatus.UNKNOWN, error)
        except ConflictError:
            # The service says that it is being restored already.
            days = request.days
        except (NetworkError, ThrottledError) as error:
            pause = timedelta(seconds=error.wait or 0) if isinstance(error, ThrottledError) else RETRY_PAUSE
            await self._note(self.store.mark_waiting, request, error.message, self._clock() + max(pause, RETRY_PAUSE))
            return RestoreStep(request, RestoreStatus.WAITING, error)
        except StorageError as error:
            return await self._refused(request, error)
        await self._note(self.store.mark_restoring, request, days, self._next(request))
        return RestoreStep(request, RestoreStatus.RESTORING)

    async def _refused(self, request: RestoreRequest, error: StorageError) -> RestoreStep:
        """The service refused the request, perhaps because the object is available already."""
        try:
            entry = await self._provider(request.location.profile).stat(request.location)
        except StorageError:
            entry = None
        if isinstance(entry, StoredObject) and entry.state == AVAILABLE:
            return await self._ready(request)
        return await self._failed(request, error)

    async def _check(self, request: RestoreRequest) -> RestoreStep:
        try:
            entry = await self._provider(request.location.profile).stat(request.location)
        except MissingError as error:
            return await self._failed(request, error)
        except StorageError as error:
            # It may pass before the next poll, even a failed login, which somebody may repair.
            await self._note(self.store.mark_checked, request, self._next(request))
            return RestoreStep(request, request.status, error)
        state = entry.state if isinstance(entry, StoredObject) else ""
        if state == AVAILABLE:
            return await self._ready(request)
        if state not in _UNDER_WAY:
            gone = MissingError(f"its state is {state}", subject=request.location.address)
            return await self._failed(request, gone)
        return await self._still_restoring(request, state)

    async def _still_restoring(self, request: RestoreRequest, state: str) -> RestoreStep:
        if state == "PENDING" and request.status is not RestoreStatus.RESTORING:
            await self._note(self.store.mark_restoring, request, request.days, self._next(request))
            return RestoreStep(request, RestoreStatus.RESTORING)
        if request.status is RestoreStatus.ASKING:
            # The program that sent it died.
            await self._note(self.store.mark_unknown, request, _UNSETTLED_NOTE, self._next(request))
            return RestoreStep(request, RestoreStatus.UNKNOWN)
        await self._note(self.store.mark_checked, request, self._next(request))
        return RestoreStep(request, request.status)

    async def _ready(self, request: RestoreRequest) -> RestoreStep:
        now = self._clock()
        # It may have been available since the last poll, so the copy may expire that many days after it.
        since = request.checked or request.asked or now
        await self._note(self.store.mark_ready, request, now, since + timedelta(days=request.days))
        return RestoreStep(request, RestoreStatus.READY)

    async def _failed(self, request: RestoreRequest, error: StorageError) -> RestoreStep:
        await self._note(self.store.mark_failed, request, error)
        return RestoreStep(request, RestoreStatus.FAILED, error)

    async def _note(self, mark: Callable[..., None], request: RestoreRequest, *values: object) -> None:
        await asyncio.to_thread(mark, request.location, *values)

    def _pauses_of(self, profile: str) -> tuple[int, ...]:
        if self._pauses:
            return self._pauses
        return SANDBOX_PAUSES_S if is_loopback(self._provider(profile).profile.text("api_base")) else POLL_PAUSES_S

    def _next(self, request: RestoreRequest) -> datetime:
        pauses = self._pauses_of(request.location.profile)
        first, longest = pauses[0], pauses[-1]
        return self._clock() + timedelta(seconds=min(longest, first * _PAUSE_GROWTH**request.checks))

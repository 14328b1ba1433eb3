"""Requests for archived objects: a list that outlives the program, and the poller that looks after it.

`RestoreStore` keeps the list in a small database that several programs use at once. `RestorePoller` does what is to be
done about it: asks the service for what waits, looks now and then at what is on its way, and notes what came of it.
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
from cloudstore_tui.fs.whole_file import refuse_shared

USUAL = timedelta(hours=24)
"""Within this the service usually has an object back."""
LONGEST = timedelta(hours=72)
"""After this nobody waits any longer."""
LAST_CALL = timedelta(hours=24)
"""So long before a copy goes again, it is time to say so."""

AVAILABLE, ARCHIVED = "AVAILABLE", "ARCHIVED"
"""States of objects as the service names them."""


class RestoreStatus(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    """Wanted, but the service was not asked yet."""
    ASKING = "asking"
    """The service is being asked; if that takes long, the program that asked has died."""
    RESTORING = "restoring"
    UNKNOWN = "unknown"
    """It was sent, and whether it arrived is unknown: the object's state will tell."""
    READY = "ready"
    FETCHED = "fetched"
    FAILED = "failed"


GOING_ON = frozenset(
    {RestoreStatus.WAITING, RestoreStatus.ASKING, RestoreStatus.RESTORING, RestoreStatus.UNKNOWN},
)
"""Of these something is still to come."""


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
    """How often it was looked at in vain."""
    ready: datetime | None = None
    expires: datetime | None = None
    """The earliest moment at which the copy may be gone again."""
    folder: str = ""
    """Where to download it once it is ready; empty if it is not downloaded."""
    note: str = ""
    """What is wrong, without the object's address."""
    hint: str = ""
    """What the user can do about it."""
    code: int = 0
    """The exit code of a failure."""
    title: str = ""
    """What people call the object, where that says more than its name."""

    def goes_on(self, now: datetime) -> bool:
        """Whether it makes sense to wait for it."""
        return self.status in GOING_ON and now - (self.asked or self.added) < LONGEST

    def is_late(self, now: datetime) -> bool:
        """Whether it takes longer than it usually does."""
        return self.status in GOING_ON and self.asked is not None and now - self.asked > USUAL

    def is_over(self, now: datetime) -> bool:
        """Whether the copy has probably gone again."""
        return self.status is RestoreStatus.READY and self.expires is not None and now >= self.expires

    def can_be_fetched(self, now: datetime) -> bool:
        """Whether there is a copy."""
        return self.status is RestoreStatus.READY and not self.is_over(now)

    def ends_soon(self, now: datetime) -> bool:
        """Whether the copy expires soon."""
        if self.status is not RestoreStatus.READY or self.expires is None:
            return False
        return now < self.expires <= now + LAST_CALL

    def failure(self, now: datetime) -> StorageError | None:
        """What is wrong with it, if it has failed or is overdue."""
        subject = self.location.address
        if self.status is RestoreStatus.FAILED:
            return error_for_code(self.code, self.note or "it cannot be restored", subject=subject, hint=self.hint)
        if self.status is RestoreStatus.UNKNOWN:
            return UnavailableError(self.note, subject=subject, hint="Look again with: cloudstore restore --wait")
        if self.status in GOING_ON and not self.goes_on(now):
            message = "it did not come back within three days"
            return UnavailableError(message, subject=subject, hint="Ask 8x8, or ask again.")
        return None


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


# The list

FILE = "restores.db"
"""Its name in the state folder."""
LEASE = timedelta(minutes=2)
"""How long a step belongs to the process that took it. Then others look at the object too, which does no harm."""
BUSY = 10.0
"""Seconds that another program may keep the file locked."""

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
    """The list. Every change is on the disk when its method returns; every method may wait for another program.

    A step is taken by one program only: whoever takes it moves the moment of the next one in the same transaction.
    Rows that make no sense, as another program or a damaged disk may leave, are told as failed requests.

    All methods raise `BusyError` (another program keeps the file locked), `LocalDiskError` (it cannot be read or
    written) and `ConfigError` (a newer version of the program has made it), each with what can be done about it.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at `path`; nothing is made before something is put on the list."""
        self.path = path

    def requests(self) -> tuple[RestoreRequest, ...]:
        """All of them, the oldest first; also where the file can only be read."""
        with self._reading() as database:
            if database is None:
                return ()
            return tuple(map(_request, database.execute("SELECT * FROM requests ORDER BY added, path")))

    def add(self, requests: Sequence[RestoreRequest]) -> None:
        """Put requests on the list, in place of older ones for the same objects.

        One that the service was asked for stays as it is: another program may have been quicker.
        """
        with self._writing() as database:
            database.executemany(
                f"DELETE FROM requests WHERE {_KEY} AND NOT (status IN ('asking', 'restoring') AND asked > ?)",
                [(*_key(one.location), _seconds(one.added - LONGEST)) for one in requests],
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
        """Remember where to download an object."""
        self._set(location, folder=folder)

    def forget(self, locations: Iterable[Location]) -> int:
        """Remove requests from the list; returns how many were on it. The service continues with them."""
        if not self._exists:
            return 0
        with self._writing() as database:
            return sum(database.execute(f"DELETE FROM requests WHERE {_KEY}", _key(one)).rowcount for one in locations)

    # The next step

    def take_waiting(self, profiles: Sequence[str], now: datetime) -> RestoreRequest | None:
        """The next object to ask for, which is ours to ask for from now on."""
        where = f"status = 'waiting' AND due <= :now AND added > :oldest AND {_AMONG}"
        return self._take(where, "status = 'asking', asked = :now", profiles, now)

    def take_due(self, profiles: Sequence[str], now: datetime, since: datetime | None = None) -> RestoreRequest | None:
        """The next object to look at, which is ours to look at from now on.

        Args:
            profiles: those that are at hand.
            now: the time.
            since: look also at what is not due, if nobody has looked at it since then: the user wants to know.
        """
        early = f"(status != 'asking' AND coalesce(checked, 0) < {_seconds(since)})" if since else "FALSE"
        where = f"status IN {_CHECKED} AND asked > :oldest AND (due <= :now OR {early}) AND {_AMONG}"
        return self._take(where, "checked = :now", profiles, now)

    def next_due(self, profiles: Sequence[str], now: datetime) -> datetime | None:
        """When there is something to do again; `None` if nothing is to come."""
        where = f"status IN {_OPEN} AND coalesce(asked, added) > :oldest AND {_AMONG}"
        with self._reading() as database:
            if database is None:
                return None
            sql = f"SELECT min(due) FROM requests WHERE {where} AND typeof(due) = 'real'"
            return _moment(database.execute(sql, _values(profiles, now)).fetchone()[0])

    # What came of it

    def mark_restoring(self, location: Location, days: int, due: datetime) -> None:
        """The service has taken the request."""
        self._set(location, status="restoring", days=days, due=_seconds(due), note="")

    def mark_checked(self, location: Location, due: datetime) -> None:
        """It was looked at, and is not ready yet."""
        with self._writing() as database:
            sql = f"UPDATE requests SET checks = checks + 1, due = ? WHERE {_KEY}"
            database.execute(sql, (_seconds(due), *_key(location)))

    def mark_unknown(self, location: Location, note: str, due: datetime) -> None:
        """Nobody knows whether the service was asked."""
        self._set(location, status="unknown", note=note, due=_seconds(due))

    def mark_ready(self, location: Location, now: datetime, expires: datetime) -> None:
        """It can be fetched."""
        self._set(location, status="ready", ready=_seconds(now), expires=_seconds(expires), note="")

    def mark_waiting(self, location: Location, note: str, due: datetime) -> None:
        """It was certainly not asked for, and will be later."""
        self._set(location, status="waiting", asked=None, note=note, due=_seconds(due))

    def mark_failed(self, location: Location, error: StorageError) -> None:
        """Nothing will come of it."""
        self._set(location, status="failed", note=error.message, hint=error.hint, code=error.code)

    def mark_fetched(self, location: Location) -> None:
        """It was downloaded, so no reminder is needed."""
        if self._exists:
            self._set(location, status="fetched")

    # What the user is told, once

    def take_ready(self) -> tuple[RestoreRequest, ...]:
        """Requests whose objects are back, each given to one program only, once."""
        return self._once("status = 'ready' AND told = 0", "told")

    def take_expiring(self, now: datetime) -> tuple[RestoreRequest, ...]:
        """Requests whose copy goes soon, each given once."""
        return self._once("status = 'ready' AND warned = 0 AND expires BETWEEN :now AND :until", "warned", now)

    def _once(self, where: str, mark: str, now: datetime = _NEVER) -> tuple[RestoreRequest, ...]:
        if not self._exists:
            return ()
        with self._writing() as database:
            values = {"now": _seconds(now), "until": _seconds(now + LAST_CALL)}
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

    # The file: opened for each piece of work, since between two of them minutes may pass

    @property
    def _exists(self) -> bool:
        """Whether anything was ever kept: nothing is made by looking."""
        with self._told():
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
        # Where it may be written, SQLite repairs what a program left that died over it.
        mode = "rw" if os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK) else "ro"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        with self._told(), closing(sqlite3.connect(uri, uri=True, timeout=BUSY)) as found:
            _prepare(found)
            yield found if self._version(found) == _VERSION else None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that others see whole or not at all."""
        with self._told():
            self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
            # SQLite gives its other files the rights of this one.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            with closing(sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)) as connection:
                _prepare(connection)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                if self._version(connection) < _VERSION:
                    connection.execute(_SCHEMA)
                    connection.execute(f"PRAGMA user_version = {_VERSION}")
                if "title" not in {row["name"] for row in connection.execute("PRAGMA table_info(requests)")}:
                    # Of a program that knew none, and which can go on with the file all the same.
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
    def _told(self) -> Iterator[None]:
        """Turn what the file system and SQLite say into a sentence."""
        try:
            # Whoever can write to it could have objects put anywhere.
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
        # Without a code it is about what a row holds; SQLITE_ERROR: a table or a column is not there.
        damaged = (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        if not isinstance(error, OSError) and code in damaged:
            hint = "Move it away: the objects stay as they are, and can be asked for again."
            return LocalDiskError("the list of restores is damaged", subject=subject, hint=hint)
        reason = (error.strerror or "unknown").lower() if isinstance(error, OSError) else "the disk refuses"
        message = f"the list of restores cannot be written: {reason}"
        return LocalDiskError(message, subject=subject, hint="Check the folder, or set XDG_STATE_HOME to another one.")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda data: data.decode("utf-8", "replace")


def _key(location: Location) -> tuple[str, str, str | bytes]:
    return (location.profile, location.region, _stored(location.path))


def _stored(text: str) -> str | bytes:
    """A text as SQLite takes it: half a surrogate pair, which a service may send, is none."""
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
    return {"now": _seconds(now), "oldest": _seconds(now - LONGEST), "profiles": json.dumps(list(profiles))}


def _request(row: sqlite3.Row) -> RestoreRequest:
    """One row; a failed request if it makes no sense."""
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


# Whoever looks after it

PAUSES = (900, 3600)
"""Seconds between two looks at one object: the first pause and the longest."""
PAUSES_HERE = (5, 30)
"""The same where the service is a sandbox on this machine, which is back within seconds."""
MAX_PAUSE = 60.0
"""Seconds after which the list is read again."""
LATER = timedelta(minutes=1)
"""Pause after which the service is asked that could not be reached."""

_GROWTH = 1.3
_LOST = "nobody knows whether the service was asked; asking again does no harm"
_ON_THE_WAY = frozenset({ARCHIVED, "PENDING", ""})


class RestoreStep(msgspec.Struct, frozen=True):
    """One thing that was done about a request."""

    request: RestoreRequest
    """As it was before."""
    status: RestoreStatus
    """How far it is now."""
    error: StorageError | None = None


class RestorePoller:
    """Looks after the requests of some profiles. Other programs may do the same: one of them does each step."""

    def __init__(
        self,
        store: RestoreStore,
        provider: Callable[[str], StorageProvider],
        profiles: Callable[[], tuple[str, ...]],
        pauses: tuple[int, ...] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Make it.

        Args:
            store: the list.
            provider: opens a profile by its name.
            profiles: the names of those that are at hand.
            pauses: seconds between two looks at one object, the first and the longest; those that fit if empty.
            clock: tells the time.
        """
        self.store = store
        self._provider = provider
        self._profiles = profiles
        self._pauses = pauses
        self._clock = clock

    async def ask(self) -> AsyncIterator[RestoreStep]:
        """Ask for all that waits, one after the other: the pace is that of the profile.

        Raises:
            StorageError: the list cannot be read or written.
        """
        allowed = tuple(name for name in self._profiles() if self._may_ask(name))
        while (request := await asyncio.to_thread(self.store.take_waiting, allowed, self._clock())) is not None:
            yield await self._ask(request)

    async def poll(self, *, early: bool = False) -> AsyncIterator[RestoreStep]:
        """Look at all that is due, or at all there is.

        Raises:
            StorageError: the list cannot be read or written.
        """
        since, take = self._clock() if early else None, self.store.take_due
        while (request := await asyncio.to_thread(take, self._profiles(), self._clock(), since)) is not None:
            yield await self._check(request)

    async def wait(self) -> None:
        """Sleep until something is due, but not for long: another program may have looked meanwhile."""
        most = min([MAX_PAUSE, *(self._pauses_of(name)[0] for name in self._profiles())])
        due = await asyncio.to_thread(self.store.next_due, self._profiles(), self._clock())
        left = (due - self._clock()).total_seconds() if due is not None else most
        await asyncio.sleep(min(max(left, 0.1), most))

    def _may_ask(self, profile: str) -> bool:
        return Capability.RESTORE in self._provider(profile).capabilities

    async def _ask(self, request: RestoreRequest) -> RestoreStep:
        where = request.location
        try:
            days = await self._provider(where.profile).restore(where, request.days)
        except OutcomeUnknownError as error:
            await self._note(self.store.mark_unknown, request, _LOST, self._next(request))
            return RestoreStep(request, RestoreStatus.UNKNOWN, error)
        except ConflictError:
            # The service says that it is being restored already.
            days = request.days
        except (NetworkError, ThrottledError) as error:
            pause = timedelta(seconds=error.wait or 0) if isinstance(error, ThrottledError) else LATER
            await self._note(self.store.mark_waiting, request, error.message, self._clock() + max(pause, LATER))
            return RestoreStep(request, RestoreStatus.WAITING, error)
        except StorageError as error:
            return await self._refused(request, error)
        await self._note(self.store.mark_restoring, request, days, self._next(request))
        return RestoreStep(request, RestoreStatus.RESTORING)

    async def _refused(self, request: RestoreRequest, error: StorageError) -> RestoreStep:
        """Perhaps because it is back already."""
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
            # Whatever it is may pass until the next look, also a login that somebody else repairs.
            await self._note(self.store.mark_checked, request, self._next(request))
            return RestoreStep(request, request.status, error)
        state = entry.state if isinstance(entry, StoredObject) else ""
        if state == AVAILABLE:
            return await self._ready(request)
        if state not in _ON_THE_WAY:
            gone = MissingError(f"its state is {state}", subject=request.location.address)
            return await self._failed(request, gone)
        return await self._on_the_way(request, state)

    async def _on_the_way(self, request: RestoreRequest, state: str) -> RestoreStep:
        if state == "PENDING" and request.status is not RestoreStatus.RESTORING:
            await self._note(self.store.mark_restoring, request, request.days, self._next(request))
            return RestoreStep(request, RestoreStatus.RESTORING)
        if request.status is RestoreStatus.ASKING:
            # Its program died while it asked.
            await self._note(self.store.mark_unknown, request, _LOST, self._next(request))
            return RestoreStep(request, RestoreStatus.UNKNOWN)
        await self._note(self.store.mark_checked, request, self._next(request))
        return RestoreStep(request, request.status)

    async def _ready(self, request: RestoreRequest) -> RestoreStep:
        now = self._clock()
        # It may have been back since the last look: the copy goes so many days after that at the earliest.
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
        return PAUSES_HERE if is_loopback(self._provider(profile).profile.text("api_base")) else PAUSES

    def _next(self, request: RestoreRequest) -> datetime:
        pauses = self._pauses_of(request.location.profile)
        first, longest = pauses[0], pauses[-1]
        return self._clock() + timedelta(seconds=min(longest, first * _GROWTH**request.checks))

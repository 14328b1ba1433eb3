"""The list of orders: what is kept of them, and who may do the next step."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudstore_tui.core.location import Location
from cloudstore_tui.restores.database import Database
from cloudstore_tui.restores.order import LAST_CALL, LONGEST, Order, Stage

FILE = "restores.db"
"""Its name in the state folder."""
LEASE = timedelta(minutes=2)
"""For so long a step belongs to whoever took it. Then others look at the object, which does no harm if it goes on."""

_NEVER = datetime.fromtimestamp(0, UTC)
_KEY = "profile = ? AND region = ? AND path = ?"
_LOOKED_AT = "('asking', 'restoring', 'unknown')"
_OPEN = "('waiting', 'asking', 'restoring', 'unknown')"
_AMONG = "profile IN (SELECT value FROM json_each(:profiles))"


class Ledger:
    """Every change is on the disk when its method returns; every method may wait for another program.

    A step is taken by one program only: whoever takes it moves the moment of the next one in the same transaction.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def orders(self) -> tuple[Order, ...]:
        """All of them, the oldest first."""
        if not self._database.exists:
            return ()
        with self._database.open() as database:
            return tuple(map(_order, database.execute("SELECT * FROM orders ORDER BY added, path")))

    def add(self, orders: Sequence[Order]) -> None:
        """Take orders in, in place of older ones for the same objects.

        One that the service was asked for stays as it is: another program may have been quicker.
        """
        with self._database.open() as database:
            database.executemany(
                f"DELETE FROM orders WHERE {_KEY} AND NOT (stage IN ('asking', 'restoring') AND asked > ?)",
                [(*_key(one.location), _seconds(one.added - LONGEST)) for one in orders],
            )
            database.executemany(
                "INSERT OR IGNORE INTO orders(profile, region, path, name, size, days, stage, added, asked, folder)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *_key(one.location),
                        *(one.name, one.size, one.days, one.stage.value),
                        *(_seconds(one.added), _seconds(one.asked), one.folder),
                    )
                    for one in orders
                ],
            )

    def keep(self, location: Location, folder: str) -> None:
        """Remember where an object is to be downloaded to."""
        with self._database.open() as database:
            database.execute(f"UPDATE orders SET folder = ? WHERE {_KEY}", (folder, *_key(location)))

    def forget(self, locations: Iterable[Location]) -> int:
        """Take orders off the list; how many were on it. The service goes on with them."""
        if not self._database.exists:
            return 0
        with self._database.open() as database:
            gone = [database.execute(f"DELETE FROM orders WHERE {_KEY}", _key(one)).rowcount for one in locations]
        return sum(gone)

    # The next step

    def take_waiting(self, profiles: Sequence[str], now: datetime) -> Order | None:
        """The next object to ask for, which is ours to ask for from now on."""
        where = f"stage = 'waiting' AND due <= :now AND added > :oldest AND {_AMONG}"
        return self._take(where, "stage = 'asking', asked = :now", profiles, now)

    def take_due(self, profiles: Sequence[str], now: datetime, since: datetime | None = None) -> Order | None:
        """The next object to look at, which is ours to look at from now on.

        Args:
            profiles: those that are at hand.
            now: the time.
            since: look also at what is not due, if nobody has looked at it since then: the user wants to know.
        """
        early = f"(stage != 'asking' AND coalesce(looked, 0) < {_seconds(since)})" if since else "FALSE"
        where = f"stage IN {_LOOKED_AT} AND asked > :oldest AND (due <= :now OR {early}) AND {_AMONG}"
        return self._take(where, "looked = :now", profiles, now)

    def next_due(self, profiles: Sequence[str], now: datetime) -> datetime | None:
        """When there is something to do again; `None` if nothing is to come."""
        if not self._database.exists:
            return None
        where = f"stage IN {_OPEN} AND coalesce(asked, added) > :oldest AND {_AMONG}"
        with self._database.open() as database:
            found = database.execute(f"SELECT min(due) FROM orders WHERE {where}", _values(profiles, now)).fetchone()
        return _moment(found[0])

    # What came of it

    def restoring(self, location: Location, days: int, due: datetime) -> None:
        """The service has taken the order."""
        self._set(location, stage=Stage.RESTORING.value, days=days, due=_seconds(due), note="")

    def seen(self, location: Location, due: datetime) -> None:
        """It was looked at, and is not ready yet."""
        with self._database.open() as database:
            sql = f"UPDATE orders SET looks = looks + 1, due = ? WHERE {_KEY}"
            database.execute(sql, (_seconds(due), *_key(location)))

    def unknown(self, location: Location, note: str, due: datetime) -> None:
        """Nobody knows whether the service was asked."""
        self._set(location, stage=Stage.UNKNOWN.value, note=note, due=_seconds(due))

    def ready(self, location: Location, now: datetime, expires: datetime) -> None:
        """It can be fetched."""
        self._set(location, stage=Stage.READY.value, ready=_seconds(now), expires=_seconds(expires), note="")

    def wait(self, location: Location, note: str, due: datetime) -> None:
        """It was certainly not asked for, and will be later."""
        self._set(location, stage=Stage.WAITING.value, asked=None, note=note, due=_seconds(due))

    def fail(self, location: Location, note: str) -> None:
        """Nothing will come of it."""
        self._set(location, stage=Stage.FAILED.value, note=note)

    def fetched(self, location: Location) -> None:
        """It was downloaded."""
        self._set(location, stage=Stage.FETCHED.value)

    # What the user is told, once

    def take_news(self) -> tuple[Order, ...]:
        """Orders that are ready, each given to one program only, once."""
        return self._once("stage = 'ready' AND told = 0", "told")

    def take_warnings(self, now: datetime) -> tuple[Order, ...]:
        """Orders whose copy goes soon, each given once."""
        return self._once("stage = 'ready' AND warned = 0 AND expires BETWEEN :now AND :until", "warned", now)

    def _once(self, where: str, mark: str, now: datetime = _NEVER) -> tuple[Order, ...]:
        if not self._database.exists:
            return ()
        with self._database.open() as database:
            values = {"now": _seconds(now), "until": _seconds(now + LAST_CALL)}
            rows = database.execute(f"SELECT * FROM orders WHERE {where} ORDER BY added", values).fetchall()
            database.executemany(f"UPDATE orders SET {mark} = 1 WHERE {_KEY}", [tuple(row)[:3] for row in rows])
            return tuple(map(_order, rows))

    def _take(self, where: str, change: str, profiles: Sequence[str], now: datetime) -> Order | None:
        if not self._database.exists:
            return None
        with self._database.open() as database:
            sql = f"SELECT * FROM orders WHERE {where} ORDER BY due, added, path LIMIT 1"
            row = database.execute(sql, _values(profiles, now)).fetchone()
            if row is not None:
                values = {"now": _seconds(now), "lease": _seconds(now + LEASE), **dict(row)}
                key = "profile = :profile AND region = :region AND path = :path"
                database.execute(f"UPDATE orders SET {change}, due = :lease WHERE {key}", values)
            return _order(row) if row is not None else None

    def _set(self, location: Location, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._database.open() as database:
            database.execute(f"UPDATE orders SET {columns} WHERE {_KEY}", (*values.values(), *_key(location)))


def _key(location: Location) -> tuple[str, str, str]:
    return (location.profile, location.region, location.path)


def _values(profiles: Sequence[str], now: datetime) -> dict[str, object]:
    return {"now": _seconds(now), "oldest": _seconds(now - LONGEST), "profiles": json.dumps(list(profiles))}


def _order(row: sqlite3.Row) -> Order:
    try:
        return _read(row)
    except (ValueError, TypeError, OverflowError, OSError):
        raise sqlite3.DatabaseError("no order") from None


def _read(row: sqlite3.Row) -> Order:
    return Order(
        Location(row["profile"], row["region"], row["path"]),
        row["name"],
        row["size"],
        row["days"],
        datetime.fromtimestamp(row["added"], UTC),
        Stage(row["stage"]),
        asked=_moment(row["asked"]),
        looked=_moment(row["looked"]),
        looks=row["looks"],
        ready=_moment(row["ready"]),
        expires=_moment(row["expires"]),
        folder=row["folder"],
        note=row["note"],
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

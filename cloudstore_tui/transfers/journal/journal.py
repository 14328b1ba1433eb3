"""The journal: every transfer that is not done, for this program and for all others of the same user."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cloudstore_tui.core.errors import BusyError, LocalDiskError
from cloudstore_tui.fs.disk import PRIVATE_FOLDER
from cloudstore_tui.transfers.journal.database import Database
from cloudstore_tui.transfers.journal.row import JournalRow, columns_of, record_of, request_of
from cloudstore_tui.transfers.journal.writer import Writer, living, process_of
from cloudstore_tui.transfers.model import DownloadRequest, Request, State, ZipRequest
from cloudstore_tui.transfers.open_part import part_name

Result = TypeVar("Result")

MOST_EVENTS = 10_000
FILE = "journal.db"
"""Its name in the folder for what must survive a restart."""
OLDEST = 14 * 86_400.0
"""Seconds after which a transfer that nobody goes on with is forgotten."""

_ENDED = frozenset({State.FAILED.value, State.CANCELLED.value})
_EVENTS = frozenset({State.WAITING.value, State.PAUSED.value, State.FAILED.value, State.CANCELLED.value})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a transfer."""

    at: float
    """Seconds since 1970."""
    number: int
    what: str


class Journal:
    """What is known of transfers, by their numbers. Nothing waits for the disk but what is awaited."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in a folder, making both if they are not there.

        Raises:
            ConfigError: a newer version of the program wrote it.
            BusyError: another program keeps it locked.
            LocalDiskError: it cannot be read or written.
        """
        self._writers = folder / "writers"
        try:
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._writer = Writer(self._writers)
        except OSError as error:
            raise LocalDiskError(
                f"the journal of transfers cannot be kept there: {(error.strerror or 'unknown').lower()}",
                subject=str(folder),
                hint="Set XDG_STATE_HOME to a folder that can be written.",
            ) from None
        self._database = Database(folder / FILE)

    @property
    def warning(self) -> str:
        """What the user should know of its opening, as a sentence; empty if all is well."""
        aside = self._database.aside
        if aside is None:
            return ""
        return (
            f"The journal of transfers was damaged and a new one begun: transfers that were interrupted start anew. "
            f"The old one is {aside}."
        )

    def close(self) -> None:
        """Write what was told. The transfers that are left can be taken over by others then."""
        self._database.close()
        self._writer.close()

    # What a transfer tells

    def add(self, number: int, request: Request) -> None:
        """Enter a transfer."""
        now = time.time()
        row = columns_of(request) | {"id": number, "writer": self._writer.name, "created": now, "updated": now}
        members = request.members if isinstance(request, ZipRequest) else ()
        rows = [_member_row(number, position, member) for position, member in enumerate(members)]

        def job(connection: sqlite3.Connection) -> None:
            _insert(connection, "transfer", row)
            for member in rows:
                _insert(connection, "member", member)

        self._database.tell(job)

    def note(self, number: int, **facts: object) -> None:
        """Write facts down, soon."""
        columns = ", ".join(f"{name} = ?" for name in facts)
        values = (*facts.values(), time.time(), number)

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(f"UPDATE transfer SET {columns}, updated = ? WHERE id = ?", values)
            if facts.get("state") in _EVENTS:
                _log(connection, number, f"{facts['state']}: {facts.get('reason', '')}".rstrip(": "))

        self._database.tell(job)

    def remove(self, number: int) -> None:
        """Take a transfer out: it is done, or nobody wants it any more."""
        self._database.tell(lambda connection: connection.execute("DELETE FROM transfer WHERE id = ?", (number,)))

    async def settled(self) -> None:
        """Return when everything told before is on the disk.

        Raises:
            StorageError: it cannot be written.
        """
        await self._ask(_nothing)

    def settle(self) -> None:
        """The same for a thread: blocks.

        Raises:
            StorageError: it cannot be written.
        """
        self._database.ask(_nothing).result()

    async def begin(self, number: int, part_id: str) -> JournalRow | None:
        """Say which file a transfer is to make, and take over what an ended program left of the same one.

        The one that got furthest is given back; all of them are taken out.

        Raises:
            BusyError: another program makes the file right now.
        """
        busy: list[int] = []

        def job(connection: sqlite3.Connection) -> JournalRow | None:
            same = "SELECT * FROM transfer WHERE part_id = ? AND id <> ? ORDER BY durable DESC"
            rows = connection.execute(same, (part_id, number)).fetchall()
            alive = living(self._writers) if rows else frozenset()
            left, going_on = [], []
            for row in rows:
                ours, ended = row["writer"] == self._writer.name, row["state"] in _ENDED
                if row["writer"] not in alive or (ours and ended):
                    left.append(row)
                elif not ours and not ended:
                    # Of our own transfers the lock on the part file decides.
                    going_on.append(row)
            if going_on:
                busy.append(process_of(going_on[0]["writer"]))
                return None
            kept = _records(connection, left[:1])
            connection.executemany("DELETE FROM transfer WHERE id = ?", [(row["id"],) for row in left])
            # The name before the file: a program that ends soon after leaves no part file that nobody knows of.
            known = "UPDATE transfer SET part_id = ?, part = CASE part WHEN '' THEN ? ELSE part END WHERE id = ?"
            connection.execute(known, (part_id, part_name(part_id), number))
            return kept[0] if kept else None

        kept = await self._ask(job)
        if busy:
            raise BusyError(f"process {busy[0]} on this machine is doing it")
        return kept

    async def wishes(self) -> dict[int, str]:
        """What other programs ask for, by number; each is given once."""
        writer = self._writer.name

        def job(connection: sqlite3.Connection) -> dict[int, str]:
            rows = connection.execute("SELECT id, wish FROM transfer WHERE writer = ? AND wish <> ''", (writer,))
            found = {row["id"]: row["wish"] for row in rows}
            for number in found:
                connection.execute("UPDATE transfer SET wish = '' WHERE id = ?", (number,))
            return found

        return await self._ask(job)

    # What others learn

    async def interrupted(self) -> tuple[JournalRow, ...]:
        """Transfers whose program has ended, oldest first."""
        return await self._ask(lambda connection: _records(connection, self._rows(connection, alive=False)))

    async def elsewhere(self) -> tuple[JournalRow, ...]:
        """Transfers of other programs that run, oldest first."""
        return await self._ask(lambda connection: _records(connection, self._rows(connection, alive=True)))

    async def adopt(self, numbers: Iterable[int] | None = None) -> tuple[JournalRow, ...]:
        """Make interrupted transfers ours, all of them or some; those that nobody else was faster to take."""
        wanted = None if numbers is None else frozenset(numbers)

        def job(connection: sqlite3.Connection) -> tuple[JournalRow, ...]:
            rows = [row for row in self._rows(connection, alive=False) if wanted is None or row["id"] in wanted]
            mine = [(self._writer.name, row["id"]) for row in rows]
            connection.executemany("UPDATE transfer SET writer = ? WHERE id = ?", mine)
            return _records(connection, rows)

        return await self._ask(job)

    async def wish(self, number: int, wish: str) -> None:
        """Ask the program that runs a transfer to pause, resume or cancel it."""
        await self._ask(
            lambda connection: connection.execute("UPDATE transfer SET wish = ? WHERE id = ?", (wish, number)).rowcount
        )

    async def events(self, most: int) -> tuple[Event, ...]:
        """The last things that happened, oldest first."""

        def job(connection: sqlite3.Connection) -> tuple[Event, ...]:
            rows = connection.execute("SELECT at, transfer, what FROM event ORDER BY id DESC LIMIT ?", (most,))
            return tuple(Event(row["at"], row["transfer"], row["what"]) for row in rows)[::-1]

        return await self._ask(job)

    def _rows(self, connection: sqlite3.Connection, *, alive: bool) -> list[sqlite3.Row]:
        writers = living(self._writers) - {self._writer.name}
        rows = connection.execute("SELECT * FROM transfer WHERE writer <> ? ORDER BY created", (self._writer.name,))
        return [row for row in rows if (row["writer"] in writers) is alive]

    async def _ask(self, job: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._database.ask(job))


def _nothing(_connection: sqlite3.Connection) -> None:
    """A job whose end means that everything before it has been written."""


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    holes = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({holes})", tuple(row.values()))


def _log(connection: sqlite3.Connection, number: int, what: str) -> None:
    cursor = connection.execute(
        "INSERT INTO event (at, transfer, what) VALUES (?, ?, ?)", (time.time(), number, what[:500])
    )
    connection.execute("DELETE FROM event WHERE id <= ?", ((cursor.lastrowid or 0) - MOST_EVENTS,))


def _member_row(number: int, position: int, member: DownloadRequest) -> dict[str, object]:
    row = columns_of(member)
    wanted = ("path", "folder", "name", "on_conflict", "sha256", "entry")
    return {"transfer": number, "position": position, **{name: row[name] for name in wanted}}


def _records(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[JournalRow, ...]:
    return tuple(record_of(dict(row), _members(connection, row)) for row in rows)


def _members(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[DownloadRequest, ...]:
    if row["kind"] != "zip":
        return ()
    found = connection.execute("SELECT * FROM member WHERE transfer = ? ORDER BY position", (row["id"],))
    shared = {"kind": "download", "profile": row["profile"], "region": row["region"]}
    requests = (request_of({**shared, **dict(member)}) for member in found)
    return tuple(request for request in requests if isinstance(request, DownloadRequest))

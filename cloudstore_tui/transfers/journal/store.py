"""The journal: every transfer that is not done, of this and all other programs of the same user."""

import asyncio
import json
import math
import queue
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from cloudstore_tui.core.errors import BusyError, LocalDiskError
from cloudstore_tui.fs.disk import PRIVATE_FOLDER
from cloudstore_tui.fs.whole_file import refuse_shared
from cloudstore_tui.net.handoff import Mailbox, settle
from cloudstore_tui.transfers.journal.database import Database, Writer, living, process_of
from cloudstore_tui.transfers.journal.rows import JournalRow, columns_of, member_columns, read_row
from cloudstore_tui.transfers.model import Request, State, ZipRequest
from cloudstore_tui.transfers.part_file import PartNames

Result = TypeVar("Result")

MAX_EVENTS = 10_000
FILE = "journal.db"
"""Its name in the folder of the state."""
OLDEST = 14 * 86_400.0
"""Seconds after which an interrupted transfer that nobody continues is pruned."""

_ENDED = frozenset({State.FAILED.value, State.CANCELLED.value})
_EVENTS = frozenset({State.WAITING.value, State.PAUSED.value, State.FAILED.value, State.CANCELLED.value})
_BEGUN = """
    UPDATE transfer
    SET part_id = ?, part = CASE part WHEN '' THEN ? ELSE part END, alone = ?, state = 'running', reason = ''
    WHERE id = ?
"""
_REPEATED = """
    DELETE FROM transfer WHERE state = 'failed' AND part = '' AND zip = '' AND intent = 0 AND writer = ?
    AND kind = ? AND profile = ? AND region = ? AND path = ? AND folder = ? AND name = ?
"""


class Event(Struct, frozen=True):
    """An event of a transfer."""

    at: float
    """Seconds since 1970."""
    transfer_id: int
    what: str


class JournalStore:
    """Entries of transfers, by their ids. Only methods that are awaited, and `forget_bytes`, wait for the disk."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in a folder, and create both if they are missing.

        Raises:
            ConfigError: a newer version of the program wrote it.
            BusyError: another program keeps it locked.
            LocalDiskError: it cannot be read or written, or others can write to it.
        """
        self._writers = folder / "writers"
        self._place = 0.0
        """The place in the queue of the transfer that was added last."""
        try:
            folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            refuse_shared(folder)
            self._writer = Writer(self._writers)
        except OSError as error:
            raise LocalDiskError(
                f"the journal of transfers cannot be kept there: {(error.strerror or 'unknown').lower()}",
                subject=str(folder),
                hint="Set XDG_STATE_HOME to a folder that can be written.",
            ) from None
        try:
            self._database = Database(folder / FILE)
        except BaseException:
            self._writer.close()
            raise

    @property
    def warning(self) -> str:
        """What the user should know, as a sentence; empty if all is well."""
        aside = self._database.aside
        if aside is None:
            return ""
        return (
            f"The journal of transfers was damaged and a new one begun: transfers that were interrupted start anew, "
            f"and what had arrived of them stays in their folders, as .cs-*.part, until they are asked for again. "
            f"The old one is {aside}."
        )

    def close(self) -> None:
        """Write what is queued. After that, other programs can adopt the remaining transfers."""
        self._database.close()
        self._writer.close()

    # Written by the transfers of this program

    def add(self, transfer_id: int, request: Request, **facts: object) -> None:
        """Add a transfer. It replaces the same one of a program that ended, if that failed before any byte came."""
        now = time.time()
        # Many are added in one tick of the clock.
        self._place = max(now, math.nextafter(self._place, math.inf))
        own = {"id": transfer_id, "writer": self._writer.name, "created": now, "updated": now, "place": self._place}
        row = columns_of(request) | own | facts
        members = request.members if isinstance(request, ZipRequest) else ()
        rows = [member_columns(transfer_id, position, member) for position, member in enumerate(members)]

        def job(connection: sqlite3.Connection) -> None:
            self._remove_repeated(connection, row)
            _insert(connection, "transfer", row)
            for member in rows:
                _insert(connection, "member", member)

        self._database.write(job, transfer_id)

    def note(self, transfer_id: int, **facts: object) -> None:
        """Set columns of a transfer, soon."""
        columns = ", ".join(f"{name} = ?" for name in facts)
        values = (*facts.values(), time.time(), transfer_id)

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(f"UPDATE transfer SET {columns}, updated = ? WHERE id = ?", values)
            if facts.get("state") in _EVENTS:
                _log(connection, transfer_id, f"{facts['state']}: {facts.get('reason', '')}".rstrip(": "))

        self._database.write(job, transfer_id)

    def reorder(self, transfer_ids: Sequence[int]) -> None:
        """Sort these transfers among the places that they have in the queue."""
        ids = tuple(transfer_ids)

        def job(connection: sqlite3.Connection) -> None:
            ours = connection.execute("SELECT id, place FROM transfer WHERE writer = ?", (self._writer.name,))
            known = {row["id"]: row["place"] for row in ours}
            moved = [transfer_id for transfer_id in ids if transfer_id in known]
            free = sorted(known[transfer_id] for transfer_id in moved)
            places = [(place, one) for place, one in zip(free, moved, strict=True) if place != known[one]]
            connection.executemany("UPDATE transfer SET place = ? WHERE id = ?", places)

        self._database.write(job)

    def remove(self, transfer_id: int) -> None:
        """Remove a transfer, which is done or no longer wanted."""
        self._database.write(lambda connection: connection.execute("DELETE FROM transfer WHERE id = ?", (transfer_id,)))

    async def settled(self, transfer_id: int = 0) -> None:
        """Return when everything written so far is on the disk.

        Raises:
            StorageError: something about this transfer could not be written.
        """
        await self._run(_nothing, transfer_id)

    def forget_bytes(self, transfer_id: int) -> None:
        """Note that no byte of a transfer is on the disk, and block until the note is.

        Raises:
            StorageError: it cannot be written.
        """
        forget = "UPDATE transfer SET durable = 0, etag = '' WHERE id = ?"
        answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._database.run(
            lambda connection: connection.execute(forget, (transfer_id,)), lambda _done, error: answer.put(error)
        )
        if (error := answer.get()) is not None:
            raise error

    async def begin(self, transfer_id: int, part_id: str, names: PartNames) -> JournalRow | None:
        """Note which file a transfer writes, and take over what programs that ended left of the same one.

        Returns the entry with the most bytes; all of them are removed.

        Raises:
            BusyError: another program is writing the file.
            LocalDiskError: the transfer could not be added.
        """
        busy: list[int] = []

        def job(connection: sqlite3.Connection) -> JournalRow | None:
            # The second condition is for SQLite, which uses the partial index only then.
            same = "SELECT * FROM transfer WHERE part_id = ? AND part_id <> '' AND id <> ? ORDER BY durable DESC"
            rows = connection.execute(same, (part_id, transfer_id)).fetchall()
            alive = living(self._writers) if rows else frozenset()
            left, running = [], []
            for row in rows:
                ours, ended = row["writer"] == self._writer.name, row["state"] in _ENDED
                if row["writer"] not in alive or (ours and ended):
                    left.append(row)
                elif not ours and not ended:
                    # For our own transfers, the lock on the part file decides.
                    running.append(row)
            if running:
                busy.append(process_of(running[0]["writer"]))
                return None
            taken = _rows(connection, left[:1])
            connection.executemany("DELETE FROM transfer WHERE id = ?", [(row["id"],) for row in left])
            # The names come before the file: if the program ends in between, no unknown part file is left.
            connection.execute(_BEGUN, (part_id, names.shared, names.alone, transfer_id))
            return taken[0] if taken else None

        taken = await self._run(job, transfer_id)
        if busy:
            raise BusyError(f"process {busy[0]} on this machine is doing it")
        return taken

    async def take_commands(self) -> dict[int, str]:
        """The commands that other programs sent since the last call, by transfer."""
        writer = self._writer.name

        def job(connection: sqlite3.Connection) -> dict[int, str]:
            rows = connection.execute("SELECT id, wish FROM transfer WHERE writer = ? AND wish <> ''", (writer,))
            found = {row["id"]: row["wish"] for row in rows}
            for transfer_id in found:
                connection.execute("UPDATE transfer SET wish = '' WHERE id = ?", (transfer_id,))
            return found

        return await self._run(job)

    # Transfers of other programs

    async def interrupted(self) -> tuple[JournalRow, ...]:
        """Transfers whose program has ended, in the order of their queue."""
        return await self._run(lambda connection: _rows(connection, self._select(connection, alive=False)))

    async def running_elsewhere(self) -> tuple[JournalRow, ...]:
        """Transfers that other programs run now, in the same order."""
        return await self._run(lambda connection: _rows(connection, self._select(connection, alive=True)))

    async def adopt(self, transfer_ids: Iterable[int] | None = None) -> tuple[JournalRow, ...]:
        """Make interrupted transfers ours, all or some; returns those that no other program took first."""
        wanted = None if transfer_ids is None else frozenset(transfer_ids)

        def job(connection: sqlite3.Connection) -> tuple[JournalRow, ...]:
            rows = [row for row in self._select(connection, alive=False) if wanted is None or row["id"] in wanted]
            mine = [(self._writer.name, row["id"]) for row in rows]
            connection.executemany("UPDATE transfer SET writer = ? WHERE id = ?", mine)
            return _rows(connection, rows)

        return await self._run(job)

    async def send_command(self, transfer_id: int, command: str) -> None:
        """Have the program that runs a transfer `pause`, `resume` or `cancel` it."""
        await self._run(
            lambda connection: (
                connection.execute("UPDATE transfer SET wish = ? WHERE id = ?", (command, transfer_id)).rowcount
            )
        )

    async def events(self, most: int) -> tuple[Event, ...]:
        """The latest events, oldest first."""

        def job(connection: sqlite3.Connection) -> tuple[Event, ...]:
            rows = connection.execute("SELECT at, transfer, what FROM event ORDER BY id DESC LIMIT ?", (most,))
            return tuple(_event(row) for row in rows)[::-1]

        return await self._run(job)

    def _select(self, connection: sqlite3.Connection, *, alive: bool) -> list[sqlite3.Row]:
        writers = living(self._writers) - {self._writer.name}
        rows = connection.execute("SELECT * FROM transfer WHERE writer <> ? ORDER BY place", (self._writer.name,))
        return [row for row in rows if (row["writer"] in writers) is alive]

    def _remove_repeated(self, connection: sqlite3.Connection, row: dict[str, object]) -> None:
        same = tuple(row.get(name, "") for name in ("kind", "profile", "region", "path", "folder", "name"))
        failed = "SELECT DISTINCT writer FROM transfer WHERE state = 'failed' AND path = ?"
        writers = [found["writer"] for found in connection.execute(failed, (row["path"],))]
        alive = living(self._writers) if writers else frozenset()
        for writer in writers:
            if writer not in alive:
                connection.execute(_REPEATED, (writer, *same))

    async def _run(self, job: Callable[[sqlite3.Connection], Result], transfer_id: int = 0) -> Result:
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        end = partial(Mailbox.here().put, partial(settle, answer))
        self._database.run(job, end, lambda: not answer.cancelled(), owner=transfer_id)
        return await answer


class JournalEntry:
    """The entry of one transfer, and what an earlier run left. Without a journal nothing is kept."""

    def __init__(self, journal: JournalStore | None, transfer_id: int, resume_state: JournalRow | None = None) -> None:
        self.resume_state = resume_state
        """What an earlier run left; `None` if there was none."""
        self._journal = journal
        self._transfer_id = transfer_id
        self._account = dict(resume_state.account) if resume_state is not None else {}
        self._state = (State.QUEUED, "")
        """The state and the reason that the journal has."""

    @property
    def lasts(self) -> bool:
        """Whether the transfer outlives this program."""
        return self._journal is not None

    def enter(self, request: Request, account: Mapping[str, str] | None = None) -> None:
        """Add the transfer; `account` is that of its profile."""
        self._account = dict(account or {})
        self._state = (State.QUEUED, "")
        if self._journal is not None:
            self._journal.add(self._transfer_id, request, account=json.dumps(account) if account else "")

    def note_file(self, identity: Sequence[int]) -> None:
        """Note which file is uploaded."""
        self.note(file=json.dumps(list(identity)))

    def note_state(self, state: State, reason: str) -> None:
        """Note the state, unless the journal has it."""
        if (state, reason) != self._state:
            self._state = (state, reason)
            self.note(state=state.value, reason=reason)

    def note(self, **facts: object) -> None:
        """Set columns, soon. Those about bytes may be set only after a sync."""
        if self._journal is not None:
            self._journal.note(self._transfer_id, **facts)

    def forget_part(self) -> None:
        """Note that there is no part file any more."""
        self.note(part="", alone="", inode=0, durable=0)
        if self.resume_state is not None:
            self.resume_state = msgspec.structs.replace(self.resume_state, part="", alone="", inode=0, durable=0)

    def forget_bytes(self) -> None:
        """Note that no byte is there any more, before another one is written. Blocks.

        Raises:
            StorageError: the journal cannot be written.
        """
        if self._journal is not None:
            self._journal.forget_bytes(self._transfer_id)

    async def begin(self, part_id: str, names: PartNames) -> None:
        """Note which file is written, on the disk before the file is, and set `resume_state`.

        Raises:
            BusyError: another program is writing it.
            StorageError: the journal cannot be written.
        """
        if self._journal is not None:
            left = await self._journal.begin(self._transfer_id, part_id, names)
            self._state = (State.RUNNING, "")
            if left is not None and left.account and left.account != self._account:
                # The profile was another account then: its bytes are of no use.
                left = msgspec.structs.replace(left, durable=0, etag="", size=None)
            if left is not None and (self.resume_state is None or left.durable > self.resume_state.durable):
                self.resume_state = left

    async def settled(self) -> None:
        """Return when all notes are on the disk: before a request that changes something on the server.

        Raises:
            StorageError: the journal cannot be written.
        """
        if self._journal is not None:
            await self._journal.settled(self._transfer_id)

    def remove(self) -> None:
        """Remove the entry."""
        if self._journal is not None:
            self._journal.remove(self._transfer_id)


def _nothing(_connection: sqlite3.Connection) -> None:
    """A job whose end means that everything before it has been written."""


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def _log(connection: sqlite3.Connection, transfer_id: int, what: str) -> None:
    cursor = connection.execute(
        "INSERT INTO event (at, transfer, what) VALUES (?, ?, ?)", (time.time(), transfer_id, what[:500])
    )
    connection.execute("DELETE FROM event WHERE id <= ?", ((cursor.lastrowid or 0) - MAX_EVENTS,))


def _event(row: sqlite3.Row) -> Event:
    at = row["at"] if isinstance(row["at"], float) and 0 <= row["at"] <= 253_402_300_799 else 0.0
    transfer_id = row["transfer"] if isinstance(row["transfer"], int) else 0
    return Event(at, transfer_id, str(row["what"]))


def _rows(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[JournalRow, ...]:
    return tuple(read_row(dict(row), _members(connection, row)) for row in rows)


def _members(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[dict[str, object], ...]:
    if row["kind"] != "zip":
        return ()
    found = connection.execute("SELECT * FROM member WHERE transfer = ? ORDER BY position", (row["id"],))
    return tuple(dict(member) for member in found)

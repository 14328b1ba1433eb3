"""Transfers that are not this program's: those of runs that ended too early, and those of programs that run."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cloudstore_tui.core.profile import Profile
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.journal.journal import Event, Journal
from cloudstore_tui.transfers.journal.row import JournalRow
from cloudstore_tui.transfers.journal.writer import process_of
from cloudstore_tui.transfers.model import State, TransferSnapshot, UploadRequest, ZipRequest
from cloudstore_tui.transfers.open_part import part_name, remove_left
from cloudstore_tui.transfers.part_id import part_id_of
from cloudstore_tui.transfers.workers import Workers


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A transfer of another program that runs."""

    transfer: TransferSnapshot
    process: int


class LeftOvers:
    """What the journal tells of transfers that are not ours; nothing without a journal."""

    def __init__(self, journal: Journal | None, disk: Disk, workers: Workers) -> None:
        self._journal = journal
        self._disk = disk
        self._workers = workers

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of runs that ended before they were done, oldest first."""
        records = await self._journal.interrupted() if self._journal is not None else ()
        return tuple(seen(record) for record in records)

    async def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Transfers that other programs make right now, oldest first."""
        records = await self._journal.elsewhere() if self._journal is not None else ()
        return tuple(Elsewhere(seen(record), process_of(record.writer)) for record in records)

    async def ask(self, number: int, wish: str) -> None:
        """Ask the program that makes a transfer to `pause`, `resume` or `cancel` it."""
        if self._journal is not None:
            await self._journal.wish(number, wish)

    async def drop(self, numbers: Iterable[int], profile_of: Callable[[str], Profile]) -> int:
        """Forget interrupted transfers and remove what arrived of them; how many there were."""
        if self._journal is None:
            return 0
        records = await self._journal.adopt(numbers)
        await self._workers.run(lambda _stop: self._remove_all(records, profile_of))
        for record in records:
            self._journal.remove(record.id)
        await self._journal.settled()
        return len(records)

    async def older_than(self, seconds: float) -> tuple[int, ...]:
        """The numbers of interrupted transfers that nobody went on with for so long."""
        records = await self._journal.interrupted() if self._journal is not None else ()
        return tuple(record.id for record in records if time.time() - record.updated >= seconds)

    async def events(self, most: int) -> tuple[Event, ...]:
        """What happened to transfers lately, oldest first."""
        return await self._journal.events(most) if self._journal is not None else ()

    def _remove_all(self, records: Iterable[JournalRow], profile_of: Callable[[str], Profile]) -> None:
        for record in records:
            self._remove(record, profile_of)

    def _remove(self, record: JournalRow, profile_of: Callable[[str], Profile]) -> None:
        request = record.request
        if isinstance(request, UploadRequest):
            return
        remove_left(self._disk, request.folder, record)
        if isinstance(request, ZipRequest):
            for member in request.members:
                name = member.name or safe_name(member.entry.name if member.entry else "")
                part_id = part_id_of(profile_of(member.location.profile), member.location, member.folder / name)
                remove_left(self._disk, member.folder, _Part(part_name(part_id)))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part file of which only the name is known."""

    part: str
    inode: int = 0
    durable: int = 0


def seen(record: JournalRow) -> TransferSnapshot:
    """A record as a transfer."""
    known = {state.value for state in State}
    state = State(record.state) if record.state in known else State.QUEUED
    return TransferSnapshot(
        id=record.id,
        request=record.request,
        state=state,
        done=record.durable,
        size=record.size,
        started=datetime.fromtimestamp(record.created, UTC),
        note=record.reason,
        path=_path(record),
    )


def _path(record: JournalRow) -> Path:
    request = record.request
    return request.path if isinstance(request, UploadRequest) else request.folder

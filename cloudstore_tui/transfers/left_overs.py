"""Transfers in the journal that are not this program's: interrupted ones, and those that other programs run."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.journal.database import process_of
from cloudstore_tui.transfers.journal.rows import JournalRow
from cloudstore_tui.transfers.journal.store import Event, JournalStore
from cloudstore_tui.transfers.model import State, TransferSnapshot, UploadRequest, ZipRequest
from cloudstore_tui.transfers.part_file import PartNames, part_id_of, remove_left, remove_part
from cloudstore_tui.transfers.workers import Workers


class ForeignTransfer(Struct, frozen=True):
    """A transfer that another program runs."""

    transfer: TransferSnapshot
    process: int


class LeftOvers:
    """The transfers of others, as the journal has them; none without a journal."""

    def __init__(self, journal: JournalStore | None, disk: Disk, workers: Workers) -> None:
        self._journal = journal
        self._disk = disk
        self._workers = workers

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of programs that ended before they were done, in the order of their queue."""
        rows = await self._journal.interrupted() if self._journal is not None else ()
        return tuple(snapshot_of(row) for row in rows)

    async def running_elsewhere(self) -> tuple[ForeignTransfer, ...]:
        """Transfers that other programs run now, in the same order."""
        rows = await self._journal.running_elsewhere() if self._journal is not None else ()
        return tuple(ForeignTransfer(snapshot_of(row), process_of(row.writer)) for row in rows)

    async def send_command(self, transfer_id: int, command: str) -> None:
        """Have the program that runs a transfer `pause`, `resume` or `cancel` it."""
        if self._journal is not None:
            await self._journal.send_command(transfer_id, command)

    async def drop(self, transfer_ids: Iterable[int]) -> int:
        """Forget interrupted transfers and remove what arrived of them; returns how many there were.

        Raises:
            StorageError: the part file of one cannot be removed; that one stays on the list.
        """
        if self._journal is None:
            return 0
        rows = await self._journal.adopt(transfer_ids)
        failures = await self._workers.run(lambda _stop: {row.id: remove_parts(self._disk, row) for row in rows})
        for row in rows:
            failure = failures[row.id]
            if failure is None:
                self._journal.remove(row.id)
            else:
                self._journal.note(row.id, state=State.FAILED.value, reason=failure.message, code=failure.code)
        await self._journal.settled()
        for failure in failures.values():
            if failure is not None:
                raise failure
        return len(rows)

    async def older_than(self, seconds: float) -> tuple[int, ...]:
        """The ids of interrupted transfers that were not continued for this long."""
        rows = await self._journal.interrupted() if self._journal is not None else ()
        return tuple(row.id for row in rows if time.time() - row.updated >= seconds)

    async def events(self, most: int) -> tuple[Event, ...]:
        """The latest events of transfers, oldest first."""
        return await self._journal.events(most) if self._journal is not None else ()


def remove_parts(disk: Disk, row: JournalRow) -> StorageError | None:
    """Remove every part file that a transfer can have left, and return why that was not possible. Blocks."""
    request = row.request
    if isinstance(request, UploadRequest):
        return None
    try:
        remove_left(disk, request.target, row)
        if row.part_id:
            # The run may have ended between naming the file and noting its inode.
            remove_part(disk, request.target, PartNames.of(row.part_id).shared)
        for member in request.members if isinstance(request, ZipRequest) else ():
            name = member.name or safe_name(member.entry.name if member.entry else "")
            provider = row.account.get("provider", "")
            part_id = part_id_of(provider, member.location.profile, member.location, member.folder / name)
            remove_part(disk, member.target, PartNames.of(part_id).shared)
    except StorageError as error:
        return error
    return None


def snapshot_of(row: JournalRow) -> TransferSnapshot:
    """The transfer in a row of the journal."""
    request = row.request
    return TransferSnapshot(
        id=row.id,
        request=request,
        state=row.state,
        done=row.durable,
        size=row.size,
        started=datetime.fromtimestamp(row.created, UTC),
        error=row.error,
        note=row.reason,
        path=request.path if isinstance(request, UploadRequest) else request.folder,
    )

"""Batches as the screen shows them: what one key asked for, with its totals, kept up to date by what changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    Request,
    State,
    TransferBatch,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    sizes_of,
)

ACTIVE = frozenset({State.SIGNING, State.PACKING, State.RUNNING, State.VERIFYING, State.WAITING})
"""States in which something happens now, or soon."""
GOES_ON = ACTIVE | {State.QUEUED}
"""States that lead to an end by themselves."""


class BatchProgress:
    """One batch and its transfers. Taking in a change costs the same however many transfers there are."""

    def __init__(self, key: str, batch: TransferBatch, process: int = 0) -> None:
        self.key = key
        self.batch = batch
        self.kept: set[int] = set()
        """The numbers of those that an earlier run left, and that nobody goes on with now."""
        self.process = process
        """The other program that makes it; 0 for this one."""
        self.transfers: dict[int, TransferSnapshot] = {}
        """By number, in the order they were asked for."""
        self.of_state: dict[State, dict[int, None]] = {state: {} for state in State}
        """The numbers of those in each state."""
        self.levels: Counter[str] = Counter()
        """How well the files that are done were verified."""
        self.speed = 0.0
        """Bytes a second, of all together."""
        self.ended: datetime | None = None
        """When the last one ended."""
        self.is_told = False
        """Whether the user was told how it ended."""
        self.zips: dict[int, int] = {}
        """Which zip of the batch a transfer is, from 1 on, by number."""
        self.in_zip = 0
        """Files in the largest of them."""
        self.places: dict[int, int] = {}
        """Where each transfer stands among them."""
        self.same = 0
        """Transfers that found the file here already."""
        self._planned: dict[int, tuple[int, int]] = {}
        """Files and bytes that each transfer brings."""
        self._planned_files = 0
        self._files: Counter[State] = Counter()
        self._bytes: Counter[State] = Counter()
        self._done = 0

    def put(self, transfer: TransferSnapshot, *, is_kept: bool = False) -> None:
        """Take a transfer as it is now."""
        (self.kept.add if is_kept else self.kept.discard)(transfer.id)
        self._count(self.transfers.get(transfer.id), -1)
        if transfer.id not in self._planned:
            self._plan(transfer)
        self.transfers[transfer.id] = transfer
        self._count(transfer, 1)
        if transfer.ended is not None and (self.ended is None or transfer.ended > self.ended):
            self.ended = transfer.ended

    def forget(self, number: int) -> None:
        """Take a transfer off; one that was done counts as done still."""
        self._count(self.transfers.pop(number, None), -1)
        self._planned_files -= self._planned.pop(number, (0, 0))[0]
        self.kept.discard(number)

    def reorder(self, numbers: Iterable[int]) -> None:
        """Show transfers in this order."""
        self.transfers = {number: self.transfers[number] for number in numbers}
        self.places = {number: place for place, number in enumerate(self.transfers)}

    def _plan(self, transfer: TransferSnapshot) -> None:
        sizes = [size or 0 for size in sizes_of(transfer.request)]
        self._planned[transfer.id] = len(sizes), sum(sizes)
        self._planned_files += len(sizes)
        self.places[transfer.id] = len(self.places)
        if isinstance(transfer.request, ZipRequest):
            self.zips[transfer.id] = len(self.zips) + 1
            self.in_zip = max(self.in_zip, len(sizes))

    def _count(self, transfer: TransferSnapshot | None, sign: int) -> None:
        if transfer is None:
            return
        files, planned = self._planned[transfer.id]
        size = transfer.size if transfer.size is not None else planned
        is_done = transfer.state in (State.DONE, State.SKIPPED)
        self._bytes[transfer.state] += sign * size
        self._done += sign * (size if is_done else transfer.done)
        self._files[transfer.state] += sign * files
        self.speed += sign * transfer.speed
        if transfer.state is State.DONE:
            # Of a zip every member is verified by itself, at least by its CRC.
            level = transfer.level or ("crc32+size" if isinstance(transfer.request, ZipRequest) else "")
            self.levels[level] += sign * files
            self.same += sign * was_there(transfer)
        if sign > 0:
            self.of_state[transfer.state][transfer.id] = None
        else:
            self.of_state[transfer.state].pop(transfer.id, None)
        if not self.of_state[State.RUNNING]:
            # Sums of fractions leave a rest.
            self.speed = 0.0

    # How far it is

    def files(self, *states: State) -> int:
        """Files whose transfers are in one of these states; of all states if none is named."""
        return sum(self._files[state] for state in states or State)

    def bytes_of(self, *states: State) -> int:
        """Bytes of transfers in one of these states, when they are done."""
        return sum(self._bytes[state] for state in states)

    @property
    def count(self) -> int:
        """Files in all, also those whose transfers were forgotten."""
        return max(self.batch.count, self._planned_files)

    @property
    def files_done(self) -> int:
        """Files that are here, or there."""
        return self.files(State.DONE, State.SKIPPED) + self.count - self._planned_files

    @property
    def size(self) -> int:
        """Bytes in all, as far as they are known."""
        return self.bytes_of(*State) + self._gone

    @property
    def done(self) -> int:
        """Bytes that arrived, or were sent."""
        return self._done + self._gone

    @property
    def _gone(self) -> int:
        """Bytes of files that were done in an earlier run, or are off the list."""
        return max(self.batch.size - self.bytes_of(*State), 0) if self.count > self._planned_files else 0

    @property
    def arrived(self) -> int:
        """Bytes that a drop would delete: of transfers that are not done."""
        return sum(transfer.done for transfer in self.transfers.values() if not is_over(transfer))

    @property
    def seconds_left(self) -> float | None:
        """Until all is done at the present speed; `None` where nobody can tell."""
        return max(self.size - self.done, 0) / self.speed if self.speed > 0 and self.size else None

    @property
    def goes_on(self) -> bool:
        """Whether something of it happens without the user."""
        return any(self.of_state[state] for state in GOES_ON)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return not self.of_state[State.PAUSED] and not self.goes_on

    @property
    def state(self) -> State:
        """What is to be said of all of it."""
        if self.goes_on:
            active = [state for state in ACTIVE if self.of_state[state]]
            return State.RUNNING if len(active) > 1 else active[0] if active else State.QUEUED
        for state in (State.PAUSED, State.FAILED, State.CANCELLED, State.SKIPPED):
            if self.of_state[state] and not (state is State.SKIPPED and self.of_state[State.DONE]):
                return state
        return State.DONE

    # What it is about

    @property
    def is_upload(self) -> bool:
        """Whether files are sent."""
        first = next(iter(self.transfers.values()), None)
        return first is not None and isinstance(first.request, UploadRequest)

    @property
    def only(self) -> TransferSnapshot | None:
        """Its one transfer, where it has no more."""
        return next(iter(self.transfers.values())) if len(self.transfers) == 1 else None

    def failures(self) -> Iterator[TransferSnapshot]:
        """The transfers that failed."""
        return (self.transfers[number] for number in self.of_state[State.FAILED])


def is_over(transfer: TransferSnapshot) -> bool:
    """Whether nothing of it is left to be done or dropped."""
    return transfer.state in (State.DONE, State.SKIPPED, State.CANCELLED)


def was_there(transfer: TransferSnapshot) -> bool:
    """Whether it is done because the file was here already, with the same content."""
    return transfer.state is State.DONE and bool(transfer.size) and not transfer.done


def locations_of(request: Request) -> Iterator[Location]:
    """The objects that a request brings."""
    if isinstance(request, ZipRequest):
        yield from (member.location for member in request.members)
    elif isinstance(request, DownloadRequest):
        yield request.location


def span_of(request: Request) -> tuple[datetime, datetime] | None:
    """The oldest and the newest object in a zip."""
    if not isinstance(request, ZipRequest):
        return None
    entries = (member.entry for member in request.members)
    moments = [entry.created for entry in entries if entry is not None and entry.created is not None]
    return (min(moments), max(moments)) if moments else None

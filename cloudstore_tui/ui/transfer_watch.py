"""Transfers for the screens: batches with their totals, updated by what the engine pushes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import datetime
from time import monotonic
from typing import TypeVar

from msgspec.structs import replace
from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    Request,
    State,
    TransferBatch,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    batched,
    sizes_of,
)
from cloudstore_tui.ui.mask import MASK

ACTIVE = frozenset({State.SIGNING, State.PACKING, State.RUNNING, State.VERIFYING, State.WAITING})
"""States in which a transfer has started."""
GOES_ON = ACTIVE | {State.QUEUED}
"""States that a transfer leaves without the user."""


class BatchProgress:
    """One batch and its transfers; updating one takes the same time however many there are."""

    def __init__(self, key: str, batch: TransferBatch, process: int = 0) -> None:
        self.key = key
        self.batch = batch
        self.kept: set[int] = set()
        """Ids of transfers that an earlier run left unfinished and that no program has resumed."""
        self.process = process
        """Process id of the other program that runs it; 0 for this one."""
        self.transfers: dict[int, TransferSnapshot] = {}
        """By id, in the order of submission."""
        self.of_state: dict[State, dict[int, None]] = {state: {} for state in State}
        """Ids by state."""
        self.levels: Counter[str] = Counter()
        """Files that are done, by level of verification."""
        self.speed = 0.0
        """Bytes per second, in total."""
        self.ended: datetime | None = None
        """When the last transfer ended."""
        self.is_notified = False
        """Whether its result was shown."""
        self.zips: dict[int, int] = {}
        """Number of each zip in the batch, from 1, by id."""
        self.in_zip = 0
        """Files in the largest zip."""
        self.places: dict[int, int] = {}
        """Position of each transfer, by id."""
        self.same = 0
        """Transfers whose file was already there, with the same content."""
        self._planned: dict[int, tuple[int, int]] = {}
        """Files and bytes of each transfer, as planned, by id."""
        self._planned_files = 0
        self._files: Counter[State] = Counter()
        self._bytes: Counter[State] = Counter()
        self._done = 0

    def put(self, transfer: TransferSnapshot, *, is_kept: bool = False) -> None:
        """Add or update a transfer."""
        (self.kept.add if is_kept else self.kept.discard)(transfer.id)
        self._count(self.transfers.get(transfer.id), -1)
        if transfer.id not in self._planned:
            self._plan(transfer)
        self.transfers[transfer.id] = transfer
        self._count(transfer, 1)
        if transfer.ended is not None and (self.ended is None or transfer.ended > self.ended):
            self.ended = transfer.ended

    def forget(self, number: int) -> None:
        """Remove a transfer; its files still count as done if they were."""
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
            self.levels[level_of(transfer)] += sign * files
            self.same += sign * was_already_there(transfer)
        if sign > 0:
            self.of_state[transfer.state][transfer.id] = None
        else:
            self.of_state[transfer.state].pop(transfer.id, None)
        if not self.of_state[State.RUNNING]:
            # Rounding errors add up.
            self.speed = 0.0

    # Progress

    def files(self, *states: State) -> int:
        """Files whose transfers are in one of these states, or in any if none is given."""
        return sum(self._files[state] for state in states or State)

    def bytes_of(self, *states: State) -> int:
        """Full size in bytes of the transfers in these states."""
        return sum(self._bytes[state] for state in states)

    @property
    def count(self) -> int:
        """All files, including those of removed transfers."""
        return max(self.batch.count, self._planned_files)

    @property
    def files_done(self) -> int:
        """Files that were transferred."""
        return self.files(State.DONE, State.SKIPPED) + self.count - self._planned_files

    @property
    def size(self) -> int:
        """Total bytes, as far as known."""
        return self.bytes_of(*State) + self._removed_bytes

    @property
    def done(self) -> int:
        """Bytes transferred."""
        return self._done + self._removed_bytes

    @property
    def _removed_bytes(self) -> int:
        """Bytes of files that were done in an earlier run or removed from the list."""
        return max(self.batch.size - self.bytes_of(*State), 0) if self.count > self._planned_files else 0

    @property
    def seconds_left(self) -> float | None:
        """Time left at the current speed; `None` if unknown."""
        return max(self.size - self.done, 0) / self.speed if self.speed > 0 and self.size else None

    @property
    def goes_on(self) -> bool:
        """Whether any transfer is running or queued."""
        return any(self.of_state[state] for state in GOES_ON)

    @property
    def has_ended(self) -> bool:
        """Whether no transfer is running, queued or paused."""
        return not self.of_state[State.PAUSED] and not self.goes_on

    @property
    def state(self) -> State:
        """The one state that stands for the whole batch."""
        if self.goes_on:
            active = [state for state in ACTIVE if self.of_state[state]]
            return State.RUNNING if len(active) > 1 else active[0] if active else State.QUEUED
        for state in (State.PAUSED, State.FAILED, State.CANCELLED, State.SKIPPED):
            if self.of_state[state] and not (state is State.SKIPPED and self.of_state[State.DONE]):
                return state
        return State.DONE

    # Contents

    @property
    def is_upload(self) -> bool:
        first = next(iter(self.transfers.values()), None)
        return first is not None and isinstance(first.request, UploadRequest)

    @property
    def only(self) -> TransferSnapshot | None:
        """The transfer of a batch of one."""
        return next(iter(self.transfers.values())) if len(self.transfers) == 1 else None

    def failures(self) -> Iterator[TransferSnapshot]:
        return (self.transfers[number] for number in self.of_state[State.FAILED])


def can_be_cleared(transfer: TransferSnapshot) -> bool:
    """Whether a transfer can be cleared from the list: it ended, and did not fail."""
    return transfer.state in (State.DONE, State.SKIPPED, State.CANCELLED)


def was_already_there(transfer: TransferSnapshot) -> bool:
    """Whether the file was already there with the same content, so that nothing was transferred."""
    return transfer.state is State.DONE and bool(transfer.size) and not transfer.done


def level_of(transfer: TransferSnapshot) -> str:
    """The level of verification; members of a zip are verified one by one, at least by CRC."""
    return transfer.level or ("crc32+size" if isinstance(transfer.request, ZipRequest) else "")


def locations_of(request: Request) -> Iterator[Location]:
    """The objects that a request downloads."""
    if isinstance(request, ZipRequest):
        yield from (member.location for member in request.members)
    elif isinstance(request, DownloadRequest):
        yield request.location


def span_of(request: Request) -> tuple[datetime, datetime] | None:
    """Creation times of the oldest and the newest object in a zip."""
    if not isinstance(request, ZipRequest):
        return None
    entries = (member.entry for member in request.members)
    moments = [entry.created for entry in entries if entry is not None and entry.created is not None]
    return (min(moments), max(moments)) if moments else None


Item = TypeVar("Item")

INTERVAL = 0.0
"""Least seconds between updates; the engine limits how often it pushes changes."""
LOW_BANDWIDTH_INTERVAL = 1.0
"""The same for slow connections."""
RESULT_S = 4.0
"""Seconds that a result stays at least; the next key after that removes it."""
LONG_S = 10.0
"""Seconds after which the user may have looked away, so that the end of a transfer is worth a bell."""
_NO_BATCH = "of-an-earlier-run"
"""Id of the batch for transfers that have none."""


class TransferWatch:
    """Passes commands to the engine, and keeps batches and totals up to date."""

    def __init__(self, app: App[None], engine: EngineThread, *, bell: bool = False, interval: float = INTERVAL) -> None:
        self._app = app
        self._interval = interval
        self.engine = engine
        """Runs the transfers. Only calls that read the journal are awaited."""
        self._bell = bell
        self._batch_of: dict[int, str] = {}
        self._number_of: dict[Location, int] = {}
        """Id of the last transfer of each object."""
        self._changed: set[int] = set()
        self._polled_at = -LOW_BANDWIDTH_INTERVAL
        self._ended_at = 0.0
        self._timer: Timer | None = None
        self._stop_listening: Callable[[], None] | None = None
        self.batches: dict[str, BatchProgress] = {}
        """All batches in the order they appeared: of this program, of earlier runs, and of other programs."""
        self.results: list[BatchProgress] = []
        """Ended batches that the user may not have seen yet, the newest last."""
        self.changed: Signal[None] = Signal(app, "transfers changed")
        """Published when any batch changes."""
        self.ended: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers ended")
        """Published with the transfers that have just ended."""
        self.finished: Signal[BatchProgress] = Signal(app, "batch finished")
        """Published once for every batch that ends."""
        self.kept: Signal[None] = Signal(app, "transfers kept")
        """Published when the set of transfers left by earlier runs changes."""

    def begin(self) -> None:
        """Start listening; call it in the app's event loop."""
        self._stop_listening = self.engine.listen(self._collect)
        for transfer in self.engine.snapshot():
            self._put(transfer)
        for batch in self.batches.values():
            batch.is_notified = batch.has_ended

    def end(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()

    # Reading

    @property
    def ours(self) -> list[BatchProgress]:
        return [batch for batch in self.batches.values() if not batch.process]

    @property
    def unfinished(self) -> int:
        """How many transfers quitting would stop, or lose."""
        states = GOES_ON if self.engine.keeps else GOES_ON | {State.PAUSED}
        return sum(len(batch.of_state[state]) for batch in self.ours for state in states)

    @property
    def left(self) -> int:
        """How many transfers of this run are not done, and can be resumed by another one."""
        states = GOES_ON | {State.PAUSED, State.FAILED} if self.engine.keeps else ()
        return sum(len(batch.of_state[state]) for batch in self.ours for state in states)

    @property
    def running(self) -> list[BatchProgress]:
        return [batch for batch in self.ours if batch.goes_on]

    def transfer_of(self, location: Location) -> TransferSnapshot | None:
        """The last transfer of an object, alone or in a zip."""
        number = self._number_of.get(location)
        batch = self.batches.get(self._batch_of.get(number, "")) if number is not None else None
        return batch.transfers.get(number) if batch is not None and number is not None else None

    def is_coming(self, location: Location) -> bool:
        transfer = self.transfer_of(location)
        return transfer is not None and transfer.state in GOES_ON

    # Commands

    def submit(self, requests: Iterable[Request], title: str, target: str) -> None:
        """Queue requests, shown as one batch with this title and target."""
        for request in batched(list(requests), title, target):
            number = self.engine.submit(request)
            if number not in self._batch_of:
                self._put(TransferSnapshot(number, request))
        self.changed.publish(None)

    async def resume(self, numbers: Iterable[int]) -> None:
        """Resume paused transfers, and those that an earlier run left."""
        ours, kept = self._split(numbers)
        self.engine.resume(*ours)
        if kept:
            taken = await self.engine.adopt(kept)
            self._remove(kept - set(taken))
            self._update(self.engine.snapshot(taken))
            self.kept.publish(None)

    async def cancel(self, numbers: Iterable[int]) -> None:
        """Cancel transfers; of those that an earlier run left, delete the partial files."""
        ours, kept = self._split(numbers)
        self.engine.cancel(*ours)
        if kept:
            await self.engine.drop(kept)
            self._remove(kept)
            self.changed.publish(None)
            self.kept.publish(None)

    def _split(self, numbers: Iterable[int]) -> tuple[list[int], set[int]]:
        """Split ids into those of this run and those left by earlier ones."""
        wanted = list(numbers)
        kept = {number for number in wanted if number in self._batch(number).kept}
        return [number for number in wanted if number not in kept], kept

    def move(self, key: str, number: int, step: int) -> bool:
        """Swap a batch, or a transfer within its batch, with its waiting neighbour; whether there was one.

        Args:
            key: the batch.
            number: the id of the transfer; 0 moves the batch.
            step: 1 moves it down, -1 up.
        """
        batch = self.batches[key]
        if number:
            order = list(batch.transfers)
            place = _swap(order, number, step, batch.of_state[State.QUEUED].keys())
            if place is not None:
                batch.reorder(order)
                self.engine.reorder([one for one in order if one in batch.of_state[State.QUEUED]])
        else:
            keys = list(self.batches)
            waiting = {one.key for one in self.running if one.of_state[State.QUEUED]}
            place = _swap(keys, key, step, waiting)
            if place is not None:
                self.batches = {one: self.batches[one] for one in keys}
                moved = [self.batches[one] for one in keys if one in waiting]
                self.engine.reorder([one for batch in moved for one in batch.of_state[State.QUEUED]])
        self.changed.publish(None)
        return place is not None

    def clear_done(self) -> int:
        """Remove ended transfers from the list, except failed ones; return how many."""
        # Report what has just ended before it is removed.
        self.poll_all()
        ended = [batch for batch in self.ours if batch.has_ended]
        numbers = [number for batch in ended for number, one in batch.transfers.items() if can_be_cleared(one)]
        self.engine.forget(*numbers)
        self._remove(numbers)
        self.results = [batch for batch in self.results if batch.transfers]
        self.changed.publish(None)
        return len(numbers)

    # Following changes

    async def load_interrupted(self) -> None:
        """Load the transfers that earlier runs left unfinished."""
        found = tuple(map(_as_stopped, await self.engine.interrupted()))
        ours = {number for batch in self.batches.values() for number in batch.transfers.keys() - batch.kept}
        left = {number for batch in self.batches.values() for number in batch.kept}
        self._remove(left - {transfer.id for transfer in found})
        # Some may have been resumed in this run.
        for transfer in found:
            if transfer.id not in ours:
                self._put(transfer, is_kept=True)
        if found or left:
            self.changed.publish(None)
            self.kept.publish(None)

    async def load_foreign(self) -> None:
        """Load the transfers that other programs are running."""
        found = await self.engine.running_elsewhere()
        running = {other.transfer.id for other in found}
        theirs = {number for batch in self.batches.values() if batch.process for number in batch.transfers}
        gone = theirs - running
        resumed = running.intersection(number for batch in self.batches.values() for number in batch.kept)
        self._remove(gone | resumed)
        changed = [self._put(other.transfer, process=other.process) != other.transfer for other in found]
        if gone:
            # The program may have been stopped before they were done.
            await self.load_interrupted()
        if gone or any(changed):
            self.changed.publish(None)
        if resumed:
            self.kept.publish(None)

    def poll_all(self) -> None:
        """Update all transfers of this program now."""
        self.poll([number for batch in self.ours for number in batch.transfers.keys() - batch.kept])

    def poll(self, others: Iterable[int] = ()) -> None:
        """Update the transfers that were pushed as changed, and others if given."""
        self._polled_at, self._timer = monotonic(), None
        pushed, self._changed = self._changed, set()
        found = self.engine.snapshot(pushed.union(others))
        self._remove(pushed - {transfer.id for transfer in found})
        self._update(found)

    def on_input(self) -> None:
        """Remove the results if they were shown long enough; called for every key."""
        if monotonic() - self._ended_at >= RESULT_S:
            self.mark_seen()

    def mark_seen(self) -> None:
        if self.results:
            self.results.clear()
            self.changed.publish(None)

    def _collect(self, numbers: frozenset[int]) -> None:
        """Collect pushed ids, and schedule an update."""
        self._changed |= numbers
        if self._timer is None:
            wait = self._polled_at + self._interval - monotonic()
            if wait > 0:
                self._timer = self._app.set_timer(wait, self.poll)
            else:
                self._app.call_later(self.poll)

    def _update(self, transfers: Iterable[TransferSnapshot]) -> None:
        """Update transfers of this program, and publish what ended."""
        ended: list[TransferSnapshot] = []
        touched: dict[str, BatchProgress] = {}
        for transfer in transfers:
            before = self._put(transfer)
            touched[self._batch_of[transfer.id]] = self._batch(transfer.id)
            if transfer.state.ended and (before is None or before.ended != transfer.ended or not before.state.ended):
                ended.append(transfer)
        self.changed.publish(None)
        if ended:
            self.ended.publish(tuple(ended))
            if self._bell and any(map(is_long, ended)):
                self._app.bell()
        for batch in touched.values():
            self._finish(batch)

    def _finish(self, batch: BatchProgress) -> None:
        """Publish the end of a batch once, unless the user cancelled it."""
        if not batch.has_ended:
            batch.is_notified = False
        elif not batch.is_notified:
            batch.is_notified = True
            if batch.state is not State.CANCELLED:
                self._ended_at = monotonic()
                self.results = [one for one in self.results if one is not batch] + [batch]
                self.finished.publish(batch)
                self.changed.publish(None)

    def _put(self, transfer: TransferSnapshot, *, is_kept: bool = False, process: int = 0) -> TransferSnapshot | None:
        """Add or update a transfer in its batch; return its previous snapshot."""
        batch = transfer.request.batch or TransferBatch(_NO_BATCH, "")
        # Another program may be running a part of one of our batches.
        key = f"{batch.id} {process}" if process else batch.id
        progress = self.batches.get(key)
        if progress is None:
            progress = self.batches[key] = BatchProgress(key, batch, process)
            # The title may name a person who is in none of the lists of this run.
            MASK.learn_title(batch.title)
        before = progress.transfers.get(transfer.id)
        if before is None:
            self._batch_of[transfer.id] = key
            self._number_of.update((location, transfer.id) for location in locations_of(transfer.request))
        progress.put(transfer, is_kept=is_kept)
        return before

    def _remove(self, numbers: Iterable[int]) -> None:
        """Remove transfers from the list."""
        for number in list(numbers):
            key = self._batch_of.pop(number, "")
            if (batch := self.batches.get(key)) is not None:
                batch.forget(number)
                if not batch.transfers:
                    del self.batches[key]

    def _batch(self, number: int) -> BatchProgress:
        return self.batches[self._batch_of[number]]


def _swap(order: list[Item], item: Item, step: int, movable: Set[Item]) -> int | None:
    """Swap an item with the next or previous movable one; return its new index."""
    at = order.index(item)
    places = range(at + 1, len(order)) if step > 0 else range(at - 1, -1, -1)
    to = next((place for place in places if order[place] in movable), None)
    if to is not None:
        order[at], order[to] = order[to], order[at]
    return to


def is_long(transfer: TransferSnapshot) -> bool:
    """Whether a transfer took long enough to ring the bell; not if the user cancelled it."""
    if transfer.state is State.CANCELLED or transfer.started is None or transfer.ended is None:
        return False
    return (transfer.ended - transfer.started).total_seconds() > LONG_S


def _as_stopped(transfer: TransferSnapshot) -> TransferSnapshot:
    """The snapshot of a transfer whose program has ended, shown as stopped."""
    note = "stopped half-way"
    if transfer.state is State.FAILED:
        note = f"failed: {transfer.note}" if transfer.note else "failed"
    return replace(transfer, state=State.PAUSED, note=note)

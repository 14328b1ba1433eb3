"""Transfers as the screen sees them: batches with their totals, kept up to date by what is pushed."""

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
        self.is_notified = False
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
            self.levels[level_of(transfer)] += sign * files
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
        first = next(iter(self.transfers.values()), None)
        return first is not None and isinstance(first.request, UploadRequest)

    @property
    def only(self) -> TransferSnapshot | None:
        """Its one transfer, where it has no more."""
        return next(iter(self.transfers.values())) if len(self.transfers) == 1 else None

    def failures(self) -> Iterator[TransferSnapshot]:
        return (self.transfers[number] for number in self.of_state[State.FAILED])


def is_over(transfer: TransferSnapshot) -> bool:
    """Whether nothing of it is left to be done or dropped."""
    return transfer.state in (State.DONE, State.SKIPPED, State.CANCELLED)


def was_there(transfer: TransferSnapshot) -> bool:
    """Whether it is done because the file was here already, with the same content."""
    return transfer.state is State.DONE and bool(transfer.size) and not transfer.done


def level_of(transfer: TransferSnapshot) -> str:
    """How well it was verified; of a zip every member is by itself, at least by its CRC."""
    return transfer.level or ("crc32+size" if isinstance(transfer.request, ZipRequest) else "")


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


Item = TypeVar("Item")

INTERVAL = 0.0
"""Seconds between two looks at what changed, at least; what pushes the changes spares the screen already."""
LOW_BANDWIDTH_INTERVAL = 1.0
"""The same over a line that is to be spared."""
RESULT_S = 4.0
"""Seconds for which a result stays whatever is typed."""
LONG = 10.0
"""Seconds after which nobody looks at the screen any more."""
_ALONE = "of-an-earlier-run"
"""Names the batch of transfers that were begun before there were batches."""


class TransferWatch:
    """Passes orders on, and keeps batches and their totals by what is pushed."""

    def __init__(self, app: App[None], engine: EngineThread, *, bell: bool = False, interval: float = INTERVAL) -> None:
        self._app = app
        self._interval = interval
        self.engine = engine
        """What carries transfers out. Only what is read from the journal is waited for."""
        self._bell = bell
        self._batch_of: dict[int, str] = {}
        self._number_of: dict[Location, int] = {}
        """The last transfer that brings an object."""
        self._changed: set[int] = set()
        self._polled_at = -LOW_BANDWIDTH_INTERVAL
        self._ended_at = 0.0
        self._timer: Timer | None = None
        self._stop_listening: Callable[[], None] | None = None
        self.batches: dict[str, BatchProgress] = {}
        """All batches, in the order they came: those of this program, of an earlier run, and of other programs."""
        self.results: list[BatchProgress] = []
        """Batches that ended and that the user may not have seen yet, the newest last."""
        self.changed: Signal[None] = Signal(app, "transfers changed")
        """Whenever something of a batch is not what it was."""
        self.ended: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers ended")
        """Those that just ended."""
        self.finished: Signal[BatchProgress] = Signal(app, "batch finished")
        """A batch of which nothing is left to do."""
        self.kept: Signal[None] = Signal(app, "transfers kept")
        """Whenever others of earlier runs wait for the user."""

    def begin(self) -> None:
        """Listen from now on; called in the loop of the app."""
        self._stop_listening = self.engine.listen(self._note)
        for transfer in self.engine.snapshot():
            self._put(transfer)
        for batch in self.batches.values():
            batch.is_notified = batch.has_ended

    def end(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()

    # What there is

    @property
    def ours(self) -> list[BatchProgress]:
        return [batch for batch in self.batches.values() if not batch.process]

    @property
    def unfinished(self) -> int:
        """How many transfers the end of the program would stop, or lose."""
        states = GOES_ON if self.engine.keeps else GOES_ON | {State.PAUSED}
        return sum(len(batch.of_state[state]) for batch in self.ours for state in states)

    @property
    def running(self) -> list[BatchProgress]:
        return [batch for batch in self.ours if batch.goes_on]

    def transfer_of(self, location: Location) -> TransferSnapshot | None:
        """The last transfer that brings an object, alone or in a zip."""
        number = self._number_of.get(location)
        batch = self.batches.get(self._batch_of.get(number, "")) if number is not None else None
        return batch.transfers.get(number) if batch is not None and number is not None else None

    def is_coming(self, location: Location) -> bool:
        transfer = self.transfer_of(location)
        return transfer is not None and transfer.state in GOES_ON

    # Orders

    def submit(self, requests: Iterable[Request], title: str, target: str) -> None:
        """Put what one key asked for into the queue; it is shown as one batch of this title and target."""
        for request in batched(list(requests), title, target):
            number = self.engine.submit(request)
            if number not in self._batch_of:
                self._put(TransferSnapshot(number, request))
        self.changed.publish(None)

    async def resume(self, numbers: Iterable[int]) -> None:
        """Go on with transfers that rest, or that an earlier run left."""
        ours, kept = self._split(numbers)
        self.engine.resume(*ours)
        if kept:
            taken = await self.engine.adopt(kept)
            self._off(kept - set(taken))
            self._take(self.engine.snapshot(taken))
            self.kept.publish(None)

    async def cancel(self, numbers: Iterable[int]) -> None:
        """Stop transfers; of an earlier run, forget them with what arrived."""
        ours, kept = self._split(numbers)
        self.engine.cancel(*ours)
        if kept:
            await self.engine.drop(kept)
            self._off(kept)
            self.changed.publish(None)
            self.kept.publish(None)

    def _split(self, numbers: Iterable[int]) -> tuple[list[int], set[int]]:
        """Which of some transfers are of this run, and which an earlier one left."""
        wanted = list(numbers)
        kept = {number for number in wanted if number in self._batch(number).kept}
        return [number for number in wanted if number not in kept], kept

    def move(self, key: str, number: int, step: int) -> bool:
        """Let a batch change places with the next one that waits, or the one before; or a transfer within its batch.

        Whether there was another place.
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
        """Take batches off the list that ended, but for what failed; how many transfers that were."""
        # What ended a moment ago is told before it goes.
        self.poll_all()
        ended = [batch for batch in self.ours if batch.has_ended]
        numbers = [number for batch in ended for number, one in batch.transfers.items() if is_over(one)]
        self.engine.forget(*numbers)
        self._off(numbers)
        self.results = [batch for batch in self.results if batch.transfers]
        self.changed.publish(None)
        return len(numbers)

    # What changes

    async def interrupted(self) -> None:
        """Learn of the transfers of earlier runs, which nobody goes on with now."""
        found = tuple(map(_at_rest, await self.engine.interrupted()))
        ours = {number for batch in self.batches.values() for number in batch.transfers.keys() - batch.kept}
        left = {number for batch in self.batches.values() for number in batch.kept}
        self._off(left - {transfer.id for transfer in found})
        # What is ours by now is not an earlier run's any more.
        for transfer in found:
            if transfer.id not in ours:
                self._put(transfer, is_kept=True)
        if found or left:
            self.changed.publish(None)
            self.kept.publish(None)

    async def elsewhere(self) -> None:
        """Learn of the transfers that other programs make right now."""
        found = await self.engine.elsewhere()
        theirs = {number for batch in self.batches.values() if batch.process for number in batch.transfers}
        gone = theirs - {other.transfer.id for other in found}
        self._off(gone)
        changed = [self._put(other.transfer, process=other.process) != other.transfer for other in found]
        if gone or any(changed):
            self.changed.publish(None)

    def poll_all(self) -> None:
        """See what became of all of them, also of what changed a moment ago."""
        self.poll([number for batch in self.ours for number in batch.transfers.keys() - batch.kept])

    def poll(self, others: Iterable[int] = ()) -> None:
        """See what became of those that changed, and of others."""
        self._polled_at, self._timer = monotonic(), None
        pushed, self._changed = self._changed, set()
        found = self.engine.snapshot(pushed.union(others))
        self._off(pushed - {transfer.id for transfer in found})
        self._take(found)

    def go_on(self) -> None:
        """The user typed on: how the last batch ended was read, if it was there for long enough."""
        if monotonic() - self._ended_at >= RESULT_S:
            self.mark_seen()

    def mark_seen(self) -> None:
        if self.results:
            self.results.clear()
            self.changed.publish(None)

    def _note(self, numbers: frozenset[int]) -> None:
        """Take what is pushed, from outside of the app's own loop of messages."""
        self._changed |= numbers
        if self._timer is None:
            wait = self._polled_at + self._interval - monotonic()
            if wait > 0:
                self._timer = self._app.set_timer(wait, self.poll)
            else:
                self._app.call_later(self.poll)

    def _take(self, transfers: Iterable[TransferSnapshot]) -> None:
        """Take transfers of this program as they are now."""
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
        """Tell once that a batch has ended; what the user cancelled is no news."""
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
        """Put a transfer into its batch; how it was before."""
        batch = transfer.request.batch or TransferBatch(_ALONE, "")
        # A part of a batch of ours may be in the hands of another program.
        key = f"{batch.id} {process}" if process else batch.id
        progress = self.batches.get(key)
        if progress is None:
            progress = self.batches[key] = BatchProgress(key, batch, process)
            # A batch of an earlier run may be named after somebody that no list of this run holds.
            MASK.learn_title(batch.title)
        before = progress.transfers.get(transfer.id)
        if before is None:
            self._batch_of[transfer.id] = key
            self._number_of.update((location, transfer.id) for location in locations_of(transfer.request))
        progress.put(transfer, is_kept=is_kept)
        return before

    def _off(self, numbers: Iterable[int]) -> None:
        """Take transfers off the list."""
        for number in list(numbers):
            key = self._batch_of.pop(number, "")
            if (batch := self.batches.get(key)) is not None:
                batch.forget(number)
                if not batch.transfers:
                    del self.batches[key]

    def _batch(self, number: int) -> BatchProgress:
        return self.batches[self._batch_of[number]]


def _swap(order: list[Item], item: Item, step: int, movable: Set[Item]) -> int | None:
    """Let an item and the next movable one, or the one before, change places; where it is then."""
    at = order.index(item)
    places = range(at + 1, len(order)) if step > 0 else range(at - 1, -1, -1)
    to = next((place for place in places if order[place] in movable), None)
    if to is not None:
        order[at], order[to] = order[to], order[at]
    return to


def is_long(transfer: TransferSnapshot) -> bool:
    """Whether it took so long that its end is worth a bell; the user knows of what they cancelled."""
    if transfer.state is State.CANCELLED or transfer.started is None or transfer.ended is None:
        return False
    return (transfer.ended - transfer.started).total_seconds() > LONG


def _at_rest(transfer: TransferSnapshot) -> TransferSnapshot:
    """One that nobody makes now, whatever it was at when its program ended."""
    note = "stopped half-way"
    if transfer.state is State.FAILED:
        note = f"failed: {transfer.note}" if transfer.note else "failed"
    return replace(transfer, state=State.PAUSED, note=note)

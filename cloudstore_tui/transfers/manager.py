"""The queue of transfers, each with its state, in one event loop."""

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.fs.local_file import identity_of
from cloudstore_tui.net.clock import Clock, SleepDetector
from cloudstore_tui.transfers.journal.store import JournalEntry, JournalStore
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot, UploadRequest
from cloudstore_tui.transfers.task import Result, Scheduler, TransferTask, account_of
from cloudstore_tui.transfers.workers import Workers

if TYPE_CHECKING:
    from cloudstore_tui.transfers.context import TransferContext

_log = logging.getLogger(__name__)

PUSH_INTERVAL_S = 0.25
"""Seconds between two pushes: faster than anybody reads."""

Listener: TypeAlias = Callable[[frozenset[int]], object]
"""Called with the ids of transfers that changed, came or went."""


class Changes:
    """Gathers changes and pushes them together, in the loop of the transfers. `mark` may be called in any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        self._changed: set[int] = set()
        self._scheduled = False
        self._lock = threading.Lock()
        self._last = float("-inf")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Push changes to a listener from now on; returns a function that ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the loop in which listeners are called."""
        self._loop = loop

    def mark(self, transfer_id: int) -> None:
        """Note that a transfer changed."""
        loop = self._loop
        if not self._listeners or loop is None:
            return
        with self._lock:
            self._changed.add(transfer_id)
            first, self._scheduled = not self._scheduled, True
        if first:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._schedule, loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(max(self._last + PUSH_INTERVAL_S - loop.time(), 0.0), self._push, loop)

    def _push(self, loop: asyncio.AbstractEventLoop) -> None:
        self._last = loop.time()
        with self._lock:
            changed, self._changed = frozenset(self._changed), set()
            self._scheduled = False
        for listener in list(self._listeners):
            try:
                listener(changed)
            except Exception:  # noqa: BLE001 - whoever shows transfers must not stop them
                _log.exception("a listener of transfers failed")


STEP_TIMEOUT_S = 0.9
"""Seconds that each of the two steps of closing gets: to stop what runs, and to store what arrived."""
SAMPLE_INTERVAL_S = 0.25
"""Seconds between two measurements of the speed."""
COMMAND_POLL_S = 1.0
"""Seconds between two looks for commands from other programs."""

_CAN_RETRY = frozenset({State.FAILED, State.CANCELLED, State.SKIPPED})
_NOT_IN_JOURNAL = frozenset({State.DONE, State.SKIPPED, State.CANCELLED})
"""States after which a transfer has no entry in the journal any more."""

_CHANCE = random.Random()


def new_transfer_id() -> int:
    """A random id, so that programs that share a journal give different ones."""
    return _CHANCE.getrandbits(40)


class TransferManager:
    """Runs transfers. Lives in one event loop; only `snapshot` and `members` may be called from elsewhere."""

    def __init__(
        self,
        provider_of: Callable[[str], StorageProvider],
        at_once: int = 4,
        timeouts: Timeouts | None = None,
        *,
        journal: JournalStore | None = None,
        polls: tuple[int, ...] = (5, 10, 20),
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Nothing is opened before the first transfer.

        Args:
            provider_of: returns the provider of a profile.
            at_once: transfers that may move bytes at the same time.
            timeouts: how long to wait for a host.
            journal: keeps transfers that outlive the program; without one they end with it.
            polls: seconds between two requests for the status of a zip job; the last repeats.
            clock: time and chance.
            disk: the file calls.
        """
        self._provider_of = provider_of
        self._timeouts = timeouts or Timeouts()
        self._journal = journal
        self._polls = polls
        self._clock = clock or Clock()
        self._disk = disk or Disk()
        self._workers = Workers()
        self._context: TransferContext | None = None
        self._changes = Changes()
        self._clearing: set[asyncio.Task[None]] = set()
        self._tasks: dict[int, TransferTask] = {}
        self._under_way: dict[int, TransferTask] = {}
        """Those that have started, or are paused, and have not ended."""
        self._scheduler = Scheduler(at_once, self._begin, self._settle)
        self._closed = False
        self._sleep = SleepDetector(self._clock)
        self._monitor: asyncio.Task[None] | None = None
        self.left_overs = LeftOvers(journal, self._disk, self._workers)
        """Transfers of other programs, and of runs that ended too early."""

    def submit(self, request: Request, transfer_id: int | None = None) -> int:
        """Put a transfer into the queue and return its id."""
        transfer_id = new_transfer_id() if transfer_id is None else transfer_id
        task = self._add(transfer_id, request, JournalEntry(self._journal, transfer_id))
        self._enter(task)
        self._enqueue(task)
        return transfer_id

    async def adopt(self, transfer_ids: Iterable[int] | None = None) -> tuple[int, ...]:
        """Continue interrupted transfers, all or some; returns the ids of those that no other program took first."""
        rows = await self._journal.adopt(transfer_ids) if self._journal is not None else ()
        for row in rows:
            task = self._add(row.id, row.request, JournalEntry(self._journal, row.id, row))
            task.progress.size = row.size
            if not row.damage:
                task.journal_entry.note(state=State.QUEUED.value, reason="", code=0)
            self._enqueue(task)
        return tuple(row.id for row in rows)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Push the ids of transfers that change to a listener, at most four times a second, until the result is called.

        The listener is called in the loop of the transfers. An id that `snapshot` does not know was forgotten.
        """
        return self._changes.listen(listener)

    def reorder(self, transfer_ids: Sequence[int]) -> None:
        """Sort these transfers among the places that they have in the queue."""
        known = {self._tasks[transfer_id]: transfer_id for transfer_id in transfer_ids if transfer_id in self._tasks}
        moved = self._scheduler.reorder(list(known))
        if self._journal is not None:
            self._journal.reorder([known[task] for task in moved])

    def pause(self, *transfer_ids: int) -> None:
        """Stop transfers until they are resumed; what arrived is kept."""
        for task in self._known(transfer_ids):
            if task.progress.state.ended or task.progress.state is State.PAUSED:
                continue
            if task.running is not None:
                task.stop(State.PAUSED)
            else:
                self._scheduler.withdraw(task)
                self._track(task)
                task.progress.to(State.PAUSED)

    def resume(self, *transfer_ids: int) -> None:
        """Continue transfers that were paused."""
        for task in self._known(transfer_ids):
            if task.progress.state is State.PAUSED:
                self._enqueue(task)

    def cancel(self, *transfer_ids: int) -> None:
        """Stop transfers for good: their connections are closed at once, and nothing is left on the disk.

        What arrived of a transfer that failed is removed, too.
        """
        for task in self._known(transfer_ids):
            if task.progress.state in _NOT_IN_JOURNAL:
                continue
            if task.running is not None:
                task.stop(State.CANCELLED)
                continue
            self._scheduler.withdraw(task)
            task.ended.clear()
            self._scheduler.start(task, task.give_up(self.context))

    def retry(self, *transfer_ids: int) -> None:
        """Try transfers again that failed, were cancelled or skipped; what arrived is kept where possible."""
        for task in self._known(transfer_ids):
            if task.progress.state not in _CAN_RETRY or task.running is not None:
                continue
            if task.progress.state is not State.FAILED:
                self._enter(task)
            self._enqueue(task)

    def forget(self, *transfer_ids: int) -> None:
        """Remove transfers that ended from the list, with everything that is left of them."""
        for task in self._known(transfer_ids):
            if task.progress.state.ended and task.running is None:
                del self._tasks[task.progress.transfer_id]
                self._changes.mark(task.progress.transfer_id)
                if task.progress.state not in _NOT_IN_JOURNAL:
                    self._clear(task)

    def snapshot(self, transfer_ids: Iterable[int] | None = None) -> tuple[TransferSnapshot, ...]:
        """Transfers as they are now, all or some, in the order they were submitted. May be called from any thread."""
        if transfer_ids is None:
            return tuple(task.progress.snapshot() for task in list(self._tasks.values()))
        found = (self._tasks.get(transfer_id) for transfer_id in transfer_ids)
        return tuple(task.progress.snapshot() for task in found if task is not None)

    def has_leftovers(self, transfer_id: int) -> bool:
        """Whether anything of a transfer is on the disk, or was there when an earlier run ended."""
        task = self._tasks.get(transfer_id)
        return task is not None and (task.leaves or task.journal_entry.resume_state is not None)

    def members(self, transfer_id: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now; empty for other transfers. May be called from any thread."""
        task = self._tasks.get(transfer_id)
        return tuple(member.snapshot() for member in task.progress.members) if task is not None else ()

    def _known(self, transfer_ids: Iterable[int]) -> list[TransferTask]:
        return [task for transfer_id in transfer_ids if (task := self._tasks.get(transfer_id)) is not None]

    async def wait(self, transfer_id: int) -> TransferSnapshot:
        """The transfer when it has ended."""
        task = self._tasks[transfer_id]
        await task.ended.wait()
        return task.progress.snapshot()

    def drain(self) -> list[int]:
        """Start nothing more; returns the ids of what is running."""
        self._scheduler.close()
        return [transfer_id for transfer_id, task in self._tasks.items() if task.running is not None]

    async def close(self) -> None:
        """Stop everything, within about a second.

        With a journal, the next run can continue what is not done; without one, no part file is left.
        """
        self._closed = True
        self._scheduler.close()
        if self._context is not None:
            await self._stop(self._context)
            leaving = [task for task in self._tasks.values() if task.leaves]
            ending = {*self._clearing, *(asyncio.create_task(self._suspend(task)) for task in leaving)}
            if ending:
                await asyncio.wait(ending, timeout=STEP_TIMEOUT_S)
        for task in self._tasks.values():
            if not task.progress.state.ended and not task.journal_entry.lasts:
                task.progress.to(State.CANCELLED)
            task.ended.set()
        if self._monitor is not None:
            self._monitor.cancel()
        self._workers.close()

    async def _suspend(self, task: TransferTask) -> None:
        # If the disk or the time does not allow it, the next run finds what is there, as after a crash.
        with suppress(StorageError):
            await task.suspend(self.context)

    async def _stop(self, context: "TransferContext") -> None:
        """End every connection and everything that runs."""
        stopping: set[asyncio.Task[Any]] = {asyncio.create_task(context.blob.close())}
        for task in self._tasks.values():
            if task.running is not None:
                task.stop(State.PAUSED)
                stopping.add(task.running)
        await asyncio.wait(stopping, timeout=STEP_TIMEOUT_S)

    @property
    def context(self) -> "TransferContext":
        """What all transfers share, made for the first one."""
        if self._context is None:
            # Deferred: libcurl takes longer to load than the first screen to draw.
            from cloudstore_tui.net.blob import BlobClient
            from cloudstore_tui.transfers.context import TransferContext

            self._context = TransferContext(
                BlobClient(self._timeouts), self._timeouts, self._clock, self._disk, self._polls, self._workers
            )
        return self._context

    def _add(self, transfer_id: int, request: Request, journal_entry: JournalEntry) -> TransferTask:
        self._changes.bind(asyncio.get_running_loop())
        touched = partial(self._changes.mark, transfer_id)
        task = self._tasks[transfer_id] = TransferTask(transfer_id, request, self._clock, journal_entry, touched)
        return task

    def _enter(self, task: TransferTask) -> None:
        """Make an entry in the journal: the request, and whose account and which file it is about."""
        request, journal_entry = task.progress.request, task.journal_entry
        if not journal_entry.lasts:
            return
        account: dict[str, str] = {}
        with suppress(StorageError):
            # If the profile cannot be opened, the transfer fails when its turn comes.
            account = account_of(self._provider_of(request.location.profile).profile)
        journal_entry.enter(request, account)
        if isinstance(request, UploadRequest):
            self._in_background(self._note_file(request, journal_entry))

    async def _note_file(self, request: UploadRequest, journal_entry: JournalEntry) -> None:
        # A failure occurs again in the transfer, and is reported there.
        with suppress(StorageError):
            journal_entry.note_file(await self._workers.run(lambda _stop: identity_of(request.path)))

    async def _give_up(self, task: TransferTask) -> None:
        self._settle(task, *await task.give_up(self.context))

    def _clear(self, task: TransferTask) -> None:
        """Remove what is left of a transfer, and then its entry."""

        async def clear() -> None:
            state, kept = await task.give_up(self.context)
            if kept is None:
                task.journal_entry.remove()
            else:
                task.journal_entry.note(state=state.value, reason=kept.message, code=kept.code)

        self._in_background(clear())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        clearing = asyncio.create_task(work)
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)

    def _enqueue(self, task: TransferTask) -> None:
        task.reset()
        if self._closed:
            self._end(task, State.CANCELLED)
            return
        self._scheduler.enqueue(task)

    def _begin(self, task: TransferTask) -> Coroutine[Any, Any, Result]:
        self._track(task)
        return task.carry_out(self._provider_of, lambda: self.context)

    def _track(self, task: TransferTask) -> None:
        self._under_way[task.progress.transfer_id] = task
        if self._monitor is None:
            self._monitor = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Measure speeds, notice that the machine slept, and obey other programs, while anything is under way."""
        loop = asyncio.get_running_loop()
        last_poll = loop.time()
        while self._under_way:
            polls = loop.time() - last_poll >= COMMAND_POLL_S
            try:
                for task in list(self._under_way.values()):
                    task.progress.sample()
                if self._sleep.happened():
                    self.context.blob.renew()
                if polls:
                    await self._obey_commands()
            except Exception:  # noqa: BLE001 - a mistake in one round must not end the watch over all transfers
                _log.exception("a round of watching over transfers failed")
            if polls:
                last_poll = loop.time()
            is_idle = all(task.running is None for task in self._under_way.values())
            await asyncio.sleep(COMMAND_POLL_S if is_idle else SAMPLE_INTERVAL_S)
        self._monitor = None

    async def _obey_commands(self) -> None:
        if self._journal is None:
            return
        actions = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        # The journal keeps commands until they are read: if that fails now, it is tried again soon.
        with suppress(StorageError):
            for transfer_id, command in (await self._journal.take_commands()).items():
                if command in actions:
                    actions[command](transfer_id)

    def _settle(self, task: TransferTask, state: State, error: StorageError | None) -> None:
        task.progress.error = error
        if state is not State.PAUSED:
            self._end(task, state)
        elif not self._closed:
            # What the end of the program stops was not paused by the user.
            task.progress.to(state)

    def _end(self, task: TransferTask, state: State) -> None:
        error = task.progress.error
        if state not in _NOT_IN_JOURNAL:
            if error is not None:
                task.journal_entry.note(state=state.value, reason=error.message, code=error.code)
        elif task.journal_entry.resume_state is not None and not self._closed:
            # It was cancelled before it began: what an earlier run left of it is still there.
            self._in_background(self._give_up(task))
            return
        else:
            task.journal_entry.remove()
        self._under_way.pop(task.progress.transfer_id, None)
        task.progress.to(state, task.progress.remark if state is State.DONE else "")
        task.ended.set()

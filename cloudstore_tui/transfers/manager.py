"""The queue of transfers: so many at once, each with its state, in one event loop."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.clock import Clock, SleepDetector
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.journal.entry import JournalEntry
from cloudstore_tui.transfers.journal.journal import Journal
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot
from cloudstore_tui.transfers.monitor import Monitor
from cloudstore_tui.transfers.scheduler import Result, Scheduler
from cloudstore_tui.transfers.task import TransferTask
from cloudstore_tui.transfers.workers import Workers

CLOSING = 0.9
"""Seconds that running transfers get to end when the engine is closed."""


_AGAIN = frozenset({State.FAILED, State.CANCELLED, State.SKIPPED})
_GONE = frozenset({State.DONE, State.SKIPPED, State.CANCELLED})


def new_number() -> int:
    """A number for a transfer that no other program gives to one of its own."""
    return secrets.randbits(40)


class TransferManager:
    """Runs transfers. Lives in one event loop; only `snapshot` and `members` may be called from elsewhere."""

    def __init__(
        self,
        provider_of: Callable[[str], StorageProvider],
        at_once: int = 4,
        timeouts: Timeouts | None = None,
        *,
        journal: Journal | None = None,
        polls: tuple[int, ...] = (5, 10, 20),
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Make one; nothing is opened before the first transfer.

        Args:
            provider_of: gives the provider of a profile.
            at_once: transfers that run at the same time.
            timeouts: how long to wait for a host.
            journal: where transfers are kept that outlive the program; without one they end with it.
            polls: seconds between looks at a zip job; the last repeats.
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
        self._equipment: TransferContext | None = None
        self._tasks: dict[int, TransferTask] = {}
        self._under_way: dict[int, TransferTask] = {}
        """Those that were begun and have not ended."""
        self._scheduler = Scheduler(at_once, self._begin, self._settle)
        self._closed = False
        orders = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        sleep = SleepDetector(self._clock)
        self._monitor = Monitor(self._under_way, journal, sleep, orders, lambda: self.context.blob.renew())
        self.left_overs = LeftOvers(journal, self._disk, self._workers)
        """Transfers of other programs, and of runs that ended too early."""

    def submit(self, request: Request, number: int | None = None) -> int:
        """Put a transfer into the queue; its number."""
        number = new_number() if number is None else number
        task = self._tasks[number] = TransferTask(number, request, self._clock, JournalEntry(self._journal, number))
        task.journal_entry.enter(request)
        self._enqueue(task)
        return number

    async def adopt(self, numbers: Iterable[int] | None = None) -> tuple[int, ...]:
        """Go on with interrupted transfers, all of them or some; the numbers of those that nobody else took."""
        records = await self._journal.adopt(numbers) if self._journal is not None else ()
        for record in records:
            journal_entry = JournalEntry(self._journal, record.id, record)
            task = self._tasks[record.id] = TransferTask(record.id, record.request, self._clock, journal_entry)
            task.live.size = record.size
            task.journal_entry.note(state=State.QUEUED.value, reason="", code=0)
            self._enqueue(task)
        return tuple(record.id for record in records)

    def pause(self, number: int) -> None:
        """Let a transfer rest until it is resumed; what arrived is kept."""
        task = self._tasks.get(number)
        if task is None or task.live.state.ended or task.live.state is State.PAUSED:
            return
        if task.running is not None:
            task.rests = True
            task.running.cancel()
        else:
            self._scheduler.withdraw(task)
            self._attend_to(task)
            task.live.to(State.PAUSED)

    def resume(self, number: int) -> None:
        """Go on with a transfer that was paused."""
        task = self._tasks.get(number)
        if task is not None and task.live.state is State.PAUSED:
            self._enqueue(task)

    def cancel(self, number: int) -> None:
        """Stop a transfer: its connection is closed at once, and nothing is left on the disk."""
        task = self._tasks.get(number)
        if task is None or task.live.state.ended:
            return
        if task.running is not None:
            task.rests = False
            task.running.cancel()
            return
        self._scheduler.withdraw(task)
        self._scheduler.send_off(task, task.give_up())

    def retry(self, number: int) -> None:
        """Try a transfer again that failed, was cancelled or skipped; what arrived of it is kept where possible."""
        task = self._tasks.get(number)
        if task is None or task.live.state not in _AGAIN:
            return
        if task.live.state is not State.FAILED:
            task.journal_entry.enter(task.live.request)
        self._enqueue(task)

    def forget(self, number: int) -> None:
        """Take a transfer that ended off the list."""
        task = self._tasks.get(number)
        if task is not None and task.live.state.ended:
            task.discard()
            task.journal_entry.remove()
            del self._tasks[number]

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""
        for number in list(self._tasks):
            self.forget(number)

    def snapshot(self) -> tuple[TransferSnapshot, ...]:
        """All transfers as they are now, in the order they came. May be called from any thread."""
        return tuple(task.live.snapshot() for task in list(self._tasks.values()))

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now; none of other transfers. May be called from any thread."""
        task = self._tasks.get(number)
        return tuple(live.snapshot() for live in task.live.members) if task is not None else ()

    async def wait(self, number: int) -> TransferSnapshot:
        """The transfer when it has ended."""
        task = self._tasks[number]
        await task.ended.wait()
        return task.live.snapshot()

    async def close(self) -> None:
        """Stop everything, within about a second.

        With a journal, what is not done can be gone on with by the next run; without one, no part file is left.
        """
        self._closed = True
        self._scheduler.close()
        if self._equipment is not None:
            await self._stop(self._equipment)
        if suspending := {asyncio.create_task(task.suspend()) for task in self._tasks.values() if task.leaves}:
            await asyncio.wait(suspending, timeout=CLOSING)
        for task in self._tasks.values():
            if not task.live.state.ended and not task.journal_entry.lasts:
                task.live.to(State.CANCELLED)
            task.ended.set()
        self._monitor.stop()
        self._workers.close()

    async def _stop(self, context: TransferContext) -> None:
        """End every connection and everything that runs."""
        stopping: set[asyncio.Task[Any]] = {asyncio.create_task(context.blob.close())}
        for task in self._tasks.values():
            if task.running is not None:
                task.rests = True
                task.running.cancel()
                stopping.add(task.running)
        await asyncio.wait(stopping, timeout=CLOSING)

    @property
    def context(self) -> TransferContext:
        """What transfers work with, made for the first one."""
        if self._equipment is None:
            # Deferred: libcurl takes longer to load than the first screen to draw.
            from cloudstore_tui.net.blob import BlobClient

            self._equipment = TransferContext(
                BlobClient(self._timeouts), self._timeouts, self._clock, self._disk, self._polls, self._workers
            )
        return self._equipment

    def _enqueue(self, task: TransferTask) -> None:
        task.live.again()
        task.rests = False
        task.ended.clear()
        if self._closed:
            self._end(task, State.CANCELLED)
            return
        self._scheduler.enqueue(task)

    def _begin(self, task: TransferTask) -> Coroutine[Any, Any, Result]:
        self._attend_to(task)
        return task.carry_out(self._provider_of, lambda: self.context)

    def _attend_to(self, task: TransferTask) -> None:
        self._under_way[task.live.number] = task
        self._monitor.wake()

    def _settle(self, task: TransferTask, state: State, error: StorageError | None) -> None:
        task.live.error = error
        if state is not State.PAUSED:
            self._end(task, state)
        elif not self._closed:
            # The end of the program is no wish of the user's: what it stops is not paused.
            task.live.to(state)

    def _end(self, task: TransferTask, state: State) -> None:
        error = task.live.error
        if state in _GONE:
            task.journal_entry.remove()
        elif error is not None:
            task.journal_entry.note(state=state.value, reason=error.message, code=error.code)
        self._under_way.pop(task.live.number, None)
        task.live.to(state)
        task.ended.set()

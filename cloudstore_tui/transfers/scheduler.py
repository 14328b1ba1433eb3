"""Which transfer begins when, and who looks after those that are under way."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.net.clock import SleepDetector
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.model import State
from cloudstore_tui.transfers.task import TransferTask

Result: TypeAlias = tuple[State, StorageError | None]

MAX_TASKS = 4
"""Times as many transfers may have a task as may move bytes: the others are brought to the disk."""

SAMPLE_INTERVAL = 0.25
"""Seconds between two looks at the speed."""
WISH_INTERVAL = 1.0
"""Seconds between two looks at what other programs ask for."""


class Scheduler:
    """A queue of transfers, and those that were sent off from it."""

    def __init__(
        self,
        at_once: int,
        begin: Callable[[TransferTask], Coroutine[Any, Any, Result]],
        settled: Callable[[TransferTask, State, StorageError | None], None],
    ) -> None:
        """Make one.

        Args:
            at_once: transfers that may move bytes at the same time.
            begin: does what a transfer is about.
            settled: learns how that ended.
        """
        self._at_once = at_once
        self._begin = begin
        self._settled = settled
        self._queue: OrderedDict[TransferTask, None] = OrderedDict()
        self._tasks = 0
        self._lines = 0
        """How many of the tasks move bytes, or will."""
        self._closed = False

    def enqueue(self, task: TransferTask) -> None:
        """Let a transfer begin when it is its turn."""
        self._queue[task] = None
        self._next()

    def withdraw(self, task: TransferTask) -> None:
        """Take a transfer out of the queue, if it is in there."""
        self._queue.pop(task, None)

    def reorder(self, tasks: Sequence[TransferTask]) -> list[TransferTask]:
        """Let those of these that are in the queue begin in this order, in the places that they have together.

        Which ones are.
        """
        moved = [task for task in tasks if task in self._queue]
        places = set(moved)
        order = iter(moved)
        self._queue = OrderedDict((next(order) if task in places else task, None) for task in self._queue)
        return moved

    def send_off(self, task: TransferTask, doing: Coroutine[Any, Any, Result]) -> None:
        """Let a transfer do something now, out of turn."""
        self._tasks += 1
        self._lines += 1
        task.progress.release_slot = partial(self._free_line, task)
        task.running = asyncio.create_task(doing)
        task.running.add_done_callback(partial(self._settle, task))

    def close(self) -> None:
        """Let nothing begin any more."""
        self._closed = True
        self._queue.clear()

    def _next(self) -> None:
        while (
            self._queue and self._lines < self._at_once and self._tasks < MAX_TASKS * self._at_once and not self._closed
        ):
            task, _ = self._queue.popitem(last=False)
            self.send_off(task, self._begin(task))

    def _free_line(self, task: TransferTask) -> None:
        task.progress.release_slot = _nothing
        self._lines -= 1
        self._next()

    def _settle(self, task: TransferTask, running: asyncio.Task[Result]) -> None:
        state, error = State.PAUSED if task.rests else State.CANCELLED, None
        # A task that is cancelled before its first step never runs.
        if not running.cancelled():
            fault = running.exception()
            state, error = running.result() if fault is None else (State.FAILED, task.mistake(fault))
        task.running = None
        self._tasks -= 1
        self._settled(task, state, error)
        task.progress.release_slot()
        self._next()


def _nothing() -> None:
    """A slot that was released is not released again."""


class Monitor:
    """Goes to sleep by itself when nothing is left to do."""

    def __init__(
        self,
        tasks: Mapping[int, TransferTask],
        journal: JournalStore | None,
        sleep: SleepDetector,
        orders: Mapping[str, Callable[[int], None]],
        renew: Callable[[], None],
    ) -> None:
        """Make one.

        Args:
            tasks: the transfers that are under way or rest, by id.
            journal: where other programs leave what they ask for.
            sleep: notices that the machine slept.
            orders: what can be asked for.
            renew: called after the machine slept.
        """
        self._tasks = tasks
        self._journal = journal
        self._sleep = sleep
        self._orders = orders
        self._renew = renew
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Begin, unless that was done."""
        if self._task is None:
            self._task = asyncio.create_task(self._attend())

    def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    async def _attend(self) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while self._tasks:
            for task in list(self._tasks.values()):
                task.progress.sample()
            if self._sleep.happened():
                self._renew()
            if loop.time() - heard >= WISH_INTERVAL:
                heard = loop.time()
                await self._hear()
            rests = all(task.running is None for task in self._tasks.values())
            await asyncio.sleep(WISH_INTERVAL if rests else SAMPLE_INTERVAL)
        self._task = None

    async def _hear(self) -> None:
        if self._journal is None:
            return
        # Wishes are kept until they were read: one that could not be read now is read the next time.
        with suppress(StorageError):
            for transfer_id, wish in (await self._journal.wishes()).items():
                if wish in self._orders:
                    self._orders[wish](transfer_id)

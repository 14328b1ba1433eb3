"""Threads for what blocks: opening, syncing, reading back and hashing files.

Daemon threads, because a hung disk must not keep the program from ending, and not the event loop's own executor,
because that one waits at the end.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from cloudstore_tui.core.errors import LocalDiskError, StorageError, UnavailableError, no_more_threads
from cloudstore_tui.net.handoff import End, Handoff, Mailbox

Result = TypeVar("Result")
Item = TypeVar("Item")

WAIT_FOR_THREAD_S = 0.005
"""Seconds that work waits before a second thread is started, doubled for each further one. On a quick disk, more
threads would be in each other's way; on one that hangs, other work must not wait."""


class StoppedError(Exception):
    """The work was asked to stop, and did."""


class Stop:
    """A flag that long work checks from time to time, to end early."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Ask the work to end soon."""
        self.asked = True

    def check(self) -> None:
        """Raise if the work was asked to end.

        Raises:
            StoppedError: it was asked to.
        """
        if self.asked:
            raise StoppedError


class Workers:
    """A few threads: the first one starts with the first work, others if work has to wait."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._threads = 0
        self._closed = False
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._latest: _Job | None = None
        """What was put into the queue last."""
        self._watch: asyncio.TimerHandle | None = None
        self._waiting: dict[Hashable, list[tuple[Any, Handoff[None]]]] = {}
        """Items that came while others of the same kind were at work, for the next round."""

    async def run(self, work: Callable[[Stop], Result]) -> Result:
        """Run `work` in a thread. Cancelling asks it to stop and waits for that, but not for ever.

        Raises:
            LocalDiskError: the system has no thread for it.
            UnavailableError: the program is ending.
        """
        stop = Stop()
        ended: Handoff[Result] = Handoff(stop.ask)
        self._start(work, stop, ended.end)
        return await ended

    async def run_together(
        self,
        each: Callable[[Item], None],
        then: Callable[[list[Item]], None],
        where: Hashable,
        item: Item,
        stop: Stop,
    ) -> None:
        """Call `each` for this item, then `then` once for all items that came at the same time.

        Items that come while a round is at work form the next one. Cancelling is as with `run`, and affects no other
        item of the round.

        Args:
            each: called for every item, in all threads that are free; never fails.
            then: called once, with all items of the round.
            where: only items with the same value form a round.
            item: what to work on.
            stop: set if this call is cancelled.

        Raises:
            LocalDiskError: the system has no thread for it.
            UnavailableError: the program is ending.
        """
        done: Handoff[None] = Handoff(stop.ask)
        waiting = self._waiting.get((each, where))
        if waiting is None:
            self._work_on(each, then, where, [(item, done)])
        else:
            waiting.append((item, done))
        await done

    def _work_on(
        self,
        each: Callable[[Item], None],
        then: Callable[[list[Item]], None],
        where: Hashable,
        entries: list[tuple[Item, Handoff[None]]],
    ) -> None:
        self._waiting[each, where] = []
        items = [item for item, _done in entries]

        def work(_stop: Stop) -> None:
            self._share(each, items)
            then(items)

        def end(_result: None, error: BaseException | None) -> None:
            for _item, done in entries:
                done.end(None, error)
            if waiting := self._waiting.pop((each, where)):
                self._work_on(each, then, where, waiting)

        self._start(work, Stop(), end)

    def _share(self, each: Callable[[Item], None], items: list[Item]) -> None:
        """Call `each` for every item, with the help of the other threads. Runs in a worker, which does its share."""
        left = deque(items)
        ended: queue.SimpleQueue[None] = queue.SimpleQueue()

        def take() -> None:
            with suppress(IndexError):
                while True:
                    item = left.popleft()
                    try:
                        each(item)
                    finally:
                        ended.put(None)

        for _ in range(min(self._threads, len(items)) - 1):
            self._queue.put(take)
        take()
        for _ in items:
            ended.get()

    def close(self) -> None:
        """End the threads when the queue is empty."""
        self._closed = True
        for _ in range(self._threads):
            self._queue.put(None)

    def _start(self, work: Callable[[Stop], object], stop: Stop, end: End) -> None:
        """Queue work for the next free thread; `end` is called in the loop with its result."""
        self._latest = job = _Job(work, stop, end, Mailbox.here())
        try:
            if self._closed:
                raise UnavailableError("the program is ending")
            if not self._threads:
                self._add_thread()
        except StorageError as error:
            end(None, error)
            return
        self._queue.put(job.do)
        if self._watch is None:
            self._watch_over(job)

    def _watch_over(self, job: "_Job") -> None:
        delay = WAIT_FOR_THREAD_S * 2 ** (self._threads - 1)
        self._watch = asyncio.get_running_loop().call_later(delay, self._help, job)

    def _help(self, job: "_Job") -> None:
        """Start one more thread if a job still waits for one; where the system refuses, those that run are enough."""
        self._watch = None
        if self._closed or self._threads >= self._most:
            return
        if not job.begun:
            with suppress(LocalDiskError):
                self._add_thread()
        if self._latest is not None and not self._latest.begun:
            self._watch_over(self._latest)

    def _add_thread(self) -> None:
        start_thread(self._serve, "transfer worker")
        self._threads += 1

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            job()


def start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a thread that does not keep the program from ending.

    Raises:
        LocalDiskError: the system starts no more.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise no_more_threads() from None
    return thread


class _Job:
    """Work, and who gets its result."""

    def __init__(self, work: Callable[[Stop], object], stop: Stop, end: End, mailbox: Mailbox) -> None:
        self._work = work
        self._stop = stop
        self._end = end
        self._mailbox = mailbox
        self.begun = False

    def do(self) -> None:
        """Do it, in a thread."""
        self.begun = True
        try:
            self._stop.check()
            self._mailbox.put(self._end, self._work(self._stop))
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            self._mailbox.put(self._end, None, _for_future(error))


def _for_future(error: BaseException) -> BaseException:
    """An error that a future takes: neither `StopIteration` nor one that would end the program."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__} in a worker")

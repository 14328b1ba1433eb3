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
"""Seconds that work waits for the first thread before a second one is started, and twice as long for each further one:
on a quick disk, more would only be in each other's way, and on one that hangs, nobody waits for it."""


class StoppedError(Exception):
    """The work was asked to stop, and did."""


class Stop:
    """Whether work that takes long should end early; it looks from time to time."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Let the work end soon."""
        self.asked = True

    def check(self) -> None:
        """End the work here if that was asked for.

        Raises:
            StoppedError: it was.
        """
        if self.asked:
            raise StoppedError


class Workers:
    """A few threads: the first one started with the first work, others where work has to wait."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._threads = 0
        self._closed = False
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._latest: _Job | None = None
        """What was put into the queue last."""
        self._watch: asyncio.TimerHandle | None = None
        self._lists: dict[Hashable, list[tuple[Any, Handoff[None]]]] = {}
        """What came while a list of the same kind was at work."""

    async def run(self, work: Callable[[Stop], Result]) -> Result:
        """What `work` gives back. Cancelling asks it to stop and waits for that, but not for ever.

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
        """Have something done for this item, and then once for all that came at the same time.

        Whoever comes while others are at work is on the next list. Cancelling is as with `run`, and nobody else on the
        list notices it.

        Args:
            each: what is done for every item, also by threads that have nothing else to do; never fails.
            then: what is done once, with all of them.
            where: only those wait for one another that have the same.
            item: what is to be on the list.
            stop: told if it is cancelled.

        Raises:
            LocalDiskError: the system has no thread for it.
            UnavailableError: the program is ending.
        """
        done: Handoff[None] = Handoff(stop.ask)
        waiting = self._lists.get((each, where))
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
        self._lists[each, where] = []
        items = [item for item, _done in entries]

        def work(_stop: Stop) -> None:
            self._share(each, items)
            then(items)

        def end(_result: None, error: BaseException | None) -> None:
            for _item, done in entries:
                done.end(None, error)
            if waiting := self._lists.pop((each, where)):
                self._work_on(each, then, where, waiting)

        self._start(work, Stop(), end)

    def _share(self, each: Callable[[Item], None], items: list[Item]) -> None:
        """Do something for every item, together with the other threads. In a worker: it takes what nobody has taken."""
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
        """Let the threads end when they have nothing more to do."""
        self._closed = True
        for _ in range(self._threads):
            self._queue.put(None)

    def _start(self, work: Callable[[Stop], object], stop: Stop, end: End) -> None:
        """Have something done by the next thread that is free; `end` is told in the loop what came of it."""
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
        """Start one more thread if a job still waits for one; if the system has none, those that run are enough."""
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
    """Some work, and who is told what came of it."""

    def __init__(self, work: Callable[[Stop], object], stop: Stop, end: End, mailbox: Mailbox) -> None:
        self._work = work
        self._stop = stop
        self._end = end
        self._mailbox = mailbox
        self.begun = False

    def do(self) -> None:
        """Carry it out, in a thread."""
        self.begun = True
        try:
            self._stop.check()
            self._mailbox.put(self._end, self._work(self._stop))
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the one who waits
            self._mailbox.put(self._end, None, _told(error))


def _told(error: BaseException) -> BaseException:
    """What a future can be told: it takes neither of these, and no worker may end the program."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__} in a worker")

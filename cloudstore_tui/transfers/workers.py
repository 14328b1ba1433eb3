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
from functools import partial
from typing import Any, TypeVar

from cloudstore_tui.core.errors import LocalDiskError, StorageError, UnavailableError, no_more_threads

Result = TypeVar("Result")
Item = TypeVar("Item")

GRACE = 1.0
"""Seconds that cancelled work gets to stop."""
WAIT_FOR_THREAD_S = 0.005
"""Seconds that work waits for the first thread before a second one is started, and twice as long for each further one:
on a quick disk, more would only be in each other's way, and on one that hangs, nobody waits for it."""


class StoppedError(Exception):
    """The work was asked to stop, and did."""


class Stop:
    """Whether work that takes long should end early; it looks from time to time."""

    def __init__(self) -> None:
        self.asked = False

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
        self._lists: dict[Hashable, list[tuple[Any, asyncio.Future[None]]]] = {}
        """What came while a list of the same kind was at work."""

    async def run(self, work: Callable[[Stop], Result]) -> Result:
        """What `work` gives back. Cancelling asks it to stop and waits for that, but not for ever.

        Raises:
            LocalDiskError: the system has no thread for it.
            UnavailableError: the program is ending.
        """
        stop = Stop()
        return await _ended(self._start(work, stop), stop)

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
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._lists.get((each, where))
        if waiting is None:
            self._work_on(each, then, where, [(item, done)])
        else:
            waiting.append((item, done))
        await _ended(done, stop)

    def _work_on(
        self,
        each: Callable[[Item], None],
        then: Callable[[list[Item]], None],
        where: Hashable,
        entries: list[tuple[Item, asyncio.Future[None]]],
    ) -> None:
        self._lists[each, where] = []
        items = [item for item, _done in entries]

        def work(_stop: Stop) -> None:
            self._share(each, items)
            then(items)

        def end(ended: asyncio.Future[None]) -> None:
            error = ended.exception()
            for _item, done in entries:
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
            if waiting := self._lists.pop((each, where)):
                self._work_on(each, then, where, waiting)

        self._start(work, Stop()).add_done_callback(end)

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

    def _start(self, work: Callable[[Stop], Result], stop: Stop) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        job = _Job(loop, future, work, stop)
        try:
            self._submit(job)
        except StorageError as error:
            future.set_exception(error)
            return future
        helping = loop.call_later(WAIT_FOR_THREAD_S * 2 ** (self._threads - 1), self._help, job)
        future.add_done_callback(lambda _future: helping.cancel())
        return future

    def _submit(self, job: "_Job") -> None:
        if self._closed:
            raise UnavailableError("the program is ending")
        if not self._threads:
            start_thread(self._serve, "transfer worker")
            self._threads += 1
        self._queue.put(job.do)

    def _help(self, job: "_Job") -> None:
        """Start one more thread if a job still waits for one; if the system has none, those that run are enough."""
        if not job.begun and self._threads < self._most and not self._closed:
            with suppress(LocalDiskError):
                start_thread(self._serve, "transfer worker")
                self._threads += 1

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            job()


async def _ended(future: asyncio.Future[Result], stop: Stop) -> Result:
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.asked = True
        await asyncio.wait({future}, timeout=GRACE)
        if future.done():
            future.exception()
        raise


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
    """Some work, and who waits for it in which loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
        work: Callable[[Stop], object],
        stop: Stop,
    ) -> None:
        self._loop = loop
        self._future = future
        self._work = work
        self._stop = stop
        self.begun = False

    def do(self) -> None:
        """Carry it out, in a thread."""
        self.begun = True
        settle: Callable[[], None]
        try:
            self._stop.check()
            settle = partial(self._future.set_result, self._work(self._stop))
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the one who waits
            settle = partial(_fail, self._future, error)
        with suppress(RuntimeError):  # the loop may have ended
            self._loop.call_soon_threadsafe(settle)


def _fail(future: asyncio.Future[Result], error: BaseException) -> None:
    if not isinstance(error, Exception) or isinstance(error, StopIteration):
        # A future takes neither; and no worker may end the program.
        error = RuntimeError(f"{type(error).__name__} in a worker")
    future.set_exception(error)

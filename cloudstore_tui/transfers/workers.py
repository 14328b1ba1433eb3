"""Threads for what blocks: opening, syncing, reading back and hashing files.

Daemon threads, because a hung disk must not keep the program from ending, and not the event loop's own executor,
because that one waits at the end.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from cloudstore_tui.core.errors import LocalDiskError, UnavailableError, no_more_threads

Result = TypeVar("Result")

GRACE = 1.0
"""Seconds that cancelled work gets to stop."""


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
    """A few threads, the first ones started with the first work."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._threads = 0
        self._closed = False
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    async def run(self, work: Callable[[Stop], Result]) -> Result:
        """What `work` gives back. Cancelling asks it to stop and waits for that, but not for ever.

        Raises:
            LocalDiskError: the system has no thread for it.
            UnavailableError: the program is ending.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        stop = Stop()
        self._submit(lambda: _complete(loop, future, work, stop))
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError:
            stop.asked = True
            await asyncio.wait({future}, timeout=GRACE)
            if future.done():
                future.exception()
            raise
        return future.result()

    def close(self) -> None:
        """Let the threads end when they have nothing more to do."""
        self._closed = True
        for _ in range(self._threads):
            self._queue.put(None)

    def _submit(self, job: Callable[[], None]) -> None:
        if self._closed:
            raise UnavailableError("the program is ending")
        if self._threads < self._most:
            try:
                start_thread(self._serve, "transfer worker")
                self._threads += 1
            except LocalDiskError:
                # Those that run are enough.
                if not self._threads:
                    raise
        self._queue.put(job)

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


def _complete(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Result], work: Callable[[Stop], Result], stop: Stop
) -> None:
    settle: Callable[[], None]
    try:
        stop.check()
        settle = partial(future.set_result, work(stop))
    except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the one who waits
        settle = partial(_fail, future, error)
    with suppress(RuntimeError):  # the loop may have ended
        loop.call_soon_threadsafe(settle)


def _fail(future: asyncio.Future[Result], error: BaseException) -> None:
    if not isinstance(error, Exception) or isinstance(error, StopIteration):
        # A future takes neither; and no worker may end the program.
        error = RuntimeError(f"{type(error).__name__} in a worker")
    future.set_exception(error)

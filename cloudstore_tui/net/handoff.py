"""Work that other threads do for an event loop: how its result comes back, and how it is stopped."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeAlias, TypeVar

Result = TypeVar("Result")
End: TypeAlias = Callable[[Any, BaseException | None], None]
"""Called in the loop with the result, or with the error if there is none."""

GRACE = 1.0
"""Seconds that stopped work gets to release what it holds; it needs more only if the disk hangs."""


class Handoff(asyncio.Future[Result]):
    """The result of work in another thread.

    Cancelling asks the work to end and waits for that, but not for ever: a plain future would be cancelled at once,
    while the thread still uses what it holds.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        """Make one, in the loop that waits for it; `stop` asks the work to end."""
        super().__init__()
        self._ask_to_stop = stop
        self._stops = False

    def cancel(self, msg: Any = None) -> bool:
        """Ask the work to end; the waiting task is cancelled when it has, or after `GRACE`."""
        if self._stops or self.done():
            return super().cancel(msg)
        self._stops = True
        self._ask_to_stop()
        self.get_loop().call_later(GRACE, super().cancel, msg)
        # The task goes on waiting, and is cancelled when it wakes.
        return False

    def end(self, result: Result | None, error: BaseException | None) -> None:
        """Set the result or the error. In the loop."""
        # What does the work refers to this: together they would stay in memory until garbage is collected.
        self._ask_to_stop = _no_stop
        settle(self, result, error)


def _no_stop() -> None:
    """The work has ended."""


def settle(future: asyncio.Future[Result], result: Any, error: BaseException | None) -> None:
    """Set the result or error of a future, unless it was cancelled meanwhile. In its loop."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        # Marks the error as retrieved: nobody awaits what was cancelled.
        future.exception()


_thread = threading.local()
"""Holds the mailbox of the loop that runs in this thread."""


class Mailbox:
    """Brings results of other threads to the loop, and wakes it once for all that have come.

    A thread that wakes a loop hands it the lock of the interpreter, and has to wait to get it back.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ends: deque[tuple[End, object, BaseException | None]] = deque()
        self._is_called = False

    @classmethod
    def here(cls) -> Self:
        """That of the loop that is running now."""
        loop = asyncio.get_running_loop()
        known: Self | None = getattr(_thread, "mailbox", None)
        if known is None or known.loop is not loop:
            known = _thread.mailbox = cls(loop)
        return known

    def put(self, end: End, result: object = None, error: BaseException | None = None) -> None:
        """Have `end` called in the loop. From any thread."""
        self._ends.append((end, result, error))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop has ended; nobody waits any more
                self.loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        # Before the loop, so that what comes after its last look calls again.
        self._is_called = False
        try:
            while self._ends:
                end, result, error = self._ends.popleft()
                end(result, error)
        finally:
            # If one raises by mistake, the others are still called.
            if self._ends:
                self.loop.call_soon(self._empty)

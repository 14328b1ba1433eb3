"""What another thread does for an event loop: how its end comes back, and how whoever waits for it can stop it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeAlias, TypeVar

Result = TypeVar("Result")
End: TypeAlias = Callable[[Any, BaseException | None], None]
"""Told in the loop what came of it: a result, or why there is none."""

GRACE = 1.0
"""Seconds that whatever is stopped gets to let go of what it works with; more is needed only if the disk hangs."""


class Handoff(asyncio.Future[Result]):
    """What comes of work in another thread.

    Cancelling asks that work to end and waits for that, but not for ever: a plain future would be cancelled at once,
    and could not tell when the thread has let go.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        """Make one, in the loop that waits for it; `stop` asks the work to end."""
        super().__init__()
        self._ask_to_stop = stop
        self._stops = False

    def cancel(self, msg: Any = None) -> bool:
        """Ask the work to end; whoever waits is told of the cancelling when it has, or after a moment."""
        if self._stops or self.done():
            return super().cancel(msg)
        self._stops = True
        self._ask_to_stop()
        self.get_loop().call_later(GRACE, super().cancel, msg)
        # The task that waits goes on doing so, and is cancelled by whatever wakes it.
        return False

    def end(self, result: Result | None, error: BaseException | None) -> None:
        """Have this result, or this error. In the loop."""
        settle(self, result, error)


def settle(future: asyncio.Future[Result], result: Any, error: BaseException | None) -> None:
    """Give a future its result or error, unless it was given up meanwhile. In its loop."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        # Nobody looks at the error of what was cancelled.
        future.exception()


_thread = threading.local()
"""Holds the mailbox of the loop that runs in a thread."""


class Mailbox:
    """Brings the ends of what other threads did to the loop, and wakes it once for all that came meanwhile.

    Whoever wakes a loop gives it the lock of the interpreter, and waits until that is given back.
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
        """Have an end told in the loop. From any thread."""
        self._ends.append((end, result, error))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop has ended; nobody waits any more
                self.loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        # Before the first look: what comes after the last one calls again.
        self._is_called = False
        try:
            while self._ends:
                end, result, error = self._ends.popleft()
                end(result, error)
        finally:
            # One that fails by a mistake fails alone.
            if self._ends:
                self.loop.call_soon(self._empty)

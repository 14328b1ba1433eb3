"""How many calls a minute, and how many at once, one profile may make."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

MINUTE = 60.0
"""Seconds in which the number of calls is limited, and after which a calm service is trusted with one more at once."""
BURST = 6
"""The part of a minute's calls that may be made at once, as a divisor: people click in bursts."""


class Pace:
    """Lets calls through at most `per_minute` in any minute (0 for no limit) and `at_once` at a time.

    A service that throttles halves the calls at once; each calm minute gives one back.
    """

    def __init__(
        self,
        per_minute: int,
        at_once: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._starts: deque[float] = deque(maxlen=max(per_minute, 1))
        self._interval = MINUTE / per_minute if per_minute > 0 else 0.0
        self._burst = max(per_minute // BURST, 1) * self._interval
        self._due = 0.0
        self._paused_until = 0.0
        self._most = self._allowed = max(at_once, 1)
        self._throttled_at = 0.0
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.note = ""
        """What is waited for, as a clause; empty when nothing is."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of one call."""
        await self._wait()
        while self._running >= self.allowed:
            await self._room()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._wake()

    def throttled(self, wait: float | None = None) -> None:
        """The service said that these were too many; nobody calls for the next `wait` seconds, at most a minute."""
        self._allowed = max(self.allowed // 2, 1)
        self._throttled_at = self._clock()
        self._paused_until = self._clock() + min(wait or 0.0, MINUTE)

    @property
    def allowed(self) -> int:
        """Calls at once, now."""
        calm = int((self._clock() - self._throttled_at) / MINUTE)
        return min(self._allowed + calm, self._most)

    async def _wait(self) -> None:
        delay = self._reserve() - self._clock()
        if delay <= 0:
            return
        self.note = f"waiting {max(delay, 1):.0f} s: requests_per_minute of the profile"
        try:
            await self._sleep(delay)
        finally:
            self.note = ""

    async def _room(self) -> None:
        """Wait until a call has ended."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # Woken and stopped at the same moment: the room is for somebody else.
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _reserve(self) -> float:
        """The moment at which one more call may start."""
        start = max(self._clock(), self._paused_until)
        if not self._interval:
            return start
        start = max(start, self._due - self._burst)
        if len(self._starts) == self._starts.maxlen:
            start = max(start, self._starts[0] + MINUTE)
        self._starts.append(start)
        self._due = max(self._due, start) + self._interval
        return start

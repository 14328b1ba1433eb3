"""How many calls a minute, and how many at once, one profile may make."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.retry import showing_wait

MINUTE = 60.0
"""Seconds in which the number of calls is limited, and after which a calm service is trusted with one more at once."""
BURST = 6
"""The part of a minute's calls that may be made at once, as a divisor: people click in bursts."""


class RateLimiter:
    """Lets calls through at most `per_minute` in any minute (0 for no limit) and `at_once` at a time.

    A service that throttles halves the calls at once; each calm minute gives one back.
    """

    def __init__(self, per_minute: int, at_once: int, clock: Clock) -> None:
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=max(per_minute, 1))
        self._interval = MINUTE / per_minute if per_minute > 0 else 0.0
        self._burst = max(per_minute // BURST, 1) * self._interval
        self._due = 0.0
        self._paused_until = 0.0
        self._most = self._allowed = max(at_once, 1)
        self._throttled_at = 0.0
        self._running = 0
        self._gate = asyncio.Lock()
        self._ended = asyncio.Event()
        self._notes: dict[object, str] = {}

    @property
    def note(self) -> str:
        """What is waited for, as a clause; empty when nothing is."""
        return next(iter(self._notes.values()), "")

    @property
    def used(self) -> float:
        """The share of a minute's calls that the last minute has seen; 0 without a limit."""
        if not self._interval:
            return 0.0
        since = self._clock.monotonic() - MINUTE
        return sum(start > since for start in list(self._starts)) * self._interval / MINUTE

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of one call.

        Callers come one after the other to the gate, and only the one in it counts: who is cancelled while waiting
        leaves no trace.
        """
        async with self._gate:
            while self._running >= self.allowed:
                self._ended.clear()
                await self._ended.wait()
            await self._wait_for_start()
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._ended.set()

    def throttled(self, wait: float | None = None) -> None:
        """The service said that these were too many; nobody calls for the next `wait` seconds, at most a minute."""
        self._allowed = max(self.allowed // 2, 1)
        self._throttled_at = self._clock.monotonic()
        self._paused_until = self._clock.monotonic() + min(wait or 0.0, MINUTE)

    @property
    def allowed(self) -> int:
        """Calls at once, now."""
        calm = int((self._clock.monotonic() - self._throttled_at) / MINUTE)
        return min(self._allowed + calm, self._most)

    async def _wait_for_start(self) -> None:
        while (delay := self._next_start() - self._clock.monotonic()) > 0:
            with showing_wait(f"waiting {max(delay, 1):.0f} s: requests_per_minute of the profile", self._notes):
                await self._clock.sleep(delay)
        if self._interval:
            start = self._clock.monotonic()
            self._starts.append(start)
            self._due = max(self._due, start) + self._interval

    def _next_start(self) -> float:
        """The moment at which the next call may start."""
        start = max(self._clock.monotonic(), self._paused_until)
        if not self._interval:
            return start
        start = max(start, self._due - self._burst)
        if len(self._starts) == self._starts.maxlen:
            start = max(start, self._starts[0] + MINUTE)
        return start

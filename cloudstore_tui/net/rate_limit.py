"""Limits how many calls a minute, and how many at once, one profile makes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.retry import showing_wait

WINDOW_S = 60.0
"""The number of calls is limited per this time; after each such time without throttling one more may run at once."""
BURST_DIVISOR = 6
"""This fraction of a minute's calls may be made in one burst, since people click in bursts."""


class RateLimiter:
    """Allows at most `per_minute` calls in any minute (0 for no limit) and `at_once` at a time.

    A service that throttles halves the number at once; each minute without throttling adds one again.
    """

    def __init__(self, per_minute: int, at_once: int, clock: Clock) -> None:
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=max(per_minute, 1))
        self._interval = WINDOW_S / per_minute if per_minute > 0 else 0.0
        self._burst = max(per_minute // BURST_DIVISOR, 1) * self._interval
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
        """What is being waited for, as a clause; empty if nothing is."""
        return next(iter(self._notes.values()), "")

    @property
    def used(self) -> float:
        """Calls of the last minute as a share of the limit; 0 without one."""
        if not self._interval:
            return 0.0
        since = self._clock.monotonic() - WINDOW_S
        return sum(start > since for start in list(self._starts)) * self._interval / WINDOW_S

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and keep it during one call.

        Callers pass the gate one by one, and a call counts only once it has passed: one that is cancelled while it
        waits uses nothing up.
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
        """Slow down after the service throttled a call: no calls for the next `wait` seconds, at most a minute."""
        self._allowed = max(self.allowed // 2, 1)
        self._throttled_at = self._clock.monotonic()
        self._paused_until = self._clock.monotonic() + min(wait or 0.0, WINDOW_S)

    @property
    def allowed(self) -> int:
        """How many calls may run at once now."""
        calm = int((self._clock.monotonic() - self._throttled_at) / WINDOW_S)
        return min(self._allowed + calm, self._most)

    async def _wait_for_start(self) -> None:
        while (delay := (start := self._next_start()) - self._clock.monotonic()) > 0:
            why = "the service asks to" if start == self._paused_until else "requests_per_minute of the profile"
            with showing_wait(f"waiting {max(delay, 1):.0f} s: {why}", self._notes):
                await self._clock.sleep(delay)
        if self._interval:
            start = self._clock.monotonic()
            self._starts.append(start)
            self._due = max(self._due, start) + self._interval

    def _next_start(self) -> float:
        """When the next call may start, by the monotonic clock."""
        start = max(self._clock.monotonic(), self._paused_until)
        if not self._interval:
            return start
        start = max(start, self._due - self._burst)
        if len(self._starts) == self._starts.maxlen:
            start = max(start, self._starts[0] + WINDOW_S)
        return start

"""Time and chance, in one place, so that a test of an hour of retries takes no time."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec


class ClockReading(msgspec.Struct, frozen=True):
    """One point in time: the wall clock can be set, and the other counts from the start of the machine."""

    wall: float
    started: float
    """Seconds since the machine was started, with the time it slept where the system counts it."""

    def later(self, seconds: float) -> "ClockReading":
        """The moment so many seconds after this one."""
        return ClockReading(self.wall + seconds, self.started + seconds)

    def reached(self, end: "ClockReading") -> bool:
        """Whether either clock says that `end` has come: a clock that was set back must not lengthen a life."""
        return self.wall >= end.wall or self.started >= end.started


def now() -> ClockReading:
    """The present moment."""
    # macOS and Windows have no clock of this name; there the wall clock notices that the machine slept.
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return ClockReading(time.time(), time.clock_gettime(boot) if boot is not None else time.monotonic())


class Clock:
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """The wall clock, for people."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        await asyncio.sleep(delay)

    def between(self, low: float, high: float) -> float:
        """A random number of this range: clients that failed together must not come back together."""
        return random.uniform(low, high)


LONGEST_GAP = 30.0
"""Seconds by which clocks may drift apart between two looks without anybody having slept."""


def since_boot() -> float:
    """Seconds of a clock that goes on while the machine sleeps; the wall clock where there is no other."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if number is None else time.clock_gettime(number)


class SleepDetector:
    """Compares clocks that go on during sleep with one that stands still.

    A wall clock that is set forward looks like sleep; connections that are made anew for nothing do no harm.
    """

    def __init__(self, clock: Clock, all_time: Callable[[], float] = since_boot) -> None:
        self._clock = clock
        self._all_time = all_time
        self._seen = self._look()

    def happened(self) -> bool:
        """Whether the machine slept since this was last asked."""
        before, self._seen = self._seen, self._look()
        return any(now - then > LONGEST_GAP for then, now in zip(before, self._seen, strict=True))

    def _look(self) -> tuple[float, float]:
        """How far the clocks that never stand still are ahead of the one that does."""
        awake = self._clock.monotonic()
        return self._all_time() - awake, self._clock.now().timestamp() - awake

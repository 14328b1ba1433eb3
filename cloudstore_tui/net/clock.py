"""Time and chance, in one place, so that a test of an hour of retries takes no time."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec


class ClockReading(msgspec.Struct, frozen=True):
    """One point in time by two clocks: the wall clock, which can be set, and the one that counts from boot."""

    wall: float
    since_boot: float
    """Seconds, including sleep where the system counts it."""

    def later(self, seconds: float) -> "ClockReading":
        """This moment plus some seconds."""
        return ClockReading(self.wall + seconds, self.since_boot + seconds)

    def reached(self, end: "ClockReading") -> bool:
        """Whether `end` has come by either clock: setting a clock back must not extend a token's life."""
        return self.wall >= end.wall or self.since_boot >= end.since_boot


def now() -> ClockReading:
    """The present moment."""
    # macOS and Windows lack this clock; there the wall clock shows that the machine slept.
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return ClockReading(time.time(), time.clock_gettime(boot) if boot is not None else time.monotonic())


class Clock:
    """The time, waiting, and chance."""

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
        """A random number in this range: clients that failed together must not retry together."""
        return random.uniform(low, high)


MAX_DRIFT_S = 30.0
"""Seconds by which clocks may drift apart between two readings although the machine was awake."""


def since_boot() -> float:
    """Seconds of a clock that also runs while the machine sleeps; the wall clock where there is no other."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if number is None else time.clock_gettime(number)


class SleepDetector:
    """Compares clocks that run during sleep with one that stops.

    Setting the wall clock forward looks like sleep, too; all that follows is that connections are made anew.
    """

    def __init__(self, clock: Clock, boot_clock: Callable[[], float] = since_boot) -> None:
        self._clock = clock
        self._boot_clock = boot_clock
        self._leads = self._read()

    def happened(self) -> bool:
        """Whether the machine slept since the last call."""
        before, self._leads = self._leads, self._read()
        return any(now - then > MAX_DRIFT_S for then, now in zip(before, self._leads, strict=True))

    def _read(self) -> tuple[float, float]:
        """How far the clocks that run during sleep are ahead of the one that stops."""
        awake = self._clock.monotonic()
        return self._boot_clock() - awake, self._clock.now().timestamp() - awake

"""Notices that the machine slept: connections from before are dead, although nobody has told them so."""

import time
from collections.abc import Callable

from cloudstore_tui.net.clock import Clock

LONGEST_GAP = 30.0
"""Seconds by which clocks may drift apart between two looks without anybody having slept."""


def since_boot() -> float:
    """Seconds of a clock that goes on while the machine sleeps; the wall clock where there is no other."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if number is None else time.clock_gettime(number)


class Sleep:
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

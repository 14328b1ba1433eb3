"""How long to wait before the next try, and when to give up."""

from cloudstore_tui.core.errors import StorageError, ThrottledError
from cloudstore_tui.transfers.clock import Clock

PROGRESS = 65_536
"""New bytes after which a transfer counts as going on, so that its patience starts anew."""
QUICK_TRIES = 8
"""Failures in a row without progress after which the line is taken to be down, and only probed."""
LONGEST_PAUSE = 60.0
SHORTEST_PROBE = 5.0
LONGEST_WAIT_ASKED = 3600.0
"""Seconds; who asks for more is not waited for."""


class Patience:
    """Counts the failures of one transfer. A transfer that gets on is never given up."""

    def __init__(self, clock: Clock, give_up: float) -> None:
        self._clock = clock
        self._give_up = give_up
        self._since = clock.monotonic()
        self._mark = 0
        self._failures = 0
        self._progressed = False

    def saw(self, offset: int) -> None:
        """Learn how many bytes are there now."""
        if offset - self._mark >= PROGRESS:
            self._since = self._clock.monotonic()
            self._failures = 0
            self._progressed = True
        if offset < self._mark or offset - self._mark >= PROGRESS:
            self._mark = offset

    def pause(self, error: StorageError) -> float:
        """Seconds to wait after a failure.

        Raises:
            StorageError: `error`, if another try is of no use, or would come too late.
        """
        if not error.retryable:
            raise error
        self._failures += 1
        delay = self._delay(error)
        waited = self._clock.monotonic() - self._since
        if delay > LONGEST_WAIT_ASKED or waited + delay > self._give_up:
            raise error
        return delay

    def _delay(self, error: StorageError) -> float:
        if isinstance(error, ThrottledError) and error.wait is not None:
            return max(error.wait, 1.0) * self._clock.between(1.0, 1.1)
        first, self._progressed = self._progressed, False
        if first:
            return self._clock.between(0.0, 0.5)
        if self._failures > QUICK_TRIES:
            return self._clock.between(SHORTEST_PROBE, LONGEST_PAUSE)
        return self._clock.between(0.0, min(2.0 ** (self._failures - 1), LONGEST_PAUSE))

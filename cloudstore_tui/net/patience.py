"""How long to wait before the next try, and when to give up."""

from cloudstore_tui.core.errors import FullDiskError, StorageError, ThrottledError
from cloudstore_tui.net.clock import Clock

PROGRESS = 65_536
"""New bytes after which a transfer counts as going on, so that its patience starts anew."""
QUICK_TRIES = 8
"""Failures in a row without progress after which the line is taken to be down, and only probed."""
LONGEST_PAUSE = 60.0
SHORTEST_PROBE = 5.0
DISK_PAUSE = 30.0
"""Seconds between two looks at a disk that is full."""
LONGEST_WAIT_ASKED = 3600.0
"""Seconds; who asks for more is not waited for."""


class Patience:
    """Counts the failures of one transfer. A transfer that gets on is never given up."""

    def __init__(self, clock: Clock, give_up: float, disk: float = 0.0) -> None:
        """Make it.

        Args:
            clock: time and chance.
            give_up: seconds without progress after which a host is given up.
            disk: seconds after which a full disk is.
        """
        self._clock = clock
        self._give_up = give_up
        self._give_up_disk = disk
        self._since = clock.monotonic()
        self._mark = 0
        self._failures = 0
        self._progressed = False

    def saw(self, offset: int) -> bool:
        """Learn how many bytes are there now; whether that is progress."""
        progress = offset - self._mark >= PROGRESS
        if progress:
            self._since = self._clock.monotonic()
            self._failures = 0
            self._progressed = True
        if offset < self._mark or progress:
            self._mark = offset
        return progress

    def pause(self, error: StorageError) -> float:
        """Seconds to wait after a failure.

        Raises:
            StorageError: `error`, if another try is of no use, or would come too late.
        """
        if not error.retryable:
            raise error
        if isinstance(error, FullDiskError):
            return self._until_there_is_room(error)
        self._failures += 1
        delay = self._delay(error)
        if delay > LONGEST_WAIT_ASKED:
            raise error
        self.check(error, delay)
        return delay

    def check(self, error: StorageError, delay: float = 0.0) -> None:
        """Make sure that there is patience for `delay` more seconds.

        Raises:
            StorageError: `error`, if there is not.
        """
        if self._clock.monotonic() - self._since + delay > self._give_up:
            raise error

    def _until_there_is_room(self, error: FullDiskError) -> float:
        if self._clock.monotonic() - self._since + DISK_PAUSE > self._give_up_disk:
            raise error
        return DISK_PAUSE

    def _delay(self, error: StorageError) -> float:
        if isinstance(error, ThrottledError) and error.wait is not None:
            return max(error.wait, 1.0) * self._clock.between(1.0, 1.1)
        first, self._progressed = self._progressed, False
        if first:
            return self._clock.between(0.0, 0.5)
        if self._failures > QUICK_TRIES:
            return self._clock.between(SHORTEST_PROBE, LONGEST_PAUSE)
        return self._clock.between(0.0, min(2.0 ** (self._failures - 1), LONGEST_PAUSE))

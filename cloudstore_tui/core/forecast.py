"""How long reading a whole result will still take."""

import time
from collections.abc import Callable

MINUTE = 60.0
NEAR = 0.8
"""Part of the pace from which on the pace is what limits."""


class Forecast:
    """Goes by how fast rows came until now, and by the calls a minute that the profile allows."""

    def __init__(self, per_minute: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now; `per_minute` is the pace of the profile, 0 for none."""
        self._per_minute = per_minute
        self._clock = clock
        self._began = clock()
        self._pages = 0
        self.rows = 0
        """Rows that came."""
        self.left: int | None = None
        """Roughly how many rows are still to come; `None` while nobody knows."""

    def saw(self, rows: int, left: int | None) -> None:
        """A page came."""
        self._pages += bool(rows)
        self.rows += rows
        self.left = left

    @property
    def seconds(self) -> float | None:
        """Seconds until the end; `None` while nobody knows."""
        passed = self._clock() - self._began
        if self.left is None or not self.rows or passed <= 0:
            return None
        rate = self.rows / passed
        if self._per_minute:
            pace = self._per_minute / MINUTE * self.rows / self._pages
            # Calls are let through in bursts with pauses between them, which only look faster or slower than the pace.
            rate = pace if rate > NEAR * pace else rate
        return self.left / rate

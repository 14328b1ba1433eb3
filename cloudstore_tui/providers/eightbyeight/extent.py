"""How long the result of one region is, found out little by little while it is read."""

from collections.abc import Awaitable, Callable

from cloudstore_tui.core.errors import StorageError

FIRST = 500
"""Rows after which it is worth asking; a shorter result is there before the answer."""
PART = 10
"""What is left is told to about this part of itself."""


class Extent:
    """Asks for single records further on: at growing offsets, then in the middle, as exactly as what is left needs."""

    def __init__(self, is_there: Callable[[int], Awaitable[bool]]) -> None:
        """`is_there` tells whether there is a record at an offset."""
        self._is_there = is_there
        self._low = 0
        self._high: int | None = None
        self._lost = False

    def left(self, passed: int) -> int | None:
        """Roughly how many records are behind the first `passed`; `None` while that could be far from the truth."""
        if self._lost or self._high is None:
            return None
        low = max(self._low, passed)
        left = max((low + self._high) // 2 - passed, 0)
        return left if 4 * (self._high - low) <= max(left, FIRST) else None

    def is_vague(self, passed: int) -> bool:
        """Whether it is worth asking once more."""
        if self._lost or passed < FIRST:
            return False
        if self._high is None:
            return True
        low = max(self._low, passed)
        return self._high - low > max((low - passed) // PART, FIRST // PART)

    async def ask(self, passed: int) -> None:
        """Find out a little more."""
        low = max(self._low, passed)
        probe = 4 * low if self._high is None else (low + self._high) // 2
        try:
            if await self._is_there(probe):
                self._low = max(self._low, probe + 1)
            else:
                self._high = probe
        except StorageError:
            # Some services refuse large offsets. Nobody needs to know: the rows themselves are what was asked for.
            self._lost = True

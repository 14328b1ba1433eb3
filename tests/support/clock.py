"""A clock for tests in which much is waited for."""

import asyncio

from cloudstore_tui.net.clock import Clock


class QuickClock(Clock):
    """Waiting takes no time but counts: those who wait at the same moment wait together, not one after another."""

    def __init__(self) -> None:
        self._passed = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._passed

    async def sleep(self, delay: float) -> None:
        end = self.monotonic() + delay
        # Whoever begins to wait just now begins at the same moment.
        await asyncio.sleep(0.001)
        self._passed += max(end - self.monotonic(), 0.0)

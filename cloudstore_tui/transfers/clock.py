"""Time and chance, in one place, so that a test of an hour of retries takes no time."""

import asyncio
import random
import time
from datetime import UTC, datetime


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

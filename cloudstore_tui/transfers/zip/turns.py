"""How many zip jobs of one profile the service packs at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakKeyDictionary

from cloudstore_tui.core.provider import StorageProvider

Result = TypeVar("Result")

MOST_JOBS = 2


class Turns:
    """Lets so many jobs be packed at once, and starts them one after the other.

    Two that start at the same moment could not be told apart where the service answers with its whole queue.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MOST_JOBS)
        self._start = asyncio.Lock()

    @property
    def are_taken(self) -> bool:
        """Whether the next one has to wait."""
        return self._places.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the job is packed."""
        async with self._places:
            yield

    async def start(self, start: Callable[[], Awaitable[Result]]) -> Result:
        """Start a job while no other one is started."""
        async with self._start:
            return await start()


_TURNS: WeakKeyDictionary[StorageProvider, Turns] = WeakKeyDictionary()


def turns_of(provider: StorageProvider) -> Turns:
    """Those of a profile: the limit is the service's, for all that ask it."""
    if provider not in _TURNS:
        _TURNS[provider] = Turns()
    return _TURNS[provider]

"""A look at whether a file that was sent is there."""

import math

from cloudstore_tui.core.errors import AccessError, MissingError, UnavailableError, UsageError
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.fetch import Fetch
from cloudstore_tui.transfers.live import LiveTransfer

UNTOLD = (MissingError, AccessError, UsageError, UnavailableError)
"""What a look can end with where others read a folder, or where rights only allow to write."""


class UploadCheck:
    """Finds out what became of one file."""

    def __init__(
        self, live: LiveTransfer, location: Location, provider: StorageProvider, context: TransferContext
    ) -> None:
        self._live = live
        self._location = location
        self._provider = provider
        self._context = context

    async def size(self) -> int | None:
        """The exact size of what is there, if anybody tells.

        Raises:
            MissingError: nothing is.
        """
        await self._provider.stat(self._location)
        return await self._exact(self._location)

    async def replaced(self, before: Entry | None, size: int) -> bool:
        """Whether something of this size is there that is not what was there before.

        Raises:
            MissingError: nothing is there.
        """
        now = await self._provider.stat(self._location)
        return not _is_same(before, now) and await self._exact(self._location) == size

    async def came(self, since: float, size: int) -> bool:
        """Whether something of this size has been there since a moment."""
        try:
            return await self._is_new(self._location, since, size)
        except MissingError:
            return False

    async def moved(self, since: float, size: int) -> bool:
        """Whether the service has taken it to somewhere else since a moment."""
        for location in self._provider.taken_to(self._location):
            try:
                if await self._is_new(location, since, size):
                    return True
            except UNTOLD:
                continue
        return False

    async def _is_new(self, location: Location, since: float, size: int) -> bool:
        entry = await self._provider.stat(location)
        if not isinstance(entry, StoredObject) or entry.modified is None:
            return False
        # Services tell whole seconds. A clock of ours that is ahead makes it look old, which is the safe side.
        return entry.modified.timestamp() >= math.floor(since) and await self._exact(location) == size

    async def _exact(self, location: Location) -> int | None:
        fetch = Fetch(self._context, lambda: self._provider.source(location), self._live, html=True)
        return (await fetch.look()).size


def _is_same(before: Entry | None, now: Entry) -> bool:
    """Whether the object there now may still be the one from before."""
    if not isinstance(before, StoredObject) or not isinstance(now, StoredObject):
        return False
    return before.modified == now.modified

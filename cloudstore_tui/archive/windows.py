"""Everything a query finds, listed over windows of time that do not move while the service goes on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from cloudstore_tui.core.entry import Entry, StoredObject, identity
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.page import Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.query import Query, Sort
from cloudstore_tui.fiql import compare, conjunction, epoch_ms

OLDEST_FIRST = Sort("createdTime")

_BACK = 10
"""Rows looked at for where the next window begins: one of them may be out of order."""


class QueryListing:
    """Lists a query region by region, oldest first, up to the moment at which it began.

    An offset into a result that lives is good for one page only: whatever is deleted before it moves all others. So
    each page is a window of its own, which begins with the last rows of the page before; offsets are used only where
    more objects than a page holds were created in one second. Objects come twice where windows meet.
    """

    def __init__(self, provider: StorageProvider, query: Query, now: datetime) -> None:
        self._provider = provider
        self._query = query
        self._end = epoch_ms(now)
        self.unit = "window"
        """What `windows` counts."""
        self.windows = 0
        """Windows looked at so far."""
        self.warnings: dict[str, None] = {}
        """Sentences that a user should see, each once."""
        self.errors: list[StorageError] = []
        """Why some regions could not be listed to their end."""

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects, page by page. A region among several that cannot be listed does not end the others.

        Raises:
            StorageError: nothing can be listed, or the query cannot be used.
        """
        regions = await self._regions()
        for region in regions:
            try:
                async for page in self._region(region):
                    yield page
            except UsageError:
                raise
            except StorageError as error:
                self.errors.append(error.about(Location(self._query.location.profile, region).address))
                if len(self.errors) == len(regions):
                    raise

    async def _regions(self) -> list[str]:
        location = self._query.location
        if location.region:
            return [location.region]
        root = Location(location.profile)
        pager: Pager[Entry] = Pager(lambda cursor: self._provider.browse(root, cursor), identity, root.address)
        return [entry.location.region async for page in pager for entry in page.items]

    async def _region(self, region: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        start: int | None = None
        pager = self._window(region, start)
        while True:
            page = await pager.next_page()
            self.warnings |= dict.fromkeys(page.warnings)
            yield page.items
            if pager.ended:
                return
            following = self._after(page.items)
            if following is not None and (start is None or following > start):
                start = following
                pager = self._window(region, start)

    def _window(self, region: str, start: int | None) -> Pager[StoredObject]:
        self.windows += 1
        since = "" if start is None else compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(self._end))
        query = replace(
            self._query,
            location=Location(self._query.location.profile, region),
            filter=conjunction(self._query.filter, since, until),
            sort=OLDEST_FIRST,
        )
        return Pager(lambda cursor: self._provider.search(query, cursor), identity, query.location.address)

    def _after(self, items: tuple[StoredObject, ...]) -> int | None:
        """Where the next window begins; `None` where that cannot be told."""
        moments = [epoch_ms(entry.created) for entry in items[-_BACK:] if entry.created]
        first = min(moments, default=self._end)
        return first if first < self._end else None

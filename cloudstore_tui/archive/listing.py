"""The objects to pull, listed page by page: what a query finds, or what is below a folder.

What a listing cannot read is never passed over in silence: it stands in `failures`, and the rest of the work goes on.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, StorageError, UsageError, distinct
from cloudstore_tui.core.models import Entry, Folder, Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Page, Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.parser import conjunction
from cloudstore_tui.fiql.syntax import compare

OLDEST_FIRST = Sort("createdTime")

_OVERLAP = 10
"""Rows looked at for where the next window begins: one of them may be out of order."""


class ObjectListing(ABC):
    """The objects to pull, and what could not be listed."""

    unit: str
    """What `windows` counts."""

    def __init__(self, provider: StorageProvider) -> None:
        self._provider = provider
        self.windows = 0
        """Windows of time, or folders, listed so far."""
        self.warnings: dict[str, None] = {}
        """Sentences that a user should see and that mean no loss, each once."""
        self.failures: tuple[StorageError, ...] = ()
        """What could not be listed, and why, each once; the subject tells where."""
        self._has_pages = False

    @abstractmethod
    def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects, page by page; some may come twice.

        Raises:
            StorageError: nothing at all can be listed, or the query cannot be used.
        """

    def _note(self, page: Page[StoredObject] | Page[Entry], where: Location) -> None:
        self._has_pages = True
        self.warnings |= dict.fromkeys(page.warnings)
        self._lack(page.failures, where)

    def _lack(self, failures: Iterable[StorageError], where: Location) -> None:
        """Remember what could not be listed."""
        self.failures = distinct((*self.failures, *(failure.about(where.address) for failure in failures)))


class QueryListing(ObjectListing):
    """Lists a query region by region, oldest first, up to the moment at which it began.

    An offset into a result that lives is good for one page only: whatever is deleted before it moves all others. So
    each page is a window of its own, which begins with the last rows of the page before; offsets are used only where
    more objects than a page holds were created in one second. Objects come twice where windows meet.
    """

    unit = "window"

    def __init__(self, provider: StorageProvider, query: Query, now: datetime) -> None:
        super().__init__(provider)
        self.query = query
        self._end = epoch_ms(now)

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of all regions; a region that cannot be listed to its end does not end the others."""
        for region in await self._regions():
            try:
                async for page in self._region(region):
                    yield page
            except UsageError:
                raise
            except StorageError as error:
                self._lack([error], Location(self.query.location.profile, region))
        if self.failures and not self._has_pages:
            raise self.failures[-1]

    async def _regions(self) -> list[str]:
        location = self.query.location
        if location.region:
            return [location.region]
        root = Location(location.profile)
        pager: Pager[Entry] = Pager(lambda cursor: self._provider.browse(root, cursor), identity, root.address)
        regions = []
        async for page in pager:
            self._lack(page.failures, root)
            regions += [entry.location.region for entry in page.items]
        return regions

    async def _region(self, region: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        start: int | None = None
        pager = self._window(region, start)
        while True:
            page = await pager.next_page()
            self._note(page, Location(self.query.location.profile, region))
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
            self.query,
            location=Location(self.query.location.profile, region),
            filter=conjunction(self.query.filter, since, until),
            sort=OLDEST_FIRST,
        )
        return Pager(lambda cursor: self._provider.search(query, cursor), identity, query.location.address)

    def _after(self, items: tuple[StoredObject, ...]) -> int | None:
        """The start of the next window; `None` where it cannot be determined."""
        moments = [epoch_ms(entry.created) for entry in items[-_OVERLAP:] if entry.created]
        first = min(moments, default=self._end)
        return first if first < self._end else None


class FolderListing(ObjectListing):
    """Walks a folder and all below it, depth first, for services that have folders instead of a search."""

    unit = "folder"

    def __init__(self, provider: StorageProvider, root: Location, newer_than: datetime | None = None) -> None:
        super().__init__(provider)
        self._root = root
        self._newer_than = newer_than

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of all folders; a folder that cannot be read to its end does not end the walk."""
        waiting = [self._root]
        while waiting:
            here = waiting.pop()
            self.windows += 1
            below: list[Location] = []
            async for page in self._entries(here):
                below += [entry.location for entry in page if isinstance(entry, Folder) and _is_below(entry, here)]
                yield tuple(entry for entry in page if isinstance(entry, StoredObject) and self._is_wanted(entry))
            waiting += reversed(below)

    async def _entries(self, here: Location) -> AsyncIterator[tuple[Entry, ...]]:
        pager = Pager(lambda cursor: self._provider.browse(here, cursor), identity, here.address)
        try:
            async for page in pager:
                self._note(page, here)
                yield page.items
        except StorageError as error:
            if not self._has_pages:
                raise
            # Services without real folders know nothing of one that became empty.
            if not isinstance(error, MissingError) or here == self._root:
                self._lack([error], here)

    def _is_wanted(self, entry: StoredObject) -> bool:
        """Whether it is new enough; an object of unknown age is."""
        return self._newer_than is None or entry.modified is None or entry.modified >= self._newer_than


def _is_below(folder: Folder, here: Location) -> bool:
    """Whether a folder is really further down: a faulty service must not lead us in circles."""
    there = folder.location
    is_within = there.path.startswith(here.path) and there.place[: len(here.place)] == here.place
    return is_within and here.region in ("", there.region) and there != here

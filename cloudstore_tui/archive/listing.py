"""The objects to pull, listed page by page: what a query finds, or what is below a folder.

Whatever cannot be listed is reported in `failures`, and the listing continues with the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, PartialError, ReplyError, StorageError, UsageError, distinct
from cloudstore_tui.core.models import Entry, Folder, Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import HashSet, Page, Pager, next_window_start
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql.measures import SECOND, epoch_ms
from cloudstore_tui.fiql.parser import conjunction, requires
from cloudstore_tui.fiql.syntax import compare

OLDEST_FIRST = Sort("createdTime")

OVERLAPS = (99, 999)
"""How many rows before the supposed end of a result to look for more, since objects may have been deleted. A little
less than whole pages, which a service need not mark as the last."""

MAX_PASSES = 5
"""Passes over a window after which the listing gives up on a service that lists other objects each time."""

_UNSORTED = "The service does not list objects by time as it is asked to, so all of them are listed twice."
_NO_UNDATED = (
    "{}: objects without a creation time, if there are any, were not looked for: the service does not list that far."
)


class ObjectListing(ABC):
    """The objects to pull, and what could not be listed."""

    unit: str
    """What `windows` counts."""

    def __init__(self, provider: StorageProvider) -> None:
        self._provider = provider
        self.known_regions: set[str] = set()
        """Regions from which something was pulled before."""
        self.windows = 0
        """Windows of time, or folders, listed so far."""
        self.warnings: dict[str, None] = {}
        """Sentences for the user about things that are no loss, each once."""
        self.failures: tuple[StorageError, ...] = ()
        """Why something could not be listed, each once; the subject says where."""
        self._has_pages = False

    @abstractmethod
    def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects, page by page; some may come twice.

        Raises:
            StorageError: nothing can be listed, or the query cannot be used.
        """

    def _take_notices(self, page: Page[StoredObject] | Page[Entry], where: Location) -> None:
        self._has_pages = True
        self.warnings |= dict.fromkeys(page.warnings)
        self._add_failures(page.failures, where)

    def _add_failures(self, failures: Iterable[StorageError], where: Location) -> None:
        """Record what could not be listed."""
        self.failures = distinct((*self.failures, *(failure.about(where.address) for failure in failures)))


class QueryListing(ObjectListing):
    """Lists a query region by region, oldest first, up to the moment at which it began.

    An offset into a changing result is good for one page only: every deletion shifts all later rows. So each page is a
    window of its own that begins with the last rows of the page before, and objects come twice where windows meet.
    Offsets are used only where more objects than a page holds were created in one second, or where the service does
    not sort by time. They can repeat and hide objects, so whatever was listed by offsets is listed again.
    """

    unit = "window"

    def __init__(self, provider: StorageProvider, query: Query, now: datetime) -> None:
        super().__init__(provider)
        self.query = query
        self._end = epoch_ms(now)

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of all regions; a failure in one region does not end the others."""
        for region in await self._regions():
            try:
                async for page in self._region(region):
                    yield page
            except StorageError as error:
                if isinstance(error, UsageError) and not self._has_pages:
                    # The query itself is wrong.
                    raise
                self._add_failures([error], self._place(region))
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
            self._add_failures(page.failures, root)
            regions += [entry.location.region for entry in page.items]
        for region in sorted(self.known_regions.difference(regions)):
            message = "it is not among the regions now, and objects of it are here"
            hint = f"If that is right, pull the others by their names: {root.address}{min(regions, default='REGION')}."
            self._add_failures([MissingError(message, hint=hint)], self._place(region))
        return regions

    async def _region(self, region: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        has_time = requires(self.query.filter, "createdTime")
        try:
            async for items in self._by_windows(region) if has_time else self._with_undated(region):
                yield items
        except _UnsortedError:
            self.warnings[_UNSORTED] = None
            async for items in self._by_offsets(region, self._between() if has_time else self.query.filter):
                yield items

    async def _with_undated(self, region: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of a region, including those without a creation time, which no window of time holds.

        They are on the first page if they sort first or if it holds everything, and else after all others.

        Raises:
            _UnsortedError: windows may hide some.
        """
        pager = self._pager(region, self.query.filter)
        seen, number, newest = HashSet(), 0, datetime.min.replace(tzinfo=UTC)
        async for page in pager:
            self._take_notices(page, self._place(region))
            number += sum(seen.add(hash(identity(entry))) for entry in page.items)
            yield self._without_late(page.items)
            if any(entry.created for entry in page.items):
                break
        if pager.ended:
            return
        async for items in self._by_windows(region):
            number += sum(seen.add(hash(identity(entry))) for entry in items)
            newest = max((entry.created for entry in items if entry.created), default=newest)
            yield items
        async for items in self._after(region, number, newest):
            yield items

    async def _after(self, region: str, number: int, newest: datetime) -> AsyncIterator[tuple[StoredObject, ...]]:
        """What a region lists after `number` objects, the newest of which was created at `newest`.

        Some of them may have been deleted since, so the search begins before the supposed end.
        """
        seen, has_newest = HashSet(), False
        try:
            for overlap in OVERLAPS:
                offset = max(number - overlap, 0)
                page = await self._pager(region, self.query.filter, offset).next_page()
                if not offset or (page.items and page.items[0].created):
                    break
            while sum(seen.add(hash(identity(entry))) for entry in page.items):
                self._take_notices(page, self._place(region))
                has_newest = has_newest or any(entry.created and entry.created >= newest for entry in page.items)
                yield self._without_late(page.items)
                if page.cursor is None:
                    break
                # Not by the cursor: it may go on with a window of time.
                offset += len(page.items)
                page = await self._pager(region, self.query.filter, offset).next_page()
        except (UsageError, PartialError, ReplyError):
            # The service gives no results beyond some offset, or counts pages and not objects.
            has_newest = False
        if not has_newest:
            self.warnings[_NO_UNDATED.format(self._place(region).address)] = None

    async def _by_windows(self, region: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of a region.

        Raises:
            _UnsortedError: they are not sorted or not filtered by these times, so that windows may hide some.
        """
        start: int | None = None
        again: set[str] = set()
        """The objects with which the next window must begin."""
        while True:
            pager = self._pager(region, self._between(start))
            async for page in pager:
                self._take_notices(page, self._place(region))
                yield page.items
                if page.items:
                    break
            border = next_window_start([epoch_ms(entry.created) for entry in page.items if entry.created])
            is_sorted = border is not None and (start or 0) <= border < self._end
            # If the service shows other times than it filters by, none of them comes again.
            is_again = not again.isdisjoint(map(identity, page.items))
            if (again and not is_again) or (not is_sorted and page.items and (start is not None or not pager.ended)):
                raise _UnsortedError
            if pager.ended or border is None:
                return
            if start is None or border > start:
                start, again = border, _since(border, page.items)
            else:
                again = set()
                async for items in self._by_offsets(region, self._between(start, start + SECOND)):
                    yield items
                start += SECOND

    async def _by_offsets(self, region: str, filter_: str) -> AsyncIterator[tuple[StoredObject, ...]]:
        """What a filter finds, listed again until a pass finds nothing new and repeats nothing."""
        seen = HashSet()
        for _ in range(MAX_PASSES):
            pager, found = self._pager(region, filter_), 0
            async for page in pager:
                self._take_notices(page, self._place(region))
                new = tuple(entry for entry in page.items if seen.add(hash(identity(entry))))
                found += len(new)
                yield self._without_late(new)
            if not found and not pager.repeated:
                return
        unsettled = ReplyError(
            "the service gives other objects each time it is asked, so some may be missing", hint="Run it once more."
        )
        self._add_failures([unsettled], self._place(region))

    def _without_late(self, entries: Iterable[StoredObject]) -> tuple[StoredObject, ...]:
        """Those that were not created after the listing began."""
        return tuple(entry for entry in entries if entry.created is None or epoch_ms(entry.created) < self._end)

    def _between(self, start: int | None = None, end: int | None = None) -> str:
        """The filter for a window of time, in epoch milliseconds; without bounds up to the moment the listing began."""
        since = "" if start is None else compare("createdTime", "=ge=", str(start))
        until = compare("createdTime", "=lt=", str(min(end or self._end, self._end)))
        return conjunction(self.query.filter, since, until)

    def _pager(self, region: str, filter_: str, offset: int = 0) -> Pager[StoredObject]:
        self.windows += 1
        query = replace(self.query, location=self._place(region), filter=filter_, sort=OLDEST_FIRST, offset=offset)
        return Pager(lambda cursor: self._provider.search(query, cursor), identity, query.location.address)

    def _place(self, region: str) -> Location:
        return Location(self.query.location.profile, region)


def _since(moment: int, entries: Iterable[StoredObject]) -> set[str]:
    """The identities of the entries created since a moment, in epoch milliseconds."""
    return {identity(entry) for entry in entries if entry.created and epoch_ms(entry.created) >= moment}


class _UnsortedError(Exception):
    """The service does not list objects by time."""


class FolderListing(ObjectListing):
    """Walks a folder and all below it, depth first, for services that have folders instead of a search."""

    unit = "folder"

    def __init__(self, provider: StorageProvider, root: Location, newer_than: datetime | None = None) -> None:
        super().__init__(provider)
        self._root = root
        self._newer_than = newer_than

    async def pages(self) -> AsyncIterator[tuple[StoredObject, ...]]:
        """The objects of all folders; a failure in one folder does not end the walk."""
        waiting = [self._root]
        while waiting:
            here = waiting.pop()
            self.windows += 1
            below: list[Location] = []
            async for page in self._entries(here):
                for folder in (entry for entry in page if isinstance(entry, Folder)):
                    if _is_below(folder, here):
                        below.append(folder.location)
                    elif not here.path.startswith(folder.location.path):
                        self._add_failures([_outside_error(folder)], here)
                yield tuple(entry for entry in page if isinstance(entry, StoredObject) and self._is_wanted(entry))
            waiting += reversed(below)

    async def _entries(self, here: Location) -> AsyncIterator[tuple[Entry, ...]]:
        pager = Pager(lambda cursor: self._provider.browse(here, cursor), identity, here.address)
        has_begun = False
        try:
            async for page in pager:
                self._take_notices(page, here)
                has_begun = True
                yield page.items
        except StorageError as error:
            if not self._has_pages:
                raise
            is_missing = isinstance(error, MissingError) and not has_begun
            if not (is_missing and await self._is_known(here)):
                self._add_failures([error], here)

    async def _is_known(self, here: Location) -> bool:
        """Whether a folder that is reported missing exists after all: some services say so of an empty one."""
        try:
            await self._provider.folders(here)
        except StorageError:
            return False
        return True

    def _is_wanted(self, entry: StoredObject) -> bool:
        """Whether it is new enough; an object of unknown age counts as new."""
        return self._newer_than is None or entry.modified is None or entry.modified >= self._newer_than


def _outside_error(folder: Folder) -> StorageError:
    hint = "It was not listed. The service's support can say what that means."
    return ReplyError(f"the service lists a folder in it that is not below it: {folder.location.address}", hint=hint)


def _is_below(folder: Folder, here: Location) -> bool:
    """Whether a folder is really further down: a faulty service must not lead the walk in circles."""
    there = folder.location
    is_within = there.path.startswith(here.path) and there.place[: len(here.place)] == here.place
    return is_within and here.region in ("", there.region) and there != here

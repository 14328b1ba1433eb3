"""The provider for the 8x8 Cloud Storage Service."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.links import LinkForm, SignedLink, Source, ZipJob
from cloudstore_tui.core.models import Column, Entry, Folder, Location, Query, ResultSize, StoredObject
from cloudstore_tui.core.paging import Fetch, Page
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, Check, Deletion, Session, StorageProvider
from cloudstore_tui.providers.eightbyeight import deletion, wire
from cloudstore_tui.providers.eightbyeight.checks import check_profile
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient, region_of
from cloudstore_tui.providers.eightbyeight.columns import FOLDERS, MIXED, REGION, REGIONS, columns_for
from cloudstore_tui.providers.eightbyeight.objects import Links, Objects
from cloudstore_tui.providers.eightbyeight.related import related_to
from cloudstore_tui.providers.eightbyeight.search import Counter, Searcher
from cloudstore_tui.providers.eightbyeight.tree import Tree, folder, is_bucket_place, place_query
from cloudstore_tui.providers.eightbyeight.zips import ZipJobs


class EightByEightProvider(StorageProvider):
    """One customer of the service, in all regions."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._client = EightByEightClient(profile)
        links = Links(self._client)
        self._searcher = Searcher(self._client)
        self._objects = Objects(self._client, links)
        self._zips = ZipJobs(self._client, links)
        self._tree = Tree(self._client, self._searcher)

    def locate(self, rest: str) -> Location:
        """All regions, a region, or what follows the region's slash, literally, as an object id."""
        typed, _, path = rest.partition("/")
        region = wire.read_region(typed)
        if (typed or path) and not region:
            raise UsageError(
                "does not begin with a region such as us-east",
                subject=f"{self.profile.name}:{rest}",
                hint=f"Write {self.profile.name}:REGION/ID; `cloudstore ls {self.profile.name}:` shows the regions.",
            )
        return Location(self.profile.name, region, path)

    def is_folder(self, location: Location) -> bool:
        """Everything but an object."""
        return not location.path

    def parent(self, location: Location) -> Location | None:
        """The place above; an object's is its region."""
        if location.path:
            return region_of(location)
        if location.place:
            return replace(location, place=location.place[:-1])
        return Location(self.profile.name) if location.region else None

    def query(self, location: Location) -> Query | None:
        """The query of a region, type, year, month or day."""
        return place_query(location)

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        """Time, people, length, size, state: as the types need it."""
        if types:
            found = (*columns_for(types), *self.profile.expiry_columns)
            return found if location.region else (found[0], REGION, *found[1:])
        if is_bucket_place(location):
            return MIXED if location.place[1:] else FOLDERS
        if not location.region:
            return REGIONS
        return (*columns_for(frozenset(location.place[:1])), *self.profile.expiry_columns)

    @property
    def session(self) -> Session:
        client = self._client
        return Session(client.login.ends, client.note, client.pace_used, client.clock_skew)

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        """Regions, types, years, months, days or buckets."""
        return await self._tree.folders(location, cursor)

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        """The objects of a place or bucket; the root gives the regions."""
        found: Page[StoredObject] | Page[Folder]
        if (query := place_query(location)) is not None:
            found = await self.search(query, cursor)
        elif is_bucket_place(location) and len(location.place) > 1:
            found = await self._tree.bucket(location)
        else:
            found = await self._tree.folders(location, cursor)
        return found

    async def search(self, query: Query, cursor: str | None = None) -> Page[StoredObject]:
        """One page, of one region or of all regions merged."""
        return await self._searcher.page(query, cursor)

    @asynccontextmanager
    async def prefetch(self, query: Query) -> AsyncIterator[Fetch[StoredObject]]:
        """As many pages at once as the profile allows."""
        ahead, pace = 2 * max(self.profile.concurrency, 1), self.profile.requests_per_minute
        # Two seconds' worth of calls is enough: more would only hold up what the user does next.
        search = self._searcher.prefetching(query, min(ahead, 1 + pace // 30) if pace else ahead)
        try:
            yield search.page
        finally:
            search.close()

    async def count(self, query: Query, warn: Callable[[str], None] = lambda _sentence: None) -> int:
        """The number of objects now, found with a few dozen small requests."""
        counter = Counter(self._searcher)
        number = await counter.total(query, await self._regions(query))
        if counter.unmatched:
            some = f"{counter.unmatched:,} of the {counter.inspected:,} that were looked at"
            warn(f"{some} do not meet the filter to the letter, so this may be the number of something else.")
        if counter.skips_undated:
            warn("Objects without a creation time, if there are any, are not counted: so many are counted by time.")
        return number

    async def measure(self, query: Query) -> ResultSize:
        """The number of objects now, and the sizes of a few hundred spread over the result."""
        return await Counter(self._searcher).size(query, await self._regions(query))

    async def stat(self, location: Location) -> Entry:
        """The record of an object; a region is checked by asking for one row."""
        if not self.is_folder(location):
            return await self._objects.record(location)
        if is_bucket_place(location) and len(location.place) > 1:
            await self._tree.bucket(location)
        elif location.region:
            where = region_of(location)
            await self._searcher.region_page(place_query(location) or Query(where), location.region, limit=1)
        else:
            await self._client.regions()
        return folder(location)

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        """A presigned link, or the API's own address where the service gives none."""
        self._require_object(location)
        return await self._objects.source(location, known)

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        """A presigned link; the service has one form only."""
        self._require_object(location)
        return await self._objects.link(location, form)

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        """Delete objects and check each of them afterwards."""
        for location in locations:
            self.require(Capability.DELETE, location)
            self._require_object(location)
        return await deletion.delete(self._client, locations)

    async def related(self, entry: StoredObject, *, everywhere: bool = False) -> Page[StoredObject]:
        """The objects that share a call, bucket or source, including those of the other leg of a transferred call."""
        return await related_to(self._searcher, entry, everywhere=everywhere)

    async def start_zip(self, locations: Sequence[Location]) -> ZipJob:
        for location in locations:
            self._require_object(location)
        return await self._zips.start(locations)

    async def zip_job(self, region: str, name: str) -> ZipJob:
        return await self._zips.one(self._region(region), name)

    async def zip_jobs(self, region: str) -> Page[ZipJob]:
        return await self._zips.queue(self._region(region))

    async def cancel_zip(self, region: str, name: str) -> tuple[ZipJob, ...]:
        """Cancel a zip job; one that was started elsewhere only if the profile may change something."""
        where = self._region(region)
        if name not in self._zips.started:
            self.require(Capability.ZIP_QUEUE, where)
        return await self._zips.cancel(where, name)

    async def clear_zips(self, region: str) -> tuple[ZipJob, ...]:
        self.require(Capability.ZIP_QUEUE, self._region(region))
        return await self._zips.clear(self._region(region))

    async def zip_source(self, region: str, name: str) -> Source:
        return await self._zips.source(self._region(region), name)

    async def restore(self, location: Location, days: int = 7) -> int:
        self.require(Capability.RESTORE, location)
        self._require_object(location)
        return await self._objects.restore(location, days)

    async def check(self) -> tuple[Check, ...]:
        """Token, product, regions, a listing in each, clock."""
        return await check_profile(self._client, self._searcher)

    async def close(self) -> None:
        await self._client.close()

    async def _regions(self, query: Query) -> tuple[str, ...]:
        """All regions of a query.

        Raises:
            StorageError: the list of regions is incomplete, so a count would be too small.
        """
        if region := query.location.region:
            return (region,)
        regions = await self._client.regions()
        for failure in self._client.failures:
            raise failure
        return regions

    def _region(self, name: str) -> Location:
        return Location(self.profile.name, name)

    def _require_object(self, location: Location) -> None:
        if self.is_folder(location):
            hint = f"Write {self.profile.name}:REGION/ID."
            raise UsageError("is a folder, not an object", subject=location.address, hint=hint)

"""The contract between the program and a service.

Rules every provider keeps:

* An instance belongs to one event loop and one profile. Nothing is sent before the first call; `close()` ends it.
* Every failure is a `StorageError` whose `subject` is the address of what was asked for. Nothing else escapes.
* Listings are lazy: one page per call, in the service's order. A page that arrives late is never misattributed,
  because every entry carries its own location.
* A method that changes something on the server calls `require()` first, sends its request once, and reads the state
  back if the reply is lost.
* An optional ability is a method that raises `UnsupportedError` here; a provider has the ability if it overrides the
  method. `capabilities` is computed from that, so it cannot be wrong.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from functools import partial

import msgspec

from cloudstore_tui.core.errors import ReadOnlyError, StorageError, UnsupportedError
from cloudstore_tui.core.links import LinkForm, SignedLink, Source, Target, ZipJob
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, Query, ResultSize, StoredObject
from cloudstore_tui.core.paging import Fetch, Page
from cloudstore_tui.core.profile import Profile


class Capability(StrEnum):
    """An optional ability; the value is the method that a provider overrides to have it."""

    SEARCH = "search"
    COUNT = "count"
    LINK = "link"
    UPLOAD = "target"
    DELETE = "delete"
    RELATED = "related"
    ZIP = "start_zip"
    ZIP_QUEUE = "clear_zips"
    RESTORE = "restore"


_ABILITY_NAMES = {
    Capability.LINK: "signed links",
    Capability.UPLOAD: "uploads",
    Capability.DELETE: "deletions",
    Capability.RELATED: "related objects",
    Capability.ZIP: "zip jobs",
    Capability.ZIP_QUEUE: "zip jobs",
    Capability.RESTORE: "restores",
}
"""What a message calls an ability; the others are parts of searching."""

WRITES = frozenset({Capability.UPLOAD, Capability.DELETE, Capability.ZIP_QUEUE, Capability.RESTORE})
"""Abilities that change something on the server, and so are absent from a read-only profile. Starting a zip job is not
one of them: it only makes a copy for whoever asked."""


COLUMNS = (
    Column("name", "Name", width=40),
    Column("size", "Size", ColumnKind.SIZE, width=10),
    Column("modified", "Modified", ColumnKind.TIME, width=16),
)
"""The columns that every service has."""


class DeletionOutcome(StrEnum):
    """The outcome of a deletion."""

    DELETED = "deleted"
    GONE = "already gone"
    KEPT = "not deleted"
    UNKNOWN = "unknown"

    @property
    def is_gone(self) -> bool:
        """Whether the object is gone."""
        return self in (DeletionOutcome.DELETED, DeletionOutcome.GONE)


class Deletion(msgspec.Struct, frozen=True):
    """What became of one object."""

    location: Location
    outcome: DeletionOutcome
    error: StorageError | None = None
    """Why it was not deleted, or why that is unknown."""


class Check(msgspec.Struct, frozen=True):
    """One result of `profile test`."""

    title: str
    """What was checked: `token`, `scopes`, `regions` …"""
    ok: bool
    text: str
    """What was found, or what is wrong and what to do."""
    error: StorageError | None = None
    hint: str = ""
    """What to do about a warning; an error has its own hint."""


class Session(msgspec.Struct, frozen=True):
    """What the last replies of the service have shown."""

    token_ends: datetime | None = None
    """When the current token expires; `None` before the first request."""
    note: str = ""
    """What the user should know, such as that the service asks to wait."""
    pace_used: float = 0.0
    """Calls of the last minute as a share of the profile's limit; 0 without one."""
    clock_skew: float = 0.0
    """Seconds by which the service's clock is ahead of this machine's; 0 before the first reply."""


class StorageProvider(ABC):
    """One profile of one service."""

    profile: Profile

    # What every service can do

    @abstractmethod
    def locate(self, rest: str) -> Location:
        """The location of what follows `profile:` in an address. Sends nothing.

        Raises:
            UsageError: it cannot be an address of this service.
        """

    @abstractmethod
    def is_folder(self, location: Location) -> bool:
        """Whether a location can be listed; everything else is an object. Sends nothing."""

    @abstractmethod
    def parent(self, location: Location) -> Location | None:
        """The folder that holds a folder or an object; `None` for the root. Sends nothing."""

    @abstractmethod
    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        """One page of the direct children of a folder, or of the results of the query that a place stands for.

        Raises:
            MissingError: there is no such folder.
        """

    @abstractmethod
    async def stat(self, location: Location) -> Entry:
        """Everything the service knows of one entry.

        Raises:
            MissingError: there is no such entry.
        """

    @abstractmethod
    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        """Where the bytes of one object can be fetched now.

        Args:
            location: the object.
            known: its record from an earlier listing, which saves a request; `None` if there is none, or if it
                turned out to be out of date.

        Raises:
            MissingError: there is no such object.
            NotAvailableError: it cannot be fetched in its present state.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close all connections."""

    # What a provider may answer better than these defaults

    def object_from_address(self, location: Location) -> StoredObject | None:
        """The object at an address, if the address alone is enough to fetch it. Sends nothing."""
        return None

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        """One page of the direct subfolders of a folder: the children of a node of the tree.

        Raises:
            MissingError: there is no such folder.
        """
        page = await self.browse(location, cursor)
        found = tuple(entry for entry in page.items if isinstance(entry, Folder))
        return Page(found, page.cursor, warnings=page.warnings, failures=page.failures)

    def query(self, location: Location) -> Query | None:
        """The query that a place stands for, or `None`. Sends nothing."""
        return None

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        """The columns for a folder or place, or for results with objects of these types. Sends nothing."""
        return (*COLUMNS, *self.profile.expiry_columns)

    async def check(self) -> tuple[Check, ...]:
        """Log in and check everything this profile needs, in order, up to the first failure."""
        try:
            await self.browse(self.locate(""))
        except StorageError as error:
            return (Check("listing", False, str(error), error),)
        return (Check("listing", True, "the root can be listed"),)

    @property
    def session(self) -> Session:
        """The state of the login. Sends nothing."""
        return Session()

    # What some services can do

    async def search(self, query: Query, cursor: str | None = None) -> Page[StoredObject]:
        """One page of the objects that a query finds.

        Raises:
            UsageError: the service refuses the filter.
        """
        raise self._unsupported(Capability.SEARCH)

    @asynccontextmanager
    async def prefetch(self, query: Query) -> AsyncIterator[Fetch[StoredObject]]:
        """A function that fetches the pages of a query, ahead of time if the provider can, for callers who want all."""
        yield partial(self.search, query)

    async def count(self, query: Query, warn: Callable[[str], None] = lambda _sentence: None) -> int:
        """How many objects a query finds now, without fetching them; `warn` gets any doubt about the number."""
        raise self._unsupported(Capability.SEARCH)

    async def measure(self, query: Query) -> ResultSize:
        """How many objects a query finds now, and their total size, estimated from a sample spread over the result."""
        raise self._unsupported(Capability.SEARCH)

    async def link(self, location: Location, form: LinkForm | None = None) -> SignedLink:
        """A signed link to one object, preferably of this form; `None` for the one that the profile prefers."""
        raise self._unsupported(Capability.LINK)

    async def target(self, location: Location, size: int) -> Target:
        """Where to upload a file of `size` bytes that becomes the object at `location`."""
        raise self._unsupported(Capability.UPLOAD)

    def upload_caution(self, location: Location) -> str:
        """What to consider before uploading to a folder, as a clause; empty where uploads belong. Sends nothing."""
        return ""

    def taken_to(self, location: Location) -> tuple[Location, ...]:
        """Where the service may move a file soon after its upload; empty where it stays. Sends nothing."""
        return ()

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        """Delete exactly these objects; return the outcome of each, in the same order."""
        raise self._unsupported(Capability.DELETE)

    async def related(self, entry: StoredObject, *, everywhere: bool = False) -> Page[StoredObject]:
        """All objects of the same call or bucket, on one page, without `entry` itself.

        Args:
            entry: an object of the call, or a made-up one that holds the values known of it.
            everywhere: whether to search all regions, not only that of `entry`.
        """
        raise self._unsupported(Capability.RELATED)

    async def start_zip(self, locations: Sequence[Location]) -> ZipJob:
        """Start a job in which the server packs objects of one region into a zip."""
        raise self._unsupported(Capability.ZIP)

    async def zip_job(self, region: str, name: str) -> ZipJob:
        """The present state of one zip job."""
        raise self._unsupported(Capability.ZIP)

    async def zip_jobs(self, region: str) -> Page[ZipJob]:
        """All zip jobs that the server holds for this profile in a region, on one page."""
        raise self._unsupported(Capability.ZIP)

    async def cancel_zip(self, region: str, name: str) -> tuple[ZipJob, ...]:
        """Cancel one zip job; return the jobs that the server then holds.

        Raises:
            ReadOnlyError: the profile is read-only and did not start the job itself.
        """
        raise self._unsupported(Capability.ZIP)

    async def clear_zips(self, region: str) -> tuple[ZipJob, ...]:
        """Clear the queue of zip jobs, including jobs of others with the same key; return the jobs that are left."""
        raise self._unsupported(Capability.ZIP)

    async def zip_source(self, region: str, name: str) -> Source:
        """Where the bytes of a finished zip can be fetched now."""
        raise self._unsupported(Capability.ZIP)

    async def restore(self, location: Location, days: int = 7) -> int:
        """Request an ARCHIVED object back for 1 to 10 days, which takes hours; return the days that were granted."""
        raise self._unsupported(Capability.RESTORE)

    # Which of these abilities this provider and profile have

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The optional abilities of this provider; if the profile is read-only, without those that change anything."""
        found = frozenset(capability for capability in Capability if self._has(capability))
        return found - WRITES if self.profile.read_only else found

    def require(self, capability: Capability, location: Location) -> None:
        """Raise unless this profile has an ability.

        Raises:
            ReadOnlyError: the service has it, but the profile is read-only.
            UnsupportedError: the service lacks it.
        """
        if capability in self.capabilities:
            return
        if not (self.profile.read_only and capability in WRITES and self._has(capability)):
            raise self._unsupported(capability)
        raise ReadOnlyError(
            f"the profile {self.profile.name} is read-only",
            subject=location.address,
            hint=f"Set read_only = false under [profiles.{self.profile.name}] to allow it.",
        )

    def _has(self, capability: Capability) -> bool:
        return getattr(type(self), capability.value) is not getattr(StorageProvider, capability.value)

    def _unsupported(self, capability: Capability) -> UnsupportedError:
        ability = _ABILITY_NAMES.get(capability, "search")
        return UnsupportedError(f"the service of profile {self.profile.name} has no {ability}")

"""What Entries shows: a folder, a place, a search, or one object."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from msgspec.structs import asdict, replace

from cloudstore_tui.core.models import Entry, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql import LocalTerm, row_of, understand
from cloudstore_tui.ui.format import place_names
from cloudstore_tui.ui.widgets.chrome import Crumb

Fetch = Callable[[str | None], Awaitable[Page[Entry]]]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somewhere to be, and to come back to."""

    location: Location
    query: Query | None = None
    """What is searched for: the place's own query, or one that the user wrote; `None` where the location lists."""
    written: bool = False
    """Whether the user wrote the query, so that the location is only where it began."""
    local: tuple[LocalTerm, ...] = ()
    """What the service cannot check: rows that do not meet it are not shown."""
    typed: str = field(default="", compare=False)
    """How the user wrote the query, where that says more than the filter that is sent."""

    @property
    def local_words(self) -> str:
        """The conditions that only fetched rows can be put to; empty without any."""
        return ", and ".join(map(str, self.local))

    def keeps(self, entry: Entry) -> bool:
        """Whether a fetched row meets them."""
        if not self.local or not isinstance(entry, StoredObject):
            return True
        row = row_of(entry)
        return all(term.holds(row) for term in self.local)

    @property
    def crumbs(self) -> tuple[Crumb, ...]:
        """The way that leads here, from the profile on; not yet safe to show."""
        where, top = self.location, Location(self.location.profile)
        crumbs = [Crumb(where.profile, top)]
        if where.region:
            crumbs.append(Crumb(where.region, replace(top, region=where.region)))
        if self.written:
            return (*crumbs, Crumb("search"))
        for end, name in enumerate(place_names(where), 1):
            crumbs.append(Crumb(name, replace(where, path="", place=where.place[:end])))
        parts = where.path.split("/")
        for end, name in enumerate(parts, 1):
            if name:
                path = "/".join(parts[:end]) + ("/" if end < len(parts) else "")
                crumbs.append(Crumb(name, replace(where, path=path)))
        return tuple(crumbs)


def visit_to(provider: StorageProvider, location: Location) -> Visit:
    """A visit to a location, with the query that it stands for."""
    return Visit(location, provider.query(location) if provider.is_folder(location) else None)


def search_from(location: Location, text: str, zone: tzinfo) -> Visit:
    """A visit to what a filter or a phrase finds in the region of a location.

    Args:
        location: where the user is.
        text: FIQL or a phrase.
        zone: what days, and times without a zone, are in.

    Raises:
        FilterError: the text has no meaning.
    """
    region = Location(location.profile, location.region)
    meaning = understand(text, zone, datetime.now(UTC))
    return Visit(region, Query(region, meaning.filter), written=True, local=meaning.local, typed=text)


def pages_of(provider: StorageProvider, visit: Visit) -> Fetch:
    """How the pages of a visit are fetched: found, listed, or the one object that it is."""
    location, query = visit.location, visit.query

    async def fetch(cursor: str | None) -> Page[Entry]:
        if query is not None and Capability.SEARCH in provider.capabilities:
            found = await provider.search(query, cursor)
            return Page(**asdict(found))
        if provider.is_folder(location):
            return await provider.browse(location, cursor)
        return Page((await provider.stat(location),))

    return fetch

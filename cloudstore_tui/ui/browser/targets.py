"""What Entries shows: a folder, a place, a search inside a place, or one object."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from msgspec.structs import replace

from cloudstore_tui.core.models import Entry, Location, Query, StoredObject
from cloudstore_tui.core.paging import Fetch, Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql.evaluator import row_of
from cloudstore_tui.fiql.parser import conjunction, parse
from cloudstore_tui.fiql.phrases import LocalTerm, as_phrase, is_fiql, local_words, understand
from cloudstore_tui.fiql.reading import brief
from cloudstore_tui.fiql.syntax import Comparison, names_type, top_terms, types_within
from cloudstore_tui.ui.format import place_names
from cloudstore_tui.ui.widgets.chrome import Crumb

ALL_REGIONS = "all regions"


@dataclass(frozen=True, slots=True)
class NavigationTarget:
    """Somewhere to be, and to come back to."""

    location: Location
    query: Query | None = None
    """What is searched for: the place's own query, or one that the user wrote; `None` where the location lists."""
    written: bool = False
    """Whether the user wrote the query; the location is then the place that it stays inside."""
    local: tuple[LocalTerm, ...] = ()
    """What the service cannot check: rows that do not meet it are not shown."""
    typed: str = field(default="", compare=False)
    """How the user wrote the query, without what the place adds to it."""
    words: str = field(default="", compare=False)
    """The same for people."""

    @property
    def local_words(self) -> str:
        """The conditions that only fetched rows can be put to; empty without any."""
        return ", and ".join(local_words(self.local))

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
        elif self.written:
            crumbs.append(Crumb(ALL_REGIONS))
        for end, name in enumerate(place_names(where), 1):
            crumbs.append(Crumb(name, replace(where, path="", place=where.place[:end])))
        if self.written:
            return (*crumbs, Crumb(self.words or "search"))
        parts = where.path.split("/")
        for end, name in enumerate(parts, 1):
            if name:
                path = "/".join(parts[:end]) + ("/" if end < len(parts) else "")
                crumbs.append(Crumb(name, replace(where, path=path)))
        return tuple(crumbs)


def target_at(provider: StorageProvider, location: Location) -> NavigationTarget:
    """A location, with the query that it stands for."""
    return NavigationTarget(location, provider.query(location) if provider.is_folder(location) else None)


def search_from(provider: StorageProvider, location: Location, text: str, zone: tzinfo) -> NavigationTarget:
    """What a filter or a phrase finds inside a place.

    A phrase that names a type of its own is not for a place of one type: it is searched for in the region.

    Args:
        provider: of the location.
        location: the place to stay inside: one of a type or a day, a region, or all regions.
        text: FIQL or a phrase.
        zone: what days, and times without a zone, are in.

    Raises:
        FilterError: the text has no meaning.
    """
    region, now = Location(location.profile, location.region), datetime.now(UTC)
    inside = filter_of(provider, location)
    types = types_in(inside)
    retention = provider.profile.retention
    meaning = understand(text, zone, now, types, retention)
    if not inside or names_type(meaning.node):
        location, inside, types, meaning = region, "", (), understand(text, zone, now, retention=retention)
    words = ", ".join(
        (*((brief(meaning.node, zone, types),) if meaning.node else ()), *(term.brief for term in meaning.local))
    )
    query = Query(region, conjunction(inside, meaning.filter))
    return NavigationTarget(location, query, written=True, local=meaning.local, typed=text, words=words or "everything")


def everything_asked(provider: StorageProvider, target: NavigationTarget, zone: tzinfo) -> str:
    """What a place and the phrase that was written in it ask for together, as one phrase or filter."""
    inside, typed = filter_of(provider, target.location), target.typed
    if not inside:
        return typed
    phrase = "" if is_fiql(typed) else as_phrase(inside, zone, datetime.now(UTC))
    if phrase:
        return f"{phrase} {typed}".strip()
    return target.query.filter if target.query is not None else inside


def filter_of(provider: StorageProvider, location: Location) -> str:
    """What a place of a region adds to whatever is searched for in it; empty for a whole region."""
    if not location.region or not location.place or location.path:
        return ""
    query = provider.query(location)
    return query.filter if query is not None else ""


def types_in(inside: str) -> tuple[str, ...]:
    """The types that a filter leaves over; empty for any."""
    return types_within(parse(inside)) if inside else ()


def fields_of_one_value(filter_: str) -> tuple[str, ...]:
    """The fields that have the same value in everything that a filter finds."""
    terms = top_terms(parse(filter_)) if filter_ else ()
    return tuple(one.selector for one in terms if isinstance(one, Comparison) and one.operator == "==")


def pages_of(provider: StorageProvider, target: NavigationTarget) -> Fetch[Entry]:
    """How the pages of a target are fetched: found, listed, or the one object that it is."""
    location, query = target.location, target.query

    async def fetch(cursor: str | None) -> Page[Entry]:
        if query is not None and Capability.SEARCH in provider.capabilities:
            return await provider.search(query, cursor)
        if provider.is_folder(location):
            return await provider.browse(location, cursor)
        return Page((await provider.stat(location),))

    return fetch

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
    is_search: bool = False
    """Whether the user wrote the query; the location is then the place that is searched."""
    local: tuple[LocalTerm, ...] = ()
    """Conditions that the service cannot check: rows that do not meet them are not shown."""
    typed: str = field(default="", compare=False)
    """The query as the user wrote it, without what the place adds to it."""
    words: str = field(default="", compare=False)
    """The same in words."""

    @property
    def local_words(self) -> str:
        """The conditions that only loaded rows can be checked for; empty without any."""
        return ", and ".join(local_words(self.local))

    def keeps(self, entry: Entry) -> bool:
        """Whether a row meets the local conditions."""
        if not self.local or not isinstance(entry, StoredObject):
            return True
        row = row_of(entry)
        return all(term.holds(row) for term in self.local)

    @property
    def crumbs(self) -> tuple[Crumb, ...]:
        """The path to here, from the profile on; not yet safe to show."""
        where, top = self.location, Location(self.location.profile)
        crumbs = [Crumb(where.profile, top)]
        if where.region:
            crumbs.append(Crumb(where.region, replace(top, region=where.region)))
        elif self.is_search:
            crumbs.append(Crumb(ALL_REGIONS))
        for end, name in enumerate(place_names(where), 1):
            crumbs.append(Crumb(name, replace(where, path="", place=where.place[:end])))
        if self.is_search:
            return (*crumbs, Crumb(self.words or "search"))
        parts = where.path.split("/")
        for end, name in enumerate(parts, 1):
            if name:
                path = "/".join(parts[:end]) + ("/" if end < len(parts) else "")
                crumbs.append(Crumb(name, replace(where, path=path)))
        return tuple(crumbs)


def target_at(provider: StorageProvider, location: Location) -> NavigationTarget:
    """A location, with the query that it stands for, if any."""
    return NavigationTarget(location, provider.query(location) if provider.is_folder(location) else None)


def search_from(provider: StorageProvider, location: Location, text: str, zone: tzinfo) -> NavigationTarget:
    """A search for a filter or phrase inside a place.

    In a place of one type, a phrase that names another type searches the region.

    Args:
        provider: of the location.
        location: the place to search: of a type or a day, a region, or all regions.
        text: FIQL or a phrase.
        zone: of days, and of times without a zone.

    Raises:
        FilterError: the text has no meaning.
    """
    region, now = Location(location.profile, location.region), datetime.now(UTC)
    inside = place_filter(provider, location)
    types = types_of(inside)
    retention = provider.profile.retention
    meaning = understand(text, zone, now, types, retention)
    if not inside or names_type(meaning.node):
        location, inside, types, meaning = region, "", (), understand(text, zone, now, retention=retention)
    words = ", ".join(
        (*((brief(meaning.node, zone, types),) if meaning.node else ()), *(term.brief for term in meaning.local))
    )
    query = Query(region, conjunction(inside, meaning.filter))
    words = words or "everything"
    return NavigationTarget(location, query, is_search=True, local=meaning.local, typed=text, words=words)


def combined_query(provider: StorageProvider, target: NavigationTarget, zone: tzinfo) -> str:
    """The condition of a place and what was typed in it, as one phrase or filter."""
    inside, typed = place_filter(provider, target.location), target.typed
    if not inside:
        return typed
    phrase = "" if is_fiql(typed) else as_phrase(inside, zone, datetime.now(UTC))
    if phrase:
        return f"{phrase} {typed}".strip()
    return target.query.filter if target.query is not None else inside


def place_filter(provider: StorageProvider, location: Location) -> str:
    """The condition that a place inside a region adds to searches in it; empty for a whole region."""
    if not location.region or not location.place or location.path:
        return ""
    query = provider.query(location)
    return query.filter if query is not None else ""


def types_of(inside: str) -> tuple[str, ...]:
    """The types that a filter allows; empty for any."""
    return types_within(parse(inside)) if inside else ()


def fields_of_one_value(filter_: str) -> tuple[str, ...]:
    """The fields that have the same value in everything that a filter finds."""
    terms = top_terms(parse(filter_)) if filter_ else ()
    return tuple(one.selector for one in terms if isinstance(one, Comparison) and one.operator == "==")


def pages_of(provider: StorageProvider, target: NavigationTarget) -> Fetch[Entry]:
    """Fetches the pages of a target: search results, a folder, or a single object."""
    location, query = target.location, target.query

    async def fetch(cursor: str | None) -> Page[Entry]:
        if query is not None and Capability.SEARCH in provider.capabilities:
            return await provider.search(query, cursor)
        if provider.is_folder(location):
            return await provider.browse(location, cursor)
        return Page((await provider.stat(location),))

    return fetch

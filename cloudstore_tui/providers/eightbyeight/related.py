"""Which objects belong to the same call."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from cloudstore_tui.calls import terms_of
from cloudstore_tui.core.errors import PartialError, StorageError, distinct
from cloudstore_tui.core.models import Query, StoredObject, identity
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql.parser import conjunction
from cloudstore_tui.fiql.syntax import compare
from cloudstore_tui.providers.eightbyeight.client import region_of
from cloudstore_tui.providers.eightbyeight.deletion import GONE_STATES
from cloudstore_tui.providers.eightbyeight.paging import OLDEST_FIRST
from cloudstore_tui.providers.eightbyeight.search import Searcher

ROUNDS = 3
"""To the recording, from there to the other leg of a transferred call, and on to the objects of that leg."""

MAX_REQUESTS = 12
"""For one call: a value shared by half of the archive must not fetch all of that."""

_MAX_TERMS = 24
"""Comparisons in one filter, to limit the length of the URL."""

_NOT_PURGED = compare("objectState", "!=", "DELETED")
"""Objects in all other states are shown with their state."""


async def related_to(searcher: Searcher, entry: StoredObject, *, everywhere: bool) -> Page[StoredObject]:
    """All objects related to one, without itself, in its region or in all."""
    where = region_of(entry.location)
    search = _CallSearch(searcher, Query(replace(where, region="") if everywhere else where, sort=OLDEST_FIRST))
    new: Sequence[StoredObject] = await search.expand((entry,))
    search.require_found(entry)
    try:
        for _round in range(ROUNDS - 1):
            new = await search.expand(new) if new else ()
    except StorageError as error:
        search.add_failures(error)
    return search.result(entry)


class _CallSearch:
    """Searches from object to object; sends no comparison twice."""

    def __init__(self, searcher: Searcher, query: Query) -> None:
        self._searcher = searcher
        self._query = query
        self._asked: set[str] = set()
        """All comparisons sent so far."""
        self._found: dict[str, StoredObject] = {}
        self._inexact: set[str] = set()
        """Objects that were found although they have none of the exact values asked for."""
        self._warnings: dict[str, None] = {}
        self._failures: tuple[StorageError, ...] = ()
        self._requests = MAX_REQUESTS
        self._is_cut = False

    async def expand(self, entries: Iterable[StoredObject]) -> list[StoredObject]:
        """Find objects related to these; return those that are new."""
        wanted = dict.fromkeys(compare(key, "==", value) for entry in entries for key, value in terms_of(entry))
        terms = [term for term in wanted if term not in self._asked]
        self._asked.update(terms)
        before = set(self._found)
        for filter_ in filters(terms):
            await self._read(replace(self._query, filter=filter_))
        return [entry for key, entry in self._found.items() if key not in before]

    def require_found(self, entry: StoredObject) -> None:
        """Add a failure if a search for an object's own values has not found it: others may be missing, too."""
        is_found = not entry.location.path or identity(entry) in self._found or entry.state in GONE_STATES
        if self._asked and not (is_found or self._is_cut or self._failures):
            message = "the service does not find this object by its own call, so there may be more of it"
            hint = "Search for its callId instead."
            self.add_failures(PartialError(message, subject=entry.location.address, hint=hint))

    def add_failures(self, *failures: StorageError) -> None:
        """Add reasons why the result may be incomplete."""
        self._failures = distinct((*self._failures, *failures))

    def result(self, entry: StoredObject) -> Page[StoredObject]:
        """Everything that was found, without the object that the search started from."""
        if self._is_cut:
            message = "there may be more of this call: too many objects share a value with this one"
            self.add_failures(PartialError(message, subject=entry.location.address))
        items = tuple(found for key, found in self._found.items() if key != identity(entry))
        if number := len(self._inexact - {identity(entry)}):
            do = "does" if number == 1 else "do"
            self._warnings[f"{number:,} of these {do} not share an exact value with the call."] = None
        return Page(items, warnings=tuple(self._warnings), failures=self._failures)

    async def _read(self, query: Query) -> None:
        cursor: str | None = None
        while True:
            if self._requests <= 0:
                self._is_cut = True
                return
            self._requests -= 1
            page = await self._searcher.page(query, cursor)
            self._found.update((identity(item), item) for item in page.items)
            self._inexact.update(identity(item) for item in page.items if self._asked.isdisjoint(_comparisons(item)))
            self._warnings.update(dict.fromkeys(page.warnings))
            self.add_failures(*page.failures)
            cursor = page.cursor
            if cursor is None:
                return


def _comparisons(entry: StoredObject) -> Iterator[str]:
    """All comparisons that an object meets exactly."""
    values = (("id", entry.id), ("bucketId", entry.bucket_id), *entry.tags)
    return (compare(key, "==", value) for key, value in values)


def filters(terms: Sequence[str]) -> Iterator[str]:
    """Filters for objects that meet any of these terms and have not been purged."""
    for start in range(0, len(terms), _MAX_TERMS):
        yield conjunction(",".join(terms[start : start + _MAX_TERMS]), _NOT_PURGED)

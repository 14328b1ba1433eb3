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
"""To the recording, from there to the other leg of a transferred call, and to what belongs to that."""

MAX_REQUESTS = 12
"""Of a region, for one call: a value that half of the archive has must not fetch that."""

_TERMS = 24
"""Comparisons in one filter; the address of a request may not grow without bound."""

_PRESENT = compare("objectState", "!=", "DELETED")
"""Of what was purged nothing is left; everything else is shown with its state."""


async def related_to(searcher: Searcher, entry: StoredObject, *, everywhere: bool) -> Page[StoredObject]:
    """Everything joined to an object, without itself: in its region, or in all."""
    where = region_of(entry.location)
    search = _CallSearch(searcher, Query(replace(where, region="") if everywhere else where, sort=OLDEST_FIRST))
    new: Sequence[StoredObject] = await search.further((entry,))
    search.expect(entry)
    try:
        for _round in range(ROUNDS - 1):
            new = await search.further(new) if new else ()
    except StorageError as error:
        search.lacks(error)
    return search.result(entry)


class _CallSearch:
    """One search from object to object; asks for nothing twice."""

    def __init__(self, searcher: Searcher, query: Query) -> None:
        self._searcher = searcher
        self._query = query
        self._asked: set[str] = set()
        self._found: dict[str, StoredObject] = {}
        self._strays: set[str] = set()
        """What was found without a value that was asked for."""
        self._warnings: dict[str, None] = {}
        self._failures: tuple[StorageError, ...] = ()
        self._requests = MAX_REQUESTS
        self._is_cut = False

    async def further(self, entries: Iterable[StoredObject]) -> list[StoredObject]:
        """What is joined to these objects and was not known."""
        found = dict.fromkeys(compare(key, "==", value) for entry in entries for key, value in terms_of(entry))
        terms = [term for term in found if term not in self._asked]
        self._asked.update(terms)
        known = set(self._found)
        for filter_ in filters(terms):
            await self._read(replace(self._query, filter=filter_))
        return [entry for name, entry in self._found.items() if name not in known]

    def expect(self, entry: StoredObject) -> None:
        """Tell if an object is not among what was asked for by its own values: then others are lacking, too."""
        is_there = not entry.location.path or identity(entry) in self._found or entry.state in GONE_STATES
        if self._asked and not (is_there or self._is_cut or self._failures):
            message = "the service does not find this object by its own call, so there may be more of it"
            self.lacks(PartialError(message, subject=entry.location.address, hint="Search for its callId instead."))

    def lacks(self, *failures: StorageError) -> None:
        """Tell of the result why something may be missing."""
        self._failures = distinct((*self._failures, *failures))

    def result(self, entry: StoredObject) -> Page[StoredObject]:
        """Everything that was found, without the object that it began with."""
        if self._is_cut:
            message = "there may be more of this call: so many objects share a value with this one"
            self.lacks(PartialError(message, subject=entry.location.address))
        items = tuple(found for name, found in self._found.items() if name != identity(entry))
        if number := len(self._strays - {identity(entry)}):
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
            self._strays.update(identity(item) for item in page.items if self._asked.isdisjoint(_values_of(item)))
            self._warnings.update(dict.fromkeys(page.warnings))
            self.lacks(*page.failures)
            cursor = page.cursor
            if cursor is None:
                return


def _values_of(entry: StoredObject) -> Iterator[str]:
    """What an object could be asked for by."""
    told = (("id", entry.id), ("bucketId", entry.bucket_id), *entry.tags)
    return (compare(key, "==", value) for key, value in told)


def filters(terms: Sequence[str]) -> Iterator[str]:
    """Filters for objects that meet any of these terms, in every state that leaves something of them."""
    for start in range(0, len(terms), _TERMS):
        yield conjunction(",".join(terms[start : start + _TERMS]), _PRESENT)

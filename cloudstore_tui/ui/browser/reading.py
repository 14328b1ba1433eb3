"""One reading of a folder or search: what came of it until now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Column, Entry, StoredObject, identity
from cloudstore_tui.core.paging import Page, Pager
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql import parse, why_empty
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.browser.visit import Visit, pages_of
from cloudstore_tui.ui.layout import FIELDS, shown_words
from cloudstore_tui.ui.losses import lacking
from cloudstore_tui.ui.widgets.foot_line import Progress, order_words
from cloudstore_tui.ui.zones import zones_to_show

MOST_WARNINGS = 3
"""Warnings shown of one reading; the same row may be broken on every page."""


class ReadingOverError(Exception):
    """The user has gone elsewhere: what came is not wanted any more."""


@dataclass(eq=False)
class Reading:
    """What a visit shows. Belongs to it alone, so that nothing that comes late can land in another one."""

    visit: Visit
    provider: StorageProvider
    zone: tzinfo
    at: str = ""
    """The entry that the cursor is to go to once it is there."""
    top: int = 0
    """The first row in view once the cursor is there."""
    until: int = 0
    """Rows that may be read to find that entry; the first page at least."""
    marks: frozenset[str] = frozenset()
    """Entries to be marked once they are there."""
    error: str = ""
    """Why reading stopped, as a clause."""
    sentence: str = ""
    """The same with what can be done about it."""
    fetched: int = 0
    """Rows that came, also those that were not kept."""
    _types: frozenset[str] = frozenset()
    _regions: frozenset[str] = frozenset()
    _warned: list[str] = field(default_factory=list)
    _lost: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        zones = tuple(dict.fromkeys((self.zone, *zones_to_show(ZoneInfo("UTC")))))
        self.store = RowStore(shown=partial(shown_words, zones=zones))
        """Its rows."""
        if self.visit.query is None and Capability.SEARCH not in self.provider.capabilities:
            # Services list by bytes: `reporting-archive/` before `reporting/`.
            self.store.sort(Column("name", "Name"))
        self.pager = self.new_pager()
        """Where reading goes on."""

    @property
    def seeks(self) -> bool:
        """Whether more rows are worth reading for the entry that the cursor is to go to."""
        return bool(self.at) and self.fetched < self.until

    def new_pager(self) -> Pager[Entry]:
        """A walk from the first page on."""
        query, place = self.visit.query, self.visit.location.address
        searches = query is not None and Capability.SEARCH in self.provider.capabilities
        prefetch = partial(self.provider.prefetch, query) if searches and query is not None else None
        return Pager(pages_of(self.provider, self.visit), identity, place, prefetch)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns for what came until now."""
        return self.provider.columns(self.visit.location, self._types)

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column that the service sorts by: newest first where nobody asked it for anything else."""
        if self.visit.query is None:
            return None
        sort, column = self.visit.query.sort, self._sorted_column()
        return (column.name, sort.descending) if sort and column else ("created", True)

    @property
    def words(self) -> str:
        """What stands where rows would be."""
        rest = "" if self.pager.ended else " Ctrl+E loads the rest."
        if self.store.filtered_by and self.store.loaded:
            return f"None of the {self.store.loaded:,} rows loaded holds “{self.store.filtered_by}”.{rest}"
        if self.error:
            return self.sentence
        if rest and self.visit.local and self.fetched:
            return "\n".join((f"Not in the {self.fetched:,} rows loaded so far.{rest}", *self._looked_for))
        if rest:
            return "Stopped. Press r to reload."
        if self.visit.query is None:
            return "This folder is empty."
        return "\n".join(("No matches.", *self._reasons))

    @property
    def _reasons(self) -> tuple[str, ...]:
        """Why nothing may have been found, and by which filter."""
        query = self.visit.query
        if query is None:
            return ()
        sent = f"Sent: {query.filter or 'none'}"
        if not self.visit.written:
            return (sent,)
        if self.fetched:
            return (sent, f"That matches {self.fetched:,}, none of which has the rest.", *self._looked_for)
        return (sent, *why_empty(parse(query.filter) if query.filter else None, query.filter, self.zone))

    @property
    def _looked_for(self) -> tuple[str, ...]:
        """What only loaded rows can be searched for, and what to write for a search of all."""
        return (
            *(f"Searched there: {term}." for term in self.visit.local),
            "8x8 can't search for part of a text.",
            'Whole values are found everywhere: agent:"First Last", queue:"Name", a number or an id.',
        )

    @property
    def result(self) -> tuple[str, ...]:
        """How much was found, how large that is where it is known, and what can be done with the search."""
        store, total = self.store, None if self.visit.local else self.pager.total
        is_whole = self.pager.ended and not self.error
        if self.visit.query is None or not (self.fetched or is_whole):
            return ()
        if is_whole or total is not None:
            number = store.loaded if is_whole or total is None else total
            found = f"{number:,} match" if number else "no match"
        else:
            found = f"{store.loaded:,} of {self.fetched:,} loaded" if self.visit.local else f"{store.loaded:,} loaded"
        known, size = store.sizes
        return (
            found,
            formatted.size(size) if is_whole and known else "",
            *(("f edits", "F shows FIQL") if self.visit.written else ()),
        )

    @property
    def lacking(self) -> str:
        """What could not be read, in a few words; empty where nothing is lacking."""
        regions = () if self.visit.location.region else self._regions
        return lacking(self.pager.failures, regions)

    def kept(self, page: Page[Entry]) -> tuple[Entry, ...]:
        """The rows of a page that meet what the service cannot check."""
        self.fetched += len(page.items)
        return tuple(entry for entry in page.items if self.visit.keeps(entry))

    def progress(self, *, loading: bool, note: str) -> Progress:
        """How far it is."""
        return Progress(
            loading=loading,
            ended=self.pager.ended and not self.error,
            total=None if self.visit.local else self.pager.total,
            error=self.error,
            order=self._order_words(),
            note=" · ".join(part for part in (self.lacking, self._local_words(), note) if part),
        )

    def learn_types(self, entries: Sequence[Entry]) -> bool:
        """Remember which types came; whether other columns may fit now."""
        self._regions |= {entry.location.region for entry in entries}
        types = self._types | {entry.type for entry in entries if isinstance(entry, StoredObject) and entry.type}
        changed = types != self._types
        self._types = types
        return changed

    def new_failures(self) -> list[StorageError]:
        """What the pages until now lack that was not said before."""
        new = [failure for failure in self.pager.failures if failure.subject not in self._lost]
        self._lost |= {failure.subject for failure in new}
        return new

    def new_warnings(self, page: Page[Entry]) -> list[str]:
        """What a page warns of that was not said before."""
        new = [text for text in dict.fromkeys(page.warnings) if text not in self._warned]
        room = max(MOST_WARNINGS - len(self._warned), 0)
        self._warned += new[:room]
        return new[:room]

    def mark_again(self) -> int:
        """Mark what is to be marked and was loaded; how many of it were not."""
        wanted, self.marks = self.marks, frozenset()
        self.store.mark(wanted)
        return len(wanted) - self.store.selection.count if wanted else 0

    def marked(self) -> frozenset[str]:
        """What is marked, by identity."""
        return frozenset(map(identity, self.store.marked()))

    def _sorted_column(self) -> Column | None:
        sort = self.visit.query.sort if self.visit.query else None
        columns = self.provider.columns(self.visit.location, self._types)
        if sort is None:
            return None
        # A field or tag that is only shown where the user chose it.
        other = next((column for column in FIELDS if column.sort_field == sort.field), None)
        known = next((column for column in columns if column.sort_field == sort.field), None)
        return known or other or Column(sort.field, sort.field, sort_field=sort.field)

    def _local_words(self) -> str:
        """How many rows were looked at for those that are shown."""
        if not self.visit.local:
            return ""
        total = self.pager.total
        of = f" of {total:,}" if total is not None and total > self.fetched else ""
        return f"{self.fetched:,}{of} rows fetched and searched"

    def _order_words(self) -> str:
        sort, column = self.visit.query.sort if self.visit.query else None, self._sorted_column()
        if sort is None or column is None or (column.name == "created" and sort.descending):
            return ""
        return order_words(column, descending=sort.descending)

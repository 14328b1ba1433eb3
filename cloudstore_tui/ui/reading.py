"""One reading of a folder or search: what came of it until now."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from cloudstore_tui.core.columns import Column, Kind
from cloudstore_tui.core.entry import Entry, StoredObject, identity
from cloudstore_tui.core.page import Page, Pager
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.listing.spool import Spool
from cloudstore_tui.ui.visit import Visit, pages_of
from cloudstore_tui.ui.widgets.foot_line import Progress, order_words
from cloudstore_tui.ui.zones import short_name

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
    marks: frozenset[str] = frozenset()
    """Entries to be marked once they are there."""
    spool: Spool = field(default_factory=Spool)
    error: str = ""
    """Why reading stopped, as a clause."""
    sentence: str = ""
    """The same with what can be done about it."""
    _types: frozenset[str] = frozenset()
    _warned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pager = self.new_pager()
        """Where reading goes on."""

    def new_pager(self) -> Pager[Entry]:
        """A walk from the first page on."""
        return Pager(pages_of(self.provider, self.visit), identity, self.visit.location.address)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns for what came until now; those of times name the zone."""
        columns = self.provider.columns(self.visit.location, self._types)
        return tuple(_with_zone(column, short_name(self.zone)) for column in columns)

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column that the service sorts by, where the user asked it to."""
        sort = self.visit.query.sort if self.visit.query else None
        column = self._sorted_column()
        return (column.name, sort.descending) if sort and column else None

    @property
    def words(self) -> str:
        """What stands where rows would be."""
        if self.error:
            return self.sentence
        if not self.pager.ended:
            return "Reading was stopped. r reads it."
        return "Nothing was found." if self.visit.query else "There is nothing in this folder."

    def progress(self, *, loading: bool, note: str) -> Progress:
        """How far it is."""
        return Progress(
            loading=loading,
            ended=self.pager.ended and not self.error,
            total=self.pager.total,
            error=self.error,
            order=self._order_words(),
            note=note,
        )

    def learn_types(self, entries: Iterable[Entry]) -> bool:
        """Remember which types came; whether other columns may fit now."""
        types = self._types | {entry.type for entry in entries if isinstance(entry, StoredObject) and entry.type}
        changed = types != self._types
        self._types = types
        return changed

    def new_warnings(self, page: Page[Entry]) -> list[str]:
        """What a page warns of that was not said before."""
        new = [text for text in dict.fromkeys(page.warnings) if text not in self._warned]
        room = max(MOST_WARNINGS - len(self._warned), 0)
        self._warned += new[:room]
        return new[:room]

    def mark_again(self) -> int:
        """Mark what is to be marked and was loaded; how many of it were not."""
        wanted, self.marks = self.marks, frozenset()
        self.spool.mark(wanted)
        return len(wanted) - self.spool.marks.count if wanted else 0

    def marked(self) -> frozenset[str]:
        """What is marked, by identity."""
        return frozenset(map(identity, self.spool.marked()))

    def _sorted_column(self) -> Column | None:
        sort = self.visit.query.sort if self.visit.query else None
        columns = self.provider.columns(self.visit.location, self._types)
        return next((column for column in columns if sort and column.sort_field == sort.field), None)

    def _order_words(self) -> str:
        if self.visit.query is None:
            return ""
        sort, column = self.visit.query.sort, self._sorted_column()
        if sort is None:
            return "newest first"
        if column is None:
            return f"by {sort.field}, {'descending' if sort.descending else 'ascending'}"
        return order_words(column, descending=sort.descending)


def _with_zone(column: Column, zone: str) -> Column:
    title = f"{column.title} ({zone})"
    return replace(column, title=title) if column.kind is Kind.TIME and len(title) <= column.width else column

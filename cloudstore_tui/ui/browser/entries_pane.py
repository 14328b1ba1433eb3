"""The entries of a folder or search: search and filter lines, the table, and the status line below."""

from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from cloudstore_tui.core.models import Column
from cloudstore_tui.results.row_store import RowStore, Selection
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.entry_table import EntryTable, RowStates
from cloudstore_tui.ui.browser.search_bar import SearchBar
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.layout import arranged, kind_of, layout_of, offered
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.text import shorten
from cloudstore_tui.ui.widgets.chrome import PaneRule, StatusBar
from cloudstore_tui.ui.widgets.detail_pane import PAUSE
from cloudstore_tui.ui.widgets.fields import FilterBar

_LONGEST_FILTER = 40


class Progress(Struct, frozen=True):
    """How far a list is loaded."""

    loading: bool = False
    ended: bool = False
    """Whether there are no more rows to load."""
    total: int | None = None
    """The number of entries, if it is known."""
    stopped: bool = False
    """Whether loading failed; the reason was shown."""
    order: str = ""
    """The service's order in words; empty for the usual one."""
    note: str = ""
    """What else is going on."""


def status_text(store: RowStore, progress: Progress, zone: tzinfo = UTC, row: int = 0) -> str:
    """`row 57 of 100 loaded of 20,247 · 3 marked, 12.4 MB, of 2024-09-01`; not yet safe to draw."""
    parts = [_row(store, progress, row), _marks(store, zone), _order(store, progress), progress.note]
    if progress.loading:
        parts.append("Esc stops" if progress.note else "loading… Esc stops")
    elif progress.stopped:
        parts.append("stopped: r reads again")
    return " · ".join(part for part in parts if part)


def order_words(column: Column, *, descending: bool) -> str:
    """`newest first`, or `by agent, Z–A` where the direction alone does not say of what."""
    direction = words.direction_words(column.kind, descending=descending)
    return direction if column.kind.is_measure else f"by {column.title}, {direction}"


def _row(store: RowStore, progress: Progress, row: int) -> str:
    """`row 1 of 245`, with the numbers of loaded rows and of all where they differ."""
    shown, loaded = len(store), store.loaded
    if not loaded:
        return "no rows" if progress.ended else ""
    parts = [f"row {min(row, shown - 1) + 1:,} of {shown:,}" if shown else "no rows"]
    if store.filtered_by:
        parts.append(f"with “{shorten(store.filtered_by, _LONGEST_FILTER)}” of {loaded:,}")
    if not progress.ended:
        parts.append("loaded")
        if progress.total is not None and progress.total > loaded:
            parts.append(f"of {progress.total:,}")
    return " ".join(parts)


def _marks(store: RowStore, zone: tzinfo) -> str:
    marks = store.selection
    if not marks.count:
        return ""
    size = words.size(marks.size, exact=marks.size_exact) if marks.size else ""
    parts = [f"{marks.count:,} marked", size, _span(marks, zone)]
    return ", ".join(part for part in parts if part)


def _span(marks: Selection, zone: tzinfo) -> str:
    """The days, or the times of one day, from the oldest mark to the newest."""
    if not marks.first or marks.count == 1:
        return ""
    first, last = (words.time(datetime.fromtimestamp(moment, UTC), zone) for moment in (marks.first, marks.last))
    if first[:10] != last[:10]:
        return f"{first[:10]} to {last[:10]}"
    return first if first == last else f"{first} to {last[11:]}"


def _order(store: RowStore, progress: Progress) -> str:
    """An unusual order, and whether only loaded rows are sorted."""
    column, descending = store.sorted_by
    if column is None:
        return progress.order
    if column.name == "name" and not descending:
        return ""
    return order_words(column, descending=descending) + ("" if progress.ended else ", loaded rows only")


CONFIRM_FROM = 100
"""Marks from which on Escape has to be pressed twice to drop them."""
_TAG_SAMPLE = 300
"""Rows whose tags are offered as columns."""


class EntriesPane(Vertical):
    """Shows a store, filters it, and says how many rows there are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="entries.filter", tooltip="Filter the loaded rows by a text"),
    ]

    class Filtered(Message):
        """The filter hides other rows now."""

    def __init__(
        self, left: Widget, right: Widget, states: RowStates, browser_state: BrowserState, *, id: str | None = None
    ) -> None:
        """Show entries between two other panes."""
        super().__init__(id=id)
        self._left, self._right = left, right
        self._escaped_once = Selection()
        """The marks for which Escape was pressed once."""
        self._rest_timer: Timer | None = None
        self._progress = Progress()
        self._zone: tzinfo = UTC
        self._usual: tuple[Column, ...] = ()
        self.layouts = browser_state.layouts
        self.bar = SearchBar(browser_state.history, browser_state.searches, id="search")
        self.table = EntryTable(states, id="table")
        self._filter_bar = FilterBar(id="filter")
        self._foot = StatusBar(id="foot")

    def compose(self) -> ComposeResult:
        panes = Horizontal(self._left, self.table, self._right, id="panes")
        yield from (self.bar, self._filter_bar, PaneRule(panes, "┬"), panes, PaneRule(panes, "┴"), self._foot)

    def show(self, store: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        if store is not self.table.store:
            self._filter_bar.display = False
        self._zone, self._usual = zone, columns
        self.table.show(store, self.columns, zone)
        self.update_status()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The usual columns, or those that the user chose for such lists."""
        return arranged(self._usual, self.layouts.of(kind_of(self._usual)))

    @property
    def other_columns(self) -> tuple[Column, ...]:
        rows = self.table.store.window(0, _TAG_SAMPLE) if self.table.store is not None else []
        return offered(self._usual, self.columns, rows)

    def choose(self, columns: tuple[Column, ...]) -> None:
        """Show other columns in all lists of this kind; empty for the usual ones.

        Raises:
            LocalDiskError: the choice could not be stored; it holds until the program ends.
        """
        try:
            self.layouts.keep(kind_of(self._usual), layout_of(columns))
        finally:
            if self.table.store is not None:
                self.show(self.table.store, self._usual, self._zone)

    def progress(self, progress: Progress, words: str) -> None:
        """Show how far loading is; `words` are shown in a list without rows."""
        self._progress = progress
        self.table.set_status(words)
        self.update_status()

    def clear_filter(self) -> bool:
        """Drop the filter; return whether there was one."""
        if self.table.store is None or not self.table.store.filtered_by:
            return False
        self._filter("")
        return True

    def clear_marks(self) -> None:
        """Unmark everything; with many marks only the second time."""
        marks = self.table.store.selection if self.table.store is not None else Selection()
        if marks.count >= CONFIRM_FROM and marks != self._escaped_once:
            self._escaped_once = marks
            notify_plain(self, f"Esc once more unmarks all {marks.count:,}.", "warning")
        elif marks.count:
            self._escaped_once = Selection()
            self.table.action_marks("none")
            notify_plain(self, f"{marks.count:,} unmarked. U brings them back.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter":
            return self.table.store is not None and not isinstance(self.screen.focused, Input)
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        if self.table.store is not None:
            self._filter_bar.open(self.table.store.filtered_by)

    @on(FilterBar.Changed)
    def filter_rows(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._filter(event.text)

    @on(FilterBar.Closed)
    @on(SearchBar.Closed)
    def go_back(self) -> None:
        self.table.focus()

    @on(EntryTable.Highlighted)
    def follow(self) -> None:
        """Show the cursor's row once it rests: a held key updates the status line once."""
        if self._rest_timer is not None:
            self._rest_timer.stop()
        self._rest_timer = self.set_timer(PAUSE, self.update_status)

    def _filter(self, text: str) -> None:
        if self.table.store is not None:
            self.table.store.filter(text)
            self.table.rows_changed()
            self.post_message(self.Filtered())

    @on(EntryTable.MarksChanged)
    @on(EntryTable.RowsChanged)
    def update_status(self) -> None:
        table, rows = self.table, len(self.table.open_range)
        if table.store is not None:
            range_ = f"RANGE {counted(rows, 'row')} · v ends, Esc drops it · " if rows else ""
            self._foot.set_text(range_ + status_text(table.store, self._progress, self._zone, table.cursor))

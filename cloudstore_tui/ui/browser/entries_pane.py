"""The entries of a folder or search, with the lines to type in above them and the line about them below."""

from datetime import UTC, tzinfo
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from cloudstore_tui.core.models import Column
from cloudstore_tui.results.row_store import RowStore, Selection
from cloudstore_tui.state.memory import Layouts
from cloudstore_tui.ui.browser.entry_table import EntryTable
from cloudstore_tui.ui.browser.panes import PaneRule
from cloudstore_tui.ui.browser.search_bar import SearchBar
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.layout import arranged, kind_of, layout_of, offered
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.widgets.chrome import StatusBar
from cloudstore_tui.ui.widgets.detail_pane import PAUSE
from cloudstore_tui.ui.widgets.fields import FilterBar
from cloudstore_tui.ui.widgets.foot_line import Progress, foot_text

MANY = 100
"""Marks from which on Escape has to be pressed twice to drop them."""
_LOOKED_AT = 300
"""Rows in which tags are looked for that could be columns."""


class EntriesPane(Vertical):
    """Shows a store, filters it, and says how much of it there is."""

    DEFAULT_CSS = """
    EntriesPane {
        #panes { height: 1fr; layout: horizontal; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="entries.filter", tooltip="Show only loaded rows that hold a text"),
    ]

    class Filtered(Message):
        """Other rows are hidden."""

    def __init__(self, left: Widget, right: Widget, *, id: str | None = None) -> None:
        """Show entries between two other panes."""
        super().__init__(id=id)
        self._left, self._right = left, right
        self._store: RowStore | None = None
        self._doubtful = Selection()
        """The marks that Escape was pressed for once."""
        self._following: Timer | None = None
        self._progress = Progress()
        self._zone: tzinfo = UTC
        self._usual: tuple[Column, ...] = ()
        self.layouts = Layouts()
        """What the user chose for lists of each kind."""
        self.bar = SearchBar(id="search")
        """The search line."""
        self.table = EntryTable(id="table")
        """The rows."""
        self._filter_bar = FilterBar(id="filter")
        self._foot = StatusBar(id="foot")

    def compose(self) -> ComposeResult:
        """What is searched and filtered, the table and what stands beside it, how much there is."""
        panes = Container(self._left, self.table, self._right, id="panes")
        yield from (self.bar, self._filter_bar, PaneRule(panes, "┬"), panes, PaneRule(panes, "┴"), self._foot)

    def show(self, store: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        """Show other rows, or the same ones in other columns or another zone."""
        if store is not self._store:
            self._store = store
            self._filter_bar.remove_class("-open")
        self._zone, self._usual = zone, columns
        self.table.show(store, self.columns, zone)
        self._say()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are shown: the usual ones, or those that the user chose for such lists."""
        return arranged(self._usual, self.layouts.of(kind_of(self._usual)))

    @property
    def other_columns(self) -> tuple[Column, ...]:
        """What could be shown as well."""
        rows = self._store.window(0, _LOOKED_AT) if self._store is not None else []
        return offered(self._usual, self.columns, rows)

    def choose(self, columns: tuple[Column, ...]) -> None:
        """Show other columns here and in all lists of this kind; the usual ones if empty.

        Raises:
            LocalDiskError: the choice could not be written down; it holds until the program ends.
        """
        try:
            self.layouts.keep(kind_of(self._usual), layout_of(columns))
        finally:
            if self._store is not None:
                self.table.show(self._store, self.columns, self._zone)

    def remask(self) -> None:
        """Make the rows again: the mask was turned."""
        if self._store is not None:
            self.show(self._store, self._usual, self._zone)

    def progress(self, progress: Progress, words: str) -> None:
        """Say how far reading is; `words` stand where there are no rows."""
        self._progress = progress
        self.table.say(words)
        self._say()

    def rows_changed(self) -> None:
        """Look at the store again."""
        self.table.rows_changed()
        self._say()

    def clear_filter(self) -> bool:
        """Show all loaded rows; whether some may have been hidden."""
        if self._store is None or not self._store.filtered_by:
            return False
        self._filter("")
        return True

    def clear_marks(self) -> None:
        """Unmark everything; asks first where it took somebody long to mark it."""
        marks = self._store.selection if self._store is not None else Selection()
        if marks.count >= MANY and marks != self._doubtful:
            self._doubtful = marks
            tell(self, f"Esc once more unmarks all {marks.count:,}.", "warning")
        elif marks.count:
            self._doubtful = Selection()
            self.table.action_marks("none")
            tell(self, f"{marks.count:,} unmarked. U brings them back.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to filter before anything is shown."""
        if action == "filter":
            return self._store is not None and not isinstance(self.screen.focused, Input)
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Type what the rows have to hold."""
        if self._store is not None:
            self._filter_bar.open(self._store.filtered_by)

    @on(FilterBar.Changed)
    def filter_rows(self, event: FilterBar.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        self._filter(event.text)

    @on(FilterBar.Closed)
    @on(SearchBar.Closed)
    def go_back(self) -> None:
        """Back to the rows."""
        self.table.focus()

    @on(EntryTable.MarksChanged)
    @on(EntryTable.RowsChanged)
    def count(self) -> None:
        """Say how much is shown and marked."""
        self._say()

    @on(EntryTable.Highlighted)
    def follow(self) -> None:
        """Say which row the cursor is on as soon as it rests: a held key says it once."""
        if self._following is not None:
            self._following.stop()
        self._following = self.set_timer(PAUSE, self._say)

    def _filter(self, text: str) -> None:
        if self._store is not None:
            self._store.filter(text)
            self.table.rows_changed()
            self._say()
            self.post_message(self.Filtered())

    def _say(self) -> None:
        if self._store is not None:
            rows = self.table.range_length
            range_ = f"RANGE {counted(rows, 'row')} · v ends, Esc drops it · " if rows else ""
            self._foot.set_text(range_ + foot_text(self._store, self._progress, self._zone, self.table.cursor))

"""The entries of a folder or search: their table, the lines to type in above it, and what there is of them below."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import ClassVar

from msgspec import Struct
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from cloudstore_tui.core.models import Column, ColumnKind, Entry, Location, StoredObject
from cloudstore_tui.results.row_store import RowStore, Selection
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.search_bar import SearchBar
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.layout import arranged, kind_of, layout_of, offered
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.transfer_watch import GOES_ON, locations_of
from cloudstore_tui.ui.widgets.chrome import StatusBar
from cloudstore_tui.ui.widgets.detail_pane import PAUSE
from cloudstore_tui.ui.widgets.fields import FilterBar
from cloudstore_tui.ui.widgets.virtual_table import RowSign, VirtualTable, sign_of_state

_ARRIVED = frozenset({State.DONE, State.SKIPPED})


class RowStates:
    """Gives each row its sign: what comes counts more than what is here, and both more than the service's state."""

    def __init__(self, transfer_of: Callable[[Location], TransferSnapshot | None]) -> None:
        self._transfer_of = transfer_of
        """Finds the last transfer that brings an object."""
        self._here: set[Location] = set()
        """What was fetched, also by transfers that are off the list since."""
        self._restoring: frozenset[Location] = frozenset()

    def note_ended(self, transfers: Iterable[TransferSnapshot]) -> None:
        for transfer in transfers:
            if transfer.state in _ARRIVED:
                self._here.update(locations_of(transfer.request))

    def note_restores(self, locations: frozenset[Location]) -> None:
        self._restoring = locations

    def sign_of(self, entry: Entry) -> RowSign | None:
        if not isinstance(entry, StoredObject):
            return None
        transfer = self._transfer_of(entry.location)
        if transfer is not None and transfer.state in GOES_ON:
            return RowSign.COMING
        if entry.location in self._here or (transfer is not None and transfer.state in _ARRIVED):
            return RowSign.HERE
        return RowSign.RESTORING if entry.location in self._restoring else sign_of_state(entry)


BRING_BACK = "Bring back the marks that Esc dropped"


class EntryTable(VirtualTable):
    """Opens and marks entries, by key and by mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "open", "Open", id="entries.open", tooltip="Open the folder, or look into the file"),
        Binding("space,insert", "mark", "Mark", id="entries.mark", tooltip="Mark or unmark, and go down"),
        Binding("v", "range", "Range", id="entries.range", show=False, tooltip="Mark a range (v…v)"),
        Binding("escape", "give_up_range", "No range", id="entries.drop_range", show=False, tooltip="Cancel the range"),
        Binding("a,ctrl+a", "marks('all')", "All", id="entries.mark_all", show=False, tooltip="Mark all loaded rows"),
        Binding("U", "marks('dropped')", "Marks back", id="entries.marks_back", show=False, tooltip=BRING_BACK),
        Binding("*", "marks('others')", "Invert", id="entries.invert", show=False, tooltip="Invert the marks"),
    ]

    @dataclass
    class Opened(Message):
        """The user wants to see what an entry holds."""

        entry: Entry

    @dataclass
    class MarksChanged(Message):
        """The user marked or unmarked something."""

    class RowsChanged(Message):
        """The number of rows may have changed, also by what was done in the background."""

    @dataclass
    class SortAsked(Message):
        """The user clicked the title of a column."""

        column: Column

    def __init__(self, states: RowStates, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._states = states
        self._anchor: tuple[int, Entry] | None = None
        """Where a range of marks begins: the row, and what was there."""

    def sign_of(self, entry: Entry) -> RowSign | None:
        return self._states.sign_of(entry)

    def rows_changed(self) -> None:
        """Look at the store again; a range whose beginning moved is given up."""
        if self._anchor and self.store and self.store.window(self._anchor[0], 1) != [self._anchor[1]]:
            self._anchor = None
        super().rows_changed()
        self.post_message(self.RowsChanged())

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self._anchor:
            for row in self.rows_in_view:
                if min(old, new) <= row <= max(old, new):
                    self.refresh_row(row)
            self.post_message(self.MarksChanged())

    @property
    def range_length(self) -> int:
        """How many rows the range holds that is open; 0 without one."""
        return abs(self.cursor - self._anchor[0]) + 1 if self._anchor else 0

    def looks_marked(self, row: int) -> bool:
        """Whether a row is marked, or would be if the range ended now."""
        if self._anchor and min(self._anchor[0], self.cursor) <= row <= max(self._anchor[0], self.cursor):
            return True
        return super().looks_marked(row)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._anchor is not None if action == "give_up_range" else super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == 0:
            if (column := self._renderer.column_at(offset.x)) is not None:
                self.post_message(self.SortAsked(column))
        elif (row := self.row_at(event)) is not None:
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def action_open(self) -> None:
        if (entry := self.entry) is not None:
            self.post_message(self.Opened(entry))

    def action_mark(self) -> None:
        if self.store is not None and self.entry is not None:
            self.store.toggle(self.cursor)
            self.refresh_row(self.cursor)
            self.post_message(self.MarksChanged())
            self.cursor += 1

    def action_range(self) -> None:
        """Begin a range at the cursor; the second time, mark it."""
        entry = self.entry
        if self.store is None or entry is None:
            return
        if self._anchor is None:
            self._anchor = (self.cursor, entry)
            self.refresh_row(self.cursor)
            self.post_message(self.MarksChanged())
            return
        first, last = sorted((self._anchor[0], self.cursor))
        self._anchor = None
        self.store.mark_range(first, last)
        self.refresh()
        self.post_message(self.MarksChanged())

    def action_give_up_range(self) -> None:
        self._anchor = None
        self.refresh()
        self.post_message(self.MarksChanged())

    def action_marks(self, which: str) -> None:
        """Mark `all` rows, the `others` instead of the marked ones, `none`, or those that were `dropped`."""
        if self.store is not None:
            change = {
                "all": self.store.mark_all,
                "others": self.store.invert,
                "none": self.store.clear_marks,
                "dropped": self.store.bring_back_marks,
            }
            change[which]()
            self._anchor = None
            self.refresh()
            self.post_message(self.MarksChanged())


_DIRECTIONS: Mapping[ColumnKind, tuple[str, str]] = {
    ColumnKind.SIZE: ("smallest first", "largest first"),
    ColumnKind.TIME: ("oldest first", "newest first"),
    ColumnKind.DURATION: ("shortest first", "longest first"),
}
_LONGEST_FILTER = 40


class Progress(Struct, frozen=True):
    """How far a list is read."""

    loading: bool = False
    ended: bool = False
    """Whether nothing more would come."""
    total: int | None = None
    """Number of entries, where the service tells."""
    stopped: bool = False
    """Whether reading failed; why was told."""
    order: str = ""
    """The order in which the service gives them, in words; empty for the usual one."""
    note: str = ""
    """What else goes on."""


def status_text(store: RowStore, progress: Progress, zone: tzinfo = UTC, row: int = 0) -> str:
    """`row 57 of 100 loaded of 20,247 · 3 marked, 12.4 MB, of 2024-09-01`; not yet safe to draw."""
    parts = [_row(store, progress, row), _marks(store, zone), _order(store, progress), progress.note]
    if progress.loading:
        parts.append("Esc stops" if progress.note else "loading… Esc stops")
    elif progress.stopped:
        parts.append("stopped: r reads again")
    return " · ".join(part for part in parts if part)


def order_words(column: Column, *, descending: bool) -> str:
    """`newest first`, or `by agent, Z–A` where the values alone do not say of what."""
    upward, downward = _DIRECTIONS.get(column.kind, ("A–Z", "Z–A"))
    direction = downward if descending else upward
    return direction if column.kind in _DIRECTIONS else f"by {column.title}, {direction}"


def _row(store: RowStore, progress: Progress, row: int) -> str:
    """`row 1 of 245`, with what is loaded and how much there is in all, as far as that differs."""
    shown, loaded = len(store), store.loaded
    if not loaded:
        return "no rows" if progress.ended else ""
    parts = [f"row {words.count(min(row, shown - 1) + 1)} of {words.count(shown)}" if shown else "no rows"]
    if store.filtered_by:
        text = store.filtered_by
        cut = text if len(text) <= _LONGEST_FILTER else text[: _LONGEST_FILTER - 1] + "…"
        parts.append(f"with “{cut}” of {words.count(loaded)}")
    if not progress.ended:
        parts.append("loaded")
        if progress.total is not None and progress.total > loaded:
            parts.append(f"of {words.count(progress.total)}")
    return " ".join(parts)


def _marks(store: RowStore, zone: tzinfo) -> str:
    marks = store.selection
    if not marks.count:
        return ""
    size = words.size(marks.size, exact=marks.size_exact) if marks.size else ""
    parts = [f"{words.count(marks.count)} marked", size, _span(marks, zone)]
    return ", ".join(part for part in parts if part)


def _span(marks: Selection, zone: tzinfo) -> str:
    """The days, or the times of one day, from the oldest to the newest of what is marked."""
    if not marks.first or marks.count == 1:
        return ""
    first, last = (words.time(datetime.fromtimestamp(moment, UTC), zone) for moment in (marks.first, marks.last))
    if first[:10] != last[:10]:
        return f"{first[:10]} to {last[:10]}"
    return first if first == last else f"{first} to {last[11:]}"


def _order(store: RowStore, progress: Progress) -> str:
    """An order that is not the usual one of the list, and whether it leaves out what may still come."""
    column, descending = store.sorted_by
    if column is None:
        return progress.order
    if column.name == "name" and not descending:
        return ""
    return order_words(column, descending=descending) + ("" if progress.ended else ", loaded rows only")


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
        Binding("slash", "filter", "Filter", id="entries.filter", tooltip="Filter the loaded rows by a text"),
    ]

    class Filtered(Message):
        """Other rows are hidden."""

    def __init__(
        self, left: Widget, right: Widget, states: RowStates, browser_state: BrowserState, *, id: str | None = None
    ) -> None:
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
        self.layouts = browser_state.layouts
        self.bar = SearchBar(browser_state.history, browser_state.searches, id="search")
        self.table = EntryTable(states, id="table")
        self._filter_bar = FilterBar(id="filter")
        self._foot = StatusBar(id="foot")

    def compose(self) -> ComposeResult:
        panes = Container(self._left, self.table, self._right, id="panes")
        yield from (self.bar, self._filter_bar, PaneRule(panes, "┬"), panes, PaneRule(panes, "┴"), self._foot)

    def show(self, store: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        if store is not self._store:
            self._store = store
            self._filter_bar.remove_class("-open")
        self._zone, self._usual = zone, columns
        self.table.show(store, self.columns, zone)
        self._update_status()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are shown: the usual ones, or those that the user chose for such lists."""
        return arranged(self._usual, self.layouts.of(kind_of(self._usual)))

    @property
    def other_columns(self) -> tuple[Column, ...]:
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
        if self._store is not None:
            self.show(self._store, self._usual, self._zone)

    def progress(self, progress: Progress, words: str) -> None:
        """Say how far reading is; `words` stand where there are no rows."""
        self._progress = progress
        self.table.set_status(words)
        self._update_status()

    def rows_changed(self) -> None:
        self.table.rows_changed()
        self._update_status()

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
            notify_plain(self, f"Esc once more unmarks all {marks.count:,}.", "warning")
        elif marks.count:
            self._doubtful = Selection()
            self.table.action_marks("none")
            notify_plain(self, f"{marks.count:,} unmarked. U brings them back.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter":
            return self._store is not None and not isinstance(self.screen.focused, Input)
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        if self._store is not None:
            self._filter_bar.open(self._store.filtered_by)

    @on(FilterBar.Changed)
    def filter_rows(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._filter(event.text)

    @on(FilterBar.Closed)
    @on(SearchBar.Closed)
    def go_back(self) -> None:
        self.table.focus()

    @on(EntryTable.MarksChanged)
    @on(EntryTable.RowsChanged)
    def count(self) -> None:
        self._update_status()

    @on(EntryTable.Highlighted)
    def follow(self) -> None:
        """Say which row the cursor is on as soon as it rests: a held key says it once."""
        if self._following is not None:
            self._following.stop()
        self._following = self.set_timer(PAUSE, self._update_status)

    def _filter(self, text: str) -> None:
        if self._store is not None:
            self._store.filter(text)
            self.table.rows_changed()
            self._update_status()
            self.post_message(self.Filtered())

    def _update_status(self) -> None:
        if self._store is not None:
            rows = self.table.range_length
            range_ = f"RANGE {counted(rows, 'row')} · v ends, Esc drops it · " if rows else ""
            self._foot.set_text(range_ + status_text(self._store, self._progress, self._zone, self.table.cursor))


class PaneRule(Widget):
    """A line above or below panes that stand side by side, with the corners where they part; shows who has the focus.

    A border of each pane would do the same, but a change of the focus would draw both panes.
    """

    DEFAULT_CSS = """
    PaneRule { height: 1; color: $border-blurred; & > .pane-rule--focus { color: $border; text-style: bold; } }
    """
    COMPONENT_CLASSES = {"pane-rule--focus"}  # noqa: RUF012  # as Textual has it
    ALLOW_SELECT = False

    def __init__(self, panes: Widget, corner: str) -> None:
        """Draw the line of a row of panes, and `corner` where two of them meet."""
        super().__init__()
        self._panes = panes
        self._corner = corner

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._follow, init=False)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._follow)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        bright = self.get_component_rich_style("pane-rule--focus")
        shown = sorted((pane for pane in self._panes.children if pane.display), key=lambda pane: pane.region.x)
        # A border belongs to one of the two panes that it parts.
        ends = [pane.region.x + bool(pane.styles.border_left[0]) for pane in shown[1:]]
        segments = []
        for pane, (start, end) in zip(shown, pairwise([0, *ends, width]), strict=True):
            style = bright if pane.has_pseudo_class("focus-within") or pane.has_focus else self.rich_style
            line = "─" * (end - start)
            segments.append(Segment(line[:-1] + self._corner if end < width else line, style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _follow(self, _: object) -> None:
        self.refresh()

"""The table of entries: any number of rows, of which it reads and draws those in view."""

import asyncio
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from cloudstore_tui.calls import CallPart, part_of
from cloudstore_tui.core.models import Column, Entry, Folder, Location, StoredObject, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.transfer_watch import GOES_ON, locations_of
from cloudstore_tui.ui.widgets.cursor_list import CursorList
from cloudstore_tui.ui.widgets.row_renderer import RowRenderer, RowSign, sign_of_state

_ARRIVED = frozenset({State.DONE, State.SKIPPED})


class RowStates:
    """Chooses the sign of a row: being fetched before fetched, and both before the service's state."""

    def __init__(self, transfer_of: Callable[[Location], TransferSnapshot | None]) -> None:
        self._transfer_of = transfer_of
        """Finds the last transfer of an object."""
        self._here: set[Location] = set()
        """What was fetched, also by transfers that were since cleared."""
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


TYPE_STYLES: Final = {
    **dict.fromkeys((CallPart.VOICEMAIL, CallPart.COMMENT), "voice"),
    **dict.fromkeys((CallPart.TRANSCRIPT, CallPart.SUMMARY, CallPart.SENTIMENT, CallPart.NOTES), "written"),
    CallPart.SURVEY: "survey",
    CallPart.SCREEN: "film",
}
"""Colours of types in mixed lists; recordings, the most frequent, have none."""
_PREFETCH_PAGES = 2
"""Screen pages before the last loaded row at which more rows are asked for."""
_OVERSCAN = 8
"""Rows read above and below the view, for the next cursor keys."""


class EntryTable(CursorList):
    """Draws the rows of a store, and holds only those in view.

    A DataTable holds all its cells, and needs most of a minute to take 100,000 rows. Whoever changes the store's rows,
    filter or order calls `rows_changed`, at most some ten times a second. A filter or order that takes longer is
    applied in the background; until then the old rows stay.
    """

    DEFAULT_CSS = """
    EntryTable {
        & > .entry-table--header { background: $panel; color: $foreground; text-style: bold; }
        & > .entry-table--folder { color: $text-primary; }
        & > .entry-table--marked { color: $text-warning; text-style: bold; }
        & > .entry-table--here { color: $text-success; }
        & > .entry-table--coming { color: $text-accent; }
        & > .entry-table--archived { color: $text-primary; }
        & > .entry-table--restoring { color: $text-accent; }
        & > .entry-table--lost { color: $text-error; }
        & > .entry-table--voice { color: $text-accent; }
        & > .entry-table--written { color: $text-primary; }
        & > .entry-table--survey { color: $text-success; }
        & > .entry-table--film { color: $text-secondary; }
        & > .entry-table--bar { color: $border-blurred; }
        & > .entry-table--words { color: $text-muted; }
        &:ansi > .entry-table--marked, &:nocolor > .entry-table--marked { text-style: bold reverse; }
    }
    """
    PREFIX = "entry-table"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "entry-table--header",
        "entry-table--folder",
        "entry-table--marked",
        "entry-table--words",
        "entry-table--bar",
        *(f"entry-table--{sign.name.lower()}" for sign in RowSign),
        *(f"entry-table--{part}" for part in TYPE_STYLES.values()),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "open", "Open", id="entries.open", tooltip="Open the folder, or look into the file"),
        Binding("space,insert", "mark", "Mark", id="entries.mark", tooltip="Mark or unmark, and go down"),
        Binding("v", "range", "Range", id="entries.range", show=False, tooltip="Mark a range (v…v)"),
        Binding("escape", "cancel_range", "No range", id="entries.drop_range", show=False, tooltip="Cancel the range"),
        Binding("a,ctrl+a", "marks('all')", "All", id="entries.mark_all", show=False, tooltip="Mark all loaded rows"),
        Binding(
            "U", "marks('dropped')", "Marks back", id="entries.marks_back", show=False, tooltip="Restore dropped marks"
        ),
        Binding("*", "marks('others')", "Invert", id="entries.invert", show=False, tooltip="Invert the marks"),
    ]

    order: reactive[tuple[str, bool] | None] = reactive(None, init=False)
    """Name of the column that the service sorted by, and whether descending; a local sort of the store if `None`."""

    store: RowStore | None = None
    """What is shown; set by `show`."""

    @dataclass
    class Highlighted(Message):
        """The cursor is on another entry."""

        entry: Entry | None

    @dataclass
    class NearEnd(Message):
        """The cursor is near the last loaded row; sent once until rows are added."""

    @dataclass
    class Opened(Message):
        """The user opened an entry."""

        entry: Entry

    @dataclass
    class MarksChanged(Message):
        """The user marked or unmarked something."""

    class RowsChanged(Message):
        """The number of rows may have changed."""

    @dataclass
    class SortAsked(Message):
        """The user clicked the title of a column."""

        column: Column

    def __init__(self, states: RowStates, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._states = states
        self._renderer = RowRenderer((), UTC)
        self.words = ""
        """Shown while there are no rows."""
        self._anchor: tuple[int, Entry] | None = None
        """Where an open range begins: the row and its entry."""
        self._entries: dict[int, Entry] = {}
        self._people: dict[str, StoredObject] = {}
        """Rows of the same call that name its people, by the identity of the entries in view that do not."""
        self._posted: Entry | None = None
        self._kept = ""
        """The identity of the entry that the cursor stays on, also while a filter hides it."""
        self._asked_at = -1
        """The number of loaded rows when more were last asked for."""
        self._settling: object = None
        self._signs: dict[int, RowSign | None] = {}
        """The signs drawn before the rows in view."""

    def sign_of(self, entry: Entry) -> RowSign | None:
        return self._states.sign_of(entry)

    # Rows

    @property
    def entry(self) -> Entry | None:
        return self._entry_at(self.cursor)

    def show(self, store: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        """Show the rows of a store; the cursor stays where it is if it is the same one."""
        self._renderer = RowRenderer(columns, zone)
        if store is not self.store:
            self.store, self._kept, self._asked_at = store, "", -1
            self.set_reactive(EntryTable.cursor, 0)
            self.scroll_to(y=0, animate=False, force=True)
        self.rows_changed()
        self.refresh()

    def set_status(self, words: str) -> None:
        """Set the lines shown without rows: that it is empty, loading, or why it failed."""
        self.words = words
        if not self.row_count:
            self.refresh()

    def ask_again(self) -> None:
        """Send `NearEnd` again: the rows asked for did not come, and may now."""
        self._asked_at = -1

    def rows_changed(self) -> None:
        """Read the store again; repaints only if rows in view changed, and the cursor stays on its entry."""
        store = self.store
        if store is None:
            return
        if self._anchor and store.window(self._anchor[0], 1) != [self._anchor[1]]:
            self._anchor = None
        before, people = {row: self._entries.get(row) for row in self.rows_in_view}, self._people
        bar = self._thumb
        self._entries, self._signs = {}, {}
        self.set_row_count(len(store))
        row, kept = self.cursor, self._kept
        if kept and (self.entry is None or identity(self.entry) != kept):
            row = found if (found := store.index_of(kept)) is not None else row
        self.cursor = row
        # An entry that a filter hides gets the cursor back, unless the user moves it meanwhile.
        self._kept = kept
        self._post_cursor(moved=False)
        changed = before != {row: self._entry_at(row) for row in self.rows_in_view} or people != self._people
        if self._renderer.fit(max(self.size.width - 1, 0), store.span) or not before or changed:
            self.refresh()
        elif bar != self._thumb:
            self.refresh(Region(self.size.width - 1, 0, 1, self.size.height))
        # What fills the view is enough until the user moves.
        if not store.filtered_by and (self.cursor or self.row_count <= self.page_height):
            self._look_ahead()
        self._apply_order(store)
        self.post_message(self.RowsChanged())

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._post_cursor(moved=True)
        self._look_ahead()
        if self._anchor:
            for row in self.rows_in_view:
                if min(old, new) <= row <= max(old, new):
                    self.refresh_row(row)
            self.post_message(self.MarksChanged())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def signs_changed(self) -> None:
        """Redraw the rows in view whose sign has changed."""
        for row in self.rows_in_view:
            entry = self._entry_at(row)
            if entry is not None and self._signs.get(row) != self.sign_of(entry):
                self.refresh_row(row)

    def _post_cursor(self, *, moved: bool) -> None:
        entry = self.entry
        if entry is not None and (moved or not self._kept):
            self._kept = identity(entry)
        if entry != self._posted:
            self._posted = entry
            self._post_later(partial(self.Highlighted, entry))

    def _post_later(self, make: Callable[[], Message]) -> None:
        # Later: a message posted while a parent handles one does not bubble past that parent.
        self.call_later(lambda: self.post_message(make()))

    def _look_ahead(self) -> None:
        store = self.store
        if store is None or not store.loaded or self._asked_at == store.loaded:
            return
        if max(self.cursor, self.rows_in_view.stop) >= self.row_count - _PREFETCH_PAGES * self.page_height:
            self._asked_at = store.loaded
            self._post_later(self.NearEnd)

    def _entry_at(self, row: int) -> Entry | None:
        if row not in self._entries and self.store is not None:
            top = min(row, self.scroll_offset.y) if row in self.rows_in_view else row
            first = max(top - _OVERSCAN, 0)
            entries = self.store.window(first, self.page_height + 2 * _OVERSCAN)
            self._entries = dict(enumerate(entries, first))
            self._people = self.store.rows_with_person(entries)
        return self._entries.get(row)

    def _apply_order(self, store: RowStore) -> None:
        wanted = (store, store.filtered_by, store.sorted_by)
        if store.stale and self._settling != wanted:
            self._settling = wanted
            self.run_worker(self._apply_in_background(store, wanted), group="arrange", exclusive=True)

    async def _apply_in_background(self, store: RowStore, wanted: object) -> None:
        try:
            while store is self.store and store.stale:
                started = time.monotonic()
                await store.settle()
                if store is self.store:
                    self.rows_changed()
                # While rows keep coming, sorting must not take all of a processor.
                await asyncio.sleep(min(3 * (time.monotonic() - started), 5))
        finally:
            if self._settling is wanted:
                self._settling = None

    # Marks

    @property
    def open_range(self) -> range:
        """The rows of the open range; none without one."""
        if self._anchor is None:
            return range(0)
        first, last = sorted((self._anchor[0], self.cursor))
        return range(first, last + 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._anchor is not None if action == "cancel_range" else super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """Ask for the order of the title that was clicked."""
        offset = event.get_content_offset(self)
        column = self._renderer.column_at(offset.x) if offset is not None and offset.y == 0 else None
        if column is not None:
            self.post_message(self.SortAsked(column))

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
        """Begin a range at the cursor, or mark the open one."""
        if self.store is None or (entry := self.entry) is None:
            return
        if self._anchor is None:
            self._anchor = (self.cursor, entry)
        else:
            rows, self._anchor = self.open_range, None
            self.store.mark_range(rows[0], rows[-1])
        self._show_marks()

    def end_range(self) -> None:
        """Mark the open range, which is drawn as marked already."""
        if self._anchor is not None:
            self.action_range()

    def action_cancel_range(self) -> None:
        self._anchor = None
        self._show_marks()

    def action_marks(self, which: str) -> None:
        """Mark `all` rows, the `others` instead of the marked ones, `none`, or those that were `dropped`."""
        if self.store is not None:
            change = {
                "all": self.store.mark_all,
                "others": self.store.invert,
                "none": self.store.clear_marks,
                "dropped": self.store.restore_marks,
            }
            change[which]()
            self.action_cancel_range()

    def _show_marks(self) -> None:
        self.refresh()
        self.post_message(self.MarksChanged())

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The titles, an entry, or words in an empty table, then a cell of the scroll bar."""
        width, row = max(self.size.width - 1, 0), self.scroll_offset.y + y - 1
        self._renderer.fit(width, self.store.span if self.store is not None else (0, 0))
        # The bar costs nothing: it changes only where all rows are redrawn anyway.
        bar = Segment("▐" if y in self._thumb else " ", self.part_style("bar"))
        if y == 0:
            return Strip([Segment(f"{self._header()} ", self.part_style("header"))], width + 1)
        if (entry := self._entry_at(row)) is not None:
            return Strip([*self._row(row, entry), bar], width + 1)
        if not self.row_count:
            said = self.words.split("\n")
            lines = [part for line in said for part in textwrap.wrap(plain(line), max(width - 4, 8))]
            text, style = self._renderer.sentence(lines[y - 1] if y <= len(lines) else ""), self.part_style("words")
            return Strip([Segment(f"{text} ", style)], width + 1)
        return Strip([Segment(" " * width, self.rich_style), bar], width + 1)

    def _row(self, row: int, entry: Entry) -> list[Segment]:
        above = self._entry_at(row - 1) if row > self.scroll_offset.y else None
        is_marked = row in self.open_range or (self.store is not None and self.store.is_marked(row))
        sign = self._signs[row] = self.sign_of(entry)
        person = self._people.get(identity(entry)) if self._people else None
        text = self._renderer.line(entry, above, person, marked=is_marked, sign=sign or "")
        if row == self.cursor:
            return [Segment(text, self.part_style("cursor"))]
        style = self.part_style("folder") if isinstance(entry, Folder) else self.rich_style
        segments, at = [], 0
        for start, end, part in self._coloured(entry, text, sign, is_marked):
            segments += [Segment(text[at:start], style), Segment(text[start:end], self.part_style(part))]
            at = end
        return [*segments, Segment(text[at:], style)]

    def _coloured(self, entry: Entry, text: str, sign: RowSign | None, marked: bool) -> Iterator[tuple[int, int, str]]:
        """The parts of a line with a colour of their own: start, end, style."""
        # Everything before them is one cell wide.
        if marked:
            at = int(sign is None)
            yield at, at + 1, "marked"
        if sign is not None:
            yield 1, 2, sign.name.lower()
        part = TYPE_STYLES.get(part_of(entry)) if isinstance(entry, StoredObject) else None
        start, end = self._renderer.cells_of("type") if part else (0, 0)
        # Only if each character before it is one cell wide, which is nearly always so.
        if part and end and cell_len(text[:end]) == end:
            yield start, end, part

    def _header(self) -> str:
        if self.order:
            return self._renderer.header(*self.order)
        column, descending = self.store.sorted_by if self.store else (None, False)
        return self._renderer.header(column.name if column else "", descending)

    @property
    def _thumb(self) -> range:
        """The lines of the scroll bar's thumb; none if all rows are in view."""
        height = self.page_height
        if self.row_count <= height:
            return range(0)
        length = max(height * height // self.row_count, 1)
        start = round(self.scroll_offset.y * (height - length) / max(self.max_scroll_y, 1))
        return range(start + 1, start + 1 + length)

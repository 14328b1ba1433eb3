"""A table of any number of rows: it reads and draws those in view, and nothing else."""

import asyncio
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import partial
from typing import ClassVar, Final, NamedTuple

from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from cloudstore_tui.calls import CallPart, part_of
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, StoredObject, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.format import DateStyle, date_style, zone_label
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.widgets.cursor_list import CursorList

MARK: Final = "●"
"""Shown before a marked row, so that marks are seen without colours."""


class RowSign(StrEnum):
    """What is the matter with the object of a row; the name is that of its style."""

    HERE = "✓"
    """It was fetched to this machine."""
    COMING = "↓"
    ARCHIVED = "❄"
    RESTORING = "⟳"
    LOST = "✗"
    """It cannot be fetched: it was deleted, or never came to be."""


_SIGNS: Final = {
    "ARCHIVED": RowSign.ARCHIVED,
    "PENDING": RowSign.RESTORING,
    **dict.fromkeys(("REVOKED", "DELETED", "FAILED"), RowSign.LOST),
}


def sign_of_state(entry: Entry) -> RowSign | None:
    """What the service says of an object; nothing of those that are simply there."""
    return _SIGNS.get(entry.state) if isinstance(entry, StoredObject) else None


TYPE_STYLES: Final = {
    **dict.fromkeys((CallPart.VOICEMAIL, CallPart.COMMENT), "voice"),
    **dict.fromkeys((CallPart.TRANSCRIPT, CallPart.SUMMARY, CallPart.SENTIMENT, CallPart.NOTES), "written"),
    CallPart.SURVEY: "survey",
    CallPart.SCREEN: "film",
}
"""What lists of several types tell apart by colour, beside the word; recordings, of which there are most, have none."""

GUTTER: Final = 3
"""Cells before the first column: a mark, a sign, a blank."""
_GAP: Final = 2
_MIN_TEXT: Final = 8
"""Cells to which a column of text may be narrowed before columns are left out."""
_MIN_NAME: Final = 16
_MAX_FLEXIBLE: Final = 40
"""Cells of a column without names at most: what stands behind it would be too far away to be read as one row."""
_EXTRA: Final = 6
"""Rank from which on a column is shown only where all others are as wide as they want to be."""
_RIGHT: Final = frozenset({ColumnKind.SIZE, ColumnKind.DURATION})
_OF_THE_CALL: Final = frozenset({"agentName", "address", "queueName", "direction"})
"""Columns that say the same of all objects of a call."""
_CUT: Final = 512
"""Characters of a value that are looked at; no column is wider."""


class _Cell(NamedTuple):
    column: Column
    width: int
    gap: int = 0
    """Blank cells before it."""

    @property
    def right(self) -> bool:
        return self.column.kind in _RIGHT


class RowRenderer:
    """Draws lines of exactly one width; columns have the width they declare, and one of them takes the rest.

    Where the first column is a time, it shows the date only where it changes, and of it no more than tells rows apart.
    """

    def __init__(self, columns: tuple[Column, ...], zone: tzinfo) -> None:
        self._columns = columns
        self._zone = zone
        self._fitted = (0, DateStyle.ISO, "")
        self._cells: tuple[_Cell, ...] = ()

    def fit(self, width: int, span: tuple[int, int] = (0, 0)) -> bool:
        """Use lines of `width` cells: narrow columns, then leave some out, until all fits; whether lines change.

        Args:
            width: cells of a line.
            span: when the oldest and the newest of all rows were made, in seconds of the epoch.
        """
        dates, label = DateStyle.ISO, zone_label(self._zone, span)
        columns = self._columns
        if columns and columns[0].kind is ColumnKind.TIME:
            dates = date_style(span, self._zone)
            columns = (replace(columns[0], width=dates.width), *columns[1:])
        if (width, dates, label) == self._fitted:
            return False
        self._fitted = (width, dates, label)
        self._cells = _fitted(columns, max(width - GUTTER, 1))
        return True

    def header(self, sorted_by: str, descending: bool) -> str:
        """The line of titles, with an arrow at the column that `sorted_by` names; times name their zone."""
        cells, (_width, _dates, label) = [], self._fitted
        for cell in self._cells:
            title, arrow = cell.column.title, ""
            if cell.column.name == sorted_by:
                arrow = " ▼" if descending else " ▲"
            if cell.column.kind is ColumnKind.TIME and cell_len(f"{title} {label}{arrow}") <= cell.width:
                title = f"{title} {label}"
            cells.append(_padded(shorten(title, cell.width - len(arrow)) + arrow, cell))
        return self._line("", cells)

    def line(
        self,
        entry: Entry,
        above: Entry | None = None,
        teller: Entry | None = None,
        *,
        marked: bool = False,
        sign: str = "",
    ) -> str:
        """One entry, below another one; `teller` is one of the same call that tells whose it is, if it does not."""
        cells = [
            self._value(teller if teller is not None and cell.column.name in _OF_THE_CALL else entry, above, cell)
            for cell in self._cells
        ]
        signs = f"{MARK}{sign}" if sign and marked else f" {MARK if marked else sign}"
        return self._line(signs, cells)

    def sentence(self, text: str) -> str:
        return self._line("", [text])

    def column_at(self, x: int) -> Column | None:
        """The column under a cell of the line."""
        end = GUTTER
        for cell in self._cells:
            end += cell.gap + cell.width
            if x <= end:
                return cell.column
        return None

    def cells_of(self, name: str) -> tuple[int, int]:
        """From which cell of the line to which a column is drawn; nowhere if it is not shown."""
        end = GUTTER
        for cell in self._cells:
            start, end = end + cell.gap, end + cell.gap + cell.width
            if cell.column.name == name:
                return start, end
        return 0, 0

    def _value(self, entry: Entry, above: Entry | None, cell: _Cell) -> str:
        column, zone = cell.column, self._zone
        if cell is self._cells[0] and column.kind is ColumnKind.TIME and isinstance(entry, StoredObject):
            before = _moment(above, column) if above is not None else None
            return _padded(formatted.list_time(_moment(entry, column), before, zone, self._fitted[1]), cell)
        if column.kind in _RIGHT and column.name in ("size", "duration"):
            text = formatted.number_cell(entry, column, cell.width)
        elif column.name == "type":
            text = plain(formatted.type_cell(entry, cell.width), _CUT)
        else:
            text = plain(MASK.field(column.name, formatted.value(entry, column, zone)), _CUT)
        return _padded(text, cell)

    def _line(self, signs: str, cells: list[str]) -> str:
        gaps = [" " * cell.gap for cell in self._cells] or [""]
        text = f"{signs:2} " + "".join([gap + cell for gap, cell in zip(gaps, cells, strict=False)])
        width = self._fitted[0]
        if text.isascii():
            return text[:width].ljust(width)
        return set_cell_size(text, width)


def _moment(entry: Entry, column: Column) -> datetime | None:
    found = getattr(entry, column.name, None)
    return found if isinstance(found, datetime) else None


def _fitted(columns: tuple[Column, ...], room: int) -> tuple[_Cell, ...]:
    kept = list(columns)
    if _total([column.width for column in kept], _GAP) > room:
        kept = [column for column in kept if column.rank < _EXTRA] or kept
    flexible = _flexible(kept)
    while len(kept) > 1 and sum(map(_least, kept)) + len(kept) - 1 > room:
        # Of equals the last one goes first.
        kept.remove(max(reversed([column for column in kept if column is not flexible]), key=lambda one: one.rank))
    return _spread(kept, flexible, room)


def _spread(kept: list[Column], flexible: Column | None, room: int) -> tuple[_Cell, ...]:
    """Give away what is left of the room: to texts, sizes, the gaps between, other numbers, and the rest to a text."""
    widths = [_least(column) for column in kept]
    gaps = [int(number > 0) for number in range(len(kept))]
    spare = max(room - sum(widths) - sum(gaps), 0)
    texts = [number for number, column in enumerate(kept) if column.kind not in _RIGHT]
    numbers = [number for number in range(len(kept)) if number not in texts]
    for number in range(1, len(kept)):
        # A number stands right at the text behind it, and the first column is looked for most.
        if number == 1 or (number in texts and number - 1 in numbers):
            spare = _grow(gaps, number, _GAP, spare)
    # Those first that can least do with less.
    for number in sorted(texts, key=lambda number: -_least(kept[number])):
        spare = _grow(widths, number, kept[number].width, spare)
    for number in numbers[-1:]:
        spare = _grow(widths, number, kept[number].width, spare)
    for number in range(1, len(kept)):
        spare = _grow(gaps, number, _GAP, spare)
    for number in numbers[:-1]:
        spare = _grow(widths, number, kept[number].width, spare)
    if flexible is not None:
        most = room if flexible.name == "name" else min(room, max(flexible.width, _MAX_FLEXIBLE))
        _grow(widths, kept.index(flexible), max(most, widths[kept.index(flexible)]), spare)
    return tuple(_Cell(*parts) for parts in zip(kept, widths, gaps, strict=True))


def _grow(sizes: list[int], number: int, wanted: int, spare: int) -> int:
    """Make one of some sizes larger, as far as what is spare reaches; what is then left of that."""
    more = min(max(wanted - sizes[number], 0), spare)
    sizes[number] += more
    return spare - more


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _flexible(columns: list[Column]) -> Column | None:
    # Nobody's name is longer than that of a type.
    texts = [column for column in columns if column.kind is ColumnKind.TEXT and column.name != "type"] or columns
    named = [column for column in columns if column.name == "name"]
    return next(iter(named), max(texts, key=lambda column: column.width, default=None))


def _least(column: Column) -> int:
    if column.kind is ColumnKind.TIME:
        # A time that is cut tells nothing.
        return column.width
    if column.least:
        return min(column.width, column.least)
    if column.kind is not ColumnKind.TEXT:
        return column.width
    return min(column.width, _MIN_NAME if column.name == "name" else _MIN_TEXT)


def _padded(text: str, cell: _Cell) -> str:
    # The middle of a long name is left out: its ends tell more.
    text = shorten(text, cell.width, middle=cell.column.name == "name")
    blank = " " * (cell.width - (len(text) if text.isascii() else cell_len(text)))
    return blank + text if cell.right else text + blank


_AHEAD = 2
"""Pages before the last loaded row at which more rows are asked for."""

_MARGIN = 8
"""Rows read above and below the view, so that the next steps find them."""


class VirtualTable(CursorList):
    """Draws the rows of a store and keeps none of them but those in view.

    Whoever changes the store's rows, filter or order calls `rows_changed`, at most some ten times a second; what the
    store cannot do at once is then done in the background, and the rows shown before stay until it is ready.
    """

    DEFAULT_CSS = """
    VirtualTable {
        background: $background;
        color: $foreground;
        height: 1fr;
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
    order: reactive[tuple[str, bool] | None] = reactive(None, init=False)
    """Name of the column that the service sorted by, and whether descending; a local sort of the store if `None`."""

    store: RowStore | None = None
    """What is shown; set by `show`."""

    @dataclass
    class Highlighted(Message, namespace="entry_table"):
        """The cursor is on another entry."""

        entry: Entry | None

    @dataclass
    class NearEnd(Message, namespace="entry_table"):
        """The cursor comes near the last loaded row; sent once until rows are added."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._renderer = RowRenderer((), UTC)
        self.words = ""
        """What stands where there are no rows."""
        self._entries: dict[int, Entry] = {}
        self._tellers: dict[str, StoredObject] = {}
        self._posted: Entry | None = None
        self._kept = ""
        self._asked_at = -1
        self._settling: object = None
        self._signs: dict[int, RowSign | None] = {}
        """What was drawn before the rows in view."""

    def sign_of(self, entry: Entry) -> RowSign | None:
        """What is the matter with an entry."""
        return sign_of_state(entry)

    # What is shown

    @property
    def entry(self) -> Entry | None:
        return self._entry_at(self.cursor)

    def show(self, store: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        """Show other rows, or the same ones in other columns or another zone; the cursor stays with the same store."""
        self._renderer = RowRenderer(columns, zone)
        if store is not self.store:
            self.store, self._kept, self._asked_at = store, "", -1
            self.set_reactive(VirtualTable.cursor, 0)
            self.scroll_to(y=0, animate=False, force=True)
        self.rows_changed()
        self.refresh()

    def set_status(self, words: str) -> None:
        """Lines for a table without rows: that it is empty, still loading, or why it failed."""
        self.words = words
        if not self.row_count:
            self.refresh()

    def ask_again(self) -> None:
        """Let `NearEnd` be sent again: what was asked for did not come, and may now."""
        self._asked_at = -1

    def rows_changed(self) -> None:
        """Look at the store again; repaints only if rows in view changed, and the cursor stays with its entry."""
        store = self.store
        if store is None:
            return
        before, tellers = {row: self._entries.get(row) for row in self.rows_in_view}, self._tellers
        bar = self._thumb
        self._entries, self._signs = {}, {}
        self.set_row_count(len(store))
        row, kept = self.cursor, self._kept
        if self._kept and (self.entry is None or identity(self.entry) != self._kept):
            row = found if (found := store.index_of(self._kept)) is not None else row
        self.cursor = row
        # An entry that a filter hides gets the cursor back, unless the user moves it meanwhile.
        self._kept = kept
        self._post_cursor(moved=False)
        changed = before != {row: self._entry_at(row) for row in self.rows_in_view}
        if (
            self._renderer.fit(max(self.size.width - 1, 0), store.span)
            or not before
            or changed
            or tellers != self._tellers
        ):
            self.refresh()
        elif bar != self._thumb:
            self.refresh(Region(self.size.width - 1, 0, 1, self.size.height))
        # What fills the view is enough until the user moves.
        if not store.filtered_by and (self.cursor or self.row_count <= self.page_height):
            self._look_ahead()
        self._settle(store)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._post_cursor(moved=True)
        self._look_ahead()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def _post_cursor(self, *, moved: bool) -> None:
        entry = self.entry
        if entry is not None and (moved or not self._kept):
            self._kept = identity(entry)
        if entry != self._posted:
            self._posted = entry
            self._post_later(partial(self.Highlighted, entry))

    def _post_later(self, make: Callable[[], Message]) -> None:
        # Later: a message that is made while a widget above handles one does not go past that widget.
        self.call_later(lambda: self.post_message(make()))

    def _look_ahead(self) -> None:
        store = self.store
        if store is None or not store.loaded or self._asked_at == store.loaded:
            return
        if max(self.cursor, self.rows_in_view.stop) >= self.row_count - _AHEAD * self.page_height:
            self._asked_at = store.loaded
            self._post_later(self.NearEnd)

    def _entry_at(self, row: int) -> Entry | None:
        if row not in self._entries and self.store is not None:
            top = min(row, self.scroll_offset.y) if row in self.rows_in_view else row
            first = max(top - _MARGIN, 0)
            entries = self.store.window(first, self.page_height + 2 * _MARGIN)
            self._entries = dict(enumerate(entries, first))
            self._tellers = self.store.tellers(entries)
        return self._entries.get(row)

    def _settle(self, store: RowStore) -> None:
        wish = (store, store.filtered_by, store.sorted_by)
        if store.stale and self._settling != wish:
            self._settling = wish
            self.run_worker(self._arrange(store, wish), group="arrange", exclusive=True)

    async def _arrange(self, store: RowStore, wish: object) -> None:
        try:
            while store is self.store and store.stale:
                started = time.monotonic()
                await store.settle()
                if store is self.store:
                    self.rows_changed()
                # Rows that keep coming must not keep a processor busy with sorting.
                await asyncio.sleep(min(3 * (time.monotonic() - started), 5))
        finally:
            if self._settling is wish:
                self._settling = None

    def signs_changed(self) -> None:
        """Ask anew what is the matter with the rows in view, and draw those anew with which it is something else."""
        for row in self.rows_in_view:
            entry = self._entry_at(row)
            if entry is not None and self._signs.get(row) != self.sign_of(entry):
                self.refresh_row(row)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One line of the view: the titles, an entry, or words where there is none; then a piece of the scroll bar."""
        width, row = max(self.size.width - 1, 0), self.scroll_offset.y + y - 1
        self._renderer.fit(width, self.store.span if self.store is not None else (0, 0))
        bar = Segment(self._bar(y), self.part_style("bar"))
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
        marked, sign = self.looks_marked(row), self.sign_of(entry)
        self._signs[row] = sign
        teller = self._tellers.get(identity(entry)) if self._tellers else None
        text = self._renderer.line(entry, above, teller, marked=marked, sign=sign.value if sign is not None else "")
        if row == self.cursor:
            return [Segment(text, self.part_style("cursor"))]
        style = self.part_style("folder") if isinstance(entry, Folder) else self.rich_style
        segments, at = [], 0
        for start, end, part in self._coloured(entry, text, sign, marked):
            segments += [Segment(text[at:start], style), Segment(text[start:end], self.part_style(part))]
            at = end
        return [*segments, Segment(text[at:], style)]

    def _coloured(self, entry: Entry, text: str, sign: RowSign | None, marked: bool) -> Iterator[tuple[int, int, str]]:
        """The pieces of a line that have a colour of their own: from where to where, and which."""
        # All that stands before them has one cell.
        if marked:
            yield 0 if sign is not None else 1, 1 if sign is not None else 2, "marked"
        if sign is not None:
            yield 1, 2, sign.name.lower()
        part = TYPE_STYLES.get(part_of(entry)) if isinstance(entry, StoredObject) else None
        start, end = self._renderer.cells_of("type") if part else (0, 0)
        # Where what stands before is of one cell a character, which it nearly always is.
        if part and end and cell_len(text[:end]) == end:
            yield start, end, part

    def _header(self) -> str:
        if self.order:
            return self._renderer.header(*self.order)
        column, descending = self.store.sorted_by if self.store else (None, False)
        return self._renderer.header(column.name if column else "", descending)

    @property
    def _thumb(self) -> range:
        """The lines of the scroll bar that say which part of the rows is in view; none where all are."""
        height = self.page_height
        if self.row_count <= height:
            return range(0)
        length = max(height * height // self.row_count, 1)
        start = round(self.scroll_offset.y * (height - length) / max(self.max_scroll_y, 1))
        return range(start + 1, start + 1 + length)

    def _bar(self, y: int) -> str:
        """A piece of the scroll bar: it costs nothing but where everything is drawn anew anyway."""
        return "▐" if y in self._thumb else " "

    def looks_marked(self, row: int) -> bool:
        return self.store is not None and self.store.is_marked(row)

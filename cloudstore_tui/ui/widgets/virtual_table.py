"""A table of any number of rows: it reads and draws those in view, and nothing else."""

import asyncio
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.cursor_list import CursorList

MARK: Final = "*"
"""Shown before a marked row, so that marks are seen without colours."""

_GUTTER: Final = 2
_GAP: Final = 2
_LEAST: Final = 8
"""Cells to which a column of text may be narrowed before columns are left out."""
_LEAST_FLEXIBLE: Final = 16
_MOST_FLEXIBLE: Final = 40
"""Cells of a column without names at most: what stands behind it would be too far away to be read as one row."""
_RIGHT: Final = frozenset({ColumnKind.SIZE, ColumnKind.DURATION})
_CUT: Final = 512
"""Characters of a value that are looked at; no column is wider."""


class _Cell(NamedTuple):
    column: Column
    width: int
    right: bool
    middle: bool
    """Whether the middle of a long value is left out: the ends of names tell more."""


class RowRenderer:
    """Draws lines of exactly one width; columns have the width they declare, and one of them takes the rest."""

    def __init__(self, columns: tuple[Column, ...], zone: tzinfo) -> None:
        self._columns = columns
        self._zone = zone
        self._width = 0
        self._cells: tuple[_Cell, ...] = ()

    def fit(self, width: int) -> None:
        """Use lines of `width` cells: narrow texts, then leave out columns from the right, until all fits."""
        if width != self._width:
            self._width = width
            self._cells = _fitted(self._columns, max(width - _GUTTER, 1))

    def header(self, sorted_by: str, descending: bool) -> str:
        """The line of titles, with an arrow at the column that `sorted_by` names."""
        cells = []
        for cell in self._cells:
            title = cell.column.title
            if cell.column.name == sorted_by:
                title = _shortened(title, cell.width - 2, middle=False) + (" ▼" if descending else " ▲")
            cells.append(_padded(title, cell))
        return self._line(" ", cells)

    def line(self, entry: Entry, *, marked: bool) -> str:
        """One entry."""
        zone = self._zone
        cells = [_padded(_value(entry, cell.column, zone), cell) for cell in self._cells]
        return self._line(MARK if marked else " ", cells)

    def sentence(self, text: str) -> str:
        """A line of words instead of an entry."""
        return self._line(" ", [text])

    def column_at(self, x: int) -> Column | None:
        """The column under a cell of the line."""
        end = _GUTTER
        for cell in self._cells:
            end += cell.width + _GAP
            if x < end:
                return cell.column
        return None

    def _line(self, sign: str, cells: list[str]) -> str:
        text = f"{sign} " + "  ".join(cells)
        if text.isascii():
            return text[: self._width].ljust(self._width)
        return set_cell_size(text, self._width)


def _value(entry: Entry, column: Column, zone: tzinfo) -> str:
    return plain(MASK.field(column.name, formatted.value(entry, column, zone)), _CUT)


def _fitted(columns: tuple[Column, ...], width: int) -> tuple[_Cell, ...]:
    kept = list(columns)
    while True:
        flexible = _flexible(kept)
        least = sum(_least(column, flexible) + _GAP for column in kept) - _GAP
        if least <= width or len(kept) <= 1:
            break
        kept.remove(next(column for column in reversed(kept) if column is not flexible))
    spare = max(width - least, 0)
    cells = []
    for column in kept:
        own = _least(column, flexible)
        if column is not flexible:
            more = min(column.width - own, spare)
            own, spare = own + more, spare - more
        cells.append(_Cell(column, own, column.kind in _RIGHT, column.name == "name"))
    return tuple(
        cell._replace(width=min(cell.width + spare, _most(cell.column, width))) if cell.column is flexible else cell
        for cell in cells
    )


def _most(column: Column, width: int) -> int:
    return width if column.name == "name" else min(width, max(column.width, _MOST_FLEXIBLE))


def _flexible(columns: list[Column]) -> Column | None:
    texts = [column for column in columns if column.kind is ColumnKind.TEXT] or columns
    named = [column for column in columns if column.name == "name"]
    return next(iter(named), max(texts, key=lambda column: column.width, default=None))


def _least(column: Column, flexible: Column | None) -> int:
    if column is flexible:
        return _LEAST_FLEXIBLE
    return min(column.width, _LEAST) if column.kind is ColumnKind.TEXT else column.width


def _padded(text: str, cell: _Cell) -> str:
    text = _shortened(text, cell.width, middle=cell.middle)
    blank = " " * (cell.width - (len(text) if text.isascii() else cell_len(text)))
    return blank + text if cell.right else text + blank


def _shortened(text: str, width: int, *, middle: bool) -> str:
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = _tail(text, (width - 1) // 2) if middle else ""
    return _head(text, width - 1 - cell_len(tail)) + "…" + tail


def _head(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    head = set_cell_size(text, width)
    return head.rstrip("\u200d")


def _tail(text: str, width: int) -> str:
    if text.isascii():
        return text[-width:] if width else ""
    for start in range(max(len(text) - width, 0), len(text)):
        tail = text[start:]
        # What draws in no cell belongs to the character before it and cannot begin a text.
        if cell_len(text[start]) and text[start - 1] != "\u200d" and cell_len(tail) <= width:
            return tail
    return ""


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
        background: $surface;
        color: $foreground;
        height: 1fr;
        & > .entry-table--header { background: $panel; color: $foreground; text-style: bold; }
        & > .entry-table--folder { color: $text-primary; }
        & > .entry-table--marked { color: $text-warning; text-style: bold; }
        & > .entry-table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        & > .entry-table--words { color: $text-muted; }
        &:focus > .entry-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .entry-table--cursor, &:nocolor > .entry-table--cursor { text-style: underline; }
        &:ansi:focus > .entry-table--cursor, &:nocolor:focus > .entry-table--cursor { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "entry-table--header",
        "entry-table--folder",
        "entry-table--marked",
        "entry-table--cursor",
        "entry-table--words",
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
        self._words = ""
        self._entries: dict[int, Entry] = {}
        self._told: Entry | None = None
        self._kept = ""
        self._asked_at = -1
        self._settling: object = None
        self._styles: dict[str, Style] = {}

    # What is shown

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
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

    def say(self, words: str) -> None:
        """Lines for a table without rows: that it is empty, still loading, or why it failed."""
        self._words = words
        if not self.row_count:
            self.refresh()

    def ask_again(self) -> None:
        """Let `NearEnd` be sent again: what was asked for did not come."""
        self._asked_at = -1

    def rows_changed(self) -> None:
        """Look at the store again; repaints only if rows in view changed, and the cursor stays with its entry."""
        store = self.store
        if store is None:
            return
        before = {row: self._entries.get(row) for row in self.rows_in_view}
        self._entries = {}
        self.set_row_count(len(store))
        row, kept = self.cursor, self._kept
        if self._kept and (self.entry is None or identity(self.entry) != self._kept):
            row = found if (found := store.index_of(self._kept)) is not None else row
        self.cursor = row
        # An entry that a filter hides gets the cursor back, unless the user moves it meanwhile.
        self._kept = kept
        self._tell_cursor(moved=False)
        if not before or before != {row: self._entry_at(row) for row in self.rows_in_view}:
            self.refresh()
        # What fills the view is enough until the user moves.
        if not store.filtered_by and (self.cursor or self.row_count <= self.page_height):
            self._look_ahead()
        self._settle(store)

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint, and tell."""
        super().watch_cursor(old, new)
        self._tell_cursor(moved=True)
        self._look_ahead()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint, and ask for more rows in time."""
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def _tell_cursor(self, *, moved: bool) -> None:
        entry = self.entry
        if entry is not None and (moved or not self._kept):
            self._kept = identity(entry)
        if entry != self._told:
            self._told = entry
            self._tell(partial(self.Highlighted, entry))

    def _tell(self, make: Callable[[], Message]) -> None:
        # Later: a message that is made while a widget above handles one does not go past that widget.
        self.call_later(lambda: self.post_message(make()))

    def _look_ahead(self) -> None:
        store = self.store
        if store is None or not store.loaded or self._asked_at == store.loaded:
            return
        if max(self.cursor, self.rows_in_view.stop) >= self.row_count - _AHEAD * self.page_height:
            self._asked_at = store.loaded
            self._tell(self.NearEnd)

    def _entry_at(self, row: int) -> Entry | None:
        if row not in self._entries and self.store is not None:
            top = min(row, self.scroll_offset.y) if row in self.rows_in_view else row
            first = max(top - _MARGIN, 0)
            entries = self.store.window(first, self.page_height + 2 * _MARGIN)
            self._entries = dict(enumerate(entries, first))
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

    # Drawing

    def notify_style_update(self) -> None:
        """Look styles up again: the theme or the focus changed."""
        super().notify_style_update()
        self._styles = {}

    def render_line(self, y: int) -> Strip:
        """One line of the view: the titles, an entry, or words where there is none."""
        width, row = self.size.width, self.scroll_offset.y + y - 1
        self._renderer.fit(width)
        if y == 0:
            text, style = self._header(), self._style("header")
        elif (entry := self._entry_at(row)) is not None:
            marked = self.looks_marked(row)
            text, style = self._renderer.line(entry, marked=marked), self._row_style(row, entry, marked)
        elif not self.row_count:
            said = self._words.split("\n")
            lines = [part for line in said for part in textwrap.wrap(plain(line), max(width - 4, 8))]
            text, style = self._renderer.sentence(lines[y - 1] if y <= len(lines) else ""), self._style("words")
        else:
            text, style = " " * width, self.rich_style
        return Strip([Segment(text, style)], width)

    def _header(self) -> str:
        if self.order:
            return self._renderer.header(*self.order)
        column, descending = self.store.sorted_by if self.store else (None, False)
        return self._renderer.header(column.name if column else "", descending)

    def looks_marked(self, row: int) -> bool:
        """Whether a row is drawn as marked."""
        return self.store is not None and self.store.is_marked(row)

    def _row_style(self, row: int, entry: Entry, marked: bool) -> Style:
        if row == self.cursor:
            return self._style("cursor")
        if marked:
            return self._style("marked")
        return self._style("folder") if isinstance(entry, Folder) else self.rich_style

    def _style(self, part: str) -> Style:
        if part not in self._styles:
            # Looked up once per theme and focus: it costs more than the rest of a line.
            self._styles[part] = self.get_component_rich_style(f"entry-table--{part}")
        return self._styles[part]

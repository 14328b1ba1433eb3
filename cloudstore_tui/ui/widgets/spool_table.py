"""A table that shows a spool, window by window."""

import asyncio
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from cloudstore_tui.core.models import Column, Entry, Folder, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.cursor_list import CursorList
from cloudstore_tui.ui.widgets.row_painter import RowPainter

_AHEAD = 2
"""Pages before the last loaded row at which more rows are asked for."""

_MARGIN = 8
"""Rows read above and below the view, so that the next steps find them."""


class SpoolTable(CursorList):
    """Draws the rows of a spool and keeps none of them but those in view.

    Whoever changes the spool's rows, filter or order calls `rows_changed`, at most some ten times a second; what the
    spool cannot do at once is then done in the background, and the rows shown before stay until it is ready.
    """

    DEFAULT_CSS = """
    SpoolTable {
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
    """Name of the column that the service sorted by, and whether descending; a local sort of the spool if `None`."""

    spool: RowStore | None = None
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
        self._painter = RowPainter((), UTC)
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

    def show(self, spool: RowStore, columns: tuple[Column, ...], zone: tzinfo = UTC) -> None:
        """Show other rows, or the same ones in other columns or another zone; the cursor stays with the same spool."""
        self._painter = RowPainter(columns, zone)
        if spool is not self.spool:
            self.spool, self._kept, self._asked_at = spool, "", -1
            self.set_reactive(SpoolTable.cursor, 0)
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
        """Look at the spool again; repaints only if rows in view changed, and the cursor stays with its entry."""
        spool = self.spool
        if spool is None:
            return
        before = {row: self._entries.get(row) for row in self.rows_in_view}
        self._entries = {}
        self.set_row_count(len(spool))
        row, kept = self.cursor, self._kept
        if self._kept and (self.entry is None or identity(self.entry) != self._kept):
            row = found if (found := spool.index_of(self._kept)) is not None else row
        self.cursor = row
        # An entry that a filter hides gets the cursor back, unless the user moves it meanwhile.
        self._kept = kept
        self._tell_cursor(moved=False)
        if not before or before != {row: self._entry_at(row) for row in self.rows_in_view}:
            self.refresh()
        if not spool.filtered_by:
            self._look_ahead()
        self._settle(spool)

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
        spool = self.spool
        if spool is None or not spool.loaded or self._asked_at == spool.loaded:
            return
        if max(self.cursor, self.rows_in_view.stop) >= self.row_count - _AHEAD * self.page_height:
            self._asked_at = spool.loaded
            self._tell(self.NearEnd)

    def _entry_at(self, row: int) -> Entry | None:
        if row not in self._entries and self.spool is not None:
            top = min(row, self.scroll_offset.y) if row in self.rows_in_view else row
            first = max(top - _MARGIN, 0)
            entries = self.spool.window(first, self.page_height + 2 * _MARGIN)
            self._entries = dict(enumerate(entries, first))
        return self._entries.get(row)

    def _settle(self, spool: RowStore) -> None:
        wish = (spool, spool.filtered_by, spool.sorted_by)
        if spool.stale and self._settling != wish:
            self._settling = wish
            self.run_worker(self._arrange(spool, wish), group="arrange", exclusive=True)

    async def _arrange(self, spool: RowStore, wish: object) -> None:
        try:
            while spool is self.spool and spool.stale:
                started = time.monotonic()
                await spool.settle()
                if spool is self.spool:
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
        self._painter.fit(width)
        if y == 0:
            text, style = self._header(), self._style("header")
        elif (entry := self._entry_at(row)) is not None:
            marked = self.looks_marked(row)
            text, style = self._painter.line(entry, marked=marked), self._row_style(row, entry, marked)
        elif not self.row_count:
            said = self._words.split("\n")
            lines = [part for line in said for part in textwrap.wrap(plain(line), max(width - 4, 8))]
            text, style = self._painter.sentence(lines[y - 1] if y <= len(lines) else ""), self._style("words")
        else:
            text, style = " " * width, self.rich_style
        return Strip([Segment(text, style)], width)

    def _header(self) -> str:
        if self.order:
            return self._painter.header(*self.order)
        column, descending = self.spool.sorted_by if self.spool else (None, False)
        return self._painter.header(column.name if column else "", descending)

    def looks_marked(self, row: int) -> bool:
        """Whether a row is drawn as marked."""
        return self.spool is not None and self.spool.is_marked(row)

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

"""How to sort."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.ui.dialogs.dialog import Dialog, Note, button
from cloudstore_tui.ui.text import show

_LARGEST_FIRST = frozenset({ColumnKind.SIZE, ColumnKind.TIME, ColumnKind.DURATION})
"""Kinds of values that people mostly want newest, largest or longest first."""


class SortDialog(Dialog[tuple[Column, bool] | None]):
    """Asks for a column and a direction; True with the column means descending."""

    AUTO_FOCUS = "#columns"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "Down", show=False, tooltip="Next column", id="sort.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="Column before", id="sort.up"),
        Binding("r,space", "reverse", "Reverse", tooltip="Sort the other way round", id="sort.reverse"),
    ]

    def __init__(self, columns: Sequence[Column], current: tuple[str, bool] | None, server: bool) -> None:
        super().__init__("Sort by", harmless=None)
        self._columns = tuple(columns)
        self._current = current
        self._server = server
        self._descending = False

    def compose_body(self) -> ComposeResult:
        """The columns, and what the one under the cursor would do."""
        yield OptionList(*(show(column.title) for column in self._columns), id="columns", markup=False, compact=True)
        yield Note(widget_id="order")
        yield Static("Enter sorts; r changes the direction.", classes="dialog-note", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Sort", "sort", enter=True)

    def on_mount(self) -> None:
        """Begin at the column that sorts now."""
        names = [column.name for column in self._columns]
        name = self._current[0] if self._current else ""
        self.query_one(OptionList).highlighted = names.index(name) if name in names else 0 if names else None

    @on(OptionList.OptionHighlighted)
    def look_at_column(self, event: OptionList.OptionHighlighted) -> None:
        """Propose the direction that people want of such a column, or the other one of the present."""
        event.stop()
        column = self._columns[event.option_index]
        is_current = self._current is not None and self._current[0] == column.name
        if is_current and self._current is not None:
            self._descending = not self._current[1]
        else:
            self._descending = column.kind in _LARGEST_FIRST
        self._show_order()

    @on(OptionList.OptionSelected)
    def take_column(self, event: OptionList.OptionSelected) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_sort()

    def action_move(self, step: int) -> None:
        """Go to the next column or the one before."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_reverse(self) -> None:
        """Turn the direction round."""
        self._descending = not self._descending
        self._show_order()

    def action_sort(self) -> None:
        """Answer with the column under the cursor."""
        column = self._column()
        self.dismiss((column, self._descending) if column else None)

    def _column(self) -> Column | None:
        highlighted = self.query_one(OptionList).highlighted
        return None if highlighted is None else self._columns[highlighted]

    def _show_order(self) -> None:
        column = self._column()
        if column is None:
            return
        where = "all results" if self._server and column.sort_field else "loaded rows only"
        self.query_one("#order", Note).say(f"{_direction(column.kind, descending=self._descending)} ({where})")


_DIRECTIONS: Mapping[ColumnKind, tuple[str, str]] = {
    ColumnKind.SIZE: ("Smallest first", "Largest first"),
    ColumnKind.TIME: ("Oldest first", "Newest first"),
    ColumnKind.DURATION: ("Shortest first", "Longest first"),
}


def _direction(kind: ColumnKind, *, descending: bool) -> str:
    upward, downward = _DIRECTIONS.get(kind, ("A–Z", "Z–A"))
    return downward if descending else upward

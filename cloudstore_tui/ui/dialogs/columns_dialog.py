"""Which columns to show, in which order, and how wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from cloudstore_tui.core.models import Column
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show

NARROWEST, WIDEST = 4, 80


@dataclass(slots=True)
class _Line:
    column: Column
    on: bool


class ColumnsDialog(Dialog[tuple[Column, ...] | None]):
    """Answers with the columns to show; with none of them for those that fit by themselves."""

    AUTO_FOCUS = "#columns"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,x", "switch", "Show", tooltip="Show or hide this column", id="columns.switch"),
        Binding("J,shift+down", "shift(1)", "Later", tooltip="Move this column to the right", id="columns.later"),
        Binding("K,shift+up", "shift(-1)", "Earlier", tooltip="Move this column to the left", id="columns.earlier"),
        Binding("plus,greater_than_sign", "widen(2)", "Wider", tooltip="Make it wider", id="columns.wider"),
        Binding("minus,less_than_sign", "widen(-2)", "Narrower", tooltip="Make it narrower", id="columns.narrower"),
        Binding("j", "move(1)", "Down", show=False, tooltip="Next column", id="columns.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="Column before", id="columns.up"),
        Binding("r", "usual", "Usual", tooltip="Show the usual columns again", id="columns.usual"),
    ]

    def __init__(self, shown: Sequence[Column], others: Sequence[Column]) -> None:
        super().__init__("Columns", harmless=None)
        self._lines = [_Line(column, True) for column in shown] + [_Line(column, False) for column in others]

    def compose_body(self) -> ComposeResult:
        """One line for each column."""
        yield OptionList(*self._texts(), id="columns", markup=False, compact=True)
        keys = "Space shows or hides; J and K move; + and - change the width; r resets; Enter applies."
        yield Static(keys, classes="dialog-note", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deeds."""
        yield button("Cancel", "cancel")
        yield button("Reset", "usual")
        yield button("Apply", "accept", enter=True)

    def on_mount(self) -> None:
        """Begin with the first column."""
        self._show(0)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_accept()

    def action_switch(self) -> None:
        """Show or hide the column under the cursor, and go on."""
        at = self._at
        self._lines[at].on = not self._lines[at].on
        self._show(min(at + 1, len(self._lines) - 1))

    def action_shift(self, step: int) -> None:
        """Change places with the next column or the one before."""
        at, to = self._at, self._at + step
        if 0 <= to < len(self._lines):
            self._lines[at], self._lines[to] = self._lines[to], self._lines[at]
            self._show(to)

    def action_widen(self, cells: int) -> None:
        """Give the column under the cursor more or fewer cells."""
        line = self._lines[self._at]
        width = min(max(line.column.width + cells, NARROWEST), WIDEST)
        line.column = replace(line.column, width=width)
        self._show(self._at)

    def action_move(self, step: int) -> None:
        """Go to the next column or the one before."""
        self._show(min(max(self._at + step, 0), len(self._lines) - 1))

    def action_usual(self) -> None:
        """Answer with none."""
        self.dismiss(())

    def action_accept(self) -> None:
        """Answer with what is shown."""
        shown = tuple(line.column for line in self._lines if line.on)
        self.dismiss(shown or None)

    @property
    def _at(self) -> int:
        return self.query_one(OptionList).highlighted or 0

    def _show(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._texts())
        options.highlighted = at

    def _texts(self) -> list[Content]:
        return [
            Content.assemble(f"[{'x' if line.on else ' '}] {line.column.width:>3}  ", show(line.column.title))
            for line in self._lines
        ]

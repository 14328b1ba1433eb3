"""A short list to pick one from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from cloudstore_tui.ui.dialogs.dialog import Dialog, Field, Note, button
from cloudstore_tui.ui.text import show

_GAP = 2
_WIDEST = 34
"""Cells to which texts are filled up, so that the notes stand in a column."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Pick:
    """One line to pick."""

    text: str
    note: str = ""
    """What else is known of it."""

    def holds(self, words: Sequence[str]) -> bool:
        """Whether all of the words are in it."""
        known = f"{self.text} {self.note}".casefold()
        return all(word in known for word in words)


@dataclass(frozen=True, slots=True)
class Picked:
    """The answer: which of the lines, and what to do with it."""

    index: int
    deed: str = "go"


class PickDialog(Dialog[Picked | None]):
    """Shows the lines that hold what is typed; Enter picks the one under the cursor."""

    AUTO_FOCUS = "#filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", show=False, tooltip="Next line", id="pick.down"),
        Binding("up", "move(-1)", "Up", show=False, tooltip="Line before", id="pick.up"),
    ]
    HINT: ClassVar[str] = "Type to filter; Enter takes the line under the cursor."

    def __init__(self, title: str, picks: Sequence[Pick], at: int = 0, *, verb: str = "Go") -> None:
        """Ask for one of `picks`, with the cursor on the one at an index."""
        super().__init__(show(title), harmless=None)
        self._picks = tuple(picks)
        self._at = at
        self._verb = verb
        self.shown: list[int] = []
        """The lines that are shown now, by their places among all."""

    def compose_body(self) -> ComposeResult:
        """The line to filter with, the list, and what to know of it."""
        yield Field(widget_id="filter", max_length=_LONGEST)
        yield OptionList(id="picks", markup=False, compact=True)
        yield Note(self.HINT)

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button(self._verb, "take", enter=True)

    def on_mount(self) -> None:
        """Show all lines."""
        self._fill("")
        if self._at in self.shown:
            self._list.highlighted = self.shown.index(self._at)

    @on(Input.Changed)
    def filter_lines(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        self._fill(event.value)

    @on(Input.Submitted)
    def take_typed(self, event: Input.Submitted) -> None:
        """Enter in the line takes what the cursor of the list is on."""
        event.stop()
        self.action_take()

    @on(OptionList.OptionSelected)
    def take_line(self, event: OptionList.OptionSelected) -> None:
        """Enter in the list."""
        event.stop()
        self.action_take()

    def action_move(self, step: int) -> None:
        """Move the cursor of the list, wherever the focus is."""
        if step > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def action_take(self) -> None:
        """Answer with the line under the cursor."""
        self._answer("go")

    @property
    def _list(self) -> OptionList:
        return self.query_one("#picks", OptionList)

    def _answer(self, deed: str) -> None:
        at = self._list.highlighted
        if at is not None and not self.was_pasted:
            self.answer(Picked(self.shown[at], deed))

    def answer(self, picked: Picked) -> None:
        """Close with an answer."""
        self.dismiss(picked)

    def matching(self, typed: str) -> list[int]:
        """The places of the lines that hold what is typed."""
        words = typed.casefold().split()
        return [index for index, pick in enumerate(self._picks) if pick.holds(words)]

    def _fill(self, typed: str) -> None:
        shown = self.matching(typed)
        if shown == self.shown and shown:
            return
        self.shown = shown
        lines = self._list
        lines.clear_options()
        lines.add_options(lines_of([self._picks[index] for index in shown]))
        lines.highlighted = 0 if shown else None


def lines_of(picks: Sequence[Pick]) -> list[Option]:
    """The lines of a list, notes below each other."""
    width = min(max((show(pick.text, _LONGEST).cell_length for pick in picks), default=0), _WIDEST)
    return [Option(_line(pick, width)) for pick in picks]


def _line(pick: Pick, width: int) -> Content:
    text = show(pick.text, _LONGEST)
    if not pick.note:
        return text
    return text.pad_right(max(width - text.cell_length, 0) + _GAP) + show(pick.note, _LONGEST)

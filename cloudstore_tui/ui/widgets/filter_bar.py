"""The line that hides loaded entries while it is typed."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from cloudstore_tui.ui.widgets.bar_input import BarInput


class FilterBar(Horizontal):
    """Hides loaded entries while it is typed; over what is below, so that nothing moves."""

    DEFAULT_CSS = """
    FilterBar {
        overlay: screen; height: 1; width: 100%; display: none; background: $background;
        &.-open { display: block; }
        .filter-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,down", "close", "Back", id="filter.close", tooltip="Back to the entries; the filter stays"),
    ]

    @dataclass
    class Changed(Message):
        """Entries with this text are wanted."""

        text: str

    class Closed(Message):
        """The user is done typing."""

    def compose(self) -> ComposeResult:
        """Label and line."""
        yield Static("Filter", classes="filter-label", markup=False)
        yield BarInput("what any column or tag holds, in loaded rows")

    def open(self, text: str) -> None:
        """Show the bar and type into it."""
        self.add_class("-open")
        line = self.query_one(BarInput)
        with line.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        line.focus()

    def action_close(self) -> None:
        """Go back."""
        self.remove_class("-open")
        self.post_message(self.Closed())

    @on(Input.Changed)
    def pass_on(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        """Enter is done typing."""
        event.stop()
        self.action_close()

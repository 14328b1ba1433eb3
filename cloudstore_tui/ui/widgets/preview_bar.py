"""The line in which a search in a preview is typed."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from cloudstore_tui.ui.widgets.bar_input import BarInput


class PreviewBar(Horizontal):
    """Hidden until somebody searches."""

    DEFAULT_CSS = """
    PreviewBar {
        height: 1; display: none; background: $panel;
        & > Static { width: auto; color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="searching.leave", show=False, tooltip="Search nothing, go back"),
    ]

    class Asked(Message):
        """The user typed something, or went back."""

        def __init__(self, text: str | None) -> None:
            super().__init__()
            self.text = text
            """What to search; `None` for what was searched before."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._input = BarInput("text; small letters find large ones, too")

    def compose(self) -> ComposeResult:
        """A sign and a line."""
        yield Static(" / ", markup=False)
        yield self._input

    def open(self) -> None:
        """Let the user type."""
        self.display = True
        self._input.focus()

    def action_leave(self) -> None:
        """Go back to the lines."""
        self._end(None)

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        """Search."""
        event.stop()
        self._end(event.value)

    def _end(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Asked(text))

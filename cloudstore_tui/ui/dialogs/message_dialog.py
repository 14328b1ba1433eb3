"""Something to read."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show


class MessageDialog(Dialog[None]):
    """A text of any length and from anywhere, shown as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "page_down", "Read on", show=False, tooltip="Read on", id="message.down"),
        Binding("k", "page_up", "Read back", show=False, tooltip="Read back", id="message.up"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(show(title), harmless=None)
        self._text = text

    def compose_body(self) -> ComposeResult:
        """The text, one line for each of its lines."""
        yield Static(Content("\n").join(show(line) for line in self._text.split("\n")))

    def compose_buttons(self) -> ComposeResult:
        """Only one way out."""
        yield button("Close", "cancel")

"""The filter behind a search, as the service got it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.dialogs.dialog import Dialog, Note, button
from cloudstore_tui.ui.text import plain, show

_LONGEST = 5_000


class FiqlDialog(Dialog[None]):
    """Shows the FIQL that was sent, and copies it when asked."""

    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", tooltip="Copy the FIQL to your terminal's clipboard", id="fiql.copy"),
    ]

    def __init__(self, filter_: str, where: str, local: str = "") -> None:
        """Show a filter that was sent to a place, and what else rows were searched for."""
        super().__init__("FIQL of this search", harmless=None)
        self._filter = filter_
        self._where = where
        self._local = local

    def compose_body(self) -> ComposeResult:
        """The filter, where it was sent, and what it does not say."""
        yield Static(show(self._filter or "no filter: everything that is available", _LONGEST), id="filter")
        yield Note(plain(f"Sent to {self._where}."))
        if self._local:
            yield Note(plain(f"Looked for in the loaded rows: {self._local}."))
        yield Note(widget_id="copied")

    def compose_buttons(self) -> ComposeResult:
        """Close, copy."""
        yield button("Close", "cancel")
        yield button("Copy", "copy")

    def action_copy(self) -> None:
        """Copy the filter."""
        self.query_one("#copied", Note).say(copy_text(self.app, self._filter))

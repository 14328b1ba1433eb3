"""A question that is answered by yes or no."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from cloudstore_tui.ui.dialogs.dialog import Dialog, button


class QuestionDialog(Dialog[bool]):
    """Yes or no; Escape and the button that has the focus at first say no."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", tooltip="Do it", id="dialog.yes"),
        Binding("n", "no", "No", tooltip="Do not do it", id="dialog.no"),
    ]

    def __init__(self, title: Content | str, yes: str, no: str = "Cancel") -> None:
        super().__init__(title, harmless=False)
        self._yes = yes
        self._no = no

    def compose_buttons(self) -> ComposeResult:
        """No, then yes."""
        yield button(f"{self._no} (n)", "no")
        yield button(f"{self._yes} (y)", "yes")

    def action_no(self) -> None:
        """Answer no."""
        self.dismiss(False)

    def action_yes(self) -> None:
        """Answer yes, unless it may have been pasted."""
        if not self.was_pasted:
            self.dismiss(True)

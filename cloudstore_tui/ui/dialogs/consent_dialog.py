"""Whether to do something that is not quite as expected."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.ui.dialogs.question_dialog import QuestionDialog
from cloudstore_tui.ui.text import show

MOST_LINES = 6
"""Lines shown; the rest is counted."""


class ConsentDialog(QuestionDialog):
    """A question with its reasons, one a line; they may be remote text."""

    def __init__(self, title: str, reasons: Sequence[str], yes: str) -> None:
        super().__init__(title, yes=yes)
        self._reasons = tuple(reasons)

    def compose_body(self) -> ComposeResult:
        """The reasons."""
        for reason in self._reasons[:MOST_LINES]:
            yield Static(Content("  ") + show(reason))
        if len(self._reasons) > MOST_LINES:
            yield Static(Content(f"  and {len(self._reasons) - MOST_LINES:,} more"), classes="dialog-note")

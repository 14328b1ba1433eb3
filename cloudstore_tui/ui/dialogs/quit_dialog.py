"""Whether to leave while something still runs."""

from textual.app import ComposeResult
from textual.widgets import Static

from cloudstore_tui.ui.dialogs.question_dialog import QuestionDialog


class QuitDialog(QuestionDialog):
    """Asks before transfers are stopped."""

    def __init__(self, running: int) -> None:
        what = "1 transfer is" if running == 1 else f"{running:,} transfers are"
        super().__init__(f"Quit while {what} running?", yes="Stop and quit", no="Stay")

    def compose_body(self) -> ComposeResult:
        """What quitting does to them."""
        yield Static("Quitting stops them. Half a file is never left under its final name.", classes="dialog-note")

"""Whether to empty a queue of zip jobs that others use, too."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from cloudstore_tui.ui.dialogs.dialog import Field, Note, QuestionDialog
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show


class ClearZipsDialog(QuestionDialog):
    """Wants the number of jobs typed: the service cannot tell ours from those of others."""

    AUTO_FOCUS = "#count"

    def __init__(self, region: str, jobs: int) -> None:
        title = Content.assemble("Empty the queue of zip jobs in ", show(region), "?")
        super().__init__(title, yes="Clear")
        self._jobs = jobs

    def compose_body(self) -> ComposeResult:
        """Whom it hurts."""
        yield Static(
            f"{counted(self._jobs, 'job')} would be removed: the whole queue, also jobs of everybody else who uses the "
            "same key. Zips that are ready and not fetched are lost with it.",
            markup=False,
        )
        yield Static("This cannot be undone.", classes="dialog-error", markup=False)
        yield Note(self._order(), widget_id="hint")
        yield Field(widget_id="count", max_length=9, takes_paste=False)

    def action_yes(self) -> None:
        """Clear, if the number is there."""
        field = self.query_one("#count", Field)
        if field.value.replace(",", "").strip() == str(self._jobs):
            super().action_yes()
            return
        self.query_one(Note).say(f"Wrong number. {self._order()}")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field is the answer."""
        event.stop()
        self.action_yes()

    def on_field_refused(self) -> None:
        """Say why nothing appeared."""
        self.query_one(Note).say(f"Pasting does not count. {self._order()}")

    def _order(self) -> str:
        return f"Type {self._jobs} and Enter to remove them all:"

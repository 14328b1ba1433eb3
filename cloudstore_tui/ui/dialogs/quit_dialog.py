"""Whether to leave while something still runs."""

from textual.app import ComposeResult
from textual.widgets import Static

from cloudstore_tui.ui.dialogs.dialog import QuestionDialog
from cloudstore_tui.ui.format import counted


class QuitDialog(QuestionDialog):
    """Asks before transfers are stopped, or a deletion is left half told."""

    def __init__(self, running: int, *, keeps: bool, deleting: int = 0) -> None:
        """Make it.

        Args:
            running: transfers that the end of the program stops.
            keeps: whether they go on with the next run.
            deleting: objects that are being deleted.
        """
        super().__init__("Quit now?", yes="Quit", no="Stay")
        self._sentences: list[str] = []
        if running:
            runs, they = ("runs", "It stops") if running == 1 else ("run", "They stop")
            lost = "what arrived until now is lost"
            ends = "goes on next time" if running == 1 else "go on next time"
            self._sentences.append(
                f"{counted(running, 'transfer')} {runs}. {they} now{f' and {ends}' if keeps else f', and {lost}'}."
            )
        if deleting:
            self._sentences.append(
                f"{counted(deleting, 'object')} {'is' if deleting == 1 else 'are'} being deleted. "
                "What the service was told to delete will be gone, and you will not see what became of the rest."
            )

    def compose_body(self) -> ComposeResult:
        """What quitting does to them."""
        for sentence in self._sentences:
            yield Static(sentence, markup=False)
        yield Static("Half a file is never left under its final name.", classes="dialog-note")

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
            is_one = running == 1
            lost = f"What arrived of {'it' if is_one else 'them'} is lost."
            resumes = f"{'It' if is_one else 'They'} will resume next time."
            unfinished = f"{counted(running, 'transfer')} {'is' if is_one else 'are'} unfinished."
            self._sentences.append(f"{unfinished} {resumes if keeps else lost}")
        if deleting:
            self._sentences.append(
                f"{counted(deleting, 'object')} {'is' if deleting == 1 else 'are'} being deleted. "
                "What the service was told to delete will be gone, and you will not see what became of the rest."
            )

    def compose_body(self) -> ComposeResult:
        """What quitting does to them."""
        for sentence in self._sentences:
            yield Static(sentence, markup=False)
        yield Static("No half file is left under its final name.", classes="dialog-note")

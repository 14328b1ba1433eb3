"""Whether to cancel transfers."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show


class CancelDialog(Dialog[bool]):
    """Says what is lost by it. No letter answers: what was typed for the list does no harm."""

    AUTO_FOCUS = "#cancel"

    def __init__(self, name: str, count: int, here: int, *, verb: str = "Cancel") -> None:
        """Ask about transfers: the name of the only one, how many there are, and the bytes of them that are here."""
        what = show(name, 60) if name else Content(counted(count, "transfer"))
        super().__init__(Content.assemble(f"{verb} ", what, "?"), harmless=False)
        self._verb, self._it = verb, "it" if count == 1 else "them"
        self._here = here

    def compose_body(self) -> ComposeResult:
        """What goes."""
        lost = f"What arrived is deleted: {words.size(self._here)}." if self._here else "Nothing has arrived yet."
        yield Static(f"{lost} Finished files stay.", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Keep, then cancel."""
        yield button(f"Keep {self._it}", "cancel")
        yield button(f"{self._verb} {self._it}", "accept")

    def action_accept(self) -> None:
        """Answer yes, unless it may have been pasted."""
        if not self.was_pasted:
            self.dismiss(True)

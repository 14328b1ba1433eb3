"""The frame of dialogs with a line that Tab completes."""

from typing import Generic, TypeVar

from textual import on

from cloudstore_tui.ui.dialogs.candidates import Candidates
from cloudstore_tui.ui.dialogs.completing_field import CompletingField
from cloudstore_tui.ui.dialogs.dialog import Dialog

Answer = TypeVar("Answer")


class CompletingDialog(Dialog[Answer], Generic[Answer]):
    """A dialog that holds one `CompletingField` and the `Candidates` below it."""

    @on(CompletingField.Completed)
    def offer_candidates(self, event: CompletingField.Completed) -> None:
        """Show what could follow."""
        event.stop()
        self.query_one(Candidates).offer(event.candidates)

"""Whether to forget transfers that an earlier run left behind."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.transfers.model import TransferSnapshot
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import QuestionDialog
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.transfer_text import state_text, title_text

NAMES = 5
"""Transfers shown; the rest is counted."""


class DropDialog(QuestionDialog):
    """Says what is lost by it."""

    def __init__(self, transfers: Sequence[TransferSnapshot]) -> None:
        super().__init__(f"Drop {counted(len(transfers), 'unfinished transfer')}?", yes="Drop", no="Keep")
        self._transfers = tuple(transfers)

    def compose_body(self) -> ComposeResult:
        """Which ones, and how far they were."""
        for transfer in self._transfers[:NAMES]:
            state = Content.styled("  ", "$text-muted") + show(state_text(transfer)).stylize("$text-muted")
            yield Static(Content("  ") + show(title_text(transfer)) + state)
        if len(self._transfers) > NAMES:
            yield Static(Content(f"  and {len(self._transfers) - NAMES:,} more"), classes="dialog-note")
        here = sum(transfer.done for transfer in self._transfers)
        yield Static(f"What arrived of them is deleted: {words.size(here)}.", classes="dialog-note", markup=False)

"""What to do with transfers that an earlier run left behind."""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.transfers.model import TransferSnapshot
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.transfer_text import state_text, title_text

NAMES = 5
"""Transfers shown; the rest is counted."""


class Remains(StrEnum):
    """What becomes of them."""

    RESUME = "resume"
    KEEP = "keep"
    DROP = "drop"


class InterruptedDialog(Dialog[Remains]):
    """Asks once for all of them. Escape keeps them for another time."""

    AUTO_FOCUS = "#resume"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Resume", tooltip="Go on with them now", id="interrupted.resume"),
        Binding("k", "cancel", "Keep", tooltip="Leave them for another time", id="interrupted.keep"),
        Binding("d", "drop", "Drop", tooltip="Forget them and remove what arrived of them", id="interrupted.drop"),
    ]

    def __init__(self, transfers: Sequence[TransferSnapshot]) -> None:
        what = "1 interrupted transfer" if len(transfers) == 1 else f"{len(transfers):,} interrupted transfers"
        super().__init__(f"{what}: resume, keep, drop?", harmless=Remains.KEEP)
        self._transfers = tuple(transfers)

    def compose_body(self) -> ComposeResult:
        """Which ones, and how far they were."""
        for transfer in self._transfers[:NAMES]:
            state = Content.styled("  ", "$text-muted") + show(state_text(transfer)).stylize("$text-muted")
            yield Static(Content("  ") + show(title_text(transfer)) + state)
        if len(self._transfers) > NAMES:
            yield Static(Content(f"  and {len(self._transfers) - NAMES:,} more"), classes="dialog-note")
        yield Static(
            "Those you keep are on the transfers screen. Dropping removes what arrived of them.", classes="dialog-note"
        )

    def compose_buttons(self) -> ComposeResult:
        """From harmless to not."""
        yield button("Keep (k)", "cancel")
        yield button("Resume (r)", "resume")
        yield button("Drop (d)", "drop")

    def action_resume(self) -> None:
        """Go on with them, unless the key may have been pasted."""
        if not self.was_pasted:
            self.dismiss(Remains.RESUME)

    def action_drop(self) -> None:
        """Forget them, unless the key may have been pasted."""
        if not self.was_pasted:
            self.dismiss(Remains.DROP)

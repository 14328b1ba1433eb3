"""What to do with local files that are in the way."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show

NAMES = 5
"""Names shown; the rest is counted."""


class ConflictDialog(Dialog[OnConflict | None]):
    """Asks once for all files of one download."""

    AUTO_FOCUS = "#skip"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "skip", "Skip", tooltip="Keep what is there, download the others", id="conflict.skip"),
        Binding("o", "overwrite", "Overwrite", tooltip="Replace what is there", id="conflict.overwrite"),
        Binding("b", "keep_both", "Keep both", tooltip="Give the new files other names", id="conflict.keep_both"),
    ]

    def __init__(self, names: Sequence[str]) -> None:
        what = "1 file is" if len(names) == 1 else f"{len(names):,} files are"
        super().__init__(f"{what} already there", harmless=None)
        self._names = tuple(names)

    def compose_body(self) -> ComposeResult:
        """Which ones."""
        for name in self._names[:NAMES]:
            yield Static(Content("  ") + show(name))
        if len(self._names) > NAMES:
            yield Static(Content(f"  and {len(self._names) - NAMES:,} more"), classes="dialog-note")
        yield Static("A file with the right content counts as done in any case.", classes="dialog-note")

    def compose_buttons(self) -> ComposeResult:
        """From harmless to not."""
        yield button("Cancel", "cancel")
        yield button("Skip (s)", "skip")
        yield button("Keep both (b)", "keep_both")
        yield button("Overwrite (o)", "overwrite")

    def action_skip(self) -> None:
        """Leave those files as they are."""
        self.dismiss(OnConflict.SKIP)

    def action_keep_both(self) -> None:
        """Give the new ones other names."""
        self.dismiss(OnConflict.KEEP_BOTH)

    def action_overwrite(self) -> None:
        """Replace them, unless the key may have been pasted."""
        if not self.was_pasted:
            self.dismiss(OnConflict.OVERWRITE)

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
    """Asks once for all files of one download or upload."""

    AUTO_FOCUS = "#skip"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "skip", "Skip", tooltip="Keep what is there, transfer the others", id="conflict.skip"),
        Binding("o", "overwrite", "Replace", tooltip="Replace what is there", id="conflict.overwrite"),
        Binding("b", "keep_both", "Keep both", tooltip="Give the new files other names", id="conflict.keep_both"),
    ]

    def __init__(self, names: Sequence[str], *, uploads: bool = False) -> None:
        """Ask about files of these names; of an upload none is kept beside another one."""
        what = "1 file is" if len(names) == 1 else f"{len(names):,} files are"
        super().__init__(f"{what} already there", harmless=None)
        self._names = tuple(names)
        self._uploads = uploads

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done."""
        return super().check_action(action, parameters) and not (self._uploads and action == "keep_both")

    def compose_body(self) -> ComposeResult:
        """Which ones."""
        for name in self._names[:NAMES]:
            yield Static(Content("  ") + show(name))
        if len(self._names) > NAMES:
            yield Static(Content(f"  and {len(self._names) - NAMES:,} more"), classes="dialog-note")
        if not self._uploads:
            yield Static("Identical files are skipped anyway.", classes="dialog-note")

    def compose_buttons(self) -> ComposeResult:
        """From harmless to not."""
        yield button("Cancel", "cancel")
        yield button("Skip", "skip")
        if not self._uploads:
            yield button("Keep both", "keep_both")
        yield button("Replace", "overwrite")

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

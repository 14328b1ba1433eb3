"""What to do with files that are in the way."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.downloads import Conflict, Side
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.transfer_text import moment_text

NAMES = 5
"""Files shown; the rest is counted."""


class ConflictDialog(Dialog[OnConflict | None]):
    """Asks once for all files of one download or upload; shows how the two differ."""

    AUTO_FOCUS = "#skip"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "skip", "Skip", show=False, tooltip="Keep what is there", id="conflict.skip"),
        Binding("k", "keep_both", "Keep both", tooltip="Give the new files other names", id="conflict.keep_both"),
        Binding("o", "overwrite", "Replace", tooltip="Replace what is there", id="conflict.overwrite"),
    ]

    def __init__(
        self, conflicts: Sequence[Conflict], place: str, zone: tzinfo = UTC, *, count: int = 0, uploads: bool = False
    ) -> None:
        """Ask about files, of which these are known; of an upload none is kept beside another one."""
        count = max(count, len(conflicts))
        what = "This file is" if count == 1 else f"{count:,} files are"
        super().__init__(Content.assemble(f"{what} already in ", show(place, 60)), harmless=None)
        self._conflicts = tuple(conflicts)
        self._count = count
        self._zone = zone
        self._uploads = uploads

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done."""
        return super().check_action(action, parameters) and not (self._uploads and action == "keep_both")

    def compose_body(self) -> ComposeResult:
        """Both sides of one; of several a line each."""
        send = "To send" if self._uploads else "To fetch"
        if self._count == 1:
            (only,) = self._conflicts
            yield Static(show(only.title), classes="dialog-line")
            if only.name != only.title:
                yield Static(show(only.name), classes="dialog-line dialog-note")
            yield Static("")
            same = "   the same" if only.is_same else ""
            yield Static(Content(f"There      {self._side(only.there)}{same}"), classes="dialog-line")
            yield Static(Content(f"{send:<9}  {self._side(only.new)}"), classes="dialog-line")
            return
        for conflict in self._conflicts[:NAMES]:
            yield Static(show(conflict.title), classes="dialog-line")
            sides = f"  There {self._brief(conflict.there)} · {send.lower()} {self._brief(conflict.new)}"
            yield Static(Content(sides), classes="dialog-line dialog-note")
        if self._count > NAMES:
            yield Static(Content(f"and {self._count - min(NAMES, len(self._conflicts)):,} more"), classes="dialog-note")

    def _side(self, side: Side) -> str:
        size = counted(side.size, "byte") if side.size is not None and side.size_exact else _size_of(side)
        md5 = f"md5 {side.md5[:8]}…" if side.md5 else ""
        return f"{size:>17}   {moment_text(side.when, self._zone):>12}   {md5}".rstrip()

    def _brief(self, side: Side) -> str:
        return f"{_size_of(side)}, {moment_text(side.when, self._zone)}"

    def compose_buttons(self) -> ComposeResult:
        """From harmless to not; Enter skips."""
        yield button("Cancel", "cancel")
        if not self._uploads:
            yield button("Keep both", "keep_both")
        yield button("Replace", "overwrite")
        yield button("Skip", "skip", enter=True)

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


def _size_of(side: Side) -> str:
    return words.size(side.size, exact=side.size_exact) or "unknown size"

"""Whether to ask for archived objects, and for how long."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, Field, Note, button
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show

DAYS = range(1, 11)
USUAL = 7
NAMES = 5
"""Names shown; the rest is counted."""

_ORDER = "Keep for how many days? (1–10)"


class RestoreDialog(Dialog[int | None]):
    """Answers with the days; `None` asks for nothing."""

    AUTO_FOCUS = "#days"

    def __init__(self, entries: Sequence[StoredObject], others: int = 0) -> None:
        """Take the objects, and how many were left out because they are not archived."""
        self._entries = entries
        self._others = others
        profile = entries[0].location.profile if entries else ""
        title = Content.assemble(f"Restore {counted(len(entries), 'object')} of ", show(profile), "?")
        super().__init__(title, harmless=None)

    def compose_body(self) -> ComposeResult:
        """How many, how much, which, for how long."""
        sizes = [entry.size for entry in self._entries if entry.size is not None]
        size = f"{words.size(sum(sizes))}. " if sizes else ""
        yield Static(Content(f"{size}They come back within hours, up to a day, as copies that go again."))
        for entry in self._entries[:NAMES]:
            yield Static(Content("  ") + show(entry.name), classes="dialog-name")
        if len(self._entries) > NAMES:
            yield Static(Content(f"  and {len(self._entries) - NAMES:,} more"), classes="dialog-note")
        if self._others:
            verb = "is" if self._others == 1 else "are"
            text = f"{counted(self._others, 'object')} {verb} not archived and left out."
            yield Static(text, classes="dialog-note", markup=False)
        yield Note(_ORDER, widget_id="hint")
        yield Field(str(USUAL), widget_id="days", max_length=2)

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Restore", "restore", enter=True)

    @on(Input.Submitted)
    def take_days(self, event: Input.Submitted) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_restore()

    def action_restore(self) -> None:
        """Answer with the days, if they are any that the service knows."""
        text = self.query_one("#days", Field).value.strip()
        if self.was_pasted:
            return
        if text.isascii() and text.isdigit() and int(text) in DAYS:
            self.dismiss(int(text))
        else:
            self.query_one("#hint", Note).say(f"That is no number of days. {_ORDER}")
            self.query_one("#days").focus()

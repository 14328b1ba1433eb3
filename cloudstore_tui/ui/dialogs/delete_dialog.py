"""Whether to delete objects for good."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Field, Note, QuestionDialog
from cloudstore_tui.ui.text import show

TYPED_ABOVE = 1
"""More objects than this, and a single key is too little: their number has to be typed."""

NAMES = 5
"""Names shown; the rest is counted."""


class DeleteDialog(QuestionDialog):
    """Shows what would be deleted, and wants the number typed when it is more than one."""

    DANGER = True

    def __init__(self, entries: Sequence[StoredObject], zone: tzinfo = UTC) -> None:
        self._entries = entries
        self._zone = zone
        self._typed = len(entries) > TYPED_ABOVE
        profile = entries[0].location.profile if entries else ""
        title = Content.assemble(Content(f"Delete {_objects(len(entries))} of "), show(profile), Content("?"))
        super().__init__(title, yes="Delete")

    def compose_body(self) -> ComposeResult:
        """How many, how much, how old, which."""
        yield Static(Content(self._summary()))
        for entry in self._entries[:NAMES]:
            yield Static(Content("  ") + show(entry.name), classes="dialog-name")
        if len(self._entries) > NAMES:
            yield Static(Content(f"  and {len(self._entries) - NAMES:,} more"), classes="dialog-note")
        yield Static(Content("This cannot be undone."), classes="dialog-error")
        if self._typed:
            yield Note(self._order(), widget_id="hint")
            yield Field(widget_id="count", max_length=9, takes_paste=False)

    def on_mount(self) -> None:
        """Let the number be typed at once; a cancelling button has the focus otherwise."""
        if self._typed:
            self.query_one("#count").focus()

    def action_yes(self) -> None:
        """Delete, if the number is there where it is asked for."""
        if not self._typed:
            super().action_yes()
            return
        field = self.query_one("#count", Field)
        text = field.value.replace(",", "").strip()
        if text == str(len(self._entries)):
            super().action_yes()
            return
        self.query_one(Note).say(f"Wrong number. {self._order()}")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field is the answer."""
        event.stop()
        self.action_yes()

    def on_field_refused(self) -> None:
        """Say why nothing appeared."""
        self.query_one(Note).say(f"Pasting does not count. {self._order()}")

    def _order(self) -> str:
        return f"Type {len(self._entries)} and Enter to delete them all:"

    def _summary(self) -> str:
        sizes = [entry.size for entry in self._entries if entry.size is not None]
        exact = all(entry.size_exact for entry in self._entries if entry.size is not None)
        unknown = len(self._entries) - len(sizes)
        parts = [words.size(sum(sizes), exact=exact)] if sizes else []
        if unknown:
            parts.append(f"{_objects(unknown)} of unknown size")
        moments = [moment for moment in map(_moment, self._entries) if moment is not None]
        if moments:
            oldest, newest = (words.time(moment, self._zone) for moment in (min(moments), max(moments)))
            zone = words.full_time(max(moments), self._zone)[19:]
            parts.append(f"from {oldest}{zone}" if oldest == newest else f"oldest {oldest}, newest {newest}{zone}")
        return ", ".join(parts)


def _moment(entry: StoredObject) -> datetime | None:
    moment = entry.created or entry.modified or entry.updated
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _objects(number: int) -> str:
    return "1 object" if number == 1 else f"{number:,} objects"

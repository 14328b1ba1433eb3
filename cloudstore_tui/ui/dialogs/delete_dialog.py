"""Whether to delete objects for good."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Field, Note, QuestionDialog, button
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.transfer_text import elide, moment_text

TYPED_ABOVE = 1
"""More objects than this, and a single key is too little: their number has to be typed."""
NAMES = 500
"""Names that can be read; the rest is counted."""
_SIZE, _NAME, _WHEN = 10, 42, 14
"""Cells of the columns."""


class DeleteDialog(QuestionDialog):
    """Names what would be deleted and from where, and wants the number typed when it is more than one."""

    DANGER = True
    DEFAULT_CSS = """
    DeleteDialog {
        .names { height: auto; max-height: 5; scrollbar-size-vertical: 1; }
        &.-flat .names, &.-tiny .names { max-height: 2; }
        &.-tall .names { max-height: 16; }
        .from { margin-top: 1; }
        #confirm { height: 1; margin-top: 1; }
        #confirm Label, #confirm #order { width: auto; }
        #count { width: 12; }
    }
    """

    def __init__(self, entries: Sequence[StoredObject], zone: tzinfo = UTC) -> None:
        self._entries = entries
        self._zone = zone
        self._typed = len(entries) > TYPED_ABOVE
        files = counted(len(entries), "file")
        super().__init__(
            f"Delete {files} for good?", yes=f"Delete {files}", no="Keep them" if self._typed else "Keep it"
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where a number is typed, no letter answers."""
        if self._typed and action == "yes":
            return False
        return super().check_action(action, parameters)

    def compose_body(self) -> ComposeResult:
        """Each of them with its size and age, how much that is, and from where."""
        with VerticalScroll(classes="names", can_focus=False):
            for entry in self._entries[:NAMES]:
                yield Static(self._line(entry), classes="dialog-line dialog-name")
            if len(self._entries) > NAMES:
                yield Static(Content(f"and {len(self._entries) - NAMES:,} more"), classes="dialog-note")
        if self._typed:
            yield Static(Content(self._summary()), classes="dialog-note")
        yield Static(Content.assemble("From    ", show(_place(self._entries), 200)), classes="dialog-line from")
        yield Static(Content("This cannot be undone."), classes="dialog-error")
        if self._typed:
            with Horizontal(id="confirm"):
                yield Static(f"Type {len(self._entries)} to confirm  ", id="order", markup=False)
                yield Field(widget_id="count", max_length=9, takes_paste=False)
            yield Note(widget_id="hint")

    def compose_buttons(self) -> ComposeResult:
        """Keep, then delete."""
        yield button(self._no, "cancel" if self._typed else "no")
        yield button(self._yes, "delete" if self._typed else "yes", enter=self._typed)

    def on_mount(self) -> None:
        """Let the number be typed at once; the harmless button has the focus otherwise."""
        if self._typed:
            self.query_one("#count").focus()

    def action_delete(self) -> None:
        """Delete, if the number is there that was asked for."""
        field = self.query_one("#count", Field)
        if field.value.replace(",", "").strip() == str(len(self._entries)):
            super().action_yes()
            return
        self.query_one(Note).say("Wrong number. Please type it." if field.value else "Type the number first.")
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field is the answer."""
        event.stop()
        self.action_delete()

    def on_field_refused(self) -> None:
        """Say why nothing appeared."""
        self.query_one(Note).say("Pasting does not count. Please type it.")

    def _line(self, entry: StoredObject) -> Content:
        name = set_cell_size(elide(plain(entry.name), _NAME), _NAME)
        when = moment_text(_moment(entry), self._zone)
        return Content(f"{words.size(entry.size, exact=entry.size_exact):<{_SIZE}}{name}  {when:>{_WHEN}}")

    def _summary(self) -> str:
        sizes = [entry.size for entry in self._entries if entry.size is not None]
        exact = all(entry.size_exact for entry in self._entries if entry.size is not None)
        unknown = len(self._entries) - len(sizes)
        parts = [f"{words.size(sum(sizes), exact=exact)} in all"] if sizes else []
        if unknown:
            parts.append(f"{unknown:,} of unknown size")
        moments = [moment for moment in map(_moment, self._entries) if moment is not None]
        if moments:
            oldest, newest = (words.time(moment, self._zone) for moment in (min(moments), max(moments)))
            zone = words.full_time(max(moments), self._zone)[19:]
            parts.append(f"from {oldest}{zone}" if oldest == newest else f"oldest {oldest}, newest {newest}{zone}")
        return ", ".join(parts)


def _moment(entry: StoredObject) -> datetime | None:
    moment = entry.created or entry.modified or entry.updated
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _place(entries: Sequence[StoredObject]) -> str:
    """The folder or region that all of them are in; of several how many more."""
    places = list(dict.fromkeys(entry.location.address.rpartition("/")[0] + "/" for entry in entries))
    return f"{places[0]} and {len(places) - 1} more" if len(places) > 1 else "".join(places)

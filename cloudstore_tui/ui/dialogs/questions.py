"""Questions before something is cancelled, deleted or restored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.deletions import TYPED_ABOVE
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, QuestionDialog, more_lines
from cloudstore_tui.ui.format import counted, moment_text
from cloudstore_tui.ui.text import cell, show
from cloudstore_tui.ui.transfer_text import object_title
from cloudstore_tui.ui.widgets.fields import Field, Note


class CancelDialog(Dialog[bool]):
    """Says what would be lost. No letter confirms, so keys typed for the list do no harm."""

    AUTO_FOCUS = "#cancel"

    def __init__(self, name: str, count: int, here: int, *, verb: str = "Cancel") -> None:
        """Ask about `count` transfers, of which `here` bytes have arrived; `name` is the title of a single one."""
        what = show(name, 60) if name else Content(counted(count, "transfer"))
        super().__init__(Content.assemble(f"{verb} ", what, "?"), harmless=False)
        self._verb, self._it = verb, "it" if count == 1 else "them"
        self._here = here

    def compose_body(self) -> ComposeResult:
        lost = f"What arrived is deleted: {words.size(self._here)}." if self._here else "Nothing has arrived yet."
        yield Static(f"{lost} Finished files stay.", markup=False)

    @property
    def buttons(self) -> Mapping[str, str]:
        return {"cancel": f"Keep {self._it}", "accept": f"{self._verb} {self._it}"}

    def action_accept(self) -> None:
        self.answer(True)


class QuitDialog(QuestionDialog):
    """Asks before quitting stops transfers, or hides the results of a deletion."""

    def __init__(self, running: int, *, keeps: bool, deleting: int = 0) -> None:
        """Ask whether to quit.

        Args:
            running: unfinished transfers.
            keeps: whether they resume in the next run.
            deleting: objects that are being deleted.
        """
        super().__init__("Quit now?", yes="Quit", no="Stay")
        self._sentences: list[str] = []
        if running:
            is_one = running == 1
            lost = f"What arrived of {'it' if is_one else 'them'} is lost."
            resumes = f"{'It' if is_one else 'They'} will resume next time."
            unfinished = f"{counted(running, 'transfer')} {'is' if is_one else 'are'} unfinished."
            self._sentences.append(f"{unfinished} {resumes if keeps else lost}")
        if deleting:
            self._sentences.append(
                f"{counted(deleting, 'object')} {'is' if deleting == 1 else 'are'} being deleted. "
                "What the service was told to delete will be gone, and you will not see what became of the rest."
            )

    def compose_body(self) -> ComposeResult:
        for sentence in self._sentences:
            yield Static(sentence, markup=False)


class NumberQuestion(QuestionDialog):
    """A question that can ask for a number to be typed, so that neither a letter nor a paste confirms it."""

    DANGER = True
    NEED_BUTTON = frozenset({"yes"})
    ENTER = "confirm"
    DEFAULT_CSS = """
    NumberQuestion {
        #number { height: 1; margin-top: 1; }
        #number #order { width: auto; }
        #count { width: 12; }
    }
    """

    def __init__(self, title: Content | str, yes: str, no: str = "Cancel", *, number: int | None = None) -> None:
        """Ask a question; if `number` is given, it must be typed."""
        super().__init__(title, yes, no)
        self._number = number

    def compose_number(self) -> ComposeResult:
        """The field for the number, if one must be typed."""
        if self._number is not None:
            with Horizontal(id="number"):
                yield Static(f"Type {self._number} to confirm  ", id="order", markup=False)
                yield Field(widget_id="count", max_length=9, takes_paste=False)
            yield Note(widget_id="hint")

    @property
    def buttons(self) -> Mapping[str, str]:
        return {"cancel": self._no, "yes" if self._number is None else "confirm": self._yes}

    def on_mount(self) -> None:
        """Focus the field for the number, if there is one."""
        for field in self.query("#count"):
            field.focus()

    def action_confirm(self) -> None:
        field = self.query_one("#count", Field)
        if field.value.replace(",", "").strip() == str(self._number):
            self.action_yes()
            return
        self.query_one(Note).set_text("Wrong number. Please type it." if field.value else "Type the number first.")
        field.focus()

    def on_field_refused(self) -> None:
        self.query_one(Note).set_text("Pasting does not count. Please type it.")


MAX_DELETED = 500
"""Names listed; further ones are counted."""
_SIZE, _NAME, _WHEN = 10, 42, 14
"""Cells of the columns."""


class DeleteDialog(NumberQuestion):
    """Lists what would be deleted and from where; the number must be typed if there are several."""

    DEFAULT_CSS = """
    DeleteDialog {
        .names { height: auto; max-height: 5; scrollbar-size-vertical: 1; }
        &.-flat .names, &.-tiny .names { max-height: 2; }
        &.-tall .names { max-height: 16; }
        .from { margin-top: 1; }
    }
    """

    def __init__(self, entries: Sequence[StoredObject], zone: tzinfo = UTC) -> None:
        self._entries = entries
        self._zone = zone
        several = len(entries) > TYPED_ABOVE
        files = counted(len(entries), "file")
        super().__init__(
            f"Delete {files} for good?",
            yes=f"Delete {files}",
            no="Keep them" if several else "Keep it",
            number=len(entries) if several else None,
        )

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(classes="names", can_focus=False):
            for entry in self._entries[:MAX_DELETED]:
                yield Static(self._line(entry), classes="dialog-line")
            yield from more_lines(len(self._entries) - MAX_DELETED)
        if self._number is not None:
            yield Static(Content(self._summary()), classes="dialog-note")
        yield Static(Content.assemble("From    ", show(_place(self._entries), 200)), classes="dialog-line from")
        yield Static(Content("This cannot be undone."), classes="dialog-error")
        yield from self.compose_number()

    def _line(self, entry: StoredObject) -> Content:
        size, title = words.size(entry.size, exact=entry.size_exact), object_title(entry, self._zone)
        if title != entry.name:
            return Content(f"{size:<{_SIZE}}{cell(title, _NAME + 2 + _WHEN).rstrip()}")
        when = moment_text(_moment(entry), self._zone)
        return Content(f"{size:<{_SIZE}}{cell(title, _NAME)}  {when:>{_WHEN}}")

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
    """The folder or region of all entries; if there are several, the first, and how many more."""
    places = list(dict.fromkeys(entry.location.address.rpartition("/")[0] + "/" for entry in entries))
    return f"{places[0]} and {len(places) - 1} more" if len(places) > 1 else "".join(places)


class ClearZipsDialog(NumberQuestion):
    """The number of jobs must be typed: the service cannot tell ours from those of others."""

    def __init__(self, region: str, jobs: int) -> None:
        title = Content.assemble("Empty the queue of zip jobs in ", show(region), "?")
        super().__init__(title, yes="Clear", number=jobs)
        self._jobs = jobs

    def compose_body(self) -> ComposeResult:
        yield Static(
            f"{counted(self._jobs, 'job')} would be removed: the whole queue, also jobs of everybody else who uses the "
            "same key. Zips that are ready and not fetched are lost with it.",
            markup=False,
        )
        yield Static("This cannot be undone.", classes="dialog-error", markup=False)
        yield from self.compose_number()


RESTORE_DAYS = range(1, 11)
USUAL_DAYS = 7
MAX_NAMED = 5
"""Names shown; further ones are counted."""

_ASK_DAYS = "Keep for how many days? (1–10)"


class RestoreDialog(Dialog[int | None]):
    """Asks how many days restored copies are kept; `None` requests nothing."""

    AUTO_FOCUS = "#days"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "restore": "Restore"}
    ENTER = "restore"
    DEFAULT_CSS = """
    RestoreDialog {
        &.-high #hint, &.-tall #hint { margin-top: 1; }
    }
    """

    def __init__(self, entries: Sequence[StoredObject], others: int = 0, zone: tzinfo = UTC) -> None:
        """Ask about objects; `others` counts those left out because they are not archived."""
        self._entries = entries
        self._others = others
        self._zone = zone
        profile = entries[0].location.profile if entries else ""
        title = Content.assemble(f"Restore {counted(len(entries), 'file')} of ", show(profile), "?")
        super().__init__(title, harmless=None)

    def compose_body(self) -> ComposeResult:
        total = words.total_size(self._entries)
        size = f"{total}. " if total else ""
        yield Static(Content(f"{size}Restored copies appear within 24 hours and are temporary."))
        for entry in self._entries[:MAX_NAMED]:
            yield Static(Content("  ") + show(object_title(entry, self._zone)))
        yield from more_lines(len(self._entries) - MAX_NAMED)
        if self._others:
            verb = "is" if self._others == 1 else "are"
            text = f"{counted(self._others, 'file')} {verb} not archived and left out."
            yield Static(text, classes="dialog-note", markup=False)
        yield Note(_ASK_DAYS, widget_id="hint")
        yield Field(str(USUAL_DAYS), widget_id="days", max_length=2)

    def action_restore(self) -> None:
        text = self.query_one("#days", Field).value.strip()
        if text.isascii() and text.isdigit() and int(text) in RESTORE_DAYS:
            self.answer(int(text))
        else:
            self.query_one("#hint", Note).set_text(f"Not a number of days. {_ASK_DAYS}")
            self.query_one("#days").focus()

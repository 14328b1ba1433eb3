"""Dialogs about downloads: how to fetch, what to do with existing files, and the zip jobs of the service."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.fiql.measures import rough_duration
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, DialogList, KeyButton, more_lines
from cloudstore_tui.ui.downloads import Conflict, FetchAnswer, FetchOffer, Side
from cloudstore_tui.ui.format import counted, moment_text
from cloudstore_tui.ui.text import home_path, shorten, show
from cloudstore_tui.ui.widgets.fields import Note


class ProgressDialog(Dialog[bool]):
    """Shows the progress of work before a question; answers whether it was completed.

    Its button gets no focus, as Enter may have been typed for the question.
    """

    AUTO_FOCUS = ""
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Stop"}

    def __init__(self, doing: str) -> None:
        super().__init__(show(doing, 60), harmless=False)
        self._text = "No files so far."
        self.has_ended = False

    def compose_body(self) -> ComposeResult:
        yield Note(self._text, widget_id="done")

    def on_mount(self) -> None:
        self.query_one(KeyButton).can_focus = False

    def show(self, text: str) -> None:
        self._text = text
        if self.is_mounted:
            self.query_one("#done", Note).set_text(text)

    def end(self) -> None:
        """Close now, or once this dialog is on top."""
        self.has_ended = True
        if self.is_mounted:
            self.dismiss(True)

    def on_screen_resume(self) -> None:
        if self.has_ended:
            self.dismiss(True)


class FetchDialog(Dialog[FetchAnswer | None]):
    """Shows size, time and target of a download; Enter starts it in the proposed way."""

    AUTO_FOCUS = "#start"
    ENTER = "start"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "direct", "One by one", show=False, tooltip="Download one by one", id="fetch.direct"),
        Binding("z", "zip", "As zips", show=False, tooltip="Have the service pack zips", id="fetch.zip"),
        Binding("D", "elsewhere", "Another folder", tooltip="Name another folder", id="fetch.elsewhere"),
    ]

    def __init__(self, offer: FetchOffer) -> None:
        as_zips = " as zips" if offer.prefers_zip else ""
        super().__init__(Content.assemble("Fetch ", show(offer.what, 60), f"{as_zips}?"), harmless=None)
        self._offer = offer

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("zip", "direct"):
            return self._offer.zips > 0
        return super().check_action(action, parameters)

    def compose_body(self) -> ComposeResult:
        offer = self._offer
        jobs = f" in {counted(offer.zips, 'zip job')} of {offer.in_zip:,}" if offer.prefers_zip else ""
        seconds = offer.zip_seconds if offer.prefers_zip else offer.seconds
        yield Static(f"{offer.size}{jobs}, about {rough_duration(seconds)}.", markup=False)
        into = show(shorten(home_path(offer.folder / offer.below), 44, middle=True))
        yield Static(Content.assemble("Into      ", into, ("   D changes it", "$text-muted")), classes="dialog-line")
        if offer.free is not None:
            too_little = offer.free < offer.needed
            free = f"Disk      {words.size(offer.free)} free{', which is not enough' if too_little else ''}"
            yield Static(free, classes="dialog-error" if too_little else "", markup=False)
        if offer.coming:
            line = f"Already being fetched: {offer.coming:,} of them. They are left out."
            yield Static(f"\n{line}", markup=False)
        for note in offer.notes:
            yield Static(show(note), classes="dialog-note")

    @property
    def buttons(self) -> Mapping[str, str]:
        """Cancel, the alternative, then the proposed way."""
        zips = counted(self._offer.zips, "zip")
        if self._offer.zips and self._offer.prefers_zip:
            return {"cancel": "Cancel", "direct": "One by one", "start": f"Start {zips}"}
        other = {"zip": f"As {zips}"} if self._offer.zips else {}
        return {"cancel": "Cancel", **other, "start": "Start"}

    def action_start(self) -> None:
        self.answer(FetchAnswer.ZIP if self._offer.prefers_zip else FetchAnswer.DIRECT)

    def action_zip(self) -> None:
        self.answer(FetchAnswer.ZIP)

    def action_direct(self) -> None:
        self.answer(FetchAnswer.DIRECT)

    def action_elsewhere(self) -> None:
        self.answer(FetchAnswer.ELSEWHERE)


MAX_CONFLICTS = 5
"""Files shown; further ones are counted."""


class ConflictDialog(Dialog[OnConflict | None]):
    """Asks once for all files of a transfer that exist already; shows how they differ."""

    AUTO_FOCUS = "#skip"
    NEED_BUTTON = frozenset({"keep_both"})
    ENTER = "skip"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "skip", "Skip", show=False, tooltip="Keep what is there", id="conflict.skip"),
        Binding("k", "keep_both", "Keep both", tooltip="Give the new files other names", id="conflict.keep_both"),
        Binding("o", "overwrite", "Replace", tooltip="Replace what is there", id="conflict.overwrite"),
    ]

    def __init__(
        self, conflicts: Sequence[Conflict], place: str, zone: tzinfo = UTC, *, count: int = 0, uploads: bool = False
    ) -> None:
        """Ask about `count` files, some of which are in `conflicts`; uploads cannot keep both."""
        count = max(count, len(conflicts))
        what = "This file is" if count == 1 else f"{count:,} files are"
        super().__init__(Content.assemble(f"{what} already in ", show(place, 60)), harmless=None)
        self._conflicts = tuple(conflicts)
        self._count = count
        self._zone = zone
        self._uploads = uploads

    def compose_body(self) -> ComposeResult:
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
        for conflict in self._conflicts[:MAX_CONFLICTS]:
            yield Static(show(conflict.title), classes="dialog-line")
            sides = f"  There {self._brief(conflict.there)} · {send.lower()} {self._brief(conflict.new)}"
            yield Static(Content(sides), classes="dialog-line dialog-note")
        yield from more_lines(self._count - min(MAX_CONFLICTS, len(self._conflicts)))

    def _side(self, side: Side) -> str:
        size = counted(side.size, "byte") if side.size is not None and side.size_exact else _size_of(side)
        md5 = f"md5 {side.md5[:8]}…" if side.md5 else ""
        return f"{size:>17}   {moment_text(side.when, self._zone):>12}   {md5}".rstrip()

    def _brief(self, side: Side) -> str:
        return f"{_size_of(side)}, {moment_text(side.when, self._zone)}"

    @property
    def buttons(self) -> Mapping[str, str]:
        """Enter skips."""
        both = {} if self._uploads else {"keep_both": "Keep both"}
        return {"cancel": "Cancel", **both, "overwrite": "Replace", "skip": "Skip"}

    def action_skip(self) -> None:
        self.dismiss(OnConflict.SKIP)

    def action_keep_both(self) -> None:
        self.dismiss(OnConflict.KEEP_BOTH)

    def action_overwrite(self) -> None:
        self.answer(OnConflict.OVERWRITE)


def _size_of(side: Side) -> str:
    return words.size(side.size, exact=side.size_exact) or "unknown size"


_STATUSES = {
    "NOT_STARTED": "waits",
    "IN_PROGRESS": "is being packed",
    "DONE": "ready",
    "PARTIAL_DONE": "ready, but incomplete",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
"""Statuses of the service in our words; unknown ones are shown as they are."""


class JobVerb(StrEnum):
    """What to do with zip jobs."""

    FETCH = "fetch"
    CANCEL = "cancel"
    CLEAR = "clear"
    REFRESH = "refresh"


class JobOrder(Struct, frozen=True):
    """A command of the user, and the job it is for."""

    verb: JobVerb
    job: ZipJob | None = None


class ZipJobsDialog(Dialog[JobOrder | None]):
    """Lists zip jobs with their statuses; answers with one command."""

    AUTO_FOCUS = "#jobs"
    NEED_BUTTON = frozenset({"fetch", "stop", "clear"})
    ENTER = "fetch"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "fetch", "Fetch", tooltip="Fetch this zip and open it", id="zips.fetch"),
        Binding("x", "stop", "Stop", tooltip="Cancel this job on the server", id="zips.stop"),
        Binding("C", "clear", "Clear", tooltip="Empty the whole queue, other people's jobs too", id="zips.clear"),
        Binding("r", "refresh", "Refresh", tooltip="Ask the service again", id="zips.refresh"),
    ]

    def __init__(self, region: str, jobs: Sequence[ZipJob], at: str = "") -> None:
        """Show the jobs of a region, with the cursor at the job named `at`."""
        super().__init__(Content("Zip jobs on the server, ") + show(region), harmless=None)
        self._jobs = tuple(jobs)
        self._at = at

    def compose_body(self) -> ComposeResult:
        if self._jobs:
            yield DialogList(*map(_job_line, self._jobs), widget_id="jobs")
            keys = "Enter fetches it; x stops it; C empties the queue; r asks again."
            yield Static(keys, classes="dialog-note", markup=False)
        else:
            yield Static("No zip jobs. z in a list starts one for what is marked.", markup=False)

    @property
    def buttons(self) -> Mapping[str, str]:
        orders = {"clear": "Clear", "stop": "Stop", "fetch": "Fetch"} if self._jobs else {}
        return {"cancel": "Close", **orders}

    def on_mount(self) -> None:
        if self._jobs:
            names = [job.name for job in self._jobs]
            self.query_one(OptionList).highlighted = names.index(self._at) if self._at in names else 0

    def action_fetch(self) -> None:
        self._order(JobVerb.FETCH)

    def action_stop(self) -> None:
        self._order(JobVerb.CANCEL)

    def action_clear(self) -> None:
        """Answer that the queue is to be emptied; the caller asks for confirmation."""
        self._order(JobVerb.CLEAR)

    def action_refresh(self) -> None:
        self.answer(JobOrder(JobVerb.REFRESH, self._job()))

    def _order(self, verb: JobVerb) -> None:
        if (job := self._job()) is not None:
            self.answer(JobOrder(verb, job))

    def _job(self) -> ZipJob | None:
        highlighted = self.query_one(OptionList).highlighted if self._jobs else None
        return None if highlighted is None else self._jobs[highlighted]


def _job_line(job: ZipJob) -> Content:
    count = f"  {len(job.content):,} objects" if len(job.content) > 1 else ""
    return Content.assemble(show(job.name), "  ", show(_STATUSES.get(job.status.upper(), job.status)), count)

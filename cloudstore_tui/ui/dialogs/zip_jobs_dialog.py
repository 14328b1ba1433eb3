"""The zip jobs that a service holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show

_STATUSES = {
    "NOT_STARTED": "waits",
    "IN_PROGRESS": "is being packed",
    "DONE": "ready",
    "PARTIAL_DONE": "ready, but incomplete",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
"""The service's words in ours; those that we do not know are shown as they are."""


class JobVerb(StrEnum):
    """What can be done with them."""

    FETCH = "fetch"
    CANCEL = "cancel"
    CLEAR = "clear"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What the user wants done, with which job."""

    verb: JobVerb
    job: ZipJob | None = None


class ZipJobsDialog(Dialog[JobOrder | None]):
    """Shows jobs with what the service says of them, and takes one order."""

    AUTO_FOCUS = "#jobs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "fetch", "Fetch", tooltip="Fetch this zip and open it", id="zips.fetch"),
        Binding("x", "stop", "Stop", tooltip="Let the service stop this job", id="zips.stop"),
        Binding("C", "clear", "Clear", tooltip="Empty the whole queue, also those of others", id="zips.clear"),
        Binding("r", "refresh", "Refresh", tooltip="Ask the service again", id="zips.refresh"),
        Binding("j", "move(1)", "Down", show=False, tooltip="Next job", id="zips.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="Job before", id="zips.up"),
    ]

    def __init__(self, region: str, jobs: Sequence[ZipJob], at: str = "") -> None:
        """Take the jobs of a region, and the name of the one to begin at."""
        super().__init__(Content("Zip jobs on the server, ") + show(region), harmless=None)
        self._jobs = tuple(jobs)
        self._at = at

    def compose_body(self) -> ComposeResult:
        """One line for each job."""
        if self._jobs:
            yield OptionList(*map(_line, self._jobs), id="jobs", markup=False, compact=True)
            keys = "Enter fetches it; x stops it; C empties the queue; r asks again."
            yield Static(keys, classes="dialog-note", markup=False)
        else:
            yield Static("There are none. z in a list makes one of what is marked.", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Close, then what can be done."""
        yield button("Close", "cancel")
        if self._jobs:
            yield button("Clear", "clear")
            yield button("Stop", "stop")
            yield button("Fetch", "fetch")

    def on_mount(self) -> None:
        """Begin where the user was."""
        if self._jobs:
            names = [job.name for job in self._jobs]
            self.query_one(OptionList).highlighted = names.index(self._at) if self._at in names else 0

    @on(OptionList.OptionSelected)
    def take_job(self, event: OptionList.OptionSelected) -> None:
        """Enter fetches."""
        event.stop()
        self.action_fetch()

    def action_move(self, step: int) -> None:
        """Go to the next job or the one before."""
        for options in self.query(OptionList):
            if step > 0:
                options.action_cursor_down()
            else:
                options.action_cursor_up()

    def action_fetch(self) -> None:
        """Fetch the zip under the cursor."""
        self._order(JobVerb.FETCH)

    def action_stop(self) -> None:
        """Stop the job under the cursor."""
        self._order(JobVerb.CANCEL)

    def action_clear(self) -> None:
        """Empty the queue; another question follows."""
        self._order(JobVerb.CLEAR)

    def action_refresh(self) -> None:
        """Ask the service again."""
        if not self.was_pasted:
            self.dismiss(JobOrder(JobVerb.REFRESH, self._job()))

    def _order(self, verb: JobVerb) -> None:
        job = self._job()
        if job is not None and not self.was_pasted:
            self.dismiss(JobOrder(verb, job))

    def _job(self) -> ZipJob | None:
        highlighted = self.query_one(OptionList).highlighted if self._jobs else None
        return None if highlighted is None else self._jobs[highlighted]


def _line(job: ZipJob) -> Content:
    many = f"  {len(job.content):,} objects" if len(job.content) > 1 else ""
    return Content.assemble(show(job.name), "  ", show(_STATUSES.get(job.status.upper(), job.status)), many)

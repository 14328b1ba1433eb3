"""What is wrong, and what to do, as the check-up finds it."""

from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.doctor.finding import Finding, Verdict
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.key_line import KeyLine

_STYLES = {Verdict.OK: "$text-success", Verdict.WARN: "$text-warning", Verdict.FAIL: "bold $text-error"}


class DoctorScreen(BaseScreen[None]):
    """One line for each finding, and below it what to do."""

    CSS_PATH = "doctor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", tooltip="Back to where you were", id="doctor.close"),
        Binding("r,f5", "again", "Again", tooltip="Check everything again", id="doctor.again"),
        Binding("j,down", "scroll(1)", "Down", show=False, tooltip="One line on", id="doctor.down"),
        Binding("k,up", "scroll(-1)", "Up", show=False, tooltip="One line back", id="doctor.up"),
        Binding("pagedown,space", "scroll(15)", "Further", show=False, tooltip="Read on", id="doctor.page_down"),
        Binding("pageup,b", "scroll(-15)", "Before", show=False, tooltip="Read back", id="doctor.page_up"),
    ]

    def __init__(self, examine: Callable[[], AsyncIterator[Finding]]) -> None:
        """Show what `examine` finds, each time it is asked."""
        super().__init__()
        self._examine = examine
        self.findings: list[Finding] = []

    def compose(self) -> ComposeResult:
        """What is going on, the findings, the keys."""
        yield Static("", id="title", markup=False)
        with VerticalScroll(id="findings", can_focus=False):
            yield Static("", id="lines", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Begin."""
        self.action_again()

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)

    def action_again(self) -> None:
        """Look at everything anew."""
        self.run_worker(self._look(), group="checkup", exclusive=True)

    def action_scroll(self, lines: int) -> None:
        """Move the findings."""
        self.query_one("#findings").scroll_relative(y=lines, animate=False)

    async def _look(self) -> None:
        self.findings = []
        title = self.query_one("#title", Static)
        title.update("Checking …")
        async for finding in self._examine():
            self.findings.append(finding)
            self.query_one("#lines", Static).update(Content("\n").join(map(lines_of, self.findings)))
        wrong = sum(finding.verdict is Verdict.FAIL for finding in self.findings)
        doubtful = sum(finding.verdict is Verdict.WARN for finding in self.findings)
        more = f", {doubtful} to look at" if doubtful else ""
        title.update(Content(f"Checked: {wrong or 'nothing'} wrong{more}"))


def lines_of(finding: Finding) -> Content:
    """The finding, and below it what to do."""
    title = f"{finding.subject} {finding.title}".strip()
    verdict = Content.styled(f"{finding.verdict:4}", _STYLES.get(finding.verdict, ""))
    line = Content.assemble(verdict, "  ", show(f"{title:22}"), "  ", show(finding.text))
    if not finding.hint or finding.verdict is Verdict.SKIP:
        return line
    return Content.assemble(line, "\n      → ", show(finding.hint))

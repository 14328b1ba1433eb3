"""What is wrong, and what to do, as `doctor` finds it."""

from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from cloudstore_tui.doctor import CheckResult, CheckStatus
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.scrolled_text import PagedText

_STYLES = {CheckStatus.OK: "$text-success", CheckStatus.WARN: "$text-warning", CheckStatus.FAIL: "bold $text-error"}


class DoctorScreen(BaseScreen[None]):
    """One line for each result, and below it what to do."""

    AUTO_FOCUS = "#results"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", tooltip="Back to where you were", id="doctor.close"),
        Binding("r,f5", "again", "Again", tooltip="Check everything again", id="doctor.again"),
    ]

    def __init__(self, examine: Callable[[], AsyncIterator[CheckResult]]) -> None:
        """Show what `examine` finds, each time it is asked."""
        super().__init__()
        self._examine = examine
        self.results: list[CheckResult] = []

    def compose(self) -> ComposeResult:
        yield PagedText(id="results")

    def on_mount(self) -> None:
        self.action_again()

    def action_again(self) -> None:
        self.run_worker(self._run_checks(), group="doctor", exclusive=True)

    async def _run_checks(self) -> None:
        self.results = []
        self.header.show(["Check everything"], "checking…")
        async for result in self._examine():
            self.results.append(result)
            self.query_one(PagedText).text.update(Content("\n").join(map(lines_of, self.results)))
        wrong = sum(result.status is CheckStatus.FAIL for result in self.results)
        doubtful = sum(result.status is CheckStatus.WARN for result in self.results)
        more = f", {doubtful} to look at" if doubtful else ""
        self.header.show(["Check everything"], f"{wrong or 'nothing'} wrong{more}")


def lines_of(result: CheckResult) -> Content:
    """The result, and below it what to do."""
    title = f"{result.subject} {result.title}".strip()
    status = Content.styled(f"{result.status:4}", _STYLES.get(result.status, ""))
    line = Content.assemble(status, "  ", show(f"{title:22}"), "  ", show(result.text))
    if not result.hint or result.status is CheckStatus.SKIP:
        return line
    return Content.assemble(line, "\n      → ", show(result.hint))

"""The strip below the browser: how the last batch ended, and what runs."""

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.transfer_text import path_of, result_text, running_text
from cloudstore_tui.ui.transfer_watch import BatchProgress

TWO_LINES = 30
"""Rows of the terminal from which on the result and what runs both have a line."""


class ActivityStrip(Widget):
    """One line while something runs, one for the last result until it was seen; of a low terminal one in all."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"activity--running", "activity--done", "activity--failed"}
    DEFAULT_CSS = """
    ActivityStrip {
        height: 1; display: none;
        & > .activity--running { color: $text-primary; }
        & > .activity--done { color: $text-success; }
        & > .activity--failed { color: $text-error; }
    }
    """

    class Opened(Message):
        """The user clicked it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._batches: list[BatchProgress] = []
        self._result: BatchProgress | None = None
        self._lines: list[tuple[str, str]] = []

    def show(self, running: list[BatchProgress], result: BatchProgress | None) -> None:
        """Show what runs now, and how the last batch ended; only lines whose text changed are drawn."""
        self._batches, self._result = running, result
        lines = self._made()
        old, self._lines = self._lines, lines
        if len(lines) != len(old):
            self.display = bool(lines)
            self.styles.height = max(len(lines), 1)
            self.refresh()
        else:
            changed = [y for y, line in enumerate(lines) if line != old[y]]
            if changed:
                self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _made(self) -> list[tuple[str, str]]:
        width = self.screen.size.width
        lines = []
        if self._result is not None and (self.screen.size.height >= TWO_LINES or not self._batches):
            role = "failed" if self._result.of_state[State.FAILED] else "done"
            has_path = path_of(self._result) is not None
            hint = "t shows why" if role == "failed" else "Y copies the path" if has_path else "t transfers"
            lines.append((result_text(self._result, width, hint=hint), f"activity--{role}"))
        if self._batches:
            lines.append((running_text(self._batches, width), "activity--running"))
        return lines

    @property
    def shows_result(self) -> bool:
        """Whether the user can read now how the last batch ended."""
        return bool(self.display) and any(role != "activity--running" for _, role in self._lines)

    def on_resize(self) -> None:
        self._lines = self._made()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Opened())

    def remask(self) -> None:
        self.on_resize()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        text, component = self._lines[y]
        style = self.rich_style + self.get_component_rich_style(component, partial=True)
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

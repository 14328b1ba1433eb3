"""The strip below the browser: how the last batch ended, and what runs."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.transfer_text import path_of, result_text, running_text
from cloudstore_tui.ui.transfer_watch import BatchProgress
from cloudstore_tui.ui.widgets.chrome import StatusBar

TWO_LINES = 30
"""Rows of the terminal from which on the result and what runs both have a line."""


class ActivityStrip(Vertical):
    """One line while something runs, one for the last result until it was seen; of a low terminal one in all."""

    DEFAULT_CSS = """
    ActivityStrip {
        height: auto; display: none;
        #running { color: $text-primary; }
        #result { color: $text-success; }
        #result.-failed { color: $text-error; }
    }
    """

    class Opened(Message):
        """The user clicked it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._batches: list[BatchProgress] = []
        self._last: BatchProgress | None = None
        self._result_line, self._running_line = StatusBar(id="result"), StatusBar(id="running")

    def compose(self) -> ComposeResult:
        yield from (self._result_line, self._running_line)

    def show(self, running: list[BatchProgress], last: BatchProgress | None) -> None:
        """Show what runs now, and how the last batch ended."""
        self._batches, self._last = running, last
        self._draw()

    @property
    def shows_result(self) -> bool:
        """Whether the user can read now how the last batch ended."""
        return bool(self.display and self._result_line.display)

    def on_resize(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Opened())

    def _draw(self) -> None:
        (width, height), last = self.screen.size, self._last
        self._running_line.display = bool(self._batches)
        self._result_line.display = last is not None and (height >= TWO_LINES or not self._batches)
        self.display = self._running_line.display or self._result_line.display
        if last is not None:
            failed = bool(last.of_state[State.FAILED])
            hint = "t shows why" if failed else "Y copies the path" if path_of(last) is not None else "t transfers"
            self._result_line.set_class(failed, "-failed")
            self._result_line.set_text(result_text(last, width, hint=hint).removeprefix(" "))
        if self._batches:
            self._running_line.set_text(running_text(self._batches, width).removeprefix(" "))

"""The panes of the browser: focus, layout, and the strip below them.

From `WIDE` columns on places, entries and detail stand side by side. Below that the entries have the whole width, with
two lines of detail under them, and the places come as a drawer over their left half while they have the focus.
"""

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.transfer_text import path_of, result_text, running_text
from cloudstore_tui.ui.transfer_watch import BatchProgress
from cloudstore_tui.ui.widgets.chrome import StatusBar

WIDE, LOW = 110, 18
"""Columns from which on panes stand side by side, and rows below which only the focused one is shown."""
WIDTHS = [(0, "-narrow"), (WIDE, "-wide"), (160, "-vast")]
HEIGHTS = [(0, "-tiny"), (9, "-low"), (LOW, "-high")]


class FocusManager:
    """Moves the focus between panes, and marks the focused one for the style sheet: `-at-places`."""

    def __init__(self, screen: Screen[None], focused: Mapping[str, Widget]) -> None:
        """Manage the panes of a screen.

        Args:
            screen: of the panes.
            focused: the widget of each pane that takes the focus, by the pane's name and in Tab order; its id, or that
                of a widget around it, is the name.
        """
        self._screen = screen
        self._focused = focused
        self.at = "places"
        """The pane with the focus."""

    @property
    def has_drawer(self) -> bool:
        """Whether the places are a drawer that is closed now."""
        return self._screen.size.width < WIDE and self.at != "places"

    def go(self, name: str) -> None:
        """Focus a pane by its name, or the one to the `left`, the `next` or the `previous` one."""
        if name == "left":
            name = "entries" if self.at == "detail" else "places"
        elif name not in self._focused:
            open_ = [pane for pane in self._focused if self._is_open(pane)]
            step = -1 if name == "previous" else 1
            name = open_[(open_.index(self.at) + step) % len(open_)] if self.at in open_ else open_[0]
        if self._is_open(name):
            self.show(name, self._focused[name])

    def show(self, name: str, widget: Widget) -> None:
        self._mark(name)
        # Immediately: the next key belongs to it.
        self._screen.set_focus(widget)

    def follow(self, focused: Widget | None) -> None:
        """Note which pane holds the focused widget."""
        nodes = focused.ancestors_with_self if focused is not None else []
        name = next((node.id for node in nodes if node.id in self._focused), None)
        if name is not None:
            self._mark(name)

    def fit(self, size: Size) -> None:
        """Set the class of the focused pane, if the layout depends on it."""
        # Not otherwise: each change of a class repaints the whole screen.
        differs = size.width < WIDE or size.height < LOW
        self._screen.update_classes({f"-at-{pane}": differs and pane == self.at for pane in self._focused})

    def _is_open(self, name: str) -> bool:
        return not self._focused[name].has_class("-off")

    def _mark(self, name: str) -> None:
        self.at = name
        self.fit(self._screen.size)


TWO_LINES = 30
"""Rows of the terminal from which on the last result and what runs each get a line."""


class ActivityStrip(Vertical):
    """A line for what runs and one for the last result until it was seen; in a low terminal only one of them."""

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
        """Show the running batches, and how the last one ended."""
        self._batches, self._last = running, last
        self._draw()

    @property
    def shows_result(self) -> bool:
        """Whether the last result is visible."""
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

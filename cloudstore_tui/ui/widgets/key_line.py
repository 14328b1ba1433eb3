"""The last line of the screen: the keys that matter where the user is."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.ui.terminal.reach import key_display

_LAST = ("help",)
"""Actions that are shown even where there is no room for the others."""


class KeyLine(Widget):
    """Keys and their names, made of the bindings that are active, in one line that is drawn at once."""

    DEFAULT_CSS = """
    KeyLine {
        height: 1; background: $panel; color: $foreground;
        & > .key-line--key { color: $text-accent; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: tuple[tuple[str, str, str], ...] = ()

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self.show_bindings)

    def show_bindings(self, screen: Screen[object]) -> None:
        """Show the bindings that are active now."""
        shown: dict[str, tuple[str, str, str]] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description and active.enabled:
                item = (key_display(self.app, binding), binding.description, binding.key)
                shown.setdefault(binding.action, item)
        last = [shown.pop(action) for action in _LAST if action in shown]
        items = (*shown.values(), *last)
        if items != self._items:
            self._items = items
            self.refresh()

    def items_in(self, width: int) -> tuple[tuple[str, str, str], ...]:
        """Display, description and key of what fits into a line."""
        if not self._items:
            return ()
        room = width - _width(self._items[-1])
        kept = []
        for item in self._items[:-1]:
            room -= _width(item)
            if room < 0:
                break
            kept.append(item)
        return (*kept, self._items[-1])

    def render_line(self, y: int) -> Strip:
        """One line."""
        if y:
            return Strip.blank(self.size.width, self.rich_style)
        width, plain_style = self.size.width, self.rich_style
        key_style = self.get_component_rich_style("key-line--key")
        segments = []
        for display, description, _ in self.items_in(width):
            segments += [Segment(f" {display}", key_style), Segment(f" {description} ", plain_style)]
        return Strip(segments).adjust_cell_length(width, plain_style)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        start = 0
        for item in self.items_in(self.size.width):
            if start <= event.x < start + _width(item):
                self.app.simulate_key(item[2])
                return
            start += _width(item)


def _width(item: tuple[str, str, str]) -> int:
    return cell_len(item[0]) + cell_len(item[1]) + 3

"""A text that scrolls, by the same keys wherever there is one."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static


class ScrolledText(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows one text, and moves it without animation."""

    DEFAULT_CSS = """
    ScrolledText { padding: 0 1; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_by(1)", "Down", show=False, tooltip="One line on", id="text.down"),
        Binding("k,up", "scroll_by(-1)", "Up", show=False, tooltip="One line back", id="text.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, tooltip="Read on", id="text.page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="Read back", id="text.page_up"),
        Binding("ctrl+d", "page(0.5)", "Half down", show=False, tooltip="Half a page on", id="text.half_down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", show=False, tooltip="Half a page back", id="text.half_up"),
        Binding("g,home", "scroll_by(-100000)", "Top", show=False, tooltip="To the first line", id="text.top"),
        Binding("G,end", "scroll_by(100000)", "Bottom", show=False, tooltip="To the last line", id="text.bottom"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self.text

    def action_scroll_by(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: float) -> None:
        self.scroll_relative(y=round(pages * max(self.size.height - 1, 1)), animate=False)


class PagedText(ScrolledText):
    """A text that has the screen for itself, so that it can be turned like pages, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Further", show=False, tooltip="Read on", id="text.further"),
        Binding("b", "page(-1)", "Before", show=False, tooltip="Read back", id="text.before"),
    ]

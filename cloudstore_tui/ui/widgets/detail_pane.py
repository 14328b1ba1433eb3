"""Everything known of the entry under the cursor."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from cloudstore_tui.core.models import Entry, identity
from cloudstore_tui.ui.detail_text import detail_text

PAUSE = 0.15
"""Seconds without a further step of the cursor before the pane is drawn: a held key draws it once."""


class DetailPane(VerticalScroll, can_focus=True):
    """Scrolls through the fields and tags of one entry."""

    DEFAULT_CSS = """
    DetailPane {
        background: $surface;
        scrollbar-size-vertical: 1; padding: 0 0 0 1;
        border-top: solid $border-blurred; border-title-align: left; border-title-color: $foreground;
        &:focus { border-top: solid $border; border-title-color: $border; border-title-style: bold; }
        #fields, #beginning { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_by(1)", "Down", show=False, id="detail.down", tooltip="Read on"),
        Binding("k,up", "scroll_by(-1)", "Up", show=False, id="detail.up", tooltip="Read back"),
        Binding("pagedown,ctrl+f", "scroll_by(8)", "Further", show=False, id="detail.page_down", tooltip="Read on"),
        Binding("pageup,ctrl+b", "scroll_by(-8)", "Back", show=False, id="detail.page_up", tooltip="Read back"),
        Binding("ctrl+d", "scroll_by(4)", "Half on", show=False, id="detail.half_down", tooltip="Half a page on"),
        Binding("ctrl+u", "scroll_by(-4)", "Half back", show=False, id="detail.half_up", tooltip="Half a page back"),
        Binding("g,home", "scroll_by(-100000)", "Top", show=False, id="detail.top", tooltip="To the first line"),
        Binding("G,end", "scroll_by(100000)", "Bottom", show=False, id="detail.bottom", tooltip="To the last line"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Detail"
        self.entry: Entry | None = None
        """What is shown, or will be as soon as the cursor rests."""
        self._zone: tzinfo = UTC
        self._pending: Timer | None = None
        self._beginning: tuple[str, Content] = ("", Content(""))
        """Which entry the beginning is of, and the beginning."""
        self.rested: Callable[[], object] | None = None
        """Called whenever the cursor rests on another entry."""

    def compose(self) -> ComposeResult:
        """What is known, and the beginning of the content if that was asked for."""
        yield Static(id="fields", markup=False)
        yield Static(id="beginning", markup=False)

    def show(self, entry: Entry | None, zone: tzinfo) -> None:
        """Show an entry as soon as the cursor rests."""
        if (entry, zone) == (self.entry, self._zone):
            return
        is_other = entry is None or self.entry is None or identity(entry) != identity(self.entry)
        self.entry, self._zone = entry, zone
        if self._pending is not None:
            self._pending.stop()
        self._pending = self.set_timer(PAUSE, self._draw_from_top if is_other else self._draw)

    def show_beginning(self, entry: Entry, text: Content, *, asked: bool = False) -> None:
        """Show the beginning of the content of an entry, as long as that entry is shown; go there if asked."""
        self._beginning = (identity(entry), text)
        self._draw()
        if asked:
            self.call_after_refresh(self.query_one("#beginning").scroll_visible, animate=False, top=True)

    def remask(self) -> None:
        """Make the text again: the mask was turned."""
        self._draw()

    def on_resize(self) -> None:
        """Set the text anew for the width there is."""
        self._draw()

    def action_scroll_by(self, lines: int) -> None:
        """Move the text."""
        self.scroll_relative(y=lines, animate=False)

    def _draw_from_top(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)
        self._draw()
        if self.rested is not None:
            self.rested()

    def _draw(self) -> None:
        # Always as wide as beside a scrollbar, whether it is there yet or not.
        width = max(self.content_region.width - 1, 20)
        text = detail_text(self.entry, self._zone, width) if self.entry is not None else Content("")
        self.query_one("#fields", Static).update(text)
        of, beginning = self._beginning
        is_here = self.entry is not None and of == identity(self.entry)
        self.query_one("#beginning", Static).update(beginning if is_here else Content(""))

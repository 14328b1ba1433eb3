"""A list of lines with a cursor, drawn line by line; and texts that scroll with the same keys."""

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Offset, Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.widgets import Static


class CursorList(ScrollView, can_focus=True, inherit_bindings=False):
    """Moves a cursor over any number of lines, and redraws as little as possible.

    A step within the view redraws two lines. A step out of it scrolls by half a page, so that a held key rarely
    redraws everything. Nothing is animated. The first line of the view is a heading that does not scroll.
    """

    DEFAULT_CSS = """
    CursorList {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size: 0 0;
        & > .cursor-list--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .cursor-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .cursor-list--cursor, &:nocolor > .cursor-list--cursor { text-style: underline; }
        &:ansi:focus > .cursor-list--cursor, &:nocolor:focus > .cursor-list--cursor { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"cursor-list--cursor"}
    PREFIX: ClassVar[str] = "cursor-list"
    """Prefix of the component classes for parts of a line, except the cursor."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="entries.down", show=False, tooltip="One row down"),
        Binding("k,up", "move(-1)", "Up", id="entries.up", show=False, tooltip="One row up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="entries.page_down", show=False, tooltip="One page down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", id="entries.page_up", show=False, tooltip="One page up"),
        Binding("ctrl+d", "page(0.5)", "Half down", id="entries.half_down", show=False, tooltip="Half a page down"),
        Binding("ctrl+u", "page(-0.5)", "Half up", id="entries.half_up", show=False, tooltip="Half a page up"),
        Binding("g,home", "go(0)", "First", id="entries.first", show=False, tooltip="First row"),
        Binding("G,end", "go(-1)", "Last", id="entries.last", show=False, tooltip="Last loaded row"),
    ]
    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, init=False, repaint=False)
    """Index of the row under the cursor; 0 if there are none."""

    row_count = 0

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles: dict[str, Style] = {}

    def notify_style_update(self) -> None:
        """Drop cached styles, as the theme or the focus changed."""
        super().notify_style_update()
        self._styles = {}

    def part_style(self, part: str) -> Style:
        """The style of a part of a line; cached, as the lookup is slow."""
        if part not in self._styles:
            name = f"{'cursor-list' if part == 'cursor' else self.PREFIX}--{part}"
            self._styles[part] = self.get_component_rich_style(name)
        return self._styles[part]

    def set_row_count(self, count: int) -> None:
        self.row_count = count
        if self.virtual_size.height != count + 1:
            # Not by assignment, which would redraw everything: no scrollbar depends on the height.
            self.set_reactive(CursorList.virtual_size, Size(0, count + 1))
            if self.scroll_offset.y > self.max_scroll_y:
                self._show_from(self.max_scroll_y)

    @property
    def page_height(self) -> int:
        """Rows in view."""
        return max(self.size.height - 1, 1)

    @property
    def rows_in_view(self) -> range:
        top = self.scroll_offset.y
        return range(top, min(top + self.page_height, self.row_count))

    def on_resize(self) -> None:
        top = min(self.scroll_offset.y, self.max_scroll_y)
        self._show_from(max(min(top, self.cursor), self.cursor - self.page_height + 1))

    def validate_cursor(self, row: int) -> int:
        return max(0, min(row, self.row_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Redraw the two rows, or scroll."""
        if new in self.rows_in_view:
            self.refresh_row(old)
            self.refresh_row(new)
        else:
            height, half = self.page_height, (self.page_height + 1) // 2
            stepped = abs(new - old) == 1
            if new > old:
                self._show_from(new - height + (half if stepped else 1))
            else:
                self._show_from(new - half + 1 if stepped else new)
        self._lead_terminal_cursor()

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.refresh_row(self.cursor)
        self._lead_terminal_cursor()

    def refresh_row(self, row: int) -> None:
        """Redraw one row, if it is in view."""
        y = row - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = self.scroll_offset.y + offset.y - 1 if offset is not None and offset.y else -1
        if 0 <= row < self.row_count:
            self.click_row(row, event)

    def click_row(self, row: int, event: events.Click, /) -> None:
        """Move to a clicked row; a double click opens it."""
        self.cursor = row
        if event.chain == 2:
            self.action_open()

    def action_open(self) -> None:
        """Open the row under the cursor; subclasses override it."""

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_page(self, pages: float) -> None:
        """Scroll by pages; the cursor keeps its position on the screen."""
        row = self.validate_cursor(self.cursor + round(pages * self.page_height))
        self._show_from(self.scroll_offset.y + row - self.cursor)
        self.cursor = row

    def action_go(self, row: int) -> None:
        """Go to a row; negative ones count from the end."""
        self.cursor = row if row >= 0 else self.row_count + row

    def _show_from(self, row: int) -> None:
        self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True)

    def _lead_terminal_cursor(self) -> None:
        # For screen magnifiers and braille displays, which follow the terminal cursor.
        if self.has_focus:
            line = self.cursor - self.scroll_offset.y + 1
            self.app.cursor_position = self.content_region.offset + Offset(0, line)


class ScrolledText(VerticalScroll, can_focus=True, inherit_bindings=False):
    """A text that scrolls without animation."""

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
    """A full-screen text, which Space and b page through as well."""

    DEFAULT_CSS = """
    PagedText { border-top: solid $border-blurred; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Further", show=False, tooltip="Read on", id="text.further"),
        Binding("b", "page(-1)", "Before", show=False, tooltip="Read back", id="text.before"),
    ]

"""The panes of the browser: which has the focus, and how they share the screen.

From `WIDE` columns on places, entries and detail stand side by side. Below that the entries have the whole width, with
two lines of detail under them, and the places come as a drawer over their left half while they have the focus.
"""

from collections.abc import Mapping
from itertools import pairwise

from rich.segment import Segment
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

NAMES = ("places", "entries", "detail")
"""All panes, in the order of the Tab key."""
WIDE, LOW = 110, 18
"""Columns from which panes stand side by side, and rows below which only the one with the focus is shown."""
WIDTHS = [(0, "-narrow"), (WIDE, "-wide"), (160, "-vast")]
HEIGHTS = [(0, "-tiny"), (9, "-low"), (LOW, "-high")]


class FocusManager:
    """Leads the focus from pane to pane and lets the style sheet know where it is: `-at-places`."""

    def __init__(self, screen: Screen[None], focused: Mapping[str, Widget]) -> None:
        """Take the widget of each pane that gets the focus; it or one around it has the pane's name as its id."""
        self._screen = screen
        self._focused = focused
        self.at = NAMES[0]
        """The pane with the focus."""

    def go(self, name: str) -> None:
        """Go to a pane by its name, or to the one `left`, `next` or `previous`."""
        if name == "left":
            name = "entries" if self.at == "detail" else "places"
        elif name not in NAMES:
            open_ = [pane for pane in NAMES if self._is_open(pane)]
            step = -1 if name == "previous" else 1
            name = open_[(open_.index(self.at) + step) % len(open_)] if self.at in open_ else open_[0]
        if self._is_open(name):
            self.show(name, self._focused[name])

    def show(self, name: str, widget: Widget) -> None:
        """Focus a widget in a pane."""
        self._mark(name)
        # At once: the next key belongs to it.
        self._screen.set_focus(widget)

    def follow(self, focused: Widget | None) -> None:
        """Note which pane holds what has the focus."""
        for node in focused.ancestors_with_self if focused is not None else []:
            if node.id in NAMES:
                self._mark(node.id)
                return

    def fit(self, size: Size) -> None:
        """Tell the style sheet which pane has the focus, where it makes a difference to the layout."""
        # Where it makes none no class is set: each change of one repaints the whole screen.
        differs = size.width < WIDE or size.height < LOW
        self._screen.update_classes({f"-at-{pane}": differs and pane == self.at for pane in NAMES})

    def _is_open(self, name: str) -> bool:
        return not self._focused[name].has_class("-off")

    def _mark(self, name: str) -> None:
        self.at = name
        self.fit(self._screen.size)


class PaneRule(Widget):
    """A line above or below panes that stand side by side, with the corners where they part; shows who has the focus.

    A border of each pane would do the same, but a change of the focus would draw both panes.
    """

    DEFAULT_CSS = """
    PaneRule { height: 1; color: $border-blurred; & > .pane-rule--focus { color: $border; text-style: bold; } }
    """
    COMPONENT_CLASSES = {"pane-rule--focus"}  # noqa: RUF012  # as Textual has it
    ALLOW_SELECT = False

    def __init__(self, panes: Widget, corner: str) -> None:
        """Draw the line of a row of panes, and `corner` where two of them meet."""
        super().__init__()
        self._panes = panes
        self._corner = corner

    def on_mount(self) -> None:
        """Follow the focus, and panes that come and go."""
        self.watch(self.screen, "focused", self._follow, init=False)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._follow)

    def render_line(self, y: int) -> Strip:
        """The line, brighter along the pane with the focus."""
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        bright = self.get_component_rich_style("pane-rule--focus")
        shown = sorted((pane for pane in self._panes.children if pane.display), key=lambda pane: pane.region.x)
        # A border belongs to one of the two panes that it parts.
        ends = [pane.region.x + bool(pane.styles.border_left[0]) for pane in shown[1:]]
        segments = []
        for pane, (start, end) in zip(shown, pairwise([0, *ends, width]), strict=True):
            style = bright if pane.has_pseudo_class("focus-within") or pane.has_focus else self.rich_style
            line = "─" * (end - start)
            segments.append(Segment(line[:-1] + self._corner if end < width else line, style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _follow(self, _: object) -> None:
        self.refresh()

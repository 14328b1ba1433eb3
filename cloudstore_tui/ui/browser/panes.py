"""The panes of a screen, of which one is in front."""

from collections.abc import Mapping

from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

NAMES = ("places", "entries", "detail", "transfers")
"""All panes, in the order of the Tab key."""

ALIKE = Size(100, 15)
"""The smallest terminal in which the pane in front looks like the others."""

STACKED = Size(60, 20)
"""The smallest one, if it is not that wide, in which panes above each other show enough of themselves."""


class Panes:
    """Leads the focus from pane to pane and lets the style sheet know which is in front: `-at-entries`."""

    def __init__(self, screen: Screen[None], focused: Mapping[str, Widget]) -> None:
        """Take the widget of each pane that gets the focus; it or one around it has the pane's name as its id."""
        self._screen = screen
        self._focused = focused
        self.at = NAMES[0]
        """The pane in front."""

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
        """Bring a pane to the front and focus a widget in it."""
        self._mark(name)
        # At once: the next key belongs to it.
        self._screen.set_focus(widget)

    def follow(self, focused: Widget | None) -> None:
        """Bring the pane to the front that holds what has the focus."""
        for node in focused.ancestors_with_self if focused is not None else []:
            if node.id in NAMES:
                self._mark(node.id)
                return

    def _is_open(self, name: str) -> bool:
        widget = self._focused[name]
        return not widget.has_class("-off") and (name != "transfers" or widget.display)

    def fit(self, size: Size) -> None:
        """Tell the style sheet which pane is in front, if the terminal is too small for all to be shown alike."""
        is_small = size.width < ALIKE.width or size.height < ALIKE.height
        # Where it makes no difference no class is set: each change of one repaints the whole screen.
        front = {f"-at-{pane}": is_small and pane == self.at for pane in NAMES}
        self._screen.update_classes(front | {"-single": _holds_one(size)})

    def _mark(self, name: str) -> None:
        self.at = name
        self.fit(self._screen.size)


def _holds_one(size: Size) -> bool:
    """Whether a terminal is too small for more than one pane."""
    least = STACKED if size.width < ALIKE.width else ALIKE
    return size.width < least.width or size.height < least.height

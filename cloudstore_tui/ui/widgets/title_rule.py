"""The title of a pane in a line across it."""

import locale
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget


class TitleRule(Widget):
    """Looks like the upper border of a pane, but a change of it draws one line and not what is below."""

    DEFAULT_CSS = """
    TitleRule {
        height: 1;
        color: $border-blurred;
        & > .title-rule--title { color: $foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"title-rule--title"}
    ALLOW_SELECT = False

    def __init__(self, title: str, *, ascii_only: bool | None = None) -> None:
        super().__init__()
        is_plain = "utf" not in locale.getpreferredencoding(False).lower()
        self._rule = "-" if (is_plain if ascii_only is None else ascii_only) else "─"
        self.title = title

    def say(self, title: str) -> None:
        """Show another title, which has to be safe to draw; of a long one its end."""
        if title != self.title:
            self.title = title
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The title between two rules."""
        width = self.size.width
        title, room = self.title, max(width - 2, 0)
        if cell_len(title) > room:
            tail = title
            while cell_len(tail) > max(room - 1, 0):
                tail = tail[1:]
            title = f"…{tail}"
        if y:
            return Strip.blank(width, self.rich_style)
        parts = (self._rule, title, self._rule * max(width - 1 - cell_len(title), 0))
        styles = (self.rich_style, self.get_component_rich_style("title-rule--title"), self.rich_style)
        return Strip([Segment(*part) for part in zip(parts, styles, strict=True)]).crop(0, width)

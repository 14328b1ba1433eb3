"""Where a recording is that is being listened to."""

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.preview.clock import clock

_NARROWEST = 10


class PlayerBar(Widget):
    """One line, hidden while nothing is played; drawn again when the second or the cell changes."""

    DEFAULT_CSS = """
    PlayerBar { height: 1; display: none; background: $panel; color: $text-accent; text-style: bold; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._share = 0.0

    def show(self, sign: str, position: float, seconds: float, speed: float) -> None:
        """Show whether it is heard, where it is, of how long, and how fast it goes."""
        self.display = True
        told = f"{sign} {clock(int(position))} / {clock(seconds)}{f'  {speed:g}×' if speed != 1 else ''}"
        share = min(position / seconds, 1.0) if seconds else 0.0
        if (told, self._cell(share)) != (self._text, self._cell(self._share)):
            self._text, self._share = told, share
            self.refresh()

    def hide(self) -> None:
        """Nothing is played any more."""
        self.display = False
        self._text = ""

    def render_line(self, y: int) -> Strip:
        """The time, and a line with the place on it."""
        if y:
            return Strip.blank(self.size.width, self.rich_style)
        width, cell = self.size.width, self._cell(self._share)
        line = f" {self._text}  "
        if self._length >= _NARROWEST:
            line += "━" * cell + "●" + "─" * (self._length - cell - 1)
        return Strip([Segment(set_cell_size(line, width), self.rich_style)], width)

    @property
    def _length(self) -> int:
        return self.size.width - len(self._text) - 4

    def _cell(self, share: float) -> int:
        return int(share * max(self._length - 1, 0))

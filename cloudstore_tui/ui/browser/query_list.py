"""What could be taken into the bar: a short list below it."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.ui.browser.query_suggestions import Suggestion
from cloudstore_tui.ui.text import plain

ROWS = 6
_GAP = 2


class QueryList(Widget):
    """Suggestions, one of them chosen; it never has the focus, the bar moves the choice."""

    DEFAULT_CSS = """
    QueryList {
        height: auto; max-height: 6; display: none; background: $panel;
        &.-open { display: block; }
        & > .query-list--note { color: $text-muted; }
        & > .query-list--chosen { color: $text-accent; text-style: bold reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"query-list--note", "query-list--chosen"}
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self.offers: tuple[Suggestion, ...] = ()
        self._index = 0

    @property
    def chosen(self) -> Suggestion | None:
        """The one that would be taken."""
        return self.offers[self._index] if self.offers else None

    @property
    def is_first_chosen(self) -> bool:
        """Whether there is none before the chosen one."""
        return self._index == 0

    def offer(self, offers: Sequence[Suggestion]) -> None:
        """Show these, none to close the list."""
        if tuple(offers) == self.offers:
            return
        self.offers = tuple(offers)
        self._index = 0
        self.set_class(bool(offers), "-open")
        self.styles.height = min(len(offers), ROWS)
        self.refresh(layout=True)

    def move(self, steps: int) -> None:
        """Choose another one; it goes on at the other end."""
        if self.offers:
            self._index = (self._index + steps) % len(self.offers)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One suggestion: a sign if it is the chosen one, the text, what it means."""
        first = max(min(self._index - ROWS // 2, len(self.offers) - ROWS), 0)
        row = first + y
        if row >= len(self.offers):
            return Strip.blank(self.size.width, self.rich_style)
        offer, is_chosen = self.offers[row], row == self._index
        width = self.size.width
        shown = [plain(known.text) for known in self.offers[first : first + ROWS]]
        column = min(max(map(cell_len, shown)), max(width // 2, 8))
        text = set_cell_size(f"{'›' if is_chosen else ' '} {shown[row - first]}", column + _GAP)
        note = set_cell_size(f"  {plain(offer.note)}", max(width - column - _GAP, 0))
        style = self.get_component_rich_style("query-list--chosen") if is_chosen else self.rich_style
        return Strip([Segment(text, style), Segment(note, self.get_component_rich_style("query-list--note"))], width)

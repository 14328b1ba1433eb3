"""Transfers at the foot of the screen, one line each."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from cloudstore_tui.transfers.model import TransferSnapshot
from cloudstore_tui.ui.transfer_text import rank, summary
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys
from cloudstore_tui.ui.widgets.transfer_line import line_text
from cloudstore_tui.ui.widgets.transfer_looks import COMPONENTS, LOOKS, bar_marks, look_of

MOST_LINES = 5
"""Lines shown at once; more would leave too little of the entries."""


class TransferStrip(TransferKeys, can_focus=True):
    """Shows snapshots of transfers: what runs first, then what waits, what failed, what is done."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    DEFAULT_CSS = f"""
    TransferStrip {{
        height: auto; display: none;
        border-top: solid $border-blurred; border-title-align: left; border-title-color: $foreground;
        &:focus {{ border-top: solid $border; border-title-color: $border; }}
        {LOOKS}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, tooltip="Next transfer", id="transfers.down"),
        Binding("k,up", "move(-1)", "Up", show=False, tooltip="Transfer before", id="transfers.up"),
    ]

    def __init__(self, *, id: str | None = None, ascii_only: bool | None = None) -> None:
        super().__init__(id=id)
        self._transfers: tuple[TransferSnapshot, ...] = ()
        self._lines: list[tuple[str, str]] = []
        self._cursor_id: int | None = None
        self._first = 0
        self._marks = bar_marks(ascii_only)

    @property
    def transfer(self) -> TransferSnapshot | None:
        """The one under the cursor."""
        return self._transfers[self._cursor] if self._transfers else None

    def show(self, transfers: Sequence[TransferSnapshot]) -> None:
        """Show this snapshot, repainting only the lines whose text changed."""
        self._transfers = tuple(sorted(transfers, key=rank))
        height = min(len(self._transfers), MOST_LINES)
        if self._transfers and (self._cursor_id is None or not self.has_focus):
            # Or it would follow what was first to the end of the list, away from what runs.
            self._cursor_id = self._transfers[0].id
        self.display = height > 0
        if self.styles.height is None or self.styles.height.value != height + 1:
            self.styles.height = height + 1
        title = summary(self._transfers)
        if self.border_title != title:
            self.border_title = title
        self._draw()

    def on_resize(self) -> None:
        """Elide names anew."""
        self._draw()

    def on_focus(self) -> None:
        """The cursor is seen only here."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is seen only where keys go."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One transfer."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        text, component = self._lines[y]
        style = self.rich_style + self.get_component_rich_style(component, partial=True)
        if self.has_focus and self._first + y == self._cursor:
            style += self.get_component_rich_style("transfers--cursor", partial=True)
        return Strip([Segment(text, style)], self.size.width)

    def action_move(self, step: int) -> None:
        """Go to the next transfer, or the one before."""
        if not self._transfers:
            return
        index = min(max(self._cursor + step, 0), len(self._transfers) - 1)
        self._cursor_id = self._transfers[index].id
        self._draw()
        self.refresh()

    @property
    def _cursor(self) -> int:
        found = (index for index, transfer in enumerate(self._transfers) if transfer.id == self._cursor_id)
        return next(found, 0)

    def _draw(self) -> None:
        """Put the window of lines together, and repaint those that are new."""
        width = self.size.width
        last_first = max(len(self._transfers) - MOST_LINES, 0)
        self._first = min(max(self._first, self._cursor - MOST_LINES + 1), self._cursor, last_first)
        window = self._transfers[self._first : self._first + MOST_LINES]
        lines = [(line_text(transfer, width, self._marks), look_of(transfer.state)) for transfer in window]
        old, self._lines = self._lines, lines
        changed = [index for index, line in enumerate(lines) if index >= len(old) or old[index] != line]
        if changed:
            self.refresh(*(Region(0, index, width, 1) for index in changed))

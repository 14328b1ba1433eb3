"""The list of batches and their transfers, drawn line by line, and only where a line changed."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.transfer_batches import BatchProgress
from cloudstore_tui.ui.transfer_text import WIDE, Columns, Line, TransferRow, line_of, numbers_of, rows_of, states_of
from cloudstore_tui.ui.widgets.cursor_list import CursorList

NOTHING = " No transfers. d in the browser downloads, u uploads."
_LOOKS: Mapping[str, str] = {
    **dict.fromkeys((State.DONE, State.SKIPPED), "transfers--done"),
    State.FAILED: "transfers--failed",
    **dict.fromkeys((State.CANCELLED, State.WAITING, State.PAUSED, State.QUEUED), "transfers--waiting"),
    **dict.fromkeys((State.SIGNING, State.PACKING, State.RUNNING, State.VERIFYING), "transfers--running"),
    "head": "transfers--head",
    "muted": "transfers--muted",
    "mark": "transfers--mark",
}


class TransferTable(CursorList, can_focus=True):
    """Shows batches, those that are unfolded with their rows. Rows stay where they are, and so does the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*_LOOKS.values(), "transfers--cursor"}
    DEFAULT_CSS = """
    TransferTable {
        height: 1fr;
        & > .transfers--running { color: $text-primary; }
        & > .transfers--waiting { color: $text-warning; }
        & > .transfers--done { color: $text-success; }
        & > .transfers--failed { color: $text-error; }
        & > .transfers--muted { color: $text-muted; }
        & > .transfers--mark { color: $text-accent; text-style: bold; }
        & > .transfers--head { color: $text-muted; text-style: bold; }
        & > .transfers--cursor { text-style: bold reverse; }
    }
    """

    class Moved(Message):
        """The cursor is on another row, or its row is another one."""

    class Opened(Message):
        """A row was clicked that has the cursor already."""

    def __init__(self, *, id: str | None = None, zone: tzinfo = UTC) -> None:
        super().__init__(id=id)
        self._zone = zone
        self._batches: Mapping[str, BatchProgress] = {}
        self._rows: list[TransferRow] = []
        self._drawn: dict[int, tuple[Line, bool]] = {}
        self.unfolded: set[str] = set()
        """The keys of batches that are shown with their transfers."""
        self.marks: set[TransferRow] = set()
        """The rows that are marked."""

    @property
    def row(self) -> TransferRow | None:
        """The one under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def current(self) -> BatchProgress | None:
        """The batch of the row under the cursor."""
        return self._batches.get(self.row.batch) if self.row is not None else None

    def chosen(self) -> dict[str, list[int]]:
        """The numbers of what is marked, or of the row under the cursor, by batch."""
        chosen: dict[str, dict[int, None]] = {}
        for row in self._chosen_rows():
            chosen.setdefault(row.batch, {}).update(dict.fromkeys(numbers_of(row, self._batches[row.batch])))
        return {batch: list(numbers) for batch, numbers in chosen.items()}

    def chosen_states(self) -> set[State]:
        """The states of what is marked, or of the row under the cursor."""
        return {state for row in self._chosen_rows() for state in states_of(row, self._batches[row.batch])}

    def _chosen_rows(self) -> list[TransferRow]:
        rows = [row for row in self._rows if row in self.marks] if self.marks else [self.row] if self.row else []
        # Between a change and the next look a row may be of something that is gone.
        return [row for row in rows if row.batch in self._batches]

    def show(self, batches: Mapping[str, BatchProgress]) -> None:
        """Show how batches are now; lines in view are drawn where they differ from what is there."""
        there = self.row
        self._batches = batches
        self.unfolded &= batches.keys()
        self._rows = rows_of(batches, self.unfolded, is_narrow=self.size.width < WIDE)
        self.marks &= set(self._rows) if self.marks else set()
        self.set_row_count(len(self._rows))
        self._stay_with(there)
        for y, drawn in list(self._drawn.items()):
            if y < self.size.height and self._line(y) != drawn:
                self.refresh(Region(0, y, self.size.width, 1))

    def _stay_with(self, there: TransferRow | None) -> None:
        """Let the cursor stay with its row; with its batch, where the row is gone."""
        if there is None or self.row == there:
            self.set_reactive(CursorList.cursor, self.validate_cursor(self.cursor))
            return
        rows = self._rows
        at = rows.index(there) if there in rows else self.cursor
        if there not in rows and (at >= len(rows) or rows[at].batch != there.batch):
            at = next((place for place, row in enumerate(rows) if row.batch == there.batch), at)
        self.cursor = at
        self.set_reactive(CursorList.cursor, self.validate_cursor(self.cursor))
        self.post_message(self.Moved())

    def go_to(self, key: str) -> None:
        """Go to a batch."""
        self.cursor = next((place for place, row in enumerate(self._rows) if row.batch == key), self.cursor)

    def watch_cursor(self, old: int, new: int) -> None:
        """Say that the cursor moved."""
        super().watch_cursor(old, new)
        self.post_message(self.Moved())

    def fold(self, *, unfold: bool | None = None) -> None:
        """Unfold the batch under the cursor, or fold it; the other one of the two if it is not said."""
        if (row := self.row) is None:
            return
        unfold = row.batch not in self.unfolded if unfold is None else unfold
        (self.unfolded.add if unfold else self.unfolded.discard)(row.batch)
        self.show(self._batches)
        if not unfold:
            self.go_to(row.batch)

    def mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on."""
        if self.row is not None:
            self.marks ^= {self.row}
            self.refresh_row(self.cursor)
            self.cursor += 1

    def clear_marks(self) -> bool:
        """Unmark everything; whether something was marked."""
        had, self.marks = bool(self.marks), set()
        self.refresh()
        return had

    def on_click(self, event: events.Click) -> None:
        """Go to the row that was clicked; a second time opens it."""
        if (row := self.row_at(event)) is not None:
            if row == self.cursor:
                self.post_message(self.Opened())
            self.cursor = row

    def on_resize(self) -> None:
        """Draw for the new width."""
        super().on_resize()
        self.show(self._batches)

    def remask(self) -> None:
        """Make the lines again: the mask was turned."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The titles of the columns, then the rows."""
        line, has_cursor = self._drawn[y] = self._line(y)
        cursor = self.get_component_rich_style("transfers--cursor", partial=True) if has_cursor else None
        segments = []
        for text, role in line:
            style = self.rich_style
            if cursor is not None:
                # In one look from edge to edge: signs and words still tell the state.
                style += cursor
            elif role in _LOOKS:
                style += self.get_component_rich_style(_LOOKS[role], partial=True)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _line(self, y: int) -> tuple[Line, bool]:
        width = self.size.width
        columns = Columns(width)
        if y == 0:
            return ((columns.head(), "head"),), False
        index = self.scroll_offset.y + y - 1
        if index >= len(self._rows):
            return ((NOTHING if y == 1 and not self._rows else "", "muted"),), False
        row = self._rows[index]
        if row.batch not in self._batches or not numbers_of(row, self._batches[row.batch]):
            return (("", ""),), False
        line = line_of(row, self._batches[row.batch], columns, self._zone, is_open=row.batch in self.unfolded)
        mark = ("●", "mark") if row in self.marks else (" ", "")
        return (mark, *line), self.has_focus and index == self.cursor

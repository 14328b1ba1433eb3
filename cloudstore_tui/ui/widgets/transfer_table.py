"""All transfers, one row each: ours, those kept from an earlier run, those of other programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui.transfer_text import rank
from cloudstore_tui.ui.widgets.cursor_list import CursorList
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys
from cloudstore_tui.ui.widgets.transfer_looks import COMPONENTS, LOOKS, bar_marks, look_of
from cloudstore_tui.ui.widgets.transfer_row import RowForm

NOTHING = "No transfers. d in the browser downloads, u uploads."
KEPT = "Stopped half-way in an earlier run: p goes on, x drops; P and X all of them"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line: a transfer, or the title of those below it."""

    title: str = ""
    transfer: TransferSnapshot | None = None
    is_other: bool = False
    """Whether it is another program's, which takes no orders from here."""


@dataclass(frozen=True, slots=True)
class Everything:
    """All transfers there are."""

    own: Sequence[TransferSnapshot] = ()
    kept: Sequence[TransferSnapshot] = ()
    """Those of an earlier run, which nobody goes on with now."""
    elsewhere: Sequence[Elsewhere] = ()


class TransferTable(TransferKeys, CursorList, can_focus=True):
    """Shows snapshots. Draws only rows whose text changed; the cursor stays with its transfer."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    DEFAULT_CSS = f"TransferTable {{ height: 1fr; {LOOKS} }}"

    def __init__(self, *, id: str | None = None, ascii_only: bool | None = None) -> None:
        super().__init__(id=id)
        self._rows: tuple[TableRow, ...] = ()
        self._drawn: dict[int, tuple[str, str]] = {}
        self._marks = bar_marks(ascii_only)

    @property
    def transfer(self) -> TransferSnapshot | None:
        """The one under the cursor."""
        return self._rows[self.cursor].transfer if self.cursor < len(self._rows) else None

    @property
    def subject(self) -> TransferSnapshot | None:
        """The one under the cursor, unless it is another program's."""
        return None if self.cursor >= len(self._rows) or self._rows[self.cursor].is_other else self.transfer

    def show(self, everything: Everything) -> None:
        """Show this; the rows in view are drawn where they differ from what is there."""
        there = self.transfer
        height = len(self._rows)
        self._rows = tuple(_rows(everything))
        self.set_row_count(len(self._rows))
        at = next((index for index, row in enumerate(self._rows) if there and _is(row, there)), self.cursor)
        if self.cursor == 0 and at < len(self._rows) and _is_done(self._rows[at]):
            # Or the view would follow what was first to the end of the list, away from what runs.
            at = 0
        self.cursor = at
        self.set_reactive(CursorList.cursor, self.validate_cursor(self.cursor))
        if (height == 0) != (not self._rows):
            self.refresh()
            return
        for y, line in list(self._drawn.items()):
            if y > 0 and self._line(y) != line:
                self.refresh(Region(0, y, self.size.width, 1))

    def validate_cursor(self, row: int) -> int:
        """Stay inside the list, and off the titles."""
        row = super().validate_cursor(row)
        if row < len(self._rows) and self._rows[row].transfer is None:
            return row - 1 if 0 < row < self.cursor else row + 1
        return row

    def render_line(self, y: int) -> Strip:
        """The titles of the columns, then the rows."""
        text, component = self._drawn[y] = self._line(y)
        style = self.rich_style + self.get_component_rich_style(component, partial=True)
        if y and self.has_focus and self._rows and self.scroll_offset.y + y - 1 == self.cursor:
            style += self.get_component_rich_style("transfers--cursor", partial=True)
        return Strip([Segment(text, style)], self.size.width)

    def _line(self, y: int) -> tuple[str, str]:
        width = self.size.width
        form = RowForm(width, self._marks)
        if y == 0:
            return form.head(), "transfers--head"
        index = self.scroll_offset.y + y - 1
        if index >= len(self._rows):
            said = NOTHING if y == 1 and not self._rows else ""
            return said[:width].ljust(width), "transfers--other"
        row = self._rows[index]
        if row.transfer is None:
            return row.title[:width].ljust(width), "transfers--head"
        return form.row(row.transfer), "transfers--other" if row.is_other else look_of(row.transfer.state)


def _rows(everything: Everything) -> Iterator[TableRow]:
    for transfer in sorted(everything.own, key=rank):
        yield TableRow(transfer=transfer)
    if everything.kept:
        yield TableRow(KEPT)
        for transfer in everything.kept:
            yield TableRow(transfer=transfer)
    for process in sorted({other.process for other in everything.elsewhere}):
        yield TableRow(f"In another program, pid {process}:")
        for other in everything.elsewhere:
            if other.process == process:
                yield TableRow(transfer=other.transfer, is_other=True)


def _is(row: TableRow, transfer: TransferSnapshot) -> bool:
    return row.transfer is not None and row.transfer.id == transfer.id


def _is_done(row: TableRow) -> bool:
    return row.transfer is not None and row.transfer.state in (State.DONE, State.SKIPPED)

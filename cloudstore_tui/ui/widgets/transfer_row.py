"""One transfer as a row of a table."""

from dataclasses import dataclass

from rich.cells import set_cell_size

from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.transfer_text import size_text, state_text, verb
from cloudstore_tui.ui.widgets.transfer_line import LONGEST_NAME, bar_text, name_text

WIDE = 110
"""Cells from which on there is room for everything."""

_GAP = "  "
_VERB = 3
_SPEED = 11
_LEFT = 7
_LEVEL = 10
_LONGEST_SENTENCE = 4 * LONGEST_NAME


@dataclass(frozen=True, slots=True)
class RowForm:
    """The widths of the columns for a line of `width` cells."""

    width: int
    marks: str = "█░"

    @property
    def is_wide(self) -> bool:
        """Whether all columns are shown in full."""
        return self.width >= WIDE

    @property
    def bar(self) -> int:
        """Cells of a bar."""
        return 12 if self.is_wide else 6

    @property
    def state(self) -> int:
        """Cells of the column of states: a bar and a number."""
        return self.bar + 6

    @property
    def size(self) -> int:
        """Cells of the column of bytes: how many of how many, or only how many."""
        return 21 if self.is_wide else 9

    @property
    def tail(self) -> int:
        """Cells of everything right of the name."""
        widths = [self.state, self.size, _SPEED, _LEFT, *([_LEVEL] if self.is_wide else [])]
        return sum(widths) + len(_GAP) * (len(widths) - 1)

    @property
    def name(self) -> int:
        """Cells of the name: the rest."""
        return max(self.width - _VERB - 2 * len(_GAP) - self.tail, 12)

    def head(self) -> str:
        """The line of titles."""
        cells = [f"{'State':<{self.state}}", f"{'Bytes':>{self.size}}", f"{'Speed':>{_SPEED}}", f"{'Left':>{_LEFT}}"]
        if self.is_wide:
            cells.append("Verified")
        return self._line("", f"{'Name':<{self.name}}", _GAP.join(cells))

    def row(self, transfer: TransferSnapshot) -> str:
        """One transfer in exactly the width of the line."""
        what = name_text(transfer, self.name)
        return self._line(verb(transfer.request), what, plain(self._tail(transfer), _LONGEST_SENTENCE))

    def _tail(self, transfer: TransferSnapshot) -> str:
        state = transfer.state
        if state is State.RUNNING:
            said = bar_text(transfer, self.marks, self.bar) if transfer.size else state_text(transfer)
        elif state is State.DONE:
            said = "done"
        elif state in (State.PAUSED, State.PACKING) and not transfer.note:
            said = state_text(transfer)
        else:
            # A sentence needs the room of the numbers, of which there are none.
            return state_text(transfer)
        level = transfer.level if self.is_wide or state is not State.DONE else ""
        speed = words.speed(transfer.speed) if state is State.RUNNING else "" if level else transfer.level
        cells = [f"{said:<{self.state}}", f"{self._bytes(transfer):>{self.size}}"]
        cells += [f"{speed:>{_SPEED}}", f"{words.duration(transfer.eta):>{_LEFT}}", level]
        return _GAP.join(cells)

    def _bytes(self, transfer: TransferSnapshot) -> str:
        done, whole = words.size(transfer.done), size_text(transfer)
        if transfer.state is State.DONE or not whole:
            return done
        if transfer.state is State.PACKING:
            return whole
        return f"{done} of {whole}" if self.is_wide else done

    def _line(self, what: str, name: str, tail: str) -> str:
        return set_cell_size(f"{what:<{_VERB}}{_GAP}{name}{_GAP}{tail}", max(self.width, 0))

"""One entry as one line of a table."""

from datetime import tzinfo
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from cloudstore_tui.core.models import Column, ColumnKind, Entry
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain

MARK: Final = "*"
"""Shown before a marked row, so that marks are seen without colours."""

_GUTTER: Final = 2
_GAP: Final = 2
_LEAST: Final = 8
"""Cells to which a column of text may be narrowed before columns are left out."""
_LEAST_FLEXIBLE: Final = 16
_MOST_FLEXIBLE: Final = 40
"""Cells of a column without names at most: what stands behind it would be too far away to be read as one row."""
_RIGHT: Final = frozenset({ColumnKind.SIZE, ColumnKind.DURATION})
_CUT: Final = 512
"""Characters of a value that are looked at; no column is wider."""


class _Cell(NamedTuple):
    column: Column
    width: int
    right: bool
    middle: bool
    """Whether the middle of a long value is left out: the ends of names tell more."""


class RowPainter:
    """Draws lines of exactly one width; columns have the width they declare, and one of them takes the rest."""

    def __init__(self, columns: tuple[Column, ...], zone: tzinfo) -> None:
        self._columns = columns
        self._zone = zone
        self._width = 0
        self._cells: tuple[_Cell, ...] = ()

    def fit(self, width: int) -> None:
        """Use lines of `width` cells: narrow texts, then leave out columns from the right, until all fits."""
        if width != self._width:
            self._width = width
            self._cells = _fitted(self._columns, max(width - _GUTTER, 1))

    def header(self, sorted_by: str, descending: bool) -> str:
        """The line of titles, with an arrow at the column that `sorted_by` names."""
        cells = []
        for cell in self._cells:
            title = cell.column.title
            if cell.column.name == sorted_by:
                title = _shortened(title, cell.width - 2, middle=False) + (" ▼" if descending else " ▲")
            cells.append(_padded(title, cell))
        return self._line(" ", cells)

    def line(self, entry: Entry, *, marked: bool) -> str:
        """One entry."""
        zone = self._zone
        cells = [_padded(_value(entry, cell.column, zone), cell) for cell in self._cells]
        return self._line(MARK if marked else " ", cells)

    def sentence(self, text: str) -> str:
        """A line of words instead of an entry."""
        return self._line(" ", [text])

    def column_at(self, x: int) -> Column | None:
        """The column under a cell of the line."""
        end = _GUTTER
        for cell in self._cells:
            end += cell.width + _GAP
            if x < end:
                return cell.column
        return None

    def _line(self, sign: str, cells: list[str]) -> str:
        text = f"{sign} " + "  ".join(cells)
        if text.isascii():
            return text[: self._width].ljust(self._width)
        return set_cell_size(text, self._width)


def _value(entry: Entry, column: Column, zone: tzinfo) -> str:
    return plain(MASK.field(column.name, formatted.value(entry, column, zone)), _CUT)


def _fitted(columns: tuple[Column, ...], width: int) -> tuple[_Cell, ...]:
    kept = list(columns)
    while True:
        flexible = _flexible(kept)
        least = sum(_least(column, flexible) + _GAP for column in kept) - _GAP
        if least <= width or len(kept) <= 1:
            break
        kept.remove(next(column for column in reversed(kept) if column is not flexible))
    spare = max(width - least, 0)
    cells = []
    for column in kept:
        own = _least(column, flexible)
        if column is not flexible:
            more = min(column.width - own, spare)
            own, spare = own + more, spare - more
        cells.append(_Cell(column, own, column.kind in _RIGHT, column.name == "name"))
    return tuple(
        cell._replace(width=min(cell.width + spare, _most(cell.column, width))) if cell.column is flexible else cell
        for cell in cells
    )


def _most(column: Column, width: int) -> int:
    return width if column.name == "name" else min(width, max(column.width, _MOST_FLEXIBLE))


def _flexible(columns: list[Column]) -> Column | None:
    texts = [column for column in columns if column.kind is ColumnKind.TEXT] or columns
    named = [column for column in columns if column.name == "name"]
    return next(iter(named), max(texts, key=lambda column: column.width, default=None))


def _least(column: Column, flexible: Column | None) -> int:
    if column is flexible:
        return _LEAST_FLEXIBLE
    return min(column.width, _LEAST) if column.kind is ColumnKind.TEXT else column.width


def _padded(text: str, cell: _Cell) -> str:
    text = _shortened(text, cell.width, middle=cell.middle)
    blank = " " * (cell.width - (len(text) if text.isascii() else cell_len(text)))
    return blank + text if cell.right else text + blank


def _shortened(text: str, width: int, *, middle: bool) -> str:
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = _tail(text, (width - 1) // 2) if middle else ""
    return _head(text, width - 1 - cell_len(tail)) + "…" + tail


def _head(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    head = set_cell_size(text, width)
    return head.rstrip("\u200d")


def _tail(text: str, width: int) -> str:
    if text.isascii():
        return text[-width:] if width else ""
    for start in range(max(len(text) - width, 0), len(text)):
        tail = text[start:]
        # What draws in no cell belongs to the character before it and cannot begin a text.
        if cell_len(text[start]) and text[start - 1] != "\u200d" and cell_len(tail) <= width:
            return tail
    return ""

"""Rows of the table as lines: which columns fit, how wide they are, and their texts."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size

from cloudstore_tui.core.models import Column, ColumnKind, Entry, StoredObject
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.format import DateStyle, date_style, zone_label
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain, shorten

MARK: Final = "●"
"""Shown before a marked row, so that marks are visible without colours."""


class RowSign(StrEnum):
    """The state of the object in a row; the name is that of its style."""

    HERE = "✓"
    """Downloaded to this machine."""
    COMING = "↓"
    ARCHIVED = "❄"
    RESTORING = "⟳"
    LOST = "✗"
    """Cannot be downloaded: it was deleted, or its recording failed."""


_SIGNS: Final = {
    "ARCHIVED": RowSign.ARCHIVED,
    "PENDING": RowSign.RESTORING,
    **dict.fromkeys(("REVOKED", "DELETED", "FAILED"), RowSign.LOST),
}


def sign_of_state(entry: Entry) -> RowSign | None:
    """The sign for the state of an object at the service; `None` if it is available."""
    return _SIGNS.get(entry.state) if isinstance(entry, StoredObject) else None


_GUTTER: Final = 3
"""Cells before the first column: mark, sign and blank."""
_GAP: Final = 2
_MIN_TEXT: Final = 8
"""Least cells of a text column; columns are dropped before texts become narrower."""
_MIN_NAME: Final = 16
_MIN_ROOM: Final = 24
"""Width of a line below which a second column is worth more than a wide text."""
_MAX_FLEXIBLE: Final = 40
"""Most cells of a flexible column other than the name: a wider gap would make rows hard to read."""
_MIN_PERSON: Final = 12
"""Cells to which people are narrowed before a column of rank `_ESSENTIAL` is left out: most names fit."""
_ESSENTIAL: Final = 2
REPEATED: Final = 6
"""Rank of a column that says the same in every row."""
_EXTRA: Final = 7
"""Rank from which a column is shown only if all others have their full width."""
_RIGHT: Final = frozenset({ColumnKind.SIZE, ColumnKind.DURATION})
_CALL_COLUMNS: Final = frozenset({"agentName", "address", "queueName", "direction"})
"""Columns that have the same value in all objects of a call."""
_CUT: Final = 512
"""Characters of a value that are processed; no column is wider."""


class _Cell(NamedTuple):
    column: Column
    width: int
    gap: int = 0
    """Blank cells before the column."""

    @property
    def right(self) -> bool:
        return self.column.kind in _RIGHT


class RowRenderer:
    """Draws lines of one width. Columns have the widths they declare, except one that takes the rest.

    If the first column is a time, the date is shown only where it changes, and no more of it than distinguishes rows.
    """

    def __init__(self, columns: tuple[Column, ...], zone: tzinfo) -> None:
        self._columns = columns
        self._zone = zone
        self._fitted = (0, DateStyle.ISO, "")
        self._cells: tuple[_Cell, ...] = ()

    def fit(self, width: int, span: tuple[int, int] = (0, 0)) -> bool:
        """Lay out lines of `width` cells, narrowing and then dropping columns; whether the layout changed.

        Args:
            width: cells of a line.
            span: creation times of the oldest and the newest row, in epoch seconds.
        """
        dates, label = DateStyle.ISO, zone_label(self._zone, span)
        columns = self._columns
        if columns and columns[0].kind is ColumnKind.TIME:
            dates = date_style(span, self._zone)
            columns = (replace(columns[0], width=dates.width), *columns[1:])
        if (width, dates, label) == self._fitted:
            return False
        self._fitted = (width, dates, label)
        self._cells = _fitted(columns, max(width - _GUTTER, 1))
        return True

    def header(self, sorted_by: str, descending: bool) -> str:
        """The line of titles, with an arrow at the sorted column, and the zone at times."""
        cells, (_width, _dates, label) = [], self._fitted
        for cell in self._cells:
            title, arrow = cell.column.title, ""
            if cell.column.name == sorted_by:
                arrow = " ▼" if descending else " ▲"
            if cell.column.kind is ColumnKind.TIME and cell_len(f"{title} {label}{arrow}") <= cell.width:
                title = f"{title} {label}"
            cells.append(_padded(shorten(title, cell.width - len(arrow)) + arrow, cell))
        return self._line("", cells)

    def line(
        self,
        entry: Entry,
        above: Entry | None = None,
        person: Entry | None = None,
        *,
        marked: bool = False,
        sign: str = "",
    ) -> str:
        """One entry, below another one; `person` is a row of the same call that names its people, if it does not."""
        cells = [
            self._value(person if person is not None and cell.column.name in _CALL_COLUMNS else entry, above, cell)
            for cell in self._cells
        ]
        signs = f"{MARK}{sign}" if sign and marked else f" {MARK if marked else sign}"
        return self._line(signs, cells)

    def sentence(self, text: str) -> str:
        return self._line("", [text])

    def column_at(self, x: int) -> Column | None:
        """The column at a cell of the line."""
        return next((cell.column for cell, _, end in self._placed() if x <= end), None)

    def cells_of(self, name: str) -> tuple[int, int]:
        """First cell of a column and the cell after its last; zeros if it is not shown."""
        return next(((start, end) for cell, start, end in self._placed() if cell.column.name == name), (0, 0))

    def _placed(self) -> Iterator[tuple[_Cell, int, int]]:
        end = _GUTTER
        for cell in self._cells:
            start, end = end + cell.gap, end + cell.gap + cell.width
            yield cell, start, end

    def _value(self, entry: Entry, above: Entry | None, cell: _Cell) -> str:
        column, zone = cell.column, self._zone
        if cell is self._cells[0] and column.kind is ColumnKind.TIME and isinstance(entry, StoredObject):
            before = _moment(above, column) if above is not None else None
            return _padded(formatted.list_time(_moment(entry, column), before, zone, self._fitted[1]), cell)
        if column.kind in _RIGHT and column.name in ("size", "duration"):
            text = formatted.number_cell(entry, column, cell.width)
        elif column.name == "type":
            text = plain(formatted.type_cell(entry, cell.width), _CUT)
        else:
            text = plain(MASK.field(column.name, formatted.value(entry, column, zone)), _CUT)
        return _padded(text, cell)

    def _line(self, signs: str, cells: list[str]) -> str:
        gaps = [" " * cell.gap for cell in self._cells] or [""]
        text = f"{signs:2} " + "".join([gap + cell for gap, cell in zip(gaps, cells, strict=False)])
        width = self._fitted[0]
        if text.isascii():
            return text[:width].ljust(width)
        return set_cell_size(text, width)


def _moment(entry: Entry, column: Column) -> datetime | None:
    found = getattr(entry, column.name, None)
    return found if isinstance(found, datetime) else None


def _fitted(columns: tuple[Column, ...], room: int) -> tuple[_Cell, ...]:
    kept = list(columns)
    if sum(column.width for column in kept) + _GAP * (len(kept) - 1) > room:
        kept = [column for column in kept if column.rank < _EXTRA] or kept
    flexible = _flexible(kept)
    if flexible is not None and flexible.name != "name" and room < _MIN_ROOM:
        # If all rows have the same text, as in a search for one agent, other columns must distinguish them.
        kept[kept.index(flexible)] = flexible = replace(flexible, min_width=_MIN_TEXT)
    while len(kept) > 1 and (excess := sum(map(_least, kept)) + len(kept) - 1 - room) > 0:
        # Of columns with the same rank, drop the last one.
        last = max(reversed([column for column in kept if column is not flexible]), key=lambda one: one.rank)
        if flexible is not None and last.rank <= _ESSENTIAL and excess <= flexible.min_width - _MIN_PERSON:
            kept[kept.index(flexible)] = flexible = replace(flexible, min_width=flexible.min_width - excess)
        else:
            kept.remove(last)
    return _spread(kept, flexible, room)


def _spread(kept: list[Column], flexible: Column | None, room: int) -> tuple[_Cell, ...]:
    """Distribute the spare cells by importance; the rest goes to the flexible column."""
    widths = [_least(column) for column in kept]
    gaps = [int(number > 0) for number in range(len(kept))]
    texts = [number for number, column in enumerate(kept) if column.kind not in _RIGHT]
    numbers = [number for number in range(len(kept)) if number not in texts]
    # The most important gaps: after the first column, and between a right-aligned number and a text.
    first_gaps = [at for at in range(1, len(kept)) if at == 1 or (at in texts and at - 1 in numbers)]
    wishes = [
        *((gaps, at, _GAP) for at in first_gaps),
        *((widths, at, kept[at].width) for at in sorted(texts, key=lambda at: -_least(kept[at]))),
        *((widths, at, kept[at].width) for at in numbers[-1:]),
        *((gaps, at, _GAP) for at in range(1, len(kept))),
        *((widths, at, kept[at].width) for at in numbers[:-1]),
    ]
    if flexible is not None:
        most = room if flexible.name == "name" else min(room, max(flexible.width, _MAX_FLEXIBLE))
        wishes.append((widths, kept.index(flexible), most))
    spare = max(room - sum(widths) - sum(gaps), 0)
    for sizes, at, wanted in wishes:
        more = min(max(wanted - sizes[at], 0), spare)
        sizes[at] += more
        spare -= more
    return tuple(_Cell(*parts) for parts in zip(kept, widths, gaps, strict=True))


def _flexible(columns: list[Column]) -> Column | None:
    # Types never need more than their width.
    texts = [column for column in columns if column.kind is ColumnKind.TEXT and column.name != "type"] or columns
    named = [column for column in columns if column.name == "name"]
    return next(iter(named), max(texts, key=lambda column: (-column.rank, column.width), default=None))


def _least(column: Column) -> int:
    """Least width of a column; times cannot be cut."""
    is_rigid = column.kind is ColumnKind.TIME or (column.kind is not ColumnKind.TEXT and not column.min_width)
    if is_rigid:
        return column.width
    return min(column.width, column.min_width or (_MIN_NAME if column.name == "name" else _MIN_TEXT))


def _padded(text: str, cell: _Cell) -> str:
    # Shorten names in the middle, as both ends matter.
    text = shorten(text, cell.width, middle=cell.column.name == "name")
    blank = " " * (cell.width - (len(text) if text.isascii() else cell_len(text)))
    return blank + text if cell.right else text + blank

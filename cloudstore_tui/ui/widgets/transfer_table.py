"""The list of transfers: batches, and below them their transfers, drawn line by line."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from itertools import chain, islice
from typing import ClassVar, TypeAlias

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.transfers.model import (
    State,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    sizes_of,
)
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import LONGEST_NAME, cell, end_of, home_path, plain, shorten
from cloudstore_tui.ui.transfer_text import STATE_WORDS, WIDE, failure, request_title, target_of, title_of, verified
from cloudstore_tui.ui.transfer_watch import ACTIVE, BatchProgress, level_of, span_of, was_already_there
from cloudstore_tui.ui.widgets.cursor_list import CursorList

FEW = 20
"""Transfers up to which an unfolded batch lists each; in larger ones, those that wait or are done share a row."""
_SIGNS: Mapping[State, str] = {
    State.QUEUED: "·",
    State.PACKING: "⟳",
    State.PAUSED: "‖",
    State.DONE: "✓",
    State.SKIPPED: "✓",
    State.FAILED: "✗",
    State.CANCELLED: "✗",
}
_WITH_METER = frozenset({State.RUNNING, State.PAUSED})
_EMPTY = " No transfers. d in the browser downloads, u uploads."

Piece: TypeAlias = tuple[str, str]
"""A text that is safe to draw, and its style: a state, `head`, `muted` or empty."""
Line: TypeAlias = tuple[Piece, ...]


class RowKind(StrEnum):
    """What a row shows."""

    BATCH = "batch"
    TRANSFER = "transfer"
    REMAINDER = "remainder"
    """All transfers of a large batch that are in the same state."""


class TransferRow(Struct, frozen=True):
    """Identifies a row: a batch, one of its transfers, or all that wait or are done."""

    batch: str
    """The key of its batch."""
    kind: RowKind = RowKind.BATCH
    number: int = 0
    states: tuple[State, ...] = ()

    def numbers(self, batch: BatchProgress) -> list[int]:
        """Ids of the transfers that the row stands for."""
        if self.kind is RowKind.BATCH:
            return list(batch.transfers)
        if self.kind is RowKind.TRANSFER:
            return [self.number] if self.number in batch.transfers else []
        return [number for state in self.states for number in batch.of_state[state]]

    def states_of(self, batch: BatchProgress) -> set[State]:
        if self.kind is RowKind.TRANSFER:
            return {batch.transfers[number].state for number in self.numbers(batch)}
        return {state for state in self.states or State if batch.of_state[state]}


# The table


_CLASSES: Mapping[str, str] = {
    **dict.fromkeys((State.DONE, State.SKIPPED), "transfers--done"),
    State.FAILED: "transfers--failed",
    **dict.fromkeys((State.CANCELLED, State.WAITING, State.PAUSED, State.QUEUED), "transfers--waiting"),
    **dict.fromkeys((State.SIGNING, State.PACKING, State.RUNNING, State.VERIFYING), "transfers--running"),
    "head": "transfers--head",
    "muted": "transfers--muted",
    "mark": "transfers--mark",
}


class TransferTable(CursorList):
    """Lists batches, unfolded ones with their transfers. The cursor stays on its row while rows change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*_CLASSES.values()}
    DEFAULT_CSS = """
    TransferTable {
        border-bottom: solid $border-blurred;
        &.-wide { border-top: solid $border-blurred; }
        & > .transfers--running { color: $text-primary; }
        & > .transfers--waiting { color: $text-warning; }
        & > .transfers--done { color: $text-success; }
        & > .transfers--failed { color: $text-error; }
        & > .transfers--muted { color: $text-muted; }
        & > .transfers--mark { color: $text-accent; text-style: bold; }
        & > .transfers--head { color: $text-muted; text-style: bold; }
    }
    """

    class Moved(Message):
        """The cursor is on another row, or its row has changed."""

    class Opened(Message):
        """The row under the cursor was clicked."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        super().__init__(id="table")
        self._zone = zone
        self._batches: Mapping[str, BatchProgress] = {}
        self._rows: list[TransferRow] = []
        self._drawn: dict[int, tuple[Line, bool]] = {}
        self._target = 0
        """Cells of the longest target; 0 on narrow screens, where targets follow the titles."""
        self.unfolded: set[str] = set()
        """Keys of the unfolded batches."""
        self.marks: set[TransferRow] = set()

    @property
    def row(self) -> TransferRow | None:
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def current(self) -> BatchProgress | None:
        """The batch of the row under the cursor."""
        return self._batches.get(self.row.batch) if self.row is not None else None

    def chosen(self) -> dict[str, list[int]]:
        """Ids of the marked transfers, or those of the row under the cursor, by batch."""
        chosen: dict[str, dict[int, None]] = {}
        for row in self._chosen_rows():
            chosen.setdefault(row.batch, {}).update(dict.fromkeys(row.numbers(self._batches[row.batch])))
        return {batch: list(numbers) for batch, numbers in chosen.items()}

    def chosen_states(self) -> set[State]:
        """States of the marked transfers, or those of the row under the cursor."""
        return set().union(*(row.states_of(self._batches[row.batch]) for row in self._chosen_rows()))

    def _chosen_rows(self) -> list[TransferRow]:
        rows = [row for row in self._rows if row in self.marks] if self.marks else [self.row] if self.row else []
        # A batch may have gone since the last update.
        return [row for row in rows if row.batch in self._batches]

    def show(self, batches: Mapping[str, BatchProgress]) -> None:
        """Show batches; redraw only the lines in view that differ."""
        before = self.row
        self._batches = batches
        is_narrow = self.size.width < WIDE
        measured = () if is_narrow else islice(batches.values(), _MEASURED)
        self._target = max((cell_len(_where(batch)) for batch in measured), default=0)
        self.unfolded &= batches.keys()
        self._rows = _rows_of(batches, self.unfolded, is_narrow=is_narrow)
        self.marks &= set(self._rows) if self.marks else set()
        self.set_row_count(len(self._rows))
        if before is not None and before != self.row:
            self._keep_cursor_on(before)
        for y, drawn in list(self._drawn.items()):
            if y < self.size.height and self._line(y) != drawn:
                self.refresh(Region(0, y, self.size.width, 1))

    def _keep_cursor_on(self, row: TransferRow) -> None:
        """Keep the cursor on its row, or on its batch if the row is gone."""
        rows, index = self._rows, self.validate_cursor(self.cursor)
        if row in rows:
            index = rows.index(row)
        elif rows and rows[index].batch != row.batch:
            index = next((place for place, other in enumerate(rows) if other.batch == row.batch), index)
        self.cursor = index
        self.post_message(self.Moved())

    def go_to(self, key: str) -> None:
        self.cursor = next((place for place, row in enumerate(self._rows) if row.batch == key), self.cursor)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Moved())

    def fold(self, *, unfold: bool | None = None) -> None:
        """Fold or unfold the batch under the cursor; `None` toggles."""
        if (row := self.row) is None:
            return
        unfold = row.batch not in self.unfolded if unfold is None else unfold
        (self.unfolded.add if unfold else self.unfolded.discard)(row.batch)
        self.show(self._batches)
        if not unfold:
            self.go_to(row.batch)

    def mark(self) -> None:
        """Mark or unmark the row under the cursor, and move down."""
        if self.row is not None:
            self.marks ^= {self.row}
            self.refresh_row(self.cursor)
            self.cursor += 1

    def clear_marks(self) -> bool:
        """Unmark everything; whether anything was marked."""
        had, self.marks = bool(self.marks), set()
        self.refresh()
        return had

    def click_row(self, row: int, _event: events.Click, /) -> None:
        if row == self.cursor:
            self.post_message(self.Opened())
        self.cursor = row

    def on_resize(self) -> None:
        # Narrow screens have a rule instead of the titles.
        self.set_class(self.size.width >= WIDE, "-wide")
        super().on_resize()
        self.show(self._batches)

    def render_line(self, y: int) -> Strip:
        line, has_cursor = self._drawn[y] = self._line(y)
        cursor = self.part_style("cursor") if has_cursor else None
        segments = []
        for text, role in line:
            # The cursor has one style from edge to edge; signs and words still show the state.
            style = cursor or self.rich_style
            if cursor is None and role in _CLASSES:
                style += self.get_component_rich_style(_CLASSES[role], partial=True)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width, cursor or self.rich_style)

    def _line(self, y: int) -> tuple[Line, bool]:
        columns = Columns.of(self.size.width, self._target)
        if y == 0:
            return ((columns.head(), "head"),), False
        index = self.scroll_offset.y + y - 1
        if index >= len(self._rows):
            return ((_EMPTY if y == 1 and not self._rows else "", "muted"),), False
        row = self._rows[index]
        if row.batch not in self._batches or not row.numbers(self._batches[row.batch]):
            return (("", ""),), False
        line = _line_of(row, self._batches[row.batch], columns, self._zone, is_open=row.batch in self.unfolded)
        mark = ("●", "mark") if row in self.marks else (" ", "")
        return (mark, *line), self.has_focus and index == self.cursor


def _rows_of(batches: Mapping[str, BatchProgress], unfolded: set[str], *, is_narrow: bool) -> list[TransferRow]:
    """All rows, batch by batch."""
    rows: list[TransferRow] = []
    for key, batch in batches.items():
        rows.append(TransferRow(key))
        if key in unfolded:
            rows += _members(key, batch, is_narrow=is_narrow)
    return rows


def _members(key: str, batch: BatchProgress, *, is_narrow: bool) -> Iterator[TransferRow]:
    """The rows below a batch: all its transfers; of a large one those that run or failed, and counts of the others."""
    if len(batch.transfers) <= FEW:
        yield from (TransferRow(key, RowKind.TRANSFER, number) for number in batch.transfers)
        return
    numbers = [number for state in ACTIVE for number in batch.of_state[state]]
    numbers += islice(batch.of_state[State.FAILED], FEW)
    yield from (TransferRow(key, RowKind.TRANSFER, number) for number in sorted(numbers, key=batch.places.__getitem__))
    groups = [group for group in _GROUPED_STATES if any(batch.of_state[state] for state in group)]
    if len(batch.of_state[State.FAILED]) <= FEW:
        # All of them are listed above.
        groups = [group for group in groups if State.FAILED not in group]
    if is_narrow and groups:
        groups = [tuple(chain(*groups))]
    yield from (TransferRow(key, RowKind.REMAINDER, states=group) for group in groups)


_GROUPED_STATES: Sequence[tuple[State, ...]] = (
    (State.QUEUED,),
    (State.PAUSED,),
    (State.CANCELLED,),
    (State.FAILED,),
    (State.DONE, State.SKIPPED),
)
"""States whose transfers share a row in large batches."""


# Lines


_MIN_WHERE = 23
"""Cells from which a title and a target are both shown."""
_MIN_TARGET = 22
"""Least cells of the column of targets: `1,234 files` and short folders fit."""
_MEASURED = 200
"""Batches whose targets are measured, from the top of the list."""
_PROGRESS = ((WIDE, 41, 16), (72, 39, 10), (40, 26, 4), (0, 7, 0))
"""By least width of the line: cells of the progress column, and of the meter in it."""


class Columns(Struct, frozen=True):
    """Where the columns begin, for one width of the list."""

    width: int
    where: int
    """Where the target begins; equal to `progress` if it follows the title instead."""
    progress: int
    """Where the progress column begins."""
    meter: int
    """Cells of a meter."""

    @classmethod
    def of(cls, width: int, target: int) -> "Columns":
        """The columns for a width, and for targets of at most so many cells: what they leave is for the titles."""
        room, meter = next((room, meter) for least, room, meter in _PROGRESS if width >= least)
        progress = width - room
        if width < WIDE:
            return cls(width, progress, progress, meter)
        most = 33 + (width - 120) // 4
        return cls(width, progress - min(max(target + 2, _MIN_TARGET), most), progress, meter)

    def head(self) -> str:
        """The line of titles, or a rule on narrow screens."""
        if self.width < WIDE:
            return "─" * self.width
        return _put(self.width, (3, "What"), (self.where, "Where to"), (self.progress, "Progress"))


def _put(width: int, *parts: tuple[int, str]) -> str:
    line = ""
    for start, text in parts:
        line = set_cell_size(line, start) + text
    return set_cell_size(line, max(width, 0))


def _line_of(row: TransferRow, batch: BatchProgress, columns: Columns, zone: tzinfo, *, is_open: bool) -> Line:
    """A row in the full width, except for the first cell, which is for the mark."""
    if row.kind is RowKind.REMAINDER:
        text = " · ".join(_remainder(batch, group) for group in _GROUPED_STATES if group[0] in row.states)
        return ((set_cell_size(shorten(f"    {plain(text)}", columns.width - 1), columns.width - 1), "muted"),)
    if row.kind is RowKind.BATCH:
        return _batch_line(batch, columns, zone, is_open=is_open)
    return _transfer_line(batch, batch.transfers[row.number], columns, zone)


def _remainder(batch: BatchProgress, states: tuple[State, ...]) -> str:
    """`36 more waiting`, or `2 zips done: 1 000 files, 805 MB, all verified`."""
    count = sum(len(batch.of_state[state]) for state in states)
    if State.DONE not in states:
        return f"{_SIGNS[states[0]]} {count:,} more {STATE_WORDS[states[0]]}"
    what = f"{counted(count, 'zip')} done: " if batch.zips else ""
    files = counted(batch.files(*states), "file") + ("" if what else " done")
    return f"✓ {what}{files}, {words.size(batch.bytes_of(*states))}, {verified(batch.levels)}"


def _sign_of(state: State, batch: BatchProgress) -> str:
    return _SIGNS.get(state, "↑" if batch.is_upload else "↓")


def _batch_line(batch: BatchProgress, columns: Columns, zone: tzinfo, *, is_open: bool) -> Line:
    state = batch.state
    sign = _sign_of(state, batch)
    title, target = plain(title_of(batch), LONGEST_NAME), target_of(batch)
    if batch.process:
        title += f" (pid {batch.process})"
    where, suffix, room = "", "", columns.where - 6
    if columns.width >= WIDE:
        where = _where(batch)
    elif target and room >= _MIN_WHERE:
        suffix = " → " + end_of(plain(target, LONGEST_NAME), max(room // 4, room - 3 - cell_len(title)))
    # File names are recognized by both ends; `1,234 files` must keep its middle.
    title = shorten(title, room - cell_len(suffix), middle=batch.only is not None) + suffix
    fold = "▾" if is_open else "▸"
    status = _batch_status(batch, state)
    seconds = batch.seconds_left if batch.goes_on else None
    time = _time(state, seconds, None if batch.goes_on else batch.ended, zone, is_kept=bool(batch.kept))
    # Progress says more than the state of one of many transfers.
    shown = State.RUNNING if batch.goes_on and batch.done and batch.only is None else state
    progress = _progress(columns, shown, batch.done, batch.size, status, time)
    return _line(columns, f"{fold} ", sign, title, where, state, progress)


def _where(batch: BatchProgress) -> str:
    """The target of a batch, and in how many zips it comes."""
    target, zips = target_of(batch), len(batch.zips)
    return f"{target}  ({zips} zips of {batch.in_zip:,})" if zips > 1 else target


def _batch_status(batch: BatchProgress, state: State) -> str:
    """The text shown instead of a meter."""
    if state is State.DONE or state is State.SKIPPED:
        result = verified(batch.levels) if batch.levels else STATE_WORDS[State.SKIPPED]
        return f"{words.size(batch.size)} · {result.removeprefix('all ')}"
    if state is State.FAILED:
        failed, count = len(batch.of_state[State.FAILED]), len(batch.transfers)
        return (f"{failed:,} of {count:,} failed: " if count > 1 else "") + failure(next(batch.failures()))
    only = batch.only
    return only.note if only is not None and only.note else STATE_WORDS[state]


def _time(state: State, seconds: float | None, ended: datetime | None, zone: tzinfo, *, is_kept: bool) -> str:
    """Time left, `paused` or `stopped`, or when it ended."""
    if state is State.PAUSED:
        return "stopped" if is_kept else "paused"
    return words.duration(seconds) or words.time(ended, zone)[11:]


def _transfer_line(batch: BatchProgress, transfer: TransferSnapshot, columns: Columns, zone: tzinfo) -> Line:
    request, state = transfer.request, transfer.state
    # Most are recordings; leaving that out makes room for whose they are, and when.
    title, where = request_title(request, zone).removeprefix("Recording of "), ""
    if isinstance(request, ZipRequest):
        title = f"zip {batch.zips[transfer.id]}"
        title += f" of {len(batch.zips)}" if columns.width < WIDE else ""
        if (span := span_of(request)) is not None:
            title += "   " + _span_text(*span, zone, is_short=columns.width < WIDE)
        where = counted(len(request.members), "file")
    elif isinstance(request, UploadRequest):
        where = home_path(request.path.parent)
    else:
        where = home_path(request.folder)
    size = transfer.size if transfer.size is not None else sum(size or 0 for size in sizes_of(request))
    seconds = transfer.eta if state is State.RUNNING else None
    time = _time(state, seconds, transfer.ended, zone, is_kept=transfer.id in batch.kept)
    progress = _progress(columns, state, transfer.done, size, _transfer_status(transfer), time)
    return _line(columns, "    ", _sign_of(state, batch), title, where, state, progress)


def _transfer_status(transfer: TransferSnapshot) -> str:
    if transfer.state is State.FAILED:
        return failure(transfer)
    if transfer.state is State.DONE:
        result = "already there, the same" if was_already_there(transfer) else verified({level_of(transfer): 1})
        return " · ".join(filter(None, (words.size(transfer.size or transfer.done), result, transfer.note)))
    return transfer.note or STATE_WORDS[transfer.state]


def _progress(columns: Columns, state: State, done: int, size: int, status: str, time: str) -> str:
    """The progress column: meter, bytes and time, or else a text and the time."""
    room = columns.width - columns.progress - 1
    if state in _WITH_METER and size and not status.startswith("failed"):
        if not columns.meter:
            return f"{words.percent(done, size):>4} % "
        left = f"{words.meter(done, size, columns.meter)}  {words.of_text(done, size)}"
        return set_cell_size(left, max(room - cell_len(time) - 1, 0)) + f" {time} "
    status = plain(status, 4 * LONGEST_NAME)
    if time and columns.meter:
        return set_cell_size(shorten(status, room - len(time) - 2), room - len(time)) + f"{time} "
    return set_cell_size(shorten(status, room), room + 1)


def _line(columns: Columns, indent: str, sign: str, title: str, where: str, state: State, progress: str) -> Line:
    room = columns.where - 1 - len(indent) - 2
    what = cell(title, room - 1) + " "
    target = cell(where, columns.progress - columns.where - 2) + "  " if columns.where < columns.progress else ""
    line = ((indent, "muted"), (f"{sign} ", state.value), (what, ""), (target, "muted"), (progress, state.value))
    return tuple(piece for piece in line if piece[0])


def _span_text(first: datetime, last: datetime, zone: tzinfo, *, is_short: bool) -> str:
    """`30 Aug 14:02 – 31 Aug 09:40`, or short `30–31 Aug`."""
    first, last = first.astimezone(zone), last.astimezone(zone)
    if not is_short:
        return f"{first.day} {first:%b %H:%M} – {last.day} {last:%b %H:%M}"
    if first.date() == last.date():
        return f"{last.day} {last:%b}"
    is_one_month = (first.year, first.month) == (last.year, last.month)
    return f"{first.day}–{last.day} {last:%b}" if is_one_month else f"{first.day} {first:%b}–{last.day} {last:%b}"

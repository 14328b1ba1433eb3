"""Where the cursor is in a list, how much of that is loaded and marked, and what goes on."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.results.row_store import RowStore, Selection
from cloudstore_tui.ui import format as words

_DIRECTIONS: Mapping[ColumnKind, tuple[str, str]] = {
    ColumnKind.SIZE: ("smallest first", "largest first"),
    ColumnKind.TIME: ("oldest first", "newest first"),
    ColumnKind.DURATION: ("shortest first", "longest first"),
}
_LONGEST_FILTER = 40


class Progress(Struct, frozen=True):
    """How far a list is read."""

    loading: bool = False
    ended: bool = False
    """Whether nothing more would come."""
    total: int | None = None
    """Number of entries, where the service tells."""
    stopped: bool = False
    """Whether reading failed; why was told."""
    order: str = ""
    """The order in which the service gives them, in words; empty for the usual one."""
    note: str = ""
    """What else goes on."""


def foot_text(store: RowStore, progress: Progress, zone: tzinfo = UTC, row: int = 0) -> str:
    """`row 57 of 100 loaded of 20,247 · 3 marked, 12.4 MB, of 2024-09-01`; not yet safe to draw."""
    parts = [_row(store, progress, row), _marks(store, zone), _order(store, progress), progress.note]
    if progress.loading:
        parts.append("Esc stops" if progress.note else "loading… Esc stops")
    elif progress.stopped:
        parts.append("stopped: r reads again")
    return " · ".join(part for part in parts if part)


def order_words(column: Column, *, descending: bool) -> str:
    """`newest first`, or `by agent, Z–A` where the values alone do not say of what."""
    upward, downward = _DIRECTIONS.get(column.kind, ("A–Z", "Z–A"))
    direction = downward if descending else upward
    return direction if column.kind in _DIRECTIONS else f"by {column.title}, {direction}"


def _row(store: RowStore, progress: Progress, row: int) -> str:
    """`row 1 of 245`, with what is loaded and how much there is in all, as far as that differs."""
    shown, loaded = len(store), store.loaded
    if not loaded:
        return "no rows" if progress.ended else ""
    parts = [f"row {words.count(min(row, shown - 1) + 1)} of {words.count(shown)}" if shown else "no rows"]
    if store.filtered_by:
        text = store.filtered_by
        cut = text if len(text) <= _LONGEST_FILTER else text[: _LONGEST_FILTER - 1] + "…"
        parts.append(f"with “{cut}” of {words.count(loaded)}")
    if not progress.ended:
        parts.append("loaded")
        if progress.total is not None and progress.total > loaded:
            parts.append(f"of {words.count(progress.total)}")
    return " ".join(parts)


def _marks(store: RowStore, zone: tzinfo) -> str:
    marks = store.selection
    if not marks.count:
        return ""
    size = words.size(marks.size, exact=marks.size_exact) if marks.size else ""
    parts = [f"{words.count(marks.count)} marked", size, _span(marks, zone)]
    return ", ".join(part for part in parts if part)


def _span(marks: Selection, zone: tzinfo) -> str:
    """The days, or the times of one day, from the oldest to the newest of what is marked."""
    if not marks.first or marks.count == 1:
        return ""
    first, last = (words.time(datetime.fromtimestamp(moment, UTC), zone) for moment in (marks.first, marks.last))
    if first[:10] != last[:10]:
        return f"{first[:10]} to {last[:10]}"
    return first if first == last else f"{first} to {last[11:]}"


def _order(store: RowStore, progress: Progress) -> str:
    """An order that is not the usual one of the list, and whether it leaves out what may still come."""
    column, descending = store.sorted_by
    if column is None:
        return progress.order
    if column.name == "name" and not descending:
        return ""
    return order_words(column, descending=descending) + ("" if progress.ended else ", loaded rows only")

"""How much of a list is loaded, shown and marked, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.results.row_store import RowStore, Selection
from cloudstore_tui.ui import format as words

_DIRECTIONS: Mapping[ColumnKind, tuple[str, str]] = {
    ColumnKind.SIZE: ("smallest first", "largest first"),
    ColumnKind.TIME: ("oldest first", "newest first"),
    ColumnKind.DURATION: ("shortest first", "longest first"),
}
_LONGEST_FILTER = 40


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list is read."""

    loading: bool = False
    ended: bool = False
    """Whether nothing more would come."""
    total: int | None = None
    """Number of entries, where the service tells."""
    error: str = ""
    """Why reading stopped."""
    order: str = ""
    """The order in which the service gives them, in words."""
    note: str = ""
    """What else goes on."""


def foot_text(store: RowStore, progress: Progress, zone: tzinfo = UTC) -> str:
    """`200 of 2,431 loaded · 3 marked, 12.4 MB, of 2024-09-01 · newest first`; not yet safe to draw."""
    parts = [_loaded(store, progress), _filter(store), _marks(store, zone), _order(store, progress), progress.note]
    if progress.loading:
        parts.append("loading… Esc stops")
    elif progress.error:
        parts.append(f"stopped: {progress.error}")
    return " · ".join(part for part in parts if part)


def order_words(column: Column, *, descending: bool) -> str:
    """`newest first`, or `by agent, Z–A` where the values alone do not say of what."""
    upward, downward = _DIRECTIONS.get(column.kind, ("A–Z", "Z–A"))
    direction = downward if descending else upward
    return direction if column.kind in _DIRECTIONS else f"by {column.title}, {direction}"


def _loaded(store: RowStore, progress: Progress) -> str:
    if progress.ended:
        return "1 entry" if store.loaded == 1 else f"{words.count(store.loaded)} entries"
    if progress.total is not None and progress.total > store.loaded:
        return f"{words.count(store.loaded)} of {words.count(progress.total)} loaded"
    return f"{words.count(store.loaded)} loaded" if store.loaded else ""


def _filter(store: RowStore) -> str:
    if not store.filtered_by:
        return ""
    text = store.filtered_by
    shown = text if len(text) <= _LONGEST_FILTER else text[: _LONGEST_FILTER - 1] + "…"
    return f"{words.count(len(store))} with “{shown}”"


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
    column, descending = store.sorted_by
    if column is None:
        return progress.order
    return order_words(column, descending=descending) + ("" if progress.ended else ", loaded rows only")

"""Where the cursor is in a list, how much of that is loaded and marked, and what goes on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.core.models import Column, ColumnKind, Location, StoredObject, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui.browser.entries_pane import Progress, status_text


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RowStore]:
    store = RowStore(tmp_path)
    rows = [StoredObject(Location("p", path=f"k{n}"), f"k{n}", size=4_133_333, size_exact=True) for n in range(200)]
    store.extend(rows)
    store.mark(identity(row) for row in rows[:3])
    yield store
    store.close()


def test_the_sentence_of_the_design(store: RowStore) -> None:
    assert status_text(store, Progress(total=2_431), row=56) == "row 57 of 200 loaded of 2,431 · 3 marked, 12.4 MB"
    assert status_text(store, Progress(ended=True, order="largest first")).endswith("12.4 MB · largest first")


def test_the_span_of_what_is_marked_is_shown_in_days_or_in_times_of_one_day(store: RowStore) -> None:
    store.clear_marks()
    rows = [
        StoredObject(Location("p", path=f"t{day}{hour}"), "t", created=datetime(2024, 9, day, hour, tzinfo=UTC))
        for day, hour in ((1, 9), (1, 17), (3, 0))
    ]
    store.extend(rows)
    store.mark([identity(rows[0])])
    assert status_text(store, Progress()) == "row 1 of 203 loaded · 1 marked"
    store.mark([identity(rows[1])])
    assert status_text(store, Progress()) == "row 1 of 203 loaded · 2 marked, 2024-09-01 09:00 to 17:00"
    store.mark([identity(rows[2])])
    assert status_text(store, Progress()) == "row 1 of 203 loaded · 3 marked, 2024-09-01 to 2024-09-03"
    zone = ZoneInfo("America/New_York")
    assert status_text(store, Progress(), zone) == "row 1 of 203 loaded · 3 marked, 2024-09-01 to 2024-09-02"


def test_all_of_it(store: RowStore) -> None:
    store.clear_marks()
    assert status_text(store, Progress(ended=True, total=200)) == "row 1 of 200"
    assert status_text(store, Progress(ended=True), row=500) == "row 200 of 200"
    store.clear()
    assert status_text(store, Progress(ended=True)) == "no rows"
    assert status_text(store, Progress(loading=True)) == "loading… Esc stops"


def test_a_total_that_is_not_known_or_too_small_is_not_shown(store: RowStore) -> None:
    store.clear_marks()
    assert status_text(store, Progress()) == "row 1 of 200 loaded"
    assert status_text(store, Progress(total=100)) == "row 1 of 200 loaded"


@pytest.mark.parametrize(
    ("kind", "descending", "words"),
    [
        (ColumnKind.SIZE, True, "largest first"),
        (ColumnKind.TIME, False, "oldest first"),
        (ColumnKind.DURATION, True, "longest first"),
        (ColumnKind.TEXT, False, "by T, A–Z"),
    ],
)
def test_an_order_of_loaded_rows_says_so(store: RowStore, kind: ColumnKind, descending: bool, words: str) -> None:
    store.sort(Column("size", "T", kind), descending)
    assert status_text(store, Progress(total=2_431)).endswith(f"{words}, loaded rows only")
    assert status_text(store, Progress(ended=True)).endswith(words)


def test_a_filter_tells_what_is_shown_and_is_cut_where_it_is_long(store: RowStore) -> None:
    store.filter("k19")
    assert status_text(store, Progress(ended=True)).startswith("row 1 of 11 with “k19” of 200 ·")
    store.filter("x" * 1_000)
    assert status_text(store, Progress(ended=True)).startswith("no rows with “xxx")
    assert len(status_text(store, Progress(ended=True))) < 120


def test_what_goes_on_and_what_went_wrong_come_last(store: RowStore) -> None:
    assert status_text(store, Progress(loading=True)).endswith("· loading… Esc stops")
    assert status_text(store, Progress(loading=True, note="marking…")).endswith("· marking… · Esc stops")
    assert status_text(store, Progress(stopped=True)).endswith("· stopped: r reads again")

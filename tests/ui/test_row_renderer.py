from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cloudstore_tui.core.models import Column, ColumnKind, Folder, Location, StoredObject
from cloudstore_tui.ui.widgets.virtual_table import RowRenderer

NAME, AGENT = Column("name", "Name"), Column("agent", "Agent", width=12)
CREATED, SIZE = Column("created", "Created", ColumnKind.TIME, 16), Column("size", "Size", ColumnKind.SIZE, 9)
COLUMNS = (NAME, AGENT, CREATED, SIZE)


def entry(name: str, agent: str = "Khang", size: int = 1500) -> StoredObject:
    moment = datetime(2024, 9, 1, 9, 12, tzinfo=UTC)
    return StoredObject(Location("a", path="1"), name, size=size, created=moment, tags=(("agent", agent),))


def renderer(width: int, columns: tuple[Column, ...] = COLUMNS) -> RowRenderer:
    renderer = RowRenderer(columns, UTC)
    renderer.fit(width)
    return renderer


def test_a_row_shows_all_columns_numbers_to_the_right() -> None:
    line = renderer(64).line(entry("a.mp3"), marked=False)
    assert line == f"  {'a.mp3':<19}  {'Khang':<12}  2024-09-01 09:12  {'≈1.5 kB':>9}"
    assert renderer(64).line(entry("a.mp3"), marked=True).startswith("* a.mp3")


def test_the_name_takes_what_is_left() -> None:
    for width in (70, 100, 200):
        line = renderer(width).line(entry("n" * 300), marked=False)
        assert cell_len(line) == width
        assert line.rstrip().endswith("≈1.5 kB")
        assert line[2 : 2 + width - 2 - 12 - 16 - 9 - 6].replace("…", "n") == "n" * (width - 45)


def test_texts_are_narrowed_before_columns_are_left_out_from_the_right() -> None:
    assert renderer(60).header("", False).split() == ["Name", "Agent", "Created", "Size"]
    assert renderer(50).header("", False).split() == ["Name", "Agent", "Created"]
    assert renderer(30).header("", False).split() == ["Name", "Agent"]
    assert renderer(20).header("", False).split() == ["Name"]


def test_long_names_lose_their_middle_and_other_texts_their_end() -> None:
    line = renderer(70).line(entry("int-" + "x" * 60 + "-01.mp3", "Somebody With A Name"), marked=False)
    name, agent = line[2:27], line[29:41]
    assert name.startswith("int-xxx")
    assert name.endswith("x-01.mp3")
    assert name.count("…") == 1
    assert agent == "Somebody Wi…"


def test_the_arrow_is_never_cut_off() -> None:
    columns = (NAME, Column("size", "A very long title", ColumnKind.SIZE, 9))
    assert "A very… ▲" in renderer(60, columns).header("size", False)
    assert renderer(60).header("name", True).startswith("  Name ▼")


def test_a_click_finds_the_column_below_it() -> None:
    wide = renderer(80)
    header = wide.header("", False)
    for column in COLUMNS:
        assert wide.column_at(header.index(column.title)) is column
    assert wide.column_at(79) is SIZE
    assert wide.column_at(500) is None


def test_a_folder_is_told_by_its_slash() -> None:
    assert renderer(40, (NAME,)).line(Folder(Location("a"), "exports"), marked=False).rstrip() == "  exports/"


def test_times_are_those_of_the_zone() -> None:
    there = RowRenderer((NAME, CREATED), ZoneInfo("Asia/Tokyo"))
    there.fit(60)
    assert there.line(entry("x"), marked=False).rstrip().endswith("2024-09-01 18:12")


@pytest.mark.parametrize("columns", [(), (SIZE,), (CREATED, SIZE), COLUMNS])
@given(st.text(st.characters(exclude_categories=()), max_size=60), st.integers(1, 120))
def test_any_name_in_any_width_fills_the_line_exactly(columns: tuple[Column, ...], name: str, width: int) -> None:
    narrow = renderer(width, columns)
    assert cell_len(narrow.line(entry(name, name), marked=True)) == width
    assert cell_len(narrow.header("size", True)) == width
    assert cell_len(narrow.sentence("x" * 200)) == width


@given(st.text("日本👩\u200d👧\ufe0f\u0301ab…", max_size=40), st.integers(24, 60))
def test_wide_and_joined_characters_do_not_move_the_next_column(name: str, width: int) -> None:
    columns = (NAME, Column("agent", "Agent", width=4))
    line = renderer(width, columns).line(entry(name, "AAAA"), marked=False)
    assert line.endswith("AAAA")
    assert cell_len(line[:-4]) == width - 4


def test_without_names_columns_stay_near_each_other_in_a_wide_terminal() -> None:
    columns = (Column("agent", "Agent", width=12), Column("queue", "Queue", width=10))
    head = renderer(200, columns).header("", False)
    assert head.index("Queue") <= 50
    assert len(head) == 200

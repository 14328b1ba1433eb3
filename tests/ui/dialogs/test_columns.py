"""What a list is sorted by, which columns it shows, and what its rows are counted by."""

from collections.abc import Sequence
from typing import Any

import pytest

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.ui.dialogs.columns import (
    NARROWEST,
    WIDEST,
    Bar,
    ColumnsDialog,
    Grouping,
    HistogramDialog,
    SortDialog,
)

NAME = Column("name", "Name", width=30, sort_field="objectName")
SIZE = Column("size", "Size", ColumnKind.SIZE, width=9)
QUEUE = Column("queue", "[/x] \x1b[1mQueue", width=12)
COLUMNS = (NAME, SIZE, QUEUE)


def _no_others(_: Column) -> str:
    return ""


async def test_enter_sorts_by_the_column_under_the_cursor(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, _no_others)) as it:
        assert "A–Z" in it.text
        await it.press("enter")
        assert it.answers == [(NAME, False)]


async def test_sizes_and_times_begin_with_the_largest(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, _no_others)) as it:
        await it.press("j")
        assert "Largest first" in it.text
        await it.press("enter")
        assert it.answers == [(SIZE, True)]


async def test_the_column_that_sorts_now_is_turned_round(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, ("size", True), _no_others)) as it:
        await it.press("enter")
        assert it.answers == [(SIZE, False)]


async def test_r_changes_the_direction(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, _no_others)) as it:
        await it.press("r")
        assert "Z–A" in it.text
        await it.press("right", "right", "enter")
        assert it.answers == [(NAME, True)]


async def test_it_says_which_rows_are_sorted_where_there_are_others(opened: Any) -> None:
    rows = {"name": "all results", "size": "loaded rows only", "queue": ""}
    async with opened(SortDialog(COLUMNS, None, lambda column: rows[column.name])) as it:
        assert "A–Z (all results)" in it.text
        await it.press("down")
        assert "Largest first (loaded rows only)" in it.text
        await it.press("down")
        assert "A–Z (" not in it.text


async def test_escape_and_no_columns_answer_nothing(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, _no_others)) as it:
        await it.press("escape")
        assert it.answers == [None]
    async with opened(SortDialog((), None, _no_others)) as it:
        await it.press("r")
        it.dialog.action_sort()
        await it.pilot.pause()
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_columns_fit_and_titles_are_literal(opened: Any, size: tuple[int, int]) -> None:
    columns = (QUEUE, *(Column(f"tag{number}", f"Tag {number}") for number in range(40)))
    async with opened(SortDialog(columns, None, _no_others), size) as it:
        assert "[/x]" in it.text
        assert "\x1b" not in it.text
        assert all(button.region.bottom <= size[1] for button in it.dialog.query("Button"))
        await it.press("end")
        assert "Tag 39" in it.text
        assert "A–Z" in it.text


def names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]


async def test_space_shows_and_hides_and_enter_answers_with_what_is_shown(opened: Any) -> None:
    async with opened(ColumnsDialog([NAME, SIZE], [QUEUE])) as it:
        assert "[x]  30  Name" in it.text
        assert "[ ]  12  [/x]" in it.text
        assert "\x1b" not in it.text
        await it.press("space", "j", "space", "enter")
        assert it.answers == [(SIZE, QUEUE)]


async def test_columns_change_places_and_stay_within_the_list(opened: Any) -> None:
    async with opened(ColumnsDialog([NAME, SIZE], [QUEUE])) as it:
        await it.press("K", "J", "J", "J", "enter")
        assert names(it.answers[0]) == ["size", "name"]


async def test_widths_have_a_least_and_a_most(opened: Any) -> None:
    async with opened(ColumnsDialog([NAME, SIZE], [])) as it:
        await it.press(*["plus"] * 40, "j", *["minus"] * 40, "enter")
        assert [column.width for column in it.answers[0]] == [WIDEST, NARROWEST]


async def test_r_answers_with_none_which_means_the_usual_ones(opened: Any) -> None:
    async with opened(ColumnsDialog([NAME], [SIZE])) as it:
        await it.press("r")
        assert it.answers == [()]


@pytest.mark.parametrize("keys", [("escape",), ("space", "k", "space", "escape"), ("space", "enter")])
async def test_escape_and_a_choice_of_nothing_answer_nothing(opened: Any, keys: tuple[str, ...]) -> None:
    async with opened(ColumnsDialog([NAME], [])) as it:
        await it.press(*keys)
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_columns_fit_and_the_last_can_be_reached(opened: Any, size: tuple[int, int]) -> None:
    tags = [Column(f"tag{number}", f"Tag {number}") for number in range(60)]
    async with opened(ColumnsDialog([NAME], tags), size) as it:
        assert it.fits()
        await it.press("end")
        assert "Tag 59" in it.text
        assert it.fits()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 15)])
async def test_a_long_list_leaves_no_gap_above_the_buttons(opened: Any, size: tuple[int, int]) -> None:
    many = [Column(f"tag{number}", f"tag{number}") for number in range(60)]
    async with opened(ColumnsDialog([NAME], many), size=size) as it:
        note, buttons = it.dialog.query_one(".dialog-note"), it.dialog.query_one(".dialog-buttons")
        assert buttons.region.y - note.region.bottom == 1
        assert it.fits()


DAYS = (Bar("2024-09-01", 40, "day==1"), Bar("2024-09-02", 10, "day==2"))
AGENTS = (Bar("Khang \x1b[1m[/x]", 30, "agent==Khang"), Bar("", 20))


def grouping(title: str, bars: Sequence[Bar], *, over_time: bool = False) -> Grouping:
    async def count() -> Sequence[Bar]:
        return bars

    return Grouping(title, count, over_time)


def dialog(*, narrows: bool = True) -> HistogramDialog:
    return HistogramDialog([grouping("day", DAYS), grouping("agent", AGENTS)], "50 loaded rows", narrows=narrows)


async def test_it_says_what_is_counted_and_by_what(opened: Any) -> None:
    async with opened(dialog()) as it:
        assert "Rows by day" in it.text
        assert "50 loaded rows. ←/→ change grouping" in it.text


async def test_left_and_right_count_by_something_else_and_go_round(opened: Any) -> None:
    async with opened(dialog()) as it:
        await it.press("right")
        assert "Rows by agent" in it.text
        assert "(none)" in it.text
        assert "[/x]" in it.text
        assert "\x1b" not in it.text
        await it.press("right")
        assert "Rows by day" in it.text
        await it.press("h")
        assert "Rows by agent" in it.text


@pytest.mark.parametrize(("size", "drawn"), [((80, 24), True), ((60, 15), False)])
async def test_times_are_drawn_as_a_line_where_there_is_room(
    opened: Any, size: tuple[int, int], *, drawn: bool
) -> None:
    days = grouping("day", [Bar(f"2024-09-{day:02}", day, "x") for day in range(1, 31)], over_time=True)
    agents = grouping("agent", AGENTS * 8)
    async with opened(HistogramDialog([days, agents], "465 rows", narrows=True), size) as it:
        assert ("▁▁▁" in it.text) is drawn
        assert it.fits()
        await it.press("l")
        assert "▁▁▁" not in it.text


async def test_the_line_begins_at_zero(opened: Any) -> None:
    days = [Bar(f"2024-09-{day:02}", 9 + day % 2, "x") for day in range(1, 15)]
    async with opened(HistogramDialog([grouping("day", days, over_time=True)], "all", narrows=True)) as it:
        lowest = next(line for line in it.text.splitlines() if "▁▁▁" in line)
        # Nine of ten fills the lowest of the three lines everywhere but at both ends.
        assert set(lowest[lowest.index("▁") : lowest.rindex("▁") + 1].strip("▁")) == {"█"}


async def test_a_few_spans_of_time_need_no_line(opened: Any) -> None:
    async with opened(HistogramDialog([grouping("day", DAYS, over_time=True)], "50 rows", narrows=True)) as it:
        assert "▁▁▁" not in it.text


async def test_enter_answers_with_the_filter_of_the_bar_under_the_cursor(opened: Any) -> None:
    async with opened(dialog()) as it:
        await it.press("j", "enter")
        assert it.answers == ["day==2"]


async def test_the_bar_under_the_cursor_is_seen(opened: Any) -> None:
    async with opened(dialog()) as it:
        bars = it.app.screen.query_one("#bars")
        blocks = [part for part in bars.render_line(0) if "█" in part.text]
        assert blocks
        assert all(part.style.color != part.style.bgcolor for part in blocks)


async def test_a_bar_without_a_filter_and_rows_that_cannot_be_narrowed_answer_nothing(opened: Any) -> None:
    async with opened(dialog()) as it:
        await it.press("right", "j", "enter")
        assert it.answers == []
        await it.press("escape")
        assert it.answers == [None]
    async with opened(dialog(narrows=False)) as it:
        assert "narrows" not in it.text
        await it.press("enter", "escape")
        assert it.answers == [None]


async def test_nothing_to_count_is_said(opened: Any) -> None:
    async with opened(HistogramDialog([grouping("day", ())], "0 rows", narrows=True)) as it:
        assert "There is nothing to count." in it.text
        await it.press("enter", "escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_bars_fit_and_the_last_can_be_reached(opened: Any, size: tuple[int, int]) -> None:
    bars = [Bar(f"value {number}", 100 - number, "x") for number in range(100)]
    async with opened(HistogramDialog([grouping("name", bars)], "all rows", narrows=True), size) as it:
        assert it.fits()
        await it.press("end")
        assert "value 99" in it.text
        assert it.fits()

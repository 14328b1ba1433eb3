"""Looking at how rows spread."""

from collections.abc import Sequence
from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.columns import Bar, Grouping, HistogramDialog

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

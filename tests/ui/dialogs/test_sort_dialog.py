"""Choosing how to sort."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.ui.dialogs.columns import SortDialog

NAME = Column("name", "Name", sort_field="objectName")
SIZE = Column("size", "Size", ColumnKind.SIZE)
QUEUE = Column("queue", "[/x] \x1b[1mQueue")
COLUMNS = (NAME, SIZE, QUEUE)


async def test_enter_sorts_by_the_column_under_the_cursor(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, server=False)) as it:
        assert "A–Z" in it.text
        await it.press("enter")
        assert it.answers == [(NAME, False)]


async def test_sizes_and_times_begin_with_the_largest(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, server=False)) as it:
        await it.press("j")
        assert "Largest first" in it.text
        await it.press("enter")
        assert it.answers == [(SIZE, True)]


async def test_the_column_that_sorts_now_is_turned_round(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, ("size", True), server=False)) as it:
        await it.press("enter")
        assert it.answers == [(SIZE, False)]


async def test_r_changes_the_direction(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, server=False)) as it:
        await it.press("r")
        assert "Z–A" in it.text
        await it.press("right", "right", "enter")
        assert it.answers == [(NAME, True)]


async def test_it_says_where_sorting_happens(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, server=True)) as it:
        assert "all results" in it.text
        await it.press("down")
        assert "loaded rows only" in it.text


async def test_escape_and_no_columns_answer_nothing(opened: Any) -> None:
    async with opened(SortDialog(COLUMNS, None, server=True)) as it:
        await it.press("escape")
        assert it.answers == [None]
    async with opened(SortDialog((), None, server=True)) as it:
        await it.press("r")
        it.dialog.action_sort()
        await it.pilot.pause()
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_columns_fit_and_titles_are_literal(opened: Any, size: tuple[int, int]) -> None:
    columns = (QUEUE, *(Column(f"tag{number}", f"Tag {number}") for number in range(40)))
    async with opened(SortDialog(columns, None, server=False), size) as it:
        assert "[/x]" in it.text
        assert "\x1b" not in it.text
        assert all(button.region.bottom <= size[1] for button in it.dialog.query("Button"))
        await it.press("end")
        assert "Tag 39" in it.text
        assert "A–Z" in it.text

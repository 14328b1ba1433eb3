"""Choosing how to sort."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.ui.dialogs.columns import SortDialog

NAME = Column("name", "Name", sort_field="objectName")
SIZE = Column("size", "Size", ColumnKind.SIZE)
QUEUE = Column("queue", "[/x] \x1b[1mQueue")
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

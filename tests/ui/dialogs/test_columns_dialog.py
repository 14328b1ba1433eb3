"""Choosing columns."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Column
from cloudstore_tui.ui.dialogs.columns import NARROWEST, WIDEST, ColumnsDialog

NAME = Column("name", "Name", width=30)
SIZE = Column("size", "Size", width=9)
QUEUE = Column("queue", "[/x] \x1b[1mQueue", width=12)


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

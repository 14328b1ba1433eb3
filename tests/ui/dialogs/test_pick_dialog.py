"""Picking one of a few lines."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import Choice, ChoiceResult, PickDialog

PICKS = (Choice("all regions"), Choice("us-east", "here"), Choice("uk"), Choice("[red]\x1b"))


async def test_enter_takes_the_line_under_the_cursor_and_the_arrows_move_it(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS, 1)) as it:
        await it.press("down", "enter")
        assert it.answers == [ChoiceResult(2)]


async def test_typing_filters_by_words_of_text_and_note(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS)) as it:
        await it.press(*"HERE us")
        assert "uk" not in it.text
        await it.press("enter")
        assert it.answers == [ChoiceResult(1)]


async def test_nothing_that_fits_is_nothing_to_take(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS)) as it:
        await it.press("x", "x", "enter")
        assert it.answers == []
        assert "Nothing matches." in it.text
        await it.press("backspace", "backspace")
        assert "us-east" in it.text
        assert "Nothing matches." not in it.text
        await it.press("escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits_and_shows_lines_literally(opened: Any, size: tuple[int, int]) -> None:
    async with opened(PickDialog("Region", PICKS), size) as it:
        assert "[red]␛" in it.text
        assert it.fits()

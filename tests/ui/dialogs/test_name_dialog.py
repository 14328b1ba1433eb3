"""Naming something."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import NameChoice, Named, NameDialog

THINGS = (NameChoice("This place: acme:exports/", "exports", ("old",)), NameChoice("This object: a.txt", "a.txt"))


async def test_enter_takes_the_sensible_name_and_typing_replaces_it(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("enter")
        assert it.answers == [Named(0, "exports")]
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("q", "m", "enter")
        assert it.answers == [Named(0, "qm")]


async def test_the_arrows_choose_what_is_named_and_propose_its_name(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("down", "enter")
        assert it.answers == [Named(1, "a.txt")]


async def test_a_name_that_was_typed_stays_when_something_else_is_chosen(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("q", "down", "enter")
        assert it.answers == [Named(1, "q")]


async def test_a_name_that_is_taken_is_said_to_be_replaced(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press(*"old")
        assert "saving replaces it" in it.text
        await it.press("down")
        assert "saving replaces it" not in it.text


async def test_without_a_name_nothing_is_answered(opened: Any) -> None:
    async with opened(NameDialog("Rename", THINGS[:1])) as it:
        await it.press("delete", "space", "enter")
        assert it.answers == []
        await it.press("escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(NameDialog("Bookmark", THINGS), size) as it:
        assert it.fits()

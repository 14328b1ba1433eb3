"""The list of bookmarks."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import BookmarksDialog, Choice, ChoiceResult

PICKS = (Choice("reports", "acme:exports/"), Choice("@long", "duration=gt=1"), Choice("xr", "acme8:uk/"))


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), ChoiceResult(0)),
        (("j", "j", "k", "enter"), ChoiceResult(1)),
        (("down", "x"), ChoiceResult(1, "remove")),
        (("delete",), ChoiceResult(0, "remove")),
        (("j", "r"), ChoiceResult(1, "rename")),
        (("escape",), None),
    ],
)
async def test_keys_say_what_to_do_with_the_bookmark_under_the_cursor(opened: Any, keys: Any, answer: Any) -> None:
    async with opened(BookmarksDialog("Bookmarks", PICKS)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


async def test_letters_typed_to_filter_do_nothing_else(opened: Any) -> None:
    async with opened(BookmarksDialog("Bookmarks", PICKS)) as it:
        await it.press("slash", "x", "r")
        assert it.answers == []
        assert "reports" not in it.text
        await it.press("enter")
        assert it.answers == [ChoiceResult(2)]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(BookmarksDialog("Bookmarks", PICKS * 20), size) as it:
        assert it.fits()

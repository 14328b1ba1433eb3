"""The panes of a screen: which is in front."""

from typing import Any


async def test_the_pane_with_the_focus_is_in_front_however_it_got_it(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        panes = it.screen.panes
        assert panes.at == "entries"
        await it.pilot.click(it.screen.places)
        await it.settle()
        assert panes.at == "places"
        await it.press("2", "slash")
        assert panes.at == "entries"


async def test_a_pane_that_is_not_there_is_passed_over(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("i", "tab")
        assert it.focus == "places"
        it.screen.panes.go("transfers")
        await it.settle()
        assert it.focus == "places"


async def test_hiding_the_pane_with_the_focus_goes_to_the_entries(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("tab", "i")
        assert it.focus == "table"


async def test_left_goes_one_pane_to_the_left(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("tab", "left")
        assert it.focus == "table"
        await it.press("h")
        assert it.focus == "places"


async def test_a_terminal_made_small_shows_the_pane_with_the_focus(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("1")
        await it.pilot.resize_terminal(50, 12)
        await it.settle()
        assert it.focus == "places"
        assert "acme  (Alvaria)" in it.text
        assert "readme.txt" not in it.text

"""The panes of a screen: which has the focus, and how they share terminals of every size."""

from typing import Any


async def test_the_pane_with_the_focus_is_known_however_it_got_it(browser: Any) -> None:
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
        await it.press("i", "i", "tab")
        assert it.focus == "places"
        it.screen.panes.go("detail")
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


async def test_panes_stand_side_by_side_between_two_rules(browser: Any) -> None:
    async with browser(size=(120, 40), start="acme:exports/") as it:
        above = next(line for line in it.lines if "┬" in line)
        below = next(line for line in it.lines if "┴" in line)
        assert [at for at, sign in enumerate(above) if sign == "┬"] == [27, 83]
        assert above.replace("┬", "┴") == below
        between = it.lines[it.lines.index(above) + 1 : it.lines.index(below)]
        assert {(line[27], line[83]) for line in between} == {("│", "│")}
        await it.press("i", "i")
        assert [at for at, sign in enumerate(next(line for line in it.lines if "┬" in line)) if sign == "┬"] == [27]


async def test_a_narrow_terminal_is_the_table_and_two_lines_and_places_come_as_a_drawer(browser: Any) -> None:
    async with browser(size=(80, 24), start="acme8:us-east/") as it:
        assert it.screen.entries.table.page_height >= 16
        assert it.screen.detail.region.height == 2
        assert not it.screen.places.display
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        assert it.screen.entries.table.page_height >= 14
        width = it.screen.entries.table.region.width
        await it.press("1")
        assert it.focus == "places"
        assert it.screen.places.region.width == 40
        # The table stays as it is under the drawer.
        assert it.screen.entries.table.region.width == width
        await it.press("escape")
        assert not it.screen.places.display
        await it.press("1", "j", "enter")
        assert it.focus == "table"
        assert not it.screen.places.display
        await it.press("tab")
        assert it.focus == "detail"
        assert it.screen.detail.region.height > 6


async def test_a_terminal_made_small_shows_the_pane_with_the_focus(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("1")
        await it.pilot.resize_terminal(29, 8)
        await it.settle()
        assert it.focus == "places"
        assert "acme" in it.text
        assert "readme.txt" not in it.text
        await it.press("escape", "tab")
        assert it.focus == "detail"
        assert it.screen.detail.region.area > 0
        assert it.screen.entries.table.region.area == 0


async def test_a_narrow_terminal_says_how_the_places_come_and_both_say_what_can_be_heard(browser: Any) -> None:
    async with browser(start="acme8:us-east/", size=(80, 24)) as it:
        await it.until(lambda: "1 Places" in it.lines[-1] and "e Play" in it.lines[-1])
        await it.pilot.resize_terminal(120, 40)
        await it.until(lambda: "e Play" in it.lines[-1] and "1 Places" not in it.lines[-1])

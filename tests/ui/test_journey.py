"""Up, back, forward, to the top: and the cursor where it was."""

from typing import Any

from cloudstore_tui.core.location import Location
from cloudstore_tui.ui.history import LONGEST, History, Step
from cloudstore_tui.ui.visit import Visit


async def test_up_goes_to_the_folder_above_with_the_cursor_on_the_one_left(browser: Any, folders: Any) -> None:
    folders.tree[""] = ["a/", "b/", "exports/", "imports/"]
    async with browser(start="acme:exports/") as it:
        await it.press("backspace")
        assert it.screen.entries.table.entry.name == "exports/"
        await it.press("minus")
        assert it.rows == ["a/", "b/", "exports/", "imports/"]


async def test_back_and_forward_return_to_the_very_entry(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("enter")
        await it.press("j", "j", "j")
        await it.press("H")
        assert it.rows == ["reporting/", "readme.txt"]
        await it.press("L")
        assert it.rows[0] == "report-000.tar"
        assert it.screen.entries.table.entry.name == "report-003.tar"
        await it.press("L")
        assert it.screen.entries.table.entry.name == "report-003.tar"


async def test_tilde_goes_to_the_top_of_the_profile(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("tilde")
        assert it.rows == ["exports/", "imports/"]


async def test_up_from_a_search_goes_to_where_it_began(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.journey.search("a==b")
        await it.settle()
        assert "search" in it.lines[1]
        await it.press("backspace")
        assert "acme8 › us-east─" in it.lines[1]
        await it.press("H")
        assert it.screen.entries.bar.line.value == "a==b"


async def test_the_same_place_twice_is_one_step(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        it.screen.journey.go(Location("acme", path="exports/"))
        await it.settle()
        assert not it.screen.journey.can("back")


def test_history_forgets_the_oldest_steps_and_the_way_forward() -> None:
    history = History()
    steps = [Step(Visit(Location("p", path=str(number)))) for number in range(LONGEST + 5)]
    for step in steps:
        history.leave(step)
    now = Step(Visit(Location("p")))
    assert history.back(now) == steps[-1]
    assert history.can_go_forward
    history.leave(now)
    assert not history.can_go_forward
    seen = 0
    while history.can_go_back:
        history.back(now)
        seen += 1
    assert seen == LONGEST

"""Saved searches in the tree of places."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.state.searches import SavedSearches


@pytest.fixture
def saved(tmp_path: Path) -> SavedSearches:
    kept = SavedSearches(tmp_path / "searches.toml")
    kept.save("long", "type==callrecording;duration=gt=600000")
    kept.save("who", "agentName==?who", region="us-east")
    kept.save("british", "type==voicemail", region="uk")
    kept.save("others", "type==meeting", profile="beta8")
    return kept


def tree(it: Any) -> list[str]:
    return [row.text.strip() for row in it.screen.places.rows]


def sent(searches: Any) -> Any:
    return [what for name, what in searches.calls if name == "search"][-1]


async def open_saved(it: Any, name: str) -> None:
    """Take a saved search in the tree."""
    await it.press("1")
    it.screen.places.cursor = tree(it).index(name)
    await it.press("enter")


async def test_all_stand_below_the_trees_and_those_with_gaps_say_so(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        assert tree(it)[2:] == ["", "SAVED", "long", "who …", "british", "others"]


async def test_enter_makes_the_search_and_the_cursor_of_the_tree_stays(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await open_saved(it, "long")
        assert sent(searches).filter == "type==callrecording;duration=gt=600000"
        assert sent(searches).location.region == "us-east"
        assert it.focus == "table"
        assert it.screen.places.place.name == "long"
        assert "type==callrecording" in it.screen.entries.bar.line.value


async def test_holes_are_asked_for_first_and_a_value_stays_a_value(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser() as it:
        await open_saved(it, "who …")
        assert "Search @who" in it.text
        assert searches.count("search") == 0
        await it.press("escape")
        assert searches.count("search") == 0
        await it.press("enter")
        await it.type("Lee',type==x")
        await it.press("enter")
        assert sent(searches).filter == r"agentName=='Lee\',type==x'"
        assert sent(searches).location.region == "us-east"


async def test_a_search_is_made_where_it_is_for(browser: Any, saved: SavedSearches, searches: Any) -> None:
    async with browser() as it:
        await open_saved(it, "british")
        assert sent(searches).filter == "type==voicemail"
        assert sent(searches).location.region == "uk"
        await open_saved(it, "others")
        assert "no profile beta8" in it.notices[-1]


async def test_what_is_saved_is_there_at_once(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f", "ctrl+u")
        await it.type("type==meeting")
        await it.press("ctrl+s")
        await it.type("talks")
        await it.press("enter")
        assert "talks" in tree(it)


async def test_a_file_that_cannot_be_read_is_told_there(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "searches.toml"
    file.write_text("[mine]\n")
    async with browser() as it:
        assert "find is missing" in " ".join(tree(it))
        file.write_text('[mine]\nfind = "type==meeting"\n')
        await it.press("enter", "1")
        assert "mine" in tree(it)


async def test_before_another_search_is_replaced_that_is_said_with_the_sign_and_without(
    browser: Any, saved: SavedSearches
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:callrecording")
        await it.press("ctrl+s")
        for name, is_taken in (("new", False), ("long", True), ("@new", False), ("@long", True)):
            await it.press("ctrl+u")
            await it.type(name)
            assert ("This name is taken" in it.text) is is_taken, name


async def test_what_is_forgotten_is_gone_from_the_tree(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        assert "long" in tree(it)
        await it.press("apostrophe")
        await it.until(lambda: "@long" in it.text)
        await it.press("delete")
        await it.until(lambda: "Forget @long?" in it.text)
        await it.press("tab", "enter")
        await it.until(lambda: "long" not in saved.read())
        await it.until(lambda: "long" not in tree(it))


async def test_both_ways_to_save_a_search_save_it_for_where_it_was_made(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:callrecording")
        await it.press("enter", "f", "ctrl+s")
        await it.type("one")
        await it.press("enter", "escape", "m")
        await it.until(lambda: it.app.screen is not it.screen)
        await it.press("end", "enter")
        await it.until(lambda: len(it.screen.browser_state.searches.read()) == 2)
        saved = it.screen.browser_state.searches.read().values()
        assert {(one.profile, one.region, one.find) for one in saved} == {("acme8", "us-east", "type:callrecording")}

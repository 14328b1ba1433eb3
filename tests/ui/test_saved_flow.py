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
    return [row.text.rstrip() for row in it.screen.places._rows]


def sent(searches: Any) -> Any:
    return searches.calls[-1][1]


async def open_saved(it: Any, *, below_region: bool = True) -> None:
    """Open the saved searches of the first region, or of the profile, with the cursor on the first of them."""
    await it.press("G", "l")
    if below_region:
        await it.press("j", "l")
    while it.screen.places.place.name != "saved searches":
        await it.press("j")
    await it.press("enter", "j")


async def test_only_searches_for_this_profile_and_region_are_there(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        await open_saved(it)
        assert tree(it)[-4:] == ["    ▼ saved searches", "        @long", "        @who", "  ▶ saved searches"]
        await it.press("G", "l")
        assert tree(it)[-3:] == ["      @long", "      @who", "      @british"]


async def test_enter_makes_the_search_and_the_cursor_of_the_tree_stays(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser() as it:
        await open_saved(it)
        await it.press("enter")
        assert sent(searches).filter == "type==callrecording;duration=gt=600000"
        assert sent(searches).location.region == "us-east"
        assert it.focus == "table"
        assert it.screen.places.place.name == "@long"
        assert "type==callrecording" in it.screen.entries.bar.line.value


async def test_holes_are_asked_for_first_and_a_value_stays_a_value(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser() as it:
        await open_saved(it)
        await it.press("j", "enter")
        assert "Search @who" in it.text
        assert searches.count("search") == 0
        await it.press("escape")
        assert searches.count("search") == 0
        await it.press("enter")
        await it.type("Lee',type==x")
        await it.press("enter")
        assert sent(searches).filter == r"agentName=='Lee\',type==x'"


async def test_below_the_profile_a_search_is_made_in_its_own_region(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser() as it:
        await open_saved(it, below_region=False)
        await it.press("enter")
        assert sent(searches).location.region == ""
        await it.press("1", "j", "j", "enter")
        assert sent(searches).filter == "type==voicemail"
        assert sent(searches).location.region == "uk"


async def test_without_any_it_says_how_to_save_one_and_what_is_saved_is_there_at_once(
    browser: Any, searches: Any
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("1")
        await open_saved(it)
        assert "Ctrl+S" in it.text
        await it.press("f", "ctrl+u")
        await it.type("type==meeting")
        await it.press("ctrl+s")
        await it.type("talks")
        await it.press("enter")
        assert "        @talks" in tree(it)


async def test_a_file_that_cannot_be_read_is_told_there_and_r_tries_again(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "searches.toml"
    file.write_text("[mine]\n")
    async with browser() as it:
        await open_saved(it)
        assert "find is missing" in " ".join(row.strip() for row in tree(it))
        file.write_text('[mine]\nfind = "type==meeting"\n')
        await it.press("r")
        assert "        @mine" in tree(it)


async def test_services_that_cannot_search_have_none(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        await it.press("l")
        assert "saved searches" not in it.text


async def test_both_ways_to_save_a_search_save_it_for_where_it_was_made(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:callrecording")
        await it.press("enter", "f", "ctrl+s")
        await it.type("one")
        await it.press("enter", "escape", "m")
        await it.until(lambda: it.app.screen is not it.screen)
        await it.press("end", "enter")
        await it.until(lambda: len(it.screen.memory.searches.read()) == 2)
        saved = it.screen.memory.searches.read().values()
        assert {(one.profile, one.region, one.find) for one in saved} == {("acme8", "us-east", "type:callrecording")}

"""Going to an address that is typed."""

import asyncio
from typing import Any

from textual.widgets import Input

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.models import Location
from cloudstore_tui.ui.widgets.detail_pane import DetailMode


async def ask(it: Any, address: str) -> None:
    await it.press("ctrl+g")
    it.app.screen.query_one(Input).value = address
    await it.press("enter")


async def test_an_address_opens_with_the_focus_on_its_entries(browser: Any) -> None:
    async with browser() as it:
        await ask(it, "acme8:us-east/")
        assert it.rows[0] == "int-0000000.mp3"
        assert it.focus == "table"


async def test_an_object_is_looked_up_by_itself(browser: Any, searches: Any) -> None:
    async with browser() as it:
        await ask(it, "acme8:us-east/id-0000042")
        assert it.rows == ["int-0000042.mp3"]
        assert searches.calls == [("stat", "acme8:us-east/id-0000042")]


async def test_what_cannot_be_an_address_is_said_and_not_lost(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await ask(it, "nowhere:x")
        assert it.notices == ["nowhere:x: there is no profile nowhere. There are: acme, acme8."]
        assert it.app.screen.query_one(Input).value == "nowhere:x"
        it.app.screen.query_one(Input).value = "no colon"
        await it.press("enter")
        assert it.notices[1].startswith("no colon: a path is written PROFILE:REST.")
        await it.press("escape")
        assert it.rows == ["reporting/", "readme.txt"]


async def test_the_dialog_begins_with_the_present_address(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("ctrl+g")
        assert it.app.screen.query_one(Input).value == "acme:exports/"


async def test_tab_completes_folders_with_one_listing_each_and_none_twice(browser: Any, folders: Any) -> None:
    async with browser() as it:
        await it.press("ctrl+g")
        address = it.app.screen.query_one(Input)
        await it.type("acme:")
        await it.press("tab")
        assert folders.calls == [("folders", "acme:")]
        assert "exports/  imports/" in it.text
        await it.type("e")
        await it.press("tab")
        assert address.value == "acme:exports/"
        await it.press("tab")
        assert address.value == "acme:exports/reporting/"
        assert folders.calls == [("folders", "acme:"), ("folders", "acme:exports/")]
        await it.press("enter")
        assert it.rows[0] == "report-000.tar"


async def test_tab_completes_regions_and_the_places_below_them(browser: Any) -> None:
    async with browser() as it:
        await it.press("ctrl+g")
        for text in ("acme8:", "", "call", ""):
            await it.type(text)
            await it.press("tab")
        assert it.app.screen.query_one(Input).value == "acme8:us-east/callrecording/"
        await it.press("enter")
        assert "us-east › Work recordings" in it.lines[0]
        await it.press("ctrl+g")
        assert it.app.screen.query_one(Input).value == "acme8:us-east/callrecording/"


async def test_the_address_of_a_place_below_a_region_is_one_to_begin_at(browser: Any) -> None:
    async with browser(start="acme8:us-east/callrecording/") as it:
        assert "us-east › Work recordings" in it.lines[0]
        assert it.rows


async def test_escape_cancels_a_listing_that_does_not_come(browser: Any, folders: Any) -> None:
    folders.gates["folders"] = asyncio.Event()
    async with browser() as it:
        await it.press("ctrl+g")
        await it.type("acme:")
        await it.press("tab", "tab", "tab")
        assert "looking…" in it.text
        assert folders.count("folders") == 1
        await it.press("escape")
        await it.until(lambda: folders.cancelled)


async def test_a_folder_that_cannot_be_listed_says_why_in_the_dialog(browser: Any, folders: Any) -> None:
    folders.fail["folders"] = MissingError("there is no such folder", subject="acme:x/")
    async with browser() as it:
        await it.press("ctrl+g")
        await it.type("acme:x/")
        await it.press("tab")
        assert "acme:x/: there is no such folder." in it.text
        assert it.app.screen.query_one(Input).has_focus


async def test_recent_places_and_bookmarks_are_offered_and_filtered_by_what_is_typed(
    browser: Any, tmp_path: Any
) -> None:
    (tmp_path / "bookmarks.toml").write_text('[weekly]\nat = "acme:exports/reporting/"\n')
    async with browser(start="acme:exports/") as it:
        await it.press("backslash", "ctrl+g")
        assert "weekly" in it.text
        assert "acme:exports/ " in it.text
        await it.type("week")
        await it.press("down", "enter")
        assert it.rows[0] == "report-000.tar"
        await it.press("ctrl+g", "down", "down", "down", "enter")
        assert it.rows == ["reporting/", "readme.txt"]


async def test_the_browser_begins_where_it_was_left_with_one_listing(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("enter", "H")
    folders.calls.clear()
    async with browser(start_at_last=True) as it:
        assert it.rows == ["reporting/", "readme.txt"]
        assert folders.calls == [("browse", "acme:exports/")]
    async with browser() as it:
        assert it.rows == []
        await it.press("ctrl+g")
        assert "acme:exports/" in it.text
    async with browser(recent_places=False, start_at_last=True) as it:
        assert it.rows == []
    async with browser(start_at_last=True) as it:
        assert it.rows == []


async def test_a_place_that_could_not_be_opened_is_not_remembered(browser: Any, folders: Any) -> None:
    folders.fail["acme:gone/"] = MissingError("there is no such folder", subject="acme:gone/")
    async with browser() as it:
        await ask(it, "acme:gone/")
        await ask(it, "acme:exports/")
        assert it.screen.browser_state.recent.places == (Location("acme", path="exports/"),)


async def test_searches_are_not_among_the_recent_places(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search('callerName=="Kim"')
        await it.settle()
        assert [place.address for place in it.screen.browser_state.recent.places] == ["acme8:us-east/"]


async def test_a_hidden_detail_stays_hidden_the_next_time(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("i")
    async with browser(start="acme:exports/") as it:
        assert it.screen.detail.mode is DetailMode.FIELDS
        await it.press("i")
    async with browser(start="acme:exports/") as it:
        assert it.screen.detail.has_class("-off")
        await it.press("i")
    async with browser(start="acme:exports/") as it:
        assert not it.screen.detail.has_class("-off")
        assert it.screen.detail.mode is DetailMode.PREVIEW

"""Going from place to place and back, and to what has a name."""

import asyncio
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from cloudstore_tui.core.errors import MissingError, NetworkError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.ui.browser import navigation
from cloudstore_tui.ui.browser.navigation import target_in
from cloudstore_tui.ui.browser.targets import NavigationTarget
from cloudstore_tui.ui.widgets.detail_pane import DetailMode


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


async def test_marks_come_back_with_the_place_they_were_set_in(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("space", "space", "G")
        await it.until(lambda: it.screen.listing.state.store.loaded > 100)
        await it.press("space")
        await it.until(lambda: "3 marked" in it.foot)
        marked = it.screen.listing.state.marked()
        it.screen.navigator.search("a==b")
        await it.until(lambda: "a is b" in it.lines[0] and "marked" not in it.foot)
        await it.press("H")
        await it.until(lambda: "3 marked" in it.foot)
        assert it.screen.listing.state.marked() == marked
        await it.press("L")
        await it.until(lambda: "a is b" in it.lines[0] and "marked" not in it.foot)
        assert it.notices == []


async def test_marks_of_a_place_that_are_too_many_to_be_kept_are_shown(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(navigation, "MAX_KEPT_MARKS", 1)
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space", "space")
        await it.until(lambda: "2 marked" in it.foot)
        await it.press("backslash")
        await it.until(lambda: it.rows == ["exports/", "imports/"])
        assert it.notices == ["2 rows unmarked: at most 1 marks are kept of a place that you leave."]
        # What this key led to is told where it led to; the next one takes what the place has told with it.
        assert "2 rows unmarked" in it.text
        await it.press("enter")
        await it.until(lambda: it.lines[0].strip().startswith("acme › exports"))
        assert "2 rows unmarked" not in it.text


async def test_an_error_is_read_in_the_next_place_too(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        it.app.notify("The server is away.", severity="error")
        await it.press("backslash")
        await it.until(lambda: it.rows == ["exports/", "imports/"])
        assert "The server is away." in it.text


async def test_a_key_goes_to_the_top_of_the_profile(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("backslash")
        assert it.rows == ["exports/", "imports/"]


async def test_up_from_a_search_goes_to_where_it_began(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search("a==b")
        await it.settle()
        assert "acme8 › us-east › a is b" in it.lines[0]
        await it.press("backspace")
        assert "a is b" not in it.lines[0]
        await it.press("H")
        assert it.screen.entries.bar.line.value == "a==b"


async def test_the_same_place_twice_is_one_step(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        it.screen.navigator.go(Location("acme", path="exports/"))
        await it.settle()
        assert not it.screen.navigator.can("back")


async def test_history_forgets_the_oldest_steps_and_the_way_forward(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(navigation, "MAX_BACK", 3)
    async with browser(start="acme:") as it:
        navigator = it.screen.navigator

        async def leave_for(path: str) -> None:
            navigator.go(Location("acme", path=path))
            await it.settle()

        for path in ("exports/", "imports/", "exports/reporting/", "exports/"):
            await leave_for(path)
        left = []
        while navigator.can("back"):
            await it.press("H")
            left.append(navigator.target.location.path)
        assert left == ["exports/reporting/", "imports/", "exports/"]
        await it.press("L")
        assert navigator.target.location.path == "imports/"
        assert navigator.can("forward")
        await leave_for("exports/")
        assert not navigator.can("forward")


async def test_back_reads_on_to_the_entry_and_the_view_that_were_left(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/", size=(120, 40)) as it:
        table = it.screen.entries.table
        await it.press("G", "k")
        await it.until(lambda: len(it.rows) >= 200)
        await it.press("G", "k", "k", "k")
        name, top = table.entry.name, table.scroll_offset.y
        assert table.cursor > 150
        it.screen.navigator.search("a==b")
        await it.settle()
        assert table.cursor == 0
        await it.press("H")
        await it.until(lambda: table.cursor > 150)
        assert (table.entry.name, table.scroll_offset.y) == (name, top)
        assert searches.count("search") < 12


async def test_an_entry_that_is_gone_is_not_looked_for_to_the_end(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("j", "j")
        asked = searches.count("search")
        it.screen.listing.open(it.screen.navigator.target, at="not there", until=150)
        await it.settle()
        await it.until(lambda: not it.screen.listing.is_busy)
        assert searches.count("search") - asked == 2
        assert it.screen.entries.table.cursor == 0


async def test_back_keeps_the_order_that_was_asked_for(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        column = it.screen.entries.columns[0]
        it.screen.listing.sort(column, descending=False)
        await it.settle()
        first = it.rows[0]
        it.screen.navigator.search("a==b")
        await it.settle()
        await it.press("H")
        assert it.rows[0] == first
        assert it.screen.navigator.target.query.sort.descending is False


async def test_p_goes_to_where_the_user_was_last_in_the_other_profile(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("P", "down", "enter")
        assert it.lines[0].startswith(" acme8 ")
        await it.press("P", "up", "enter")
        await it.until(lambda: it.rows and it.rows[0] == "report-000.tar")


async def test_p_on_the_present_profile_stays(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        asked = len(folders.calls)
        await it.press("P", "enter")
        assert len(folders.calls) == asked


async def test_r_searches_all_regions_for_what_the_place_stands_for_and_names_them(browser: Any, searches: Any) -> None:
    async with browser() as it:
        it.screen.navigator.go(it.engine.providers["acme8"].locate("us-east/").child("callrecording"))
        await it.settle()
        await it.press("R")
        assert "all regions" in it.text
        await it.press("up", "enter")
        method, query = searches.calls[-1]
        assert (method, query.location, query.filter) == ("search", Location("acme8"), "type==callrecording")
        assert "acme8 › all regions" in it.lines[0]
        await it.press("H")
        assert "us-east › Work recordings" in it.lines[0]


async def test_r_says_why_the_regions_are_not_known_and_stays(browser: Any, searches: Any) -> None:
    searches.fail["folders"] = NetworkError("no answer", subject="acme8:")
    async with browser(start="acme8:us-east/") as it:
        rows = it.rows
        await it.press("R")
        assert it.notices[-1] == "acme8:: no answer."
        assert it.rows == rows


async def test_r_is_not_offered_where_there_are_no_regions(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        assert not it.screen.check_action("run", ("region",))


def test_a_search_keeps_its_filter_in_another_region(searches: Any) -> None:
    east = Location("acme8", "us-east")
    found = NavigationTarget(east, Query(east, "a==1"), is_search=True, typed="a:1")
    there = target_in(found, "uk", searches, UTC)
    assert there == NavigationTarget(Location("acme8", "uk"), Query(Location("acme8", "uk"), "a==1"), is_search=True)
    assert there.typed == "a:1"
    assert target_in(NavigationTarget(Location("acme8")), "", searches, UTC) == NavigationTarget(Location("acme8"))
    place = target_in(NavigationTarget(east.child("x"), Query(east, "type==x")), "uk", searches, UTC)
    assert place == NavigationTarget(Location("acme8", "uk").child("x"), Query(Location("acme8", "uk"), "type==x"))


async def test_every_part_of_the_path_is_reached_by_a_key(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("0")
        assert [word for word in ("acme", "exports", "reporting") if word in it.text] == [
            "acme",
            "exports",
            "reporting",
        ]
        await it.press("enter")
        assert it.rows == ["reporting/", "readme.txt"]
        assert it.screen.listing.entry.name == "reporting/"


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


def field(it: Any, name: str = "#name") -> Input:
    found: Input = it.app.screen.query_one(name, Input)
    return found


async def test_m_bookmarks_the_place_and_the_apostrophe_goes_there(browser: Any, tmp_path: Path) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("m")
        assert field(it).value == "exports"
        await it.press("enter")
        assert it.notices[-1] == f"Bookmarked as exports in {tmp_path / 'bookmarks.toml'}."
        assert 'at = "acme:exports/"' in (tmp_path / "bookmarks.toml").read_text()
        await it.press("backslash", "apostrophe", "enter")
        assert it.rows == ["reporting/", "readme.txt"]
        assert it.focus == "table"


async def test_m_bookmarks_the_object_under_the_cursor_with_one_more_key(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("G", "m", "down")
        assert field(it).value == "readme.txt"
        await it.press("enter", "backslash", "apostrophe", "enter")
        assert it.rows == ["readme.txt"]
        assert folders.calls[-1] == ("stat", "acme:exports/readme.txt")


async def test_a_place_that_only_the_browser_has_is_bookmarked_with_its_names(browser: Any, tmp_path: Path) -> None:
    async with browser() as it:
        it.screen.navigator.go(it.engine.providers["acme8"].locate("us-east/").child("callrecording"))
        await it.settle()
        await it.press("m", "enter")
        assert 'place = ["callrecording"]' in (tmp_path / "bookmarks.toml").read_text()
        await it.press("backspace", "apostrophe", "enter")
        assert "Work recordings" in it.lines[0]


async def test_a_bookmarked_search_is_a_saved_search(browser: Any, tmp_path: Path) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search("agent:Kim since:2024")
        await it.settle()
        await it.press("m")
        await it.type("kim")
        await it.press("enter")
        assert not (tmp_path / "bookmarks.toml").exists()
        text = (tmp_path / "searches.toml").read_text()
        assert text == '[kim]\nfind = "agent:Kim since:2024"\nprofile = "acme8"\nregion = "us-east"\n'
        await it.press("backspace", "apostrophe")
        assert "@kim" in it.text
        await it.press("enter")
        assert it.screen.entries.bar.line.value == "agent:Kim since:2024"


async def test_m_in_the_tree_bookmarks_the_place_under_its_cursor(browser: Any, tmp_path: Path) -> None:
    async with browser() as it:
        await it.press("j", "m", "enter")
        assert '[acme8]\nat = "acme8:"' in (tmp_path / "bookmarks.toml").read_text()


async def test_renaming_and_removing_ask_and_come_back_to_the_list(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.toml"
    path.write_text('# mine\n[a]\nat = "acme:exports/"\n\n[b]\nat = "acme:"\n')
    async with browser() as it:
        await it.press("apostrophe", "j", "r")
        await it.type("top")
        await it.press("enter")
        assert '[top]\nat = "acme:"' in path.read_text()
        await it.press("x", "escape")
        assert "[top]" in path.read_text()
        await it.press("x", "y")
        assert path.read_text() == '# mine\n[a]\nat = "acme:exports/"\n'
        await it.press("x", "y")
        await it.press("escape")
        assert path.read_text() == "# mine\n"
        await it.press("apostrophe")
        assert it.notices[-1].startswith("No bookmarks yet.")


async def test_a_name_that_cannot_be_is_said_and_not_lost(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("m")
        field(it).value = "x" * 61
        await it.press("enter")
        assert "cannot name a bookmark" in it.notices[-1]
        assert field(it).value == "x" * 61


async def test_a_bookmark_of_a_profile_that_is_gone_says_so(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "bookmarks.toml").write_text('[a]\nat = "gone:x/"\n')
    async with browser() as it:
        await it.press("apostrophe", "enter")
        assert it.notices[-1] == "gone:x/: there is no profile gone. There are: acme, acme8."


async def test_a_file_that_cannot_be_used_says_where(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "bookmarks.toml").write_text("[a]\n")
    async with browser(start="acme:exports/") as it:
        for key in ("apostrophe", "m"):
            await it.press(key)
            assert "at is missing" in it.notices[-1]
        await it.press("ctrl+g")
        assert field(it, "#address").value == "acme:exports/"

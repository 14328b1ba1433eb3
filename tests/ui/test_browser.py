"""The browser as a whole: its panes, its sizes, its way back."""

import asyncio
from typing import Any

import pytest

from cloudstore_tui.core.errors import MissingError, NetworkError


async def test_the_first_screen_shows_every_profile_and_sends_nothing(
    browser: Any, folders: Any, searches: Any
) -> None:
    async with browser() as it:
        assert "▸ acme " in it.text
        assert "▸ acme8 " in it.text
        assert it.focus == "places"
        assert not folders.calls
        assert not searches.calls


async def test_enter_on_a_place_shows_what_is_in_it_with_one_request(browser: Any, folders: Any) -> None:
    async with browser() as it:
        await it.press("enter")
        assert it.rows == ["exports/", "imports/"]
        assert it.focus == "table"
        assert folders.calls == [("browse", "acme:")]
        assert it.foot.endswith("of 2")


async def test_a_path_given_at_the_start_is_open_with_the_focus_on_its_entries(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        assert it.rows[0] == "report-000.tar"
        assert it.focus == "table"
        assert "acme › exports › reporting" in it.text


async def test_an_object_given_at_the_start_is_one_row(browser: Any) -> None:
    async with browser(start="acme:exports/readme.txt") as it:
        assert it.rows == ["readme.txt"]


async def test_a_place_is_shown_with_an_empty_search_line_and_its_count(browser: Any) -> None:
    async with browser() as it:
        await it.press("j", "l", "l", "l", "l", "enter")
        assert it.screen.entries.bar.line.value == ""
        assert "2,431 match" in it.text
        assert "row 1 of 100 loaded of 2,431" in it.text


async def test_a_service_without_search_has_no_bar(browser: Any) -> None:
    async with browser() as it:
        await it.press("enter")
        assert "Search" not in it.text
        await it.press("f")
        assert "Search" not in it.text


@pytest.mark.parametrize("pane", ["list", "places"])
async def test_a_search_where_a_service_has_none_filters_and_what_follows_is_no_command(
    browser: Any, folders: Any, pane: str
) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        if pane == "places":
            await it.press("1")
        await it.burst("f009")
        await it.until(lambda: it.rows == ["report-009.tar"])
        assert it.notices == ["This service can't search. Filtering the loaded rows."]
        await it.press("escape")
        await it.until(lambda: it.focus == "table")
        assert folders.count("browse") == 1


async def test_a_late_answer_never_lands_in_the_next_place(browser: Any, folders: Any) -> None:
    folders.gates["acme:exports/"] = asyncio.Event()
    async with browser(start="acme:exports/") as it:
        assert "loading…" in it.text
        await it.press("backspace")
        assert it.rows == ["exports/", "imports/"]
        folders.gates["acme:exports/"].set()
        await it.settle()
        assert it.rows == ["exports/", "imports/"]
        assert folders.cancelled == ["acme:exports/"]


async def test_escape_stops_what_is_loading_and_r_reads_it(browser: Any, folders: Any) -> None:
    folders.gates["acme:exports/"] = asyncio.Event()
    async with browser(start="acme:exports/") as it:
        await it.press("escape")
        assert folders.cancelled == ["acme:exports/"]
        assert "Stopped. Press r to reload." in it.text
        folders.gates.clear()
        await it.press("r")
        assert it.rows == ["reporting/", "readme.txt"]


async def test_an_error_that_stands_in_place_of_the_rows_is_not_said_once_more_below(
    browser: Any, folders: Any
) -> None:
    folders.fail["browse"] = NetworkError("no answer came", subject="acme:exports/", hint="Check the network.")
    async with browser(start="acme:exports/") as it:
        await it.until(lambda: "Check the network." in it.text)
        assert it.text.count("Check the network.") == 1
        await it.press("less_than_sign")
        assert "Messages" in it.text
        assert it.notices == ["acme:exports/: no answer came. Check the network."]
        assert it.text.count("Check the network.") == 2


async def test_a_failure_is_a_sentence_and_nothing_is_lost(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        folders.fail["browse"] = NetworkError("no answer came", subject="acme:exports/", hint="Check the network.")
        await it.press("r")
        assert it.rows == ["reporting/", "readme.txt"]
        assert it.notices == ["acme:exports/: no answer came. Check the network."]
        assert it.foot.endswith("· stopped: r reads again")
        assert it.text.count("no answer came") == 1
        folders.fail.clear()
        await it.press("r")
        assert it.foot.endswith("of 2")


async def test_a_missing_folder_says_so_where_its_rows_would_be(browser: Any) -> None:
    async with browser(start="acme:nowhere/") as it:
        assert it.text.count("acme:nowhere/: there is no such folder. Look at the folder above.") == 1


async def test_escape_goes_back_one_step_at_a_time_and_never_quits(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space", "slash")
        await it.type("report-01")
        assert it.focus == "filter"
        assert len(it.rows) == 2
        await it.press("escape")
        assert it.focus == "table"
        assert len(it.rows) == 2
        await it.press("escape")
        assert len(it.rows) == 12
        assert "1 marked" in it.foot
        await it.press("escape")
        assert "marked" not in it.foot
        await it.press("escape", "escape")
        assert it.app.is_running


async def test_escape_stays_in_the_places_until_one_is_open(browser: Any) -> None:
    async with browser() as it:
        await it.press("escape")
        assert it.focus == "places"


async def test_escape_in_another_pane_goes_to_the_entries_and_clears_nothing(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space", "1")
        assert it.focus == "places"
        await it.press("escape")
        assert it.focus == "table"
        assert "1 marked" in it.foot


async def test_tab_goes_round_the_panes_that_are_there(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        seen = []
        for _ in range(4):
            await it.press("tab")
            seen.append(it.focus)
        assert seen == ["detail", "places", "table", "detail"]


@pytest.mark.parametrize("size", [(59, 12), (120, 14)])
async def test_a_low_terminal_shows_one_pane_that_keys_change(browser: Any, size: tuple[int, int]) -> None:
    async with browser(size=size, start="acme:exports/reporting/") as it:
        assert "report-000.tar" in it.text
        assert not it.screen.detail.region.area
        await it.press("1")
        assert "▾ acme " in it.text
        assert it.focus == "places"
        await it.press("2", "tab")
        assert it.focus == "detail"
        assert "acme:exports/reporting/report-000.tar" in it.text


async def test_i_shows_all_fields_then_nothing_which_gives_the_room_to_the_entries(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        before = it.screen.entries.table.region
        await it.until(lambda: "HERE" in it.text)
        await it.press("i")
        assert it.screen.detail.border_title == "Details"
        assert "HERE" not in it.text
        assert it.screen.entries.table.region == before
        await it.press("i")
        assert it.screen.entries.table.region.size.area > before.size.area
        await it.press("i")
        assert it.screen.entries.table.region == before
        assert "HERE" in it.text


async def test_z_shows_times_in_the_next_zone(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    async with browser(start="acme:exports/reporting/") as it:
        assert "2024-09-01 09:12" in it.text
        assert "Modified UTC" in it.text
        await it.press("Z")
        assert "2024-09-01 18:12" in it.text
        assert "Modified JST" in it.text
        assert "Asia/Tokyo" in it.lines[0]
        await it.press("Z")
        assert "2024-09-01 09:12" in it.text


async def test_keys_are_offered_only_where_they_do_something(browser: Any, folders: Any, searches: Any) -> None:
    async with browser() as it:
        assert "d Download" in it.keys
        assert not any(word in it.keys for word in ("Mark", "Link", "Preview", "Sort"))
        await it.press("enter")
        assert "d Download" in it.keys
        assert not any(word in it.keys for word in ("Delete", "Link", "Preview", "Search", "Zip"))
        it.screen.navigator.go(folders.locate("exports/reporting/"))
        await it.settle()
        assert all(word in it.keys for word in ("d Download", "y Link", "del Delete", "p Preview"))
        it.screen.navigator.go(searches.locate("us-east/"))
        await it.settle()
        assert all(word in it.keys for word in ("f Search", "z Zip"))
        assert not any(word in it.keys for word in ("Delete", "Upload"))


async def test_names_are_never_markup_and_never_commands(browser: Any, folders: Any) -> None:
    hostile = ["[red]x[/red]", "[/oops]", "\x1b]52;c;QQ==\x07.txt", "a\nb.txt", "[@click=app.quit]q[/].txt", "‮gpj.exe"]
    folders.tree["exports/"] = [f"{hostile[1]}/", *hostile]
    async with browser() as it:
        await it.press("l", "j", "l", "enter")
        assert "[red]x[/red]" in it.text
        assert "\x1b" not in it.text
        assert "\u202e" not in it.text
        for _ in hostile:
            await it.press("j")
        await it.until(lambda: "‹202E›gpj.exe" in it.text)
        await it.press("Y")
        assert it.app.is_running


async def test_a_folder_of_ten_thousand_entries_can_be_gone_through(browser: Any, folders: Any) -> None:
    folders.tree["exports/"] = [f"file-{number:05}.txt" for number in range(10_000)]
    folders.page_size = 1_000
    async with browser(start="acme:exports/") as it:
        assert it.foot == "row 1 of 1,000 loaded of 10,000"
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 10,000"))
        await it.press("G")
        assert "file-09999.txt" in it.text
        await it.press("slash")
        await it.type("00042")
        assert it.rows == ["file-00042.txt"]


async def test_a_search_with_a_million_results_shows_its_first_page_and_loads_on(browser: Any, searches: Any) -> None:
    searches.results = 1_000_000
    async with browser(start="acme8:us-east/") as it:
        assert it.foot == "row 1 of 100 loaded of 1,000,000"
        assert searches.count("search") == 1
        await it.press("G")
        assert "200 loaded of 1,000,000" in it.foot
        assert searches.count("search") == 2


async def test_the_cursor_moves_while_a_page_is_on_its_way(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        searches.gates["search"] = asyncio.Event()
        await it.press("G", "k", "k")
        assert it.screen.entries.table.cursor == 97
        assert "loading…" in it.foot
        searches.gates["search"].set()
        await it.settle()
        assert it.screen.entries.table.cursor == 97
        assert "200 loaded of" in it.foot


async def test_the_error_of_one_service_leaves_the_other_alone(browser: Any, folders: Any) -> None:
    folders.fail["browse"] = MissingError("gone", subject="acme:")
    async with browser() as it:
        await it.press("enter", "1", "j", "enter")
        assert it.rows == ["us-east"]

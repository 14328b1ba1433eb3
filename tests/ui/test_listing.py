"""Reading pages: ahead, all, again, in another order, and only for the place they belong to."""

import asyncio
import re
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError, NetworkError, ThrottledError
from cloudstore_tui.core.models import Sort
from cloudstore_tui.core.paging import Page
from cloudstore_tui.ui.widgets.row_renderer import REPEATED


async def test_load_all_counts_up_and_escape_stops_it(browser: Any, searches: Any) -> None:
    searches.delay = 0.25
    async with browser(start="acme8:us-east/") as it:
        await it.until(lambda: "of 100 loaded" in it.foot)
        await it.press("ctrl+e")
        await it.until(lambda: re.search(r" · loading [█▏▎▍▌▋▊▉░]{8} \d+ %, .* left · Esc stops$", it.foot))
        counts = [it.foot.partition(" loaded")[0]]
        for _ in range(2):
            await it.until(lambda: it.foot.partition(" loaded")[0] != counts[-1])
            counts.append(it.foot.partition(" loaded")[0])
        await it.press("escape")
        await it.until(lambda: "loading" not in it.foot)
        loaded = it.screen.listing.state.store.loaded
        assert 300 <= loaded < 2_431
        await it.pilot.pause(0.2)
        assert it.screen.listing.state.store.loaded == loaded
        searches.delay = 0
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 2,431"))


async def test_load_all_is_offered_only_while_there_is_more(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert "Load all" in it.keys
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 2,431"))
        await it.settle()
        assert "Load all" not in it.keys


async def test_a_page_that_failed_can_be_asked_for_again_and_nothing_is_skipped(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        searches.fail["search"] = ThrottledError("the service asks to wait", subject="acme8:us-east/")
        await it.press("G")
        assert it.foot == "row 100 of 100 loaded of 2,431 · stopped: r reads again"
        sent = len(searches.calls)
        await it.press("k", "G")
        assert len(searches.calls) == sent
        searches.fail.clear()
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 2,431"))


async def test_what_is_read_again_after_a_failure_goes_on_by_itself(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        searches.fail["search"] = ThrottledError("the service asks to wait", subject="acme8:us-east/")
        await it.press("G")
        assert "stopped" in it.foot
        searches.fail.clear()
        await it.press("r")
        await it.until(lambda: it.foot == "row 100 of 200 loaded of 2,431")


async def test_refresh_keeps_cursor_marks_filter_and_order(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        column = it.screen.listing.state.columns[1]
        it.screen.listing.sort(column, descending=True)
        await it.press("g", "space", "space")
        at = it.screen.entries.table.entry.name
        names = folders.tree["exports/reporting/"]
        folders.tree["exports/reporting/"] = ["added.tar", *(name for name in names if name != "report-000.tar")]
        await it.press("r")
        assert it.screen.entries.table.entry.name == at
        assert "2 marked" in it.foot
        assert "largest first" in it.foot
        assert "added.tar" in it.rows
        assert "report-000.tar" not in it.rows
        assert it.screen.listing.state.store.sorted_by[1]


async def test_refresh_of_a_long_list_reads_as_much_as_was_loaded_and_goes_on_from_there(
    browser: Any, searches: Any
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("G")
        await it.press("r")
        assert "of 200 loaded of 2,431" in it.foot
        assert searches.count("search") == 4
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 2,431"))


async def test_a_refresh_after_one_that_failed_reads_as_much_as_was_loaded(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("G")
        await it.press("G", "space")
        searches.fail["search"] = ThrottledError("the service asks to wait", subject="acme8:us-east/")
        await it.press("r")
        assert "1 marked" in it.foot
        assert "of 300 loaded" in it.foot
        searches.fail.clear()
        await it.press("r")
        assert "of 300 loaded of 2,431" in it.foot
        assert "1 marked" in it.foot


async def test_a_refresh_that_is_stopped_loses_nothing(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("space")
        searches.gates["search"] = asyncio.Event()
        await it.press("r", "escape")
        assert it.foot == "row 2 of 100 loaded of 2,431 · 1 marked, 10.0 kB"


def stubborn(answer: Any, hold: asyncio.Event) -> Any:
    """The same method, but it answers although nobody waits any more."""

    async def held(*arguments: Any) -> Any:
        while not hold.is_set():
            try:
                await hold.wait()
            except asyncio.CancelledError:
                continue
        return await answer(*arguments)

    return held


async def test_a_late_page_is_dropped_even_if_it_cannot_be_stopped(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        hold = asyncio.Event()
        searches.search = stubborn(searches.search, hold)
        await it.press("G", "backspace")
        assert it.rows == ["us-east"]
        hold.set()
        await it.settle()
        assert it.rows == ["us-east"]
        assert it.foot == "row 1 of 1"


async def test_a_list_that_has_grown_goes_on_after_a_refresh(browser: Any, searches: Any) -> None:
    searches.results = 50
    async with browser(start="acme8:us-east/") as it:
        assert it.foot == "row 1 of 50"
        searches.results = 1_000
        await it.press("r")
        assert "of 100 loaded of 1,000" in it.foot
        await it.press("G")
        assert "of 200 loaded of 1,000" in it.foot


async def test_a_late_refresh_never_lands_in_the_next_place(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        hold = asyncio.Event()
        searches.search = stubborn(searches.search, hold)
        await it.press("r")
        await it.press("backspace")
        assert it.rows == ["us-east"]
        hold.set()
        await it.settle()
        assert it.rows == ["us-east"]
        assert it.foot == "row 1 of 1"


async def test_an_order_of_the_service_is_asked_for_and_marks_follow_where_they_are_loaded(
    browser: Any, searches: Any
) -> None:
    searches.results = 150
    async with browser(start="acme8:us-east/") as it:
        await it.press("space")
        it.screen.entries.table.cursor = 99
        await it.press("space")
        duration = next(column for column in it.screen.listing.state.columns if column.name == "duration")
        await it.until(lambda: "of 150 ·" in it.foot)
        assert not it.screen.listing.sorts_on_server(duration)
    async with browser(start="acme8:us-east/") as it:
        searches.results = 1_000
        await it.press("r", "space")
        column = next(column for column in it.screen.listing.state.columns if column.name == "duration")
        it.screen.listing.sort(column, descending=False)
        await it.settle()
        assert searches.calls[-1][1].sort == Sort("duration")
        assert "of 100 loaded of 1,000" in it.foot
        assert it.notices == ["1 marked row not loaded again: no longer marked."]


async def test_an_order_of_loaded_rows_says_so_until_all_are_loaded(browser: Any, folders: Any) -> None:
    folders.page_size = 10
    async with browser(size=(120, 14), start="acme:exports/reporting/") as it:
        it.screen.listing.sort(it.screen.listing.state.columns[1], descending=True)
        await it.settle()
        if not it.screen.listing.state.pager.ended:
            assert "largest first, loaded rows only" in it.foot
        await it.press("ctrl+e")
        await it.until(lambda: "of 12 · largest first" in it.foot)


async def test_warnings_of_pages_are_said_but_not_without_end(browser: Any, searches: Any) -> None:
    search = searches.search

    async def warned(query: Any, cursor: Any = None) -> Any:
        page = await search(query, cursor)
        return replace(page, warnings=("a row could not be read", f"page {cursor}"))

    searches.search = warned
    async with browser(start="acme8:us-east/") as it:
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 2,431"))
        assert it.notices == ["a row could not be read", "page None", "page 100"]


async def test_a_service_that_repeats_itself_for_ever_is_given_up(browser: Any, folders: Any) -> None:
    async def same(location: Any, cursor: Any = None) -> Any:
        return Page((folders.entry("exports/a.txt"),), cursor="again")

    folders.browse = same
    async with browser(start="acme:exports/") as it:
        await it.press("ctrl+e")
        await it.until(lambda: it.notices)
        assert "keeps naming a next page" in it.notices[0]
        assert it.rows == ["a.txt"]


async def test_nothing_is_left_of_a_list_when_the_next_one_is_open(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        old = it.screen.listing.state.store
        await it.press("enter")
        assert it.screen.listing.state.store.window(0, 1)
        with pytest.raises(LocalDiskError, match="closed"):
            old.window(0, 1)


async def test_an_error_that_comes_too_late_is_not_shown(browser: Any, folders: Any) -> None:
    folders.gates["acme:exports/"] = asyncio.Event()
    folders.fail["acme:exports/"] = NetworkError("no answer came")
    async with browser(start="acme:exports/") as it:
        await it.press("backspace")
        folders.gates["acme:exports/"].set()
        await it.settle()
        assert not it.notices


async def test_an_empty_place_shows_the_filter_that_it_stands_for(browser: Any, searches: Any) -> None:
    searches.results = 0
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.go(replace(searches.locate("us-east/"), place=("callrecording",)))
        await it.settle()
        assert "No matches." in it.text
        assert "Sent: type==callrecording" in it.text


async def test_a_service_that_is_away_says_which_attempt_follows(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        searches.gates["search"] = asyncio.Event()
        searches.note = "waiting 4 s: attempt 2 follows: no answer came"
        await it.press("r")
        await it.until(lambda: "attempt 2 follows: no answer came" in it.foot)
        searches.note = "waiting 9 s: attempt 3 follows: no answer came"
        await it.until(lambda: "attempt 3 follows: no answer came" in it.foot)
        searches.gates["search"].set()
        await it.until(lambda: "attempt" not in it.foot)


async def test_what_a_search_gives_one_value_is_the_first_column_to_be_left_out(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        ranks = {one.name: one.rank for one in it.screen.listing.state.columns}
        assert set(ranks.values()) == {0}
        it.screen.navigator.search("agent:Lee")
        await it.settle()
        assert {one.name: one.rank for one in it.screen.listing.state.columns} == {**ranks, "agentName": REPEATED}
        it.screen.navigator.search("agent:Lee,Ada")
        await it.settle()
        assert {one.name: one.rank for one in it.screen.listing.state.columns} == ranks


async def test_marks_that_are_lost_are_counted_whatever_else_is_marked_meanwhile(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space", "space")
        state = it.screen.listing.state
        there, *_ = state.marked()
        state.marks = frozenset({there, "gone"})
        assert state.mark_again() == 1
        assert state.mark_again() == 0
        assert "2 marked" in it.foot

"""What the user does with a list: reads all of it, counts it, draws it, sorts it."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Column, ResultSize, Sort
from cloudstore_tui.ui.browser import listing_actions
from cloudstore_tui.ui.dialogs.columns import Bar, SortDialog, histogram_lines


async def test_r_f5_and_ctrl_r_read_again(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("r", "f5", "ctrl+r")
        assert folders.count("browse") == 4


async def test_ctrl_e_reads_to_the_end(browser: Any, searches: Any) -> None:
    searches.results = 450
    async with browser(start="acme8:us-east/") as it:
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.endswith("of 450"))
        assert searches.count("search") == 5


async def test_a_capital_a_marks_all_that_matches_after_reading_it(browser: Any, searches: Any) -> None:
    searches.results = 450
    async with browser(start="acme8:us-east/") as it:
        await it.press("A")
        await it.until(lambda: "450 marked, 4.6 MB, 2024-09-01 01:43 to 09:12" in it.foot)
        assert searches.count("search") == 5
        await it.until(lambda: "Marked all 450 matches (4.6 MB)." in str(it.notices))


async def test_nothing_is_marked_where_reading_all_was_stopped(browser: Any, searches: Any) -> None:
    searches.delay, searches.results = 0.05, 100_000
    async with browser(start="acme8:us-east/") as it:
        await it.press("A")
        await it.until(lambda: "marking" in it.foot)
        await it.press("escape")
        await it.until(lambda: "nothing was marked" in str(it.notices))
        assert "marked" not in it.foot


async def test_too_many_rows_are_not_read_only_to_be_marked(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_actions, "MAX_MARKED", 300)
    searches.delay = 0.05
    async with browser(start="acme8:us-east/") as it:
        await it.press("A")
        await it.until(lambda: "More than 300 rows match" in str(it.notices))
        assert "marked" not in it.foot


async def test_rows_are_counted_by_time_and_by_value_and_it_says_which(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("b")
        await it.until(lambda: "2024-09-01 09:00" in it.text)
        assert "Rows by hour" in it.text
        assert "100 loaded rows of 2,431. ←/→ change grouping" in it.text
        hour = next(line for line in it.lines if "2024-09-01 08:00" in line)
        assert "█" * 40 in hour
        assert " 60 " in hour
        await it.press("right")
        await it.until(lambda: "Rows by Agent" in it.text)
        await it.until(lambda: "Agent 0" in it.text)
        assert " 15 " in next(line for line in it.lines if "Agent 0" in line and "███" in line)
        await it.press("left", "left")
        await it.until(lambda: "Rows by month" in it.text)


async def test_enter_narrows_the_search_in_the_place_of_what_said_the_same(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search('agent:"Agent 9" dur:>1s')
        await it.settle()
        await it.press("b", "right")
        await it.until(lambda: "Agent 0" in it.text)
        await it.press("j", "enter")
        phrase = 'dur:>1s agent:"Agent 1"'
        assert it.screen.entries.bar.line.value == phrase
        assert searches.calls[-1][1].filter.count("agentName") == 1
        await it.press("b")
        await it.until(lambda: "2024-09-01 09:00" in it.text)
        await it.press("enter")
        await it.until(lambda: it.screen.entries.bar.line.value != phrase)
        assert it.screen.entries.bar.line.value == f"{phrase} since:2024-09-01T07:00 until:2024-09-01T08:00"
        filter_ = searches.calls[-1][1].filter
        await it.press("b")
        await it.until(lambda: "2024-09-01 09:00" in it.text)
        await it.press("enter")
        await it.settle()
        assert searches.calls[-1][1].filter == filter_
        await it.press("H", "H")
        assert it.screen.entries.bar.line.value == 'agent:"Agent 9" dur:>1s'


async def test_escape_changes_nothing_and_folders_are_only_looked_at(browser: Any, searches: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("b")
        assert "Enter narrows" not in it.text
        await it.press("enter", "escape")
        assert "readme.txt" in it.text
        assert searches.calls == []


async def test_a_hostile_value_is_shown_and_never_obeyed(browser: Any, searches: Any) -> None:
    usual = searches.object
    searches.object = lambda number, query: replace(
        usual(number, query), tags=(("agentName", "\x1b[31m[/x]';type==x"), ("filter", query.filter))
    )
    async with browser(start="acme8:us-east/") as it:
        await it.press("b", "right")
        await it.until(lambda: "[/x]" in it.text)
        assert "\x1b" not in it.text
        await it.press("enter")
        _, query = searches.calls[-1]
        assert query.filter == "agentName=='\x1b[31m[/x]\\';type==x'"


def test_bars_fill_the_width_and_none_is_lost() -> None:
    bars = [Bar("a", 1000), Bar("long name", 500), Bar("", 1), Bar("z", 0)]
    drawn = [line.plain for line in histogram_lines(bars, 60)]
    assert drawn[0] == f"a          {'█' * 42}  1,000"
    assert drawn[1] == f"long name  {'█' * 21}{' ' * 21}    500"
    assert drawn[2].startswith("(none)     ▏")
    assert "█" not in drawn[3]
    assert {len(line) for line in drawn} == {60}
    assert [len(line.plain) for line in histogram_lines(bars, 20)] == [20] * 4
    assert histogram_lines([], 60) == []


@pytest.fixture
def untold(searches: Any) -> Any:
    """A service that says nothing of totals, and counts only where it is asked to."""
    search = searches.search
    asked: list[Any] = []

    async def without_total(query: Any, cursor: Any = None) -> Any:
        return replace(await search(query, cursor), total=None)

    async def measure(query: Any) -> ResultSize:
        await searches.called("count", query.location, query)
        asked.append(query)
        return ResultSize(int(searches.results), 480, 480 * 10_000)

    searches.search, searches.measure, searches.asked = without_total, measure, asked
    return searches


async def test_what_is_shown_is_counted_and_its_size_guessed_from_rows_all_over_it(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search("type==callrecording")
        await it.settle()
        assert "100 loaded" in it.foot
        await it.press("number_sign")
        assert "2,431 objects match." in it.text
        assert "About 24.3 MB in total (estimated from 480)." in it.text
        assert "Sent: type==callrecording" in it.text
        await it.press("escape")
        assert "100 loaded of 2,431" in it.foot
        await it.press("number_sign")
        assert len(untold.asked) == 1


async def test_what_is_typed_behind_the_key_is_for_the_count(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.burst("#aa")
        await it.until(lambda: "2,431 objects match." in it.text)
        await it.settle()
        assert it.screen.listing.state.store.selection.count == 0


async def test_what_is_wholly_loaded_is_added_up_without_a_request(browser: Any, untold: Any) -> None:
    untold.results = 3
    async with browser(start="acme8:us-east/") as it:
        sent = len(untold.calls)
        await it.press("number_sign")
        assert "3 objects match." in it.text
        assert "30.0 kB in total." in it.text
        assert len(untold.calls) == sent


async def test_a_filter_in_the_bar_is_counted_before_it_is_sent(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        rows = it.rows
        await it.press("f", "ctrl+u")
        await it.type("agent:Lee")
        await it.press("ctrl+o")
        assert "2,431 objects match." in it.text
        assert "Sent: agentName==Lee" in it.text
        assert [query.filter for query in untold.asked] == ["agentName==Lee"]
        await it.press("escape")
        assert it.rows == rows
        assert it.screen.entries.bar.line.value == "agent:Lee"


async def test_a_filter_that_is_wrong_is_not_counted(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        sent = len(untold.calls)
        await it.press("f", "ctrl+u")
        await it.type("agentName==")
        await it.press("ctrl+o")
        assert len(untold.calls) == sent


async def test_what_only_rows_can_tell_is_not_guessed(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f", "ctrl+u")
        await it.type("agent:*Lee*")
        await it.press("ctrl+o")
        assert "only loaded rows can be searched" in it.text
        assert untold.asked == []


async def test_counting_can_be_given_up_and_fails_in_words(browser: Any, untold: Any) -> None:
    untold.gates["count"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.press("number_sign")
        assert "counting… Esc stops" in it.foot
        await it.press("escape")
        assert "counting" not in it.foot
        assert "match" not in it.text
        del untold.gates["count"]
        untold.fail["count"] = NetworkError("no answer came", subject="acme8:us-east/", hint="Check the network.")
        await it.press("number_sign")
        assert "no answer came" in it.notices[-1]


async def test_folders_are_not_counted(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("number_sign")
        assert "Matches" not in it.text


async def test_what_is_typed_behind_the_key_waits_for_the_count(browser: Any, untold: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.burst("#aa")
        await it.until(lambda: "2,431 objects match." in it.text)
        assert it.screen.listing.state.store.selection.count == 0


async def test_o_asks_and_a_service_that_can_sorts_everything(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("o")
        assert isinstance(it.app.screen, SortDialog)
        await it.press("j", "j", "j", "enter")
        assert searches.calls[-1][1].sort == Sort("duration", descending=True)
        assert it.foot.endswith("of 100 loaded of 2,431 · longest first")
        # The service would sort types by names that nobody sees.
        assert not it.screen.listing.sorts_on_server(Column("type", "What", sort_field="type"))


async def test_o_sorts_loaded_rows_where_the_service_cannot(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("o", "j")
        assert "Largest first" in it.text
        assert "loaded rows only" not in it.text
        await it.press("enter")
        assert it.foot.endswith("of 12 · largest first")
        assert it.rows[0] == "report-009.tar"
        assert folders.count("browse") == 1


async def test_capital_o_turns_the_order_round(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("O")
        assert searches.calls[-1][1].sort == Sort("createdTime")
        assert "oldest first" in it.foot
        assert it.rows[0] == "int-0002430.mp3"
        await it.press("O")
        assert searches.calls[-1][1].sort == Sort("createdTime", True)
        # That is the usual order, which the arrow tells.
        assert "first" not in it.foot
        assert "▼" in it.text


async def test_a_click_on_a_title_sorts_and_a_second_one_turns_round(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        size = it.lines[2].index("Size")
        table = it.screen.entries.table
        for words in ("largest first", "smallest first"):
            await it.pilot.click(table, offset=(size - table.region.x, 0))
            await it.settle()
            assert words in it.foot


@pytest.mark.parametrize("start", ["acme:imports/", "acme:exports/"])
async def test_capital_o_without_an_order_begins_with_the_name(browser: Any, start: str) -> None:
    async with browser(start=start) as it:
        await it.press("O")
        assert "by Name, Z–A" in it.foot


async def test_an_order_that_the_service_does_not_keep_to_is_not_claimed(browser: Any, searches: Any) -> None:
    ask = searches.search

    async def newest_first(query: Any, cursor: str | None = None) -> Any:
        return await ask(replace(query, sort=None), cursor)

    searches.search = newest_first
    async with browser(start="acme8:us-east/") as it:
        await it.press("O")
        await it.until(lambda: "not sorted by the service" in it.foot)
        assert "▲" not in it.text
        assert "▼" not in it.text
        assert "first" not in it.foot

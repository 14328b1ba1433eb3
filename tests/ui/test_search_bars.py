"""Looking at a result before anything of it is fetched."""

from typing import Any

from msgspec.structs import replace

from cloudstore_tui.ui.dialogs.columns import Bar, histogram_lines


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

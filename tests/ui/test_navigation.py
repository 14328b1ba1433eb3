"""Up, back, forward, to the top: and the cursor where it was."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.ui.browser import navigation


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


async def test_marks_of_a_place_that_are_too_many_to_be_kept_are_told(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(navigation, "MOST_MARKS", 1)
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space", "space")
        await it.until(lambda: "2 marked" in it.foot)
        await it.press("backslash")
        await it.until(lambda: it.rows == ["exports/", "imports/"])
        assert it.notices == ["2 rows unmarked: of a place that is left, no more than 1 marks are kept."]
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
    monkeypatch.setattr(navigation, "LONGEST", 3)
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

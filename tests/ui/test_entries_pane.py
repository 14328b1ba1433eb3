"""The list of entries: its lines, its filter, its columns."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.models import Column, Location, StoredObject
from cloudstore_tui.state.memory import Layouts, ShownColumn
from cloudstore_tui.ui.layout import arranged, kind_of, layout_of, offered


async def test_the_foot_line_counts_marks_as_they_come(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("space")
        assert "1 marked, ≈" in it.foot
        await it.press("*")
        assert "11 marked" in it.foot


async def test_a_filter_is_gone_in_the_next_folder(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("slash")
        await it.type("reporting")
        await it.press("enter", "enter")
        assert len(it.rows) == 12
        assert "with" not in it.foot


async def test_a_long_filtered_list_is_counted_when_it_is_ready(browser: Any, folders: Any) -> None:
    folders.tree["exports/"] = [f"file-{number:06}" for number in range(12_000)]
    folders.page_size = 1_000
    async with browser(start="acme:exports/") as it:
        await it.press("ctrl+e")
        await it.until(lambda: it.foot == "row 1 of 12,000")
        await it.press("slash")
        await it.type("0119")
        await it.until(lambda: "112 with “0119”" in it.foot)


async def test_an_empty_folder_says_that_it_is_empty(browser: Any) -> None:
    async with browser(start="acme:imports/") as it:
        assert "This folder is empty." in it.text
        assert it.foot == "no rows"


async def test_an_empty_search_says_that_nothing_was_found(browser: Any, searches: Any) -> None:
    searches.results = 0
    async with browser(start="acme8:us-east/") as it:
        assert "No matches." in it.text


async def test_a_filter_that_hides_the_entry_under_the_cursor_changes_the_detail(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        table = it.app.browser.entries.table
        before, last = table.entry, table.store.at(len(it.rows) - 1)
        await it.press("slash")
        await it.type(last.name)
        await it.until(lambda: table.entry not in (before, None))
        await it.until(lambda: it.app.browser.detail.entry == table.entry)


@pytest.mark.parametrize("text", ["callrec", "10.0 kb", "2024-09-01 09:12", "1:00", "available", "agent 3"])
async def test_the_filter_looks_into_every_column(browser: Any, text: str) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("/")
        await it.type(text)
        await it.until(lambda: it.screen.listing.state.store.filtered_by == text)
        assert len(it.screen.listing.state.store) > 0


async def test_a_filter_that_hides_all_says_so_and_nothing_else(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("/")
        await it.type("xyzzy")
        await it.until(lambda: "None of the 100 rows loaded holds “xyzzy”. Ctrl+E loads the rest." in it.text)
        assert "Stopped" not in it.text


async def test_many_marks_take_two_escapes_and_u_brings_them_back(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        store = it.screen.listing.state.store
        await it.press("space", "escape")
        assert store.selection.count == 0
        assert "1 unmarked. U brings them back." in it.text
        await it.press("a")
        marked = store.selection.count
        await it.press("escape")
        assert store.selection.count == marked >= 100
        assert f"Esc once more unmarks all {marked}." in it.text
        await it.press("escape")
        assert store.selection.count == 0
        await it.press("U")
        assert store.selection.count == marked
        # What was unmarked one by one since is not what Escape dropped.
        await it.press("escape", "escape", "g", "space", "g", "space", "U")
        assert store.selection.count == marked - 1


async def test_a_range_says_that_it_is_open_and_how_long_it_is(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("v", "j", "j")
        assert it.foot.startswith("RANGE 3 rows · v ends")
        await it.press("escape")
        assert "RANGE" not in it.foot
        await it.press("v", "j", "v")
        assert "RANGE" not in it.foot
        assert "2 marked" in it.foot


USUAL = (Column("created", "When (UTC)", width=16), Column("agentName", "Agent", width=14))


def header(it: Any) -> str:
    return str(next(line for line in it.lines if "When" in line)).split("│")[1]


async def test_columns_are_hidden_moved_and_added_and_tags_are_among_them(browser: Any) -> None:
    async with browser(start="acme8:us-east/", size=(160, 40)) as it:
        await it.press("c")
        assert "[x]  16  When" in it.text
        assert "[ ]  16  filter" in it.text
        # When stays, Agent goes, Name becomes the first, and the tag `filter` is shown.
        await it.press("j", "space", "K", "K")
        for _step in range(9):
            if "[ ]  16  filter" in it.app.screen.query_one("OptionList").highlighted_option.prompt.plain:
                break
            await it.press("j")
        await it.press("space", "enter")
        titles = header(it).split()
        assert titles.index("Name") < titles.index("When")
        assert "filter" in titles
        assert "Agent" not in titles


async def test_widths_change_by_key_and_all_is_remembered_for_lists_of_this_kind(browser: Any, tmp_path: Path) -> None:
    async with browser(start="acme8:us-east/") as it:
        pane = it.screen.entries
        pane.layouts = Layouts(tmp_path / "columns.json")
        await it.press("c", "j", "plus", "plus", "minus", "enter")
        assert next(column.width for column in pane.columns if column.name == "agentName") == 16
        kept = Layouts(tmp_path / "columns.json").of("created,agentName,name,duration,size")
        assert kept[:2] == (ShownColumn("created", 16), ShownColumn("agentName", 16))
        await it.press("c", "r")
        assert Layouts(tmp_path / "columns.json").of("created,agentName,name,duration,size") == ()
        assert pane.columns[1].width == 14


async def test_escape_and_a_choice_of_nothing_change_nothing(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        before = header(it)
        await it.press("c", "space", "escape")
        assert header(it) == before
        await it.press("c", *["space"] * 5, "enter")
        assert header(it) == before


async def test_a_column_of_a_tag_can_be_sorted_by_on_the_server(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/", size=(160, 40)) as it:
        pane = it.screen.entries
        pane.choose((*pane.columns, Column("filter", "filter", width=16, sort_field="filter")))
        await it.press("o", "end", "enter")
        _, query = searches.calls[-1]
        assert query.sort.field == "filter"
        assert "by filter, A–Z" in it.foot


def test_a_layout_takes_titles_and_kinds_from_what_fits_and_only_widths_from_the_user() -> None:
    layout = layout_of((USUAL[1], Column("dnis", "x", width=9), Column("size", "x", width=5)))
    shown = arranged(USUAL, layout)
    assert [(column.name, column.title, column.width) for column in shown] == [
        ("agentName", "Agent", 14),
        ("dnis", "dnis", 9),
        ("size", "Size", 5),
    ]
    assert arranged(USUAL, ()) == USUAL
    assert kind_of(USUAL) == "created,agentName"


def test_everything_else_is_offered_once() -> None:
    row = StoredObject(Location("p", "uk", "a"), "a", tags=(("dnis", "1"), ("size", "odd"), ("agentName", "K")))
    names = [column.name for column in offered(USUAL, USUAL[:1], [row])]
    assert names[:2] == ["agentName", "dnis"]
    assert len(names) == len(set(names))
    assert "created" not in names

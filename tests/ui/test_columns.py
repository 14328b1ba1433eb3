"""Choosing columns."""

from pathlib import Path
from typing import Any

from cloudstore_tui.core.models import Column, Location, StoredObject
from cloudstore_tui.state.memory import Layouts, ShownColumn
from cloudstore_tui.ui.layout import arranged, kind_of, layout_of, offered

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

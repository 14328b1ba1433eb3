"""The FIQL bar and the filter bar."""

from typing import Any

import pytest
from textual import events

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.query import Query
from cloudstore_tui.ui.widgets.query_bar import BarInput, object_to


def carets(it: Any) -> list[str]:
    """The lines of the screen that hold nothing but a caret, or begin with one."""
    return [line for line in it.lines if line[30:].strip(" │").startswith("^")]


def position_in(text: str) -> int:
    objection = object_to(text)
    assert objection is not None
    return objection.position


async def fill(it: Any, text: str) -> None:
    await it.press("f", "ctrl+u")
    it.screen.entries.bar.line.value = text
    await it.settle()


async def test_enter_searches_the_region_where_the_user_is(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "duration=ge=60000")
        await it.press("enter")
        assert searches.calls[-1] == ("search", Query(Location("acme8", "us-east"), "duration=ge=60000"))
        assert it.focus == "table"
        assert "acme8 › us-east › search" in it.text
        assert it.screen.entries.bar.line.value == "duration=ge=60000"


async def test_typing_goes_on_where_the_text_ends(browser: Any) -> None:
    async with browser() as it:
        await it.press("j", "l", "l", "l", "l", "enter", "f")
        await it.type(";a==b")
        assert it.screen.entries.bar.line.value == "type==callrecording;a==b"


async def test_a_filter_that_does_not_parse_is_never_sent_and_a_caret_shows_where(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        sent = len(searches.calls)
        await fill(it, "type==a;(b==c")
        await it.press("enter")
        await it.settle()
        assert len(searches.calls) == sent
        line = next(index for index, text in enumerate(it.lines) if "FIQL type==a" in text)
        caret = it.lines[line + 1].index("^", 31)
        assert caret - it.lines[line].index("type==a") == position_in("type==a;(b==c")
        assert it.screen.entries.bar.line.has_focus


async def test_the_caret_stays_below_the_place_in_a_filter_longer_than_the_line(browser: Any) -> None:
    async with browser(size=(80, 24), start="acme8:us-east/") as it:
        text = "type==a;" * 30 + "x=bad=1"
        await fill(it, text)
        await it.press("enter")
        await it.until(lambda: any(line.strip() == "^" for line in it.lines))
        line = next(index for index, shown in enumerate(it.lines) if shown.startswith(" FIQL "))
        column, position = it.lines[line + 1].index("^"), position_in(text)
        assert it.lines[line][column - 5 : column + 1] == text[position - 5 : position + 1]


async def test_tab_takes_the_corrected_filter(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "createdTime=ge=2024-09-01")
        await it.press("enter")
        await it.settle()
        assert "Tab takes: createdTime=ge=1725148800000" in it.text
        await it.press("tab", "enter")
        assert searches.calls[-1][1].filter == "createdTime=ge=1725148800000"


async def test_what_is_only_likely_wrong_is_said_and_searched_all_the_same(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "creatdTime=ge=1725148800000")
        await it.press("enter")
        assert searches.calls[-1][1].filter == "creatdTime=ge=1725148800000"
        assert "createdTime" in it.notices[0]


async def test_what_the_service_refuses_is_told(browser: Any, searches: Any) -> None:
    searches.fail["a==b"] = UsageError("the service does not know a", place="acme8:us-east/")
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "a==b")
        await it.press("enter")
        assert it.notices == ["acme8:us-east/: the service does not know a."]
        assert "the service does not know a" in it.text


async def test_escape_leaves_the_bar_and_keeps_the_text(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "half=")
        await it.press("enter")
        await it.until(lambda: carets(it))
        await it.press("escape")
        assert it.focus == "table"
        assert not carets(it)
        assert it.screen.entries.bar.line.value == "half="


async def test_letters_typed_into_a_bar_are_never_commands(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("qduyXDr123?")
        assert it.app.is_running
        assert it.screen.entries.bar.line.value == "qduyXDr123?"
        assert not it.backstage.transfers
        assert searches.count("link") == 0


@pytest.mark.parametrize(
    ("text", "fatal"), [("", None), ("  ", None), ("a==b", None), ("a=b", True), ("a==b,c==d;e==f", False)]
)
def test_objections(text: str, fatal: bool | None) -> None:
    objection = object_to(text)
    assert (objection.fatal if objection else None) == fatal


async def test_a_paste_is_one_clean_line(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.app.on_event(events.Paste("type==a\x1b[31m;b==c\nrm -rf"))
        await it.settle()
        assert it.screen.entries.bar.line.value == "type==a[31m;b==c"


async def test_no_cursor_blinks(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert [line.cursor_blink for line in it.screen.query(BarInput)] == [False, False]


async def test_the_filter_hides_rows_while_it_is_typed_and_enter_keeps_it(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("slash")
        for letter, left in (("0", 12), ("1", 3), ("1", 1)):
            await it.type(letter)
            assert len(it.rows) == left
        assert "1 with “011”" in it.foot
        await it.press("enter")
        assert it.focus == "table"
        assert it.rows == ["report-011.tar"]
        await it.press("slash")
        assert it.screen.entries._filter_bar.query_one(BarInput).value == "011"

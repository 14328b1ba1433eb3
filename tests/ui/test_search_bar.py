"""The bar in which a search is typed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual import events

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SavedSearches
from cloudstore_tui.ui.browser.search_line import MeaningLine
from cloudstore_tui.ui.browser.search_meaning import analyse
from cloudstore_tui.ui.dialogs.picking import NameDialog
from cloudstore_tui.ui.widgets.fields import BarInput


def said(it: Any) -> str:
    """What line two says, in full; nothing while it is not there."""
    meaning = it.screen.query_one(MeaningLine)
    return meaning.text if meaning.display else ""


def table_lines(it: Any) -> list[str]:
    region = it.screen.entries.table.region
    return [line[region.x : region.right] for line in it.lines[region.y : region.bottom]]


def underlined(it: Any) -> list[str]:
    return [segment.text for segment in it.screen.entries.bar.line.render_line(0) if segment.style.underline]


def position_in(text: str) -> int:
    fatal = analyse(text, UTC, datetime.now(UTC)).fatal
    assert fatal is not None
    return fatal.position


async def fill(it: Any, text: str) -> None:
    await it.press("f", "ctrl+u")
    it.screen.entries.bar.line.value = text
    await it.settle()


async def test_enter_searches_where_the_user_is_and_what_was_typed_stays(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "agentName=='Khang Glynn'")
        await it.press("enter")
        assert searches.calls[-1] == ("search", Query(Location("acme8", "us-east"), "agentName=='Khang Glynn'"))
        assert it.focus == "table"
        assert "acme8 › us-east › agent Khang Glynn" in it.text
        assert it.screen.entries.bar.line.value == "agentName=='Khang Glynn'"


async def test_the_second_line_and_the_box_lie_over_the_table_and_nothing_moves(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        top, first = it.screen.entries.table.region, table_lines(it)
        await it.press("f")
        assert it.screen.entries.table.region == top
        await it.type('agent:"Age')
        assert it.screen.entries.table.region == top
        assert "Agent 1" in it.text
        assert "⇥ takes · ↑ earlier · ^S saves" in it.text
        below = next(number for number, line in enumerate(it.lines) if "→ agent Age…" in line)
        assert "Search agent:" in it.lines[below - 1]
        await it.press("escape", "escape")
        assert table_lines(it) == first


async def test_a_word_is_not_called_wrong_while_it_is_typed(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type('agnt:"Khang Gl')
        assert "Unknown" not in said(it)
        assert not underlined(it)
        await it.press("enter")
        assert said(it).startswith("Missing closing quote.")
        await it.type('ynn"')
        assert "Missing" not in said(it)
        await it.press("space")
        assert said(it).startswith("Unknown field `agnt:`. Did you mean `agent:`?")
        assert "agnt" in underlined(it)
        await it.press("left", "left", "ctrl+u")
        assert value(it) == ""
        assert said(it).startswith("everything; for example ")
        assert not underlined(it)


async def test_a_filter_that_does_not_parse_is_not_sent_and_the_cursor_goes_there(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        sent = len(searches.calls)
        await fill(it, "type==a;(b==c")
        await it.press("enter")
        await it.settle()
        assert len(searches.calls) == sent
        line = it.screen.entries.bar.line
        assert line.has_focus
        assert line.cursor_position == position_in("type==a;(b==c")
        assert not said(it).startswith("everything")


async def test_tab_takes_the_corrected_filter(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "createdTime=ge=2024-09-01")
        await it.press("enter")
        await it.settle()
        assert "⇥ takes createdTime=ge=1725148800000" in it.text
        await it.press("tab", "enter")
        assert searches.calls[-1][1].filter == "createdTime=ge=1725148800000"


async def test_what_is_only_likely_wrong_is_said_and_searched_all_the_same(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "creatdTime=ge=1725148800000")
        await it.press("enter")
        assert searches.calls[-1][1].filter == "creatdTime=ge=1725148800000"
        assert "createdTime" in it.notices[0]


async def test_what_the_service_refuses_is_shown(browser: Any, searches: Any) -> None:
    searches.fail["a==b"] = UsageError("the service does not know a", subject="acme8:us-east/")
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "a==b")
        await it.press("enter")
        assert it.notices == ["acme8:us-east/: the service does not know a."]
        assert "the service does not know a" in it.text


async def test_escape_leaves_the_line_to_what_is_shown_and_keeps_what_was_typed(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "half=")
        await it.press("enter")
        assert said(it)
        await it.press("escape")
        assert it.focus == "table"
        assert (said(it), value(it)) == ("", "")
        await it.press("f")
        assert value(it) == "half="


async def test_letters_typed_into_a_bar_are_never_commands(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("qduyXDr123?")
        assert it.app.is_running
        assert it.screen.entries.bar.line.value == "qduyXDr123?"
        assert not it.engine.transfers
        assert searches.count("link") == 0


async def test_a_paste_is_one_clean_line_of_which_nothing_is_lost(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.app.on_event(events.Paste("type==a\x1b[31m;b==c\nrm -rf"))
        await it.settle()
        assert it.screen.entries.bar.line.value == "type==a[31m;b==c rm -rf"


async def test_no_cursor_blinks(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert {line.cursor_blink for line in it.screen.query(BarInput)} == {False}


@pytest.fixture
def kept(tmp_path: Path) -> tuple[FilterHistory, SavedSearches]:
    """What the browser finds of earlier runs."""
    return FilterHistory(state_folder() / FilterHistory.FILE), SavedSearches(tmp_path / "searches.toml")


Kept = tuple[FilterHistory, SavedSearches]


def value(it: Any) -> str:
    text: str = it.screen.entries.bar.line.value
    return text


def sent(searches: Any) -> str:
    """The filter of the last search."""
    query: Query = [call for name, call in searches.calls if name == "search"][-1]
    return query.filter


async def test_what_a_phrase_finds_is_said_while_it_is_typed_and_the_phrase_stays(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:cc dur:>90s")
        assert said(it) == ("Call recordings, longer than 1 min 30 s (available only (add state:any for all))")
        await it.press("enter")
        assert sent(searches) == "type==callcenterrecording;duration=gt=90000"
        assert value(it) == "type:cc dur:>90s"
        assert said(it) == ""
        assert "Call recordings, longer than 1 min 30 s" in it.lines[0]
        assert "2,431 match" in it.text
        await fill(it, "agent:Lee")
        await it.press("enter")
        await it.press("H")
        assert value(it) == "type:cc dur:>90s"


async def test_tab_and_right_take_what_is_offered(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("ag")
        assert "› agent:" in it.text
        await it.press("tab")
        assert value(it) == "agent:"
        await it.press("down", "down", "up")
        assert "› Agent 1" in it.text
        await it.press("right")
        assert value(it) == 'agent:"Agent 1"'
        assert "›  " not in it.text
        await it.press("enter")
        assert sent(searches) == "agentName=='Agent 1'"


async def test_escape_closes_the_list_first_and_then_the_bar(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("ag")
        await it.press("escape")
        assert "› agent:" not in it.text
        assert it.screen.entries.bar.line.has_focus
        await it.press("escape")
        assert it.focus == "table"


async def test_right_inside_of_the_text_only_moves(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("ag")
        await it.press("left", "right")
        assert value(it) == "ag"


async def test_up_and_down_go_through_what_was_sent(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        for text in ("a==1", "since:yesterday"):
            await fill(it, text)
            await it.press("enter")
        await it.until(lambda: len(it.screen.browser_state.history.lines) == 2)
        await it.press("f", "ctrl+u")
        await it.type("b=")
        await it.press("escape", "up")
        assert value(it) == "since:yesterday"
        await it.press("up")
        assert value(it) == "a==1"
        await it.press("down", "down")
        assert value(it) == "b="
        await it.press("down")
        assert it.focus == "table"
        assert (state_folder() / FilterHistory.FILE).read_text() == "a==1\nsince:yesterday\n"


async def test_ctrl_r_finds_what_was_sent_by_its_words(browser: Any, kept: Kept, searches: Any) -> None:
    for text in ("queueName==Sales", "type:calls queue:Sales", "a==1"):
        kept[0].add(text)
    async with browser(start="acme8:us-east/") as it:
        await it.press("f", "ctrl+r")
        assert "› a==1" in it.text
        before = searches.count("search")
        await it.type("sales")
        assert "› type:calls queue:Sales" in it.text
        await it.press("ctrl+r", "enter")
        assert value(it) == "queueName==Sales"
        assert searches.count("search") == before
        await it.press("enter")
        assert sent(searches) == "queueName==Sales"


async def test_a_saved_search_is_offered_and_its_placeholders_are_filled(
    browser: Any, kept: Kept, searches: Any
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("agent:?who dur:>?length")
        await it.press("ctrl+s")
        await it.until(lambda: isinstance(it.app.screen, NameDialog))
        await it.type("long ones")
        await it.press("enter")
        await it.until(lambda: "cannot name a search" in it.notices[-1] and isinstance(it.app.screen, NameDialog))
        await it.press("ctrl+u")
        await it.type("long")
        await it.press("enter")
        await it.until(lambda: "Saved as @long" in it.notices[-1] and it.screen.entries.bar.line.has_focus)
        assert kept[1].named("long").find == "agent:?who dur:>?length"
        await it.press("ctrl+u")
        await it.type("@lo")
        assert "› @long" in it.text
        await it.press("tab")
        await it.type("Lee")
        await it.press("tab")
        await it.type("10m")
        assert value(it) == "agent:Lee dur:>10m"
        await it.press("enter")
        assert sent(searches).startswith("agentName==Lee;")


async def test_an_unfilled_placeholder_is_never_sent(browser: Any, kept: Kept, searches: Any) -> None:
    kept[1].save("mine", "queueName==?queue")
    async with browser(start="acme8:us-east/") as it:
        before = searches.count("search")
        await fill(it, "@mine")
        await it.press("enter")
        assert "Search @mine" in it.text
        await it.press("enter", "escape")
        assert value(it) == "queueName==?queue"
        assert said(it) == "Fill in ?queue."
        assert searches.count("search") == before
        await it.press("enter")
        await it.type("A';x==1,y=='B")
        await it.press("enter")
        assert sent(searches) == "queueName=='A\\';x==1,y==\\'B'"
        await fill(it, "@mine queue='Sales UK'")
        await it.press("enter")
        assert sent(searches) == "queueName=='Sales UK'"


async def test_a_file_of_searches_that_cannot_be_read_is_shown_where_one_is_used(
    browser: Any, kept: Kept, tmp_path: Path
) -> None:
    (tmp_path / "searches.toml").write_text("[mine]\n")
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("@m")
        assert not it.notices
        await it.press("enter")
        assert "find is missing" in it.notices[-1]


async def test_what_was_typed_is_saved_rather_than_what_became_of_it(browser: Any, kept: Kept) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("since:yesterday")
        await it.press("enter", "f")
        assert value(it) == "since:yesterday"
        await it.press("ctrl+s")
        await it.type("new")
        await it.press("enter")
        assert kept[1].named("new").find == "since:yesterday"


async def test_conditions_that_the_service_cannot_check_are_said_and_hold(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "type:calls int-000001*")
        assert "8x8 can't search for part of a text: loaded rows only" in said(it)
        await it.press("enter")
        await it.settle()
        assert it.rows == [f"int-000001{digit}.mp3" for digit in range(10)]
        assert "10 so far" in it.lines[1]
        assert "of 10 loaded · 200 of 2,431 rows searched; Ctrl+E searches the rest" in it.foot
        assert "2,431 loaded" not in it.foot


async def test_where_no_fetched_row_fits_no_more_are_read_unasked(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        before = searches.count("search")
        await fill(it, "xyzzy")
        await it.press("enter")
        await it.settle()
        assert searches.count("search") == before + 1
        assert "Not in the 100 rows loaded so far. Ctrl+E loads the rest." in it.screen.entries.table.words
        assert "Searched there: name, person or queue contains 'xyzzy'." in it.screen.entries.table.words


async def test_an_empty_result_shows_what_was_sent_and_why_it_may_be_empty(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        searches.results = 0
        await fill(it, "agentName=='khang glynn'")
        await it.press("enter")
        assert "No matches." in it.screen.entries.table.words
        assert "Sent: agentName=='khang glynn'" in it.screen.entries.table.words
        assert "Only available objects are found" in it.screen.entries.table.words
        assert "Values are case-sensitive and must match exactly." in it.screen.entries.table.words
        assert not any(key in it.keys for key in ("⏎ Open", "d Download", "space Mark", "/ Filter"))
        assert "f Search" in it.keys


async def test_a_very_long_phrase_is_read_when_it_is_sent(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, 'agent:"Khang Glynn" ' * 300)
        await it.until(lambda: "6,000 characters: Enter reads them" in it.text)
        await it.press("enter")
        await it.until(lambda: "Agent is named twice." in it.text)


async def test_parts_have_styles_and_not_only_colours(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await fill(it, "agent:?who type==x")
        line = it.screen.entries.bar.line
        styles = {segment.text.strip(): segment.style for segment in line.render_line(0)}
        assert styles["agent"].bold
        assert styles["?who"].reverse
        assert styles["?who"].underline


async def test_a_small_terminal_shows_it_too(browser: Any) -> None:
    async with browser(start="acme8:us-east/", size=(50, 20)) as it:
        await it.press("f")
        await it.type("type:cc agnt:x ")
        assert "Search type:cc agnt:x" in it.text
        assert "→ Unknown field `agnt:`. Did you mean" in it.text
        await it.pilot.resize_terminal(20, 5)
        await it.settle()
        assert it.app.is_running


async def test_a_search_stays_inside_of_the_place_and_one_key_widens_it(browser: Any, searches: Any) -> None:
    place = Location("acme8", "us-east", place=("callcenterrecording",))
    async with browser() as it:
        it.screen.navigator.go(place)
        await it.settle()
        await it.press("f")
        await it.type('agent:"Khang Glynn" dur:>10m')
        assert "in: Call recordings ▾" in it.text
        await it.press("enter")
        assert sent(searches) == "type==callcenterrecording;agentName=='Khang Glynn';duration=gt=600000"
        assert it.screen.navigator.target.location == place
        assert value(it) == 'agent:"Khang Glynn" dur:>10m'
        await it.press("f", "ctrl+t")
        assert "in: us-east ▾" in it.text
        await it.press("enter")
        assert sent(searches).startswith("agentName=='Khang Glynn';((type!=transcription;duration=gt=600000),")
        assert it.screen.navigator.target.location == Location("acme8", "us-east")
        await it.press("f", "ctrl+t", "enter")
        assert searches.calls[-1][1].location == Location("acme8")
        await it.press("H", "H")
        assert value(it) == 'agent:"Khang Glynn" dur:>10m'
        assert it.screen.navigator.target.location == place
        await it.press("f", "ctrl+u")
        await it.type("type:summary")
        assert "in: us-east" in it.text
        await it.press("enter")
        assert sent(searches) == "type==summary"
        assert it.screen.navigator.target.location == Location("acme8", "us-east")


async def test_words_are_people_that_were_seen_and_enter_takes_them(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("agent 3")
        await it.press("enter")
        assert 'Did you mean agent:"Agent 3" (14 loaded)?' in said(it)
        await it.press("enter")
        assert sent(searches) == "agentName=='Agent 3'"
        assert value(it) == 'agent:"Agent 3"'
        await it.press("f", "ctrl+u")
        await it.type("agent 3")
        await it.press("enter", "escape", "enter")
        assert sent(searches) == ""
        assert len(it.screen.listing.state.target.local) == 2
        assert value(it) == "agent 3"
        await it.press("f", "ctrl+u")
        await it.type("+16695553203")
        await it.press("enter")
        assert "callerId=in=" in sent(searches)


async def test_a_search_is_offered_as_it_was_typed(browser: Any) -> None:
    phrase = 'agent:"Khang Glynn" dur:>10m'
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type(phrase)
        await it.press("enter")
        await it.until(lambda: it.screen.navigator.target.is_search)
        await it.press("f")
        assert it.screen.entries.bar.line.value == phrase

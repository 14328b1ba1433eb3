"""How much a search finds, before it is fetched."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import ResultSize


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

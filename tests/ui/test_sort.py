"""Another order of the entries, asked for or turned round."""

from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import Column, Sort
from cloudstore_tui.ui.dialogs.columns import SortDialog


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

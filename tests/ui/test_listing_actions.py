"""Reading again and reading all, by key."""

from typing import Any

import pytest

from cloudstore_tui.ui.browser import listing_actions


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

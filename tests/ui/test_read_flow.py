"""Reading again and reading all, by key."""

from typing import Any


async def test_r_f5_and_ctrl_r_read_again(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("r", "f5", "ctrl+r")
        assert folders.count("browse") == 4


async def test_ctrl_e_reads_to_the_end(browser: Any, searches: Any) -> None:
    searches.results = 450
    async with browser(start="acme8:us-east/") as it:
        await it.press("ctrl+e")
        await it.until(lambda: "450 entries" in it.foot)
        assert searches.count("search") == 5

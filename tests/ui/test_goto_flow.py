"""Going to an address that is typed."""

from typing import Any

from textual.widgets import Input


async def ask(it: Any, address: str) -> None:
    await it.press("ctrl+g")
    it.app.screen.query_one(Input).value = address
    await it.press("enter")


async def test_an_address_opens_with_the_focus_on_its_entries(browser: Any) -> None:
    async with browser() as it:
        await ask(it, "acme8:us-east/")
        assert it.rows[0] == "int-0000000.mp3"
        assert it.focus == "table"


async def test_an_object_is_looked_up_by_itself(browser: Any, searches: Any) -> None:
    async with browser() as it:
        await ask(it, "acme8:us-east/id-0000042")
        assert it.rows == ["int-0000042.mp3"]
        assert searches.calls == [("stat", "acme8:us-east/id-0000042")]


async def test_what_cannot_be_an_address_is_said_and_not_lost(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await ask(it, "nowhere:x")
        assert it.notices == ["nowhere:x: there is no profile nowhere. There are: acme, acme8."]
        assert it.app.screen.query_one(Input).value == "nowhere:x"
        it.app.screen.query_one(Input).value = "no colon"
        await it.press("enter")
        assert it.notices[1].startswith("no colon: a path is written PROFILE:REST.")
        await it.press("escape")
        assert it.rows == ["reporting/", "readme.txt"]


async def test_the_dialog_begins_with_the_present_address(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("ctrl+g")
        assert it.app.screen.query_one(Input).value == "acme:exports/"

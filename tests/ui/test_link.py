"""A signed link to the object under the cursor."""

import asyncio
from typing import Any

from cloudstore_tui.core.errors import NotAvailableError
from cloudstore_tui.ui.dialogs.links import LinkDialog

START = "acme:exports/reporting/"


async def test_y_shows_the_whole_link_and_copies_it(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j", "y")
        assert isinstance(it.app.screen, LinkDialog)
        assert "https://aspect-cloud.net/exports/reporting/report-001.tar?sig=s3cret" in it.text
        assert it.app.clipboard == "https://aspect-cloud.net/exports/reporting/report-001.tar?sig=s3cret"


async def test_escape_gives_up_waiting_for_a_link(browser: Any, folders: Any) -> None:
    folders.gates["link"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("y")
        assert "asking for a link" in it.foot
        await it.press("escape")
        assert folders.cancelled == ["acme:exports/reporting/report-000.tar"]
        assert "asking" not in it.foot


async def test_a_link_that_comes_after_the_user_has_left_does_not_open(browser: Any, folders: Any) -> None:
    folders.gates["link"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("y")
        it.screen.navigator.travel("up")  # by the mouse: keys wait for the link
        folders.gates["link"].set()
        await it.settle()
        assert it.app.screen is it.screen


async def test_why_there_is_no_link_is_said(browser: Any, folders: Any) -> None:
    folders.fail["link"] = NotAvailableError("its state is ARCHIVED", state="ARCHIVED", subject="x", hint="Restore it.")
    async with browser(start=START) as it:
        await it.press("y")
        assert it.notices == ["x: its state is ARCHIVED. Restore it."]


async def test_folders_have_no_link(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("y")
        assert it.notices == ["Only files have links. Select one first."]
        assert folders.count("link") == 0

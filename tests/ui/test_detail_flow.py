"""Everything the service tells of one entry."""

import asyncio
from typing import Any

from cloudstore_tui.core.errors import NetworkError

START = "acme:exports/reporting/"


async def test_enter_on_an_object_shows_what_only_a_look_at_it_tells(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j", "i", "enter")
        assert it.focus == "detail"
        await it.until(lambda: "told by stat" in it.text)
        assert folders.count("stat") == 1
        await it.press("h")
        assert it.focus == "table"


async def test_what_comes_late_does_not_replace_the_next_entry(browser: Any, folders: Any) -> None:
    folders.gates["stat"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("enter", "2", "j")
        folders.gates["stat"].set()
        await it.settle()
        await it.until(lambda: "report-001.tar" in "\n".join(it.lines[26:]))
        await it.pilot.pause(0.2)
        assert "told by stat" not in it.text


async def test_a_failure_is_said_and_what_is_known_stays(browser: Any, folders: Any) -> None:
    folders.fail["stat"] = NetworkError("no answer came", subject="x")
    async with browser(start=START) as it:
        await it.press("enter")
        assert it.notices == ["x: no answer came."]
        await it.until(lambda: "report-000.tar" in "\n".join(it.lines[26:]))

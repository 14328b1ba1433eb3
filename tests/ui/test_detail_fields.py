"""Everything the service tells of one entry."""

import asyncio
from typing import Any

from cloudstore_tui.core.errors import NetworkError

START = "acme:exports/reporting/"


async def test_all_fields_are_those_that_only_a_look_at_it_tells(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j")
        assert folders.count("stat") == 0
        await it.press("i")
        await it.until(lambda: "told by stat" in it.text)
        assert folders.count("stat") == 1
        assert it.focus == "table"


async def test_what_comes_late_does_not_replace_the_next_entry(browser: Any, folders: Any) -> None:
    folders.gates["stat"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("i", "j")
        folders.gates["stat"].set()
        await it.settle()
        await it.until(lambda: "reporting/report-001.tar" in it.text)
        await it.pilot.pause(0.2)
        assert "told by stat" not in it.text


async def test_a_failure_is_said_and_what_is_known_stays(browser: Any, folders: Any) -> None:
    folders.fail["stat"] = NetworkError("no answer came", subject="x")
    async with browser(start=START) as it:
        await it.press("i")
        assert it.notices == ["x: no answer came."]
        await it.until(lambda: "reporting/report-000.tar" in it.text)

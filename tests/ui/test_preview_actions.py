"""What can be looked into, and what cannot."""

from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.links import Piece
from cloudstore_tui.ui.screens.preview import PreviewScreen


async def test_folders_are_not_looked_into(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("p")
        assert it.notices == ["Nothing to preview here."]
        assert it.engine.ranges == []


async def test_what_is_archived_is_said_and_nothing_is_asked(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = searches.object
    monkeypatch.setattr(searches, "object", lambda *given: replace(usual(*given), state="ARCHIVED"))
    async with browser(start="acme8:us-east") as it:
        await it.until(lambda: it.rows)
        await it.press("p")
        assert it.app.screen is it.screen
        assert it.notices == ["Archived files can't be previewed. Press B to restore."]
        assert it.engine.ranges == []


async def test_e_opens_another_program_and_the_preview_is_still_there(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(first: int, count: int) -> Piece:
        return Piece(b"hello"[first : first + count], 5)

    pieces = {"report-000.tar": read}
    async with browser(
        start="acme:exports/reporting/", behind={"pieces": pieces}, opener={"text": "no-such-program"}
    ) as it:
        await it.press("p")
        await it.until(lambda: "hello" in it.text)
        await it.press("e")
        await it.until(lambda: it.notices)
        assert isinstance(it.app.screen, PreviewScreen)
        assert "hello" in it.text
        assert it.notices[0].startswith("opener: it names a program that is not there: no-such-program")


async def test_moving_the_cursor_asks_for_nothing(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "j", "k")
        assert not isinstance(it.app.screen, PreviewScreen)
        assert it.engine.ranges == []

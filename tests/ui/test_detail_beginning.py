"""The beginning of small texts in Detail: only when asked for, or set."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.core.provider import Session
from cloudstore_tui.sandbox.eightbyeight import fixtures

NAMES = ["int-0000000.json", "int-0000001.json"]


@pytest.fixture
def texts(searches: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Small JSON objects, and what reads them."""
    usual = searches.object

    def named(number: int, query: Any) -> Any:
        return replace(usual(number, query), name=f"int-{number:07}.json", size=200)

    async def read(first: int, count: int) -> Piece:
        data = b'{"said": "hello \x1b[31m"}' if not first else b""
        return Piece(data.replace(b"\x1b", b"\\u001b"), 24)

    monkeypatch.setattr(searches, "object", named)
    return {"pieces": dict.fromkeys(NAMES, read)}


async def test_a_key_shows_the_beginning_of_a_small_text(browser: Any, texts: Any) -> None:
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=False) as it:
        await it.until(lambda: it.rows)
        await it.settle()
        assert it.engine.ranges == []
        await it.press("I")
        await it.until(lambda: '"said": "hello' in it.text)
        assert it.engine.ranges == [(NAMES[0], 0, 8192)]
        await it.press("j")
        await it.until(lambda: '"said"' not in it.text)
        assert len(it.engine.ranges) == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_of_a_transcript_it_shows_what_is_said_and_not_its_facts(
    browser: Any, searches: Any, texts: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    data = fixtures.transcript("c1", "Ann", "Bob", 1271, 1)
    usual = searches.object

    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data))

    monkeypatch.setattr(searches, "object", lambda *given: replace(usual(*given), type="transcription"))
    behind = {"pieces": dict.fromkeys(NAMES, read)}
    async with browser(start="acme8:us-east", behind=behind, size=size) as it:
        await it.until(lambda: it.rows)
        await it.press("I")
        await it.until(lambda: re.search("0:00 +agent", it.text))
        assert "language" not in it.text
        turns = [found for line in it.lines if (found := re.search(r"\d:\d\d  (agent|customer) +", line))]
        assert bool(turns) is (size[0] == 120)
        assert len({(found.start(1), found.end()) for found in turns}) <= 1, "longer times move no names"


async def test_it_follows_the_cursor_only_if_the_settings_say_so(browser: Any, texts: Any) -> None:
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: '"said"' in it.text)
        await it.press("j")
        await it.until(lambda: len(it.engine.ranges) == 2)
        assert [name for name, _, _ in it.engine.ranges] == NAMES


async def test_what_goes_wrong_unasked_is_said_in_the_pane(browser: Any, texts: Any) -> None:
    async def read(first: int, count: int) -> Piece:
        raise NetworkError("the host does not answer")

    texts["pieces"] = dict.fromkeys(NAMES, read)
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: "Its beginning cannot be shown" in it.text)
        assert it.notices == []
        await it.press("I")
        await it.until(lambda: it.notices)


async def test_recordings_are_not_fetched_for_the_pane(browser: Any) -> None:
    async with browser(start="acme8:us-east", preview_in_detail=True) as it:
        await it.until(lambda: it.rows)
        await it.press("j", "I")
        assert it.notices == ["Too big for the detail pane. Press p to preview."]
        assert it.engine.ranges == []


async def test_nothing_is_fetched_unasked_where_the_calls_of_the_minute_are_half_used(
    browser: Any, texts: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.widgets.detail_pane.REST", 0.01)
    used = [0.6]
    monkeypatch.setattr(type(searches), "session", property(lambda _: Session(pace_used=used[0])))
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: it.rows)
        await it.press("j")
        await it.pilot.pause(0.3)
        assert it.engine.ranges == []
        used[0] = 0.4
        await it.press("k")
        await it.until(lambda: it.engine.ranges)

"""The screen that shows what is in an object."""

import asyncio
import json
from typing import Any

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.sandbox.content import recording
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.ui.screens.preview import PreviewScreen

START = "acme:exports/reporting/"
NAME = "report-000.tar"


def store(data: bytes, wait: asyncio.Event | None = None) -> dict[str, Any]:
    """Behind the browser: an object with this content."""

    async def read(first: int, count: int) -> Piece:
        if wait is not None:
            await wait.wait()
        return Piece(data[first : first + count], len(data))

    return {"pieces": {NAME: read}}


def failing(error: Exception) -> dict[str, Any]:
    async def read(first: int, count: int) -> Piece:
        raise error

    return {"pieces": {NAME: read}}


async def opened(it: Any, key: str = "p") -> PreviewScreen:
    await it.press(key)
    screen = it.app.screen
    assert isinstance(screen, PreviewScreen)
    await it.until(lambda: screen.view.document.lines)
    await it.settle()
    return screen


async def test_p_shows_the_beginning_and_says_how_much_of_how_much(browser: Any) -> None:
    text = b"".join(b"line %d\n" % number for number in range(20_000))
    async with browser(start=START, behind=store(text)) as it:
        await opened(it)
        assert it.lines[0].startswith(f" {NAME} ")
        assert "text · ASCII · first 65.5 kB of 208.9 kB · line 1 of " in it.lines[0]
        assert "line 0" in it.lines[2]
        assert it.engine.ranges == [(NAME, 0, 65_536)]


async def test_enter_and_f3_open_it_and_its_keys_close_it(browser: Any) -> None:
    async with browser(start=START, behind=store(b"hello")) as it:
        for key, opener in (("f3", "f3"), ("q", "enter"), ("p", "p"), ("escape", "enter")):
            await opened(it, opener)
            await it.press(key)
            assert it.app.screen is it.screen


async def test_keys_move_over_the_lines(browser: Any) -> None:
    text = b"".join(b"line %d\n" % number for number in range(500))
    async with browser(start=START, size=(80, 24), behind=store(text)) as it:
        view = (await opened(it)).view
        await it.press("j", "down", "k")
        assert view.line == 1
        await it.press("space")
        assert view.line == 22
        await it.press("pagedown", "b", "G")
        assert view.line_text == "line 499"
        assert "line 500 of 500" in it.lines[0]
        await it.press("g")
        assert view.line == 0


async def test_m_reads_more_and_the_cursor_stays(browser: Any) -> None:
    text = b"".join(b"line %d\n" % number for number in range(20_000))
    async with browser(start=START, behind=store(text)) as it:
        view = (await opened(it)).view
        await it.press("j", "j", "m")
        await it.until(lambda: "complete, 208.9 kB" in it.lines[0] and "More" not in it.keys)
        assert view.line == 2
        assert len(view.document.lines) == 20_000


async def test_a_search_goes_from_place_to_place(browser: Any) -> None:
    text = b"".join(b"%s %d\n" % (b"Needle" if number % 100 == 50 else b"hay", number) for number in range(300))
    async with browser(start=START, behind=store(text)) as it:
        view = (await opened(it)).view
        await it.press("slash")
        await it.type("needle")
        await it.press("enter")
        assert view.line == 50
        await it.press("n")
        assert view.line == 150
        await it.press("n", "n")
        assert view.line == 50
        await it.press("N")
        assert view.line == 250
        await it.press("slash", "escape")
        assert view.has_focus
        await it.press("slash")
        await it.type("Straw")
        await it.press("enter")
        assert it.notices == ["needleStraw is not in what is shown."]


async def test_json_folds_and_unfolds_and_a_search_unfolds(browser: Any) -> None:
    text = json.dumps({"call": {"id": 1, "tags": {"agent": "Ann"}}, "end": True}).encode()
    async with browser(start=START, behind=store(text)) as it:
        view = (await opened(it)).view
        await it.press("j", "z")
        assert '"call": { … 2 },' in it.text
        assert "agent" not in it.text
        await it.press("enter")
        assert '"agent": "Ann"' in it.text
        await it.press("Z")
        assert view.row_count == 1
        await it.press("slash")
        await it.type("ann")
        await it.press("enter")
        assert view.line_text == '"agent": "Ann"'


async def test_long_lines_wrap_or_are_moved_aside(browser: Any) -> None:
    text = ("word " * 60 + "end\n").encode()
    async with browser(start=START, size=(80, 24), behind=store(text)) as it:
        view = (await opened(it)).view
        assert view.row_count == 4
        await it.press("w")
        assert view.row_count == 1
        assert "end" not in it.text
        for _ in range(16):
            await it.press("right")
        assert "end" in it.text
        await it.press("w")
        assert view.row_count == 4


async def test_the_words_of_a_transcript_are_beside_who_said_them(browser: Any) -> None:
    async with browser(
        start=START, size=(60, 24), behind=store(fixtures.transcript("int-1", "Ann", "Bob", 60, 1))
    ) as it:
        await opened(it)
        assert "time  who       words" in it.lines[next(n for n, line in enumerate(it.lines) if "0:00" in line) - 1]
        said = next(row for row, line in enumerate(it.lines) if "0:00  agent     Thank you" in line)
        assert it.lines[said + 1].startswith(" " * 21)


async def test_a_recording_is_drawn_as_wide_as_the_screen(browser: Any) -> None:
    async with browser(start=START, behind=store(recording("mp3", 20, 1))) as it:
        await opened(it)
        assert "talking" in it.text
        wide = max(len(line.rstrip()) for line in it.lines if "█" in line)
        await it.pilot.resize_terminal(60, 24)
        await it.until(lambda: max((len(line.rstrip()) for line in it.lines if "█" in line), default=0) < wide)
        assert "More" not in it.keys


async def test_numbers_are_shown_when_asked_for(browser: Any) -> None:
    async with browser(start=START, behind=store(b"a\nb\n")) as it:
        await opened(it)
        await it.press("number_sign")
        assert it.lines[2].startswith("›1  a")
        assert it.lines[3].startswith(" 2  b")


async def test_y_copies_the_line_and_capital_y_everything(browser: Any) -> None:
    async with browser(start=START, behind=store(b"first\nsecond\n")) as it:
        await opened(it)
        await it.press("j", "y")
        assert it.app.clipboard == "second"
        await it.press("Y")
        assert it.app.clipboard == "first\nsecond"


async def test_d_downloads_the_object(browser: Any) -> None:
    async with browser(start=START, behind=store(b"hello")) as it:
        await opened(it)
        await it.press("d")
        assert it.app.screen is it.screen
        assert [transfer.request.location.path for transfer in it.engine.transfers] == [f"exports/reporting/{NAME}"]


async def test_escape_stops_reading_and_the_second_closes(browser: Any) -> None:
    async with browser(start=START, behind=store(b"hello", asyncio.Event())) as it:
        await it.press("p")
        assert "Reading… Esc stops" in it.text
        await it.press("escape")
        assert "Nothing was read" in it.text
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_why_nothing_can_be_read_is_said(browser: Any) -> None:
    async with browser(start=START, behind=failing(NetworkError("the host does not answer"))) as it:
        await it.press("p")
        await it.until(lambda: "The host does not answer." in it.lines[2])


async def test_nothing_in_an_object_reaches_the_terminal_as_a_command(browser: Any) -> None:
    async with browser(start=START, behind=store(b"a\x1b]52;c;QQ==\x07b \xe2\x80\xae right" + b" and more" * 9)) as it:
        await opened(it)
        assert "\x1b" not in it.text
        assert "a␛]52;c;QQ==" in it.text


async def test_a_large_text_is_shown_at_once_wherever_one_goes(browser: Any) -> None:
    text = b"".join(b"row %d with some words that are long enough to be wrapped\n" % n for n in range(60_000))
    async with browser(start=START, size=(40, 20), behind=store(text)) as it:
        view = (await opened(it)).view
        await it.press("m", "m")
        await it.press("m")
        await it.until(lambda: len(view.document.lines) > 50_000)
        await it.press("G")
        assert "row 59999" in it.text

"""What is in an object, on a screen of its own."""

import asyncio
import json
import time
from typing import Any

import pytest
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.strip import Strip

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.render import RenderedDocument, RenderedLine
from cloudstore_tui.sandbox.content import recording
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.ui.screens.preview import PreviewScreen
from cloudstore_tui.ui.widgets.preview_view import PreviewBar, PreviewRows, PreviewView

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


async def test_what_the_service_is_waited_for_is_said_until_there_is_something_to_read(
    browser: Any, folders: Any
) -> None:
    here = asyncio.Event()
    async with browser(start=START, behind=store(b"at last", here)) as it:
        folders.note = "waiting 4 s: attempt 2 follows: no answer came"
        await it.press("p")
        await it.until(lambda: "Reading… waiting 4 s: attempt 2 follows: no answer came · Esc stops" in it.text)
        folders.note = ""
        await it.until(lambda: "Reading… Esc stops" in it.text)
        here.set()
        await it.until(lambda: "at last" in it.text)


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


async def test_why_nothing_can_be_read_is_said_once(browser: Any) -> None:
    async with browser(start=START, behind=failing(NetworkError("the host does not answer"))) as it:
        await it.press("p")
        await it.until(lambda: "The host does not answer." in it.lines[2])
        await it.settle()
        assert it.text.count("The host does not answer") == 1
        assert it.app.messages.kept[-1].text == "The host does not answer."


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


class BarApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield PreviewBar()

    @on(PreviewBar.Closed)
    def take(self, event: PreviewBar.Closed) -> None:
        self.asked.append(event.text)


async def test_it_is_hidden_until_it_is_needed_and_after() -> None:
    app = BarApp()
    async with app.run_test() as pilot:
        bar = app.query_one(PreviewBar)
        assert not bar.display
        bar.open()
        await pilot.pause()
        assert bar.display
        await pilot.press("a", "q", "enter")
        assert (app.asked, bar.display) == (["aq"], False)
        bar.open()
        await pilot.press("escape")
        assert (app.asked, bar.display) == (["aq", None], False)


TREE = (
    RenderedLine("{", last=5, folded="{ … }"),
    RenderedLine("  a: [", last=3, folded="  a: [ … ]"),
    RenderedLine("    1"),
    RenderedLine("  ]"),
    RenderedLine("  b"),
    RenderedLine("}"),
)


def rows_of(*lines: RenderedLine, width: int = 20, wrap: bool = True) -> PreviewRows:
    rows = PreviewRows()
    rows.show(RenderedDocument(lines))
    rows.arrange(width, wrap=wrap)
    return rows


def texts(rows: PreviewRows) -> list[str]:
    return [" " * row.indent + rows.text(row.line)[row.start : row.end] for row in rows.rows]


def test_words_are_wrapped_between_them_and_moved_in() -> None:
    rows = rows_of(RenderedLine("0:00  Ann  Hello there, how can I help you today?", hang=11), width=32)
    assert texts(rows) == ["0:00  Ann  Hello there, how can", "           I help you today?"]


@pytest.mark.parametrize("text", ["x" * 100, "漢字" * 40, "e\u0301" * 90, "a 漢 " * 30, " " * 50, ""])
@pytest.mark.parametrize("width", [20, 33, 79])
def test_every_row_fits_and_no_letter_is_lost(text: str, width: int) -> None:
    rows = rows_of(RenderedLine(text, hang=4), width=width)
    assert all(cell_len(shown) <= width for shown in texts(rows))
    assert "".join(shown.strip() for shown in texts(rows)).replace(" ", "") == text.replace(" ", "")


def test_what_is_folded_is_hidden_with_what_is_inside() -> None:
    rows = rows_of(*TREE)
    assert rows.toggle(2) is not None
    rows.arrange(40, wrap=False)
    assert texts(rows) == ["{", "  a: [ … ]", "  b", "}"]
    assert rows.row_of(3) == 1
    assert rows.toggle(4) is not None
    rows.arrange(40, wrap=False)
    assert texts(rows) == ["{ … }"]
    assert rows.reveal(2)
    rows.arrange(40, wrap=False)
    assert len(rows.rows) == 6


def test_where_nothing_can_be_folded_nothing_is() -> None:
    assert rows_of(RenderedLine("a"), RenderedLine("b")).toggle(1) is None


def test_many_lines_are_arranged_in_a_moment() -> None:
    lines = tuple(RenderedLine(f"{number} " + "word " * 30) for number in range(20_000))
    begun = time.monotonic()
    rows = rows_of(*lines, width=40)
    assert len(rows.rows) > 60_000
    assert time.monotonic() - begun < 5


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield PreviewView()


async def test_only_the_rows_in_view_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    usual = PreviewView.render_line

    def counted(view: PreviewView, y: int) -> Strip:
        drawn.append(y)
        return usual(view, y)

    monkeypatch.setattr(PreviewView, "render_line", counted)
    app = Shown()
    async with app.run_test(size=(60, 10)) as pilot:
        view = app.query_one(PreviewView)
        view.show(RenderedDocument(tuple(RenderedLine(f"line {number}") for number in range(100_000)), "titles"))
        await pilot.pause()
        assert view.row_count == 100_000
        drawn.clear()
        await pilot.press("j")
        assert len(drawn) <= 4
        await pilot.press("G")
        await pilot.pause()
        assert view.line == 99_999
        assert len(drawn) < 60
        assert view.render_line(0).text.strip() == "titles"
        assert view.render_line(9).text.startswith("›")

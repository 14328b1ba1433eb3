"""Listening to a recording: with what was said, or, where nothing would be heard, with other ways."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.links import Piece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.sandbox.content import recording
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.ui.dialogs.links import LinkDialog, ListenDialog, stream_line
from cloudstore_tui.ui.screens.preview import PreviewScreen

START = "acme8:us-east/"
SECONDS = 600


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that only keeps time."""
    monkeypatch.setenv("CLOUDSTORE_SOUND", "null")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)


@pytest.fixture
def searches(searches: Any) -> Any:
    """A service that knows the transcript of its recordings."""

    class CallService(type(searches)):  # type: ignore[misc]  # the class of the fake lives in a conftest
        def object(self, number: int, query: Any) -> StoredObject:
            made: StoredObject = super().object(number, query)
            return replace(made, tags=(("callId", "c1"),))

        async def related(self, entry: StoredObject, *, everywhere: bool = False) -> Page[StoredObject]:
            tags = (("callId", "c1"),)
            return Page((replace(entry, id="t", name="t.json", type="transcription", size=900, tags=tags),))

    searches.__class__ = CallService
    return searches


@pytest.fixture
def calls(browser: Any) -> Any:
    """A browser on recordings of ten minutes in which four things are said."""
    files = {
        "int-0000000.mp3": recording("mp3", SECONDS, 1),
        "t.json": fixtures.transcript("c1", "Ann", "Bob", SECONDS, 1),
    }

    def read(name: str) -> Any:
        async def piece(first: int, count: int) -> Piece:
            return Piece(files[name][first : first + count], len(files[name]))

        return piece

    behind = {"pieces": {name: read(name) for name in files}}
    return lambda *, keeps=True, **options: browser(
        start=START, behind={**behind, "keeps": keeps}, size=(120, 50), **options
    )


def position(it: Any) -> int:
    """The second that is heard."""
    minutes, seconds = re.findall(r"[▶‖↓] (\d+):(\d\d) / ", it.text)[0]
    return 60 * int(minutes) + int(seconds)


async def test_e_plays_a_recording_what_was_said_runs_along_and_enter_jumps_there(calls: Any) -> None:
    async with calls() as it:
        await it.press("e")
        await it.until(lambda: isinstance(it.app.screen, PreviewScreen) and "▶ 0:0" in it.text, 30)
        view = it.app.screen.view
        await it.until(lambda: len(view.document.turns) >= 4)
        turns = dict(view.document.turns)
        first, second = sorted(turns)[:2]
        await it.until(lambda: view.line == first)
        assert view.playhead is not None
        before = position(it)
        await it.press("right_square_bracket")
        await it.until(lambda: position(it) >= before + 10)
        await it.press("left_square_bracket", "s", "s")
        await it.until(lambda: "1.5×" in it.text)
        while view.line < second:
            await it.press("j")
        await it.press("enter")
        await it.until(lambda: position(it) >= int(turns[second] - 0.1))
        await it.until(lambda: f"▶ {int(turns[second]) // 60}:" in it.text)
        await it.press("e")
        await it.until(lambda: "‖ " in it.text)
        await it.press("q")
        await it.until(lambda: it.app.screen is it.screen)


async def test_in_a_preview_f4_opens_a_copy_of_a_recording_that_e_plays(calls: Any) -> None:
    async with calls(opener={"audio": "no-such-program"}) as it:
        await it.press("p")
        await it.until(lambda: "talking" in it.text, 30)
        assert "e Play" in it.keys
        await it.press("f4")
        await it.until(lambda: it.notices)
        assert "no-such-program" in it.notices[0]


async def test_a_cursor_that_the_user_moved_stays_where_it_is(calls: Any) -> None:
    async with calls() as it:
        await it.press("p")
        await it.until(lambda: "talking" in it.text, 30)
        await it.press("P")
        view = it.app.screen.view
        await it.until(lambda: len(view.document.turns) >= 4 and view.line == view.document.turns[0][0], 30)
        await it.press("g")
        for second in range(0, int(view.document.turns[1][1]) + 10, 10):
            await it.until(lambda second=second: position(it) >= second)
            await it.press("right_square_bracket")
        await it.until(lambda: position(it) > view.document.turns[1][1] + 1)
        assert view.line == 0


async def test_a_player_that_reports_while_the_screen_closes_is_not_drawn(calls: Any) -> None:
    async with calls() as it:
        await it.press("p")
        await it.until(lambda: "talking" in it.text, 30)
        await it.press("P")
        await it.until(lambda: "▶" in it.text, 30)
        await it.app.screen.playing.remove()
        await it.app.screen.action_skip(10).wait()
        assert it.app.screen.view.is_attached


@pytest.mark.parametrize("why", ["ssh", "off", "no device"])
async def test_where_nothing_would_be_heard_other_ways_are_offered(
    calls: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    sound = {"ssh": "", "off": "off", "no device": "no-such-backend"}[why]
    monkeypatch.setenv("CLOUDSTORE_SOUND", sound)
    if why == "ssh":
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name in ("mpv", "less") else None)
    async with calls() as it:
        await it.press("e")
        await it.until(lambda: isinstance(it.app.screen, ListenDialog), 30)
        told = {"ssh": "another machine than yours", "off": "Sound is off", "no device": "No sound device was found."}
        await it.until(lambda: told[why] in it.text)
        assert "--to -' | mpv -" in "".join(line.strip("│ ") for line in it.lines)
        assert ("e Open with mpv" in it.text) is (why != "ssh")
        assert "Nothing on this machine" not in it.text
        await it.press("c")
        await it.until(lambda: "Copied" in it.text or "clipboard" in it.text)
        await it.press("y")
        await it.until(lambda: isinstance(it.app.screen, LinkDialog))
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, PreviewScreen))


async def test_the_demo_names_no_command_for_another_machine(calls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_SOUND", "off")
    async with calls(keeps=False) as it:
        await it.press("e")
        await it.until(lambda: isinstance(it.app.screen, ListenDialog), 30)
        await it.until(lambda: "Sound is off" in it.text)
        assert "cloudstore get" not in it.text
        assert "Copy" not in it.text


async def test_a_named_program_is_taken_instead(calls: Any) -> None:
    async with calls(opener={"audio": "no-such-program"}) as it:
        await it.press("e")
        await it.until(lambda: it.notices)
        assert "no-such-program" in it.notices[0]
        assert it.app.screen is it.screen


def test_the_command_can_be_pasted_whatever_the_name_is() -> None:
    assert stream_line("acme8:us-east/a b").endswith(" 'cloudstore get '\"'\"'acme8:us-east/a b'\"'\"' --to -' | mpv -")


@pytest.mark.parametrize("key", ["y", "e"])
async def test_a_way_to_listen_that_is_not_offered_has_no_key(browser: Any, key: str) -> None:
    async with browser() as it:
        answers: list[object] = []
        it.app.push_screen(ListenDialog("Sound is off.", "", program="", links=False), answers.append)
        await it.settle()
        await it.press(key, "escape")
        assert answers == [None]

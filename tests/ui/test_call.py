"""Everything of one call: its files, and what was said in it."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.timer import Timer

from cloudstore_tui.calls import CallTree, call_tree
from cloudstore_tui.core.errors import ConfigError, NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Session
from cloudstore_tui.preview.model import Dialogue, Preview, Text, Turn
from cloudstore_tui.transfers.model import OnConflict, State, ZipRequest
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog
from cloudstore_tui.ui.dialogs.links import LinkDialog
from cloudstore_tui.ui.screens import call
from cloudstore_tui.ui.screens.call import CallScreen
from cloudstore_tui.ui.screens.preview import PreviewScreen
from cloudstore_tui.ui.widgets.call_list import CallAside, CallList
from cloudstore_tui.ui.widgets.preview_view import PlayerBar
from cloudstore_tui.ui.widgets.row_renderer import RowSign
from tests.support.screen import text_of

START = "acme8:us-east/"
WHEN = datetime(2024, 9, 1, 9, 34, tzinfo=UTC)


def part(id_: str, type_: str, name: str = "c1.json", region: str = "us-east", **tags: str) -> StoredObject:
    where = Location("acme8", region, id_)
    told = tuple(({"callId": "c1"} | tags).items())
    return StoredObject(
        where, name, id=id_, type=type_, size=1000, size_exact=True, created=WHEN, state="AVAILABLE", tags=told
    )


PARTS = (
    part("t1", "transcription", speaker="owner"),
    part("t2", "transcription", speaker="external"),
    part("y", "summary"),
    part("s", "screenrecording", "c1.mp4"),
    part("r2", "callrecording", "c2.mp3", callId="c2", originalCallId="c1"),
)


@pytest.fixture
def searches(searches: Any) -> Any:
    """A service that knows the calls of its objects."""

    class CallService(type(searches)):  # type: ignore[misc]  # the class of the fake lives in a conftest
        parts: Sequence[StoredObject] = PARTS
        warnings: tuple[str, ...] = ()

        def object(self, number: int, query: Any) -> StoredObject:
            tags = (("callId", "c1"), ("agentName", "Khang Glynn"), ("startTime", "1725181953000"))
            plain: StoredObject = super().object(number, query)
            return replace(plain, tags=tags)

        async def related(self, entry: StoredObject, *, everywhere: bool = False) -> Page[StoredObject]:
            await self.called("related", entry.location, everywhere)
            more = (part("uk", "hologram", "h.bin", "uk"),) if everywhere else ()
            return Page((*self.parts, *more), None, None, self.warnings)

    searches.__class__ = CallService
    return searches


def asked(it: Any) -> list[Any]:
    return [transfer.request for transfer in it.engine.transfers]


def behind(text: bytes = b"") -> dict[str, Any]:
    """The bytes of every small file of the call."""

    async def read(first: int, count: int) -> Piece:
        return Piece(text[first : first + count], len(text))

    return {"pieces": dict.fromkeys(("c1.json", "int-0000000.mp3", "c1.mp4"), read)}


@pytest.fixture
def browser(browser: Any) -> Any:
    """One whose files can be read."""
    return lambda **options: browser(**{"behind": behind(b"hello"), **options})


async def opened(it: Any) -> None:
    await it.press("full_stop")
    await it.until(lambda: isinstance(it.app.screen, CallScreen) and "looking" not in it.text)


def titles(it: Any) -> list[str]:
    """The lines of the list without what is known of the objects."""
    widget = it.app.screen.list
    rows = ["".join(segment.text for segment in widget.render_line(y)) for y in range(1, 1 + widget.row_count)]
    return [re.split(r"(?<=\w)\s{2,}", row[3:].rstrip())[0] if row[1] != "T" else row.strip() for row in rows]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_dot_shows_the_call_by_names_that_people_have(
    browser: Any, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with browser(start=START, size=size) as it:
        await opened(it)
        assert [line.partition(" · ")[0].strip() for line in titles(it)] == [
            "This call",
            "Recording",
            "Transcript, owner",
            "Transcript, external",
            "Summary",
            "Screen recording",
            "ll after",
            "Recording",
        ]
        head, wide = it.lines[0].rstrip(), size[0] == 120
        assert head.endswith("6 files · 15.0 kB · all available" if wide else "6 files · 15.0 kB")
        assert head.startswith(" acme8 › us-east › Call of Khang Glynn, 1 Sep 2024 09:12" if wide else " Call of Khang")
        row = next(line for line in it.lines if " Recording " in line)
        assert row[:45].split() == ["Recording", "1:00", "10.0", "kB"]
        assert ("d fetches all 6 into " if wide else "d → ") + "~/downloads/2024-09-01 09-12 Khang Glynn/" in it.text
        assert "short names: recording.mp3, transcript owner.json" in it.text or not wide
        assert " d Download " in it.keys
        assert all(len(line) == size[0] for line in it.lines)
        # Where panes stand side by side, the lines above and below them join the one between them.
        assert [line[62] for line in it.lines if line[62] in "┬┴"] == (["┬", "┴"] if wide else [])
        await it.press("escape")
        assert it.app.screen is it.screen
        assert not it.engine.transfers


async def test_what_is_typed_behind_the_dot_is_for_the_call(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.burst(".aX")
        await it.until(lambda: isinstance(it.app.screen, CallScreen))
        await it.settle()
        assert isinstance(it.app.screen, CallScreen)
        assert it.screen.listing.state.store.selection.count == 0


async def test_what_was_said_is_read_beside_the_list(browser: Any) -> None:
    said = b"WEBVTT\n\n00:00.000 --> 00:04.000\n<v agent>Good morning.\n\n05:18.000 --> 05:20.000\n<v caller>Hi.\n"
    async with browser(start=START, size=(120, 40), behind=behind(said)) as it:
        await opened(it)
        await it.until(lambda: "5:18 caller  Hi." in it.text)
        assert it.engine.ranges == [("c1.json", 0, 16384)]
        assert "TRANSCRIPT, OWNER" in it.text
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        below = it.lines.index(next(line for line in it.lines if "0:00 agent   Good morning." in line))
        assert below > 15
        await it.press("i")
        assert "Good morning." not in it.text


async def test_hiding_the_pane_cancels_the_read_that_waits_for_the_cursor(browser: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(call, "REST_S", 1000.0)
    timers: list[Timer] = []
    set_timer = CallScreen.set_timer

    def remember(screen: CallScreen, delay: float, *args: Any, **more: Any) -> Timer:
        timer = set_timer(screen, delay, *args, **more)
        if delay == call.REST_S:
            monkeypatch.setattr(timer, "stop", lambda: timers.remove(timer))
            timers.append(timer)
        return timer

    monkeypatch.setattr(CallScreen, "set_timer", remember)
    async with browser(start=START, size=(120, 40), behind=behind(b"{}")) as it:
        await opened(it)
        await it.until(lambda: timers)
        await it.press("i")
        assert not timers


async def test_over_a_slow_line_nothing_is_read_by_itself(browser: Any) -> None:
    async with browser(start=START, size=(120, 40), behind=behind(b"{}"), low_bandwidth="true") as it:
        await opened(it)
        await it.until(lambda: "Press Enter to read it. On slow connections" in it.text)
        await it.press("j")
        await it.settle()
        assert it.engine.ranges == []


async def test_nothing_is_read_by_itself_where_the_calls_of_the_minute_are_half_used(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(searches), "session", property(lambda _: Session(pace_used=0.6)))
    async with browser(start=START) as it:
        await opened(it)
        await it.until(lambda: "Most requests of this minute are used up" in " ".join(it.text.split()))
        assert it.engine.ranges == []


async def test_enter_looks_into_a_file_and_comes_back_to_the_call(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("j", "enter")
        await it.until(lambda: isinstance(it.app.screen, PreviewScreen) and "hello" in it.text)
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        assert isinstance(it.app.screen, CallScreen)
        assert [(request.entry.id, request.name) for request in asked(it)] == [("t1", "transcript owner.json")]
        assert asked(it)[0].folder == tmp_path / "downloads" / "2024-09-01 09-12 Khang Glynn"


async def test_y_links_to_a_file_and_e_opens_it(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with browser(start=START, opener={"text": "no-such-program"}) as it:
        await opened(it)
        await it.press("j", "y")
        await it.until(lambda: isinstance(it.app.screen, LinkDialog))
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, CallScreen))
        await it.press("e")
        await it.until(lambda: it.notices)
        assert "no-such-program" in it.notices[-1]
        assert isinstance(it.app.screen, CallScreen)


async def test_rows_tell_what_became_of_the_files(browser: Any) -> None:
    async with browser(start=START, size=(120, 40)) as it:
        await opened(it)
        await it.press("d")
        await it.until(lambda: "↓ 0 of 6 files" in it.text)
        for transfer in tuple(it.engine.transfers):
            it.engine.become(transfer.id, State.DONE)
        await it.until(lambda: "✓ 6 files" in it.text)
        assert sum(line.startswith(" ✓ ") for line in it.lines) >= 5


async def test_d_fetches_everything_into_one_folder_named_by_the_template(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("d")
        await it.until(lambda: len(it.engine.transfers) == 6)
        folder = tmp_path / "downloads" / "2024-09-01 09-12 Khang Glynn"
        assert {request.folder for request in asked(it)} == {folder}
        assert [request.name for request in asked(it)] == [
            "recording.mp3",
            "transcript owner.json",
            "transcript external.json",
            "summary.json",
            "screen.mp4",
            "leg 2 recording.mp3",
        ]
        assert {request.on_conflict for request in asked(it)} == {OnConflict.REFUSE}
        assert isinstance(it.app.screen, CallScreen)


async def test_only_what_is_marked_is_fetched(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START, call_folder="{callId}/files") as it:
        await opened(it)
        await it.press("j", "space", "space")
        await it.until(lambda: "the 2 marked, 2.0 kB, into" in it.text)
        assert sum(line.startswith(" ● ") for line in it.lines) == 2
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        assert [request.entry.id for request in asked(it)] == ["t1", "t2"]
        assert asked(it)[0].folder == tmp_path / "downloads" / "c1" / "files"


async def test_a_marks_everything_and_then_nothing_and_a_leg_is_marked_by_its_line(browser: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("a")
        await it.until(lambda: "the 6 marked" in it.text)
        await it.press("a")
        await it.until(lambda: "marked" not in it.text)
        await it.press("g", "space")
        await it.until(lambda: "the 5 marked" in it.text)


async def test_z_fetches_a_zip(browser: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("z")
        await it.until(lambda: it.engine.transfers)
        (request,) = asked(it)
        assert isinstance(request, ZipRequest)
        assert len(request.members) == 6
        assert request.members[1].name == "transcript owner.json"
        assert it.notices == ["Zip: 6 objects, 15.0 kB, in 1 zip."]


async def test_what_is_not_available_is_shown_but_not_fetched_unless_it_is_marked(browser: Any, searches: Any) -> None:
    searches.parts = (replace(PARTS[0], state="REVOKED"), PARTS[2])
    async with browser(start=START) as it:
        await opened(it)
        assert "deleted" in it.text
        await it.press("d")
        await it.until(lambda: len(it.engine.transfers) == 2)
        assert [request.entry.type for request in asked(it)] == ["callrecording", "summary"]


async def test_capital_r_looks_in_all_regions_and_names_them(browser: Any, searches: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("R")
        await it.until(lambda: "hologram" in it.text)
        assert re.search(r"hologram .*  uk", it.text)
        assert [detail for name, detail in searches.calls if name == "related"] == [False, True]


async def test_escape_gives_up_a_search_that_takes_long(browser: Any, searches: Any) -> None:
    searches.gates["related"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("full_stop")
        await it.until(lambda: "looking…" in it.text)
        assert titles(it) == ["Recording"]
        await it.press("escape")
        await it.until(lambda: searches.cancelled)
        assert it.app.screen is it.screen


async def test_an_error_leaves_what_is_known(browser: Any, searches: Any) -> None:
    searches.fail["related"] = NetworkError("no answer")
    async with browser(start=START) as it:
        await opened(it)
        assert it.notices == ["No answer."]
        assert "No answer." in it.lines[0]
        assert titles(it) == ["Recording"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_call_of_one_object_says_where_was_looked_and_shows_its_facts(
    browser: Any, searches: Any, size: tuple[int, int]
) -> None:
    searches.parts, searches.warnings = (), ("A region was left out.",)
    async with browser(start=START, size=size) as it:
        await opened(it)
        assert it.notices == ["A region was left out.", "Nothing else of this call was found in us-east."]
        await it.until(lambda: "Khang Glynn" in "\n".join(it.lines[2:]))
        assert ("agentName" in it.text) is (size[0] == 120)
        assert "Sun 1 Sep 2024 09:1" in it.text


async def test_hostile_titles_and_names_stay_one_line_each(browser: Any, searches: Any) -> None:
    searches.parts = (part("x", "\x1b[31m[bold]文文文文文文文文文文文文文文文文文文文", "\n\x07‮" * 60),)
    async with browser(start=START, size=(80, 24)) as it:
        await opened(it)
        assert "\x1b" not in it.text
        assert len(titles(it)) == 2


async def test_files_that_are_in_the_way_are_asked_about(browser: Any, tmp_path: Path) -> None:
    folder = tmp_path / "downloads" / "2024-09-01 09-12 Khang Glynn"
    folder.mkdir(parents=True)
    (folder / "summary.json").touch()
    async with browser(start=START) as it:
        await opened(it)
        await it.press("d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        assert "summary.json" in it.text
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, CallScreen))
        assert not it.engine.transfers


async def test_services_without_calls_have_no_such_key(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("full_stop")
        assert it.app.screen is it.screen
        assert not it.notices


async def test_a_template_that_cannot_be_used_is_shown_before_anything_is_drawn(browser: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        async with browser(start=START, call_folder="{callid}"):
            pass
    assert str(refused.value).startswith("call_folder under [settings]: at character 1 of '{callid}'")
    assert "callId" in str(refused.value)


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield CallList(UTC, id="call")


def tree(count: int = 3, type_: str = "hologram") -> CallTree:
    """Calls of three objects each."""
    return call_tree(
        StoredObject(
            Location("acme8", "us-east", f"o{number}"),
            "int-1.json",
            id=f"o{number}",
            type=("callrecording", "summary", type_)[number % 3],
            size=5_000_000,
            size_exact=True,
            created=datetime(2024, 9, 1, 9, number % 60, tzinfo=UTC),
            duration=3_723.0,
            state="ARCHIVED" if number == 1 else "AVAILABLE",
            tags=(("callId", f"c{number // 3}"),),
        )
        for number in range(count)
    )


def lines(widget: CallList) -> list[str]:
    return ["".join(segment.text for segment in widget.render_line(y)) for y in range(widget.size.height)]


@pytest.mark.parametrize("width", [8, 30, 80, 200])
async def test_every_line_has_the_width_of_the_list(width: int) -> None:
    app = ListApp()
    async with app.run_test(size=(width, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(6, type_="文" * 90), None)
        await pilot.pause()
        assert {cell_len(line) for line in lines(widget)} == {width}


async def test_columns_signs_and_notes_stand_where_they_belong() -> None:
    app = ListApp()
    async with app.run_test(size=(62, 12)) as pilot:
        widget = app.query_one(CallList)
        shown = tree()
        widget.show(shown, None)
        widget.show_signs({identity(shown.entries[2]): RowSign.HERE})
        await pilot.pause()
        assert [line.rstrip() for line in lines(widget)[:4]] == [
            "   What                      Length      Size",
            "   Recording                1:02:03    5.0 MB",
            " ❄ Summary                  1:02:03    5.0 MB   archived",
            " ✓ hologram                 1:02:03    5.0 MB",
        ]
        await pilot.press("space")
        assert lines(widget)[1].startswith(" ● Recording")


async def test_marks_are_kept_when_more_is_found_and_the_cursor_stays_with_its_object() -> None:
    app = ListApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(2), None)
        await pilot.press("j", "space")
        assert [entry.id for entry in widget.marked] == ["o1"]
        there = widget.entry
        assert there is not None
        widget.show(tree(6), there)
        assert widget.entry == there
        assert [entry.id for entry in widget.marked] == ["o1"]


async def test_the_line_of_a_leg_marks_that_leg_and_again_unmarks_it() -> None:
    app = ListApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(6), None)
        assert [line.strip() for line in (lines(widget)[1], lines(widget)[5])] == [
            "This call · 09:00 · 3 files",
            "Related call · 09:03 · 3 files",
        ]
        await pilot.press("j", "j", "j", "j", "space")
        assert [entry.id for entry in widget.marked] == ["o3", "o4", "o5"]
        await pilot.press("k", "space")
        assert widget.marked == ()


async def test_a_click_goes_to_a_line_and_the_second_one_opens_it() -> None:
    opened: list[Any] = []

    class ClickApp(ListApp):
        def on_call_list_opened(self) -> None:
            opened.append(self.query_one(CallList).entry)

    app = ClickApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(), None)
        await pilot.click(CallList, offset=(4, 3))
        assert widget.cursor == 2
        await pilot.click(CallList, offset=(4, 2), times=2)
        assert [entry.id for entry in opened] == ["o1"]
        await pilot.click(CallList, offset=(4, 11))
        assert widget.cursor == 1


async def test_an_empty_list_says_so_and_keys_do_no_harm() -> None:
    app = ListApp()
    async with app.run_test(size=(40, 6)) as pilot:
        widget = app.query_one(CallList)
        widget.show(call_tree([]), None)
        await pilot.press("space", "a", "enter", "j", "G")
        assert lines(widget)[1].strip() == "No matches."
        assert (widget.entry, widget.marked) == (None, ())


SAID = Dialogue((Turn("agent", 0.0, "Good morning, you are speaking with Khang."), Turn("caller", 636.0, "Hello.")))
FACTS = (("language", "en-US"), ("confidence", "96 %"))


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield CallAside()
        yield PlayerBar()


async def test_a_dialogue_is_wrapped_beside_who_spoke_when() -> None:
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        aside = app.query_one(CallAside)
        aside.show("Transcript", Preview("transcript", SAID, FACTS))
        await pilot.pause()
        assert text_of(app).splitlines()[:6] == [
            "TRANSCRIPT · en-US · confidence 96 %",
            "",
            "0:00  agent   Good morning, you are",
            "              speaking with Khang.",
            "10:36 caller  Hello.",
            "",
        ]
        aside.show("Notes", Preview("text", Text(("one", "two"))))
        await pilot.pause()
        assert text_of(app).splitlines()[:4] == ["NOTES", "", "one", "two"]
        aside.set_status("Enter reads it.")
        await pilot.pause()
        assert text_of(app).splitlines()[0] == "Enter reads it."


async def test_where_there_are_few_lines_each_turn_has_one() -> None:
    app = Host()
    async with app.run_test(size=(40, 4)) as pilot:
        app.query_one(CallAside).show("Transcript", Preview("transcript", SAID, FACTS))
        await pilot.pause()
        assert text_of(app).splitlines()[:2] == [" 0:00  agent   Good morning, you are s…", " 10:36 caller  Hello."]


async def test_the_place_of_what_is_played_is_on_a_line() -> None:
    app = Host()
    async with app.run_test(size=(40, 6)) as pilot:
        bar = app.query_one(PlayerBar)
        assert not bar.display
        bar.show("▶", 30.0, 60.0, 1.5)
        await pilot.pause()
        shown = text_of(app).splitlines()[-1]
        assert shown.startswith(" ▶ 0:30 / 1:00  1.5×  ")
        assert abs(shown.count("━") - shown.count("─")) <= 1
        bar.show("‖", 60.0, 60.0, 1.0)
        await pilot.pause()
        assert text_of(app).splitlines()[-1].startswith(" ‖ 1:00 / 1:00  ━")
        bar.hide()
        assert not bar.display

"""The lines that every screen has: where the user is, what was told last, and the keys."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult

import cloudstore_tui.ui.dialogs
import cloudstore_tui.ui.screens
from cloudstore_tui.archive.registry import ArchiveState, RegisteredArchive
from cloudstore_tui.archive.runs import RunOutcome
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import Session
from cloudstore_tui.ui import report
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.browser.screen import token_words
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.widgets.chrome import Badge, Crumb, Header
from tests.support.screen import lines_of

NOW = datetime(2024, 9, 1, 12, 0, tzinfo=UTC)
PATH = (
    Crumb("acme8", Location("acme8")),
    Crumb("us-east", Location("acme8", "us-east")),
    Crumb("Call recordings", Location("acme8", "us-east", place=("callrecording",))),
    Crumb("1 Sep 2024"),
)


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Location] = []

    def compose(self) -> ComposeResult:
        yield Header()

    def on_header_opened(self, event: Header.Opened) -> None:
        self.opened.append(event.location)

    @property
    def line(self) -> str:
        return lines_of(self)[0]


# Where the user is


async def test_the_header_gives_way_from_the_left_and_keeps_where_the_user_is() -> None:
    app = Host()
    async with app.run_test(size=(118, 5)) as pilot:
        header = app.query_one(Header)
        header.badges = lambda: [Badge("● 1 ready (Q)", "accent"), Badge("UTC")]
        header.show(PATH)
        await pilot.pause()
        assert app.line.startswith(" acme8 › us-east › Call recordings › 1 Sep 2024  ")
        assert app.line.endswith("   ● 1 ready (Q)   UTC ")
        for width, line in ((50, " Call recordings › 1 Sep 2024  ● 1 ready (Q)  UTC "), (12, " 1 Sep 2024 ")):
            await pilot.resize_terminal(width, 5)
            await pilot.pause()
            assert app.line == line.ljust(width)


async def test_of_the_facts_the_first_stay_longest() -> None:
    app = Host()
    async with app.run_test(size=(60, 5)) as pilot:
        app.query_one(Header).show(["calls.tar"], "tar archive · first 65.5 kB of 208.9 kB · line 1 of 6")
        for width, facts in (
            (70, "tar archive · first 65.5 kB of 208.9 kB · line 1 of 6 "),
            (60, "tar archive · first 65.5 kB of 208.9 kB "),
            (30, "tar archive "),
            (20, ""),
        ):
            await pilot.resize_terminal(width, 5)
            await pilot.pause()
            assert app.line == " calls.tar" + facts.rjust(width - 10)


async def test_a_click_on_a_part_of_the_path_leads_there() -> None:
    app = Host()
    async with app.run_test(size=(80, 5)) as pilot:
        app.query_one(Header).show(PATH)
        await pilot.pause()
        for word in ("us-east", "Call", "2024"):
            await pilot.click(Header, offset=(app.line.index(word) + 1, 0))
        assert app.opened == [PATH[1].location, PATH[2].location]


async def test_the_path_of_a_folder_is_a_line_of_links(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        assert it.lines[0].startswith(" acme › exports › reporting ")
        await it.pilot.click("#header", offset=(it.lines[0].index("exports"), 0))
        await it.until(lambda: it.rows == ["reporting/", "readme.txt"])
        # And the cursor is where it came from.
        assert it.screen.listing.entry.name == "reporting/"
        await it.press("t")
        assert it.lines[0].startswith(" Transfers ")


async def test_a_mask_is_shown_in_every_header(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert "MASKED" not in it.lines[0]
        assert it.lines[0].rstrip().endswith("READ ONLY   UTC")
        await it.press("M", "t")
        assert it.lines[0].rstrip().endswith("MASKED")
        await it.press("escape", "M")
        assert "MASKED" not in it.lines[0]


@pytest.mark.parametrize(("left", "words"), [(1470, ""), (240, "token 4 min"), (59, "token ends"), (0, "token ended")])
def test_a_login_is_shown_when_it_ends_soon(left: int, words: str) -> None:
    assert token_words(Session(NOW + timedelta(seconds=left)), NOW) == words


# What was told


async def test_what_is_shown_stands_above_the_keys_and_gives_its_row_back(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(start="acme:exports/") as it:
        rows = it.screen.entries.table.size.height
        notify_plain(it.app, "First.")
        notify_plain(it.app, "A row could not be read. " * 40, "warning")
        await it.settle()
        told = it.lines[-4:-1]
        assert told[0].startswith(" ! A row could not be read. ")
        assert told[-1].rstrip().endswith("…")
        assert "First." not in it.text
        assert it.screen.entries.table.size.height < rows
        await it.press("down")
        assert "could not be read" in it.text
        monkeypatch.setattr(report, "MIN_SHOWN_S", {"warning": 0})
        await it.press("down")
        assert "could not be read" not in it.text
        assert it.screen.entries.table.size.height == rows


async def test_what_is_shown_follows_to_no_other_screen(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        notify_plain(it.app, "Done.")
        await it.settle()
        await it.press("t")
        assert "Done." not in it.text
        notify_plain(it.app, "Here.")
        await it.settle()
        assert " Here." in it.lines[-2]
        await it.press("escape")
        assert "Here." not in it.text
        await it.press("<")
        assert it.text.index("Here.") < it.text.index("Done.")


async def test_a_dialog_shows_what_was_said_after_the_key_that_brought_it(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("ctrl+g")
        await it.type("nowhere:x")
        await it.press("enter")
        await it.until(lambda: "there is no profile nowhere" in it.lines[-2])
        assert "Go to" in it.text
        assert it.app.screen is not it.screen


# The keys


async def test_what_does_not_fit_is_left_out_but_help_never(browser: Any) -> None:
    async with browser(size=(62, 20), start="acme:exports/") as it:
        assert it.keys.rstrip().endswith("^p  ?")
        assert "Download" in it.keys
        assert "Refresh" not in it.keys
        await it.pilot.resize_terminal(120, 20)
        await it.settle()
        assert it.keys.rstrip().endswith("^p Everything  ? Help")


async def test_a_key_can_be_clicked(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.pilot.click("#footer", offset=(it.keys.index("Download") + 2, 0))
        await it.until(lambda: it.engine.transfers)
        await it.pilot.click("#footer", offset=(it.keys.index("? Help") + 3, 0))
        await it.settle()
        assert it.lines[0].startswith(" Help ")


async def test_keys_of_the_user_are_the_ones_shown(browser: Any) -> None:
    async with browser(size=(160, 40), start="acme:exports/reporting/", keys={"entries.download": "f6"}) as it:
        assert "f6 Download" in it.keys
        await it.press("d")
        assert not it.engine.transfers
        await it.press("f6")
        await it.until(lambda: it.engine.transfers)


async def test_a_dialog_brings_its_own_keys(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("o")
        assert "esc Cancel" in it.keys
        assert "Download" not in it.keys


def screens() -> list[type[Any]]:
    for folder in (cloudstore_tui.ui.screens, cloudstore_tui.ui.dialogs):
        for found in iter_modules(folder.__path__):
            import_module(f"{folder.__name__}.{found.name}")
    found_classes: list[type[Any]] = []
    left: list[type[Any]] = [BaseScreen]
    while left:
        below = left.pop().__subclasses__()
        found_classes += below
        left += below
    return [class_ for class_ in found_classes if class_.__module__.startswith("cloudstore_tui.ui.")]


def test_q_closes_every_screen_but_the_first_ones() -> None:
    """Those end the program, and the palette is a line to type in; what others are made from binds no keys."""
    without = {
        class_.__name__
        for class_ in screens()
        if not any("q" in str(getattr(key, "key", "")).split(",") for base in class_.mro() for key in keys_of(base))
    }
    assert without <= {"BaseModal", "ExplainingScreen", "BrowserScreen", "HomeScreen", "WelcomeScreen", "Palette"}


def keys_of(class_: type[object]) -> Any:
    return vars(class_).get("BINDINGS", ())


async def test_the_archive_of_a_place_is_shown_at_the_top(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert "archive" not in it.lines[0]
        where = it.screen.listing.state.target.location
        archive = RegisteredArchive("/srv/calls", where.profile)
        run = ArchiveState(archive, RunOutcome.COMPLETE, datetime(2024, 9, 1, tzinfo=UTC), sealed="2024-09-01")
        it.screen.archives.states = (run,)
        it.screen.header.update()
        await it.until(lambda: "✓ archived, sealed until 2024-09-01" in it.lines[0])
        it.screen.archives.states = (replace(run, outcome=RunOutcome.INCOMPLETE),)
        it.screen.header.update()
        await it.until(lambda: "✗ archive incomplete" in it.lines[0])

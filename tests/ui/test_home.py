"""Home: where to go, where to go on, what waits, what was saved; nothing is asked of a service for it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult

from cloudstore_tui.archive.registry import ArchiveState, RegisteredArchive
from cloudstore_tui.archive.runs import RunOutcome
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.restores import RestoreRequest, RestoreStatus
from cloudstore_tui.state.memory import Visited
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.browser.screen import BrowserScreen
from cloudstore_tui.ui.dialogs.questions import CancelDialog
from cloudstore_tui.ui.screens.home import WIDE, HomeChoice, HomeList, HomeProfile, HomeScreen, HomeState, sections_of
from tests.support.screen import text_of

NOW = datetime(2024, 12, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
FOLDERS = ("exports", "imports")
SEARCH = 'agent:"Khang Glynn" on:2024-09-01'


def stopped(number: int, *, size: int = 1000, done: int = 250) -> TransferSnapshot:
    request = DownloadRequest(Location("acme", path=f"exports/{number}.tar"), Path("/tmp/none"), f"{number}.tar")
    return TransferSnapshot(number, request, State.PAUSED, size=size, done=done)


def back(expires: datetime) -> RestoreRequest:
    return RestoreRequest(
        Location("acme8", "us-east", "id-1"), "int-1.mp3", 1000, 7, NOW, RestoreStatus.READY, expires=expires
    )


STATE = HomeState(
    profiles=[
        HomeProfile(Profile("acme8", "8x8", read_only=False), True, ("us-east", "uk"), "20,612 objects"),
        *(
            HomeProfile(Profile(name, "alvaria", {"api_version": version}, read_only=False), False, FOLDERS)
            for name, version in (("acme", "v3"), ("acme-v2", "v2"))
        ),
    ],
    recent=[
        Visited("acme8", "us-east", find=SEARCH, title="Khang Glynn · 1 Sep 2024", at=AT - 120),
        Visited("acme8", "us-east", place=("callcenterrecording",), at=AT - 300),
        Visited("acme", path="imports/outreach/nanp/", at=AT - 100_000),
    ],
    stopped=[stopped(number, size=207_317_073, done=731_707) for number in range(82)],
    restored=[back(datetime(2024, 12, 6, tzinfo=UTC))],
    searches=[SavedSearch("yesterday", "type:calls since:yesterday queue:?queue")],
    now=NOW,
)

MOCK_UP_WIDE = """\
    Where to?

      1  acme8      8x8 · us-east, uk                 20,612 objects · last here 2 min ago
      2  acme       Alvaria v3 · exports, imports     last here yesterday
      3  acme-v2    Alvaria v2 · exports, imports     uploads allowed

      f  Find a call …            agent:"Khang Glynn" on:2024-09-01 dur:>10m

    Go on

      4  Khang Glynn · 1 Sep 2024              search in acme8 us-east            2 min ago
      5  Call recordings                       acme8 us-east                      5 min ago
      6  outreach/nanp                         acme imports                       yesterday

    Waiting for you

      ↓  82 files stopped half-way (17.0 GB of which 60.0 MB are here)    ⏎ go on   x drop …
      ❄  1 archived recording is back, until 6 Dec                        ⏎ fetch   x later

    Saved searches

      yesterday                 type:calls since:yesterday queue:?queue"""
MOCK_UP_NARROW = """\
 Where to?
  1  acme8     8x8 · us-east, uk              20,612 objects
  2  acme      Alvaria v3 · exports, imports  uploads allowed
  3  acme-v2   Alvaria v2 · exports, imports  uploads allowed
  f  Find a call …   agent:"Khang Glynn" on:2024-09-01 dur:>10m

 Go on
  4  Khang Glynn · 1 Sep 2024     search in acme8 us-east     2 min ago
  5  Call recordings              acme8 us-east               5 min ago
  6  outreach/nanp                acme imports                yesterday

 Waiting for you
  ↓  82 files stopped half-way        ⏎ go on   x drop …
  ❄  1 archived recording is back     ⏎ fetch   x later

 Saved searches
  yesterday                       type:calls since:yesterday queue:?queue"""


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield HomeList()

    def text(self) -> str:
        return text_of(self).partition("\n")[2].strip("\n")


@pytest.mark.parametrize(
    ("size", "wanted"), [((120, 36), MOCK_UP_WIDE), ((80, 20), MOCK_UP_NARROW)], ids=["wide", "narrow"]
)
async def test_everything_has_its_column_in_a_wide_terminal_and_in_a_narrow_one(
    size: tuple[int, int], wanted: str
) -> None:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        app.query_one(HomeList).show(sections_of(STATE, wide=size[0] >= WIDE))
        await pilot.pause()
        assert app.text() == wanted


def test_the_day_until_which_a_copy_stays_is_that_of_the_users_clock() -> None:
    evening = back(datetime(2024, 12, 5, 20, tzinfo=UTC))
    (section,) = (
        section
        for section in sections_of(
            replace(STATE, restored=[evening], stopped=(), now=NOW.astimezone(ZoneInfo("Asia/Tokyo"))), wide=True
        )
        if section.title == "Waiting for you"
    )
    assert [item.title for item in section.items] == ["1 archived recording is back, until 6 Dec"]


def test_of_a_zip_that_stopped_its_files_are_counted() -> None:
    members = tuple(DownloadRequest(Location("acme8", "us-east", f"id-{n}"), Path("/tmp/none")) for n in range(100))
    a_zip = replace(stopped(1), request=ZipRequest(members, Location("acme8", "us-east"), Path("/tmp/none")))
    sections = sections_of(replace(STATE, restored=(), stopped=[a_zip, stopped(2)]), wide=False)
    (section,) = (section for section in sections if section.title == "Waiting for you")
    assert [item.title for item in section.items] == ["101 files stopped half-way"]


@pytest.mark.parametrize("size", [(60, 15), (20, 5), (40, 8)])
async def test_the_cursor_goes_from_item_to_item_wherever_it_is_shown(size: tuple[int, int]) -> None:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        home = app.query_one(HomeList)
        home.show(sections_of(STATE, wide=False))
        home.focus()
        await pilot.pause()
        seen = []
        for _ in home.items:
            assert home.item is not None
            seen.append(home.item)
            home.action_move(1)
        assert seen == home.items
        home.action_go(0)
        assert home.item is home.items[0]
        home.action_page(1)
        home.action_go(-1)
        assert home.item is home.items[-1]


async def test_a_long_name_moves_what_stands_beside_it() -> None:
    app = Shown()
    first, *others = (known.profile for known in STATE.profiles)
    profiles = [replace(first, name="a-profile-with-a-long-name"), *others]
    async with app.run_test(size=(120, 36)) as pilot:
        app.query_one(HomeList).show(sections_of(HomeState(profiles=list(map(HomeProfile, profiles))), wide=True))
        await pilot.pause()
        assert "1  a-profile-with-a-long-name  8x8" in app.text()
        assert "2  acme                        Alvaria v3" in app.text()


async def test_a_long_name_takes_no_room_from_where_it_is() -> None:
    app = Shown()
    long = replace(STATE.recent[0], title="agent Khang Glynn, 1 Sep 2024, longer than 10 min")
    async with app.run_test(size=(80, 20)) as pilot:
        app.query_one(HomeList).show(sections_of(replace(STATE, recent=[long, *STATE.recent[1:]]), wide=False))
        await pilot.pause()
        assert "  search in acme8 us-east  " in app.text()


async def test_the_first_screen_shows_where_to_go_and_sends_nothing(browser: Any, folders: Any, searches: Any) -> None:
    async with browser(home=True) as it:
        assert isinstance(it.app.screen, HomeScreen)
        assert "1  acme " in it.text
        assert "2  acme8" in it.text
        assert "read-only" in it.text
        assert "8x8 · calls and transcripts" in it.text
        assert not folders.calls + searches.calls
        assert it.app.screen.check_action("leave", ("goto",))
        await it.press("1")
        assert isinstance(it.app.screen, BrowserScreen)
        assert it.rows == ["exports/", "imports/"]


async def test_keys_that_are_typed_after_a_number_are_meant_for_the_browser(browser: Any) -> None:
    async with browser(home=True) as it:
        await it.burst("1j\r")
        await it.until(lambda: it.screen.navigator.target is not None and it.screen.navigator.target.location.path)
        assert it.screen.navigator.target.location == Location("acme", path="imports/")


@pytest.mark.parametrize("keys", [(), ("t",), ("question_mark",), ("Q",)])
async def test_the_tilde_leads_home_from_everywhere_and_escape_back(browser: Any, keys: tuple[str, ...]) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "j", *keys, "tilde")
        assert isinstance(it.app.screen, HomeScreen)
        await it.press("escape")
        assert isinstance(it.app.screen, BrowserScreen)
        assert it.screen.entries.table.cursor == 2
        assert it.focus == "entries" or it.screen.entries.table.has_focus


async def test_places_and_searches_can_be_gone_on_with(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("ctrl+g", *["backspace"] * 30, *"acme8:us-east/", "enter")
        it.screen.navigator.search("agentName==Agent")
        await it.settle()
        await it.press("tilde")
        assert "3  agent Agent" in it.text
        assert " 1–5 Open " in it.lines[-1], "the numbers that there are"
        assert "search in acme8 us-east" in it.text
        assert "exports/reporting" in it.text
        await it.press("3")
        assert it.screen.navigator.target.typed == "agentName==Agent"
        await it.press("tilde", "5")
        assert it.screen.navigator.target.location == Location("acme", path="exports/reporting/")


async def test_f_asks_what_to_find_where_that_is_possible(browser: Any) -> None:
    async with browser(home=True) as it:
        await it.burst("fagent:")
        await it.until(lambda: it.screen.entries.bar.has_focus_within)
        assert it.screen.navigator.target.location.profile == "acme8"


async def test_f_asks_for_another_search_than_that_of_before(browser: Any) -> None:
    async with browser(home=True) as it:
        await it.burst("fagent:Ada")
        await it.press("enter")
        await it.until(lambda: it.screen.navigator.target and it.screen.navigator.target.query)
        await it.press("tilde")
        await it.burst("fqueue:")
        await it.until(lambda: it.screen.entries.bar.has_focus_within)
        assert it.screen.entries.bar.line.value == "queue:"


async def test_what_stopped_waits_in_a_line_and_no_bare_letter_loses_it(browser: Any) -> None:
    async with browser(home=True, behind={"left": [stopped(1), stopped(2)]}) as it:
        await it.until(lambda: "2 files stopped half-way (2.0 kB of which 500 B are here)" in it.text)
        assert isinstance(it.app.screen, HomeScreen)
        await it.press("d", "x")
        assert isinstance(it.app.screen, HomeScreen), "x is about the line under the cursor alone"
        await it.press("G", "x")
        assert isinstance(it.app.screen, CancelDialog)
        await it.press("escape")
        assert it.engine.dropped == []
        await it.press("enter")
        await it.until(lambda: "stopped half-way" not in it.text)
        assert [transfer.state for transfer in it.engine.transfers] == [State.RUNNING] * 2


async def test_dropping_asks_first(browser: Any) -> None:
    async with browser(home=True, behind={"left": [stopped(1)]}) as it:
        await it.until(lambda: "1 file stopped half-way" in it.text)
        await it.press("G", "x")
        it.app.screen.dismiss(True)
        await it.until(lambda: it.engine.dropped == [1])
        await it.until(lambda: "stopped half-way" not in it.text)


async def test_what_is_back_can_be_fetched_or_put_off(browser: Any) -> None:
    async with browser(home=True) as it:
        it.app.restores.waiting = (back(datetime.now(UTC) + timedelta(days=3)),)
        it.app.restores.ready.publish(1)
        await it.until(lambda: "1 archived recording is back, until" in it.text)
        await it.press("G", "enter")
        assert [transfer.request.location.path for transfer in it.engine.transfers] == ["id-1"]
        await it.press("x")
        assert "is back" not in it.text


async def test_without_profiles_home_says_how_to_begin() -> None:
    sections = sections_of(HomeState(), wide=True)
    assert [item.target for section in sections for item in section.items] == [
        HomeChoice.DEMO,
        HomeChoice.ADD,
        HomeChoice.GUIDE,
    ]
    assert "You have API keys for Alvaria or 8x8." in sections[0].items[1].middle


async def test_the_demo_says_so(browser: Any) -> None:
    async with browser(home=True, behind={"keeps": False}) as it:
        assert "made-up data, nothing leaves this machine" in it.text
    async with browser(home=True) as it:
        assert "made-up data" not in it.text


def test_home_tells_how_the_last_runs_of_archives_went() -> None:
    at = NOW - timedelta(hours=2)
    good = ArchiveState(RegisteredArchive("/srv/calls", "acme8", "us-east"), RunOutcome.COMPLETE, at, at, "2024-11-30")
    bad = ArchiveState(RegisteredArchive("/srv/files", "acme", path="exports/"), RunOutcome.FAILED, at)
    gone = replace(good, archive=RegisteredArchive("/srv/old", "not-there-any-more"))
    sections = sections_of(replace(STATE, archives=[good, bad, gone]), wide=True)
    items = next(section.items for section in sections if section.title == "Archives")
    assert [(item.sign, item.title, item.middle, item.note) for item in items] == [
        ("✓", "/srv/calls", "acme8 us-east", "2 h ago · sealed until 2024-11-30"),
        ("✗", "/srv/files", "acme exports/", "failed 2 h ago"),
    ]
    assert items[0].target == Visited("acme8", "us-east")
    assert "Archives" not in [section.title for section in sections_of(STATE, wide=True)]

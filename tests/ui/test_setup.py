"""From nothing to a profile that works: the first screens, how to get keys, what is wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.doctor import CheckResult, CheckStatus
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Ready
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.browser.screen import BrowserScreen
from cloudstore_tui.ui.screens.help import HelpScreen
from cloudstore_tui.ui.screens.home import HomeScreen
from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen
from cloudstore_tui.ui.screens.setup import DoctorScreen, KeyGuideScreen
from tests.support.screen import text_of
from tests.support.waiting import PATIENCE

Fresh = Callable[[], AbstractAsyncContextManager[tuple[CloudStoreApp, Pilot[None]]]]
Browser = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def fresh(tmp_path: Path) -> Fresh:
    """A browser without any profile."""

    @asynccontextmanager
    async def run() -> AsyncIterator[tuple[CloudStoreApp, Pilot[None]]]:
        engine = EngineThread({})
        engine.start()
        app = CloudStoreApp(engine, Config(tmp_path / "home" / "config.toml"))
        try:
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: isinstance(app.screen, HomeScreen) and app.home.list.items)
                yield app, pilot
        finally:
            engine.stop()

    return run


async def until(pilot: Pilot[None], met: Callable[[], object]) -> None:
    end = monotonic() + PATIENCE
    while not met():
        assert monotonic() < end, "it did not come"
        await pilot.pause(0.03)


async def test_a_profile_that_was_added_can_be_browsed_at_once(fresh: Fresh, ready: Ready) -> None:
    async with fresh() as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ProfileFormScreen))
        form = app.screen
        assert isinstance(form, ProfileFormScreen)
        form.questions.naming.value = "mine"
        form.questions.choosing.value = "8x8"
        await pilot.pause()
        secret = (ready.config.parent / "acme8.secret").read_text().strip()
        answers = {"client_id": "acme8-edit", "secret": secret, "more": "yes", "api_base": ready.base_url}
        for row in form.questions.rows.lines:
            row.value = answers.get(row.key, row.value)
        await pilot.pause()
        form.action_save()
        await until(pilot, lambda: app.focused is not None and app.focused.id == "done")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        state = app.browser.listing.state
        assert state is not None
        await until(pilot, lambda: [entry.name for entry in state.store.window(0, 10)][:2] == ["us-east", "uk"])
        assert app.browser.places.place is not None
        assert app.browser.places.place.location.profile == "mine"


async def test_the_first_screen_says_everything_in_whole_words_and_offers_what_leads_somewhere(fresh: Fresh) -> None:
    async with fresh() as (app, pilot):
        items = app.home.list.items
        assert [part for item in items for part in (item.title, item.middle) if part not in text_of(app)] == []
        assert not app.home.check_action("leave", ("goto",))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert text_of(app).count("1–9") == 1


async def test_the_sandbox_is_what_the_program_goes_on_with(fresh: Fresh) -> None:
    async with fresh() as (app, pilot):
        await pilot.press("1")
        await until(pilot, lambda: app.wants_demo)
        assert not app.return_code


async def test_reading_and_giving_up_lead_back_to_the_choice(fresh: Fresh) -> None:
    async with fresh() as (app, pilot):
        for key in ("3", "2"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, (KeyGuideScreen, ProfileFormScreen)))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))


@pytest.mark.parametrize("keys", [("ctrl+n",), ("P", *"Add a pro", "enter")])
async def test_the_browser_offers_the_form_by_key_and_in_its_list_of_profiles(
    browser: Browser, keys: tuple[str, ...]
) -> None:
    async with browser() as it:
        await it.press(*keys)
        assert isinstance(it.app.screen, ProfileFormScreen)
        await it.press("escape")
        assert isinstance(it.app.screen, BrowserScreen)


async def test_the_demo_keeps_no_profile(browser: Browser) -> None:
    async with browser(behind={"keeps": False}) as it:
        await it.press("ctrl+n")
        assert isinstance(it.app.screen, BrowserScreen)
        assert any("can't be saved in the demo" in notice for notice in it.notices)


async def test_a_new_profile_leaves_the_tree_as_it_is(browser: Any) -> None:
    async with browser() as it:
        await it.press("l")
        await it.settle()
        open_before = [root.is_open for root in it.screen.places.roots]
        it.screen.places.show_profiles()
        assert [root.is_open for root in it.screen.places.roots] == open_before
        assert any(open_before)


async def test_the_doctor_of_the_demo_tells_where_its_downloads_go_and_that_it_keeps_none(
    browser: Browser, tmp_path: Path
) -> None:
    async with browser(size=(160, 40), behind={"keeps": False}) as it:
        await it.press("exclamation_mark")
        await it.until(lambda: "clipboard" in it.text)
        assert "none: the demo keeps no transfers" in it.text
        assert str(tmp_path / "downloads") in it.text


FOUND = (
    CheckResult("", "configuration", CheckStatus.OK, "one profile"),
    CheckResult("acme8", "token", CheckStatus.FAIL, "refused by \x1b[2J", "Check client_id.", 3),
    CheckResult("acme8", "the rest", CheckStatus.SKIP, "not checked: token comes first"),
    CheckResult("", "encoding", CheckStatus.WARN, "not UTF-8", "Set LANG."),
)


class Examined:
    def __init__(self) -> None:
        self.times = 0
        self.results: tuple[CheckResult, ...] = FOUND

    async def __call__(self) -> AsyncIterator[CheckResult]:
        self.times += 1
        for result in self.results:
            yield result


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_each_finding_stands_with_its_cure(size: tuple[int, int]) -> None:
    app: App[None] = App()
    async with app.run_test(size=size) as pilot:
        app.push_screen(DoctorScreen(Examined()))
        await pilot.pause()
        await pilot.pause()
        shown = text_of(app)
    assert "1 wrong, 1 to look at" in shown
    assert "FAIL  acme8 token" in shown
    assert "→ Check client_id." in shown
    assert "\x1b" not in shown
    assert "skip  acme8 the rest" in shown


async def test_what_is_wrong_stands_first_and_long_texts_go_on_below_their_beginning() -> None:
    examined = Examined()
    examined.results = (CheckResult("", "configuration", CheckStatus.OK, "/a/long/path " * 6), *FOUND[1:])
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(examined))
        await pilot.pause()
        await pilot.pause()
        lines = [line.rstrip() for line in text_of(app).splitlines()[2:]]
    assert [line[1:5].strip() for line in lines if line[1:5].strip()][:4] == ["FAIL", "warn", "ok", "skip"]
    at = next(number for number, line in enumerate(lines) if "configuration" in line)
    assert lines[at + 1].index("/a/long/path") == lines[at].index("/a/long/path") == 31


async def test_r_looks_again_and_escape_goes_back() -> None:
    examined = Examined()
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(examined))
        await pilot.pause()
        examined.results = FOUND[:1]
        await pilot.press("r")
        await pilot.pause()
        assert "nothing wrong" in text_of(app)
        assert examined.times == 2
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, DoctorScreen)


GUIDES = {spec.name: spec.guide for spec in PROVIDERS}


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_each_service_has_its_text_and_all_of_it_can_be_reached(size: tuple[int, int]) -> None:
    app: App[None] = App()
    async with app.run_test(size=size) as pilot:
        app.push_screen(KeyGuideScreen(GUIDES))
        await pilot.pause()
        assert "Alvaria gives out the keys itself" in text_of(app)
        await pilot.press("right")
        await pilot.pause()
        assert "Admin" in text_of(app)
        await pilot.press("G")
        await pilot.pause()
        assert "All addresses begin with" in text_of(app)
        await pilot.press("g")
        await pilot.pause()
        assert "8x8 Cloud Storage Service" in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, KeyGuideScreen)


async def test_steps_are_set_below_their_number() -> None:
    app: App[None] = App()
    async with app.run_test(size=(60, 24)) as pilot:
        app.push_screen(KeyGuideScreen({"x": f"Title\n\n1. {'word ' * 20}\n* {'point ' * 20}"}))
        await pilot.pause()
        lines = text_of(app).splitlines()
    assert any(line.startswith("    word") for line in lines)
    assert any(line.startswith("   point") for line in lines)

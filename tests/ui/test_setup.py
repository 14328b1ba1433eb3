"""From nothing to a profile that can be used, in one run of the browser."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual.pilot import Pilot

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.sandbox.server import Ready
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.browser.screen import BrowserScreen
from cloudstore_tui.ui.screens.help import HelpScreen
from cloudstore_tui.ui.screens.home import HomeScreen
from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen
from cloudstore_tui.ui.screens.setup import KeyGuideScreen
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

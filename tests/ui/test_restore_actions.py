"""Archived objects asked back on the screen, and told once when they are ready."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import OutcomeUnknownError
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.restores import RestoreStatus, RestoreStore
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.dialogs.questions import RestoreDialog
from cloudstore_tui.ui.restore_watch import request_of
from cloudstore_tui.ui.screens.restores import RestoresScreen

START = "acme8:us-east/"


def store() -> RestoreStore:
    return RestoreStore(state_folder() / "restores.db")


@pytest.fixture
def searches(searches: Any) -> Any:
    """A service whose objects are archived, unless `back` says otherwise."""

    class Cold(type(searches)):  # type: ignore[misc]  # the class is only known at run time
        back = False

        async def restore(self, location: Any, days: int = 7) -> int:
            await self.called("restore", location, (location.path, days))
            return days

        async def browse(self, location: Any, cursor: str | None = None) -> Any:
            return _cold(await super().browse(location, cursor))

        async def search(self, query: Any, cursor: str | None = None) -> Any:
            return _cold(await super().search(query, cursor))

        async def stat(self, location: Any) -> Any:
            entry = await super().stat(location)
            return replace(entry, state="AVAILABLE" if self.back else "ARCHIVED")

    def _cold(page: Any) -> Any:
        states = {True: "ARCHIVED", False: "AVAILABLE"}
        items = [replace(item, state=states[number != 2]) for number, item in enumerate(page.items)]
        return replace(page, items=tuple(items))

    service = Cold()
    service.profile = replace(service.profile, read_only=False)
    assert isinstance(service, StorageProvider)
    return service


async def test_marked_objects_are_asked_for_after_a_question_with_count_bytes_and_days(
    browser: Any, searches: Any
) -> None:
    async with browser(start=START) as it:
        assert "B Restore" in it.lines[-1]
        assert "d Download" not in it.lines[-1]
        await it.press("space", "space")
        await it.until(lambda: "d Download" in it.lines[-1] and "B Restore" not in it.lines[-1])
        await it.press("space", "B")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        assert "Restore 2 files of acme8?" in it.text
        assert "1 file is not archived and left out." in it.text
        await it.press("backspace", "3", "enter")
        await it.until(lambda: searches.count("restore") == 2)
        assert [detail[1] for name, detail in searches.calls if name == "restore"] == [3, 3]
        await it.until(lambda: [request.status for request in store().requests()] == [RestoreStatus.RESTORING] * 2)
        await it.press("B")
        await it.until(lambda: "Restore requested already. Q shows progress." in it.notices)
        assert searches.count("restore") == 2


async def test_what_was_asked_for_is_nowhere_said_to_need_the_key_once_more(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.until(lambda: "Archived. B restores it." in it.text)
        await it.press("B")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        await it.press("enter")
        await it.until(lambda: "Archived. Restore requested:" in it.text)
        await it.until(lambda: "B Restore" not in it.lines[-1])
        await it.press("d")
        await it.until(lambda: "Archived. Restore requested: Q shows progress." in it.notices)
        await it.press("p")
        await it.until(
            lambda: any(said.startswith("Archived files can't be previewed. Restore") for said in it.notices)
        )
        await it.press("down")
        await it.until(lambda: "Archived. B restores it." in it.text and "B Restore" in it.lines[-1])
        await it.press("a", "d")
        await it.until(lambda: any("archived: left out. B restores them." in said for said in it.notices))


async def test_what_is_typed_behind_the_key_is_for_the_question(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.burst("BaX")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        await it.settle()
        assert isinstance(it.app.screen, RestoreDialog)
        assert it.screen.listing.state.store.selection.count == 0


async def test_escape_asks_for_nothing_and_what_is_not_archived_is_said(browser: Any, searches: Any) -> None:
    async with browser(start=START) as it:
        await it.press("B")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        await it.press("escape", "j", "j", "B")
        await it.until(lambda: it.notices)
        assert it.notices == ["Not archived: there is nothing to restore."]
        assert store().requests() == ()


async def test_the_first_line_says_what_is_ready_until_it_was_downloaded(browser: Any, searches: Any) -> None:
    async with browser(start=START, restore_poll_seconds=(1, 1)) as it:
        searches.back = True
        await it.press("B")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        await it.press("enter")
        await it.until(lambda: "● 1 ready (Q)" in it.lines[0])
        assert it.app.screen is it.screen
        await it.press("Q")
        await it.until(lambda: "1 ready" in it.text)
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        (request,) = store().requests()
        assert it.engine.transfers[0].request.location == request.location
        it.engine.become(1, State.DONE)
        await it.until(lambda: store().requests()[0].status is RestoreStatus.FETCHED)
        assert store().take_ready() == ()
        await it.press("escape")
        await it.until(lambda: "ready" not in it.lines[0])


async def test_what_an_earlier_run_asked_for_is_gone_on_with_at_the_start(browser: Any, searches: Any) -> None:
    entry = replace(await searches.stat(searches.locate("us-east/id-1")), state="ARCHIVED")
    store().add([request_of(entry, 2, UTC)])
    async with browser(start=START) as it:
        await it.until(lambda: searches.count("restore") == 1)
        await it.until(lambda: store().requests()[0].status is RestoreStatus.RESTORING)
        await it.press("Q")
        assert isinstance(it.app.screen, RestoresScreen)
        await it.until(lambda: "1 restoring" in it.text)


async def test_an_order_whose_answer_was_lost_is_shown_and_not_sent_again(browser: Any, searches: Any) -> None:
    searches.fail["restore"] = OutcomeUnknownError("no answer came", subject="acme8:us-east/x")
    async with browser(start=START) as it:
        await it.press("B")
        await it.until(lambda: isinstance(it.app.screen, RestoreDialog))
        await it.press("enter")
        await it.until(lambda: any("no answer came" in notice for notice in it.notices))
        assert [request.status for request in store().requests()] == [RestoreStatus.UNKNOWN]
        assert searches.count("restore") == 1


async def test_a_copy_that_will_be_gone_within_a_day_is_shown_once(browser: Any, searches: Any) -> None:
    entry = await searches.stat(searches.locate("us-east/id-1"))
    store().add([request_of(entry, 2, UTC)])
    now = datetime.now(UTC)
    store().mark_ready(entry.location, now, now + timedelta(hours=5))
    store().take_ready()
    async with browser(start=START) as it:
        await it.until(lambda: it.notices)
        assert it.notices[0].startswith("1 restored copy will be gone within a day")
    async with browser(start=START) as again:
        await again.settle()
        assert again.notices == []

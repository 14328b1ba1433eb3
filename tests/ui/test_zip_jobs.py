"""Zip jobs on the server: looked at, fetched, stopped, cleared."""

from typing import Any

import pytest

from cloudstore_tui.core.errors import MissingError, NetworkError, UnreadableError
from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.core.models import Folder
from cloudstore_tui.core.paging import Page
from cloudstore_tui.ui.dialogs.fetching import ZipJobsDialog
from cloudstore_tui.ui.dialogs.questions import ClearZipsDialog

START = "acme8:us-east/"


@pytest.fixture(autouse=True)
def jobs(searches: Any) -> None:
    searches.jobs = tuple(ZipJob("acme8", "us-east", f"{name}.zip", "DONE") for name in "ab")


async def opened(it: Any) -> None:
    await it.press("J")
    await it.until(lambda: isinstance(it.app.screen, ZipJobsDialog))


async def test_enter_fetches_a_job_of_yesterday(browser: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("j", "enter")
        await it.until(lambda: it.engine.transfers)
        request = it.engine.transfers[0].request
        assert (request.job, request.members, request.location.address) == ("b.zip", (), "acme8:us-east/")
        assert it.app.screen is it.screen


async def test_x_stops_a_job_and_shows_what_is_left(browser: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("j", "x")
        await it.until(lambda: "b.zip  cancelled" in it.text)
        assert "a.zip  ready" in it.text


async def test_x_on_a_job_that_the_service_keeps_says_so(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept(_region: str, _name: str) -> tuple[ZipJob, ...]:
        return tuple(searches.jobs)

    monkeypatch.setattr(searches, "cancel_zip", kept)
    async with browser(start=START) as it:
        await opened(it)
        await it.press("x")
        await it.until(lambda: it.notices)
        assert it.notices == ["a.zip had already ended. C empties the queue."]


async def test_the_queue_is_emptied_only_after_its_number_was_typed(browser: Any, searches: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        await it.press("C")
        await it.until(lambda: isinstance(it.app.screen, ClearZipsDialog))
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, ZipJobsDialog))
        assert searches.count("clear_zips") == 0
        await it.press("C")
        await it.until(lambda: isinstance(it.app.screen, ClearZipsDialog))
        await it.press("2", "enter")
        await it.until(lambda: "No zip jobs." in it.text)
        assert searches.count("clear_zips") == 1


async def test_an_error_leaves_the_list_where_it_was(browser: Any, searches: Any) -> None:
    async with browser(start=START) as it:
        await opened(it)
        searches.fail["cancel_zip"] = MissingError("the job is gone")
        await it.press("x")
        await it.until(lambda: it.notices)
        assert it.notices == ["The job is gone."]
        await it.until(lambda: isinstance(it.app.screen, ZipJobsDialog))


async def test_jobs_that_cannot_be_read_are_shown(browser: Any, searches: Any) -> None:
    searches.fail["zip_jobs"] = NetworkError("no answer")
    async with browser(start=START) as it:
        await it.press("J")
        await it.until(lambda: it.notices)
        assert it.notices == ["No answer."]


async def test_jobs_without_a_name_are_shown_beside_the_others(browser: Any, searches: Any) -> None:
    searches.unnamed_jobs = (UnreadableError(1, subject=START),)
    async with browser(start=START) as it:
        await opened(it)
        assert "b.zip  ready" in it.text
        assert it.notices == [str(searches.unnamed_jobs[0])]


async def test_at_the_top_the_region_under_the_cursor_counts(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:") as it:
        await opened(it)
        assert ("zip_jobs", "acme8:us-east/") in searches.calls


async def test_without_a_region_it_asks_for_one(browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(location: Any, cursor: str | None = None) -> Page[Folder]:
        return Page(())

    monkeypatch.setattr(searches, "folders", nothing)
    async with browser(start="acme8:") as it:
        await it.press("J")
        assert it.notices == ["Zip jobs belong to a region; open one first."]
        assert searches.count("zip_jobs") == 0


async def test_a_service_without_zip_jobs_has_no_such_key(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("J")
        assert it.app.screen is it.screen
        assert not it.notices

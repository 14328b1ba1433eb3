"""Objects as zips: the choice, the plan, what goes apart."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, ZipRequest
from cloudstore_tui.transfers.zip.plan import plan_zips
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog, FetchDialog
from cloudstore_tui.ui.downloads import not_zipped, zip_requests, zip_text

START = "acme8:us-east/"


def asked(it: Any) -> list[Any]:
    return [transfer.request for transfer in it.engine.transfers]


async def test_z_always_makes_a_zip_job_of_the_object_under_the_cursor(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START) as it:
        await it.press("j", "z")
        await it.until(lambda: it.engine.transfers)
        (request,) = asked(it)
        assert isinstance(request, ZipRequest)
        assert request.location.address == "acme8:us-east/"
        assert request.folder == tmp_path / "downloads"
        assert [member.entry and member.entry.name for member in request.members] == ["int-0000001.mp3"]
        await it.until(lambda: it.screen.strip.display)


async def test_what_cannot_be_fetched_or_is_on_its_way_is_left_out_and_that_is_said(
    browser: Any, searches: Any
) -> None:
    plain = searches.object
    states = {0: "ARCHIVED", 1: "AVAILABLE", 2: ""}
    searches.object = lambda number, query: replace(plain(number, query), state=states.get(number, "AVAILABLE"))
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "z")
        await it.until(lambda: len(it.engine.transfers) == 2)
        packed, single = asked(it)
        assert [member.entry.name for member in packed.members] == ["int-0000001.mp3"]
        assert single.entry.name == "int-0000002.mp3"
        assert it.notices == ["1 archived: left out. B restores it."]
        await it.press("space", "z")
        await it.until(lambda: len(it.engine.transfers) == 3)
        assert [member.entry.name for member in asked(it)[2].members] == ["int-0000003.mp3"]
        assert "Already being fetched: 2 of them. They are left out." in it.notices[-1]


@pytest.mark.parametrize("key", ["d", "z"])
async def test_an_archived_object_is_refused_before_it_becomes_a_transfer(
    browser: Any, searches: Any, key: str
) -> None:
    plain = searches.object
    searches.object = lambda number, query: replace(plain(number, query), state="ARCHIVED")
    async with browser(start=START) as it:
        await it.press(key)
        await it.until(lambda: it.notices)
        assert it.notices == ["Archived. B restores it."]
        await it.press("space", "space", key)
        await it.until(lambda: len(it.notices) > 1)
        assert it.notices[1] == "2 archived: left out. B restores them."
        assert not it.engine.transfers


@pytest.mark.parametrize(("key", "kind", "number"), [("enter", ZipRequest, 1), ("o", DownloadRequest, 100)])
@pytest.mark.parametrize("asked_by", ["d", "z"])
async def test_from_a_hundred_on_both_keys_ask_how_and_where(
    browser: Any, key: str, kind: type, number: int, asked_by: str
) -> None:
    async with browser(start=START) as it:
        await it.press("a", asked_by)
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        assert "Fetch 100 " in it.text
        assert "1 zip job of 100" in it.text
        await it.press("escape")
        assert not it.engine.transfers
        await it.press(asked_by)
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        await it.press(key)
        await it.until(lambda: len(it.engine.transfers) == number)
        assert all(isinstance(request, kind) for request in asked(it))
        await it.press(asked_by)
        await it.until(lambda: it.notices)
        assert it.notices[-1] == "Already being fetched: 100. t shows them."
        assert len(it.engine.transfers) == number


async def test_fewer_start_at_once_in_the_faster_way(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press(*["space"] * 9, "d")
        await it.until(lambda: len(it.engine.transfers) == 9)
        await it.press("escape", *["space"] * 12, "d")
        await it.until(lambda: len(it.engine.transfers) == 10)
        assert len(asked(it)[9].members) == 12


async def test_a_service_without_zip_jobs_is_never_asked_about(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("a", "d")
        await it.until(lambda: len(it.engine.transfers) == 12)
        await it.press("z")
        assert len(it.engine.transfers) == 12


async def test_files_in_the_way_are_asked_about_once_for_all_members(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "int-0000000.mp3").write_text("other")
    async with browser(start=START) as it:
        await it.press("space", "space", "z")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        await it.press("escape")
        assert not it.engine.transfers
        await it.press("z")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        await it.press("k")
        await it.until(lambda: it.engine.transfers)
        (request,) = asked(it)
        assert {member.on_conflict for member in request.members} == {OnConflict.KEEP_BOTH}


def test_more_than_a_zip_may_hold_becomes_several(searches: Any, tmp_path: Path) -> None:
    query = searches.query(searches.locate("us-east/"))
    objects: list[StoredObject] = [searches.object(number, query) for number in range(1_200)]
    plan = plan_zips(objects)
    downloads = [DownloadRequest(entry.location, tmp_path, entry=entry) for entry in objects]
    requests = list(zip_requests(plan, downloads, tmp_path))
    assert [len(request.members) for request in requests if isinstance(request, ZipRequest)] == [500, 500, 200]
    assert len(requests) == 3
    assert zip_text(plan) == "1,200 objects, 12.7 MB, in 3 zips"
    assert not_zipped(plan) == ""

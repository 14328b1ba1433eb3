"""Objects as zips: the choice, the plan, what goes apart."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, ZipRequest
from cloudstore_tui.ui.browser.zip_requests import Zipping
from cloudstore_tui.ui.dialogs.conflict_dialog import ConflictDialog
from cloudstore_tui.ui.dialogs.zip_choice_dialog import ZipChoiceDialog

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
        assert it.notices == ["Zip: 1 object, 10.0 kB, in 1 zip."]
        await it.until(lambda: it.screen.strip.display)


async def test_z_says_what_is_not_in_the_zip(browser: Any, searches: Any) -> None:
    plain = searches.object
    states = {0: "ARCHIVED", 1: "AVAILABLE", 2: ""}
    searches.object = lambda number, query: replace(plain(number, query), state=states.get(number, "AVAILABLE"))
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "z")
        await it.until(lambda: len(it.engine.transfers) == 3)
        packed, *single = asked(it)
        assert [member.entry.name for member in packed.members] == ["int-0000001.mp3"]
        assert [request.entry.name for request in single] == ["int-0000000.mp3", "int-0000002.mp3"]
        assert it.notices[1] == (
            "2 objects are fetched one by one: its state is ARCHIVED; the service does not take it into a zip."
        )


async def test_z_on_what_no_zip_takes_says_why_and_starts_nothing(browser: Any, searches: Any) -> None:
    plain = searches.object
    searches.object = lambda number, query: replace(plain(number, query), state="ARCHIVED")
    async with browser(start=START) as it:
        await it.press("z")
        await it.until(lambda: it.notices)
        assert it.notices[0].startswith("Nothing here can be packed into a zip.")
        assert "ARCHIVED" in it.notices[0]
        assert not it.engine.transfers


@pytest.mark.parametrize(("key", "kind", "number"), [("z", ZipRequest, 1), ("o", DownloadRequest, 12)])
async def test_d_on_many_asks_which_way(browser: Any, key: str, kind: type, number: int) -> None:
    async with browser(start=START) as it:
        await it.press(*["space"] * 12, "d")
        await it.until(lambda: isinstance(it.app.screen, ZipChoiceDialog))
        assert "Download 12 objects, 120.1 kB" in it.text
        assert "One by one: 24 requests at 60 a minute" in it.text
        await it.press(key)
        await it.until(lambda: len(it.engine.transfers) == number)
        assert all(isinstance(request, kind) for request in asked(it))


async def test_d_on_few_does_not_ask_and_escape_starts_nothing(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press(*["space"] * 9, "d")
        await it.until(lambda: len(it.engine.transfers) == 9)
        await it.press("space", "d")
        await it.until(lambda: isinstance(it.app.screen, ZipChoiceDialog))
        await it.press("escape")
        assert len(it.engine.transfers) == 9


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
        await it.press("b")
        await it.until(lambda: it.engine.transfers)
        (request,) = asked(it)
        assert {member.on_conflict for member in request.members} == {OnConflict.KEEP_BOTH}
        it.engine.transfers.clear()
        await it.press("z")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        await it.press("escape")
        assert not it.engine.transfers
        assert len(it.notices) == 1


def test_more_than_a_zip_may_hold_becomes_several(searches: Any, tmp_path: Path) -> None:
    query = searches.query(searches.locate("us-east/"))
    objects: list[StoredObject] = [searches.object(number, query) for number in range(1_200)]
    zipping = Zipping.of(objects)
    requests = list(
        zipping.requests([DownloadRequest(entry.location, tmp_path, entry=entry) for entry in objects], tmp_path)
    )
    assert [len(request.members) for request in requests if isinstance(request, ZipRequest)] == [500, 500, 200]
    assert len(requests) == 3
    assert zipping.text == "1,200 objects, 12.7 MB, in 3 zips"
    assert zipping.exceptions == ""

"""Objects to a folder of this machine."""

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.transfers.model import OnConflict, State
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog, FetchDialog, ProgressDialog
from cloudstore_tui.ui.dialogs.paths import DownloadDialog
from cloudstore_tui.ui.downloads import usable_folder

START = "acme:exports/reporting/"


def wished(it: Any) -> list[tuple[str, str]]:
    return [(transfer.request.entry.name, transfer.request.on_conflict.value) for transfer in it.engine.transfers]


async def test_d_downloads_the_object_under_the_cursor_at_once(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START) as it:
        await it.press("j", "d")
        await it.until(lambda: it.engine.transfers)
        assert wished(it) == [("report-001.tar", "refuse")]
        assert it.engine.transfers[0].request.folder == tmp_path / "downloads"
        assert (tmp_path / "downloads").is_dir()


async def test_where_it_goes_is_shown_as_a_whole_path_since_a_browser_started_elsewhere_may_resume_it(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with browser(start=START, download_dir=Path()) as it:
        await it.press("j", "d")
        await it.until(lambda: it.engine.transfers)
        assert it.engine.transfers[0].request.batch.target == str(tmp_path)


async def test_marks_go_before_the_cursor_and_stay(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("space", "space", "G", "d")
        await it.until(lambda: it.engine.transfers)
        assert [name for name, _ in wished(it)] == ["report-000.tar", "report-001.tar"]
        assert "2 marked" in it.foot


async def test_a_range_that_is_open_is_what_is_downloaded(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("space", "down", "v", "down")
        await it.until(lambda: "RANGE 2 rows" in it.foot)
        await it.press("d")
        await it.until(lambda: len(it.engine.transfers) == 3)
        assert [name for name, _ in wished(it)] == ["report-000.tar", "report-002.tar", "report-003.tar"]
        await it.until(lambda: "3 marked" in it.foot and "RANGE" not in it.foot)


async def test_d_on_a_folder_counts_it_and_keeps_its_folders(browser: Any, folders: Any, tmp_path: Path) -> None:
    folders.tree["exports/reporting/"] = ["a.tar", "2024/"]
    folders.tree["exports/reporting/2024/"] = ["b.tar", "c.tar"]
    async with browser(start="acme:exports/") as it:
        await it.press("d")
        await it.until(lambda: len(it.engine.transfers) == 3)
        into = tmp_path / "downloads" / "reporting"
        placed = {one.request.folder / (one.request.name or "") for one in it.engine.transfers}
        assert placed == {into / "a.tar", into / "2024" / "b.tar", into / "2024" / "c.tar"}
        assert {one.request.root for one in it.engine.transfers} == {into}
        # The strip says it.
        assert it.notices == []
        (batch,) = it.app.transfers.batches.values()
        assert (batch.batch.title, batch.batch.target) == ("reporting/ (3 files)", str(into))


async def test_d_on_a_place_of_the_tree_downloads_all_of_it(browser: Any, searches: Any, tmp_path: Path) -> None:
    searches.results = 3
    into = tmp_path / "downloads"
    async with browser(size=(160, 40)) as it:
        await it.press("l", "j")
        assert "d Download" in it.keys
        await it.press("d")
        await it.until(lambda: len(it.engine.transfers) == 13)
        assert {one.request.folder for one in it.engine.transfers} == {into / "exports", into / "exports" / "reporting"}
        assert it.focus == "places"
        await it.press("G", "d")
        await it.until(lambda: len(it.engine.transfers) == 16)
        assert {one.request.folder for one in it.engine.transfers[13:]} == {into / "acme8"}
        it.engine.become_all([one.id for one in it.engine.transfers], State.DONE)
        await it.press("l", "l", "l", "j", "j", "d")
        await it.until(lambda: len(it.engine.transfers) == 19)
        assert {one.request.folder for one in it.engine.transfers[16:]} == {into / "Work recordings"}


async def test_keys_typed_while_a_place_is_counted_for_long_do_not_answer_what_is_asked_then(
    browser: Any, folders: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.browser.download_actions.LONG_S", 0.01)
    monkeypatch.setattr("cloudstore_tui.ui.downloads.MANY", 1)
    async with browser(start="acme:exports/") as it:
        folders.gates["browse"] = asyncio.Event()
        await it.press("d")
        await it.until(lambda: isinstance(it.app.screen, ProgressDialog))
        assert "Counting reporting/" in it.text
        await it.press("enter", "j")
        folders.gates["browse"].set()
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        assert not it.engine.transfers
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.screen)
        assert it.screen.entries.table.cursor == 0


async def test_counting_stops_where_that_is_asked_for(
    browser: Any, folders: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.browser.download_actions.LONG_S", 0.01)
    async with browser(start="acme:exports/") as it:
        folders.gates["browse"] = asyncio.Event()
        for key in ("escape", "q"):
            await it.press("d")
            await it.until(lambda: isinstance(it.app.screen, ProgressDialog))
            await it.press(key)
            await it.until(lambda: it.app.screen is it.screen and not it.screen.actions.is_opening)
            assert "counting" not in it.foot
        # Under another screen it waits until that is gone.
        await it.press("d")
        await it.until(lambda: isinstance(it.app.screen, ProgressDialog))
        await it.app.push_screen(MessageDialog("Messages", "No messages yet."))
        folders.gates["browse"].set()
        await it.until(lambda: it.engine.transfers)
        await it.press("escape")
        await it.until(lambda: it.app.screen is it.screen)


async def test_what_stands_for_a_search_is_counted_several_pages_at_once(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches.results, usual, fetched = 250, searches.prefetch, list[str]()

    def prefetch(query: Query) -> Any:
        fetched.append(query.location.address)
        return usual(query)

    monkeypatch.setattr(searches, "prefetch", prefetch)
    async with browser(size=(160, 40)) as it:
        await it.press("G", "l", "j", "d")
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        assert "250" in it.text
        assert fetched == ["acme8:us-east/"]


async def test_what_counting_a_place_may_have_missed_is_said(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = searches.search

    async def search(query: Query, cursor: str | None = None) -> Any:
        return replace(await usual(query, cursor), skips_undated=True)

    monkeypatch.setattr(searches, "search", search)
    async with browser(size=(160, 40)) as it:
        await it.press("G", "l", "j", "d")
        await it.until(lambda: isinstance(it.app.screen, FetchDialog) or it.engine.transfers)
        assert any("Objects without a creation time" in notice for notice in it.notices)


async def test_d_on_what_is_no_place_says_what_leads_to_one(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/", size=(160, 40)) as it:
        it.screen.navigator.go(Location("acme", path="imports/"))
        await it.until(lambda: "RECENT" in it.text)
        await it.press("1", "G")
        assert "d Download" not in it.keys
        await it.press("d")
        assert it.notices == ["Enter opens this; d downloads what is in it."]
        assert not it.engine.transfers


async def test_a_folder_of_very_many_files_is_not_counted_to_its_end(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.browser.download_actions.MAX_COUNTED", 200)
    async with browser(size=(160, 40)) as it:
        await it.press("G", "l", "j", "d")
        await it.until(lambda: it.notices)
        assert it.notices == ["us-east holds more than 200 files. Open it and search, or use cloudstore pull."]
        assert searches.count("search") == 3
        await it.settle()
        assert (it.app.screen, it.engine.transfers) == (it.screen, [])


async def test_a_large_folder_asks_and_can_go_elsewhere(browser: Any, folders: Any, tmp_path: Path) -> None:
    folders.tree["exports/reporting/"] = [f"{number:03}.tar" for number in range(100)]
    async with browser(start="acme:exports/") as it:
        await it.press("d")
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        assert "Fetch reporting/: 100 files?" in it.text
        assert re.search(r"Into .*downloads/reporting ", it.text), "where the files will be, not what is above that"
        assert "zip" not in it.text
        await it.press("D")
        await it.until(lambda: isinstance(it.app.screen, DownloadDialog))
        it.app.screen.query_one("#path", Input).value = str(tmp_path / "elsewhere")
        await it.press("enter")
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        assert "elsewhere" in it.text
        await it.press("enter")
        await it.until(lambda: len(it.engine.transfers) == 100)
        assert {one.request.folder for one in it.engine.transfers} == {tmp_path / "elsewhere" / "reporting"}


async def test_an_identical_file_is_no_question(browser: Any, searches: Any, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "int-0000000.mp3").write_bytes(b"the same")
    plain, md5 = searches.object, hashlib.md5(b"the same", usedforsecurity=False).hexdigest()
    searches.object = lambda number, query: replace(
        plain(number, query), size=8, size_exact=True, checksum=md5, checksum_type="MD5"
    )
    async with browser(start="acme8:us-east/") as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        assert wished(it) == [("int-0000000.mp3", "refuse")]
        (tmp_path / "downloads" / "int-0000001.mp3").write_bytes(b"another!")
        await it.press("j", "d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        assert "This file is already in" in it.text
        assert re.search(r"There +8 bytes", it.text)
        assert f"md5 {md5[:8]}…" in it.text
        assert "the same" not in it.text


async def test_all_files_in_the_way_are_compared_whose_content_the_list_tells(
    browser: Any, searches: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.browser.download_actions.MAX_ASKED", 1)
    monkeypatch.setattr("cloudstore_tui.ui.browser.download_actions.MAX_COMPARED", 2)
    (tmp_path / "downloads").mkdir()
    for number in range(5):
        (tmp_path / "downloads" / f"int-{number:07}.mp3").write_bytes(b"the same" if number != 3 else b"another!")
    plain, md5 = searches.object, hashlib.md5(b"the same", usedforsecurity=False).hexdigest()
    searches.object = lambda number, query: replace(
        plain(number, query), size=8, size_exact=True, checksum=md5, checksum_type="MD5"
    )
    async with browser(start="acme8:us-east/") as it:
        await it.press(*["space"] * 5, "d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        # Four of five are the same already, and no question.
        assert "This file is already in" in it.text
        assert "int-0000003.mp3" in it.text
        await it.press("escape")
        assert not it.engine.transfers


async def test_a_file_in_the_way_is_asked_about_once(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    for number in range(2):
        (tmp_path / "downloads" / f"report-00{number}.tar").write_text("other")
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        assert "2 files are already in" in it.text
        await it.press("k")
        await it.until(lambda: it.engine.transfers)
        assert {way for _, way in wished(it)} == {OnConflict.KEEP_BOTH}


async def test_escape_from_the_question_downloads_nothing(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "report-000.tar").write_text("other")
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        await it.press("escape")
        assert not it.engine.transfers


async def test_two_objects_of_one_name_keep_both_files(browser: Any, searches: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        first = it.screen.listing.state.store.at(0)
        searches.object = lambda number, query: type(first)(
            first.location.__class__("acme8", "us-east", f"id-{number}"), "same.mp3", id=f"id-{number}"
        )
        it.screen.navigator.search("x==y")
        await it.settle()
        await it.press("space", "space", "d")
        await it.until(lambda: it.engine.transfers)
        assert wished(it) == [("same.mp3", "keep-both"), ("same.mp3", "keep-both")]


async def test_capital_d_asks_where_and_offers_the_same_folder_again(browser: Any, tmp_path: Path) -> None:
    async with browser(start=START) as it:
        for _ in range(2):
            await it.press("D")
            assert isinstance(it.app.screen, DownloadDialog)
            field = it.app.screen.query_one("#path", Input)
            if not it.engine.transfers:
                field.value = str(tmp_path / "elsewhere")
            await it.press("enter")
            await it.settle()
            await it.until(lambda: it.engine.transfers and not isinstance(it.app.screen, DownloadDialog))
        assert {transfer.request.folder for transfer in it.engine.transfers} == {tmp_path / "elsewhere"}


def test_a_folder_that_cannot_be_made_gives_way_to_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert usable_folder(tmp_path / "file" / "below") == tmp_path
    assert usable_folder(tmp_path / "new" / "deep") == tmp_path / "new" / "deep"


async def test_where_a_folder_cannot_be_made_a_place_keeps_its_own_in_the_present_one_and_that_is_shown(
    browser: Any, searches: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches.results = 3
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "downloads").write_text("")
    async with browser(size=(160, 40)) as it:
        await it.press("l", "j", "d")
        await it.until(lambda: it.engine.transfers)
        assert {one.request.root for one in it.engine.transfers} == {here / "exports"}
        assert any("the files go to" in notice for notice in it.notices)
        before = len(it.engine.transfers)
        await it.press("G", "d")
        await it.until(lambda: len(it.engine.transfers) > before)
        assert {one.request.folder for one in it.engine.transfers[before:]} == {here / "acme8"}


async def test_the_strip_tells_what_runs_then_how_it_ended_and_nothing_looks_any_more(
    browser: Any, tmp_path: Path
) -> None:
    async with browser(start=START) as it:
        await it.press("space", "space", "d")
        await it.until(lambda: it.screen.strip.display)
        await it.until(lambda: "↓ 0 of 2 files  █████░░░░░░░░░░░░░░░  25 %   0.5 of 2.0 kB" in it.text)
        assert re.search(r"left → \S+ +t transfers", it.text)
        it.engine.become(1, State.DONE, path=tmp_path / "downloads" / "report-000.tar")
        it.engine.become(2, State.FAILED, MissingError("it is gone", subject="acme:exports/reporting/report-001.tar"))
        await it.until(lambda: it.results == [" ✗ 1 of 2 failed: it is gone."])
        await it.until(lambda: "✗ 1 of 2 failed: it is gone." in it.text)
        looks = it.engine.looks
        await it.settle()
        assert it.engine.looks == looks
        assert it.notices == []


async def test_a_result_says_where_the_file_is_until_the_user_goes_on(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        it.engine.become(1, State.DONE, path=tmp_path / "downloads" / "report-000.tar")
        await it.until(lambda: "✓ report-000.tar" in it.text)
        await it.until(lambda: "Y copies the path" in it.text)
        await it.press("j")
        assert "✓ report-000.tar" in it.text
        monkeypatch.setattr("cloudstore_tui.ui.transfer_watch.RESULT_S", 0)
        await it.press("Y")
        await it.until(lambda: it.app.clipboard == str(tmp_path / "downloads" / "report-000.tar"))
        await it.press("j")
        assert not it.screen.strip.display


async def test_a_result_is_shown_on_other_screens_too(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        await it.press("question_mark")
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.notices)
        assert it.notices[0].startswith("✓ report-000.tar, 1.0 kB")


async def test_a_failed_transfer_can_be_tried_again_and_is_shown_again(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        it.engine.become(1, State.FAILED, MissingError("it is gone", subject="x"))
        await it.until(lambda: it.results)
        it.engine.retry = lambda number: None
        await it.press("t", "r")
        await it.settle()
        assert it.results == [" ✗ report-000.tar: it is gone."]
        del it.engine.retry
        await it.press("r")
        await it.until(lambda: "1 batch running" in it.text)
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.results and "✓ report-000.tar" in it.results[-1])
        await it.press("c")
        await it.until(lambda: "No transfers" in it.text)


async def test_many_ends_at_once_are_one_result(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("a", "d")
        await it.until(lambda: len(it.engine.transfers) == 12)
        for number in range(1, 13):
            it.engine.become(number, State.DONE)
        await it.until(lambda: it.results)
        assert it.results[0].startswith(" ✓ 12 files, 12.0 kB")

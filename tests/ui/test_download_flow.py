"""Objects to a folder of this machine."""

import re
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.transfers.model import OnConflict, State
from cloudstore_tui.ui.browser.download_flow import usable_folder
from cloudstore_tui.ui.dialogs.conflict_dialog import ConflictDialog
from cloudstore_tui.ui.dialogs.download_dialog import DownloadDialog

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


async def test_marks_go_before_the_cursor_and_stay(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("space", "space", "G", "d")
        await it.until(lambda: it.engine.transfers)
        assert [name for name, _ in wished(it)] == ["report-000.tar", "report-001.tar"]
        assert "2 marked" in it.foot


async def test_folders_are_left_out_and_that_is_said(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("d")
        assert not it.engine.transfers
        assert it.notices == ["That's a folder. Open it and pick a file."]
        await it.press("a", "d")
        await it.until(lambda: it.engine.transfers)
        assert [name for name, _ in wished(it)] == ["readme.txt"]
        assert it.notices[1] == "Only objects are taken; 1 folder left out."


async def test_a_file_in_the_way_is_asked_about_once(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    for number in range(2):
        (tmp_path / "downloads" / f"report-00{number}.tar").write_text("other")
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "d")
        await it.until(lambda: isinstance(it.app.screen, ConflictDialog))
        assert "2 files are already there" in it.text
        await it.press("b")
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
        first = it.screen.listing.reading.store.at(0)
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


async def test_the_strip_tells_what_runs_then_how_it_ended_and_nothing_looks_any_more(
    browser: Any, tmp_path: Path
) -> None:
    async with browser(start=START) as it:
        await it.press("space", "space", "d")
        await it.until(lambda: it.screen.strip.display)
        await it.until(lambda: "↓ 0 of 2 files  █████░░░░░░░░░░░░░░░  25 %   0.5 of 2.0 kB" in it.text)
        assert re.search(r"left → /tmp/.*…\S*/downloads  t transfers", it.text)
        it.engine.become(1, State.DONE, path=tmp_path / "downloads" / "report-000.tar")
        it.engine.become(2, State.FAILED, MissingError("it is gone", subject="acme:exports/reporting/report-001.tar"))
        await it.until(lambda: it.results == [" ✗ 1 of 2 failed: it is gone."])
        assert "✗ 1 of 2 failed: it is gone." in it.text
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
        assert "Y copies the path" in it.text
        await it.press("j")
        assert "✓ report-000.tar" in it.text
        monkeypatch.setattr("cloudstore_tui.ui.transfer_watch.RESULT_S", 0)
        await it.press("Y")
        await it.until(lambda: it.app.clipboard == str(tmp_path / "downloads" / "report-000.tar"))
        await it.press("j")
        assert not it.screen.strip.display


async def test_a_result_is_told_on_other_screens_too(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        await it.press("question_mark")
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.notices)
        assert it.notices[0].startswith("✓ report-000.tar, 1.0 kB")


async def test_a_failed_transfer_can_be_tried_again_and_is_told_again(browser: Any) -> None:
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

"""What changes objects at the service: uploads and deletions."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import DeletionOutcome
from cloudstore_tui.deletions import UNKNOWN, DeletionLog
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog, MessageDialog
from cloudstore_tui.ui.dialogs.questions import DeleteDialog, QuitDialog


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    paths = [tmp_path / "plan.csv", tmp_path / "readme.txt"]
    for path in paths:
        path.write_text("x")
    return paths


async def choose(it: Any, *names: str) -> None:
    await it.press("u")
    for name in names:
        it.app.screen.query_one("#path", Input).value = name
        await it.press("enter")
    await it.press("enter")


async def test_files_go_to_the_folder_on_the_screen(browser: Any, files: list[Path]) -> None:
    async with browser(start="acme:imports/") as it:
        await choose(it, "plan.csv")
        [transfer] = it.engine.transfers
        assert transfer.request.path == files[0]
        assert transfer.request.location == Location("acme", path="imports/plan.csv")
        assert not transfer.request.overwrite


async def test_the_folder_is_read_again_when_an_upload_arrived(browser: Any, folders: Any, files: list[Path]) -> None:
    async with browser(start="acme:imports/") as it:
        await choose(it, "plan.csv")
        folders.tree["imports/"] = ["plan.csv"]
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.rows == ["plan.csv"])
        assert it.results == [" ✓ Uploaded plan.csv, 1.0 kB → acme:imports/"]


async def test_the_cursor_is_on_the_new_file_and_the_last_folder_is_remembered(
    browser: Any, folders: Any, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "zones.csv").write_text("x")
    folders.tree["imports/"] = ["a.csv", "b.csv"]
    async with browser(start="acme:imports/") as it:
        await it.press("j")
        await choose(it, "sub/zones.csv")
        folders.tree["imports/"] = ["a.csv", "b.csv", "zones.csv"]
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.screen.listing.entry.name == "zones.csv")
        await it.press("u")
        await it.until(lambda: "zones.csv" in it.text and "sub" in it.text)
        assert it.app.screen.query_one("#path", Input).value == ""
        assert it.screen.uploads.last_folder.read() == str(tmp_path / "sub")


async def test_an_upload_that_arrives_elsewhere_leaves_the_screen_alone(
    browser: Any, folders: Any, files: list[Path]
) -> None:
    async with browser(start="acme:imports/") as it:
        await choose(it, "plan.csv")
        await it.press("backspace")
        sent = len(folders.calls)
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.results)
        await it.settle()
        assert len(folders.calls) == sent


async def test_a_folder_not_meant_for_uploads_is_asked_about(browser: Any, files: list[Path]) -> None:
    async with browser(start="acme:exports/") as it:
        await choose(it, "plan.csv")
        assert isinstance(it.app.screen, ConsentDialog)
        await it.until(lambda: "uploads usually go below imports/" in it.text)
        await it.press("escape")
        assert not it.engine.transfers


async def test_nothing_is_replaced_unasked_and_cancel_uploads_nothing(
    browser: Any, folders: Any, files: list[Path]
) -> None:
    folders.tree["imports/"] = ["readme.txt"]
    skipped, replaced = [("plan.csv", False)], [("plan.csv", True), ("readme.txt", True)]
    for answer, sent in (("escape", []), ("s", skipped), ("o", replaced)):
        async with browser(start="acme:imports/") as it:
            await choose(it, "plan.csv", "readme.txt")
            await it.until(lambda: "This file is already in acme:imports/" in it.text)
            assert "Keep both" not in it.text
            await it.press(answer)
            requests = [transfer.request for transfer in it.engine.transfers]
            assert [(request.path.name, request.overwrite) for request in requests] == sent


async def test_there_is_no_upload_to_a_search_a_region_or_a_read_only_profile(browser: Any, folders: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        assert "Upload" not in it.keys
        await it.press("u")
        assert it.app.screen is it.screen
    async with browser(start="acme:") as it:
        assert "Upload" not in it.keys
    folders.profile = folders.profile.__class__("acme", "alvaria", read_only=True)
    async with browser(start="acme:imports/") as it:
        assert "Upload" not in it.keys
        assert "READ ONLY" in it.lines[0]


START = "acme:exports/reporting/"


async def test_exactly_what_was_shown_is_deleted_and_its_rows_go(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j", "space", "space", "delete")
        assert isinstance(it.app.screen, DeleteDialog)
        assert "report-001.tar" in it.text
        await it.press("2", "enter")
        assert folders.calls[-1] == ("delete", ("exports/reporting/report-001.tar", "exports/reporting/report-002.tar"))
        assert len(it.rows) == 10
        assert "report-001.tar" not in it.rows
        assert it.notices == ["2 objects deleted."]
        assert it.foot.endswith("of 10")


async def test_escape_deletes_nothing(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("X", "escape")
        assert folders.count("delete") == 0
        assert len(it.rows) == 12


async def test_what_was_kept_stays_and_its_reason_can_be_read(browser: Any, folders: Any) -> None:
    folders.refused = {
        "exports/reporting/report-001.tar": DeletionOutcome.KEPT,
        "exports/reporting/report-002.tar": DeletionOutcome.GONE,
    }
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "f8", "3", "enter")
        assert it.notices == ["1 object deleted, 1 object already gone, 1 object not deleted."]
        assert isinstance(it.app.screen, MessageDialog)
        assert "acme:exports/reporting/report-001.tar: not deleted." in it.text
        await it.press("escape")
        assert it.rows[:2] == ["report-001.tar", "report-003.tar"]


async def test_a_failure_removes_nothing(browser: Any, folders: Any) -> None:
    folders.fail["delete"] = NetworkError("no answer came", subject="acme:")
    async with browser(start=START) as it:
        await it.press("X", "y")
        assert it.notices == ["1 object unknown."]
        assert isinstance(it.app.screen, MessageDialog)
        assert "acme:: no answer came." in it.text
        await it.press("escape")
        assert len(it.rows) == 12


async def test_neither_escape_nor_a_second_key_nor_going_away_cuts_a_deletion_short(browser: Any, folders: Any) -> None:
    folders.gates["delete"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("X", "y")
        assert "deleting 1 object…" in it.foot
        await it.press("X", "escape", "backspace")
        assert not isinstance(it.app.screen, DeleteDialog)
        folders.gates["delete"].set()
        await it.settle()
        assert not folders.cancelled
        assert it.notices == ["1 object deleted."]
        assert it.rows == ["reporting/", "readme.txt"]


async def test_a_read_only_profile_has_no_delete(browser: Any, folders: Any) -> None:
    folders.profile = folders.profile.__class__("acme", "alvaria", read_only=True)
    async with browser(start=START) as it:
        assert "Delete" not in it.keys
        await it.press("delete", "X", "f8")
        assert it.app.screen is it.screen


async def test_quitting_while_it_runs_asks(browser: Any, folders: Any) -> None:
    folders.gates["delete"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("X", "y", "q")
        assert isinstance(it.app.screen, QuitDialog)
        assert "1 object is being deleted." in it.text
        await it.press("n")
        folders.gates["delete"].set()
        await it.settle()
        await it.pilot.press("q")
        await it.pilot.pause()
        assert not it.app.is_running


async def test_everything_is_written_down_before_it_is_sent_and_again_with_its_outcome(
    browser: Any, folders: Any
) -> None:
    log = DeletionLog(state_folder() / "deletions.jsonl")
    folders.gates["delete"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("X", "y")
        await it.until(lambda: folders.count("delete"))
        (begun,) = log.read()
        assert begun.outcome == UNKNOWN
        assert begun.text("path") == "acme:exports/reporting/report-000.tar"
        folders.gates["delete"].set()
        await it.until(lambda: it.notices)
    assert [one.outcome for one in log.read()] == ["deleted"]


async def test_nothing_is_deleted_that_cannot_be_written_down(browser: Any, folders: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with browser(start=START) as it:
        it.screen.deletions.log = DeletionLog(tmp_path / "file" / "deletions.jsonl")
        await it.press("X", "y")
        await it.until(lambda: it.notices)
        assert "the log of deletions cannot be written" in it.notices[0]
        assert folders.count("delete") == 0
        assert len(it.rows) == 12

"""Files of this machine to the folder on the screen."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog


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

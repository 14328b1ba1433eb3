"""Choosing a folder to download to."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.paths import DownloadDialog


async def test_enter_takes_the_folder_that_is_proposed(opened: Any, tmp_path: Path) -> None:
    async with opened(DownloadDialog("3 files", "12.4 MB", tmp_path)) as it:
        assert "Download 3 files, 12.4 MB to which folder?" in it.text
        await it.press("enter")
        assert it.answers == [tmp_path]


async def test_an_empty_line_and_escape_change_nothing(opened: Any, tmp_path: Path) -> None:
    for key in ("enter", "escape"):
        async with opened(DownloadDialog("1 file", "", tmp_path)) as it:
            it.dialog.query_one("#path").value = " "
            await it.pilot.pause()
            assert "nothing is downloaded" in it.text
            await it.press(key)
            assert it.answers == [None]


async def test_a_folder_that_is_not_there_is_answered_but_not_created(opened: Any, tmp_path: Path) -> None:
    async with opened(DownloadDialog("1 file", "", tmp_path)) as it:
        it.dialog.query_one("#path").value = "new/deep"
        await it.pilot.pause()
        assert "the download will create it" in it.text
        await it.press("enter")
        assert it.answers == [tmp_path / "new" / "deep"]
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["file", "file/below", "x" * 300, "a\0b"])
async def test_what_cannot_be_a_folder_is_refused(opened: Any, tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    async with opened(DownloadDialog("1 file", "", tmp_path)) as it:
        it.dialog.query_one("#path").value = path
        await it.press("enter")
        assert it.answers == []
        assert "That" in it.text


async def test_tab_completes_folders_only_and_home_is_known(opened: Any, tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "record.txt").write_bytes(b"")
    async with opened(DownloadDialog("1 file", "", tmp_path)) as it:
        await it.press("r", "tab")
        assert it.dialog.query_one("#path").value == f"{tmp_path}/recordings/"
        it.dialog.query_one("#path").value = "~/calls"
        await it.press("enter")
        assert it.answers == [Path.home() / "calls"]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits_and_the_button_works(opened: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(DownloadDialog("1 file", "[/x]\x1b", tmp_path), size) as it:
        assert it.fits()
        assert "[/x]" in it.text
        await it.press("down", "down", "enter")
        assert it.answers == [tmp_path]

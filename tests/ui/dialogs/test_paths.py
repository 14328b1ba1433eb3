"""Local paths: completed by Tab, downloaded to, uploaded from."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Button

from cloudstore_tui.ui.dialogs import paths
from cloudstore_tui.ui.dialogs.paths import (
    MAX_CANDIDATES,
    Candidates,
    CompletingField,
    Completion,
    DownloadDialog,
    UploadDialog,
    complete_path,
    complete_word,
    inspect_file,
    local_path,
)
from tests.support.waiting import PATIENCE


@pytest.fixture
def files(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    for name in ("alpha", "alphabet", ".hidden"):
        (files / name).mkdir(parents=True)
    (files / "alpine.txt").write_bytes(b"")
    return files


def test_a_path_is_completed_as_far_as_it_is_clear(files: Path) -> None:
    assert complete_path("al", files) == Completion("alp", ("alpha/", "alphabet/", "alpine.txt"))
    assert complete_path("alpi", files) == Completion("alpine.txt", ("alpine.txt",))
    assert complete_path(f"{files}/alphab", files).text == f"{files}/alphabet/"


def test_folders_only_and_hidden_names_only_when_begun(files: Path) -> None:
    assert complete_path("alpi", files, folders_only=True) == Completion("alpi")
    assert complete_path("", files, folders_only=True).candidates == ("alpha/", "alphabet/")
    assert complete_path(".h", files).text == ".hidden/"


def test_what_is_not_there_stays_as_it_is(files: Path) -> None:
    assert complete_path("nothing/x", files) == Completion("nothing/x")
    assert complete_path("a\0b/x", files) == Completion("a\0b/x")
    assert complete_word("x", ()) == Completion("x")


def test_home_is_known(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(files))
    assert complete_path("~", files).text == "~/"
    assert complete_path("~/alphab", files).text == "~/alphabet/"
    assert local_path("~/x", files) == files / "x"
    assert local_path("x", files) == files / "x"
    assert local_path("/x", files) == Path("/x")


class CandidatesApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Candidates()


async def test_names_are_shown_literally_and_no_more_than_help() -> None:
    app = CandidatesApp()
    async with app.run_test():
        candidates = app.query_one(Candidates)
        assert not candidates.display
        candidates.offer(("[/x]\x1b", *(f"name{number}" for number in range(50))))
        text = str(candidates.content)
        assert candidates.display
        assert text.startswith("[/x]␛  name0")
        assert text.endswith(f"and {51 - MAX_CANDIDATES} more")
        candidates.offer(())
        assert not candidates.display


class FieldApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.offered: list[tuple[str, ...]] = []

    def compose(self) -> ComposeResult:
        yield CompletingField(self.complete)
        yield Button("next")

    async def complete(self, text: str) -> Completion:
        return complete_word(text, ("exports/", "exports-old/", "imports/"))

    def on_completing_field_completed(self, event: CompletingField.Completed) -> None:
        self.offered.append(event.candidates)


async def test_tab_completes_then_offers_then_goes_on() -> None:
    app = FieldApp()
    async with app.run_test() as pilot:
        field = app.query_one(CompletingField)
        field.focus()
        await pilot.press("e", "tab")
        assert (field.value, app.offered[-1]) == ("exports", ("exports-old/", "exports/"))
        await pilot.press("tab")
        assert field.has_focus
        await pilot.press("/", "tab")
        assert (field.value, app.offered[-1]) == ("exports/", ())
        assert not field.has_focus


async def test_shift_tab_still_goes_back() -> None:
    app = FieldApp()
    async with app.run_test() as pilot:
        app.query_one(CompletingField).focus()
        await pilot.press("shift+tab")
        assert app.query_one(Button).has_focus


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report-1.csv").write_bytes(b"x" * 2000)
    (tmp_path / "report-2.csv").write_bytes(b"y" * 500)
    (tmp_path / "sub").mkdir()
    (tmp_path / "[red]x[_x]").write_bytes(b"")
    return tmp_path


def value(it: Any) -> str:
    text: str = it.dialog.query_one("#path").value
    return text


async def enter(it: Any, path: str) -> None:
    it.dialog.query_one("#path").value = path
    await it.press("enter")


async def test_several_files_are_added_and_shown_with_their_sizes(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        assert "Upload to acme:exports/" in it.text
        await enter(it, "report-1.csv")
        assert "2.0 kB" in it.text
        await enter(it, str(folder / "report-2.csv"))
        assert "2 files, 2.5 kB: report-1.csv, report-2.csv" in it.text
        assert it.answers == []
        await it.press("enter")
        assert it.answers == [(folder / "report-1.csv", folder / "report-2.csv")]


async def test_the_button_takes_the_path_on_the_line_too(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        it.dialog.query_one("#path").value = "report-1.csv"
        it.dialog.query_one("#upload").focus()
        await it.press("enter")
        assert it.answers == [(folder / "report-1.csv",)]


async def test_what_is_marked_in_a_folder_below_is_uploaded_and_a_folder_itself_says_how(
    opened: Any, folder: Path
) -> None:
    (folder / "sub" / "deep.csv").write_bytes(b"z")
    async with opened(UploadDialog("acme:imports/", folder)) as it:
        await it.press("down", "space")
        assert "That's a folder. Enter opens it, Ctrl+A then marks all files in it." in " ".join(it.text.split())
        await it.press("enter")
        assert value(it) == "sub/"
        await it.press("ctrl+o")
        assert "Mark a file in the list, or type its path." in it.text
        await it.press("down", "space", "ctrl+o")
        assert it.answers == [(folder / "sub" / "deep.csv",)]


async def test_one_file_twice_is_one_file_and_the_last_can_be_taken_off(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await enter(it, "report-1.csv")
        await enter(it, "report-1.csv")
        await enter(it, "report-2.csv")
        await it.press("ctrl+r", "enter")
        assert it.answers == [(folder / "report-1.csv",)]


@pytest.mark.parametrize(
    ("path", "problem"),
    [("nothing", "There is no such file"), ("/dev/null", "It is not a regular file"), ("*.pdf", "No file matches.")],
)
async def test_what_cannot_be_uploaded_is_refused_with_the_reason(
    opened: Any, folder: Path, path: str, problem: str
) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await enter(it, path)
        assert problem in " ".join(it.text.split())
        await enter(it, "")
        assert it.answers == []


async def test_tab_completes_and_offers_what_could_follow(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await it.press("r", "e", "tab")
        assert value(it) == "report-"
        assert "report-1.csv" in it.text
        await it.press("2", "tab")
        assert value(it) == "report-2.csv"
        assert "report-1.csv" not in it.text
        await it.press("tab")
        assert it.focus == "files"


async def test_files_are_marked_in_the_list_and_folders_opened(opened: Any, folder: Path) -> None:
    (folder / "sub" / "plan.csv").write_bytes(b"z" * 29)
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        assert it.text.index("sub/") < it.text.index("report-1.csv")
        await it.press("r", "e", "down")
        assert it.focus == "files"
        await it.press("space", "space")
        assert it.text.count("[x]") == 2
        await it.press("ctrl+r")
        assert it.text.count("[x]") == 1
        await it.press("backspace")
        await it.press("s")
        assert it.focus == "path"


async def test_a_folder_is_opened_and_a_file_in_it_taken_with_enter(opened: Any, folder: Path) -> None:
    (folder / "sub" / "plan.csv").write_bytes(b"z" * 29)
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await enter(it, "sub")
        assert value(it) == "sub/"
        assert "plan.csv" in it.text
        assert "report-1.csv" not in it.text
        await it.press("down", "enter")
        assert it.answers == [(folder / "sub" / "plan.csv",)]


async def test_wildcards_mark_all_that_match(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await enter(it, "rep*.csv")
        assert "2 files, 2.5 kB" in it.text
        await it.press("enter")
        assert it.answers == [(folder / "report-1.csv", folder / "report-2.csv")]


async def test_letters_are_typed_while_a_slow_disk_is_read_and_read_nothing_again(
    opened: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, is_open, read_folder = list[Path](), threading.Event(), paths.read_folder

    def read_slowly(where: Path) -> Any:
        read.append(where)
        if threading.current_thread() is not threading.main_thread():
            is_open.wait(PATIENCE)
        return read_folder(where)

    monkeypatch.setattr(paths, "read_folder", read_slowly)
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        try:
            await it.pilot.press("r", "e")
            assert value(it) == "re"
            assert "report-1.csv" not in it.text
        finally:
            is_open.set()
        await it.press("p")
        assert "report-1.csv" in it.text
        assert read == [folder]


async def test_marking_all_of_a_folder_that_is_still_being_read_marks_what_is_in_it(
    opened: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub" / "deep.csv").write_bytes(b"z")
    is_open, read_folder = threading.Event(), paths.read_folder

    def read_slowly(where: Path) -> Any:
        if where != folder and threading.current_thread() is not threading.main_thread():
            is_open.wait(PATIENCE)
        return read_folder(where)

    monkeypatch.setattr(paths, "read_folder", read_slowly)
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await it.press("tab")
        try:
            it.dialog.query_one("#path").value = "sub/"
            await it.pilot.press("ctrl+a", "ctrl+o")
            assert "The disk has not answered yet." in it.text
            assert it.answers == []
        finally:
            is_open.set()
        await it.until(lambda: "1 file, <0.1 kB: deep.csv" in it.text or "1 file, 1 B: deep.csv" in it.text)
        await it.press("ctrl+o")
        assert it.answers == [(folder / "sub" / "deep.csv",)]


@pytest.mark.parametrize("kind", [DownloadDialog, UploadDialog])
async def test_letters_are_typed_while_a_slow_disk_is_asked_and_completed_with_the_rest(
    opened: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    is_open, scandir = threading.Event(), os.scandir
    (folder / "recordings").mkdir()

    def scan_slowly(where: Any) -> Any:
        assert threading.current_thread() is not threading.main_thread()
        is_open.wait(PATIENCE)
        return scandir(where)

    dialog = kind("1 file", "", folder) if kind is DownloadDialog else kind("acme:exports/", folder)
    async with opened(dialog) as it:
        head = value(it)
        await it.pilot.press("r", "e")
        monkeypatch.setattr(os, "scandir", scan_slowly)
        try:
            await it.pilot.press("tab", "c")
            assert value(it) == f"{head}rec"
        finally:
            is_open.set()
        await it.until(lambda: value(it) == f"{head}recordings/")
        assert it.focus == "path"


async def test_a_folder_on_a_slow_disk_is_checked_while_escape_still_closes(
    opened: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open, exists = threading.Event(), Path.exists

    def ask_slowly(where: Path) -> bool:
        assert threading.current_thread() is not threading.main_thread()
        is_open.wait(PATIENCE)
        return exists(where)

    async with opened(DownloadDialog("1 file", "", folder)) as it:
        monkeypatch.setattr(Path, "exists", ask_slowly)
        try:
            await it.pilot.press("s", "u", "b", "enter")
            assert it.answers == []
            await it.pilot.press("escape")
            assert it.answers == [None]
        finally:
            is_open.set()


async def test_letters_are_typed_and_escape_answers_nothing(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await it.press("y", "n", "q")
        assert value(it) == "ynq"
        await it.press("escape")
        assert it.answers == [None]


async def test_enter_at_the_end_of_a_paste_adds_nothing(opened: Any, folder: Path) -> None:
    async with opened(UploadDialog("acme:exports/", folder)) as it:
        await it.paste("report-1.csv\x1b\x07\nreport-2.csv\n")
        assert value(it) == "report-1.csv"
        await it.dialog.query_one("#path").action_submit()
        await it.pilot.pause()
        assert it.answers == []
        assert value(it) == "report-1.csv"


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits_with_many_files_and_hostile_names(opened: Any, folder: Path, size: tuple[int, int]) -> None:
    names = [f"[red]x[_x] {number} \x1b[2J" for number in range(12)]
    for name in names:
        (folder / name).write_bytes(b"")
    async with opened(UploadDialog("acme:[/x]\x1b", folder), size) as it:
        for name in names:
            await enter(it, name)
        await it.pilot.pause()
        it.dialog.query_one("#path").scroll_visible(animate=False)
        await it.pilot.pause()
        assert it.fits()
        assert "acme:[/x]" in it.text
        assert "\x1b" not in it.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    secret.chmod(0)
    assert inspect_file(secret) == (0, "You may not read it.")


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "It cannot be read" in inspect_file(Path("a\0b"))[1]
    assert "It cannot be read" in inspect_file(Path("x" * 5000))[1]

"""What Tab makes of half a path."""

from pathlib import Path

import pytest

from cloudstore_tui.ui.dialogs.paths import Completion, complete_path, complete_word, local_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    for name in ("alpha", "alphabet", ".hidden"):
        (folder / name).mkdir(parents=True)
    (folder / "alpine.txt").write_bytes(b"")
    return folder


def test_a_path_is_completed_as_far_as_it_is_clear(folder: Path) -> None:
    assert complete_path("al", folder) == Completion("alp", ("alpha/", "alphabet/", "alpine.txt"))
    assert complete_path("alpi", folder) == Completion("alpine.txt", ("alpine.txt",))
    assert complete_path(f"{folder}/alphab", folder).text == f"{folder}/alphabet/"


def test_folders_only_and_hidden_names_only_when_begun(folder: Path) -> None:
    assert complete_path("alpi", folder, folders_only=True) == Completion("alpi")
    assert complete_path("", folder, folders_only=True).candidates == ("alpha/", "alphabet/")
    assert complete_path(".h", folder).text == ".hidden/"


def test_what_is_not_there_stays_as_it_is(folder: Path) -> None:
    assert complete_path("nothing/x", folder) == Completion("nothing/x")
    assert complete_path("a\0b/x", folder) == Completion("a\0b/x")
    assert complete_word("x", ()) == Completion("x")


def test_home_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert complete_path("~", folder).text == "~/"
    assert complete_path("~/alphab", folder).text == "~/alphabet/"
    assert local_path("~/x", folder) == folder / "x"
    assert local_path("x", folder) == folder / "x"
    assert local_path("/x", folder) == Path("/x")

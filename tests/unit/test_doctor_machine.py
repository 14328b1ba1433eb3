"""What `doctor` says of this machine."""

import os
import sqlite3
from pathlib import Path

import pytest

from cloudstore_tui.doctor import CheckStatus, check_disk, check_terminal

LARGE = os.terminal_size((120, 40))
UTF8 = {"LANG": "C.UTF-8", "TERM": "xterm"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("cloudstore_tui.doctor.state_folder", lambda: tmp_path)
    return tmp_path


def test_a_folder_with_room_is_well_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    downloads, journal = check_disk(tmp_path / "not" / "there" / "yet")
    assert (downloads.status, journal.status) == (CheckStatus.OK, CheckStatus.OK)
    assert "GB free" in downloads.text
    assert list(tmp_path.iterdir()) == []


def test_little_room_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.doctor.LOW_DISK_BYTES", 10**18)
    assert next(check_disk(tmp_path)).status is CheckStatus.WARN


def test_a_folder_that_cannot_be_written_is_a_failure() -> None:
    downloads = next(check_disk(Path("/proc/here")))
    assert (downloads.status, downloads.code) == (CheckStatus.FAIL, 5)
    assert "download_dir" in downloads.hint


def test_a_journal_is_read_and_not_changed(state: Path) -> None:
    path = state / "journal.db"
    with sqlite3.connect(path) as journal:
        journal.execute("create table transfers (id)")
    journal.close()
    before = path.read_bytes()
    assert list(check_disk(state))[1].status is CheckStatus.OK
    assert path.read_bytes() == before
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 50)
    found = list(check_disk(state))[1]
    assert (found.status, found.code) == (CheckStatus.FAIL, 5)


@pytest.mark.parametrize(
    ("environment", "size", "title", "status", "words"),
    [
        (UTF8, LARGE, "terminal", CheckStatus.OK, "xterm, 120×40"),
        (UTF8, None, "terminal", CheckStatus.SKIP, "without one"),
        ({**UTF8, "TERM": "dumb"}, LARGE, "terminal", CheckStatus.WARN, "cannot be drawn"),
        ({"LANG": "C.UTF-8"}, LARGE, "terminal", CheckStatus.WARN, "not set"),
        (UTF8, os.terminal_size((50, 40)), "terminal", CheckStatus.WARN, "50×40"),
        ({**UTF8, "TMUX": "x", "SSH_TTY": "y"}, LARGE, "terminal", CheckStatus.OK, "tmux, over SSH"),
        (UTF8, LARGE, "encoding", CheckStatus.OK, "C.UTF-8"),
        ({**UTF8, "LC_ALL": "C"}, LARGE, "encoding", CheckStatus.WARN, "not UTF-8"),
        (UTF8, LARGE, "clipboard", CheckStatus.OK, "OSC 52"),
        ({**UTF8, "TMUX": "x"}, LARGE, "clipboard", CheckStatus.OK, "set-clipboard"),
        ({**UTF8, "TERM": "linux"}, LARGE, "clipboard", CheckStatus.WARN, "none"),
        ({**UTF8, "DISPLAY": ":0"}, LARGE, "clipboard", CheckStatus.OK, "this desktop"),
    ],
)
def test_the_terminal_is_described_as_the_browser_would_find_it(
    environment: dict[str, str], size: os.terminal_size | None, title: str, status: CheckStatus, words: str
) -> None:
    found = {result.title: result for result in check_terminal(environment, size)}
    assert found[title].status is status
    assert words in found[title].text

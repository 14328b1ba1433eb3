"""What the check-up says of this machine."""

import os
import sqlite3
from pathlib import Path

import pytest

from cloudstore_tui.doctor import machine
from cloudstore_tui.doctor.finding import Verdict
from cloudstore_tui.doctor.machine import look_at_disk, look_at_terminal

LARGE = os.terminal_size((120, 40))
UTF8 = {"LANG": "C.UTF-8", "TERM": "xterm"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "state_folder", lambda: tmp_path)
    return tmp_path


def test_a_folder_with_room_is_well_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    downloads, journal = look_at_disk(tmp_path / "not" / "there" / "yet")
    assert (downloads.verdict, journal.verdict) == (Verdict.OK, Verdict.OK)
    assert "GB free" in downloads.text
    assert list(tmp_path.iterdir()) == []


def test_little_room_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LITTLE_ROOM", 10**18)
    assert next(look_at_disk(tmp_path)).verdict is Verdict.WARN


def test_a_folder_that_cannot_be_written_is_a_failure() -> None:
    downloads = next(look_at_disk(Path("/proc/here")))
    assert (downloads.verdict, downloads.code) == (Verdict.FAIL, 5)
    assert "download_dir" in downloads.hint


def test_a_journal_is_read_and_not_changed(state: Path) -> None:
    path = state / "journal.db"
    with sqlite3.connect(path) as journal:
        journal.execute("create table transfers (id)")
    journal.close()
    before = path.read_bytes()
    assert list(look_at_disk(state))[1].verdict is Verdict.OK
    assert path.read_bytes() == before
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 50)
    found = list(look_at_disk(state))[1]
    assert (found.verdict, found.code) == (Verdict.FAIL, 5)


@pytest.mark.parametrize(
    ("environment", "size", "title", "verdict", "words"),
    [
        (UTF8, LARGE, "terminal", Verdict.OK, "xterm, 120×40"),
        (UTF8, None, "terminal", Verdict.SKIP, "without one"),
        ({**UTF8, "TERM": "dumb"}, LARGE, "terminal", Verdict.WARN, "cannot be drawn"),
        ({"LANG": "C.UTF-8"}, LARGE, "terminal", Verdict.WARN, "not set"),
        (UTF8, os.terminal_size((50, 40)), "terminal", Verdict.WARN, "50×40"),
        ({**UTF8, "TMUX": "x", "SSH_TTY": "y"}, LARGE, "terminal", Verdict.OK, "tmux, over SSH"),
        (UTF8, LARGE, "letters", Verdict.OK, "C.UTF-8"),
        ({**UTF8, "LC_ALL": "C"}, LARGE, "letters", Verdict.WARN, "not UTF-8"),
        (UTF8, LARGE, "clipboard", Verdict.OK, "OSC 52"),
        ({**UTF8, "TMUX": "x"}, LARGE, "clipboard", Verdict.OK, "set-clipboard"),
        ({**UTF8, "TERM": "linux"}, LARGE, "clipboard", Verdict.WARN, "none"),
        ({**UTF8, "DISPLAY": ":0"}, LARGE, "clipboard", Verdict.OK, "this desktop"),
    ],
)
def test_the_terminal_is_told_as_the_browser_would_find_it(
    environment: dict[str, str], size: os.terminal_size | None, title: str, verdict: Verdict, words: str
) -> None:
    found = {finding.title: finding for finding in look_at_terminal(environment, size)}
    assert found[title].verdict is verdict
    assert words in found[title].text

"""Filters that were sent before."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import FilterHistory, Layouts, RecentPlaces, ShownColumn


def test_what_is_added_is_there_next_time_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "state" / "filters.txt"
    FilterHistory(path).add("type:calls since:yesterday")
    assert FilterHistory(path).lines == ("type:calls since:yesterday",)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_text_that_comes_again_is_the_newest_and_there_once(tmp_path: Path) -> None:
    history = FilterHistory(tmp_path / "filters.txt")
    for text in ("a==1", "b==2", " a==1 "):
        history.add(text)
    assert history.lines == ("b==2", "a==1")
    assert (tmp_path / "filters.txt").read_text() == "b==2\na==1\n"


def test_the_oldest_go_first(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_text("".join(f"a=={number}\n" for number in range(FilterHistory.MAX_LINES + 5)))
    history = FilterHistory(path)
    assert len(history.lines) == FilterHistory.MAX_LINES
    history.add("new==1")
    assert history.lines[0] == "a==6"
    assert len(path.read_text().splitlines()) == FilterHistory.MAX_LINES


CHANGES: dict[str, Callable[[Path], object]] = {
    "history": lambda folder: FilterHistory(folder / "filters.txt").add("a==1"),
    "places": lambda folder: RecentPlaces(folder / "recent.json").add(Location("acme")),
    "columns": lambda folder: Layouts(folder / "columns.json").keep("files", (ShownColumn("name", 20),)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nobody_else_changes_a_file_between_a_look_at_it_and_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    refused = []

    def write(*_given: object, **_named: object) -> None:
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refused.append(True)
        finally:
            os.close(folder)

    monkeypatch.setattr("cloudstore_tui.state.memory.write_whole", write)
    change(tmp_path)
    assert refused == [True]


def test_two_browsers_keep_what_the_other_one_added(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    one, two = FilterHistory(path), FilterHistory(path)
    one.add("a==1")
    two.add("b==2")
    one.add("c==3")
    assert one.lines == ("a==1", "b==2", "c==3")


@pytest.mark.parametrize("text", ["", "  ", "a==1\nb==2", "a==\x1b[31m", "a" * (FilterHistory.LONGEST_LINE + 1)])
def test_what_is_no_filter_is_not_kept(tmp_path: Path, text: str) -> None:
    history = FilterHistory(tmp_path / "filters.txt")
    history.add(text)
    assert history.lines == ()


def test_what_somebody_else_wrote_into_the_file_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_bytes(b"a==1\n\xff\xfe\nb==\x1b]52;c;QQ==\x07\n\n" + b"x" * 20_000 + b"\r\nc==3\r\n")
    assert FilterHistory(path).lines == ("a==1", "\ufffd\ufffd", "c==3")


def test_without_a_file_nothing_is_left_behind(tmp_path: Path) -> None:
    history = FilterHistory()
    history.add("a==1")
    assert history.lines == ("a==1",)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_told_and_the_text_is_remembered_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    history = FilterHistory(tmp_path / "state" / "filters.txt")
    with pytest.raises(LocalDiskError, match="is a file, not a folder"):
        history.add("a==1")
    assert history.lines == ("a==1",)

"""What the browser remembers: filters, places, columns, the theme, hidden panes, and what services told of places."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import (
    FilterHistory,
    HiddenPanes,
    Layouts,
    PlaceFacts,
    RecentPlaces,
    ShownColumn,
    ThemeChoice,
)

SOME = (ShownColumn("created", 16), ShownColumn("agentName", 20))
REGION = Location("acme8", "us-east")
TYPE = Location("acme8", "us-east", place=("callrecording",))
ELSEWHERE = Location("acme8", "uk")


def place(number: int, profile: str = "acme") -> Location:
    return Location(profile, path=f"exports/{number}/")


# What holds for every file


class Kept(NamedTuple):
    """One thing that is remembered."""

    open: Callable[[Path | None], object]
    change: Callable[[object], None]
    read: Callable[[object], object]
    """What the change has made of it."""


def kept(open_: Callable[[Path | None], object], change: Callable[..., None], read: Callable[..., object]) -> Kept:
    return Kept(open_, change, read)


KINDS = {
    "filters": kept(FilterHistory, lambda history: history.add("a==1"), lambda history: history.lines == ("a==1",)),
    "places": kept(RecentPlaces, lambda recent: recent.add(place(1)), lambda recent: recent.places == (place(1),)),
    "columns": kept(Layouts, lambda layouts: layouts.keep("a", SOME), lambda layouts: layouts.of("a") == SOME),
    "theme": kept(
        lambda path: ThemeChoice("ansi", path),
        lambda choice: choice.keep("nord"),
        lambda choice: choice.theme == "nord",
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_what_is_kept_is_there_next_time_in_a_file_that_only_its_owner_reads(tmp_path: Path, kind: Kept) -> None:
    path = tmp_path / "state" / "file"
    one = kind.open(path)
    assert not kind.read(one)
    kind.change(one)
    assert kind.read(kind.open(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@every_kind
def test_without_a_file_it_holds_until_the_program_ends_and_nothing_is_left_behind(tmp_path: Path, kind: Kept) -> None:
    one = kind.open(None)
    kind.change(one)
    assert kind.read(one)
    assert not kind.read(kind.open(None))
    assert list(tmp_path.iterdir()) == []


@every_kind
def test_the_error_for_what_cannot_be_written_names_the_file(tmp_path: Path, kind: Kept) -> None:
    (tmp_path / "state").write_text("")
    one = kind.open(tmp_path / "state" / "its-name")
    with pytest.raises(LocalDiskError, match="its-name: a part of the path is a file, not a folder"):
        kind.change(one)
    # The browser itself has the theme by then.
    assert kind.read(one) or kind is KINDS["theme"]


@pytest.mark.parametrize("kind", [KINDS[name] for name in ("filters", "places", "columns")])
def test_nobody_else_changes_a_file_between_a_look_at_it_and_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kept
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
    kind.change(kind.open(tmp_path / "file"))
    assert refused == [True]


# Filters that were sent before


def test_a_text_that_comes_again_is_the_newest_and_there_once(tmp_path: Path) -> None:
    history = FilterHistory(tmp_path / "filters.txt")
    for text in ("a==1", "b==2", " a==1 "):
        history.add(text)
    assert history.lines == ("b==2", "a==1")
    assert (tmp_path / "filters.txt").read_text() == "b==2\na==1\n"


def test_the_oldest_filters_go_first(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_text("".join(f"a=={number}\n" for number in range(FilterHistory.MAX_LINES + 5)))
    history = FilterHistory(path)
    assert len(history.lines) == FilterHistory.MAX_LINES
    history.add("new==1")
    assert history.lines[0] == "a==6"
    assert len(path.read_text().splitlines()) == FilterHistory.MAX_LINES


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


def test_what_somebody_else_wrote_among_the_filters_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_bytes(b"a==1\n\xff\xfe\nb==\x1b]52;c;QQ==\x07\n\n" + b"x" * 20_000 + b"\r\nc==3\r\n")
    assert FilterHistory(path).lines == ("a==1", "\ufffd\ufffd", "c==3")


# Where the user was


def test_the_newest_place_comes_first_and_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "recent.json"
    recent = RecentPlaces(path)
    for number in (1, 2, 1):
        recent.add(place(number))
    again = RecentPlaces(path)
    assert again.places == (place(1), place(2))
    assert again.last(["acme", "other"]) == place(1)
    assert again.last(["other"]) is None


def test_the_list_is_bounded_but_keeps_one_place_of_each_profile() -> None:
    recent = RecentPlaces()
    recent.add(place(0, "seldom"))
    for number in range(RecentPlaces.MAX_PLACES + 10):
        recent.add(place(number))
    assert len(recent.places) == RecentPlaces.MAX_PLACES + 1
    assert recent.last(["seldom"]) == place(0, "seldom")


def test_two_browsers_add_to_one_list(tmp_path: Path) -> None:
    one, other = RecentPlaces(tmp_path / "r.json"), RecentPlaces(tmp_path / "r.json")
    one.add(place(1))
    other.add(place(2))
    assert RecentPlaces(tmp_path / "r.json").places == (place(2), place(1))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'[{"region": "x"}]', b"\xff"])
def test_a_broken_file_is_an_empty_list(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "recent.json"
    path.write_bytes(data)
    recent = RecentPlaces(path)
    assert recent.places == ()
    recent.add(place(1))
    assert len(json.loads(path.read_text())) == 1


def test_who_does_not_want_the_list_has_none(tmp_path: Path) -> None:
    RecentPlaces(tmp_path / "recent.json").add(place(1))
    recent = RecentPlaces(tmp_path / "recent.json", wanted=False)
    recent.add(place(2))
    assert recent.places == ()
    assert list(tmp_path.iterdir()) == []


# The columns that the user chose


def test_two_browsers_do_not_lose_each_others_columns(tmp_path: Path) -> None:
    path = tmp_path / "columns.json"
    one, two = Layouts(path), Layouts(path)
    one.keep("a", SOME)
    two.keep("b", SOME[:1])
    assert (Layouts(path).of("a"), Layouts(path).of("b"), Layouts(path).of("c")) == (SOME, SOME[:1], ())
    two.keep("a", ())
    assert Layouts(path).of("a") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"a": 1}',
        '{"a": [{"name": "x"}]}',
        '{"a": [{"name": "", "width": 5}]}',
        '{"a": [{"name": "x", "width": -5}]}',
        '{"a": []}',
        "\udcff",
    ],
)
def test_a_file_that_cannot_be_used_means_the_usual_columns(tmp_path: Path, text: str) -> None:
    path = tmp_path / "columns.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    layouts = Layouts(path)
    assert layouts.of("a") == ()
    layouts.keep("a", SOME)
    assert Layouts(path).of("a") == SOME


# The theme, and the panes that are hidden


def test_a_configuration_that_was_changed_since_counts_more_than_the_theme_that_was_picked(tmp_path: Path) -> None:
    path = tmp_path / "theme.json"
    ThemeChoice("cloudstore-dark", path).keep("nord")
    assert ThemeChoice("gruvbox", path).theme == "gruvbox"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"picked": "nord"}', '{"configured": "ansi", "picked": 3}', "\udcff"])
def test_a_file_that_cannot_be_used_means_the_configured_theme(tmp_path: Path, text: str) -> None:
    path = tmp_path / "theme.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert ThemeChoice("ansi", path).theme == "ansi"


def test_hidden_panes_stay_hidden(tmp_path: Path) -> None:
    path = tmp_path / "hidden.json"
    HiddenPanes(path).keep("detail", hidden=True)
    assert "detail" in HiddenPanes(path)
    HiddenPanes(path).keep("detail", hidden=False)
    assert "detail" not in HiddenPanes(path)
    path.write_text("{")
    assert "detail" not in HiddenPanes(path)


# What services told of places: kept for the next run, and asked for again where it may have changed


def test_a_number_of_objects_holds_for_a_day_and_is_shown_until_there_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("cloudstore_tui.state.memory.time", lambda: now[0])
    facts = PlaceFacts(tmp_path / "places.json")
    assert facts.learn(REGION, objects=5)
    assert not facts.learn(REGION, objects=5)
    facts.keep()
    now[0] += PlaceFacts.FRESH_S - 1
    assert PlaceFacts(tmp_path / "places.json").is_counted(REGION)
    now[0] += 1
    facts = PlaceFacts(tmp_path / "places.json")
    assert not facts.is_counted(REGION)
    assert facts.objects(REGION) == 5
    assert facts.learn(REGION, objects=5), "it is known again to be so"
    assert facts.is_counted(REGION)


def test_a_region_that_is_read_again_is_counted_again() -> None:
    facts = PlaceFacts()
    for place in (REGION, TYPE, ELSEWHERE):
        facts.learn(place, objects=7, folders=["a"])
    facts.doubt(REGION)
    assert [facts.is_counted(place) for place in (REGION, TYPE, ELSEWHERE)] == [False, False, True]
    assert facts.objects(TYPE) == 7
    assert facts.folders(TYPE) == ("a",)
    assert not facts.is_counted(Location("acme"))

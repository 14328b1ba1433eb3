"""Where the user was."""

import json
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import HiddenPanes, RecentPlaces


def place(number: int, profile: str = "acme") -> Location:
    return Location(profile, path=f"exports/{number}/")


def test_places_are_there_the_next_time_the_newest_first_and_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "state" / "recent.json"
    kept = RecentPlaces(path)
    for number in (1, 2, 1):
        kept.add(place(number))
    again = RecentPlaces(path)
    assert again.places == (place(1), place(2))
    assert again.last(["acme", "other"]) == place(1)
    assert again.last(["other"]) is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_list_is_bounded_but_keeps_one_place_of_each_profile() -> None:
    kept = RecentPlaces()
    kept.add(place(0, "seldom"))
    for number in range(RecentPlaces.MAX_PLACES + 10):
        kept.add(place(number))
    assert len(kept.places) == RecentPlaces.MAX_PLACES + 1
    assert kept.last(["seldom"]) == place(0, "seldom")


def test_two_browsers_add_to_one_list(tmp_path: Path) -> None:
    one, other = RecentPlaces(tmp_path / "r.json"), RecentPlaces(tmp_path / "r.json")
    one.add(place(1))
    other.add(place(2))
    assert RecentPlaces(tmp_path / "r.json").places == (place(2), place(1))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'[{"region": "x"}]', b"\xff"])
def test_a_broken_file_is_an_empty_list(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "recent.json"
    path.write_bytes(data)
    kept = RecentPlaces(path)
    assert kept.places == ()
    kept.add(place(1))
    assert len(json.loads(path.read_text())) == 1


def test_who_does_not_want_the_list_has_none(tmp_path: Path) -> None:
    RecentPlaces(tmp_path / "recent.json").add(place(1))
    kept = RecentPlaces(tmp_path / "recent.json", wanted=False)
    kept.add(place(2))
    assert kept.places == ()
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_cannot_be_written_holds_until_the_program_ends(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    kept = RecentPlaces(tmp_path / "state" / "recent.json")
    with pytest.raises(LocalDiskError):
        kept.add(place(1))
    assert kept.places == (place(1),)


def test_hidden_panes_stay_hidden(tmp_path: Path) -> None:
    path = tmp_path / "hidden.json"
    HiddenPanes(path).keep("detail", hidden=True)
    assert "detail" in HiddenPanes(path)
    HiddenPanes(path).keep("detail", hidden=False)
    assert "detail" not in HiddenPanes(path)
    path.write_text("{")
    assert "detail" not in HiddenPanes(path)

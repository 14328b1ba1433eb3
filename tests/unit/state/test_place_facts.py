"""What services told of places: kept for the next run, and asked for again where it may have changed."""

from pathlib import Path

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import PlaceFacts

REGION = Location("acme8", "us-east")
TYPE = Location("acme8", "us-east", place=("callrecording",))
ELSEWHERE = Location("acme8", "uk")


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

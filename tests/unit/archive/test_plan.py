"""The plan: each object once, each name once, and the same names on every run."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.archive.manifest import RESERVED, key_of
from cloudstore_tui.archive.plan import Outcome, PullPlan, fold
from cloudstore_tui.core.errors import ConflictError, FullDiskError, NotAvailableError
from cloudstore_tui.core.models import Location, StoredObject
from tests.support.sqlite import FullingDisk

MakeObject = Callable[..., StoredObject]
Named = tuple[StoredObject, tuple[str, ...]]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[PullPlan]:
    made = PullPlan(tmp_path)
    yield made
    made.close()


def paths(objects: list[Named], known: dict[str, str] | None = None, *, sidecars: bool = False) -> dict[str, str]:
    """The path of each object by its key."""
    plan = PullPlan(sidecars=sidecars)
    plan.load_lines(_line(key, path) for key, path in (known or {}).items())
    plan.add(objects)
    plan.assign_names()
    found = {item.key: str(item.path) for item in plan.items()}
    plan.close()
    return found


def _line(key: str, path: str) -> dict[str, str]:
    profile, region, id_ = json.loads(key)
    return {"profile": profile, "region": region, "id": id_, "path": path}


def named(id_: str, *path: str, region: str = "us-east") -> Named:
    return StoredObject(Location("acme8", region, id_), path[-1], id=id_), path


def test_its_file_has_no_name_while_it_is_used(plan: PullPlan, tmp_path: Path) -> None:
    plan.add([named("a", "x")])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_it_is_reported_as_full(
    tmp_path: Path, make_object: MakeObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, plan = FullingDisk(monkeypatch), PullPlan(tmp_path)
    disk.leave(5)
    with pytest.raises(FullDiskError, match="full") as caught:
        plan.add((make_object(f"{number:08d}"), (f"{number}",)) for number in range(1000))
    assert "TMPDIR" in caught.value.hint
    plan.close()


def test_objects_are_in_it_once_and_outcomes_can_be_counted(plan: PullPlan, make_object: MakeObject) -> None:
    objects = [make_object(f"{number:08d}", size=10, checksum="é\ud800") for number in range(500)]
    plan.add([(entry, (entry.id,)) for entry in objects] * 2)
    plan.add([(objects[0], ("other",))])
    items = list(plan.items())
    assert [item.entry for item in items] == objects
    for item in plan.items(Outcome.WANTED):
        plan.set_outcome(item, Outcome.FETCHED if item.number % 2 else Outcome.HAD, "md5")
    error = NotAvailableError("its state is ARCHIVED", state="ARCHIVED", subject="acme8:us-east/x", hint="Restore it.")
    plan.set_outcome(items[3], Outcome.MISSING, error=error)
    plan.set_outcome(items[5], Outcome.MISSING, error=ConflictError("taken"))
    counts = plan.counts()
    ends = (Outcome.FETCHED, Outcome.HAD, Outcome.MISSING, Outcome.WANTED)
    assert [counts[outcome] for outcome in ends] == [250, 248, 2, 0]
    assert plan.sizes()[Outcome.HAD] == 2480
    assert plan.levels() == {"md5": 498}
    losses = list(plan.losses())
    assert [(loss.item.key, str(loss.error), loss.error.code) for loss in losses] == [
        (items[3].key, str(error), 8),
        (items[5].key, "Taken.", 9),
    ]


def test_all_objects_of_one_name_get_a_suffix_by_their_ids() -> None:
    first = named("58bc5748-339b-43c2", "2024", "a.mp3")
    second = named("11112222-339b-43c2", "2024", "A.mp3")
    other = named("99999999-0000", "2023", "a.mp3")
    expected = {
        key_of(first[0].location): "2024/a~58bc5748.mp3",
        key_of(second[0].location): "2024/A~11112222.mp3",
        key_of(other[0].location): "2023/a.mp3",
    }
    assert paths([first, second, other]) == expected
    assert paths([other, second, first]) == expected


def test_a_suffix_gets_longer_where_eight_characters_are_not_unique() -> None:
    found = paths([named("aaaabbbb-1111-x", "a.mp3"), named("aaaabbbb-2222-x", "a.mp3"), named("ccccdddd-1", "a.mp3")])
    assert sorted(found.values()) == ["a~aaaabbbb-111.mp3", "a~aaaabbbb-222.mp3", "a~ccccdddd.mp3"]


def test_one_id_in_two_regions_is_two_files() -> None:
    found = paths([named("aaaabbbb-1111", "a.mp3"), named("aaaabbbb-1111", "a.mp3", region="uk")])
    assert len(set(found.values())) == 2


def test_a_file_with_the_name_of_a_folder_or_of_ours_gets_a_suffix() -> None:
    found = paths([named("aaaaaaaa", "x"), named("bbbbbbbb", "x", "y"), named("cccccccc", "Manifest.JSONL")])
    assert sorted(found.values()) == ["Manifest~cccccccc.JSONL", "x/y", "x~aaaaaaaa"]


def test_a_name_that_a_file_beside_would_have_gets_a_suffix() -> None:
    objects = [named("aaaaaaaa", "x.mp3"), named("bbbbbbbb", "x.mp3.json")]
    assert sorted(paths(objects).values()) == ["x.mp3", "x.mp3.json"]
    assert sorted(paths(objects, sidecars=True).values()) == ["x.mp3", "x.mp3~bbbbbbbb.json"]


def test_what_came_earlier_keeps_its_name_when_another_object_of_that_name_appears() -> None:
    old, new = named("aaaaaaaa-1", "a.mp3"), named("bbbbbbbb-2", "a.mp3")
    known = paths([old])
    assert known == {key_of(old[0].location): "a.mp3"}
    grown = paths([new, old], known)
    assert grown == {**known, key_of(new[0].location): "a~bbbbbbbb.mp3"}
    assert paths([new, old], grown) == grown


def test_a_name_in_the_manifest_that_no_template_gives_is_not_kept() -> None:
    old = named("aaaaaaaa-1", "a.mp3")
    for strange in ("../../x", "/etc/passwd", "b.mp3"):
        assert paths([old], {key_of(old[0].location): strange}) == {key_of(old[0].location): "a.mp3"}


@pytest.mark.parametrize("name", ["manifest.jsonl", "Manifest.CSV"])
def test_no_manifest_gives_an_object_a_name_of_ours(name: str) -> None:
    objects = [named("aaaaaaaa-1", name)]
    key = key_of(objects[0][0].location)
    assert fold(paths(objects, {key: name})[key]) not in RESERVED


ids = st.text(st.sampled_from("ab-"), min_size=8, max_size=12)
segments = st.lists(st.sampled_from(["a", "A", "a.mp3", "b", "manifest.csv", "é", "e\u0301"]), min_size=1, max_size=2)


@given(st.lists(st.tuples(ids, segments), max_size=12), st.randoms(), st.booleans())
def test_names_differ_and_do_not_depend_on_the_order(
    wanted: list[tuple[str, list[str]]], chance: random.Random, sidecars: bool
) -> None:
    objects = [named(id_, *path) for id_, path in dict(wanted).items()] if wanted else []
    found = paths(objects, sidecars=sidecars)
    shuffled = list(objects)
    chance.shuffle(shuffled)
    assert paths(shuffled, sidecars=sidecars) == found
    for known in (found, {key: path for key, path in found.items() if chance.random() < 0.5}):
        assert paths(shuffled, known, sidecars=sidecars) == found
    folded = [fold(path) for path in found.values()]
    assert len(set(folded)) == len(folded)
    folders = {path.rpartition("/")[0] for path in folded}
    assert not (set(folded) & folders)
    assert not (set(folded) & set(RESERVED))

"""Which objects go into which zip job, and what that costs."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.zip.plan import Batch, LeftOut, choose, cost_of_direct, cost_of_zips, pack, plan_zips

Stored = Callable[..., StoredObject]


def test_objects_fill_zips_up_to_the_limit_of_bytes_and_of_ids(stored: Stored) -> None:
    entries = [stored(number, size=40) for number in range(5)]
    assert [len(batch.entries) for batch in plan_zips(entries, most_bytes=100).batches] == [2, 2, 1]
    assert [len(batch.entries) for batch in plan_zips(entries, most_ids=3).batches] == [3, 2]
    assert [batch.size for batch in plan_zips(entries, most_bytes=100).batches] == [80, 80, 40]


def test_no_zip_holds_objects_of_two_regions(stored: Stored) -> None:
    entries = [stored(number, region=region) for number, region in enumerate(("uk", "ap", "uk"))]
    assert [(batch.region, len(batch.entries)) for batch in plan_zips(entries).batches] == [("uk", 2), ("ap", 1)]


@pytest.mark.parametrize(
    "fields",
    [{"size": None}, {"size": 1_800_000_001}, {"path": "a/b"}, {"path": "x" * 200}, {"path": ""}, {"state": ""}],
)
def test_what_does_not_fit_is_fetched_directly(stored: Stored, fields: dict[str, object]) -> None:
    plan = plan_zips([stored(1, **fields)])
    assert (len(plan.batches), len(plan.direct), len(plan.left_out)) == (0, 1, 0)


def test_an_object_asked_for_twice_is_in_the_zip_once(stored: Stored) -> None:
    plan = plan_zips([stored(1), stored(1)])
    assert (len(plan.batches[0].entries), len(plan.direct)) == (1, 1)


@pytest.mark.parametrize("state", ["ARCHIVED", "PENDING", "DELETED", "archived", "Something new"])
def test_what_is_not_available_is_left_out_with_the_reason(stored: Stored, state: str) -> None:
    (left,) = plan_zips([stored(1, state=state)]).left_out
    assert (left.error.state, left.error.subject) == (state, "acme8:us-east/id-1")
    assert state in str(left.error)


def test_empty_objects_go_into_a_zip_too(stored: Stored) -> None:
    assert plan_zips([stored(1, size=0)]).batches[0].size == 0


def test_a_stream_is_packed_while_it_comes(stored: Stored) -> None:
    taken = 0

    def stream() -> Iterator[StoredObject]:
        nonlocal taken
        for number in itertools.count():
            taken = number
            yield stored(number)

    first = next(pack(stream(), most_ids=10))
    assert isinstance(first, Batch)
    assert taken == 9


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 120)),
            st.sampled_from(("uk", "ap")),
            st.sampled_from(("AVAILABLE", "ARCHIVED")),
        ),
        max_size=30,
    ),
    most_ids=st.integers(1, 5),
)
def test_every_object_is_somewhere_once_and_no_limit_is_broken(
    stored: Stored, objects: list[tuple[int | None, str, str]], most_ids: int
) -> None:
    entries = [stored(i, size=size, region=region, state=state) for i, (size, region, state) in enumerate(objects)]
    plan = plan_zips(entries, 100, most_ids)
    packed = [entry for batch in plan.batches for entry in batch.entries]
    everything = [*packed, *plan.direct, *(left.entry for left in plan.left_out)]
    assert sorted(entry.id for entry in everything) == sorted(entry.id for entry in entries)
    for batch in plan.batches:
        assert 0 < len(batch.entries) <= most_ids
        assert batch.size == sum(entry.size or 0 for entry in batch.entries) <= 100
        assert {entry.region for entry in batch.entries} == {batch.region}
    left = [part.entry for part in pack(entries, 100, most_ids) if isinstance(part, LeftOut)]
    assert left == [part.entry for part in plan.left_out]


def test_many_small_objects_are_faster_as_a_zip(stored: Stored) -> None:
    choice = choose(plan_zips([stored(number, size=200_000) for number in range(412)]), 60, (5, 10, 20))
    assert choice.zips
    assert choice.why.startswith("zip: 1 job, about ")
    assert choice.why.endswith("one by one: 824 requests at 60 a minute, about 14 min")


def test_one_object_is_faster_by_itself(stored: Stored) -> None:
    choice = choose(plan_zips([stored(1)]), 60, (5, 10, 20))
    assert not choice.zips
    assert "one by one: 2 requests" in choice.why


def test_nothing_that_fits_into_a_zip_leaves_no_choice(stored: Stored) -> None:
    choice = choose(plan_zips([stored(1, size=None)]), 0, (5,))
    assert (choice.zips, choice.why) == (False, "one by one: 2 requests, about 1 s")


def test_without_a_pace_the_time_of_the_bytes_counts(stored: Stored) -> None:
    assert cost_of_direct(10, 20_000_000_000, 0, 4).seconds == 1_000
    plan = plan_zips([stored(number, size=1_800_000_000) for number in range(2)])
    assert cost_of_zips(plan, 0, (5, 10, 20)).seconds > 180


def test_polls_that_are_not_given_cost_a_second(stored: Stored) -> None:
    assert cost_of_zips(plan_zips([stored(1, size=1)]), 0, ()).seconds < 20

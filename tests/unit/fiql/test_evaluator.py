"""Objects as filters see them, and which filters they contradict: never one by which the sandbox finds them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fiql.evaluator import Row, contradicts, row_of
from cloudstore_tui.fiql.fields import KNOWN_FIELDS
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, unparse
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords, ObjectSearch

SECOND = 1_725_148_800_000
"""2024-09-01T00:00:00Z, when the object was created."""
CALL = StoredObject(
    Location("acme8", "us-east", "a"),
    "a.mp3",
    id="a",
    type="t",
    size=1,
    created=datetime(2024, 9, 1, tzinfo=UTC),
    tags=(("duration", "9500"), ("agentName", "Khang Glynn"), ("twice", "1"), ("twice", "2")),
)


@pytest.mark.parametrize(
    ("filter_", "kept"),
    [
        ("", True),
        ("duration=gt=90000", False),
        ("duration=gt=900", True),
        ("duration=le=9500", True),
        ("duration==9500.0", True),
        ("duration==9501", False),
        ("duration!=9500", False),
        ("duration!=9501", True),
        ("agentName=='Khang Glynn'", True),
        ("agentName=='khang glynn'", False),
        ("agentName==Khang*", True),
        ("agentName==*x*", False),
        ("agentName!=*x*", True),
        ("agentName=in=(a,'Khang Glynn')", True),
        ("agentName=in=(a,b)", False),
        ("agentName=out=(a,b)", True),
        ("agentName=gt=zzz", True),
        ("missing==x", True),
        ("missing!=x", True),
        ("missing=gt=5", True),
        ("createdTime=lt=1", False),
        (f"createdTime=ge={SECOND + 1000}", True),
        (f"createdTime=ge={SECOND + 1001}", False),
        (f"createdTime=lt={SECOND}", True),
        (f"createdTime=={SECOND + 5000}", True),
        ("updatedTime=lt=1", True),
        ("size=gt=5", False),
        ("type==T", False),
        ("type==t;duration=gt=90000", False),
        ("type==T,duration=gt=900", True),
        ("type==T,duration=gt=90000", False),
        ("type==T,missing==x", True),
        ("twice==2", True),
        ("twice!=2", True),
        ("twice=gt=1", True),
        ("twice=gt=2", False),
        ("not a filter", True),
        ("agentName==[K]*", False),
        ("agentName==?hang*", False),
    ],
)
def test_an_object_contradicts_only_a_filter_that_it_certainly_does_not_meet(filter_: str, kept: bool) -> None:
    assert contradicts(CALL, filter_) is not kept


def test_an_object_becomes_a_row_by_the_names_of_filters() -> None:
    entry = StoredObject(
        Location("acme8", "us-east", "id-1"),
        "a.mp3",
        id="id-1",
        type="summary",
        size=0,
        created=datetime(2024, 9, 1, tzinfo=UTC),
        tags=(("speaker", "owner"), ("speaker", "external"), ("type", "a tag that looks like a field"), ("x", "")),
    )
    assert row_of(entry) == {
        "id": "id-1",
        "objectName": "a.mp3",
        "type": "summary",
        "storedBytes": 0,
        "createdTime": 1_725_148_800_000,
        "speaker": "owner",
        "x": "",
    }


def test_a_tag_does_not_stand_in_for_a_field_that_the_service_did_not_report() -> None:
    entry = StoredObject(Location("acme8"), "a.mp3", tags=(("checksum", "forged"), ("objectState", "AVAILABLE")))
    assert row_of(entry) == {"objectName": "a.mp3"}


# The same objects and filters, two implementations.

HERE = Location("acme8", "us-east")
OPERATORS = ("==", "!=", "=gt=", "=ge=", "=lt=", "=le=", "=in=", "=out=")
ANY_STATE = Comparison("objectState", "!=", ("",))
NAMES = sorted({*KNOWN_FIELDS, "nobodyHasThis"} - {"name", "size", "objectId"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectRecords]:
    made = ObjectRecords(tmp_path_factory.mktemp("truth") / "data.sqlite")
    made.fill(5, 60, random.Random(5).sample(list(fixtures.records(5)), 120), fixtures.SPAN)
    yield made
    made.close()


@pytest.fixture(scope="module")
def objects(store: ObjectRecords) -> dict[str, StoredObject]:
    """Every object of the region as its JSON is read, by its id."""
    found = store.search(ObjectSearch(HERE.region, ANY_STATE, limit=10_000)).items
    return {entry.id: entry for record in found if (entry := wire.record(record.as_json(), HERE))}


@st.composite
def filters(draw: st.DrawFn, rows: list[Row]) -> Node:
    """Filters about what the rows hold, or nearly hold."""

    def term() -> Comparison:
        name, operator = draw(st.sampled_from(NAMES)), draw(st.sampled_from(OPERATORS))
        held = st.sampled_from(rows).map(lambda row: str(row.get(name, "")))
        value = held | st.sampled_from(["", "0", "5000", "1e3", "-1", "007", "1.5", "zzz", "*", "9" * 19, "é", "A,B;'"])
        most = 3 if operator in ("=in=", "=out=") else 1
        return Comparison(name, operator, tuple(draw(st.lists(value, min_size=1, max_size=most))))

    def node(depth: int) -> Node:
        if depth == 0 or draw(st.booleans()):
            return term()
        parts = tuple(node(depth - 1) for _ in range(draw(st.integers(2, 3))))
        return And(parts) if draw(st.booleans()) else Or(parts)

    return node(2)


def test_the_objects_have_what_filters_ask_for(objects: dict[str, StoredObject]) -> None:
    assert len(objects) > 100
    assert {entry.state for entry in objects.values()} > {"AVAILABLE"}
    assert len({name for entry in objects.values() for name in row_of(entry)}) > 40


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_object_contradicts_a_filter_by_which_the_sandbox_finds_it(
    store: ObjectRecords, objects: dict[str, StoredObject], data: st.DataObject
) -> None:
    rows = [row_of(entry) for entry in objects.values()]
    wanted = data.draw(filters(rows).map(lambda node: parse(unparse(node))))
    # A state is named, so that the rule about AVAILABLE objects stays out of it.
    node = And((wanted, ANY_STATE))
    found = store.search(ObjectSearch(HERE.region, node, limit=10_000)).items
    assert [record.id for record in found if contradicts(objects[record.id], unparse(wanted))] == []

"""Whether rows meet filters, told one by one and held against what the sandbox's database finds."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fiql.evaluator import Row, evaluate, row_of
from cloudstore_tui.fiql.fields import KNOWN_FIELDS
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, compare, unparse
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords, ObjectSearch

CALL: Row = {
    "type": "callcenterrecording",
    "objectName": "int-1.mp3",
    "storedBytes": 3_813_912,
    "createdTime": 1_725_148_800_000,
    "objectState": "AVAILABLE",
    "duration": "1271000",
    "agentName": "Khang Glynn",
    "empty": "",
    "padded": "007",
    "decimal": "1.50",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("type==callcenterrecording", True),
        ("type==CallCenterRecording", False),
        ("type!=summary", True),
        ("agentName=='Khang Glynn'", True),
        ("agentName==Khang*", False),
        ("agentName=='khang glynn'", False),
        ("duration=gt=90000", True),
        ("duration=gt=9", True),
        ("duration=lt=90000", False),
        ("duration=ge=1271000", True),
        ("duration=gt=1271000", False),
        ("duration=le=1271000.0", True),
        ("duration==1271000.0", True),
        ("duration==1e3", False),
        ("duration=gt=abc", False),
        ("duration=lt=abc", True),
        ("agentName=gt=Ada", True),
        ("agentName=lt=9", False),
        ("padded==7", True),
        ("padded=='007'", True),
        ("decimal==1.5", True),
        ("decimal=in=(1,1.500)", True),
        ("storedBytes==3813912", True),
        ("size=ge=3813912", True),
        ("name==int-1.mp3", True),
        ("createdTime=lt=1725148800001", True),
        ("type=in=(summary,callcenterrecording)", True),
        ("type=in=(summary,meeting)", False),
        ("type=out=(summary,meeting)", True),
        ("type=out=(summary,callcenterrecording)", False),
        ("empty==''", True),
        ("empty!=''", False),
        ("missing==''", False),
        ("missing==x", False),
        ("missing!=x", True),
        ("missing=out=(x,y)", True),
        ("missing=in=(x,y)", False),
        ("missing=lt=5", False),
        ("missing=ge=''", False),
        ("objectState==ARCHIVED", False),
        ("type==summary,agentName=='Khang Glynn'", True),
        ("type==summary;agentName=='Khang Glynn'", False),
        ("type==summary,type==meeting;duration=gt=5", False),
        ("(type==summary,duration=gt=5);agentName!=x", True),
    ],
)
def test_a_row_meets_a_filter_by_the_rules_of_the_service(text: str, holds: bool) -> None:
    assert evaluate(parse(text), CALL) is holds


def test_without_a_state_in_the_filter_every_state_passes() -> None:
    assert evaluate(parse("type==summary"), {"type": "summary", "objectState": "REVOKED"})


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


def test_a_tag_does_not_stand_in_for_a_field_that_the_service_did_not_tell() -> None:
    entry = StoredObject(Location("acme8"), "a.mp3", tags=(("checksum", "forged"), ("objectState", "AVAILABLE")))
    assert row_of(entry) == {"objectName": "a.mp3"}
    assert not evaluate(parse("checksum==forged,objectState==AVAILABLE"), row_of(entry))


def test_every_term_is_looked_at_once_at_most() -> None:
    class Counting(dict[str, str | int]):
        looks = 0

        def get(self, *arguments: Any) -> Any:
            Counting.looks += 1
            return super().get(*arguments)

    node = parse(",".join(f"(id=={number};type==x)" for number in range(2_000)))
    assert not evaluate(node, Counting(id="none"))
    assert Counting.looks == 2_000


# The same rows, the same filters, two implementations.

REGION = "us-east"
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
def rows(store: ObjectRecords) -> dict[str, Row]:
    """Every object of the region as a row, by its id."""
    found = store.search(ObjectSearch(REGION, ANY_STATE, limit=10_000)).objects
    return {record.id: dict(reversed(record.tags)) | dict(record.fields()) for record in found}


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


def test_the_rows_have_what_filters_ask_for(rows: dict[str, Row]) -> None:
    assert len(rows) > 100
    assert {row["objectState"] for row in rows.values()} > {"AVAILABLE"}
    assert len({name for row in rows.values() for name in row}) > 40


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_evaluator_finds_what_the_database_of_the_sandbox_finds(
    store: ObjectRecords, rows: dict[str, Row], data: st.DataObject
) -> None:
    wanted = data.draw(filters(list(rows.values())).map(lambda node: parse(unparse(node))))
    # A state is named, so that the rule about AVAILABLE objects stays out of it.
    node = And((wanted, ANY_STATE))
    found = {record.id for record in store.search(ObjectSearch(REGION, node, limit=10_000)).objects}
    assert {id_ for id_, row in rows.items() if evaluate(wanted, row)} == found


def test_the_default_of_the_service_is_a_term_of_its_own(store: ObjectRecords, rows: dict[str, Row]) -> None:
    wanted = parse("duration=gt=60000")
    found = {record.id for record in store.search(ObjectSearch(REGION, wanted, limit=10_000)).objects}
    available = And((wanted, parse(compare("objectState", "==", "AVAILABLE"))))
    assert {id_ for id_, row in rows.items() if evaluate(available, row)} == found

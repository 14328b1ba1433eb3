"""What the database finds is what comparing every object one by one finds."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, comparisons
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.sandbox.eightbyeight.model import FIELDS, TAGS, Record
from cloudstore_tui.sandbox.eightbyeight.sql import Rules, match_of, sort_key
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords, ObjectSearch

REGION = "us-east"
OPERATORS = ("==", "!=", "=gt=", "=ge=", "=lt=", "=le=", "=in=", "=out=")
ANY_STATE = Comparison("objectState", "!=", ("",))
NAMES = sorted({*FIELDS, *TAGS, "speaker", "sourceObjectType", "nobodyHasThis"})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectRecords]:
    made = ObjectRecords(tmp_path_factory.mktemp("sql") / "data.sqlite")
    kept = random.Random(3).sample(list(fixtures.records(3)), 100)
    made.fill(3, 120, kept, fixtures.SPAN)
    yield made
    made.close()


@pytest.fixture(scope="module")
def everything(store: ObjectRecords) -> list[Record]:
    return store.search(ObjectSearch(REGION, ANY_STATE, limit=10_000)).items


def is_generated(record: Record) -> bool:
    return record.type == "callcenterrecording" and fixtures.SPAN[0] <= record.created and record.id[14] == "7"


def passes(value_of: Callable[[str], str | int | None], node: Node, rules: Rules) -> bool:
    if isinstance(node, Comparison):
        match = match_of(node, rules, tag=node.selector not in FIELDS)
        return match.holds(value_of(node.selector))
    results = (passes(value_of, term, rules) for term in node.terms)
    return all(results) if isinstance(node, And) else any(results)


rules_ = st.builds(Rules, st.booleans(), st.booleans(), st.booleans(), st.booleans())
operators = st.sampled_from(OPERATORS)


@st.composite
def filters(draw: st.DrawFn, records: list[Record]) -> Node:
    def term() -> Comparison:
        name, compare = draw(st.sampled_from(NAMES)), draw(operators)
        known = st.sampled_from(records).map(lambda record: str(record.value(name) or ""))
        value = known | st.sampled_from(["", "0", "5000", "1e3", "-1", "zzz", "9" * 30, "1.5", "*", "int-*", "k*"])
        many = compare in ("=in=", "=out=")
        return Comparison(name, compare, tuple(draw(value) for _ in range(draw(st.integers(1, 3)) if many else 1)))

    node: Node = term()
    for join in draw(st.lists(st.booleans(), max_size=3)):
        node = And((node, term())) if join else Or((node, term()))
    return node


CALL: dict[str, str | int] = {
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
    assert passes(CALL.get, parse(text), Rules()) is holds


@pytest.mark.parametrize("name", NAMES)
def test_each_operator_on_each_field_finds_what_comparing_finds(
    store: ObjectRecords, everything: list[Record], name: str
) -> None:
    calls = [record for record in everything if is_generated(record)]
    others = [record for record in everything if not is_generated(record)]
    for compare in OPERATORS:
        for record in (calls[len(calls) // 2], others[len(others) // 3]):
            term = Comparison(name, compare, (str(record.value(name) or ""),))
            found = store.search(ObjectSearch(REGION, And((term, ANY_STATE)), limit=10_000)).items
            expected = {record.id for record in everything if passes(record.value, term, Rules())}
            assert {record.id for record in found} == expected, term


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), rules=rules_, descending=st.booleans(), sort=st.sampled_from(NAMES))
def test_a_search_finds_what_comparing_finds_in_the_right_order(
    store: ObjectRecords, everything: list[Record], data: st.DataObject, rules: Rules, descending: bool, sort: str
) -> None:
    node = data.draw(filters(everything))
    named = any(term.selector == "objectState" for term in comparisons(node))
    expected = [
        record for record in everything if passes(record.value, node, rules) and (named or record.state == "AVAILABLE")
    ]
    found = store.search(ObjectSearch(REGION, node, rules, sort, descending, 0, 10_000)).items
    assert {record.id for record in found} == {record.id for record in expected}
    numeric = rules.numeric_tags or sort in FIELDS
    keys = [(sort_key(record.value(sort), numeric=numeric), record.created) for record in found]
    assert keys == sorted(keys, reverse=descending)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sort=st.sampled_from(NAMES), descending=st.booleans(), limit=st.integers(5, 90))
def test_pages_of_any_size_are_the_whole_result_cut_up(
    store: ObjectRecords, sort: str, descending: bool, limit: int
) -> None:
    whole = store.search(ObjectSearch(REGION, None, Rules(), sort, descending, 0, 10_000)).items
    pages: list[Record] = []
    for offset in range(0, len(whole) + limit, limit):
        page = store.search(ObjectSearch(REGION, None, Rules(), sort, descending, offset, limit))
        pages += page.items
        assert page.more == (offset + limit < len(whole))
    assert [record.id for record in pages] == [record.id for record in whole]


def test_a_filter_of_thousands_of_terms_is_no_problem(store: ObjectRecords, everything: list[Record]) -> None:
    node = Or(tuple(Comparison("id", "==", (record.id,)) for record in everything) * 8)
    found = store.search(ObjectSearch(REGION, node, limit=10_000)).items
    assert len(found) == sum(record.state == "AVAILABLE" for record in everything)


def test_a_generated_call_is_found_by_each_of_its_ids(store: ObjectRecords) -> None:
    generated = Comparison("createdTime", "=lt=", (str(fixtures.BUSY_DAY),))
    kind = Comparison("type", "==", ("callcenterrecording",))
    for record in store.search(ObjectSearch(REGION, And((generated, kind)), limit=30)).items:
        for name in (
            "id",
            "bucketId",
            "callId",
            "objectName",
            "mediaUrl",
            "transactionId",
            "callSnippetId",
            "checksum",
        ):
            node = Comparison(name, "==", (str(record.value(name)),))
            assert store.search(ObjectSearch(REGION, And((node, kind)))).items == [record]
        assert store.get(REGION, record.id) == record

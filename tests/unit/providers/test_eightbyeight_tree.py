"""Places and their queries, and columns."""

from datetime import UTC, datetime

import pytest

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.models import Location, Query, Sort
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.providers.eightbyeight.columns import BY_TYPE, FOLDERS, MIXED, NAMED, columns_for
from cloudstore_tui.providers.eightbyeight.tree import folder, place_query, span, time_folders

REGION = Location("acme8", "us-east")
NEWEST = Sort("createdTime", descending=True)


def at(*names: str) -> Location:
    return Location("acme8", "us-east", "", names)


def day(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "filter_"),
    [
        ((), ""),
        (("callcenterrecording",), "type==callcenterrecording"),
        (("a b",), "type=='a b'"),
        (("x,objectState==REVOKED",), "type=='x,objectState==REVOKED'"),
        (("voicemail", "2024"), "type==voicemail;createdTime=ge=1704067200000;createdTime=lt=1735689600000"),
        (("voicemail", "2024", "02"), "type==voicemail;createdTime=ge=1706745600000;createdTime=lt=1709251200000"),
        (("voicemail", "2024", "12"), "type==voicemail;createdTime=ge=1733011200000;createdTime=lt=1735689600000"),
        (
            ("voicemail", "2024", "09", "01"),
            "type==voicemail;createdTime=ge=1725148800000;createdTime=lt=1725235200000",
        ),
    ],
)
def test_a_place_stands_for_a_query_of_its_type_and_time_in_utc(place: tuple[str, ...], filter_: str) -> None:
    assert place_query(at(*place)) == Query(REGION, filter_, NEWEST)
    if filter_:
        parse(filter_)


@pytest.mark.parametrize(
    "location",
    [Location("acme8"), at("buckets"), at("buckets", "k"), Location("acme8", "us-east", "an-id")],
)
def test_all_regions_buckets_and_objects_stand_for_no_query(location: Location) -> None:
    assert place_query(location) is None


@pytest.mark.parametrize(
    "place", [("t", "x"), ("t", "2024", "13"), ("t", "2023", "02", "29"), ("t", "1", "1", "1", "1")]
)
def test_a_place_that_is_no_date_is_missing(place: tuple[str, ...]) -> None:
    with pytest.raises(MissingError) as missing:
        place_query(at(*place))
    assert missing.value.subject == at(*place).address


@pytest.mark.parametrize("place", [("t", "9999"), ("t", "9999", "12"), ("t", "9999", "12", "31"), ("t", "0001")])
def test_the_ends_of_the_calendar_are_places_too(place: tuple[str, ...]) -> None:
    found = span(at(*place))
    assert found is not None
    start, end = found
    assert start < end


def test_the_children_of_a_whole_place_are_those_with_content() -> None:
    moments = [day(2024, 9, 1), day(2022, 1, 1), day(2024, 1, 5)]
    assert [child.name for child in time_folders(at("t"), moments, whole=True)] == ["2024", "2022"]
    inside = [day(2024, 9, 1), day(2024, 1, 5), day(2023, 12, 31)]
    assert [child.name for child in time_folders(at("t", "2024"), inside, whole=True)] == ["09", "01"]


def test_the_children_of_a_large_place_are_all_from_the_first_to_the_last() -> None:
    months = time_folders(at("t", "2024"), [day(2024, 9, 1), day(2024, 7, 1)], whole=False)
    assert [child.name for child in months] == ["09", "08", "07"]
    assert months[0].location == at("t", "2024", "09")
    assert [child.expandable for child in months] == [True, True, True]
    days = time_folders(at("t", "2024", "09"), [day(2024, 9, 30), day(2024, 9, 28)], whole=False)
    assert [(child.name, child.expandable) for child in days] == [("30", False), ("29", False), ("28", False)]
    assert days[0].query == place_query(at("t", "2024", "09", "30"))


def test_times_that_cannot_be_in_a_place_do_not_make_children_of_it() -> None:
    wild = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), day(2024, 9, 1)]
    assert [child.name for child in time_folders(at("t", "2024"), wild, whole=False)] == ["09"]
    assert time_folders(at("t"), [], whole=True) == []


def test_folders_know_whether_they_can_hold_others() -> None:
    opened = {
        location: folder(location).expandable for location in (REGION, at("t"), at("buckets"), at("buckets", "k"))
    }
    assert list(opened.values()) == [True, True, True, False]
    assert folder(REGION).name == "us-east"
    assert folder(Location("acme8")).name == "acme8"


def test_one_type_has_its_own_columns_and_several_share_the_plain_ones() -> None:
    titles = [column.title for column in columns_for(frozenset({"callcenterrecording"}))]
    assert titles[:6] == ["Time", "Agent", "Caller", "Queue", "Len", "Size"]
    titles = [column.title for column in columns_for(frozenset({"meeting"}))]
    assert titles == ["Time", "Name", "Len", "Size"]
    for types in (
        frozenset(),
        frozenset({"callrecording", "transcription"}),
        frozenset({"callrecording", "unheard-of"}),
    ):
        assert columns_for(types) == MIXED
    assert [column.title for column in MIXED] == ["Time", "What", "Agent", "Caller", "Queue", "Len", "Size"]


def test_a_type_of_which_only_the_name_is_known_shows_the_name() -> None:
    for types in (frozenset({"unheard-of"}), frozenset({"unheard-of", "another"})):
        assert columns_for(types) == NAMED
    assert [column.title for column in NAMED] == ["Time", "What", "Name", "Len", "Size"]


def test_a_user_stands_where_no_agent_is() -> None:
    (agent,) = [column for column in columns_for(frozenset({"callrecording"})) if column.title == "Agent"]
    assert (agent.name, *agent.fallback_tags) == ("agentName", "userName", "agentId")


def test_every_column_names_a_field_or_tag_and_what_the_service_sorts_by() -> None:
    for column in (*MIXED, *NAMED, *FOLDERS, *(column for columns in BY_TYPE.values() for column in columns)):
        assert column.name != "tags"
        assert column.width > 0
        assert column.sort_field or column in FOLDERS
    sorts = {column.name: column.sort_field for column in BY_TYPE["callcenterrecording"]}
    assert sorts["created"] == "createdTime"
    assert sorts["size"] == "storedBytes"
    assert sorts["agentName"] == "agentName"

"""Regions, searches and buckets."""

from typing import Any

import pytest

DAY = "type==callcenterrecording;createdTime=ge=1725148800000;createdTime=lt=1725235200000"


def test_regions_are_asked_in_any_published_region(service: Any) -> None:
    assert service.get("/regions", region="ap").json() == ["us-east", "uk"]
    assert service.get("/regions", region="eu").status_code == 404


@pytest.mark.parametrize("region", ["us-west", "eu", "nowhere"])
def test_other_calls_need_a_region_of_the_company(service: Any, region: str) -> None:
    for path in ("/objects", "/objects/x", "/buckets", "/bulk/download/status"):
        assert service.get(path, region=region).status_code == 404


@pytest.mark.parametrize("name", ["Accept", "Content-Type"])
def test_a_search_needs_both_json_headers(service: Any, name: str) -> None:
    reply = service.get("/objects", headers={name: "*/*"})
    assert reply.status_code == 400
    assert name in reply.json()["detail"]


def test_the_busy_day_has_three_pages_as_in_the_vendors_guide(service: Any) -> None:
    query = {"filter": DAY, "sortField": "createdTime", "sortDirection": "ASC", "limit": 100}
    pages = [service.get("/objects", params={**query, "pageKey": offset}).json() for offset in (0, 100, 200)]
    assert [page["pageKey"] for page in pages] == [100, 200, 300]
    assert [page["pageSize"] for page in pages] == [100, 100, 45]
    assert [page["lastPage"] for page in pages] == [False, False, True]
    found = [record for page in pages for record in page["content"]]
    assert len({record["id"] for record in found}) == 245
    assert [record["createdTime"] for record in found] == sorted(record["createdTime"] for record in found)


def test_an_empty_result_is_a_page_too(service: Any) -> None:
    reply = service.get("/objects", params={"filter": "type==nothing", "limit": 10, "pageKey": 30}).json()
    assert reply == {"lastPage": True, "pageKey": 40, "pageSize": 0, "content": []}


def test_a_record_has_the_fields_and_kinds_of_the_real_one(service: Any) -> None:
    record = service.one(DAY)
    assert set(record) == {
        *("id", "type", "mimeType", "objectName", "checksumType", "checksum", "customerId", "userId", "storedBytes"),
        *("createdTime", "updatedTime", "objectState", "bucketId", "tags", "shared"),
    }
    assert isinstance(record["storedBytes"], int)
    assert len(record["createdTime"]) == len("2024-09-01T00:00:00")
    assert len(record["tags"]) == 23
    assert all(isinstance(tag["value"], str) for tag in record["tags"])


def test_old_types_are_printed_by_the_old_schema(service: Any) -> None:
    record = service.one("type==cm-report")
    assert isinstance(record["storedBytes"], str)
    assert isinstance(record["updatedTime"], int)
    assert "userId" not in record
    assert len(record["id"]) == 60
    assert record["id"].endswith("-")
    assert service.get(f"/objects/{record['id']}").json() == record


@pytest.mark.parametrize(
    "filter_",
    [
        "type=callrecording",
        "type==callrecording;",
        "type == callrecording",
        "createdTime=ge=2024-09-01T00:00:00",
        "createdTime=ge=yesterday",
        "objectState=in=ARCHIVED",
        "duration=like=5",
        "(type==a",
        "agentName==Khang Glynn",
        "",
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_its_position(service: Any, filter_: str) -> None:
    reply = service.get("/objects", params={"filter": filter_})
    assert reply.status_code == 400
    assert "position" in reply.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"pageKey": "-1"},
        {"pageKey": "x"},
        {"sortDirection": "up"},
        {"limit": "²"},
    ],
)
def test_a_page_that_cannot_be_is_refused(service: Any, query: dict[str, str]) -> None:
    assert service.get("/objects", params=query).status_code == 400


def test_only_available_objects_are_found_unless_the_filter_names_a_state(service: Any) -> None:
    assert {record["objectState"] for record in service.find("duration=gt=0")} == {"AVAILABLE"}
    assert {record["objectState"] for record in service.find("objectState==ARCHIVED")} == {"ARCHIVED"}
    both = service.find("(objectState==AVAILABLE,objectState==REVOKED);createdTime=lt=1690000000000", limit=100)
    assert {record["objectState"] for record in both} == {"AVAILABLE", "REVOKED"}
    others = service.find("objectState=out=(AVAILABLE,ARCHIVED)")
    assert {record["objectState"] for record in others} == {"REVOKED", "DELETED", "PENDING", "FAILED"}


@pytest.mark.parametrize(
    ("filter_", "key", "values"),
    [
        ("agentName=='Khang Glynn'", "agentName", {"Khang Glynn"}),
        ("queueName=='Sales  EMEA'", "queueName", {"Sales  EMEA"}),
        ("queueName=in=('Level 1','Level 2')", "queueName", {"Level 1", "Level 2"}),
        ('agentName=="M,DENNIS"', "agentName", {"M,DENNIS"}),
        (r"agentName=='Finn O\'Brien'", "agentName", {"Finn O'Brien"}),
        ("speaker==owner", "speaker", {"owner"}),
    ],
)
def test_tags_are_found_by_their_bare_names(service: Any, filter_: str, key: str, values: set[str]) -> None:
    found = service.find(filter_)
    assert {tag["value"] for record in found for tag in record["tags"] if tag["key"] == key} == values


def test_a_plus_in_a_query_is_a_blank_as_everywhere(service: Any) -> None:
    record = service.one("callerId==+16695553203", pageKey=0)
    assert any(tag["value"] == "+16695553203" for tag in record["tags"])
    reply = service.get("/objects?filter=callerId==+16695553203")
    assert reply.status_code == 400


def test_aliases_of_the_vendors_examples_are_understood(service: Any) -> None:
    record = service.one(DAY)
    assert service.find(f"objectId=={record['id']}") == [record]
    assert service.find(f"name=={record['objectName']}") == [record]
    assert all(found["storedBytes"] > 5_000_000 for found in service.find("size=gt=5000000"))


def test_and_binds_tighter_than_or(service: Any) -> None:
    found = service.find("type==summary,type==meeting;duration=gt=9000000")
    assert {record["type"] for record in found} == {"summary", "meeting"}
    found = service.find("(type==summary,type==meeting);duration=gt=9000000")
    assert {record["type"] for record in found} == {"meeting"}


@pytest.mark.parametrize("sort", ["createdTime", "storedBytes", "duration", "agentName", "callerName", "startTime"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_fixtures_and_generated_calls_are_sorted_as_one(service: Any, sort: str, direction: str) -> None:
    filter_ = "type==callcenterrecording;agentName=in=('Khang Glynn','M,DENNIS','Yusuf Demir','Ada Lindqvist')"
    found: list[dict[str, Any]] = []
    for offset in range(0, 80, 7):
        found += service.find(filter_, sortField=sort, sortDirection=direction, pageKey=offset, limit=7)
    keys = [_sort_value(record, sort) for record in found]
    assert keys == sorted(keys, reverse=direction == "DESC")
    assert len({record["id"] for record in found}) == len(found) > 25


def _sort_value(record: dict[str, Any], sort: str) -> Any:
    if sort in record:
        return record[sort]
    value = next(tag["value"] for tag in record["tags"] if tag["key"] == sort)
    return int(value) if value.isdigit() else value


def test_paging_meets_every_object_once(service: Any) -> None:
    seen: list[str] = []
    for offset in range(0, 2000, 100):
        page = service.get("/objects", params={"pageKey": offset, "sortField": "createdTime"}).json()
        seen += [record["id"] for record in page["content"]]
        if page["lastPage"]:
            break
    everything = len(seen)
    assert len(set(seen)) == everything > 800
    assert everything == sum(
        len(service.find(f"type=={kind}", limit=100, pageKey=offset))
        for kind in {record["type"] for record in service.find("", limit=100)} | service.types()
        for offset in range(0, 1000, 100)
    )


def test_every_type_of_the_service_is_there(service: Any) -> None:
    assert service.types() >= {
        *("callrecording", "transcription", "voicemail", "callcenterrecording", "postcallsurvey", "meeting"),
        *("voicecommentrecording", "callcentervoicemail", "screenrecording", "agentnotes", "sentimentScore"),
        *("summary", "calladditionalfields", "chattranscription", "cm-report", "meetings_transcriptions"),
        *("statehistory", "tcltransactions", "waveform"),
    }
    sources = {
        tag["value"]
        for record in service.find("type==transcription", limit=100, sortField="sourceObjectType")
        + service.find("type==transcription", limit=100, sortField="sourceObjectType", sortDirection="DESC")
        for tag in record["tags"]
        if tag["key"] == "sourceObjectType"
    }
    assert sources == {
        *("callcenterrecording", "callcenterrecordingchannel", "callcentervoicemail", "callrecordingchannel"),
        "voicecommentrecording",
    }


def test_the_other_region_has_other_objects(service: Any) -> None:
    theirs = service.find("", region="uk", limit=100)
    assert len(theirs) > 60
    assert service.get(f"/objects/{theirs[0]['id']}", region="uk").status_code == 200
    assert service.get(f"/objects/{theirs[0]['id']}").status_code == 404


def test_a_bucket_lists_the_objects_of_one_call(service: Any) -> None:
    call = service.one(f"{DAY};agentName=='Khang Glynn';queueName=='Level 3'")
    bucket = service.get(f"/buckets/{call['bucketId']}").json()
    assert bucket["bucketId"] == call["bucketId"]
    assert call in bucket["objectList"]
    assert len(bucket["objectList"]) == 10
    assert service.get("/buckets/unknown").status_code == 404


def test_buckets_are_searched_and_paged_with_generated_ones(service: Any) -> None:
    seen: list[str] = []
    for offset in range(0, 2000, 100):
        page = service.get("/buckets", params={"pageKey": offset, "sortField": "createdTime"}).json()
        seen += [bucket["bucketId"] for bucket in page["content"]]
        if page["lastPage"]:
            break
    assert len(seen) == len(set(seen)) > 600
    for bucket_id in (seen[0], seen[-1]):
        reply = service.get("/buckets", params={"filter": f"id=={bucket_id}"}).json()
        assert [bucket["bucketId"] for bucket in reply["content"]] == [bucket_id]
        assert service.get(f"/buckets/{bucket_id}").json() == reply["content"][0]

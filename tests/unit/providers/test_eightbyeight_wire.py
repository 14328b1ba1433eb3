"""The tolerant readings of what the service says in more than one way."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.providers.eightbyeight import wire

HERE = Location("acme8", "us-east")
PLACE = "acme8:us-east/"
A = {"id": "a", "objectName": "a.mp3"}
B = {"id": "b", "objectName": "b.mp3"}

NO_SIZES: tuple[object, ...] = (
    *("12abc", "", -1, "-1", 1.5, "1.5", True, None, [], {}, 2**63, 10**40, "9" * 5000),
    "\u0663",  # a digit, but none of ours
)
NO_TIMES: tuple[object, ...] = (
    *("2024-02-30T00:00:00", "2024-09-01T00:00:60Z", "0000-01-01T00:00:00", "10000-01-01T00:00:00"),
    *("0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-05:00", "", "null"),
    *(None, True, [], -62135596801, "-62135596801", 10**17, "9" * 30, 1.5),
)


def reply(value: object, **fields: Any) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(200, body, **fields)


def read(**fields: object) -> StoredObject:
    found = wire.record({"id": "a", **fields}, HERE)
    assert found
    return found


@pytest.mark.parametrize(
    ("raw", "rows", "last", "key"),
    [
        ({"content": [A, B], "lastPage": False, "pageKey": 100}, 2, False, 100),
        ([{"content": [A], "lastPage": True, "pageKey": 100}], 1, True, 100),
        ([{"content": [A], "lastPage": False}, {"content": [B], "lastPage": True}], 2, True, 0),
        ([A, B], 2, True, 0),
        (A, 1, True, 0),
        ([], 0, True, 0),
        ({"content": [], "lastPage": False, "pageKey": 300}, 0, True, 300),
        ({"content": None, "lastPage": False}, 0, True, 0),
        ({"content": [A, None, 7, {}], "lastPage": "true", "pageKey": "100"}, 4, True, 100),
        ({"content": [A], "lastPage": "false", "pageKey": -3, "total": 9}, 1, False, 0),
    ],
)
def test_a_page_is_read_in_every_shape_it_comes_in(raw: object, rows: int, last: bool, key: int) -> None:
    for page in (wire.page(reply(raw), PLACE), wire.object_page(reply(raw), PLACE)):
        assert (len(page.rows), page.last, page.claimed_next) == (rows, last, key)


WHOLE: dict[str, object] = {
    **A,
    "type": "callcenterrecording",
    "mimeType": "audio/mpeg",
    "objectState": "AVAILABLE",
    "createdTime": "2024-09-01T09:16:00",
    "updatedTime": 1725182160000,
    "storedBytes": 3_812_345,
    "checksum": "a" * 32,
    "checksumType": "MD5",
    "customerId": "acmecorp01",
    "userId": None,
    "bucketId": "bucket01",
    "tags": [{"id": "1", "key": "duration", "value": "1271000"}, {"key": "agentName", "value": None}],
}


def test_records_as_documented_are_read_without_a_second_look() -> None:
    page = wire.object_page(reply({"content": [WHOLE, A], "lastPage": False, "pageKey": 100, "pageSize": 2}), PLACE)
    assert [type(row) for row in page.rows] == [wire.ObjectRecord] * 2
    assert (page.last, page.claimed_next, page.is_odd) == (False, 100, False)


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize(
    "odd", [None, "", "x", 7, 1.0, 1.5, True, 2**70, -1, [], {}, [{}], [7], [{"key": 7, "value": 8}], [{"key": "k"}]]
)
def test_an_odd_field_is_read_alike_beside_records_as_documented_and_alone(key: str, odd: object) -> None:
    rows = [{**WHOLE, key: odd}, WHOLE]
    page = wire.object_page(reply({"content": rows, "lastPage": "true", "pageKey": "100"}), PLACE)
    assert [wire.record(row, HERE) for row in page.rows] == [wire.record(row, HERE) for row in rows]
    assert (page.last, page.claimed_next) == (True, 100)
    assert wire.record(page.rows[1], HERE) == read(**WHOLE)


@pytest.mark.parametrize(
    "raw",
    [
        {"fault": {"faultstring": "Backend is down"}},
        {"content": None, "errors": [{"message": "Backend is down"}]},
        {"lastPage": True, "message": "Backend is down"},
        "text",
        7,
        None,
        {"data": [A]},
        {"content": {"0": A}, "lastPage": True},
        {"content": "none", "lastPage": True},
        {"content": None, "lastPage": True, "pageSize": 3},
    ],
)
def test_what_is_no_page_is_an_error_and_never_an_empty_one(raw: object) -> None:
    with pytest.raises(ReplyError) as wrong:
        wire.object_page(reply(raw), PLACE)
    assert wrong.value.subject == PLACE
    assert ("Backend is down" in wrong.value.message) == ("Backend is down" in str(raw))


@pytest.mark.parametrize(
    ("fields", "size", "name"),
    [
        ('"storedBytes":1e400', None, "a"),
        ('"storedBytes":-Infinity', None, "a"),
        ('"storedBytes":NaN', None, "a"),
        ('"storedBytes":%s' % ("9" * 5000), None, "a"),
        ('"storedBytes":5,"storedBytes":"6"', 6, "a"),
        ('"objectName":"\\ud800x"', None, "\ud800x"),
        ('"unheardOf":[[[{}]]],"objectName":"x"', None, "x"),
    ],
)
def test_numbers_and_texts_that_are_against_the_rules_cost_one_field(fields: str, size: int | None, name: str) -> None:
    page = wire.object_page(reply(f'{{"content":[{{"id":"a",{fields}}}],"lastPage":false}}'.encode()), PLACE)
    found = wire.record(page.rows[0], HERE)
    assert found
    assert (found.id, found.size, found.name, page.last) == ("a", size, name, False)


def test_json_that_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(ReplyError):
        wire.object_page(reply(b"[" * 100_000 + b"]" * 100_000), PLACE)


@pytest.mark.parametrize(
    "checksum", ["922C8A09".ljust(32, "0"), "d" * 32 + "-3", "a" * 31, "0" * 64, "", "not hex at all"]
)
def test_a_checksum_is_passed_on_as_it_is(checksum: str) -> None:
    found = read(checksum=checksum, checksumType="CRC-unheard-of")
    assert (found.checksum, found.checksum_type) == (checksum, "CRC-unheard-of")
    assert read(checksum=None, checksumType=["MD5"]).checksum_type == ""


def test_a_record_becomes_an_object_of_its_region() -> None:
    found = read(
        type="callcenterrecording",
        mimeType="audio/mpeg",
        objectName="int-1781d39f76d.mp3",
        checksum="922C",
        checksumType="MD5",
        customerId="c",
        userId="u",
        bucketId="k",
        storedBytes=3_813_912,
        createdTime="2021-03-10T18:01:54",
        updatedTime=1656048155000,
        objectState="AVAILABLE",
        shared=False,
        tags=[{"key": "duration", "value": "1271000"}, {"id": "9", "key": "agentName", "value": "Khang Glynn"}],
    )
    assert found == StoredObject(
        Location("acme8", "us-east", "a"),
        "int-1781d39f76d.mp3",
        id="a",
        type="callcenterrecording",
        mime="audio/mpeg",
        size=3_813_912,
        size_exact=True,
        created=datetime(2021, 3, 10, 18, 1, 54, tzinfo=UTC),
        updated=datetime(2022, 6, 24, 5, 22, 35, tzinfo=UTC),
        state="AVAILABLE",
        checksum="922C",
        checksum_type="MD5",
        bucket_id="k",
        user_id="u",
        customer_id="c",
        duration=1271.0,
        tags=(("duration", "1271000"), ("agentName", "Khang Glynn")),
    )


@pytest.mark.parametrize("raw", [None, 7, "a", [], {}, {"id": None}, {"id": ""}, {"id": ["a"]}, {"objectName": "x"}])
def test_a_row_without_an_id_is_no_object(raw: object) -> None:
    assert wire.record(raw, HERE) is None


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (23661, 23661),
        ("23661", 23661),
        (0, 0),
        (2**60 - 1, None),
        *((bad, None) for bad in NO_SIZES),
    ],
)
def test_a_size_is_a_whole_number_or_unknown(raw: object, size: int | None) -> None:
    found = read(storedBytes=raw)
    assert (found.size, found.size_exact) == (size, size is not None)


def test_a_number_of_thousands_of_digits_is_unknown() -> None:
    huge = 10**5_000
    found = read(storedBytes=huge, objectName=huge, createdTime=huge, tags=[{"key": "duration", "value": huge}])
    assert (found.size, found.name, found.created, found.duration) == (None, "a", None, None)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2024-09-01T00:00:00", datetime(2024, 9, 1, tzinfo=UTC)),
        ("2024-09-01T00:00:00Z", datetime(2024, 9, 1, tzinfo=UTC)),
        ("2024-09-01T05:30:00+05:30", datetime(2024, 9, 1, tzinfo=UTC)),
        ("2024-09-01T00:00:00.123456789", datetime(2024, 9, 1, 0, 0, 0, 123456, UTC)),
        (1725148800000, datetime(2024, 9, 1, tzinfo=UTC)),
        ("1725148800000", datetime(2024, 9, 1, tzinfo=UTC)),
        ("20221109T230607", datetime(2022, 11, 9, 23, 6, 7, tzinfo=UTC)),
        *((bad, None) for bad in NO_TIMES),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise_or_it_is_unknown(raw: object, moment: datetime | None) -> None:
    assert read(createdTime=raw, updatedTime=raw).created == moment
    assert read(createdTime=raw, updatedTime=raw).updated == moment


@pytest.mark.parametrize(
    ("kind", "raw", "seconds"),
    [
        ("callcenterrecording", "1271000", 1271.0),
        ("callrecording", "3000", 3.0),
        ("voicemail", "4000", 4.0),
        ("callcentervoicemail", "4000", 4.0),
        ("screenrecording", "90000", 90.0),
        ("meeting", "1800000", 1800.0),
        ("transcription", "18", 18.0),
        ("transcription", "", None),
        ("callrecording", "3 s", None),
        ("unheard-of", "3000", None),
    ],
)
def test_the_unit_of_a_duration_depends_on_the_type(kind: str, raw: str, seconds: float | None) -> None:
    found = read(type=kind, tags=[{"key": "duration", "value": raw}])
    assert found.duration == seconds
    assert found.tag("duration") == raw


def test_an_object_is_of_the_region_that_was_asked() -> None:
    assert read(region="uk").region == "us-east"


def test_tags_keep_their_order_and_repetitions_and_the_first_wins() -> None:
    listed: list[Any] = [
        {"key": "callId", "value": "1"},
        {"key": "calleeName", "value": "M,DENNIS"},
        {"key": "callId", "value": "2"},
        {"key": "count", "value": 7},
        {"key": "blank", "value": None},
        {"value": "no key"},
        "no tag",
    ]
    found = read(tags=listed)
    assert found.tags == (("callId", "1"), ("calleeName", "M,DENNIS"), ("callId", "2"), ("count", "7"), ("blank", ""))
    assert found.tag("callId") == "1"
    assert read(tags={"callId": "1"}).tags == ()


def test_an_object_without_a_name_is_called_by_its_id() -> None:
    assert read(objectName="").name == "a"
    assert read(objectName=None).name == "a"


def test_a_single_object_may_come_in_a_list() -> None:
    for raw in (A, [A]):
        found = wire.single(reply(raw), HERE, PLACE)
        assert found is not None
        assert found.name == "a.mp3"
    assert wire.single(reply([]), HERE, PLACE) is None


def test_a_field_with_half_a_character_in_its_name_costs_nothing_but_itself() -> None:
    odd = b'{"id":"a","\\ud800":1,"objectName":"\\ud800x"}'
    found = wire.single(reply(odd), HERE, PLACE)
    assert found is not None
    assert (found.id, found.name) == ("a", "\ud800x")
    page = wire.object_page(reply(b'{"content":[%s],"lastPage":true,"x\\udc00":[]}' % odd), PLACE)
    assert [entry.id for row in page.rows if (entry := wire.record(row, HERE))] == ["a"]


def test_a_bucket_gives_its_objects_and_counts_what_it_cannot_read() -> None:
    found, damaged = wire.bucket_objects(reply({"id": "k", "objectList": [A, {}, B]}), HERE, PLACE)
    assert ([entry.id for entry in found], damaged) == (["a", "b"], 1)
    assert wire.bucket_objects(reply([{"id": "k"}]), HERE, PLACE) == ([], 0)
    named = [wire.bucket_row(row) for row in ({"id": "k"}, {"bucketId": "m"}, {}, 7)]
    assert [row.name if row else None for row in named] == ["k", "m", None, None]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"zipName": "a.zip", "status": "DONE"}, [("a.zip", "DONE")]),
        ([{"zipName": "a.zip", "status": "done"}, {"zipName": "b.zip"}], [("a.zip", "DONE"), ("b.zip", "UNKNOWN")]),
        ([{"zipName": "a.zip", "status": None}, {"status": "DONE"}, 7], [("a.zip", "UNKNOWN")]),
        ([{"zipName": "../x.zip?presignUrl=true", "status": "SLEEPING"}], [("../x.zip?presignUrl=true", "SLEEPING")]),
        (b"", []),
        (b" \n", []),
        ([], []),
    ],
)
def test_jobs_are_read_from_one_from_a_list_and_from_nothing(raw: object, found: list[tuple[str, str]]) -> None:
    assert [(job.name, job.status) for job in wire.jobs(reply(raw), HERE, PLACE).items] == found


@pytest.mark.parametrize(
    ("raw", "lacking"),
    [
        ([{"zipName": "a.zip"}, {"status": "DONE"}, 7, {"zipName": ""}], 3),
        ({"status": "DONE", "content": ["x"]}, 1),
        ([{"zipName": "a.zip"}], 0),
        ({}, 0),
    ],
)
def test_jobs_without_a_name_are_lacking(raw: object, lacking: int) -> None:
    failures = wire.jobs(reply(raw), HERE, PLACE).failures
    assert [getattr(failure, "number", 0) for failure in failures] == ([lacking] if lacking else [])


def test_what_a_job_holds_is_shown_as_it_comes() -> None:
    raw = {"zipName": "a.zip", "content": ["id:SUCCESS", None, 7, ""]}
    assert wire.jobs(reply(raw), HERE, PLACE).items[0].content == ("id:SUCCESS", "7")
    assert wire.jobs(reply({**raw, "content": "id:SUCCESS"}), HERE, PLACE).items[0].content == ()


def test_the_link_of_a_job_is_that_of_the_job_asked_for() -> None:
    raw = [{"zipName": "b.zip", "url": "https://b"}, {"zipName": "a.zip", "url": "https://a"}]
    assert wire.job_link(reply(raw), "a.zip", PLACE) == "https://a"
    assert wire.job_link(reply(raw), "c.zip", PLACE) == ""
    assert wire.job_link(reply({"zipName": "a.zip", "url": None}), "a.zip", PLACE) == ""


@pytest.mark.parametrize(
    "raw",
    [
        reply(b"", location="https://api.8x8.com/x"),
        reply(b"https://api.8x8.com/x\n"),
        reply("https://api.8x8.com/x"),
        reply({"url": "https://api.8x8.com/x"}),
        reply({"presignedUrl": "https://api.8x8.com/x"}),
        reply({"url": None, "presignUrl": "https://api.8x8.com/x"}),
    ],
)
def test_a_link_is_read_in_every_shape_it_comes_in(raw: Reply) -> None:
    assert wire.link(raw, PLACE) == "https://api.8x8.com/x"


def test_an_answer_without_a_link_has_none() -> None:
    assert wire.link(reply({"message": "no"}), PLACE) == ""
    assert wire.link(reply([1]), PLACE) == ""
    with pytest.raises(ReplyError):
        wire.link(reply(b"ID3\x04 this is sound"), PLACE)


def test_only_what_can_be_a_region_is_one() -> None:
    raw = ["us-east", "us-east/../../admin", "evil.com#", "uk", "us-east", 7, "", "UK", "x" * 33]
    assert wire.regions(reply(raw), PLACE) == (("us-east", "uk"), 6)
    many = [f"r{number}" for number in range(10_000)]
    assert wire.regions(reply(many), PLACE) == (tuple(many), 0)


@pytest.mark.parametrize(
    ("raw", "products"),
    [
        ({"api_product_list": "[a, storage, c]"}, ("a", "storage", "c")),
        ({"api_product_list": "[a]", "api_product_list_json": ["storage"]}, ("storage",)),
        ({"api_product_list": "[]"}, ()),
        ({"api_product_list": None}, ()),
        ({}, ()),
    ],
)
def test_products_are_read_from_the_text_and_from_the_list(raw: dict[str, Any], products: tuple[str, ...]) -> None:
    token = reply({"access_token": "t", "expires_in": "1799", **raw}).decode(wire.EightByEightTokenReply, subject=PLACE)
    assert token.products == products


@pytest.mark.parametrize(("raw", "days"), [(b"", 5), ({"expirationDays": 3}, 3), ({"expirationDays": "4"}, 4), ([], 5)])
def test_the_days_of_a_restore_are_those_that_were_granted(raw: object, days: int) -> None:
    assert wire.restored_days(reply(raw), 5, PLACE) == days

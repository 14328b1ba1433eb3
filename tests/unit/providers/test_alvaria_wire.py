"""Tolerant readings of the service's JSON."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.core.models import Folder, StoredObject
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.providers.alvaria.scopes import FOLDERS, needs_v3, usual_scope
from cloudstore_tui.providers.alvaria.wire import (
    AlvariaTokenReply,
    ObjectKeys,
    SignedReply,
    as_entry,
    read_size,
    read_time,
)


def page(text: str) -> ObjectKeys:
    return Reply(200, text.encode()).decode(ObjectKeys, subject="acme:exports/")


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ("5370.0 KB", 5_498_880),
        ("4.3 kb", 4403),
        ("12", 12_288),
        ("7 b", 7),
        ("1.5MB", 1_572_864),
        (" 2 GB ", 2 * 1024**3),
        (3, 3072),
        (0.5, 512),
        ("0", 0),
        ("", None),
        ("-1 KB", None),
        ("1,5 KB", None),
        ("1e9 KB", None),
        ("9 PB", None),
        ("KB", None),
        (None, None),
        (True, None),
        ([], None),
        (-5, None),
        (float("inf"), None),
        ("9" * 5000, None),
        ("٣ KB", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_sizes(raw: object, size: int | None) -> None:
    assert read_size(raw) == size


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2024-09-01T10:20:30Z", datetime(2024, 9, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-09-01T10:20:30.123Z", datetime(2024, 9, 1, 10, 20, 30, 123_000, tzinfo=UTC)),
        ("2024-09-01T10:20:30", datetime(2024, 9, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-09-01T15:50:30+05:30", datetime(2024, 9, 1, 10, 20, 30, tzinfo=UTC)),
        (" 2024-09-01T10:20:30Z ", datetime(2024, 9, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-02-30T10:20:30Z", None),
        ("2024-09-01T10:20:60Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("2024-09-01", None),
        ("1970-01-01T00:00:00Z", None),
        ("10000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (" ", None),
        ("null", None),
        (None, None),
        (1_656_048_155_000, None),
        ([], None),
    ],
)
def test_times(raw: object, moment: datetime | None) -> None:
    assert read_time(raw) == moment


def test_a_field_with_half_a_character_in_its_name_costs_nothing_but_itself() -> None:
    raw = page(r'{"\ud800": 1, "objectKeys": [{"key": "exports/a", "\udc00x": 2}]}')
    found, damaged = raw.entries()
    assert ([item.path for item in found], damaged) == (["exports/a"], 0)


def test_a_page_is_read_as_it_comes() -> None:
    raw = page(
        """{"kind": "objectKeys", "nextToken": "ab+%2B/=", "totalItems": "500", "unknown": {}, "objectKeys": [
        {"kind": "objectKey", "key": "exports/a.tar", "keyName": "a.tar", "size": "4.3 kb", "keyType": "File ",
         "lastModifiedTime": "2024-09-01T10:20:30Z", "signedDownloadUrl": " ", "childObjectKeys": [{}]},
        {"key": "exports/b/", "keyType": "directory", "size": "1 KB", "lastModifiedTime": ""},
        {"key": "exports/c", "keyType": "Directory", "lastModifiedDate": "2024-09-02T00:00:00Z"},
        {"key": "exports/d/"}, {"key": "exports/e"}, {}, null, {"size": "1 KB"}, "odd", {"key": 5}]}"""
    )
    assert (raw.token, raw.total) == ("ab+%2B/=", 500)
    found, damaged = raw.entries()
    assert damaged == 3
    entries = [as_entry(item, "acme") for item in found]
    assert [(type(entry), entry.location.path, entry.name) for entry in entries] == [
        (StoredObject, "exports/a.tar", "a.tar"),
        (Folder, "exports/b/", "b"),
        (Folder, "exports/c/", "c"),
        (Folder, "exports/d/", "d"),
        (StoredObject, "exports/e", "e"),
    ]
    first = entries[0]
    assert isinstance(first, StoredObject)
    assert (first.size, first.size_exact, first.type) == (4403, False, "file")
    assert entries[2].modified == datetime(2024, 9, 2, tzinfo=UTC)
    assert entries[1].modified is None


@pytest.mark.parametrize("end", ["", ', "nextToken": ""', ', "nextToken": null', ', "continuationToken": " "'])
def test_the_last_page_is_known_by_a_token_that_is_missing_blank_or_null(end: str) -> None:
    assert page(f'{{"objectKeys": []{end}}}').token == ""


def test_a_token_may_be_a_number() -> None:
    assert page('{"objectKeys": [], "nextToken": 500}').token == "500"


@pytest.mark.parametrize(
    ("raw", "total"), [("500", 500), ('"500"', 500), ("null", None), ('"many"', None), ("-1", None), ('" 7 "', 7)]
)
def test_totals(raw: str, total: int | None) -> None:
    assert page(f'{{"totalItems": {raw}}}').total == total


@pytest.mark.parametrize("raw", ["{}", '{"objectKeys": null}', '{"objectKeys": {}}', '{"objectKeys": "x"}'])
def test_a_page_without_entries_is_empty(raw: str) -> None:
    assert page(raw).entries() == ([], 0)


def test_a_page_that_is_no_object_is_an_error() -> None:
    with pytest.raises(ReplyError):
        page("[]")


@pytest.mark.parametrize(
    "raw",
    [
        '{"key": "a/x", "signedDownloadUrl": "https://u", "nativeSignedDownloadUrl": ""}',
        '{"kind": "objectKeys", "objectKeys": [{"key": "a/y"}, {"key": "a/x", "signedDownloadUrl": " https://u "}]}',
        '{"objectKeys": [{"keyName": "x", "signedDownloadUrl": "https://u"}]}',
        '{"objectKeys": null, "signedDownloadUrl": "https://u", "key": true}',
    ],
)
def test_a_signed_reply_is_read_bare_and_wrapped(raw: str) -> None:
    reply = Reply(200, raw.encode()).decode(SignedReply, subject="acme:a/x")
    proxied, native = reply.about("a/x").links("download")
    assert (proxied.reveal(), native.reveal()) == ("https://u", "")


def test_of_several_links_none_is_taken_that_may_be_for_another_key() -> None:
    raw = [{"key": f"{folder}/x", "signedDownloadUrl": "https://u/x"} for folder in ("b", "c")]
    reply = Reply(200, json.dumps({"objectKeys": raw}).encode()).decode(SignedReply, subject="acme:a/x")
    assert not any(reply.about("a/x").links("download"))


def test_nested_and_flat_entries_are_the_same() -> None:
    nested = [{"key": "a/", "childObjectKeys": [{"key": "a/b/", "childObjectKeys": [{"key": "a/b/c"}, {}]}, {}]}]
    flat = [{"key": "a/"}, {"key": "a/b", "keyType": "directory"}, {"key": "a/b/c"}]
    found = [ObjectKeys(object_keys=form).entries() for form in (nested, flat)]
    assert [[item.path for item in items] for items, _damaged in found] == [["a/", "a/b/", "a/b/c"]] * 2


def test_nested_entries_that_cannot_be_read_are_counted() -> None:
    raw = ObjectKeys(object_keys=[{"key": "a/", "childObjectKeys": [5, {"size": "1 KB"}, {"key": "a/x"}]}])
    items, damaged = raw.entries()
    assert ([item.path for item in items], damaged) == (["a/", "a/x"], 2)
    assert ObjectKeys(object_keys=[{"key": "a/", "childObjectKeys": {"key": "a/x"}}]).entries()[1] == 1


def test_entries_nested_without_end_are_read_without_recursion() -> None:
    item: dict[str, object] = {}
    for depth in range(5000, 0, -1):
        item = {"key": "x/" * depth, "childObjectKeys": [item]}
    assert len(ObjectKeys(object_keys=[item]).entries()[0]) == 5000


def test_granted_scopes_are_read_and_may_be_missing() -> None:
    assert AlvariaTokenReply("t", "a b  c").scopes == ("a", "b", "c")
    assert AlvariaTokenReply("t", "a,b").scopes == ("a", "b")
    assert AlvariaTokenReply("t", None).scopes == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "key",
        "keyName",
        "keyType",
        "size",
        "lastModifiedTime",
        "lastModifiedDate",
        "childObjectKeys",
        "signedDownloadUrl",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(FIELDS, JSON, max_size=6) | JSON, max_size=4))
def test_whatever_a_row_holds_the_others_are_read(rows: list[object]) -> None:
    raw = ObjectKeys(object_keys=[*rows, {"key": "exports/good.tar"}])
    found, _damaged = raw.entries()
    assert as_entry(found[-1], "acme").location.path == "exports/good.tar"
    for item in found:
        as_entry(item, "acme")


def test_the_scope_of_a_folder_is_the_narrowest_one() -> None:
    assert (
        usual_scope("exports/reporting/enterprise-historical/x.tar") == "mediastorageapi.exports.reporting.historical"
    )
    assert usual_scope("exports/reporting/intraday/x") == "mediastorageapi.exports.reporting"
    assert usual_scope("exports/reporting-archive/outreach/") == "mediastorageapi.exports"
    assert usual_scope("imports/motivate/kpi/errors/e") == "mediastorageapi.imports.motivate.kpi.errors"
    assert usual_scope("data-extracts/x") == ""
    assert len(FOLDERS) == 38


def test_folders_of_v3() -> None:
    assert needs_v3("imports/motivate/kpi/processed/")
    assert not needs_v3("exports/motivate/kpi/")

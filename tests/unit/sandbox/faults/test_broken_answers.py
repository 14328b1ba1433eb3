"""Answers that are broken: bodies, statuses and headers of replies, and what is stored."""

import gzip
import hashlib
import io
import json
import zipfile
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan

# Bodies


def differing(one: bytes, other: bytes) -> list[int]:
    assert len(one) == len(other)
    return [place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]


def test_a_short_body_has_a_length_that_fits_it(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("short-body after=700")
    heard = ask(link)
    assert (heard.status, heard.length, heard.body) == (200, 700, truth[:700])


def test_more_bytes_than_the_object_has(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("more-bytes bytes=10")
    heard = ask(link)
    assert (heard.length, heard.body) == (len(truth) + 10, truth + bytes(10))


def test_bytes_after_the_length_that_was_declared(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("long-body bytes=10")
    heard = ask(link)
    assert (heard.length, heard.body, heard.end) == (len(truth), truth + bytes(10), "fin")


@pytest.mark.parametrize(("fault", "after"), [("no-length", None), ("no-length-cut after=700", 700)])
def test_without_a_length_only_the_end_of_the_connection_ends_the_body(
    link: str, ask: Any, faults: FaultPlan, truth: bytes, fault: str, after: int | None
) -> None:
    faults.add(fault)
    heard = ask(link)
    names = [name for name, _ in heard.headers]
    assert "content-length" not in names
    assert "transfer-encoding" not in names
    assert (heard.status, heard.body, heard.end) == (200, truth[:after], "fin")


def test_two_lengths_that_contradict_each_other(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("two-lengths")
    heard = ask(link)
    lengths = [int(value) for name, value in heard.headers if name == "content-length"]
    assert lengths == [len(truth), len(truth) + 1]


def test_a_compressed_body_that_nobody_asked_for(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("gzip")
    heard = ask(link)
    assert heard.header("content-encoding") == "gzip"
    assert gzip.decompress(heard.pieces) == truth


def test_a_small_reply_that_grows(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("gzip-bomb bytes=50000000")
    heard = alvaria.listing()
    assert heard.header("content-encoding") == "gzip"
    assert len(heard.body) < 200_000
    data = gzip.decompress(heard.pieces)
    assert len(data) > 50_000_000
    assert (data[:16], data[-4:]) == (b'{"content": "aaa', b'aa"}')


def test_headers_beyond_all_measure(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("huge-header bytes=300000", "many-headers count=500")
    assert len(alvaria.listing().header("x-padding")) == 300_000
    assert len([name for name, _ in alvaria.listing().headers if name.startswith("x-number-")]) == 500


def test_a_header_set_and_one_left_out(alvaria: Any, link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add('header name=x-odd "value=\x1b[31m" where=api', "header name=content-type where=blob")
    assert alvaria.listing().header("x-odd") == "\x1b[31m"
    assert "content-type" not in dict(ask(link).headers)


def test_one_byte_is_changed_where_the_rule_says_whatever_part_is_asked_for(
    link: str, ask: Any, faults: FaultPlan, truth: bytes
) -> None:
    faults.add("flip after=700 times=0")
    assert differing(ask(link).body, truth) == [700]
    assert differing(ask(link, headers={"Range": "bytes=600-799"}).body, truth[600:800]) == [100]
    assert ask(link, headers={"Range": "bytes=0-599"}).body == truth[:600]
    assert faults.counts == {"flip": 2}


@pytest.mark.parametrize(
    ("fault", "mime", "begin"),
    [
        ("html", "text/html; charset=utf-8", b"<!DOCTYPE"),
        ("xml-error", "application/xml", b"<?xml"),
        ("empty", "", b""),
    ],
)
def test_something_else_with_status_200(
    link: str, alvaria: Any, ask: Any, faults: FaultPlan, fault: str, mime: str, begin: bytes
) -> None:
    faults.add(f"{fault} times=2")
    for heard in (ask(link), alvaria.listing()):
        assert heard.status == 200
        assert heard.body.startswith(begin)
        assert not mime or heard.header("content-type") == mime
        assert heard.length == len(heard.body)


def test_a_reply_that_stops_too_soon(alvaria: Any, faults: FaultPlan) -> None:
    whole = alvaria.listing().body
    faults.add("cut-json")
    heard = alvaria.listing()
    assert heard.body == whole[: len(whole) // 2]
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        json.loads(heard.body)


@pytest.mark.parametrize(
    ("form", "begin"), [("bom", b"\xef\xbb\xbf"), ("deep", b"[[[["), ("digits", b'{"content": 999'), ("nan", b"{")]
)
def test_json_that_nobody_expects(alvaria: Any, faults: FaultPlan, form: str, begin: bytes) -> None:
    faults.add(f"odd-json form={form}")
    heard = alvaria.listing()
    assert (heard.status, heard.header("content-type")) == (200, "application/json")
    assert heard.body.startswith(begin)


@pytest.mark.parametrize(("value", "expected"), [("abc", "abc"), ("-1", -1), ('"1799"', "1799"), ("1e12", 1e12)])
def test_a_token_with_a_life_of_any_kind(alvaria: Any, faults: FaultPlan, value: str, expected: object) -> None:
    faults.add({"fault": "field", "where": "token", "name": "expires_in", "value": value})
    assert alvaria.login().json["expires_in"] == expected


def test_a_field_can_be_left_out(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("field where=token value=")
    assert "expires_in" not in alvaria.login().json
    assert "expires_in" in alvaria.login().json


# Replies


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("504", 504),
        ("status status=599", 599),
        ("unauthorised", 401),
        ("forbidden", 403),
        ("not-found", 404),
        ("gone", 410),
    ],
)
def test_a_status_in_the_words_of_whom_it_comes_from(
    link: str, alvaria: Any, ask: Any, faults: FaultPlan, fault: str, status: int
) -> None:
    faults.add(f"{fault} times=2")
    blob, api = ask(link), alvaria.listing()
    assert (blob.status, blob.header("content-type")) == (status, "application/xml")
    assert blob.body.startswith(b"<?xml")
    assert (api.status, api.header("content-type")) == (status, "application/json")
    assert "fault" in api.json
    assert ask(link).status == 200


@pytest.mark.parametrize("expected", ["3", "0", "-5", "soon", "1" + "0" * 20, "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_how_long_to_wait_is_given_as_the_rule_says(alvaria: Any, faults: FaultPlan, expected: str) -> None:
    faults.add(f'too-many retry-after="{expected}"')
    heard = alvaria.listing()
    assert (heard.status, heard.header("retry-after")) == (429, expected)


def test_how_long_to_wait_can_be_left_out_or_be_a_date(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("too-many retry-after=none", "too-many retry-after=date:30 status=503")
    assert "retry-after" not in dict(alvaria.listing().headers)
    heard = alvaria.listing()
    assert heard.status == 503
    moments = [parsedate_to_datetime(heard.header(name)) for name in ("retry-after", "date")]
    assert 28 <= (moments[0] - moments[1]).total_seconds() <= 31


def test_a_link_that_has_expired(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("expired")
    heard = ask(link)
    assert heard.status == 403
    assert b"Request has expired" in heard.body


def test_a_redirect_to_elsewhere(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("redirect", "redirect to=http://10.0.0.1/x status=307")
    assert (ask(link).status, ask(link).header("location")) == (302, "http://10.0.0.1/x")


def test_a_link_of_8x8_is_a_blob_and_its_api_is_none(eight: Any, ask: Any, faults: FaultPlan) -> None:
    record = eight.objects("type==summary", 1)[0]
    link = eight.link(f"/objects/{record['id']}/content")
    faults.add("not-found where=blob", "gone where=bytes times=2")
    assert ask(link).status == 404
    assert eight.get(f"/objects/{record['id']}/content").status == 410
    assert ask(link).status == 410
    assert eight.get(f"/objects/{record['id']}").status == 200


@pytest.mark.parametrize(("fault", "code"), [("bad-digest", b"BadDigest"), ("too-large", b"EntityTooLarge")])
def test_an_upload_that_is_refused(alvaria: Any, faults: FaultPlan, fault: str, code: bytes) -> None:
    link = alvaria.link("imports/outreach/refused.csv", "signedUploadUrl")
    faults.add(fault)
    heard = alvaria.put(link, b"x" * 1000)
    assert heard.status == 400
    assert code in heard.body
    assert alvaria.put(link, b"x" * 1000).status == 200


def test_an_upload_of_which_only_half_is_stored(alvaria: Any, ask: Any, faults: FaultPlan) -> None:
    data = bytes(range(250)) * 2000
    faults.add("half-upload")
    heard = alvaria.put(alvaria.link("imports/outreach/half.bin", "signedUploadUrl"), data)
    assert heard.status == 200
    assert ask(alvaria.link("imports/outreach/half.bin")).body == data[: len(data) // 2]


# What is stored


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_one_object_of_many_is_not_what_its_checksum_says(eight: Any, ask: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 3)
    bad = records[1]
    faults.add(f"damaged path={bad['id']}")
    for record in records:
        good = record is not bad
        for _ in range(2):
            assert (md5(eight.get(f"/objects/{record['id']}/content").body) == record["checksum"]) is good
        assert (md5(ask(eight.link(f"/objects/{record['id']}/content")).body) == record["checksum"]) is good


def test_a_zip_holds_the_damaged_object_as_if_it_were_sound(eight: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 3)
    faults.add(f"damaged path={records[1]['id']}")
    with zipfile.ZipFile(
        io.BytesIO(eight.get(f"/bulk/download/{eight.zipped([r['id'] for r in records])}").body)
    ) as zf:
        found = [
            md5(zf.read(member)) == record["checksum"] for member, record in zip(zf.infolist(), records, strict=True)
        ]
    assert found == [True, False, True]


def test_a_damaged_object_of_alvaria(alvaria: Any, link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("damaged path=imports/outreach/nanp/*")
    heard = ask(link)
    assert len(heard.body) == len(truth)
    assert heard.body != truth
    part = ask(link, headers={"Range": f"bytes={len(truth) // 2}-{len(truth) // 2}"})
    assert part.body == heard.body[len(truth) // 2 :][:1] != truth[len(truth) // 2 :][:1]


def test_a_share_of_the_objects_is_damaged_the_same_ones_each_time(eight: Any, faults: FaultPlan) -> None:
    records = eight.objects("type==summary", 12)
    faults.add("damaged share=0.5 seed=3")
    seen = [[md5(eight.get(f"/objects/{r['id']}/content").body) == r["checksum"] for r in records] for _ in range(2)]
    assert seen[0] == seen[1]
    assert 0 < sum(seen[0]) < len(records)


@pytest.mark.parametrize(("after", "left"), [("0", 0), ("10", 10), ("-5", -5), ("50%", None)])
def test_a_zip_that_ends_too_soon(eight: Any, ask: Any, faults: FaultPlan, after: str, left: int | None) -> None:
    path = f"/bulk/download/{eight.zipped([record['id'] for record in eight.objects('type==summary', 3)])}"
    whole = eight.get(path).body
    faults.add(f"zip-cut after={after}")
    short = whole[: left if left is not None else len(whole) // 2]
    assert eight.get(path).body == short
    assert ask(eight.link(path.replace("/download/", "/download/status/"))).body == short


def test_a_zip_one_member_of_which_is_damaged(eight: Any, faults: FaultPlan) -> None:
    name = eight.zipped([record["id"] for record in eight.objects("type==summary", 3)])
    faults.add("zip-damaged member=1")
    with zipfile.ZipFile(io.BytesIO(eight.get(f"/bulk/download/{name}").body)) as file:
        first, second, third = file.infolist()
        assert file.read(first)
        assert file.read(third)
        with pytest.raises(zipfile.BadZipFile):
            file.read(second)


@pytest.mark.parametrize(("naming", "sign"), [("raw", ":"), ("dots", ".")])
def test_a_link_to_a_zip_names_members_as_the_switch_says(
    eight: Any, sandbox: Any, ask: Any, naming: str, sign: str
) -> None:
    name = eight.zipped([record["id"] for record in eight.objects("type==callrecording", 2)])
    sandbox.switches.set({"E-29": naming})
    with zipfile.ZipFile(io.BytesIO(ask(eight.link(f"/bulk/download/status/{name}")).body)) as file:
        assert all(member.filename.startswith(f"ipbx{sign}") for member in file.infolist())

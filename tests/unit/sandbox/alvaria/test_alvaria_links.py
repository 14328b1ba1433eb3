"""Signed links and the object store behind them; uploads and deletes."""

import http.client
import re
import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.support.waiting import PROMPTLY

FOLDER = "exports/reporting/enterprise-historical/"
UPLOADS = "imports/aps-custom/"
FORMS = ("signedDownloadUrl", "nativeSignedDownloadUrl")

forms = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def key(api: Any) -> str:
    return str(api.list(FOLDER, maxResults=1).keys[0])


def error(reply: Any) -> tuple[int, str]:
    """Status and code of an answer of the store."""
    found = re.search(r"<Error><Code>(\w+)</Code><Message>", reply.body.decode())
    assert found, reply.body
    assert reply.headers["Content-Type"] == "application/xml"
    return reply.status, found[1]


# The API's reply


def test_v3_gives_both_links_in_a_bare_reply(api: Any, key: str) -> None:
    reply = api.call("signedDownloadUrl", key=key).json
    assert (reply["key"], reply["keyName"]) == (key, key.rsplit("/", 1)[-1])
    assert {"keyHash", "size", "lastModifiedTime", *FORMS} <= set(reply)
    bucket = r"aspect-via-data-us-east-1-acme\.s3\.amazonaws\.com"
    assert re.match(rf"http://127\.0\.0\.1:\d+/s3/{bucket}/exports/", reply["signedDownloadUrl"])
    assert re.match(rf"http://127\.0\.0\.1:\d+/native/{bucket}/exports/", reply["nativeSignedDownloadUrl"])


@pytest.mark.parametrize("kind", [*FORMS, "signedUploadUrl", "nativeSignedUploadUrl"])
def test_v2_signs_by_key_type_bare_or_wrapped(api: Any, key: str, kind: str) -> None:
    asked = f"{UPLOADS}new.csv" if "Upload" in kind else key
    bare = api.list(asked, kind, version="v2").json
    assert bare["key"] == asked
    assert bare[kind].startswith("http")
    (wrapped,) = api.list(asked, kind, version="v2", switch="A-14=wrapped").json["objectKeys"]
    assert wrapped["key"] == asked
    assert api.list(asked, kind, version="v3").status == 400


@pytest.mark.parametrize(
    ("which", "expected"), [("both", (True, True)), ("asked", (False, True)), ("other", (True, False))]
)
def test_v2_may_give_one_link_only(api: Any, key: str, which: str, expected: tuple[bool, bool]) -> None:
    reply = api.list(key, "nativeSignedDownloadUrl", version="v2", switch=f"A-links={which}").json
    assert tuple(bool(reply[form].strip()) for form in FORMS) == expected


def test_links_to_what_is_not_there_are_not_given(api: Any) -> None:
    assert api.call("signedDownloadUrl", key=f"{FOLDER}no-such.tar").status == 404
    assert api.call("signedDownloadUrl", key=FOLDER).status == 404
    assert api.call("signedDownloadUrl").status == 400
    assert api.list("exports/workforce/none.csv", "signedDownloadUrl", version="v2").status == 404


def test_v2_gives_no_links_into_folders_of_v3(api: Any) -> None:
    (key, *_) = api.list("exports/workforce/", "file").keys
    assert api.list(key, "signedDownloadUrl", version="v2").status == 404
    assert api.list(key, "signedDownloadUrl", version="v2", switch="A-21=visible").status == 200


@pytest.mark.parametrize("damage", ["blank", "empty", "other host", "other key"])
def test_links_can_be_damaged_on_purpose(api: Any, key: str, damage: str) -> None:
    good, bad = api.signed(key), api.signed(key, switch=f"A-link={damage}")
    parts = urlsplit(bad)
    seen = {
        "blank": " " in bad.strip(),
        "empty": bad == " ",
        "other host": parts.hostname == "files.example.com",
        "other key": unquote(parts.path).endswith(".bak"),
    }
    assert [name for name, found in seen.items() if found] == [damage]
    assert parts.path != urlsplit(good).path or damage in ("blank", "other host")


def test_a_link_may_lead_through_another_folder_to_the_same_bytes(api: Any, key: str) -> None:
    url = api.signed(key, switch="A-link=other folder")
    assert key not in unquote(url)
    assert api.send("GET", url).body == api.send("GET", api.signed(key)).body


# Downloads


@forms
def test_both_links_give_the_same_bytes_and_a_strong_validator(api: Any, key: str, form: str) -> None:
    reply = api.send("GET", api.signed(key, form))
    again = api.send("GET", api.signed(key))
    assert (reply.status, reply.body) == (200, again.body)
    assert int(reply.headers["Content-Length"]) == len(reply.body) > 10_000
    assert re.fullmatch(r'"[0-9a-f]{32}"', reply.headers["ETag"])
    assert reply.headers["ETag"] == again.headers["ETag"]


@forms
@pytest.mark.parametrize(("asked", "start", "end"), [("100-199", 100, 200), ("1000-", 1000, None), ("-50", -50, None)])
def test_ranges_are_served(api: Any, key: str, form: str, asked: str, start: int, end: int | None) -> None:
    url = api.signed(key, form)
    whole, part = api.send("GET", url), api.send("GET", url, {"Range": f"bytes={asked}"})
    assert (part.status, part.body) == (206, whole.body[start:end])
    first = start if start >= 0 else len(whole.body) + start
    assert part.headers["Content-Range"] == f"bytes {first}-{first + len(part.body) - 1}/{len(whole.body)}"


def test_a_range_beyond_the_end_cannot_be_satisfied(api: Any, key: str) -> None:
    reply = api.send("GET", api.signed(key), {"Range": "bytes=999999999-"})
    assert error(reply) == (416, "InvalidRange")
    assert re.fullmatch(r"bytes \*/\d+", reply.headers["Content-Range"])


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=-", "lines=1-2", "bytes=0-1,5-6"])
def test_what_is_no_single_range_gets_everything(api: Any, key: str, asked: str) -> None:
    assert api.send("GET", api.signed(key), {"Range": asked}).status == 200


def test_proxied_links_may_ignore_ranges(api: Any, key: str) -> None:
    part = {"Range": "bytes=0-9", "X-Sandbox-Switch": "A-24=200"}
    reply = api.send("GET", api.signed(key), part)
    assert (reply.status, reply.headers["Accept-Ranges"], len(reply.body) > 10) == (200, None, True)
    assert api.send("GET", api.signed(key, "nativeSignedDownloadUrl"), part).status == 206


def test_conditions_are_honoured(api: Any, key: str) -> None:
    url = api.signed(key)
    tag = api.send("GET", url).headers["ETag"]
    assert error(api.send("GET", url, {"If-Match": '"other"'})) == (412, "PreconditionFailed")
    assert api.send("GET", url, {"If-Match": tag, "Range": "bytes=5-9"}).status == 206
    assert api.send("GET", url, {"If-None-Match": tag}).status == 304
    assert api.send("GET", url, {"If-Range": tag, "Range": "bytes=5-9"}).status == 206
    assert api.send("GET", url, {"If-Range": '"other"', "Range": "bytes=5-9"}).status == 200


def test_native_links_may_be_out_of_reach(api: Any, key: str) -> None:
    off = {"X-Sandbox-Switch": "A-23=no"}
    assert api.send("GET", api.signed(key, "nativeSignedDownloadUrl"), off).status == 503
    assert api.send("GET", api.signed(key), off).status == 200


@forms
@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_a_credential_sent_to_a_link_is_refused(api: Any, key: str, form: str, header: str) -> None:
    reply = api.send("GET", api.signed(key, form), {header: api.headers[header]})
    assert error(reply) == (400, "InvalidArgument")
    assert b"Only one auth mechanism" in reply.body


@forms
@pytest.mark.parametrize(
    ("switch", "expected", "wanted"),
    [("A-cloud=aws", "518399", (403, "AccessDenied")), ("A-cloud=gcp", "21599", (400, "ExpiredToken"))],
)
def test_a_link_ends_after_an_hour_whatever_it_says(
    api: Any, key: str, form: str, switch: str, expected: str, wanted: tuple[int, str]
) -> None:
    url = api.signed(key, form, switch=switch)
    query = parse_qs(urlsplit(url).query)
    assert (query.get("X-Amz-Expires") or query["X-Goog-Expires"]) == [expected]
    api.sandbox.world.clock.offset = 3590
    assert api.send("GET", url).status == 200
    api.sandbox.world.clock.offset = 3601
    assert error(api.send("GET", url)) == wanted


def test_the_life_of_a_link_can_be_two_seconds(api: Any, key: str) -> None:
    url = api.signed(key, switch="A-22=2 s")
    assert api.send("GET", url).status == 200
    api.sandbox.world.clock.offset = 2.1
    assert error(api.send("GET", url)) == (403, "AccessDenied")


@forms
def test_a_link_that_was_changed_is_refused(api: Any, key: str, form: str) -> None:
    url = api.signed(key, form)
    other = api.list(FOLDER, maxResults=2).keys[1]
    changed = {
        "path": url.replace(key, other),
        "expires": url.replace("Expires=518399", "Expires=999999"),
        "signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "later end": re.sub(r"Signature=0", "Signature=1", url),
        "more": f"{url}&x=1",
    }
    assert {name: error(api.send("GET", link)) for name, link in changed.items()} == dict.fromkeys(
        changed, (403, "SignatureDoesNotMatch")
    )
    assert error(api.send("GET", url.partition("?")[0])) == (403, "AccessDenied")
    assert error(api.send("GET", f"{url}&X-Amz-Signature=0")) == (403, "AccessDenied")


@forms
def test_other_methods_are_refused(api: Any, key: str, form: str) -> None:
    url = api.signed(key, form)
    assert api.send("HEAD", url).status == 403
    assert error(api.send("PUT", url, body=b"x")) == (403, "SignatureDoesNotMatch")
    assert error(api.send("DELETE", url)) == (405, "MethodNotAllowed")


def test_an_unknown_bucket_and_a_deleted_key_are_not_there(api: Any) -> None:
    assert error(api.send("GET", f"{api.ready.blob_url}/s3/other.s3.amazonaws.com/x")) == (404, "NoSuchBucket")
    key = f"{UPLOADS}soon-gone.csv"
    api.upload(key, b"x")
    url = api.signed(key)
    api.delete(key)
    assert error(api.send("GET", url)) == (404, "NoSuchKey")


def test_the_other_cloud_has_links_of_its_own(api: Any, key: str) -> None:
    reply = api.call("signedDownloadUrl", key=key, switch="A-cloud=gcp").json
    bucket = "storage.googleapis.com/aspect-via-data-us-east-1-acme/exports/"
    assert f"/gcs/{bucket}" in reply["signedDownloadUrl"]
    assert f"/native/{bucket}" in reply["nativeSignedDownloadUrl"]
    assert "X-Goog-SignedHeaders=host&" in reply["signedDownloadUrl"]
    assert api.send("GET", reply["nativeSignedDownloadUrl"]).body == api.send("GET", api.signed(key)).body


def test_names_of_every_kind_can_be_fetched(api: Any) -> None:
    keys = api.list("exports/aps-custom/odd names/", "file").keys
    statuses = {key: api.send("GET", api.signed(key)).status for key in keys}
    assert set(statuses.values()) == {200}
    assert len(statuses) > 15


def test_who_leaves_in_the_middle_does_not_keep_the_store_busy(api: Any) -> None:
    (key,) = [key for key in api.list("exports/cxp/callsre/", "file").keys if key.endswith("-4h.wav")]
    parts = urlsplit(api.signed(key))
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", f"{parts.path}?{parts.query}")
    reply = connection.getresponse()
    assert reply.length == 4 * 3600 * 16_000 + 44
    assert len(reply.read(100_000)) == 100_000
    connection.close()
    started = time.monotonic()
    assert api.list(FOLDER).status == 200
    assert time.monotonic() - started < PROMPTLY


# Uploads


@pytest.mark.parametrize("form", ["signedUploadUrl", "nativeSignedUploadUrl"])
@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_an_upload_is_listed_and_comes_back_to_the_byte(api: Any, form: str, cloud: str) -> None:
    key, data = f"{UPLOADS}{form} {cloud}+ü%.csv", bytes(range(256)) * 1000
    url = api.signed(key, form, switch=f"A-cloud={cloud}")
    stored = api.send("PUT", url, api.upload_headers(url) if cloud == "aws" else {}, data)
    assert (stored.status, stored.body) == (200, b"")
    (entry,) = [entry for entry in api.list(UPLOADS).json["objectKeys"] if entry["key"] == key]
    assert entry["size"] == "250.0 KB"
    fetched = api.send("GET", api.signed(key))
    assert fetched.body == data
    assert fetched.headers["ETag"] == stored.headers["ETag"]


def test_an_upload_replaces_what_was_there(api: Any) -> None:
    key = f"{UPLOADS}twice.csv"
    for data in (b"first", b"second"):
        assert api.upload(key, data).status == 200
    assert api.send("GET", api.signed(key)).body == b"second"
    assert api.list(key, "file").keys == [key]


def test_an_empty_file_can_be_stored(api: Any) -> None:
    key = f"{UPLOADS}empty.csv"
    assert api.upload(key, b"").status == 200
    assert api.send("GET", api.signed(key)).body == b""


def test_an_upload_link_has_the_key_of_its_encryption(api: Any) -> None:
    query = parse_qs(urlsplit(api.signed(f"{UPLOADS}x.csv", "signedUploadUrl")).query)
    signed = "host;x-amz-server-side-encryption;x-amz-server-side-encryption-aws-kms-key-id"
    assert query["X-Amz-SignedHeaders"] == [signed]
    assert query["x-amz-storage-class"] == ["STANDARD_IA"]
    assert len(query["kms-key"][0]) == 36


@pytest.mark.parametrize(
    "change",
    [
        {"x-amz-server-side-encryption": "'aws:kms'"},
        {"x-amz-server-side-encryption": None},
        {"x-amz-server-side-encryption-aws-kms-key-id": "00000000-0000-0000-0000-000000000000"},
        {"x-amz-server-side-encryption-aws-kms-key-id": None},
    ],
)
def test_an_upload_without_exactly_the_signed_headers_is_refused(api: Any, change: dict[str, str | None]) -> None:
    key = f"{UPLOADS}refused.csv"
    url = api.signed(key, "signedUploadUrl")
    headers = {name: value for name, value in {**api.upload_headers(url), **change}.items() if value}
    assert error(api.send("PUT", url, headers, b"x")) == (403, "SignatureDoesNotMatch")
    assert api.list(key, "file").status == 404


def test_a_store_header_that_was_not_signed_is_refused(api: Any) -> None:
    url = api.signed(f"{UPLOADS}loose.csv", "signedUploadUrl", switch="A-cloud=gcp")
    assert error(api.send("PUT", url, {"x-amz-server-side-encryption": "aws:kms"}, b"x")) == (403, "AccessDenied")


def test_an_upload_needs_its_length(api: Any) -> None:
    url = api.signed(f"{UPLOADS}chunked.csv", "signedUploadUrl")
    assert error(api.send("PUT", url, api.upload_headers(url), iter([b"x"]))) == (411, "MissingContentLength")


def test_an_upload_above_five_gigabytes_is_refused_before_its_bytes(api: Any) -> None:
    url = api.signed(f"{UPLOADS}huge.csv", "signedUploadUrl")
    headers = {**api.upload_headers(url), "Content-Length": str(5 * 1024**3 + 1)}
    assert error(api.send("PUT", url, headers, b"")) == (400, "EntityTooLarge")


def test_half_an_upload_is_no_upload(api: Any) -> None:
    key = f"{UPLOADS}half.csv"
    url = api.signed(key, "signedUploadUrl")
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    for name, value in {**api.upload_headers(url), "Content-Length": "1000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"x" * 500)
    connection.close()
    uploads = api.sandbox.world.data / "alvaria" / "uploads"
    before = len(list(uploads.iterdir()))
    assert api.upload(f"{UPLOADS}whole.csv", b"x").status == 200
    assert api.list(key, "file").status == 404
    assert len(list(uploads.iterdir())) <= before + 1


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("exports/aps-custom/new.csv", 403),
        ("imports/nonsense/new.csv", 404),
        ("imports/aps-custom/", 400),
        ("imports/workforce/new.csv", 200),
    ],
)
def test_uploads_belong_into_folders_below_imports(api: Any, key: str, status: int) -> None:
    assert api.call("signedUploadUrl", key=key).status == status


def test_uploads_elsewhere_and_of_v3_folders_follow_their_switches(api: Any) -> None:
    assert api.call("signedUploadUrl", key="exports/aps-custom/new.csv", switch="A-18=allowed").status == 200
    assert api.list("imports/workforce/new.csv", "signedUploadUrl", version="v2").status == 404
    assert api.list("imports/workforce/n.csv", "signedUploadUrl", version="v2", switch="A-21=visible").status == 200


# Deletes


def test_deleting_answers_as_each_version_does(api: Any) -> None:
    for name in ("one", "two"):
        api.upload(f"{UPLOADS}{name}.csv", b"x")
    old = api.delete(f"{UPLOADS}one.csv", version="v2")
    assert (old.status, old.body) == (204, b"")
    new = api.delete(f"{UPLOADS}two.csv")
    assert new.status == 200
    assert set(new.json) == {"key", "keyHash", "status"}
    assert new.json["status"] == "Delete request succeeded"
    assert api.list(f"{UPLOADS}one.csv", "file").status == 404


@pytest.mark.parametrize(("version", "done"), [("v2", 204), ("v3", 200)])
def test_deleting_what_is_not_there(api: Any, version: str, done: int) -> None:
    key = f"{UPLOADS}never-was.csv"
    assert api.delete(key, version=version).status == 404
    assert api.delete(key, version=version, switch="A-17=success").status == done


def test_deleting_a_folder_is_refused_or_deletes_all_in_it(api: Any) -> None:
    folder = "imports/outreach/nanp/"
    key = f"{folder}to-delete.csv"
    api.upload(key, b"x")
    assert api.delete(folder).status == 400
    assert key in api.list(folder).keys
    assert api.delete(folder, switch="A-16=recursive").status == 200
    assert api.list(folder).json["objectKeys"] == []
    assert api.delete("imports/nonsense/", switch="A-16=recursive").status == 404

"""Headers as they come: strict where it matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.net.reply import BlobReply, ContentRange, HeaderBlock


def block(*lines: bytes) -> BlobReply:
    found = HeaderBlock()
    for line in lines:
        assert not found.add(line + b"\r\n")
    assert found.add(b"\r\n")
    return found.reply()


def test_a_block_of_headers_becomes_a_reply() -> None:
    reply = block(b"HTTP/1.1 206 Partial Content", b"Content-Length: 5", b'ETAG:  "abc" ', b"X-Odd")
    assert (reply.status, reply.length, reply.etag) == (206, 5, '"abc"')


def test_only_the_last_block_counts() -> None:
    found = HeaderBlock()
    for line in (b"HTTP/1.1 100 Continue", b"X-Old: 1", b"", b"HTTP/1.1 200 OK", b"X-New: 1", b""):
        found.add(line + b"\r\n")
    assert (found.status, dict(found.reply().headers)) == (200, {"x-new": "1"})


def test_what_comes_twice_is_joined() -> None:
    reply = block(b"HTTP/1.1 200 OK", b"X-Goog-Hash: crc32c=A", b"ETag: x", b"x-goog-hash: md5=B")
    assert dict(reply.headers) == {"x-goog-hash": "crc32c=A, md5=B", "etag": "x"}


def test_two_lengths_are_refused() -> None:
    with pytest.raises(ReplyError):
        block(b"HTTP/1.1 200 OK", b"Content-Length: 5", b"Content-Length: 6")
    assert block(b"HTTP/1.1 200 OK", b"Content-Length: 5", b"Content-Length: 5").length == 5


def test_too_many_and_too_long_headers_are_refused() -> None:
    with pytest.raises(ReplyError):
        block(b"HTTP/1.1 200 OK", *[b"X-%d: 1" % number for number in range(500)])
    with pytest.raises(ReplyError):
        block(b"HTTP/1.1 200 OK", b"X: " + b"x" * 100_000)


@pytest.mark.parametrize("length", ["-1", "1.5", "", "x", "9" * 30, "٣", "5, 6", "0x5"])
def test_a_damaged_length_is_none(length: str) -> None:
    assert BlobReply(200, {"content-length": length}).length is None


@pytest.mark.parametrize("etag", ["", 'W/"x"', "x", '"x', '"a" "b"', '"\x1b"'])
def test_a_weak_or_damaged_validator_is_none(etag: str) -> None:
    assert BlobReply(200, {"etag": etag}).etag == ""


def test_spans() -> None:
    assert BlobReply(206, {"content-range": "bytes 5-9/10"}).span == ContentRange(5, 9, 10)
    assert BlobReply(416, {"content-range": "bytes */10"}).span == ContentRange(None, None, 10)
    assert BlobReply(206, {"content-range": "bytes 5-9/*"}).span == ContentRange(5, 9, None)
    for damaged in (
        "",
        "bytes",
        "bytes 5-/10",
        "bytes=5-9/10",
        "items 5-9/10",
        "bytes 5-9/10 x",
        f"bytes 0-1/{'9' * 40}",
    ):
        assert BlobReply(206, {"content-range": damaged}).span is None


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("3", "", 3),
        ("0", "", 1),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 30),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2025 07:28:00 GMT", 1),
        ("-5", "", None),
        ("soon", "", None),
        ("1e20", "", None),
        ("9" * 20, "", 10.0**9),
        ("", "", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "", 1),
    ],
)
def test_the_wait_that_a_host_asks_for(retry_after: str, date: str, seconds: float | None) -> None:
    assert BlobReply(429, {"retry-after": retry_after, "date": date}).retry_after == seconds


@given(st.text(max_size=60), st.text(max_size=60), st.binary(max_size=200))
def test_nothing_in_a_header_or_body_breaks_the_reading(value: str, date: str, body: bytes) -> None:
    names = ("content-length", "etag", "content-range", "retry-after")
    reply = BlobReply(200, dict.fromkeys(names, value) | {"date": date}, body)
    assert reply.store_code.isascii()
    _ = reply.length, reply.etag, reply.span, reply.retry_after

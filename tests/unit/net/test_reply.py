"""JSON and what is not JSON."""

import tracemalloc
import zlib
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudstore_tui.core.errors import ReplyError, StorageError
from cloudstore_tui.net.failures import api_error
from cloudstore_tui.net.reply import BlobReply, Inflater, Reply, compression

PLACE = "acme:exports/"


class Thing(msgspec.Struct):
    name: str = ""
    size: object = None


def decoded(body: bytes) -> Thing:
    return Reply(200, body).decode(Thing, subject=PLACE)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "nothing"),
        (b"   \n", "nothing"),
        (b"<!DOCTYPE html><html><head><title>Sign &amp; in</title>", "HTML page titled 'Sign & in'"),
        (b"\xef\xbb\xbf  <HTML><body>hello", "HTML page"),
        (b'<?xml version="1.0"?><Error><Code>X</Code><Message>Access Denied</Message></Error>', "XML.*Access Denied"),
        (b'{"name": "cut off', "damaged JSON"),
        (b"OK", "damaged JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"name":' * 100_000, "nested too deeply"),
        (b'{"size": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'["a list"]', "another shape"),
        (b'{"name": 5}', "another shape"),
        (b'{"size": ' + b"9" * 5000 + b"x}", "damaged JSON"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_what_is_no_reply_of_the_api_is_one_clear_sentence(body: bytes, words: str) -> None:
    with pytest.raises(ReplyError, match=words) as refused:
        decoded(body)
    assert refused.value.subject == PLACE
    assert refused.value.code == 4
    assert len(str(refused.value)) < 600
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("body", "thing"),
    [
        (b'\xef\xbb\xbf{"name": "bom"}', Thing("bom")),
        (b'{"name": "new", "unknown": {"deep": [1]}}', Thing("new")),
        (b'{"name": "nan", "size": NaN}', Thing("nan", None)),
        (b'{"name": "many digits", "size": ' + b"9" * 5000 + b"}", Thing("many digits", None)),
        (b'{"name": "inf", "size": -Infinity}', Thing("inf", None)),
        (b'{"name": "a\xff\xfeb"}', Thing("a��b")),
        (b'{"name": "half \\ud800 pair"}', Thing("half \ud800 pair")),
        (b'{"name": "first", "name": "second"}', Thing("second")),
    ],
    ids=lambda value: str(value)[:30],
)
def test_json_that_is_only_slightly_wrong_is_read(body: bytes, thing: Thing) -> None:
    assert decoded(body) == thing


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"{", b'{"name":', b"[", b"<", b'{"error":', b"\xef\xbb\xbf"]))
def test_no_body_escapes_as_anything_but_our_errors(body: bytes, start: bytes) -> None:
    for status in (200, 302, 400, 401, 403, 404, 429, 500, 999):
        assert isinstance(api_error(Reply(status, start + body), PLACE), StorageError)
    with suppress(ReplyError):
        decoded(start + body)


def bomb(size: int) -> bytes:
    """A zip stream of so many zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def test_what_unpacks_to_a_lot_takes_little_memory_even_in_one_piece() -> None:
    packed = bomb(256 * 1024 * 1024)
    assert len(packed) < 1024 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(ReplyError, match="larger than 32 MiB"):
            Inflater("gzip", PLACE).add(packed)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_exactly_32_mib_are_read() -> None:
    inflater = Inflater("", PLACE)
    inflater.add(bytes(32 * 1024 * 1024))
    assert len(inflater.end()) == 32 * 1024 * 1024
    with pytest.raises(ReplyError):
        inflater.add(b"x")


@pytest.mark.parametrize(
    ("coding", "compressed"),
    [
        ("", ""), ("identity", ""), ("none", ""), ("utf-8", ""), ("aws-chunked", ""), ("binary", ""), (" , ", ""),
        ("gzip", "gzip"), ("GZIP", "gzip"), ("aws-chunked,gzip", "gzip"), ("gzip, identity", "gzip"),
        ("br", "br"), ("deflate, gzip", "deflate, gzip"), ("zstd", "zstd"),
    ],
)  # fmt: skip
def test_a_coding_that_compresses_nothing_is_none(coding: str, compressed: str) -> None:
    assert compression(coding) == compressed
    assert BlobReply(200, {"content-encoding": coding}).compression == compressed

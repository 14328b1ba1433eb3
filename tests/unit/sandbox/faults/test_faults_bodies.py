"""Faults of lengths, headers and bodies, as a client sees them."""

import gzip
import json
from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan


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


def test_bytes_after_the_length_that_was_told(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
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
    told = [int(value) for name, value in heard.headers if name == "content-length"]
    assert told == [len(truth), len(truth) + 1]


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


@pytest.mark.parametrize(("value", "told"), [("abc", "abc"), ("-1", -1), ('"1799"', "1799"), ("1e12", 1e12)])
def test_a_token_with_a_life_of_any_kind(alvaria: Any, faults: FaultPlan, value: str, told: object) -> None:
    faults.add({"fault": "field", "where": "token", "name": "expires_in", "value": value})
    assert alvaria.login().json["expires_in"] == told


def test_a_field_can_be_left_out(alvaria: Any, faults: FaultPlan) -> None:
    faults.add("field where=token value=")
    assert "expires_in" not in alvaria.login().json
    assert "expires_in" in alvaria.login().json

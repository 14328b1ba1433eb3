"""Faults of ranges and validators, as a client sees them."""

from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan

RANGE = {"Range": "bytes=100-199"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("wrong-start", "bytes 101-199/{size}"),
        ("wrong-start by=-100", "bytes 0-199/{size}"),
        ("wrong-total", "bytes 100-199/{more}"),
        ("wrong-total by=*", "bytes 100-199/*"),
        ("no-content-range", ""),
    ],
)
def test_a_part_that_says_something_wrong_of_itself(
    link: str, ask: Any, faults: FaultPlan, truth: bytes, fault: str, told: str
) -> None:
    faults.add(fault)
    assert ask(link).body == truth
    heard = ask(link, headers=RANGE)
    assert (heard.status, heard.body) == (206, truth[100:200])
    assert heard.header("content-range") == told.format(size=len(truth), more=len(truth) + 1)
    assert [(count.matched, count.struck) for _rule, count in faults.rules] == [(1, 1)]


def test_everything_although_a_part_was_asked_for(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("whole")
    heard = ask(link, headers=RANGE)
    assert (heard.status, heard.body) == (200, truth)
    assert ask(link, headers=RANGE).status == 206


def test_a_part_in_an_envelope(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("multipart")
    heard = ask(link, headers=RANGE)
    assert heard.status == 206
    assert heard.header("content-type").startswith("multipart/byteranges; boundary=")
    assert "content-range" not in dict(heard.headers)
    assert truth[100:200] in heard.body
    assert heard.length == len(heard.body) > 100


def test_a_tag_that_has_changed_meets_even_those_who_ask_for_the_old_one(
    link: str, ask: Any, faults: FaultPlan
) -> None:
    tag = ask(link).header("etag")
    faults.add("etag-changed skip=1")
    assert ask(link, headers={**RANGE, "If-Match": tag}).header("etag") == tag
    heard = ask(link, headers={**RANGE, "If-Match": tag})
    assert heard.status == 206
    assert heard.header("etag") not in ("", tag)


def test_tags_that_name_no_bytes(link: str, ask: Any, faults: FaultPlan) -> None:
    tag = ask(link).header("etag")
    faults.add("weak-etag", "no-etag")
    assert ask(link).header("etag") == f"W/{tag}"
    assert "etag" not in dict(ask(link).headers)


@pytest.mark.parametrize(("fault", "total"), [("unsatisfiable", None), ("unsatisfiable total=5", "5")])
def test_a_range_that_cannot_be_served(
    link: str, ask: Any, faults: FaultPlan, truth: bytes, fault: str, total: str | None
) -> None:
    faults.add(fault)
    heard = ask(link, headers=RANGE)
    assert heard.status == 416
    assert heard.header("content-range") == f"bytes */{total or len(truth)}"


def test_conditions_that_are_refused(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    tag = ask(link).header("etag")
    faults.add("headers-not-signed", "precondition")
    assert ask(link).body == truth
    unsigned = ask(link, headers={"If-Match": tag})
    assert unsigned.status == 403
    assert b"<Code>AccessDenied</Code>" in unsigned.body
    assert b"<HeadersNotSigned>if-match</HeadersNotSigned>" in unsigned.body
    assert ask(link, headers={"If-Match": tag}).status == 412
    assert ask(link, headers={"If-Match": tag}).status == 200

"""Transport that is broken: connections and ranges."""

import threading
import time
from typing import Any

import pytest

from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from tests.support.waiting import PATIENCE, PROMPTLY

# Connections


def test_a_refused_request_gets_no_answer(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("refuse")
    heard = ask(link)
    assert (heard.data, heard.end) == (b"", "fin")
    assert ask(link).body == truth


def test_a_reset_before_the_headers(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("reset")
    heard = ask(link)
    assert (heard.data, heard.end) == (b"", "reset")


@pytest.mark.parametrize("after", [0, 1, 1000, -1])
def test_a_reset_comes_exactly_where_the_rule_says(
    link: str, ask: Any, faults: FaultPlan, truth: bytes, after: int
) -> None:
    faults.add({"fault": "reset-after", "after": after})
    heard = ask(link)
    assert heard.status == 200
    assert heard.length == len(truth)
    assert heard.body == truth[: after if after >= 0 else len(truth) + after]
    assert heard.end == "reset"


def test_a_reset_waits_until_the_client_has_what_was_sent(alvaria: Any, ask: Any, faults: FaultPlan) -> None:
    big = bytes(range(256)) * 4 * 6000
    link = alvaria.link("imports/outreach/big.bin", "signedUploadUrl")
    assert alvaria.put(link, big).status == 200
    faults.add("reset-after after=5000000")
    heard = ask(alvaria.link("imports/outreach/big.bin"), wait_to_read=lambda: time.sleep(0.3))
    assert (heard.body == big[:5_000_000], heard.end) == (True, "reset")


def test_a_close_in_the_middle_of_the_body(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("close-after after=700")
    heard = ask(link)
    assert (heard.body, heard.length, heard.end) == (truth[:700], len(truth), "fin")


def test_chunks_that_stop_before_the_last_one(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("chunk-cut after=700")
    heard = ask(link)
    assert heard.header("transfer-encoding") == "chunked"
    assert truth[:700] in heard.body
    assert b"\r\n0\r\n\r\n" not in heard.body
    assert heard.end == "fin"


def test_a_stall_before_the_headers_ends_after_its_time(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("stall seconds=0.3")
    begun = time.monotonic()
    assert ask(link).body == truth
    assert time.monotonic() - begun >= 0.3


def test_a_stall_can_last_for_ever(link: str, ask: Any, faults: FaultPlan) -> None:
    faults.add("stall")
    heard = ask(link, patience=0.5)
    assert (heard.data, heard.end) == (b"", "silence")


def test_a_stall_in_the_middle_of_the_body(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add("stall-after after=700", "stall-after after=700 seconds=0.3")
    heard = ask(link, patience=0.5)
    assert (heard.body, heard.end) == (truth[:700], "silence")
    begun = time.monotonic()
    assert ask(link).body == truth
    assert time.monotonic() - begun >= 0.3


def test_a_stall_does_not_keep_the_sandbox_from_ending(ask: Any) -> None:
    sandbox = Sandbox(SandboxOptions(faults=("stall",)))
    ready = sandbox.start()
    waiting = threading.Thread(target=ask, args=(f"{ready.base_url}/storage/us-east/v3/objects",))
    waiting.start()
    deadline = time.monotonic() + PATIENCE
    while not sandbox.faults.counts and time.monotonic() < deadline:
        time.sleep(0.01)
    begun = time.monotonic()
    sandbox.stop()
    waiting.join(PATIENCE)
    assert sandbox.faults.counts == {"stall": 1}
    assert time.monotonic() - begun < PROMPTLY


def test_a_rate_holds_for_all_requests_and_keeps_the_bytes(
    link: str, ask: Any, faults: FaultPlan, truth: bytes
) -> None:
    faults.add({"fault": "slow", "rate": len(truth) * 2})
    begun = time.monotonic()
    assert [ask(link).body, ask(link).body] == [truth, truth]
    assert 0.9 <= time.monotonic() - begun < PROMPTLY


def test_a_rate_goes_together_with_another_fault(link: str, ask: Any, faults: FaultPlan, truth: bytes) -> None:
    faults.add({"fault": "slow", "rate": len(truth)}, "reset-after after=50%")
    begun = time.monotonic()
    heard = ask(link)
    assert heard.end == "reset"
    assert heard.body == truth[: len(truth) // 2]
    assert time.monotonic() - begun >= 0.4
    assert faults.counts == {"slow": 1, "reset-after": 1}


def test_a_lost_reply_is_to_a_request_that_was_carried_out(alvaria: Any, ask: Any, faults: FaultPlan) -> None:
    link = alvaria.link("imports/outreach/lost.csv", "signedUploadUrl")
    faults.add("lost-reply where=blob method=PUT")
    heard = alvaria.put(link, b"a,b\n")
    assert (heard.data, heard.end) == (b"", "reset")
    assert ask(alvaria.link("imports/outreach/lost.csv")).body == b"a,b\n"


def test_a_reset_request_is_not_carried_out(alvaria: Any, faults: FaultPlan) -> None:
    link = alvaria.link("imports/outreach/never.csv", "signedUploadUrl")
    faults.add("reset method=PUT")
    assert alvaria.put(link, b"a,b\n").end == "reset"
    url = alvaria.url("signedDownloadUrl", key="imports/outreach/never.csv")
    assert alvaria.ask(url, headers=alvaria.headers).status == 404


def test_a_fault_that_comes_too_late_for_a_short_body_is_given_back(
    link: str, ask: Any, faults: FaultPlan, truth: bytes
) -> None:
    faults.add({"fault": "reset-after", "after": len(truth)})
    assert ask(link).body == truth
    assert faults.counts["reset-after"] == 0
    assert [count.struck for _rule, count in faults.rules] == [0]


# Ranges


RANGE = {"Range": "bytes=100-199"}


@pytest.mark.parametrize(
    ("fault", "content_range"),
    [
        ("wrong-start", "bytes 101-199/{size}"),
        ("wrong-start by=-100", "bytes 0-199/{size}"),
        ("wrong-total", "bytes 100-199/{more}"),
        ("wrong-total by=*", "bytes 100-199/*"),
        ("no-content-range", ""),
    ],
)
def test_a_part_that_says_something_wrong_of_itself(
    link: str, ask: Any, faults: FaultPlan, truth: bytes, fault: str, content_range: str
) -> None:
    faults.add(fault)
    assert ask(link).body == truth
    heard = ask(link, headers=RANGE)
    assert (heard.status, heard.body) == (206, truth[100:200])
    assert heard.header("content-range") == content_range.format(size=len(truth), more=len(truth) + 1)
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

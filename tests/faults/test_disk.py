"""The disk refuses at every call there is; what is promised stays true, and the next run makes it right."""

import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest

MAX_CALLS = 80
QUICK = [("ENOSPC", False)]
FULL = [(error, lasting) for error in ("ENOSPC", "EDQUOT", "EIO", "EROFS") for lasting in (False, True)]
SIZES = [
    pytest.param(QUICK, id="quick"),
    pytest.param(FULL, id="full", marks=[pytest.mark.long, pytest.mark.timeout(600)]),
]
LOCAL_DISK = 5


@pytest.mark.parametrize("errors", SIZES)
def test_a_disk_that_refuses_at_any_call_costs_no_byte_that_was_promised(
    errors: list[tuple[str, bool]], open_store: Callable[..., Any], open_place: Callable[..., Any]
) -> None:
    # One whose wrong bytes nobody would see, and one whose checksum is known.
    objects = dict.fromkeys(("plain.wav", "call.wav")[: len(errors)], 250_000)
    store = open_store(objects, rate=4_000_000)
    tried = harmless = 0
    for name in objects:
        first = open_place(store)
        (probe,) = first.start([name], runs=[run_of(first, 0, "EIO", lasting=False)], checkpoint=100_000).end().lines
        calls = probe["calls"]
        assert len(calls) <= MAX_CALLS
        for error, lasting in errors:
            places = [open_place(store) for _ in calls]
            runs = [run_of(subject, call, error, lasting=lasting) for call, subject in enumerate(places, 1)]
            ended = first.start([name], runs=runs, checkpoint=100_000, patience=3).end()
            assert (ended.code, ended.stderr) == (0, "")
            for call, (subject, line) in enumerate(zip(places, ended.lines, strict=True), 1):
                what = f"{error} at call {call}, {line['calls'][call - 1 : call]}, of {line['calls']}: {line}"
                assert line["code"] == (0 if line["state"] == "done" else LOCAL_DISK), what
                subject.check()
                tried += 1
                harmless += line["state"] == "done"
            again = [run_of(subject, 0, "EIO", lasting=False) for subject in places]
            assert first.start([name], runs=again).end().wrong == []
            for subject in places:
                subject.check_end([name])
    sys.stdout.write(f"{tried} failures of the disk, {harmless} without consequence\n")
    assert harmless < tried / 2


def run_of(subject: Any, call: int, error: str, *, lasting: bool) -> dict[str, Any]:
    return {
        "state": str(subject.state),
        "folder": str(subject.folder),
        "record": str(subject.record),
        "fail": [call, error, lasting],
    }


def test_writes_that_take_only_a_part_are_gone_on_with(
    open_store: Callable[..., Any], open_place: Callable[..., Any], recordings: Any
) -> None:
    objects = recordings(3, 300_000, 500_000)
    subject = open_place(open_store(objects), fail=[0, "short", False], record="")
    subject.orders["record"] = str(subject.record)
    ended = subject.start(list(objects), checkpoint=100_000).end()
    assert ended.wrong == []
    subject.check_end(list(objects))


def test_a_limit_on_the_size_of_files_is_a_failure_of_the_disk(
    open_store: Callable[..., Any], open_place: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = {"call-000.wav": 3_000_000, "plain-001.wav": 100_000}
    subject = open_place(open_store(objects))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        child = subject.start(list(objects), checkpoint=300_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    ended = child.end()
    assert ended.outcomes == {"call-000.wav": ("failed", LOCAL_DISK), "plain-001.wav": ("done", 0)}
    assert "too large for this disk" in ended.lines[0]["error"]
    subject.check()
    subject.finish(list(objects))

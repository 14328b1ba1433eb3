"""`call show` and `call get`, against the sandbox."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore, Done

SHOWN = ("agent:Khang Glynn", "on:1 Sep 2024", "dur:>10m", "type:callcenterrecording")


@pytest.fixture
def run(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore …` without a terminal."""
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path)


def titles(done: Done) -> list[str]:
    """The first column of a tree."""
    return [line[:26].rstrip() for line in done.out.splitlines()]


@pytest.fixture
def shown(run: Cloudstore) -> dict[str, Any]:
    """The recording of the call that has everything."""
    (record,) = run("find", "acme8:us-east", *SHOWN, "--json").records
    return record


def test_a_call_is_a_tree(run: Cloudstore, shown: dict[str, Any]) -> None:
    call = shown["tags"]["callId"]
    done = run("call", "show", "acme8:us-east", call)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"Call {call}"
    assert titles(done)[1:] == [
        "├─ Recording",
        "├─ Transcript",
        "├─ Transcript, one channel",
        "├─ Summary",
        "├─ Sentiment",
        "├─ Survey",
        "├─ Voice comment 1",
        "│  └─ Transcript",
        "├─ Notes",
        "└─ Screen recording",
    ]
    line = done.out.splitlines()[1]
    assert line.split() == ["├─", "Recording", "21:11", "3.8", "MB", "available", shown_path(shown), shown["name"]]


def shown_path(record: dict[str, Any]) -> str:
    return f"{record['profile']}:{record['region']}/{record['id']}"


def test_both_legs_come_with_json_and_tell_where_they_belong(run: Cloudstore) -> None:
    legs = run("find", "acme8:us-east", "type:callcenterrecording", "on:2024-08-26", "--json").records
    transaction = {record["tags"]["transactionId"] for record in legs}
    assert (len(legs), len(transaction)) == (2, 1)
    done = run("call", "show", "acme8", transaction.pop(), "--json")
    ties = [(record["tie"], record["part"], record["call"]) for record in done.records]
    assert [tie for tie, _, _ in ties] == ["the call"] * 3 + ["other leg"] * 4
    assert {call for _, _, call in ties} == {record["tags"]["callId"] for record in legs}
    assert ties[6][1] == "notes"


def test_an_object_tells_what_belongs_to_it(run: Cloudstore, shown: dict[str, Any]) -> None:
    done = run("call", "show", shown_path(shown))
    assert [title for title in titles(done) if title.endswith("Screen recording")] == ["└─ Screen recording"]
    records = run("call", "show", shown_path(shown), "--json").records
    assert len(records) == 10
    assert [record["id"] for record in records].count(shown["id"]) == 1


def test_files_without_calls_are_not_fetched_as_calls(run: Cloudstore) -> None:
    listed = run("ls", "acme:exports/reporting/", "-R", "--json").records
    key = next(record["key"] for record in listed if record["type"] != "folder")
    done = run("call", "get", f"acme:{key}")
    assert done.code == 2
    assert "has no calls" in done.err


def test_where_nothing_is_found_it_says_what_was_looked_for(run: Cloudstore) -> None:
    done = run("call", "show", "acme8", "no-such-call")
    assert (done.code, done.out) == (8, "")
    assert "no-such-call: not found in all regions" in done.err
    assert "originalCallId, transactionId" in done.err
    old = run("find", "acme8:us-east", "type:waveform", "--limit", "1", "--json").records[0]
    lonely = run("call", "show", shown_path(old))
    assert lonely.code == 0
    assert "no object shares a call, bucket or source with it. --all-regions searches" in lonely.err
    assert "all regions: no object" in run("call", "show", shown_path(old), "--all-regions").err


def test_a_whole_call_is_fetched_into_one_folder(run: Cloudstore, shown: dict[str, Any], tmp_path: Path) -> None:
    done = run("call", "get", shown_path(shown), "--to", "calls", "--json")
    assert (done.code, len(done.records)) == (0, 10), done.err
    (folder,) = (tmp_path / "calls").iterdir()
    assert folder.name == "2024-09-01 08-55 Khang Glynn"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("notes.txt", "recording.mp3", "screen.mp4", "sentiment.json", "summary.json", "survey.json"),
        *("transcript one channel.json", "transcript.json", "voice comment 1 transcript.json", "voice comment 1.wav"),
    ]
    assert {record["level"] for record in done.records} <= {"md5", "md5-1", "md5-N"}
    again = run("call", "get", shown_path(shown), "--to", "calls", "--json")
    assert (again.code, len(list(folder.iterdir()))) == (0, 10)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("call", "show", "acme8:us-east/x", "an-id"), 2, "Write PROFILE:REGION ID."),
        (("call", "show", "acme8:us-east"), 2, "Name an object, or add the id of a call."),
        (("call", "show", "acme", "x"), 2, "has no calls"),
        (("call", "show", "acme:exports/reporting/outreach/outreach-20240901.tar"), 2, "has no calls"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Cloudstore, words: tuple[str, ...], code: int, told: str) -> None:
    done = run(*words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err

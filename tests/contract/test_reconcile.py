"""A list of calls compared with the sandbox and with a folder."""

import csv
from pathlib import Path

import pytest

from tests.support.commands import Cloudstore

SEARCH = ("acme8:us-east", "type:callcenterrecording", "--since", "2024-09-01T09:00Z", "--until", "2024-09-01T10:00Z")


@pytest.fixture
def calls(cloudstore: Cloudstore, tmp_path: Path) -> list[str]:
    """The calls of an hour, all of them pulled; and the list of them."""
    done = cloudstore("pull", *SEARCH, "--to", "archive")
    assert done.code == 0, done.err
    found = cloudstore("find", *SEARCH, "--json").records
    write(tmp_path, [(record["tags"]["callId"], record["created"]) for record in found])
    return [record["tags"]["callId"] for record in found]


def write(folder: Path, rows: list[tuple[str, str]]) -> None:
    with (folder / "calls.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("Call ID", "Start"), *rows])


def test_an_hour_of_which_everything_is_there(calls: list[str], cloudstore: Cloudstore) -> None:
    done = cloudstore("reconcile", "archive", "--calls", "calls.csv", "--at", "acme8:us-east", "--json")
    assert (done.code, done.report["calls"], done.report["open"]) == (0, len(set(calls)), 0), done.out
    assert cloudstore("reconcile", "archive", "--calls", "calls.csv").code == 0


def test_gaps_are_reported_one_by_one_and_in_the_exit_code(
    calls: list[str], cloudstore: Cloudstore, tmp_path: Path
) -> None:
    with (tmp_path / "calls.csv").open() as file:
        rows = [(row[0], row[1]) for row in csv.reader(file)][1:]
    unexpected = rows.pop(len(rows) // 2)[0]
    write(tmp_path, [*rows, ("never-recorded", rows[0][1])])
    next((tmp_path / "archive").glob("*.mp3")).unlink()
    done = cloudstore("reconcile", "archive", "--calls", "calls.csv", "--at", "acme8:us-east", "--json")
    assert done.code == 1
    numbers = {name: done.report[name] for name in ("missing", "not_here", "unexpected", "changed", "archived")}
    gone_is_the_unexpected_one = done.report["not_here"] == 0
    assert numbers["missing"] == numbers["unexpected"] == 1, unexpected
    assert numbers["not_here"] == (0 if gone_is_the_unexpected_one else 1)
    assert [record["call"] for record in done.records if record["event"] == "missing"] == ["never-recorded"]
    shown = cloudstore("reconcile", "archive", "--calls", "calls.csv", "--at", "acme8:us-east")
    assert (shown.code, "missing at the service    never-recorded" in shown.out) == (1, True), shown.out
    lacking = cloudstore(
        *("reconcile", "archive", "--calls", "calls.csv", "--at", "acme8:us-east", "--json"),
        *("--expect", "callcenterrecording,transcription"),
    )
    assert 0 < lacking.report["lacking"] < len(calls)


def test_a_line_without_the_id_of_its_call_is_reported(
    calls: list[str], cloudstore: Cloudstore, tmp_path: Path
) -> None:
    with (tmp_path / "calls.csv").open("a") as file:
        file.write(",2024-09-01T09:30:00Z\n")
    done = cloudstore("reconcile", "archive", "--calls", "calls.csv")
    assert (done.code, "calls.csv: 1 line without the id of a call." in done.err) == (1, True), done.err
    assert f"{len(set(calls))} calls: nothing open is known." in done.out
    (tmp_path / "none.csv").write_text("callId,start\n")
    assert "0 calls: the list names no calls." in cloudstore("reconcile", "archive", "--calls", "none.csv").out
    with (tmp_path / "calls.csv").open("a") as file:
        file.write(f"{calls[0]}-other\n")
    done = cloudstore("reconcile", "archive", "--calls", "calls.csv")
    assert (done.code, f"missing at the service    {calls[0]}-other" in done.out) == (1, True), done.out

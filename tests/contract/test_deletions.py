"""`rm` and the log of what it did, through everything that can go wrong in between."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cloudstore_tui.deletions import BATCH, UNKNOWN
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.sandbox import own_sandbox
from tests.support.waiting import PATIENCE

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
MISSING = "acme8:us-east/00000000-0000-4000-8000-000000000000"


sandbox_server = own_sandbox()


@pytest.fixture
def environment(ready: Ready) -> dict[str, str]:
    return own_environment(CLOUDSTORE_CONFIG=str(ready.config))


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    return Cloudstore(capfd, environment, tmp_path)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def some(run: Cloudstore, number: int) -> list[str]:
    found = records(run("find", "acme8:us-east", "--limit", str(number), "--json").out)
    return [f"acme8:us-east/{one['id']}" for one in found]


def test_what_was_deleted_is_looked_at_and_in_the_log_with_size_and_checksum(run: Cloudstore) -> None:
    paths = some(run, 3)
    done = run("rm", *paths, MISSING, "--yes")
    assert done.code == 0, done.err
    # What never existed is told apart, and is not said to have been deleted.
    assert done.out.splitlines() == [f"already gone  {MISSING}", *(f"deleted  {path}" for path in paths)]
    assert "Verified: 3 deleted." in done.err
    logged = records(run("deletions", "--json").out)
    assert [(one["path"], one["outcome"]) for one in logged] == [(path, "deleted") for path in paths]
    assert all(one["size"] and one["checksum"] and one["user"] and one["client_id"] for one in logged)
    assert paths[0] in run("deletions").out
    again = run("rm", paths[0], "--yes", "--json")
    assert records(again.out) == [{"path": paths[0], "result": "already gone"}]


def test_what_a_killed_program_had_begun_is_in_the_log_as_unknown(
    run: Cloudstore, sandbox: Sandbox, environment: dict[str, str]
) -> None:
    (path,) = some(run, 1)
    sandbox.faults.add("stall method=DELETE seconds=60")
    log = Path(environment["HOME"]) / ".local" / "state" / "cloudstore" / "deletions.jsonl"
    with subprocess.Popen([*COMMAND, "rm", path, "--yes"], env=environment, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + PATIENCE
        while not log.exists() or not log.stat().st_size:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    (one,) = records(run("deletions", "--json").out)
    assert (one["path"], one["outcome"]) == (path, "unknown: check")
    assert "unknown: check" in run("deletions").out


def test_a_deletion_that_is_stopped_tells_what_it_did_and_where_the_rest_is_told(
    run: Cloudstore, sandbox: Sandbox, environment: dict[str, str]
) -> None:
    paths = run("find", "acme8:us-east", "type:callcenterrecording", "--columns", "path").out.split()[: BATCH + 2]
    sandbox.faults.add("stall method=DELETE seconds=60 skip=1")
    log = Path(environment["HOME"]) / ".local" / "state" / "cloudstore" / "deletions.jsonl"
    with subprocess.Popen(
        [*COMMAND, "rm", *paths, "--yes"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + PATIENCE
        while not log.exists() or log.read_text().count("\n") < 2 * BATCH + 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out.splitlines()) == (130, [f"deleted  {path}" for path in paths[:BATCH]])
    assert f"Stopped after {BATCH} of {BATCH + 2} objects. Which others may be deleted: cloudstore deletions" in err
    logged = records(run("deletions", "--json").out)
    assert [one["path"] for one in logged if one["outcome"] == UNKNOWN] == paths[BATCH:]


def test_a_line_of_the_log_that_cannot_be_read_is_reported(run: Cloudstore, environment: dict[str, str]) -> None:
    paths = some(run, 2)
    assert run("rm", *paths, "--yes").code == 0
    log = Path(environment["HOME"]) / ".local" / "state" / "cloudstore" / "deletions.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([lines[0][:40] + "\n", *lines[1:], "\n"]))
    done = run("deletions", "--json")
    assert [one["path"] for one in records(done.out)] == paths[1:]
    assert f"{log}: 1 line of it cannot be read: 1. More may have been deleted." in done.err


def test_a_log_that_cannot_be_written_means_that_nothing_is_deleted(
    run: Cloudstore, sandbox: Sandbox, environment: dict[str, str]
) -> None:
    (path,) = some(run, 1)
    state = Path(environment["HOME"]) / ".local" / "state" / "cloudstore"
    (state / "deletions.jsonl").mkdir(parents=True)
    refused = run("rm", path, "--yes")
    assert refused.code == 5
    assert "Nothing is deleted" in refused.err
    assert not [seen for seen in sandbox.log.requests if seen.method == "DELETE"]


@pytest.mark.parametrize(("typed", "code"), [("2", 0), ("y", 1), ("3", 1)])
def test_on_a_terminal_the_number_of_several_is_typed(
    run: Cloudstore, sandbox: Sandbox, environment: dict[str, str], typed: str, code: int
) -> None:
    paths = some(run, 2)
    shell = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "rm", *paths],
        env=environment | {"TERM": "dumb"},
        timeout=PATIENCE,
        encoding="utf-8",
        dimensions=(40, 250),
    )
    shell.expect("Delete 2 objects of acme8:us-east, .*Type 2 to confirm")
    shell.sendline(typed)
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == code
    deleted = [seen for seen in sandbox.log.requests if seen.method == "DELETE"]
    assert bool(deleted) is (code == 0)


def test_a_lost_answer_is_settled_by_looking_and_the_log_says_what_was_seen(run: Cloudstore, sandbox: Sandbox) -> None:
    (path,) = some(run, 1)
    sandbox.faults.add("lost-reply method=DELETE times=1")
    done = run("rm", path, "--yes")
    assert done.code == 0, done.err
    assert len([seen for seen in sandbox.log.requests if seen.method == "DELETE"]) == 1
    assert [one["outcome"] for one in records(run("deletions", "--json").out)] == ["deleted"]

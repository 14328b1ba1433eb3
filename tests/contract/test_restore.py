"""Archived objects brought back by the command line, through everything that can go wrong on the way."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cloudstore_tui.restores import LEASE
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.sandbox import own_sandbox
from tests.support.waiting import PATIENCE

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
MISSING = "acme8:us-east/00000000-0000-4000-8000-000000000000"
ARCHIVED = ("find", "acme8:us-east", "--fiql", "objectState==ARCHIVED")


sandbox_server = own_sandbox(scope="function")
"""One for each test: few objects are archived."""


@pytest.fixture
def environment(ready: Ready) -> dict[str, str]:
    ready.config.write_text(f"{ready.config.read_text()}\n[settings]\nrestore_poll_seconds = [1, 1]\n")
    return own_environment(CLOUDSTORE_CONFIG=str(ready.config))


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    return Cloudstore(capfd, environment, tmp_path)


Archived = Callable[[int], list[str]]


@pytest.fixture
def archived(run: Cloudstore) -> Archived:
    """Addresses of objects that are archived now."""

    def found(number: int) -> list[str]:
        records = run(*ARCHIVED, "--limit", "100", "--json").records[:number]
        return [f"{one['profile']}:{one['region']}/{one['id']}" for one in records]

    return found


@contextmanager
def running(environment: dict[str, str], folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def sent(sandbox: Sandbox, method: str, ending: str) -> int:
    return len([seen for seen in sandbox.log.requests if seen.method == method and seen.path.endswith(ending)])


def test_objects_of_a_search_are_asked_for_once_waited_for_and_fetched(
    run: Cloudstore, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.switches.set({"restore-seconds": "2"})
    lines = "".join(f"{line}\n" for line in run(*ARCHIVED, "--limit", "3", "--json").out.splitlines())
    done = run("restore", "-", "--days", "2", "--then-get", "--to", "calls", stdin=lines)
    assert done.code == 0, done.err
    assert len(list((tmp_path / "calls").iterdir())) == 3
    assert sent(sandbox, "POST", "/restore") == 3
    listed = run("restore", "list", "--json").records
    assert [record["result"] for record in listed] == ["fetched"] * 3
    assert {record["days"] for record in listed} == {2}
    assert run("restore", "forget").out == "3 removed from the list\n"
    assert run("restore", "list", "--json").out == ""


def test_asking_again_sends_no_second_request_and_the_list_shows_it(
    run: Cloudstore, sandbox: Sandbox, archived: Archived
) -> None:
    (path,) = archived(1)
    first = run("restore", path, "--json")
    assert first.records[0]["result"] == "restoring"
    again = run("restore", path)
    assert "requested already" in again.err
    assert again.code == 0
    assert "restoring" in run("restore", "list").out
    assert sent(sandbox, "POST", "/restore") == 1


def test_what_a_killed_program_was_to_ask_for_is_asked_for_once_its_time_is_over(
    run: Cloudstore, sandbox: Sandbox, archived: Archived, environment: dict[str, str], tmp_path: Path
) -> None:
    (path,) = archived(1)
    sandbox.faults.add("stall method=POST path=*/restore seconds=60 times=1")
    with running(environment, tmp_path, "restore", path) as process:
        end = time.monotonic() + PATIENCE
        while not sandbox.faults.counts.get("stall"):
            assert time.monotonic() < end
            time.sleep(0.02)
        process.kill()
    early = run("restore", path)
    assert (early.code, early.out) == (10, "")
    assert "another program is requesting it right now, or was stopped while it did" in early.err
    state = Path(environment["HOME"]) / ".local" / "state" / "cloudstore" / "restores.db"
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("UPDATE requests SET asked = asked - ?", (LEASE.total_seconds(),))
    later = run("restore", path, "--json")
    assert (later.code, later.records[0]["result"]) == (0, "restoring")


def test_what_is_not_archived_is_reported_separately(run: Cloudstore, sandbox: Sandbox) -> None:
    ready = run("find", "acme8:us-east", "--limit", "1", "--json").records[0]
    there = run("restore", f"acme8:us-east/{ready['id']}", "--json")
    assert (there.code, there.records[0]["result"]) == (0, "available")
    assert run("restore", MISSING).code == 8
    revoked = run("find", "acme8:us-east", "--fiql", "objectState==REVOKED", "--limit", "1", "--json").records[0]
    gone = run("restore", f"acme8:us-east/{revoked['id']}")
    assert gone.code == 8
    assert "only 8x8 can bring it back" in gone.err
    assert run("restore", "acme:exports/x.tar").code == 2
    assert run("restore", "acme8:us-east/").code == 2
    assert run("restore", MISSING, "--days", "11").code == 2
    assert run("restore", MISSING, "--to", "x").code == 2
    assert run("restore", "-", stdin="{}\n").code == 2
    assert sent(sandbox, "POST", "/restore") == 0
    assert run("restore", "list", "--json").out == ""


@pytest.mark.parametrize(("state", "code", "result"), [("PENDING", 0, "restoring"), ("ARCHIVED", 4, "unknown")])
def test_a_lost_answer_is_settled_by_the_state_and_never_by_sending_again(
    run: Cloudstore, sandbox: Sandbox, archived: Archived, state: str, code: int, result: str
) -> None:
    sandbox.switches.set({"E-18": state, "restore-seconds": "2"})
    (path,) = archived(1)
    sandbox.faults.add("lost-reply method=POST path=*/restore times=1")
    done = run("restore", path)
    assert done.code == code, done.err
    (record,) = [one for one in run("restore", "list", "--json").records if one["path"] == path]
    assert record["result"] == result
    assert sent(sandbox, "POST", "/restore") == 1
    # It was carried out, and the state shows that sooner or later.
    ended = run("restore", "--wait", "--json")
    assert [one["result"] for one in ended.records if one["path"] == path] == ["ready"]
    assert sent(sandbox, "POST", "/restore") == 1


def test_a_service_that_cannot_be_reached_is_asked_later_and_not_forgotten(
    run: Cloudstore, sandbox: Sandbox, archived: Archived
) -> None:
    (path,) = archived(1)
    sandbox.faults.add("too-many method=POST path=*/restore times=1 retry-after=1")
    refused = run("restore", path)
    assert refused.code == 4
    assert "It stays on the list" in refused.err
    (record,) = [one for one in run("restore", "list", "--json").records if one["path"] == path]
    assert record["result"] == "waiting"


def test_the_error_of_a_key_that_may_not_restore_names_the_level_it_needs(
    run: Cloudstore, sandbox: Sandbox, archived: Archived
) -> None:
    (path,) = archived(1)
    sandbox.switches.set({"E-33": "download-only"})
    for again in (("restore", path), ("restore", "--wait", path)):
        refused = run(*again)
        assert refused.code == 3
        assert "level edit" in refused.err
        assert refused.err.count(path) == 1
    told = run("restore", "list", "--json").records
    assert [one["result"] for one in told] == ["failed"]
    assert path not in told[0]["note"]


@pytest.mark.parametrize("damage", ["garbage", "locked"])
def test_a_list_that_cannot_be_used_is_said_and_keeps_nobody_from_downloading(
    run: Cloudstore,
    archived: Archived,
    environment: dict[str, str],
    tmp_path: Path,
    damage: str,
) -> None:
    environment["XDG_STATE_HOME"] = str(tmp_path)
    (path,) = archived(1)
    assert run("restore", path).code == 0
    (file,) = tmp_path.rglob("restores.db")
    if damage == "garbage":
        file.write_bytes(b"no database" * 500)
        said = run("restore", "list")
        assert (said.code, "damaged" in said.err) == (5, True)
        assert "Move it away" in said.err
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        if damage == "locked":
            other.execute("BEGIN EXCLUSIVE")
        find = run("find", "acme8:us-east", "type:summary", "--limit", "1", "--json").records[0]
        got = run("get", f"acme8:us-east/{find['id']}", "--to", str(tmp_path / "calls"))
        assert got.code == 0
    assert len(list((tmp_path / "calls").iterdir())) == 1


def test_a_program_that_was_killed_is_gone_on_with_by_the_next(
    run: Cloudstore, sandbox: Sandbox, archived: Archived, environment: dict[str, str], tmp_path: Path
) -> None:
    sandbox.switches.set({"restore-seconds": "8"})
    paths = archived(3)
    with running(environment, tmp_path, "restore", *paths, "--then-get", "--to", "kept") as first:
        until(lambda: run("restore", "list", "--json").out.count('"restoring"') == 3)
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=PATIENCE)
    done = run("restore", "--wait")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "kept").iterdir())) == 3
    assert sent(sandbox, "POST", "/restore") == 3


def test_two_programs_that_wait_ask_and_look_no_more_often_than_one(
    run: Cloudstore, sandbox: Sandbox, archived: Archived, environment: dict[str, str], tmp_path: Path
) -> None:
    sandbox.switches.set({"restore-seconds": "3"})
    paths = archived(4)
    with (
        running(environment, tmp_path, "restore", *paths, "--wait") as first,
        running(environment, tmp_path, "restore", *paths, "--wait") as second,
    ):
        assert first.wait(timeout=PATIENCE) == second.wait(timeout=PATIENCE) == 0
    assert sent(sandbox, "POST", "/restore") == 4


def test_ctrl_c_stops_the_wait_and_keeps_the_list(
    run: Cloudstore, sandbox: Sandbox, archived: Archived, environment: dict[str, str], tmp_path: Path
) -> None:
    (path,) = archived(1)
    with running(environment, tmp_path, "restore", path, "--wait") as process:
        until(lambda: sent(sandbox, "POST", "/restore"))
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    assert [one["result"] for one in run("restore", "list", "--json").records if one["path"] == path] == ["restoring"]

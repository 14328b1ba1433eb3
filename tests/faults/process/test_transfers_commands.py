"""`cloudstore transfers` from a second process, while the first runs, and after it ended."""

import json
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

RATE = 700_000
ENOUGH = 1_000_000

Slow = Callable[[int], None]
Until = Callable[..., Any]


@pytest.fixture
def running(machine: Any, large: Any, slow: Slow) -> tuple[Any, str]:
    """A download that runs, and its number."""
    slow(RATE)
    get = machine.start("get", large.address)
    machine.arrived(ENOUGH)
    (listed,) = machine.listed()
    return get, listed["id"]


@pytest.fixture
def interrupted(machine: Any, running: tuple[Any, str], slow: Slow) -> str:
    """The number of a download that was interrupted."""
    get, number = running
    get.tell(signal.SIGTERM)
    assert get.end().code == 143
    slow(0)
    return number


def test_another_process_sees_pauses_resumes_and_cancels_a_download(
    machine: Any, large: Any, running: tuple[Any, str], wait_until: Until
) -> None:
    get, number = running
    (listed,) = machine.listed()
    assert listed["process"] == get.process.pid
    assert (listed["state"], listed["path"], listed["size"]) == ("running", large.address, large.size)
    paused = machine.run("transfers", "pause", number[:6])
    assert (paused.code, paused.out) == (0, "")
    assert f"{number}: process {get.process.pid} was asked to pause it." in paused.err
    wait_until(lambda: machine.listed()[0]["state"] == "paused", "the pause")
    before = machine.arrived()
    time.sleep(0.5)
    assert machine.arrived() == before
    assert machine.run("transfers", "resume", number).code == 0
    wait_until(lambda: machine.arrived() > before, "more bytes")
    assert machine.run("transfers", "cancel", number).code == 0
    ended = get.end()
    assert (ended.code, ended.out, ended.err) == (130, "", f"{large.address}: it was cancelled.\n")
    machine.nothing_left()


def test_with_json_the_wishes_are_told_on_stdout_alone(
    machine: Any, running: tuple[Any, str], interrupted: str
) -> None:
    told = machine.run("transfers", "cancel", interrupted, "--json")
    assert (told.code, told.err) == (0, "")
    gone = {"id": interrupted, "process": 0, "text": "forgotten, and what arrived is removed"}
    assert json.loads(told.out) == gone
    assert machine.run("transfers", "prune", "--all", "--json").out == '{"forgotten": 0}\n'


def test_list_fits_a_terminal_of_80_columns(machine: Any, large: Any, running: tuple[Any, str]) -> None:
    shown = machine.terminal("transfers", "list", columns=80)
    assert shown.end() == 0
    (first, *others) = [line.rstrip() for line in shown.text.splitlines() if line.strip()]
    assert re.match(
        rf"{running[1]}  running      \d+(\.\d)? [kM]?B of 13\.[01] MB +get  weekly-0\.mp4  acme8:us", first
    ), first
    assert first.endswith("…")
    assert others == []


def test_list_run_log_and_prune_of_an_interrupted_download(machine: Any, large: Any, interrupted: str) -> None:
    listed = machine.run("transfers", "list")
    assert (listed.code, listed.err) == (0, "")
    assert re.match(rf"{interrupted}  interrupted +\d", listed.out), listed.out
    assert large.address in listed.out
    refused = machine.run("transfers", "pause", interrupted)
    assert refused.code == 2
    assert f"Resume it with: cloudstore transfers run {interrupted}" in refused.err
    assert machine.run("transfers", "prune").err == "0 forgotten.\n"
    assert machine.run("transfers", "run", interrupted[:5], "--json").records[0]["result"] == "done"
    nothing = machine.run("transfers", "run")
    assert (nothing.code, nothing.err) == (0, "No transfers were interrupted.\n")
    machine.nothing_left()


@pytest.mark.parametrize(
    "arguments",
    [("cancel", "{}"), ("prune", "--older-than", "1s"), pytest.param(("prune", "--all"), marks=pytest.mark.long)],
)
def test_an_interrupted_download_is_forgotten_with_all_that_arrived(
    machine: Any, interrupted: str, arguments: tuple[str, ...]
) -> None:
    (machine.folder / ".cs-0123456789ab.part").write_text("not ours")
    time.sleep(1.1)
    done = machine.run("transfers", *(part.format(interrupted) for part in arguments))
    assert done.code == 0, done.err
    assert "forgotten" in done.err
    assert [path.name for path in machine.folder.iterdir()] == [".cs-0123456789ab.part"]
    assert machine.rows() == []


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        ("ffffff", 8, "ffffff: there is no such transfer"),
        ("0", 2, "0: is too short for the number of one transfer"),
        ("xyz!", 8, "there is no such transfer"),
        ("", 2, '"": is too short'),
    ],
)
@pytest.mark.parametrize("command", ["run", "cancel"])
def test_a_number_that_fits_no_transfer_is_said(machine: Any, command: str, number: str, code: int, words: str) -> None:
    refused = machine.run("transfers", command, number)
    assert refused.code == code, refused.err
    assert words in refused.err
    assert "cloudstore transfers list shows the numbers." in refused.err


def test_a_number_that_fits_two_transfers_changes_neither(machine: Any, interrupted: str) -> None:
    connection = sqlite3.connect(machine.state / "journal.db")
    with connection:
        (row,) = connection.execute("SELECT id FROM transfer").fetchall()
        twin = row[0] ^ 1
        columns = "writer, kind, profile, region, path, folder, created, updated"
        connection.execute(f"INSERT INTO transfer (id, {columns}) SELECT ?, {columns} FROM transfer", (twin,))
    connection.close()
    refused = machine.run("transfers", "cancel", interrupted[:9])
    assert refused.code == 2
    assert f"{interrupted[:9]}: is too short for the number of one transfer" in refused.err
    assert len(machine.rows()) == 2
    assert machine.run("transfers", "cancel", f"{twin:010x}").code == 0
    assert [f"{row['id']:010x}" for row in machine.rows()] == [interrupted]


def test_a_second_process_leaves_a_download_to_the_first(machine: Any, large: Any, running: tuple[Any, str]) -> None:
    get, number = running
    second = machine.run("get", large.address)
    assert second.code == 10, second.err
    assert str(get.process.pid) in second.err
    get.tell(signal.SIGTERM)
    assert get.end().code == 143
    assert [row["id"] for row in machine.rows()] == [int(number, 16)]


def test_log_tells_of_waits_and_failures(machine: Any, large: Any) -> None:
    machine.sandbox.faults.add("503 where=blob times=0")
    failed = machine.run("get", large.address, "--timeout", "2s")
    assert failed.code == 4, failed.err
    log = machine.run("transfers", "log")
    assert "failed: " in log.out
    records = machine.run("transfers", "log", "--json", "--limit", "1").records
    assert len(records) == 1
    assert set(records[0]) == {"at", "id", "what"}
    assert records[0]["at"].endswith("+00:00")


def test_a_damaged_journal_is_moved_aside_and_said(machine: Any, large: Any, interrupted: str) -> None:
    journal = machine.state / "journal.db"
    journal.write_bytes(b"\0" * 5000)
    got = machine.run("get", large.address)
    assert got.code == 0
    assert "damaged" in got.err
    assert "stays in their folders, as .cs-*.part, until they are asked for again" in got.err
    assert machine.parts() == [], "what had arrived before was asked for again"
    assert [path.name for path in machine.state.glob("journal.db.damaged-*")] in got.err.split("/") or re.search(
        r"journal\.db\.damaged-\d+", got.err
    )
    assert machine.rows() == []
    assert machine.run("transfers", "list").err == "No transfers are running, and none were interrupted.\n"


@pytest.mark.parametrize(
    "command", [("get", "{}"), ("transfers", "list"), pytest.param(("transfers", "run"), marks=pytest.mark.long)]
)
def test_a_journal_of_a_newer_version_is_refused_and_not_touched(
    machine: Any, large: Any, interrupted: str, command: tuple[str, ...]
) -> None:
    connection = sqlite3.connect(machine.state / "journal.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    refused = machine.run(*(part.format(large.address) for part in command))
    assert refused.code == 2
    assert "a newer version of this program wrote it. Use that version, or set XDG_STATE_HOME" in refused.err
    assert len(machine.rows()) == 1
    assert len(machine.parts()) == 1


def test_a_locked_journal_is_waited_for(machine: Any, interrupted: str, lock_journal: Callable[[], Any]) -> None:
    with lock_journal():
        waiting = machine.start("transfers", "list")
        time.sleep(1.5)
        assert waiting.process.poll() is None
    ended = waiting.end()
    assert ended.code == 0, ended.err
    assert interrupted in ended.out


@pytest.mark.long
@pytest.mark.parametrize("command", [("get", "{}"), ("transfers", "list"), ("transfers", "run")])
def test_a_journal_that_stays_locked_is_busy(
    machine: Any, large: Any, interrupted: str, lock_journal: Callable[[], Any], command: tuple[str, ...]
) -> None:
    with lock_journal():
        ended = machine.run(*(part.format(large.address) for part in command))
    assert ended.code == 10, ended.err
    assert "another program keeps the journal of transfers locked" in ended.err
    assert 9 < ended.seconds < 14
    assert len(machine.rows()) == 1


def test_without_a_folder_for_its_state_a_download_works_after_a_warning(machine: Any, large: Any) -> None:
    (machine.root / "state").write_text("in the way")
    got = machine.run("get", large.address)
    assert got.code == 0, got.err
    assert "XDG_STATE_HOME" in got.err
    assert "Until then interrupted transfers cannot be resumed." in got.err
    assert len(got.err.splitlines()) == 1
    assert (machine.folder / large.name).stat().st_size == large.size
    for words in (("list",), ("run",), ("prune",)):
        listed = machine.run("transfers", *words)
        assert (listed.code, listed.out) == (5, "")
    (machine.root / "state").unlink()


def test_without_a_home_a_download_works(machine: Any, large: Any) -> None:
    nowhere = {"HOME": "", "XDG_STATE_HOME": str(machine.root / "state")}
    got = machine.run("get", large.address, variables=nowhere)
    assert got.code == 0, got.err
    machine.nothing_left()


def test_what_the_program_keeps_is_for_its_user_only(machine: Any, interrupted: str) -> None:
    for path in (machine.state, *machine.state.rglob("*"), *machine.parts()):
        assert path.stat().st_mode & 0o077 == 0, path
    assert list(machine.home.iterdir()) == []


def test_what_lacks_its_profile_stays_with_its_bytes_and_is_pruned_with_them(
    machine: Any, large: Any, interrupted: str, tmp_path: Any
) -> None:
    other = tmp_path / "other.toml"
    other.write_text("")
    other.chmod(0o600)
    failed = machine.run("transfers", "run", variables={"CLOUDSTORE_CONFIG": str(other)})
    assert failed.code == 2, failed.err
    (listed,) = machine.listed()
    assert (listed["id"], listed["state"]) == (interrupted, "failed")
    assert listed["done"] > 0
    assert listed["reason"]
    assert len(machine.parts()) == 1
    pruned = machine.run("transfers", "prune", "--all", variables={"CLOUDSTORE_CONFIG": str(other)})
    assert (pruned.code, pruned.err) == (0, "1 forgotten.\n")
    machine.nothing_left()

"""A download that is stopped from outside ends within two seconds, with the code of the reason, and goes on later."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RATE = 2_500_000
FASTER = 6_000_000
ENOUGH = 1_500_000
LONGEST = 2.0
SLACK = 6.0
"""Seconds that a slow machine may take besides."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_download_that_is_stopped_keeps_what_arrived_and_goes_on_later(
    machine: Any, large: Any, slow: Callable[[int], None], number: int, code: int
) -> None:
    slow(RATE)
    get = machine.start("get", large.address)
    machine.arrived(ENOUGH)
    get.tell(number)
    ended = get.end()
    assert ended.code == code
    assert ended.seconds <= LONGEST + SLACK
    assert "1 transfer is not done. Resume with: cloudstore transfers run" in ended.err
    check_goes_on(machine, large, slow)


def check_goes_on(machine: Any, large: Any, slow: Callable[[int], None]) -> None:
    """The part file and its row are kept, `list` shows them, `run` fetches only the rest."""
    (row,) = machine.rows()
    (part,) = machine.parts()
    assert row["part"] == part.name
    assert 0 < row["durable"] <= part.stat().st_size < large.size
    (listed,) = machine.listed()
    assert listed["state"] == "interrupted"
    assert (listed["path"], listed["done"], listed["size"]) == (large.address, row["durable"], large.size)
    slow(0)
    machine.sandbox.log.clear()
    again = machine.run("transfers", "run", "--json")
    assert again.code == 0, again.err
    (record,) = again.records
    assert record["result"] == "done"
    assert machine.fetched() <= large.size - row["durable"] + 65_536
    assert (machine.folder / large.name).stat().st_size == large.size
    machine.nothing_left()


def test_ctrl_c_in_a_terminal_clears_the_line_of_progress_and_says_how_to_go_on(
    machine: Any, large: Any, slow: Callable[[int], None]
) -> None:
    slow(RATE)
    shown = machine.terminal("get", large.address, columns=80)
    shown.wait_for("0 of 1")
    machine.arrived(ENOUGH)
    shown.press("\x03")
    assert shown.end() == 130
    assert "Resume with: cloudstore transfers run" in shown.text
    assert "0 of 1" not in shown.text
    assert shown.after == shown.before
    check_goes_on(machine, large, slow)


def test_a_terminal_that_is_closed_ends_the_download_and_keeps_what_arrived(
    machine: Any, large: Any, slow: Callable[[int], None]
) -> None:
    slow(RATE)
    shown = machine.terminal("get", large.address)
    shown.wait_for("0 of 1")
    machine.arrived(ENOUGH)
    shown.hang_up()
    assert shown.end(LONGEST + SLACK) == 129
    check_goes_on(machine, large, slow)


def test_who_asks_twice_does_not_wait_for_a_clean_end(
    machine: Any,
    large: Any,
    slow: Callable[[int], None],
    lock_journal: Callable[[], Any],
    wait_until: Callable[..., Any],
) -> None:
    # So that neither is through before it is told, however busy the machine is.
    slow(RATE // 5)
    once, twice = machine.start("get", large.address), machine.start("get", large.address, "--to", "other")
    # One that has just begun would wait for the journal, and then be told that it is busy.
    wait_until(lambda: len(machine.rows()) == 2 and all(row["durable"] for row in machine.rows()), "both to be on")
    # What has to be written down at the end cannot be: the end takes as long as it may.
    with lock_journal():
        once.tell(signal.SIGINT)
        ended = once.end()
        assert ended.code == 130
        assert 1 < ended.seconds <= LONGEST + SLACK
        twice.tell(signal.SIGINT)
        # Two at once would be one.
        wait_until(lambda: twice.age > 0.1, "some time")
        twice.tell(signal.SIGINT)
        ended = twice.end()
        assert ended.code == 130
        assert ended.seconds < LONGEST
    slow(0)
    again = machine.run("transfers", "run")
    assert again.code == 0, again.err
    assert (machine.folder / large.name).stat().st_size == large.size
    assert (machine.folder / "other" / large.name).stat().st_size == large.size
    machine.nothing_left()


def test_a_download_that_is_suspended_and_woken_goes_on(
    machine: Any, large: Any, slow: Callable[[int], None], wait_until: Callable[..., Any]
) -> None:
    slow(FASTER)
    get = machine.start("get", large.address)
    machine.arrived(ENOUGH)
    get.tell(signal.SIGTSTP)
    wait_until(lambda: state_of(get.process.pid) == "T", "the stop")
    before = machine.arrived()
    wait_until(lambda: get.age > 1, "some time")
    assert machine.arrived() == before
    get.tell(signal.SIGCONT)
    ended = get.end()
    assert ended.code == 0, ended.err
    assert (machine.folder / large.name).stat().st_size == large.size
    machine.nothing_left()


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("arguments", [("--to", "-"), ()], ids=["bytes", "lines"])
def test_a_closed_pipe_ends_quietly_with_141(
    machine: Any, large: Any, slow: Callable[[int], None], arguments: tuple[str, ...]
) -> None:
    slow(RATE if arguments else 0)
    get = machine.start("get", large.address, *arguments)
    if arguments:
        assert len(get.process.stdout.read(100_000)) == 100_000
    get.process.stdout.close()
    get.process.stdout = None
    ended = get.end()
    assert (ended.code, ended.err) == (141, "")
    assert machine.parts() == []
    assert (machine.folder / large.name).exists() is (arguments == ())


def test_a_closed_stderr_costs_only_the_words(machine: Any, large: Any, slow: Callable[[int], None]) -> None:
    slow(RATE)
    get = machine.start("get", large.address)
    machine.arrived(ENOUGH)
    get.process.stderr.close()
    get.process.stderr = None
    get.tell(signal.SIGTERM)
    assert get.end().code == 143
    check_goes_on(machine, large, slow)


def test_a_download_into_a_pipe_that_nobody_reads_can_be_stopped(machine: Any, large: Any) -> None:
    get = machine.start("get", large.address, "--to", "-")
    assert get.process.stdout.read(1000)
    get.tell(signal.SIGTERM)
    get.process.wait(LONGEST + SLACK)
    assert get.process.returncode == 143
    get.end()


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("", 143)], ids=["ctrl-c", "sigterm"])
def test_a_question_is_no_reason_to_stay(machine: Any, large: Any, key: str, code: int) -> None:
    (machine.folder / large.name).write_bytes(b"mine")
    shown = machine.terminal("get", large.address)
    shown.wait_for("other content")
    if key:
        shown.press(key)
    else:
        shown.child.kill(signal.SIGTERM)
    assert shown.end(SLACK) == code
    assert (machine.folder / large.name).read_bytes() == b"mine"
    machine.nothing_left()


def test_nohup_lets_a_download_outlive_its_terminal(
    machine: Any, large: Any, slow: Callable[[int], None], wait_until: Callable[..., Any]
) -> None:
    slow(FASTER)
    shown = machine.terminal("get", large.address, before=("nohup",))
    machine.arrived(ENOUGH)
    shown.hang_up()
    assert shown.end() == 0
    assert (machine.folder / large.name).stat().st_size == large.size
    assert "done" in (machine.folder / "nohup.out").read_text()
    machine.nothing_left()


@pytest.mark.parametrize("arguments", [("ls", "acme:"), ("get", "{}", "--to", "-"), ("get", "{}")])
def test_a_full_disk_behind_stdout_is_said_in_a_sentence(machine: Any, large: Any, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = machine.run(*(part.format(large.address) for part in arguments), stdout=full)
    assert ended.code == 5, ended.err
    assert "he output cannot be written: no space left on device. Check where it goes." in ended.err
    assert len(ended.err.splitlines()) == 1
    assert machine.parts() == []


@pytest.mark.parametrize(
    ("number", "outcome", "code"), [(signal.SIGTERM, "stopped", 143), (signal.SIGKILL, "unfinished", -signal.SIGKILL)]
)
def test_a_pull_that_is_ended_is_no_complete_one_for_whoever_asks(
    machine: Any, slow: Callable[[int], None], number: int, outcome: str, code: int
) -> None:
    (machine.folder / "calls").mkdir()
    hour = ("acme8:us-east", "type:callcenterrecording", "--since", "2024-09-01T09:00Z", "--until", "2024-09-01T10:00Z")
    slow(200_000)
    pull = machine.start("pull", *hour, "--to", "calls", "--via", "content", "--report", "report.json")
    machine.arrived()
    pull.tell(number)
    ended = pull.end()
    assert (ended.code, "Run the same command again" in ended.err) == (code, number == signal.SIGTERM), ended.err
    told = json.loads((machine.folder / "calls" / "last-pull.json").read_text())
    assert (told["last"]["outcome"], told["complete"]) == (outcome, None)
    assert (machine.folder / "report.json").exists() == (number != signal.SIGKILL)
    slow(0)
    asked = machine.run("status", "calls", "--max-age", "26h")
    assert (asked.code, "no run has ever been complete. Run it again." in asked.err) == (1, True), asked.err
    again = machine.run("pull", *hour, "--to", "calls")
    assert again.code == 0, again.err
    assert machine.run("status", "calls", "--max-age", "26h").code == 0
    assert machine.run("verify", "calls").code == 0

"""An upload that is killed while it is sent is not sent again blindly."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TAKEN = "acme:imports/outreach/nanp/"
"""A folder whose files the service takes and sorts away."""
OTHER = "acme:exports/aps-custom/"
"""A folder where files stay."""


@pytest.fixture
def killed(machine: Any, wait_until: Callable[..., Any]) -> Callable[[str, str], str]:
    """Kills an upload in the middle; the address of its object."""

    def kill(name: str, folder: str) -> str:
        file: Path = machine.folder / name
        file.write_bytes(name.encode() * 2_000_000)
        machine.sandbox.faults.add("stall where=blob method=PUT")
        put = machine.start("put", name, folder, "--yes")
        wait_until(lambda: any(row["intent"] for row in machine.rows()), "the beginning of the upload")
        wait_until(lambda: put.age > 1, "some bytes")
        assert put.process.poll() is None, put.end().err
        put.tell(signal.SIGKILL)
        assert put.end().code == -signal.SIGKILL
        machine.sandbox.faults.reset()
        machine.sandbox.log.clear()
        (listed,) = machine.listed()
        assert (listed["state"], listed["kind"], listed["path"]) == ("interrupted", "upload", f"{folder}{name}")
        return f"{folder}{name}"

    return kill


def sent(machine: Any) -> int:
    """Uploads that reached the store."""
    return sum(seen.method == "PUT" for seen in machine.sandbox.log.requests)


def remove(machine: Any, address: str) -> None:
    assert machine.run("rm", address, "--yes").code == 0


def test_where_files_are_taken_away_the_user_decides(machine: Any, killed: Callable[[str, str], str]) -> None:
    address = killed("plan-a.csv", TAKEN)
    again = machine.run("transfers", "run")
    assert again.code == 1
    assert f"{address}: sending it was interrupted, and whether it arrived is unknown." in again.err
    assert "Look whether the service took it; if not, try again." in again.err
    assert sent(machine) == 0
    assert machine.rows() == []
    assert machine.run("put", "plan-a.csv", TAKEN).code == 0
    assert sent(machine) == 1
    remove(machine, address)


def test_where_files_stay_a_look_shows_that_it_is_to_be_sent(machine: Any, killed: Callable[[str, str], str]) -> None:
    machine.sandbox.switches.set({"A-18": "allowed"})
    address = killed("plan-b.csv", OTHER)
    again = machine.run("transfers", "run")
    assert again.code == 0, again.err
    assert sent(machine) == 1
    assert machine.rows() == []
    remove(machine, address)


def test_what_arrived_after_all_is_not_sent_again(machine: Any, killed: Callable[[str, str], str]) -> None:
    address = killed("plan-c.csv", TAKEN)
    # The store had it when the program was killed.
    elsewhere = {"XDG_STATE_HOME": str(machine.root / "other")}
    assert machine.run("put", "plan-c.csv", TAKEN, variables=elsewhere).code == 0
    machine.sandbox.log.clear()
    again = machine.run("transfers", "run")
    assert again.code == 0, again.err
    assert again.out.startswith("done")
    assert sent(machine) == 0
    assert machine.rows() == []
    remove(machine, address)


def test_a_file_that_is_gone_meanwhile_is_said(machine: Any, killed: Callable[[str, str], str]) -> None:
    address = killed("plan-d.csv", TAKEN)
    (machine.folder / "plan-d.csv").unlink()
    again = machine.run("transfers", "run")
    assert again.code in (2, 5), again.err
    assert "plan-d.csv" in again.err
    assert sent(machine) == 0
    assert address in again.err or str(machine.folder) in again.err

"""`watch`: rounds of pulls that leave no gap, bring nothing twice, and outlive what fails."""

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from cloudstore_tui.cli import watch
from cloudstore_tui.sandbox.server import Sandbox
from tests.support.commands import Cloudstore

DAY = datetime(2024, 9, 1, tzinfo=UTC)
WATCH = ("watch", "acme8:us-east", "type:callcenterrecording", "--to", "calls")


class Clock:
    """Goes on by an hour from round to round, and ends the watch after so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: datetime, rounds: int) -> None:
        self.now = start
        self.left = rounds
        self.waits: list[float] = []
        monkeypatch.setattr(watch, "utc_now", lambda: self.now)
        monkeypatch.setattr(watch, "pause", self.pause)
        # What a run writes down of its beginning is of the same clock.
        monkeypatch.setattr("cloudstore_tui.archive.runs.utc_now", lambda: self.now)
        monkeypatch.setattr("cloudstore_tui.cli.reporting.utc_now", lambda: self.now)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(hours=1)
        self.left -= 1
        if not self.left:
            raise click.exceptions.Exit(0)


def fetched(folder: Path) -> list[str]:
    """The ids of all objects that were ever fetched, in order."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [event["line"]["id"] for event in events if event["event"] == "fetched"]


def test_a_day_with_an_outage_and_a_restart_brings_each_object_once(
    cloudstore: Cloudstore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, DAY + timedelta(hours=7), 3)
    assert cloudstore(*WATCH, "--since", DAY.isoformat()).code == 0
    # For two hours the service refuses; then, for longer than it looks back, nobody watches.
    clock.left = 2
    sandbox.faults.add("forbidden where=api path=*/objects* times=0")
    told = cloudstore(*WATCH)
    assert (told.code, told.err.count("acme8:us-east")) == (0, 2), told.err
    sandbox.faults.reset()
    clock.now += timedelta(hours=9)
    clock.left = 2
    assert cloudstore(*WATCH, "--look-back", "1h").code == 0
    wanted = cloudstore(
        *("find", "acme8:us-east", "type:callcenterrecording", "--json"),
        *("--since", DAY.isoformat(), "--until", (clock.now - timedelta(hours=1)).isoformat()),
    )
    brought = fetched(tmp_path / "calls")
    assert sorted(brought) == sorted(record["id"] for record in wanted.records)
    assert len(brought) == len(set(brought)) > 100
    assert cloudstore("verify", "calls").code == 0


def test_it_looks_less_often_while_nothing_comes(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 9, 3, 1, tzinfo=UTC), 5)
    done = cloudstore(*WATCH, "--every", "1m", "--look-back", "1h", "--report", "report.json")
    assert (done.code, clock.waits) == (0, [20, 40, 60, 60, 60]), done.err
    assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "complete"


def test_systemd_is_told_that_it_is_ready_and_that_it_lives(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Clock(monkeypatch, datetime(2024, 9, 3, 1, tzinfo=UTC), 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "s"))
        systemd.setblocking(False)
        done = cloudstore(*WATCH, NOTIFY_SOCKET=str(tmp_path / "s"), WATCHDOG_USEC="30000000")
        assert done.code == 0, done.err
        told = "\n".join(systemd.recv(4096).decode() for _ in range(4))
    assert all(word in told for word in ("READY=1", "WATCHDOG=1", "STATUS=Fetched 0", "STOPPING=1"))


def test_what_can_never_work_ends_it(cloudstore: Cloudstore) -> None:
    assert cloudstore(*WATCH, "--until", "today").code == 2
    assert cloudstore("watch", "acme:exports/", "--to", "calls", "type:x").code == 2

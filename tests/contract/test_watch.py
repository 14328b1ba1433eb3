"""`watch`: rounds of pulls that leave no gap, bring nothing twice, and outlive what fails."""

import json
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from cloudstore_tui.archive import runs
from cloudstore_tui.cli import reporting, status, watch
from cloudstore_tui.sandbox.server import Sandbox
from tests.support.commands import Cloudstore

WATCH = ("watch", "acme8:us-east", "type:callcenterrecording", "--to", "calls")


class Clock:
    """Goes on by an hour from round to round, and ends the watch after so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: datetime, rounds: int) -> None:
        self.now = start
        self.left = rounds
        self.waits: list[float] = []
        monkeypatch.setattr(watch, "pause", self.pause)
        # All that ask for the time have to be imported by now: what is imported later would keep this clock for ever.
        asking = [module for module in tuple(sys.modules.values()) if getattr(module, "utc_now", None) is runs.utc_now]
        assert {runs, reporting, watch, status} <= set(asking)
        for module in asking:
            monkeypatch.setattr(module, "utc_now", lambda: self.now)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(hours=1)
        self.left -= 1
        if not self.left:
            raise click.exceptions.Exit(0)


def known(folder: Path) -> dict[str, Any]:
    """What a folder knows of the watches that filled it."""
    told: dict[str, Any] = json.loads((folder / "last-watch.json").read_text())
    return told


def since(folder: Path) -> str:
    """From when on the last run looked, to the minute."""
    told: str = known(folder)["last"]["since"]
    return told[:16]


def test_it_looks_less_often_while_nothing_comes(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 9, 3, 1, tzinfo=UTC), 5)
    done = cloudstore(*WATCH, "--every", "1m", "--look-back", "1h", "--report", "report.json")
    assert (done.code, clock.waits) == (0, [20, 40, 60, 60, 60]), done.err
    assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "complete"


def test_systemd_is_notified_of_readiness_and_life(
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


@pytest.mark.parametrize(
    "arguments",
    [
        (*WATCH, "--until", "today"),
        (*WATCH, "--within", "6h"),
        (*WATCH, "--expect", "callcenterrecording,transcription"),
        ("watch", "acme:exports/", "--to", "calls", "type:x"),
        ("watch", "acme:exports/", "--to", "calls", "--expect", "transcription"),
    ],
)
def test_what_can_never_work_ends_it(cloudstore: Cloudstore, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert cloudstore(*arguments).code == 2
    assert not (tmp_path / "calls").exists()


def test_what_came_before_another_query_or_a_failure_is_no_reason_to_look_later(
    cloudstore: Cloudstore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 9, 3, 12, tzinfo=UTC), 1)
    (tmp_path / "calls").mkdir()
    sandbox.faults.add("forbidden where=api path=*/objects* times=0")
    assert cloudstore(*WATCH, "--since", "2024-09-03T01:00Z").code == 0
    assert "coverage" not in known(tmp_path / "calls") or known(tmp_path / "calls")["coverage"] is None
    sandbox.faults.reset()
    # Nothing of the first start is given up, whatever the next one asks for.
    clock.left = 1
    assert cloudstore(*WATCH, "--since", "2024-09-03T09:00Z", "--look-back", "1h").code == 0
    assert since(tmp_path / "calls") == "2024-09-03T01:00"
    began = clock.now
    clock.left = 1
    assert cloudstore(*WATCH, "--look-back", "1h").code == 0
    assert since(tmp_path / "calls") == f"{began - timedelta(hours=2, minutes=5):%Y-%m-%dT%H:%M}"
    # What was never looked through is looked through once it is asked for.
    clock.left = 1
    assert cloudstore(*WATCH, "--since", "2024-09-02T23:00Z").code == 0
    assert since(tmp_path / "calls") == "2024-09-02T23:00"
    assert known(tmp_path / "calls")["coverage"]["since"].startswith("2024-09-02T23:00")
    clock.left = 1
    assert cloudstore("watch", "acme8:us-east", "--type", "summary", "--to", "calls", "--since", "2024-09-03").code == 0
    assert since(tmp_path / "calls") == "2024-09-03T00:00"


def test_neither_another_watch_nor_a_clock_that_was_ahead_leaves_a_gap(
    cloudstore: Cloudstore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 9, 3, 12, tzinfo=UTC), 1)
    assert cloudstore(*WATCH, "--since", "2024-09-03T01:00Z", "--look-back", "1h").code == 0
    clock.left = 1
    clock.now += timedelta(days=1)
    assert cloudstore("watch", "acme8:us-east", "type:summary", "--to", "calls", "--look-back", "1h").code == 0
    clock.left = 1
    assert cloudstore(*WATCH, "--look-back", "1h").code == 0
    assert since(tmp_path / "calls") == "2024-09-03T10:55"
    clock.left = 1
    clock.now -= timedelta(hours=6)
    done = cloudstore(*WATCH, "--look-back", "1h")
    assert (since(tmp_path / "calls"), "The clock of this machine was ahead" in done.err) == ("2024-09-03T01:00", True)
    clock.left = 1
    assert cloudstore(*WATCH, "--look-back", "1h").code == 0
    assert since(tmp_path / "calls") == f"{clock.now - timedelta(hours=3, minutes=5):%Y-%m-%dT%H:%M}"


@pytest.fixture
def service_behind(sandbox: Sandbox) -> Iterator[None]:
    """A service whose clock is three days behind that of this machine, which so is ahead."""
    sandbox.world.clock.offset = -3 * 86_400
    yield
    sandbox.world.clock.offset = 0


@pytest.mark.usefixtures("service_behind")
@pytest.mark.parametrize("what", [WATCH[1:3], ("acme:exports/reporting/",)])
def test_a_clock_that_is_ahead_is_told_and_leaves_no_gap_although_it_is_right_before_the_next_start(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: tuple[str, ...]
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 9, 6, 12, tzinfo=UTC), 1)
    watch = ("watch", *what, "--to", "calls", "--look-back", "1h")
    done = cloudstore(*watch, "--report", "report.json")
    assert done.code == 0, done.err
    assert "this machine's clock is 3 days ahead" in done.err
    assert "clock" in str(json.loads((tmp_path / "report.json").read_text())["warnings"])
    # Days later, with the right time: what came while nobody looked is looked for.
    clock.left, clock.now = 1, datetime(2024, 9, 8, 12, tzinfo=UTC)
    assert cloudstore(*watch).code == 0
    assert since(tmp_path / "calls") <= "2024-09-03T12:00"


def test_new_files_of_a_folder_come_once(
    cloudstore: Cloudstore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock(monkeypatch, datetime(2024, 8, 31, 12, tzinfo=UTC), 2)
    folder = ("watch", "acme:exports/reporting/intraday/", "--to", "hours", "--since", "2024-08-31T09:00Z")
    assert cloudstore(*folder).code == 0
    first = {file.name for file in (tmp_path / "hours").glob("*.gz")}
    assert len(first) > 1
    sandbox.log.clear()
    clock.left = 1
    assert cloudstore(*folder).code == 0
    assert {file.name for file in (tmp_path / "hours").glob("*.gz")} == first
    assert [seen for seen in sandbox.log.requests if seen.role == "blob"] == []
    assert cloudstore("status", "hours").code == 0

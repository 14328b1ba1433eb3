"""A day of `watch` in seconds: whatever happens meanwhile, each object comes once, and what never came is told."""

import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from cloudstore_tui.sandbox.eightbyeight.fixtures import Interaction, seal
from cloudstore_tui.sandbox.eightbyeight.model import GeneratedCall, ObjectBody, Record
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords, ObjectSearch, ResultPage
from cloudstore_tui.sandbox.log import LoggedRequest, RequestLog
from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions

DAY = datetime(2024, 9, 10, tzinfo=UTC)
WITHIN = timedelta(hours=7)
LATEST = timedelta(hours=6)
"""How late a transcript comes."""
A_MINUTE = 600
"""Requests of the API that the profile allows."""
PATIENCE = 60.0
EXPECTED = ("callcenterrecording", "transcription")
WATCH = (
    *("watch", "acme8:us-east", "--since", DAY.isoformat(), "--to", "calls", "--every", "1h"),
    *("--expect", ",".join(EXPECTED), "--within", "7h", "--report", "report.json", "--metrics", "calls.prom"),
)
PROGRAM = """
import sys
from datetime import datetime

from cloudstore_tui.archive import runs
from cloudstore_tui.cli import reporting, watch
from cloudstore_tui.cli.main import execute

now = datetime.fromisoformat(sys.argv[1])
for module in (runs, reporting, watch):
    module.utc_now = lambda: now
watch.TRANSFERRING = 0.5


async def pause(seconds):
    global now
    print(seconds, flush=True)
    now = datetime.fromisoformat(sys.stdin.readline().strip())


watch.pause = pause
sys.exit(execute(sys.argv[2:]))
"""
"""A watch whose time goes on when it is told so, and that gives up on a dead host soon."""


@dataclass
class Service:
    """What comes in at the service in the course of the day, and what it was asked for."""

    sandbox: Sandbox
    ready: Ready
    coming: list[tuple[datetime, Record]]
    """Each object with the moment from which the service knows of it."""
    lacking: set[str]
    """Calls that never get a transcript."""
    asked: list[float] = field(default_factory=list)
    """When the API was asked for something."""

    def advance(self, now: datetime) -> None:
        """Let in what has come by now."""
        at = bisect_left(self.coming, now, key=lambda pair: pair[0])
        store = ObjectRecords(self.sandbox.world.data / "eightbyeight.sqlite")
        store.add(record for _moment, record in self.coming[:at])
        store.close()
        del self.coming[:at]


def made(draw: Random, number: int, second: int) -> tuple[Record, Record, timedelta]:
    """A recording, its transcript, and how late that is."""
    call = GeneratedCall((int(DAY.timestamp()) + second) * 1000, 30_000, number % 40, number % 10, number % 4000, 0)
    interaction = Interaction(call, "us-east")
    body = ObjectBody(data=f"ID3 {number} {draw.random()}".encode() * draw.randrange(1, 400))
    recording = seal(msgspec.structs.replace(interaction.recording, body=body))
    late = LATEST * draw.random()
    # Some say when they were made, others when their call took place.
    created = int(late.total_seconds() * 1000) if draw.random() < 0.5 else 60_000
    transcript = msgspec.structs.replace(interaction.transcript(), created=call.created + created)
    return recording, transcript, late


def day_of(draw: Random, calls: int) -> tuple[list[tuple[datetime, Record]], set[str]]:
    coming, lacking = [], set()
    for number, second in enumerate(draw.sample(range(86_000), calls)):
        recording, transcript, late = made(draw, number, second)
        ended = datetime.fromtimestamp(recording.created / 1000, UTC)
        coming.append((ended + timedelta(minutes=20) * draw.random(), recording))
        if draw.random() < 0.9:
            coming.append((ended + late, transcript))
        else:
            lacking.add(recording.tag("callId") or "")
    return sorted(coming, key=lambda pair: pair[0]), lacking


@pytest.fixture
def draw(pytestconfig: pytest.Config) -> Random:
    return Random(f"{pytestconfig.getoption('seed')}:watch")


@pytest.fixture
def service(
    request: pytest.FixtureRequest, draw: Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A service that lists some objects twice, and some in the wrong order."""
    search = ObjectRecords.search

    def disordered(store: ObjectRecords, wanted: ObjectSearch) -> ResultPage[Record]:
        page = search(store, wanted)
        objects = list(page.items)
        for at in range(1, len(objects) - 1, 2):
            if draw.random() < 0.3:
                objects[at - 1 : at + 1] = objects[at], objects[at - 1]
        twice = draw.sample(objects[:-1], min(len(objects) - 1, 2)) if objects and not page.more else []
        return ResultPage([*twice, *objects], page.more)

    coming, lacking = day_of(draw, request.param)
    sandbox = Sandbox(SandboxOptions(data=tmp_path / "service", objects=0))
    with sandbox as ready:
        ready.config.write_text(
            ready.config.read_text().replace("requests_per_minute = 0", f"requests_per_minute = {A_MINUTE}")
        )
        there = Service(sandbox, ready, coming, lacking)
        add = RequestLog.add

        def timed(log: RequestLog, seen: LoggedRequest) -> None:
            if seen.role == "api":
                there.asked.append(time.monotonic())
            add(log, seen)

        monkeypatch.setattr(RequestLog, "add", timed)
        monkeypatch.setattr(ObjectRecords, "search", disordered)
        yield there


class Watch:
    """A watch in a process of its own, until something ends it."""

    def __init__(self, service: Service, folder: Path, now: datetime) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME")}
        told = {"CLOUDSTORE_CONFIG": str(service.ready.config), "XDG_STATE_HOME": str(folder / "state"), **kept}
        self._service = service
        self._began = time.monotonic()
        command = [sys.executable, "-c", PROGRAM, now.isoformat(), *WATCH]
        with (folder / "said.txt").open("a") as said:
            self._process = subprocess.Popen(
                *(command, 1),
                cwd=folder,
                env=told,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def rest(self) -> float:
        """Wait for the end of the round; the pause that it would make."""
        assert self._process.stdout is not None
        while text := self._process.stdout.readline():
            try:
                return float(text)
            except ValueError:
                continue
        raise AssertionError(f"it ended with {self._process.wait()}")

    def go_on(self, now: datetime) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{now.isoformat()}\n")
        self._process.stdin.flush()

    def kill(self, requests: int) -> None:
        """End it with SIGKILL after so many requests of this round, or at its end."""
        before, end = len(self._service.sandbox.log.requests), time.monotonic() + 1
        while len(self._service.sandbox.log.requests) < before + requests and time.monotonic() < end:
            time.sleep(0.001)
        self._process.kill()
        self._over()

    def terminate(self) -> None:
        """End it with SIGTERM in its pause."""
        self._process.terminate()
        self.go_on(DAY)
        assert self._over() == 143

    def _over(self) -> int:
        code = self._process.wait(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        mine = [moment for moment in self._service.asked if moment >= self._began]
        assert all(bisect_left(mine, moment + 60) - at <= A_MINUTE for at, moment in enumerate(mine))
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._over()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_day(service: Service, folder: Path, wanted: list[str], told: list[str]) -> None:
    """Everything is there once, and exactly what never came was told, once."""
    fetched = [event["line"]["id"] for event in lines(folder / "calls" / "events.jsonl") if event["event"] == "fetched"]
    assert sorted(fetched) == sorted(wanted)
    here = [line["id"] for line in lines(folder / "calls" / "manifest.jsonl") if "error" not in line]
    assert sorted(here) == sorted(wanted)
    assert sorted(told) == sorted(service.lacking)
    known = json.loads((folder / "calls" / "last-watch.json").read_text())["calls"]
    assert {call["call"]: call["lacks"] for call in known["calls"]} == {call: ["transcription"] for call in told}
    assert (known["awaited"], known["lacking"]) == (0, len(told))
    numbers = (folder / "calls.prom").read_text()
    assert f'state="lacking"}} {len(told)}\n' in numbers


@pytest.mark.parametrize(
    ("service", "step", "ends"),
    [
        pytest.param(40, 80, 3, id="quick"),
        pytest.param(2_000, 10, 30, id="full", marks=[pytest.mark.long, pytest.mark.timeout(5400)]),
    ],
    indirect=["service"],
)
def test_a_day_brings_each_object_once(service: Service, draw: Random, tmp_path: Path, step: int, ends: int) -> None:
    wanted = [record.id for _moment, record in service.coming]
    now, end = DAY, DAY + timedelta(hours=24) + WITHIN + timedelta(hours=1)
    rounds = (end - now) // timedelta(minutes=step)
    broken = dict(zip(draw.sample(range(2, rounds), ends), ["kill", "stop"] * ends, strict=False))
    outage = range(rounds // 2, rounds // 2 + max(120 // step, 1))
    told: list[str] = []
    watch = Watch(service, tmp_path, now)
    try:
        for number in range(rounds):
            pause = watch.rest()
            assert 10 <= pause <= 3600
            told += never_came(tmp_path)
            now += timedelta(minutes=step)
            service.advance(now)
            service.sandbox.faults.reset()
            if number in outage:
                service.sandbox.faults.add("503 where=api times=0")
            elif draw.random() < 0.2:
                service.sandbox.faults.add("reset-after where=blob times=2")
            if broken.get(number) == "stop":
                watch.terminate()
                watch = Watch(service, tmp_path, now)
            else:
                watch.go_on(now)
            if broken.get(number) == "kill":
                watch.kill(draw.randrange(1, 6))
                watch = Watch(service, tmp_path, now)
        watch.rest()
        told += never_came(tmp_path)
        watch.terminate()
    finally:
        watch.close()
    assert not service.coming
    check_day(service, tmp_path, wanted, told)


def never_came(folder: Path) -> list[str]:
    """The calls that the last report says something of never came."""
    report = json.loads((folder / "report.json").read_text())
    return [
        error["path"].removeprefix("call ")
        for error in report["errors"]
        if "transcription never came" in error["error"]
    ]

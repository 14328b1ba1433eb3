"""A pull of two regions by zip, with everything in the set that goes wrong in practice, killed again and again."""

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import own_environment

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
STATES = "objectState=in=(AVAILABLE,ARCHIVED)"
CREDENTIALS = {"authorization", "x-api-key", "cookie", "proxy-authorization"}


@dataclass(frozen=True)
class Place:
    """A sandbox in a process of its own, and a user of it."""

    base_url: str
    environment: dict[str, str]
    folder: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def control(self, what: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base_url}/__sandbox__/{what}", data)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    command = [*COMMAND, "sandbox", "--objects", "3000", "--data", str(tmp_path / "data")]
    switches = ["--switch", "zip-outcome=PARTIAL_DONE", "--switch", "zip-seconds=1"]
    with subprocess.Popen([*command, *switches], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            config = Path(ready["config"])
            config.write_text(f"[settings]\nzip_poll_seconds = [1]\n{config.read_text()}")
            folder = tmp_path / "user"
            folder.mkdir()
            environment = own_environment(folder, CLOUDSTORE_CONFIG=str(config))
            yield Place(ready["base_url"], environment, folder)
        finally:
            process.terminate()


@pytest.fixture
def killed(place: Place, chance: random.Random) -> Callable[[list[str]], None]:
    """Runs a command and kills it once it has begun to write, at a moment nobody chose."""

    def run(arguments: list[str]) -> None:
        with subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=place.folder,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            deadline = time.monotonic() + 60
            before = written(place)
            while process.poll() is None and written(place) <= before and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(chance.uniform(0.0, 1.0))
            process.send_signal(signal.SIGKILL)

    return run


def written(place: Place) -> int:
    return sum(1 for file in (place.folder / "calls").rglob("*") if file.is_file())


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("since", "until", "kills", "least"),
    [
        pytest.param("2024-08-01", "2024-09-01", 1, 200, id="quick"),
        pytest.param(
            "2023-05-01", "2024-10-01", 3, 2000, id="full", marks=[pytest.mark.long, pytest.mark.timeout(900)]
        ),
    ],
)
def test_a_pull_that_is_killed_again_and_again_is_right_to_the_object(
    place: Place, killed: Callable[[list[str]], None], since: str, until: str, kills: int, least: int
) -> None:
    query = ["acme8", "--fiql", STATES, "--since", since, "--until", until]
    wanted = lines_of(place.run("find", *query, "--json").stdout)
    archived = {line["id"] for line in wanted if line["state"] == "ARCHIVED"}
    bad = next(line["id"] for line in wanted if line["state"] == "AVAILABLE" and line.get("checksum", "-").isalnum())
    names = [line["name"] for line in wanted]
    assert len(wanted) >= least
    assert {line["region"] for line in wanted} == {"us-east", "uk"}
    assert len(set(names)) < len(names), "no two objects share a name"
    assert any(":" in name for name in names), "no name has a colon"
    place.control("faults", f"damaged path={bad} times=0")

    pull = ["pull", *query, "--to", "calls", "--via", "zip", "--json"]
    for _ in range(kills):
        killed(pull)
    done = place.run(*pull)
    report = lines_of(done.stdout)[-1]
    missing = {bad} | archived
    assert done.returncode == (1 if archived else 6), done.stderr
    assert (report["found"], report["missing"]) == (len(wanted), len(missing))
    assert report["had"] + report["fetched"] == len(wanted) - len(missing)
    manifest = lines_of((place.folder / "calls" / "manifest.jsonl").read_text())
    assert {line["id"] for line in manifest} == {line["id"] for line in wanted}
    assert {line["id"] for line in manifest if "error" in line} == missing
    there = {file.name for file in (place.folder / "calls").iterdir()} - {
        "manifest.jsonl",
        "events.jsonl",
        "last-pull.json",
    }
    assert there == {line["path"] for line in manifest if "error" not in line}
    assert place.run("transfers", "list").stdout == ""

    log = place.control("log")
    assert not [seen for seen in log if seen["role"] == "blob" and CREDENTIALS & set(seen["headers"])]
    again = place.run(*pull)
    assert lines_of(again.stdout)[-1]["fetched"] == 0
    assert place.run("verify", "calls").returncode == 1, "some of it could not be fetched"
    victim = place.folder / "calls" / next(line["path"] for line in manifest if "error" not in line)
    body = bytearray(victim.read_bytes())
    body[len(body) // 2] ^= 1
    victim.write_bytes(body)
    verified = place.run("verify", "calls")
    assert verified.returncode == 6
    assert victim.name in verified.stdout + verified.stderr

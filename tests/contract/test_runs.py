"""Runs that report themselves, and folders that know when they were last complete."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudstore_tui import __version__
from cloudstore_tui.archive.manifest import MOVING
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment
from tests.support.http import Asked, Reply, serving

TIMES = ("type:callcenterrecording", "--since", "2024-09-01T09:00Z", "--until", "2024-09-01T09:10Z")
PULL = ("pull", "acme8:us-east", *TIMES, "--to", "calls")
SAMPLE = re.compile(r'cloudstore_run_\w+\{(\w+="([^"\\]|\\.)*",?)+\} -?[0-9.e+]+')


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Where the run's report is, that of a command too."""
    return tmp_path / "report.json"


def test_a_report_says_what_ran_when_and_how_it_went(cloudstore: Cloudstore, told: Path, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    done = cloudstore(*PULL, "--report", str(told), "--metrics", "cloud.prom", "--json")
    assert done.code == 0, done.err
    report = json.loads(told.read_text())
    assert (report["command"], report["version"], report["folder"]) == ("pull", __version__, str(tmp_path / "calls"))
    assert report["what"] == ["acme8:us-east", TIMES[0], "--since", TIMES[2], "--until", TIMES[4]]
    assert (report["outcome"], report["code"], report["errors"], report["error_count"]) == ("complete", 0, [], 0)
    assert report["counts"]["fetched"] == done.report["fetched"] > 0
    assert (report["bytes"], report["levels"]) == (done.report["size"], done.report["levels"])
    assert report["requests"] > report["counts"]["fetched"]
    assert before - timedelta(seconds=1) < datetime.fromisoformat(report["started"]) <= datetime.now(UTC)
    assert datetime.fromisoformat(report["ended"]) >= datetime.fromisoformat(report["started"])
    lines = (tmp_path / "cloud.prom").read_text().splitlines()
    assert all(line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line) for line in lines)
    label = f'command="pull",folder="{tmp_path}/calls"'
    assert f"cloudstore_run_complete{{{label}}} 1" in lines
    assert f'cloudstore_run_objects{{{label},outcome="fetched"}} {report["counts"]["fetched"]}' in lines
    assert (tmp_path / "cloud.prom").stat().st_mode & 0o777 == 0o644
    assert told.stat().st_mode & 0o777 == 0o600


def test_a_run_that_lacks_something_says_so_everywhere(
    cloudstore: Cloudstore, sandbox: Sandbox, told: Path, tmp_path: Path
) -> None:
    assert cloudstore(*PULL).code == 0
    (tmp_path / "calls").rename(tmp_path / "kept")
    sandbox.faults.add("forbidden where=api path=*/content* times=1")
    failing = (*PULL, "--report", str(told), "--metrics", "cloud.prom", "--on-failure", "touch failed")
    done = cloudstore(*failing, "--on-success", "touch succeeded")
    report = json.loads(told.read_text())
    assert (report["outcome"], report["code"]) == ("incomplete", done.code)
    assert report["error_count"] == len(report["errors"]) >= 1
    assert report["errors"][0]["path"].startswith("acme8:us-east/")
    assert re.search(r"cloudstore_run_complete\{.*\} 0\n", (tmp_path / "cloud.prom").read_text())
    assert (tmp_path / "failed").exists()
    assert not (tmp_path / "succeeded").exists()
    status = cloudstore("status", "calls")
    assert (status.code, "no run has ever been complete" in status.err) == (1, True)
    assert cloudstore(*PULL).code == 0
    assert cloudstore("status", "calls").code == 0


def test_what_could_not_be_recorded_is_in_the_metrics(cloudstore: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    done = cloudstore(*PULL, "--report", "taken", "--metrics", "cloud.prom")
    assert done.code == 5, done.err
    numbers = (tmp_path / "cloud.prom").read_text()
    assert re.search(r"cloudstore_run_complete\{.*\} 0\n", numbers)
    assert re.search(r"cloudstore_run_exit_code\{.*\} 5\n", numbers)


def test_a_command_gets_the_report_and_no_secret(cloudstore: Cloudstore, ready: Ready, told: Path) -> None:
    secret = ready.config.with_name("acme8.secret").read_text().strip()
    script = "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read() + repr(os.environ) + repr(sys.argv))"
    command = f'{sys.executable} -c "{script}" {told}'
    done = cloudstore(*PULL, "--on-success", command, CLOUDSTORE_ACME8_SECRET=secret)
    assert done.code == 0, done.err
    assert json.loads(told.read_text().splitlines()[0])["outcome"] == "complete"
    assert secret not in told.read_text()


@pytest.mark.parametrize(
    ("command", "words"),
    [("false", "ended with code 1"), ("no-such-program x", "could not be started"), ("sleep 60", "did not end within")],
)
def test_a_command_that_fails_is_told(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    if command.startswith("sleep"):
        monkeypatch.setattr("cloudstore_tui.cli.reporting.HOOK_TIMEOUT_S", 0.3)
    done = cloudstore(*PULL, "--on-success", command)
    assert (done.code, words in done.err) == (1, True), done
    assert cloudstore("status", "calls").code == 0


@dataclass
class Monitor:
    """A host that is pinged; it remembers by what, and answers as it is told."""

    url: str = ""
    status: int = 200
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append((asked.target, asked.headers))
        return self.status, None


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    monitor = Monitor()
    with serving(monitor) as monitor.url:
        yield monitor


def allowing(ready: Ready, hosts: str) -> str:
    """A configuration that lets these hosts be pinged."""
    path = ready.config.with_name("pinging.toml")
    path.write_text(f"[settings]\nping_hosts = {hosts}\n{ready.config.read_text()}")
    return str(path)


def test_a_url_is_pinged_where_the_settings_allow_it(cloudstore: Cloudstore, ready: Ready, monitor: Monitor) -> None:
    config = allowing(ready, '["127.0.0.1"]')
    url = f"{monitor.url}/canary-c0ffee/"
    again = (*PULL, "--on-success", "$PING", "--on-failure", "${PING}")
    done = cloudstore(*again, "-v", CLOUDSTORE_CONFIG=config, PING=url)
    assert (done.code, [path for path, _ in monitor.asked]) == (0, ["/canary-c0ffee/"]), done.err
    assert "canary" not in done.out + done.err
    monitor.status = 500
    done = cloudstore(*PULL, "--on-success", url, "--json", CLOUDSTORE_CONFIG=config)
    assert (done.code, "127.0.0.1 answers with status 500" in done.err) == (4, True)
    assert "canary" not in done.out + done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://example.org/x", "do not allow to ping example.org"),
        ("http://hc-ping.com/x", "by https"),
        ("$NOT_THERE", "variable NOT_THERE is not set"),
        ("mail 'x", "is not a command"),
        (" ", "is not a command"),
    ],
)
def test_what_cannot_be_called_is_said_before_anything_begins(
    cloudstore: Cloudstore, ready: Ready, tmp_path: Path, text: str, words: str
) -> None:
    done = cloudstore(*PULL, "--on-failure", text, CLOUDSTORE_CONFIG=allowing(ready, '["hc-ping.com"]'))
    assert (done.code, words in done.err) == (2, True), done.err
    assert not (tmp_path / "calls").exists()


def test_a_run_that_fails_as_a_whole_is_reported(cloudstore: Cloudstore, told: Path, tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("in the way")
    done = cloudstore(*PULL, "--report", str(told), "--on-failure", "touch failed")
    report = json.loads(told.read_text())
    assert (report["outcome"], report["code"], done.code) == ("failed", 5, 5)
    assert (tmp_path / "failed").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("pull", "elsewhere:", "--to", "calls"), 2),
        (("pull", "acme8:us-east", "agent=='", "--to", "calls"), 2),
        ((*PULL, "--on-success", "$NOT_THERE"), 2),
        ((*PULL, "--config", "broken.toml"), 2),
        (("verify", "calls", "--config", "broken.toml"), 2),
        (("watch", "acme8:", "--to", "calls", "--config", "broken.toml"), 2),
        (("watch", "elsewhere:", "--to", "calls"), 2),
        (("pull", "acme8:us-east", *TIMES, "--to", "half"), 9),
    ],
)
def test_a_run_that_cannot_begin_is_reported_where_its_command_line_says(
    cloudstore: Cloudstore, told: Path, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    (tmp_path / "broken.toml").write_text("[settings\n")
    (tmp_path / "half" / MOVING).mkdir(parents=True)
    (tmp_path / "calls").mkdir()
    done = cloudstore(*words, "--report", str(told), "--metrics", "cloud.prom", "--on-failure", "touch failed")
    report = json.loads(told.read_text())
    assert (done.code, report["code"], report["outcome"], report["error_count"]) == (code, code, "failed", 1), done.err
    assert re.search(r"cloudstore_run_exit_code\{.*\} " + str(code), (tmp_path / "cloud.prom").read_text())
    assert (tmp_path / "failed").exists()
    # Nobody has ever pulled into it.
    assert list((tmp_path / "calls").iterdir()) == []


def test_status_reports_a_pull_that_can_no_longer_begin(cloudstore: Cloudstore, tmp_path: Path) -> None:
    assert cloudstore(*PULL).code == 0
    (tmp_path / "broken.toml").write_text("[settings\n")
    assert cloudstore(*PULL, "--config", "broken.toml").code == 2
    status = cloudstore("status", "calls")
    assert (status.code, "the last run failed" in status.err) == (1, True)


def test_a_run_whose_output_nobody_reads_reports_what_it_fetched_all_the_same(
    ready: Ready, told: Path, tmp_path: Path
) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "cloudstore_tui", *PULL, "--report", str(told)]
    environment = own_environment(CLOUDSTORE_CONFIG=str(ready.config))
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=write, timeout=60, check=False)
    os.close(write)
    report = json.loads(told.read_text())
    assert (done.returncode, report["code"], report["outcome"]) == (141, 141, "failed")
    assert report["counts"]["fetched"] == report["counts"]["found"] > 0


def test_a_current_folder_that_is_gone_is_reported_as_that(ready: Ready, tmp_path: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && "$0" -m cloudstore_tui "$@"'
    command = ["sh", "-c", script, sys.executable, *PULL]
    environment = own_environment(CLOUDSTORE_CONFIG=str(ready.config))
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "The current folder is gone. Change to" in done.stderr) == (5, True), done.stderr


def aged(folder: Path, **changes: object) -> None:
    """Change what the folder knows of its last run."""
    path = folder / "last-pull.json"
    status = json.loads(path.read_text())
    status["last"].update(changes)
    if status["last"]["outcome"] == "complete":
        status["complete"] = status["last"]
    path.write_text(json.dumps(status))


@pytest.mark.parametrize("lost", ["empty", "missing"])
def test_a_pull_reports_and_records_that_events_were_lost(cloudstore: Cloudstore, tmp_path: Path, lost: str) -> None:
    assert cloudstore(*PULL).code == 0
    events = tmp_path / "calls" / "events.jsonl"
    events.unlink()
    if lost == "empty":
        events.touch()
    done = cloudstore(*PULL)
    assert (done.code, f"events.jsonl was {lost}, and begins anew" in done.err) == (0, True), done.err
    recorded = [json.loads(line) for line in events.read_text().splitlines()]
    changed = [event for event in recorded if event["event"] == "changed"]
    assert [(event["path"], event["why"]) for event in changed] == [("events.jsonl", f"it was {lost}")]
    assert cloudstore("verify", "calls").code == 0
    assert "begins anew" not in cloudstore(*PULL).err


def test_a_folder_knows_when_it_was_last_complete(cloudstore: Cloudstore, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    done = cloudstore("status", "calls")
    assert (done.code, "there is no such folder" in done.err) == (1, True)
    folder.mkdir()
    done = cloudstore("status", "calls")
    assert (done.code, "nothing was ever pulled into it" in done.err) == (1, True)
    assert cloudstore(*PULL).code == 0
    assert cloudstore("status", "calls", "--max-age", "26h").code == 0
    long_ago = (datetime.now(UTC) - timedelta(hours=27)).isoformat()
    aged(folder, ended=long_ago)
    done = cloudstore("status", "calls", "--max-age", "26h")
    assert (done.code, "too old" in done.err) == (1, True)
    assert cloudstore("status", "calls").code == 0
    aged(folder, ended=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert "in the future" in cloudstore("status", "calls").err
    aged(folder, ended=datetime.now(UTC).isoformat())
    aged(folder, outcome="unfinished", ended=None)
    done = cloudstore("status", "calls", "--max-age", "26h", "--json")
    assert (done.code, "killed before its end" in done.err) == (1, True)
    assert done.records[0]["complete"]["outcome"] == "complete"
    (folder / "last-pull.json").write_text('{"last": 7}')
    assert cloudstore("status", "calls").code == 6
    assert cloudstore(*PULL).code == 0
    assert cloudstore("status", "calls").code == 0


def test_verify_reports_its_runs_too(cloudstore: Cloudstore, told: Path, tmp_path: Path) -> None:
    assert cloudstore(*PULL).code == 0
    assert cloudstore("verify", "calls", "--report", str(told)).code == 0
    report = json.loads(told.read_text())
    assert (report["command"], report["outcome"], report["counts"]["extra"]) == ("verify", "complete", 0)
    assert "last verified" in cloudstore("status", "calls").out
    next((tmp_path / "calls").glob("*.mp3")).write_bytes(b"x")
    assert cloudstore("verify", "calls", "--report", str(told), "--on-failure", "touch failed").code == 6
    assert json.loads(told.read_text())["outcome"] == "incomplete"
    assert (tmp_path / "failed").exists()
    done = cloudstore("status", "calls")
    assert (done.code, "the last verification found: 1 changed." in done.err) == (1, True), done.err
    next((tmp_path / "calls").glob("*.mp3")).unlink()
    assert cloudstore(*PULL).code == cloudstore("verify", "calls").code == cloudstore("status", "calls").code == 0


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from cloudstore_tui.archive.runs import *
from cloudstore_tui.archive.runs import RunLog, RunOutcome, RunReport, metrics, write_whole, json_text

folder, files = Path(sys.argv[1]), Path(sys.argv[2])
calls = ("open", "write", "fsync", "rename", "replace", "fchmod", "ftruncate", "close")


def report(number, outcome, command="pull"):
    now = datetime(2026, 1, number, tzinfo=UTC)
    through = now if outcome is RunOutcome.COMPLETE else None
    facts = {"outcome": outcome, "ended": now, "since": datetime(2025, 1, 1, tzinfo=UTC), "through": through}
    return RunReport(command, str(folder), (), now, counts={"found": number}, **facts)


def run(number, outcome):
    for command in ("watch", "pull"):
        log = RunLog(folder, command)
        log.begin(RunReport(command, str(folder), (), datetime(2026, 1, number, tzinfo=UTC)))
        status = log.end(report(number, outcome, command))
    write_whole(files / "report.json", json_text(report(number, outcome).record()))
    write_whole(files / "cloud.prom", metrics(status))


run(1, RunOutcome.COMPLETE)
for point in range(int(sys.argv[3]), 400):
    print(point, flush=True)
    if not (child := os.fork()):
        left = [point]
        for name in calls:
            def counted(*given, call=getattr(os, name), **named):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), 9)
                return call(*given, **named)
            setattr(os, name, counted)
        run(2, RunOutcome.COMPLETE if point % 2 else RunOutcome.INCOMPLETE)
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    status = read_status(folder, "pull")
    assert status.complete.counts["found"] in (1, 2), status
    assert status.last.outcome is not RunOutcome.COMPLETE or status.last == status.complete
    assert status.complete.counts["found"] == 1 or point % 2, "a success that was none"
    through = read_status(folder, "watch").coverage.through.day
    assert through == 1 or (through == 2 and point % 2), "looked through what was not"
    numbers = {json.loads((files / "report.json").read_text())["counts"]["found"]}
    text = (files / "cloud.prom").read_text()
    assert text.endswith(chr(10)) and text.count("# TYPE") == 10, text
    complete = "cloudstore_run_complete{" in text and text.split("cloudstore_run_complete{")[1].split()[1]
    assert complete in ("0", "1")
    assert numbers <= {1, 2}
    if ended == 0:
        break
    run(1, RunOutcome.COMPLETE)
print("whole", point)
"""


def test_a_report_is_old_or_new_wherever_the_run_is_killed(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    command = [sys.executable, "-c", "import json\n" + KILLED, str(tmp_path / "calls"), str(tmp_path), "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    *_, whole, points = done.stdout.split()
    assert (whole, int(points) >= 50) == ("whole", True)

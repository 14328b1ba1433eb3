"""What `docs/operations.md` gives to other programs is what they take."""

import grp
import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cloudstore_tui.cli.main import cloudstore

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, flags=re.M | re.S)


def units(kind: str) -> list[str]:
    return [block for block in blocks("ini") if f"[{kind}]" in block]


def hardened(service: str) -> str:
    """A service with all that the first one has against attackers, as the page says of the others."""
    pull, _watch = units("Service")
    hardening = re.search(r"^UMask=.*\Z", pull, flags=re.M | re.S)
    assert hardening is not None
    return service if hardening[0] in service else service.replace("\n[Install]", f"{hardening[0]}\n[Install]")


def commands() -> Iterator[str]:
    """Every command line of ours in what other programs run."""
    for service in units("Service"):
        yield from re.findall(r"^ExecStart=(.*)$", service.replace("\\\n", " "), flags=re.M)
    path, *lines = blocks("crontab")[0].splitlines()
    assert path.startswith("PATH=")
    assert lines
    for line in lines:
        command = line.split(None, 5)[5]
        # What is printed would be mailed.
        assert command.endswith(" >/dev/null"), command
        yield command.removesuffix(" >/dev/null")
    (arguments,) = re.findall(r"^CMD \[(.*)\]$", blocks("dockerfile")[0], flags=re.M)
    yield f"cloudstore {arguments.replace(',', ' ')}"


@pytest.mark.parametrize("line", commands())
def test_a_command_that_others_run_is_one_of_ours(line: str) -> None:
    program, name, *arguments = shlex.split(line)
    assert program.rpartition("/")[2] == "cloudstore"
    with cloudstore.make_context("cloudstore", ["-q", name, *arguments]) as context:
        command = cloudstore.get_command(context, name)
        assert command is not None
        own = [word for word in arguments if word != "-q"]
        with command.make_context(name, own, parent=context) as found:
            assert isinstance(found, click.Context)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_units_and_finds_little_to_attack(tmp_path: Path) -> None:
    program = tmp_path / "cloudstore"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    pull, watch, timer = (tmp_path / f"cloudstore-{name}" for name in ("pull.service", "watch.service", "pull.timer"))
    for service, text in zip((pull, watch), units("Service"), strict=True):
        service.write_text(hardened(text).replace("/usr/local/bin/cloudstore", str(program)))
    timer.write_text(units("Timer")[0])
    done = subprocess.run(
        ["systemd-analyze", "verify", pull, watch, timer], capture_output=True, text=True, timeout=60, check=False
    )
    assert str(tmp_path) not in done.stderr, done.stderr
    for service in (pull, watch):
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", str(service)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


def test_an_alert_names_only_numbers_that_there_are() -> None:
    from cloudstore_tui.archive.expected import CallCheck
    from cloudstore_tui.archive.runs import RunOutcome, RunStatus, metrics, new_report

    report = new_report("pull", Path("/srv/calls"), ())
    calls = CallCheck((), 0, report.started)
    there = metrics(RunStatus(report, calls=calls))
    named = set(re.findall(r"cloudstore_run_\w+", blocks("yaml")[0]))
    assert len(named) >= 3
    assert [name for name in named if f"# TYPE {name} gauge" not in there] == []
    assert report.outcome is RunOutcome.UNFINISHED


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="there is no logrotate")
def test_logrotate_takes_its_lines(tmp_path: Path) -> None:
    owner = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
    (text,) = blocks("logrotate")
    (tmp_path / "cloudstore").write_text(text.replace("cloudstore cloudstore", owner))
    (tmp_path / "cloudstore").chmod(0o644)
    command = ["logrotate", "--debug", "--state", str(tmp_path / "state"), str(tmp_path / "cloudstore")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr


@pytest.mark.skipif(shutil.which("crontab") is None, reason="there is no crontab")
def test_cron_takes_its_lines(tmp_path: Path) -> None:
    (tmp_path / "table").write_text(blocks("crontab")[0])
    done = subprocess.run(
        ["crontab", "-n", str(tmp_path / "table")], capture_output=True, text=True, timeout=60, check=False
    )
    if "usage:" in done.stderr:
        pytest.skip("this crontab does not check")
    assert done.returncode == 0, done.stderr


def has_docker() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_container_is_built_and_pulls() -> None:
    if not has_docker():
        pytest.skip("there is no Docker daemon")
    script = Path(__file__).parents[2] / "docs" / "container.sh"
    done = subprocess.run([script], capture_output=True, text=True, timeout=800, check=False)
    assert done.stdout.endswith("The container pulls.\n"), done.stderr[-2000:]

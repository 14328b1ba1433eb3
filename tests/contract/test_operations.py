"""What `docs/operations.md` gives to other programs is what they take."""

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


def unit(kind: str) -> str:
    return next(block for block in blocks("ini") if f"[{kind}]" in block)


def commands() -> Iterator[str]:
    """Every command line of ours in what other programs run."""
    service = unit("Service").replace("\\\n", " ")
    yield from re.findall(r"^ExecStart=(.*)$", service, flags=re.M)
    for line in blocks("crontab")[0].splitlines():
        yield line.split(None, 5)[5]
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
    service, timer = tmp_path / "cloudstore-pull.service", tmp_path / "cloudstore-pull.timer"
    service.write_text(unit("Service").replace("/usr/local/bin/cloudstore", str(program)))
    timer.write_text(unit("Timer"))
    done = subprocess.run(
        ["systemd-analyze", "verify", service, timer], capture_output=True, text=True, timeout=60, check=False
    )
    assert str(tmp_path) not in done.stderr, done.stderr
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", str(service)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_an_alert_names_only_numbers_that_there_are() -> None:
    from cloudstore_tui.archive.runs import RunOutcome, RunStatus, metrics, new_report

    report = new_report("pull", Path("/srv/calls"), ())
    there = metrics(RunStatus(report))
    named = set(re.findall(r"cloudstore_run_\w+", blocks("yaml")[0]))
    assert len(named) >= 3
    assert [name for name in named if f"# TYPE {name} gauge" not in there] == []
    assert report.outcome is RunOutcome.UNFINISHED

"""How commands read addresses, time limits and answers."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cloudstore_tui.sandbox.server import Ready

Cloudstore = Callable[..., Any]
PLAN = "acme:imports/outreach/nanp/number-plan.csv"


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "acme"),
        ("ls", "acme8"),
        ("find", "acme8", "--limit", "1"),
        ("stat", "acme8"),
        ("zip", "list", "acme8"),
        ("pull", "acme8", "on:2024-09-01", "--to", "calls", "--dry-run"),
    ],
)
def test_a_profile_alone_is_the_address_of_all_of_it(cloudstore: Cloudstore, arguments: tuple[str, ...]) -> None:
    bare = cloudstore(*arguments)
    assert bare.code == 0
    assert bare.out == cloudstore(*(f"{word}:" if word.startswith("acme") else word for word in arguments)).out


def test_ls_alone_lists_the_profiles(cloudstore: Cloudstore) -> None:
    assert next(line.split() for line in cloudstore("ls").out.splitlines()) == ["acme", "alvaria", "writable"]
    assert cloudstore("ls", "--json").records == cloudstore("profile", "list", "--json").records


def test_a_profile_in_the_place_of_a_command_opens_the_browser_which_needs_a_terminal(cloudstore: Cloudstore) -> None:
    assert "needs a terminal" in cloudstore("acme8").err
    assert "no such command" in cloudstore("acme9").err


def test_restore_waits_when_told_and_gives_up_a_dead_host_when_told(cloudstore: Cloudstore) -> None:
    (archived,) = cloudstore("find", "acme8:us-east", "state:archived", "--limit", "1", "--columns", "path").out.split()
    assert cloudstore("restore", archived, "--timeout", "5m").code == 0
    assert cloudstore("restore", archived, "--timeout", "soon").code == 2
    assert "--timeout 5m is how long" in cloudstore("restore", "--wait", "5m").err


@pytest.mark.parametrize(
    "command", [f"rm {PLAN}", "zip clear acme8:us-east", "profile remove acme", "put x.csv acme:exports/"]
)
def test_an_answer_of_no_is_no_interruption(ready: Ready, tmp_path: Path, command: str) -> None:
    (tmp_path / "x.csv").write_text("x")
    environment = {**os.environ, "CLOUDSTORE_CONFIG": str(ready.config), "TERM": "dumb"}
    arguments = ["-m", "cloudstore_tui", *command.split()]
    for answer, code in (("n\r", 1), ("\x03", 130)):
        child = pexpect.spawn(sys.executable, arguments, env=environment, cwd=str(tmp_path), timeout=30)
        child.expect_exact("[y/N]")
        child.send(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code

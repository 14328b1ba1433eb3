"""Tab in a real shell."""

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE, PROMPTLY

COMMAND = Path(sys.executable).parent / "cloudstore"
PROMPT = "READY> "


@pytest.fixture
def environment(ready: Ready, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cloudstore").symlink_to(COMMAND)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    return own_environment(PATH=path, CLOUDSTORE_CONFIG=str(ready.config), TERM="dumb", PS1=PROMPT)


def offers(environment: dict[str, str], line: str, **variables: str) -> list[str]:
    """What the script of bash is given for a line."""
    asked = {"_CLOUDSTORE_COMPLETE": "bash_complete", "COMP_LINE": line, "COMP_WORD": line.rpartition(" ")[2]}
    done = subprocess.run(
        [COMMAND], env=environment | asked | variables, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stderr == ""
    return [value.partition(",")[2] for value in done.stdout.splitlines()]


def offers_at_last(environment: dict[str, str], line: str) -> list[str]:
    """What it is given once something comes in time: Tab gives up after seconds, and a busy machine may need more."""
    return next(found for _ in range(10) if (found := offers(environment, line)))


class Bash:
    """A shell with the script loaded."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        arguments = ["--norc", "--noprofile", "-i"]
        self._shell = pexpect.spawn(
            "/bin/bash",
            arguments,
            cwd=folder,
            env=environment,
            timeout=PATIENCE,
            encoding="utf-8",
            dimensions=(40, 200),
        )
        self._shell.expect_exact(PROMPT)
        for line in ("bind 'set enable-bracketed-paste off'", "source <(cloudstore completion bash)"):
            self._shell.sendline(line)
            self._shell.expect_exact(PROMPT)

    def completed(self, typed: str, wanted: str) -> None:
        """Type something, press Tab, and see the line become what is wanted."""
        self._shell.send(f"{typed}\t")
        for _ in range(9):
            if self._shell.expect_exact([wanted, pexpect.TIMEOUT], timeout=5) == 0:
                break
            self._shell.send("\t")
        else:
            self._shell.expect_exact(wanted)
        # Not an interrupt: one that comes while a completion ends is lost.
        self._shell.send("\x15\r")
        self._shell.expect_exact(PROMPT)

    def close(self) -> None:
        self._shell.close(force=True)


@pytest.fixture
def bash(environment: dict[str, str], tmp_path: Path) -> Iterator[Bash]:
    shell = Bash(environment, tmp_path)
    yield shell
    shell.close()


def test_tab_completes_commands_options_profiles_regions_and_remote_paths_in_bash(bash: Bash) -> None:
    bash.completed("cloudstore rest", "cloudstore restore ")
    bash.completed("cloudstore restore --then", "cloudstore restore --then-get ")
    bash.completed("cloudstore ls acme8", "cloudstore ls acme8:")
    bash.completed("cloudstore ls acme8:us", "cloudstore ls acme8:us-east/")
    bash.completed("cloudstore ls acme:exports/mot", "cloudstore ls acme:exports/motivate/")
    bash.completed("cloudstore acme:imp", "cloudstore acme:imports/")
    bash.completed("cloudstore profile show acme-", "cloudstore profile show acme-v2 ")


def test_tab_completes_local_files_where_they_are_wanted(bash: Bash, tmp_path: Path) -> None:
    (tmp_path / "a plan.csv").touch()
    bash.completed("cloudstore put a\\ p", "cloudstore put a\\ plan.csv ")
    bash.completed("cloudstore put x.csv acme:imp", "cloudstore put x.csv acme:imports/")


def test_saved_searches_are_offered_by_their_names(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[profiles.one]\nprovider = "8x8"\n')
    (tmp_path / "searches.toml").write_text('[yesterday]\nfind = "on:yesterday"\n')
    found = offers(environment, "cloudstore find one @", CLOUDSTORE_CONFIG=str(tmp_path / "config.toml"))
    assert found == ["@yesterday"]


def test_a_listing_is_remembered_for_a_while_and_for_nobody_else(
    environment: dict[str, str], sandbox: Sandbox, ready: Ready
) -> None:
    first = offers_at_last(environment, "cloudstore ls acme:exports/")
    assert len(first) > 3
    sandbox.faults.add("forbidden where=api times=0")
    assert offers(environment, "cloudstore ls acme:exports/") == first
    # Of what is not remembered, a service that fails offers nothing and says nothing.
    assert offers(environment, "cloudstore ls acme:imports/") == []
    folder = Path(environment["HOME"]) / ".local" / "state" / "cloudstore" / "completion"
    (kept,) = folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    written, found = kept.read_text(encoding="utf-8").split("\n", 1)
    kept.write_text(f"{float(written) - 61}\n{found}", encoding="utf-8")
    assert offers(environment, "cloudstore ls acme:exports/") == []


def test_nobody_waits_for_a_service_that_hangs(environment: dict[str, str], sandbox: Sandbox) -> None:
    sandbox.faults.add("stall where=any")
    start = time.monotonic()
    assert offers(environment, "cloudstore ls acme:exports/") == []
    assert time.monotonic() - start < 2 * PROMPTLY


@pytest.mark.parametrize(
    "line", ["cloudstore ls nobody:", "cloudstore ls :", "cloudstore nonsense x", "cloudstore ls 'acme", "cloudstore"]
)
def test_nonsense_offers_nothing_harmful_and_prints_no_error(environment: dict[str, str], line: str) -> None:
    assert "Traceback" not in "".join(offers(environment, line))


def test_a_broken_configuration_offers_no_profiles(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[[[")
    assert offers(environment, "cloudstore ls ac", CLOUDSTORE_CONFIG=str(tmp_path / "config.toml")) == []


def test_commands_are_offered_without_loading_services_or_the_screen() -> None:
    code = (
        "import os, sys\n"
        "os.environ.update({'_CLOUDSTORE_COMPLETE': 'bash_complete', 'COMP_LINE': 'cloudstore ls --'})\n"
        "os.environ['COMP_WORD'] = '--'\n"
        "from cloudstore_tui.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(sorted({'textual', 'pycurl'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "--json" in done.stdout
    assert done.stderr == "[]\n"

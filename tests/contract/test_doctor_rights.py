"""`doctor` about rights and doubts: what works, but not in everything."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudstore_tui.sandbox.eightbyeight import KEYS
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.environment import own_environment

READER = KEYS[2]
Doctor = Callable[[str], tuple[int, str]]


@pytest.fixture
def config(ready: Ready, tmp_path: Path) -> Path:
    for path in ready.config.parent.glob("acme*.*"):
        shutil.copy2(path, tmp_path / path.name)
    return Path(shutil.copy2(ready.config, tmp_path / "config.toml"))


@pytest.fixture
def doctor(config: Path, tmp_path: Path) -> Doctor:
    def run(profile: str) -> tuple[int, str]:
        home = tmp_path / "home"
        home.mkdir()
        environment = own_environment(home, CLOUDSTORE_CONFIG=str(config))
        command = [sys.executable, "-m", "cloudstore_tui", "doctor", profile]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


@pytest.fixture
def clock_90_seconds_off(sandbox: Sandbox) -> Iterator[None]:
    sandbox.world.clock.offset = 90
    yield
    sandbox.world.clock.offset = 0


def test_a_key_that_only_reads_in_a_profile_that_may_write_is_a_warning(
    doctor: Doctor, config: Path, sandbox: Sandbox
) -> None:
    config.write_text(config.read_text().replace("acme8-edit", READER.client_id))
    (config.parent / "acme8.secret").write_text(READER.secret(sandbox.world))
    code, out = doctor("acme8")
    assert code == 0
    assert re.search(r"warn  acme8 level .*take one of the level edit\n +Make a key of the level edit", out)


def test_a_read_only_profile_is_not_tried_for_writing(doctor: Doctor, config: Path, sandbox: Sandbox) -> None:
    config.write_text(config.read_text().replace("read_only = false", "read_only = true"))
    sandbox.log.clear()
    code, out = doctor("acme8")
    assert code == 0
    assert "level" not in out
    assert {seen.method for seen in sandbox.log.requests if not seen.path.endswith("/token")} == {"GET"}


def test_without_a_scope_for_imports_nothing_can_be_uploaded(doctor: Doctor, config: Path) -> None:
    config.write_text(config.read_text().replace(', "mediastorageapi.imports"', ""))
    code, out = doctor("acme")
    assert code == 0
    assert re.search("ok    acme uploads .*nothing can be uploaded", out)


@pytest.mark.usefixtures("clock_90_seconds_off")
def test_a_clock_that_is_off_by_little_is_a_warning(doctor: Doctor) -> None:
    code, out = doctor("acme8")
    assert code == 0
    assert re.search(r"warn  acme8 clock .*clock is (8|9)\d s behind\n +Set it", out)


def test_a_configuration_that_a_group_can_write_is_a_warning(doctor: Doctor, config: Path) -> None:
    config.chmod(0o660)
    code, out = doctor("acme8")
    assert code == 0
    assert re.search(r"warn  configuration .*others can write it\n +Run: chmod go-w ", out)

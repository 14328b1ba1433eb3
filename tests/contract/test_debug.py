"""The log of a run: what was asked of whom, and nothing secret."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.cli.main import begin_log
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.net.logs import LOG, start_logging, stop_logging

Run = Callable[..., Any]
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z DEBUG wire: (GET|POST|PUT|DELETE) 127\.0\.0\.1:?\d*/\S* "
    r"-> (\d{3}, \d+ bytes|\w+), \d+\.\d{3} s, attempt \d+"
)


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    stop_logging()


@pytest.fixture
def secrets(config: Config) -> set[str]:
    """Everything secret that the sandbox's profiles hold."""
    found = set()
    for profile in config.profiles.values():
        for name in ("secret", "api_key"):
            with suppress(StorageError):  # not every profile has both
                found.add(profile.secrets(name).reveal())
    assert found
    return found


def check(log: str, secrets: set[str]) -> None:
    wire = [line for line in log.splitlines() if " wire: " in line]
    assert wire
    assert all(LINE.fullmatch(line) for line in wire), wire
    assert not [secret for secret in secrets if secret in log]
    assert not re.search(r"Signature|Bearer|Basic|eyJ|\?.*=", log)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_tells_every_request_on_standard_error(cloudstore: Run, secrets: set[str], place: int) -> None:
    arguments = ["find", "acme8:", "--limit", "2"]
    arguments.insert(place, "--debug")
    result = cloudstore(*arguments)
    assert result.code == 0
    assert "wire" not in result.out
    check("\n".join(line for line in result.err.splitlines() if " wire: " in line), secrets)
    assert "POST 127.0.0.1" in result.err


def test_a_download_is_logged_with_its_bytes_and_without_its_signature(
    cloudstore: Run, secrets: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.txt"
    log.touch(0o644)
    monkeypatch.setenv("CLOUDSTORE_LOG", str(log))
    found = cloudstore("find", "acme8:us-east", "--limit", "1", "--json").records[0]
    result = cloudstore("get", f"acme8:us-east/{found['id']}", "--to", str(tmp_path))
    assert result.code == 0
    assert "wire" not in result.out + result.err
    check(log.read_text(), secrets)
    assert re.search(rf"-> 20[06], {found['size']} bytes", log.read_text())
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["missing folder", "folder", "pipe"])
def test_a_log_that_cannot_be_written_is_said_before_anything_is_done(
    cloudstore: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    log = tmp_path / "no" / "log" if kind == "missing folder" else tmp_path / "log"
    if kind == "folder":
        log.mkdir()
    elif kind == "pipe":
        os.mkfifo(log)
    monkeypatch.setenv("CLOUDSTORE_LOG", str(log))
    result = cloudstore("ls", "acme:")
    assert (result.code, result.out) == (2, "")
    assert str(log) in result.err


def test_beside_the_browser_the_log_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.delenv("CLOUDSTORE_LOG", raising=False)
    monkeypatch.setattr("cloudstore_tui.config.paths.state_folder", lambda: tmp_path / "state")
    begin_log(beside_screen=True)
    LOG.debug("a decision with a token: Bearer canary")
    stop_logging()
    log = tmp_path / "state" / "cloudstore.log"
    assert "a decision" in log.read_text()
    assert "canary" not in log.read_text()
    assert str(log) in capfd.readouterr().err
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_line_break_in_a_name_begins_no_line(tmp_path: Path) -> None:
    start_logging(tmp_path / "log")
    LOG.debug("name %s", "a\n2026-01-01T00:00:00.000Z DEBUG wire: forged")
    stop_logging()
    assert len((tmp_path / "log").read_text().splitlines()) == 1

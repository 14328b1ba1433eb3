"""From an empty HOME to a listing in a terminal, by keys alone and following only what the screen says."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.sandbox.server import Ready

Open = Callable[..., Any]

TAB, LEFT, RIGHT, ENTER, CLEAR, ESCAPE = "\t", "\x1b[D", "\x1b[C", "\r", "\x15", "\x1b"


@pytest.mark.parametrize("environment", [{}, {"TERM": "linux", "NO_COLOR": "1"}])
def test_somebody_with_keys_browses_within_three_minutes(
    terminal: Open, ready: Ready, tmp_path: Path, environment: dict[str, str]
) -> None:
    begun = time.monotonic()
    secret = (ready.config.parent / "acme8.secret").read_text().strip()
    shown = terminal(**environment)
    shown.wait_for("Where do you want to begin")
    shown.press("2")
    shown.wait_for("> Name")
    shown.press("mine", TAB)
    shown.wait_for("> Service")
    shown.press(RIGHT)
    shown.wait_for("Regions")
    shown.press(TAB, "acme8-edit", TAB, TAB, TAB)
    shown.wait_for("> Secret")
    shown.press(secret, TAB, TAB)
    shown.wait_for("> Advanced options")
    shown.press(RIGHT)
    shown.wait_for("API address")
    shown.press(TAB, CLEAR, ready.base_url, TAB, TAB, ENTER)
    shown.wait_for("Saved as mine")
    shown.press(ENTER)
    shown.wait_for("us-east")
    assert time.monotonic() - begun < 180
    assert secret.encode() not in shown.sent
    shown.press("q")
    assert shown.end() == 0
    shown.check_restored()
    files = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert files["config.toml"] == files["mine.secret"] == 0o600


def test_somebody_without_keys_goes_on_with_the_sandbox_and_nothing_is_written(terminal: Open, tmp_path: Path) -> None:
    shown = terminal()
    shown.wait_for("Where do you want to begin")
    shown.press("1")
    shown.wait_for(r"1  acme8 .*8x8")
    shown.press("q")
    assert shown.end() == 0
    assert not list(tmp_path.rglob("config.toml"))


def test_a_path_without_a_profile_is_an_error_and_no_welcome(terminal: Open) -> None:
    shown = terminal("acme:exports/")
    assert shown.end() == 2
    assert b"no profile called acme" in shown.sent


def test_escape_never_ends_the_program(terminal: Open) -> None:
    shown = terminal()
    shown.wait_for("Where do you want to begin")
    shown.press("2")
    shown.wait_for("> Name")
    shown.press(ESCAPE)
    shown.wait_for("Where do you want to begin")
    shown.press(ESCAPE)
    assert shown.read()
    shown.press("q")
    assert shown.end() == 0

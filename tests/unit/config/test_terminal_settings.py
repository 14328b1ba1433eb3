"""What the configuration says about the terminal."""

from pathlib import Path

import pytest

from cloudstore_tui.cli.browser import with_options
from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.ui.terminal.driver import is_low_bandwidth

OVER_SSH = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}


def read(folder: Path, text: str) -> Config:
    file = folder / "config.toml"
    file.write_text(f"[settings]\n{text}\n")
    file.chmod(0o600)
    return load_config(file, PROVIDERS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "auto"),
        ('low_bandwidth = "auto"', "auto"),
        ("low_bandwidth = true", "true"),
        ("low_bandwidth = false", "false"),
    ],
)
def test_low_bandwidth_is_auto_true_or_false(tmp_path: Path, text: str, wanted: str) -> None:
    assert read(tmp_path, text).settings.low_bandwidth == wanted


@pytest.mark.parametrize("text", ['low_bandwidth = "often"', "low_bandwidth = 3", 'mouse = "no"'])
def test_anything_else_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"low_bandwidth|mouse") as caught:
        read(tmp_path, text)
    assert "config.toml" in caught.value.subject


def test_the_mouse_can_be_left_to_the_terminal(tmp_path: Path) -> None:
    assert read(tmp_path, "").settings.mouse
    assert not read(tmp_path, "mouse = false").settings.mouse


def test_options_win_over_settings(tmp_path: Path) -> None:
    config = read(tmp_path, "low_bandwidth = true")
    assert with_options(config, no_mouse=False, low_bandwidth=None) == config
    asked = with_options(config, no_mouse=True, low_bandwidth=False).settings
    assert (asked.mouse, asked.low_bandwidth) == (False, "false")


@pytest.mark.parametrize(
    ("wanted", "environment", "thin"),
    [
        ("auto", {}, False),
        ("auto", OVER_SSH, True),
        ("false", OVER_SSH, False),
        ("true", {}, True),
        ("auto", {"SSH_CONNECTION": ""}, False),
    ],
)
def test_auto_spares_the_line_over_ssh(wanted: str, environment: dict[str, str], thin: bool) -> None:
    assert is_low_bandwidth(wanted, environment) is thin

"""Paths as people write them, and files that are not to be read."""

import os
from pathlib import Path

import pytest

from cloudstore_tui.config.paths import user_path
from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.providers import PROVIDERS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CALLS", "of march")
    monkeypatch.delenv("NOTHING", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~", "@"),
        ("~/calls", "@/calls"),
        ("$HOME/dl", "@/dl"),
        ("${HOME}/dl", "@/dl"),
        ("x/$CALLS/y", "x/of march/y"),
        ("$NOTHING/x", "$NOTHING/x"),
        ("a~/b", "a~/b"),
        ("100$", "100$"),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
        (".", "."),
    ],
)
def test_a_path_means_what_a_shell_would_make_of_it(home: Path, text: str, path: str) -> None:
    assert user_path(text) == Path(path.replace("@", str(home)))


def test_a_file_that_is_there_just_as_it_is_written_is_meant(home: Path) -> None:
    Path("$CALLS").touch()
    assert user_path("$CALLS") == Path("$CALLS")


def test_the_folder_for_downloads_may_name_a_variable(home: Path) -> None:
    Path("config.toml").write_text('[settings]\ndownload_dir = "$HOME/dl"\n')
    assert load_config(Path("config.toml"), PROVIDERS).settings.download_dir == home / "dl"


def test_a_configuration_that_anybody_may_change_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    load_config(path, PROVIDERS)
    path.chmod(0o646)
    with pytest.raises(ConfigError, match="chmod o-w"):
        load_config(path, PROVIDERS)
    path.chmod(0o600)
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        load_config(path, PROVIDERS)
    assert caught.value.subject == str(tmp_path)
    tmp_path.chmod(0o1777)
    assert not load_config(path, PROVIDERS).profiles


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_configuration_of_another_user_is_for_root_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    os.chown(path, 12_345, -1)
    assert not load_config(path, PROVIDERS).profiles
    monkeypatch.setattr(os, "getuid", lambda: 12_346)
    with pytest.raises(ConfigError, match="another user"):
        load_config(path, PROVIDERS)


def test_a_configuration_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml", 0o600)
    with pytest.raises(ConfigError, match="regular file"):
        load_config(tmp_path / "config.toml", PROVIDERS)


def test_networks_that_are_none_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = '[profiles.a]\nprovider = "8x8"\nclient_id = "x"\nallow_networks = ["10.20.0.0/16", "ten"]\n'
    path.write_text(text)
    with pytest.raises(ConfigError, match="'ten' is not a network") as caught:
        load_config(path, PROVIDERS)
    assert caught.value.subject == f"{path}:4"
    path.write_text(text.replace(', "ten"', ""))
    assert load_config(path, PROVIDERS).profile("a").texts("allow_networks") == ("10.20.0.0/16",)

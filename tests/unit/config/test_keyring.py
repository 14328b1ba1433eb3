"""The keyring may be missing, locked, forgetful, or silent for ever."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudstore_tui.config import secrets
from cloudstore_tui.config.secrets import SecretSources, clear_keyring, keyring_trouble, read_keyring, write_keyring
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.profile import Secret
from tests.support.waiting import PROMPTLY

Install = Callable[[str], None]


def test_what_is_written_can_be_read_and_cleared(keyring: Install, tmp_path: Path) -> None:
    keyring("works")
    assert keyring_trouble() == ""
    write_keyring("cloudstore:acme", "secret", Secret("s3cret"))
    assert read_keyring("cloudstore:acme", "secret") == "s3cret"
    assert SecretSources("acme", {}, tmp_path)("secret").reveal() == "s3cret"
    assert clear_keyring("cloudstore:acme", "secret")
    assert not clear_keyring("cloudstore:acme", "secret")
    assert read_keyring("cloudstore:acme", "secret") is None


def test_a_keyring_that_hangs_is_given_up_after_three_seconds(keyring: Install, tmp_path: Path) -> None:
    keyring("hangs")
    begun = time.monotonic()
    with pytest.raises(ConfigError, match="the keyring did not answer within 3 seconds"):
        SecretSources("acme", {}, tmp_path)("secret")
    assert 2.9 < time.monotonic() - begun < PROMPTLY
    assert "does not answer" in keyring_trouble()
    assert time.monotonic() - begun < PROMPTLY


def test_a_locked_keyring_tells_nothing_of_what_it_holds(keyring: Install) -> None:
    keyring("locked")
    with pytest.raises(ConfigError, match="keyring: is locked or cannot be used") as caught:
        read_keyring("cloudstore:acme", "secret")
    assert "s3cret" not in str(caught.value)


def test_a_keyring_that_forgets_is_found_out_at_once(keyring: Install) -> None:
    keyring("forgets")
    with pytest.raises(ConfigError, match="did not keep"):
        write_keyring("cloudstore:acme", "secret", Secret("s3cret"))


def test_a_machine_without_one_says_so(keyring: Install) -> None:
    keyring("none")
    assert "there is none" in keyring_trouble()


def test_a_library_that_is_not_installed_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "has_keyring", lambda: False)
    assert "uv tool install" in keyring_trouble()

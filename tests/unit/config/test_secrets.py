"""Where secrets come from, in which order, and what is said of those that cannot be."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudstore_tui.config import secrets
from cloudstore_tui.config.secrets import (
    SecretSources,
    clean_secret,
    clear_keyring,
    keyring_problem,
    read_keyring,
    write_keyring,
)
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.profile import Secret
from tests.support.waiting import PROMPTLY

VARIABLE = "CLOUDSTORE_MY_ACME_SECRET"


def sources(folder: Path, **options: str) -> SecretSources:
    return SecretSources("my-acme", options, folder)


def private(folder: Path, text: str) -> str:
    path = folder / "a.secret"
    path.write_text(text)
    path.chmod(0o600)
    return path.name


def test_the_environment_comes_first_and_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from-environment")
    known = sources(tmp_path, secret_command="echo from-command", secret_file=private(tmp_path, "from-file"))
    assert known("secret").reveal() == "from-environment"
    assert VARIABLE not in os.environ
    assert known("secret").reveal() == "from-environment"


def test_a_command_comes_before_a_file(tmp_path: Path) -> None:
    known = sources(tmp_path, secret_command="echo from-command", secret_file=private(tmp_path, "from-file"))
    assert known("secret").reveal() == "from-command"
    assert sources(tmp_path, secret_file="a.secret")("secret").reveal() == "from-file"


def test_a_command_sees_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "s3cret")
    known = sources(tmp_path, api_key_command="env")
    known("secret")
    with pytest.raises(ConfigError, match="line break") as caught:
        known("api_key")
    assert "s3cret" not in str(caught.value)
    assert VARIABLE not in os.environ


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    name = private(tmp_path, "s")
    (tmp_path / name).chmod(0o640)
    with pytest.raises(ConfigError, match="others can read it"):
        sources(tmp_path, secret_file=name)("secret")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("one\ntwo", "line break"),
        ("a\x1b[31m", "control character"),
        (" padded", "blank"),
        ("padded ", "blank"),
        ('"quoted"', "in quotes"),
        ("“quoted”", "in quotes"),
        ("naïve", "cannot be sent"),
    ],
)
def test_what_got_into_a_secret_by_copying_is_named_without_the_secret(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        clean_secret(text, "client secret")
    assert text.strip() == "" or text.strip() not in str(caught.value)


@pytest.mark.parametrize("text", ["plain", "plain\n", "plain\r\n", 'a"b', "'half", "with blank inside"])
def test_everything_else_is_sent_as_it_is(text: str) -> None:
    assert clean_secret(text, "client secret").reveal() == text.rstrip("\r\n")


def test_the_source_of_a_secret_that_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"profile my-acme: the client secret is in quotes \(secret_command\)"):
        sources(tmp_path, secret_command="echo '\"s\"'")("secret")


def test_without_any_source_the_error_names_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=VARIABLE):
        sources(tmp_path)("secret")


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("cat ~/secret", "~/secret"),
        ("cat secret | head -1", "|"),
        ("echo $TOKEN", "$TOKEN"),
        ('echo "${TOKEN}"', "${TOKEN"),
        ("echo $(cat secret)", "$(cat"),
        ("echo `cat secret`", "`"),
        ("cat secret; true", ";"),
        ("cat < secret", "<"),
    ],
)
def test_a_command_that_only_a_shell_understands_is_refused_before_it_runs(
    tmp_path: Path, command: str, sign: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        sources(tmp_path, secret_command=command)("secret")
    assert f"has {sign}, which only a shell understands" in str(caught.value)
    assert "sh -c" in caught.value.hint


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        ("sh -c 'echo one | cat'", "one"),
        ("printf %s 'a$b'", "a$b"),
        ('printf %s "a|b~c;d"', "a|b~c;d"),
        ("printf %s a~b", "a~b"),
        ("printf %s op://vault/item?attribute=otp", "op://vault/item?attribute=otp"),
    ],
)
def test_what_is_quoted_or_means_nothing_to_a_shell_is_started(tmp_path: Path, command: str, secret: str) -> None:
    assert sources(tmp_path, secret_command=command)("secret").reveal() == secret


def test_the_error_of_a_failing_command_has_its_own_words(tmp_path: Path) -> None:
    command = r"""sh -c 'printf "\033[31mvault is locked" >&2; exit 3'"""
    with pytest.raises(ConfigError) as caught:
        sources(tmp_path, secret_command=command)("secret")
    assert "ended with code 3, and said: " in caught.value.message
    assert "vault is locked" in caught.value.message
    assert "\x1b" not in str(caught.value)


def test_a_command_sees_no_secret_of_any_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_OTHER_SECRET", "s3cret")
    monkeypatch.setenv("CLOUDSTORE_OTHER_API_KEY", "k3y")
    monkeypatch.setenv("CLOUDSTORE_CONFIG", "kept")
    command = """sh -c 'echo "$CLOUDSTORE_OTHER_SECRET,$CLOUDSTORE_OTHER_API_KEY,$CLOUDSTORE_CONFIG"'"""
    assert sources(tmp_path, secret_command=command)("secret").reveal() == ",,kept"


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="regular file"):
        sources(tmp_path, secret_file="pipe")("secret")


def test_a_file_that_is_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than"):
        sources(tmp_path, secret_file=private(tmp_path, "x" * 70_000))("secret")


# The keyring, which may be missing, locked, forgetful, or silent for ever


Install = Callable[[str], None]


def test_what_is_written_can_be_read_and_cleared(keyring: Install, tmp_path: Path) -> None:
    keyring("works")
    assert keyring_problem() == ""
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
    assert "does not answer" in keyring_problem()
    assert time.monotonic() - begun < PROMPTLY


def test_a_locked_keyring_reveals_nothing(keyring: Install) -> None:
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
    assert "there is none" in keyring_problem()


def test_a_library_that_is_not_installed_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "has_keyring", lambda: False)
    assert "uv tool install" in keyring_problem()

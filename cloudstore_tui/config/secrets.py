"""Where a profile's secrets come from.

Sources, in this order: the environment (`CLOUDSTORE_<PROFILE>_SECRET`), a command (`secret_command`), a file
(`secret_file`, readable by its owner only), the keyring. The first that is there wins; a source that is configured and
fails is an error, never a silent step to the next.
"""

import os
import re
import shlex
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloudstore_tui.config.keyring_access import has_keyring, read_keyring
from cloudstore_tui.config.paths import read_bounded, user_path
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.core.text import plain

COMMAND_PATIENCE = 30.0
"""Seconds a secret command may take; it may ask a password manager that asks the user."""
LARGEST_SECRET = 64_000
"""Bytes."""

LONGEST_COMPLAINT = 200
"""Characters of what a command says that are shown."""

_NO_SHELL = "It is started without a shell: where it needs ~, | or $, write sh -c '…'."
_SINGLE_QUOTED = re.compile(r"'[^']*'|\\\\.")
_DOUBLE_QUOTED = re.compile(r'"[^"]*"')
_EXPANDED = re.compile(r"\$[A-Za-z_{(][A-Za-z0-9_]*|`")
_SHELL_ONLY = re.compile(r"(?:^|\s)~[^\s]*|[|;<>]|&")
_SECRET_VARIABLE = re.compile(r"CLOUDSTORE_[A-Z0-9_]*_(?:SECRET|API_KEY)")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


@dataclass(frozen=True, slots=True)
class SecretSources:
    """Reads the secrets of one profile, each from the first source that has it."""

    profile: str
    options: Mapping[str, str]
    """The profile's `…_file` and `…_command` keys."""
    folder: Path
    """Relative file names start here: the folder of the configuration file."""
    _found: dict[str, tuple[Secret, str]] = field(default_factory=dict, repr=False)
    """What was read already: a command is run once, and a variable is taken out of our own environment."""

    def __call__(self, name: str) -> Secret:
        """The secret called `name` (`secret` or `api_key`).

        Raises:
            ConfigError: no source has it, or the one that is configured cannot be used.
        """
        if name not in self._found:
            text, source = self._find(name)
            try:
                self._found[name] = (clean_secret(text, spoken(name)), source)
            except ConfigError as error:
                place = f"profile {self.profile}"
                raise ConfigError(f"{error.message} ({source})", subject=place, hint=error.hint) from None
            os.environ.pop(variable_of(self.profile, name), None)
        return self._found[name][0]

    def describe(self, name: str) -> str:
        """Which source gives the secret, without its value."""
        try:
            self(name)
        except ConfigError as error:
            return str(error)
        return self._found[name][1]

    def _find(self, name: str) -> tuple[str, str]:
        variable = variable_of(self.profile, name)
        if (value := os.environ.get(variable)) is not None:
            return value, f"environment {variable}"
        if command := self.options.get(f"{name}_command"):
            return self._run(name, command), f"{name}_command"
        if file := self.options.get(f"{name}_file"):
            path = self.folder / user_path(file)
            return _read_private(path), f"file {path}"
        return self._ask_keyring(name), "keyring"

    def _ask_keyring(self, name: str) -> str:
        """The last source: where it fails, too, all of them are told."""
        why = "" if has_keyring() else " (there is no keyring: its library is not installed)"
        try:
            found = read_keyring(keyring_service(self.profile), name) if not why else None
        except ConfigError as error:
            found, why = None, f" (the keyring {error.message})"
        if found is None:
            variable = variable_of(self.profile, name)
            raise ConfigError(
                f"no {spoken(name)} found for profile {self.profile}{why}",
                hint=f"Set {variable}, or {name}_file or {name}_command under [profiles.{self.profile}].",
            )
        return found

    def _run(self, name: str, command: str) -> str:
        subject = f"{name}_command of profile {self.profile}"
        _check_command(command, subject)
        try:
            done = subprocess.run(
                shlex.split(command),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=COMMAND_PATIENCE,
                check=False,
                env=child_environment(),
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"did not answer within {COMMAND_PATIENCE:.0f} seconds", subject=subject) from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"could not be started: {error}", subject=subject, hint=_NO_SHELL) from None
        if done.returncode:
            said = plain(" ".join(done.stderr.split()), LONGEST_COMPLAINT)
            raise ConfigError(
                f"ended with code {done.returncode}" + (f", and said: {said}" if said else ""),
                subject=subject,
                hint=_NO_SHELL,
            )
        return done.stdout


def _check_command(command: str, subject: str) -> None:
    """Refuse what only a shell would understand: without one, `$TOKEN` would be sent as the secret."""
    unquoted = _SINGLE_QUOTED.sub("", command)
    found = _EXPANDED.search(unquoted) or _SHELL_ONLY.search(_DOUBLE_QUOTED.sub("", unquoted))
    if found:
        raise ConfigError(
            f"has {found.group().strip()}, which only a shell understands", subject=subject, hint=_NO_SHELL
        )


def child_environment() -> dict[str, str]:
    """The environment for a program of the user's: without the secrets of any profile."""
    return {name: value for name, value in os.environ.items() if not _SECRET_VARIABLE.fullmatch(name)}


def variable_of(profile: str, name: str) -> str:
    """The variable of the environment that may hold a secret."""
    return f"CLOUDSTORE_{re.sub(r'[^A-Z0-9]', '_', profile.upper())}_{name.upper()}"


def keyring_service(profile: str) -> str:
    """What the keyring files the secrets of a profile under."""
    return f"cloudstore:{profile}"


def spoken(name: str) -> str:
    """What a secret is called in a sentence."""
    return "client secret" if name == "secret" else name.replace("_", " ")


def clean_secret(text: str, what: str) -> Secret:
    """A secret as it is sent; line breaks at its end belong to files.

    Raises:
        ConfigError: it is empty, or holds what got into it by copying.
    """
    cleaned = text.rstrip("\r\n")
    wrong = ""
    if not cleaned.strip():
        wrong = "is empty"
    elif any(ord(character) < 0x20 or ord(character) == 0x7F for character in cleaned):
        wrong = "holds a line break or another control character"
    elif cleaned != cleaned.strip():
        wrong = "begins or ends with a blank"
    elif cleaned[0] in _QUOTES and cleaned[-1] in _QUOTES:
        wrong = "is in quotes"
    elif not cleaned.isascii():
        wrong = "holds a character that cannot be sent"
    if wrong:
        raise ConfigError(f"the {what} {wrong}", hint="Store exactly the text that the service shows, on one line.")
    return Secret(cleaned)


def _read_private(path: Path) -> str:
    data = read_bounded(path, LARGEST_SECRET, "the secret file")
    status = path.stat()
    if os.name == "posix" and (status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.getuid()):
        raise ConfigError(
            "holds a secret but others can read it",
            subject=str(path),
            hint=f"Run: chmod 600 {shlex.quote(str(path))}",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError("the secret file is not UTF-8 text", subject=str(path)) from None

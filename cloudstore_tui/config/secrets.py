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
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.secret import Secret

KEYRING_PATIENCE = 3.0
"""Seconds: a keyring without a desktop session may hang for ever on D-Bus."""
COMMAND_PATIENCE = 30.0
"""Seconds a secret command may take; it may ask a password manager that asks the user."""
LARGEST_SECRET = 64_000
"""Bytes."""


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
            if text is None:
                raise ConfigError(
                    f"no {_spoken(name)} found for profile {self.profile}",
                    cure=f"Set {self._variable(name)}, "
                    f"or {name}_file or {name}_command under [profiles.{self.profile}].",
                )
            self._found[name] = (Secret(self._cleaned(name, text)), source)
            os.environ.pop(self._variable(name), None)
        return self._found[name][0]

    def describe(self, name: str) -> str:
        """Which source gives the secret, without its value."""
        try:
            self(name)
        except ConfigError as error:
            return str(error)
        return self._found[name][1]

    def _find(self, name: str) -> tuple[str | None, str]:
        variable = self._variable(name)
        if (value := os.environ.get(variable)) is not None:
            return value, f"environment {variable}"
        if command := self.options.get(f"{name}_command"):
            return self._run(name, command), f"{name}_command"
        if file := self.options.get(f"{name}_file"):
            path = self.folder / Path(file).expanduser()
            return _read_private(path), f"file {path}"
        return _ask_keyring(f"cloudstore:{self.profile}", name), "keyring"

    def _variable(self, name: str) -> str:
        profile = re.sub(r"[^A-Z0-9]", "_", self.profile.upper())
        return f"CLOUDSTORE_{profile}_{name.upper()}"

    def _run(self, name: str, command: str) -> str:
        place = f"{name}_command of profile {self.profile}"
        try:
            done = subprocess.run(
                shlex.split(command), capture_output=True, text=True, timeout=COMMAND_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"did not answer within {COMMAND_PATIENCE:.0f} seconds", place=place) from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"could not be started: {error}", place=place) from None
        if done.returncode:
            raise ConfigError(f"ended with code {done.returncode}", place=place, cure="Run it by hand to see why.")
        return done.stdout

    def _cleaned(self, name: str, text: str) -> str:
        cleaned = text.rstrip("\r\n")
        if not cleaned or any(ord(character) < 0x20 or ord(character) == 0x7F for character in cleaned):
            raise ConfigError(
                f"the {_spoken(name)} of profile {self.profile} is empty or holds a line break",
                cure="Store exactly the text that the service shows, on one line.",
            )
        return cleaned


def _read_private(path: Path) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if os.name == "posix" and (status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.getuid()):
                raise ConfigError(
                    "holds a secret but others can read it",
                    place=str(path),
                    cure=f"Run: chmod 600 {shlex.quote(str(path))}",
                )
            return file.read(LARGEST_SECRET).decode()
    except OSError as error:
        raise ConfigError(f"the secret file cannot be read: {error.strerror}", place=str(path)) from None
    except UnicodeDecodeError:
        raise ConfigError("the secret file is not UTF-8 text", place=str(path)) from None


def _ask_keyring(service: str, name: str) -> str | None:
    if find_spec("keyring") is None:
        return None
    answer: list[str | None] = []

    def ask() -> None:
        # Optional and slow to import: only when no other source has the secret.
        import keyring
        import keyring.errors

        try:
            answer.append(keyring.get_password(service, name))
        except keyring.errors.KeyringError:
            answer.append(None)

    # A thread that may be left behind: a keyring waiting for D-Bus cannot be interrupted.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_PATIENCE)
    return answer[0] if answer else None


def _spoken(name: str) -> str:
    return "client secret" if name == "secret" else name.replace("_", " ")

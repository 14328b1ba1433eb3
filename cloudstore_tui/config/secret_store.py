"""Where a new profile keeps its secrets, and how they get there and away again."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from cloudstore_tui.config.keyring_access import clear_keyring, has_keyring, write_keyring
from cloudstore_tui.config.paths import user_path
from cloudstore_tui.config.secrets import keyring_service, spoken, variable_of
from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.profile import Profile, SecretField
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.fs.private_file import write_private

_MOST_NAMES = 100


class Store(StrEnum):
    """Where secrets are kept."""

    KEYRING = "keyring"
    FILE = "file"
    COMMAND = "command"
    ENVIRONMENT = "env"


EXPLANATIONS: Mapping[Store, str] = {
    Store.KEYRING: "The keyring of your desktop: the safest place; needs a session that is logged in.",
    Store.FILE: "A file beside the configuration that only you can read. Works everywhere.",
    Store.COMMAND: "A program of yours prints it, such as `pass show cloudstore` or `op read op://…`.",
    Store.ENVIRONMENT: "A variable of the environment that you set each time, as schedulers and containers do.",
}
"""What to know before choosing one."""


def keep_secrets(store: Store, profile: str, secrets: Mapping[str, Secret], folder: Path) -> dict[str, str]:
    """Put the secrets of a profile away; what the profile has to say about them.

    Raises:
        ConfigError: the keyring cannot be used.
        LocalDiskError: a file cannot be written.
    """
    options: dict[str, str] = {}
    for name, secret in secrets.items():
        if store is Store.KEYRING:
            write_keyring(keyring_service(profile), name, secret)
        elif store is Store.FILE:
            path = _free(folder, f"{profile}.{name}")
            write_private(path, f"{secret.reveal()}\n")
            options[f"{name}_file"] = path.name
    return options


def take_back(
    profile: str, options: Mapping[str, str], folder: Path, names: Iterable[str], used: Collection[Path] = ()
) -> list[str]:
    """Remove what `keep_secrets` put away; sentences about what was removed and what was left.

    Args:
        profile: its name.
        options: its `…_file` and `…_command` keys.
        folder: of the configuration.
        names: of its secrets.
        used: files that other profiles read.
    """
    told: list[str] = []
    for name in names:
        if command := options.get(f"{name}_command"):
            told.append(f"Left alone: {name}_command, which was {command}")
        elif file := options.get(f"{name}_file"):
            path = file_of(file, folder)
            # A file of the user's own is named by where it is, never by a bare name.
            kept = path in used or not re.fullmatch(rf"{re.escape(profile)}\.{name}(-\d+)?", file)
            told.append(f"Left alone: the file {path}" if kept else _remove_file(path))
        elif has_keyring():
            told.append(_remove_from_keyring(profile, name))
    return [sentence for sentence in told if sentence]


def variables(profile: str, fields: Iterable[SecretField]) -> list[str]:
    """The variables of the environment that the profile looks for."""
    return [variable_of(profile, field.name) for field in fields]


def sources_of(profile: Profile, fields: Iterable[SecretField]) -> dict[str, str]:
    """The `…_file` and `…_command` keys of a profile."""
    names = [f"{field.name}_{kind}" for field in fields for kind in ("file", "command")]
    return {name: profile.text(name) for name in names if profile.text(name)}


def file_of(file: str, folder: Path) -> Path:
    """The file that a `…_file` key means; `folder` is that of the configuration."""
    return folder / user_path(file)


def _remove_file(path: Path) -> str:
    try:
        path.unlink()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"The file {path} could not be removed: {error.strerror}"
    return f"Removed the file {path}"


def _remove_from_keyring(profile: str, name: str) -> str:
    try:
        return f"Removed the {spoken(name)} from the keyring" if clear_keyring(keyring_service(profile), name) else ""
    except ConfigError as error:
        return f"The {spoken(name)} may still be in the keyring, which {error.message}"


def _free(folder: Path, name: str) -> Path:
    """A name that no file has: what is there may be somebody's only copy."""
    for number in range(1, _MOST_NAMES):
        path = folder / (name if number == 1 else f"{name}-{number}")
        # A link that leads nowhere would be followed.
        if not os.path.lexists(path):
            return path
    raise LocalDiskError(
        "there are too many files of this name", subject=str(folder / name), hint="Remove some of them."
    )

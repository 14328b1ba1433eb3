"""The sources of a profile's secrets.

In this order: the environment (`CLOUDSTORE_<PROFILE>_SECRET`), a command (`secret_command`), a file (`secret_file`,
readable by its owner only), the keyring. The first one that is configured is used; if it fails, that is an error, and
no other source is tried.
"""

import os
import re
import shlex
import stat
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from cloudstore_tui.config.paths import read_bounded, user_path
from cloudstore_tui.core.errors import ConfigError, LocalDiskError, no_more_threads
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.spec import SecretField
from cloudstore_tui.core.text import plain
from cloudstore_tui.fs.whole_file import write_whole

COMMAND_TIMEOUT_S = 30.0
"""Time for a secret command, which may be a password manager that asks the user."""
MAX_SECRET_BYTES = 64_000
"""Bytes."""

MAX_MESSAGE_CHARS = 200
"""Characters of a command's error output that are shown."""

_NO_SHELL = "It is started without a shell: where it needs ~, | or $, write sh -c '…'."
_SINGLE_QUOTED = re.compile(r"'[^']*'|\\.")
_DOUBLE_QUOTED = re.compile(r'"[^"]*"')
_EXPANDED = re.compile(r"\$[A-Za-z_{(][A-Za-z0-9_]*|`")
_SHELL_ONLY = re.compile(r"(?:^|\s)~[^\s]*|[|;<>]|&")
_SECRET_VARIABLE = re.compile(r"CLOUDSTORE_[A-Z0-9_]*_(?:SECRET|API_KEY)")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


class SecretSources:
    """Reads the secrets of one profile, each from its first source."""

    def __init__(self, profile: str, options: Mapping[str, str], folder: Path) -> None:
        """Read nothing yet.

        Args:
            profile: its name.
            options: its `…_file` and `…_command` keys.
            folder: the folder of the configuration, in which relative file names are looked up.
        """
        self.profile = profile
        self.options = options
        self.folder = folder
        self._found: dict[str, tuple[Secret, str]] = {}
        """What was read already: a command runs once, and a variable is removed from the environment."""

    def __call__(self, name: str) -> Secret:
        """The secret called `name` (`secret` or `api_key`).

        Raises:
            ConfigError: no source has it, or the configured one failed.
        """
        if name not in self._found:
            text, source = self._find(name)
            try:
                self._found[name] = (clean_secret(text, secret_label(name)), source)
            except ConfigError as error:
                place = f"profile {self.profile}"
                raise ConfigError(f"{error.message} ({source})", subject=place, hint=error.hint) from None
            os.environ.pop(variable_of(self.profile, name), None)
        return self._found[name][0]

    def describe(self, name: str) -> str:
        """The source of a secret, without its value."""
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
        """Read the last source; the error names all sources."""
        why = "" if has_keyring() else " (there is no keyring: its library is not installed)"
        try:
            found = read_keyring(keyring_service(self.profile), name) if not why else None
        except ConfigError as error:
            found, why = None, f" (the keyring {error.message})"
        if found is None:
            variable = variable_of(self.profile, name)
            raise ConfigError(
                f"no {secret_label(name)} found for profile {self.profile}{why}",
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
                timeout=COMMAND_TIMEOUT_S,
                check=False,
                env=child_environment(),
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"did not answer within {COMMAND_TIMEOUT_S:.0f} seconds", subject=subject) from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"could not be started: {error}", subject=subject, hint=_NO_SHELL) from None
        if done.returncode:
            said = plain(" ".join(done.stderr.split()), MAX_MESSAGE_CHARS)
            raise ConfigError(
                f"ended with code {done.returncode}" + (f", and said: {said}" if said else ""),
                subject=subject,
                hint=_NO_SHELL,
            )
        return done.stdout


def _check_command(command: str, subject: str) -> None:
    """Refuse shell syntax: without a shell, `$TOKEN` itself would be sent as the secret."""
    unquoted = _SINGLE_QUOTED.sub("", command)
    found = _EXPANDED.search(unquoted) or _SHELL_ONLY.search(_DOUBLE_QUOTED.sub("", unquoted))
    if found:
        raise ConfigError(
            f"has {found.group().strip()}, which only a shell understands", subject=subject, hint=_NO_SHELL
        )


def child_environment() -> dict[str, str]:
    """The environment for the user's programs, without the secrets of any profile."""
    return {name: value for name, value in os.environ.items() if not _SECRET_VARIABLE.fullmatch(name)}


def variable_of(profile: str, name: str) -> str:
    """The environment variable that may hold a secret."""
    return f"CLOUDSTORE_{re.sub(r'[^A-Z0-9]', '_', profile.upper())}_{name.upper()}"


def keyring_service(profile: str) -> str:
    """The service name of a profile's secrets in the keyring."""
    return f"cloudstore:{profile}"


def secret_label(name: str) -> str:
    """The name of a secret in a sentence."""
    return "client secret" if name == "secret" else name.replace("_", " ")


def clean_secret(text: str, what: str) -> Secret:
    """The secret as it is sent, without line breaks at its end, which files have.

    Raises:
        ConfigError: it is empty, or has characters that were copied by mistake.
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
    data = read_bounded(path, MAX_SECRET_BYTES, "the secret file")
    status = path.stat()
    if os.name == "posix" and (status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.getuid()):
        raise ConfigError(
            "holds a secret but others can read it", subject=str(path), hint=f"Run: chmod 600 {shlex.quote(str(path))}"
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError("the secret file is not UTF-8 text", subject=str(path)) from None


_MAX_NAMES = 100


class SecretStore(StrEnum):
    """Where a secret is kept."""

    KEYRING = "keyring"
    FILE = "file"
    COMMAND = "command"
    ENVIRONMENT = "env"


EXPLANATIONS: Mapping[SecretStore, str] = {
    SecretStore.KEYRING: "The keyring of your desktop: the safest place; needs a session that is logged in.",
    SecretStore.FILE: "A file beside the configuration that only you can read. Works everywhere.",
    SecretStore.COMMAND: "A program of yours prints it, such as `pass show cloudstore` or `op read op://…`.",
    SecretStore.ENVIRONMENT: "A variable of the environment that you set each time, as schedulers and containers do.",
}
"""Help for choosing one."""


def keep_secrets(store: SecretStore, profile: str, secrets: Mapping[str, Secret], folder: Path) -> dict[str, str]:
    """Store the secrets of a profile; returns the keys to add to it.

    Raises:
        ConfigError: the keyring cannot be used, or holds another secret for a profile of this name.
        LocalDiskError: a file cannot be written.
    """
    options: dict[str, str] = {}
    for name, secret in secrets.items():
        if store is SecretStore.KEYRING:
            service = keyring_service(profile)
            # All configurations of the user share the keyring, and it may hold the only copy of that secret.
            if read_keyring(service, name) not in (None, secret.reveal()):
                hint = f"Choose another name, or remove that one: keyring del {service} {name}"
                raise ConfigError(
                    f"holds another {secret_label(name)} of a profile {profile}", subject="keyring", hint=hint
                )
            write_keyring(service, name, secret)
        elif store is SecretStore.FILE:
            path = _free(folder, f"{profile}.{name}")
            write_whole(path, f"{secret.reveal()}\n")
            options[f"{name}_file"] = path.name
    return options


def remove_secrets(
    profile: str, options: Mapping[str, str], folder: Path, names: Iterable[str], used: Collection[Path] = ()
) -> list[str]:
    """Remove what `keep_secrets` stored; returns sentences about what was removed and what was kept.

    Args:
        profile: its name.
        options: its `…_file` and `…_command` keys.
        folder: of the configuration.
        names: of its secrets.
        used: files that other profiles read.
    """
    sentences: list[str] = []
    for name in names:
        if command := options.get(f"{name}_command"):
            sentences.append(f"Kept: {name}_command, which was {command}")
        elif file := options.get(f"{name}_file"):
            path = file_of(file, folder)
            # Only `keep_secrets` uses a bare name like this; other files are the user's own.
            kept = path in used or not re.fullmatch(rf"{re.escape(profile)}\.{name}(-\d+)?", file)
            sentences.append(f"Kept: the file {path}" if kept else _remove_file(path))
        elif has_keyring():
            sentences.append(_remove_from_keyring(profile, name))
    return [sentence for sentence in sentences if sentence]


def variables(profile: str, fields: Iterable[SecretField]) -> list[str]:
    """The environment variables that may hold the secrets of a profile."""
    return [variable_of(profile, field.name) for field in fields]


def sources_of(profile: Profile, fields: Iterable[SecretField]) -> dict[str, str]:
    """The `…_file` and `…_command` keys of a profile."""
    names = [f"{field.name}_{kind}" for field in fields for kind in ("file", "command")]
    return {name: profile.text(name) for name in names if profile.text(name)}


def file_of(file: str, folder: Path) -> Path:
    """The path of a `…_file` key; `folder` is that of the configuration."""
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
        return (
            f"Removed the {secret_label(name)} from the keyring"
            if clear_keyring(keyring_service(profile), name)
            else ""
        )
    except ConfigError as error:
        return f"The {secret_label(name)} may still be in the keyring, which {error.message}"


def _free(folder: Path, name: str) -> Path:
    """A free file name; an existing file may hold the only copy of a secret."""
    for number in range(1, _MAX_NAMES):
        path = folder / (name if number == 1 else f"{name}-{number}")
        # A dangling link counts as taken: writing would follow it.
        if not os.path.lexists(path):
            return path
    raise LocalDiskError(
        "there are too many files of this name", subject=str(folder / name), hint="Remove some of them."
    )


# The keyring: its functions raise `ConfigError` if it is not installed, does not answer, or cannot be used


KEYRING_TIMEOUT_S = 3.0
"""Time for an answer: without a desktop session, D-Bus may hang for ever."""
INSTALL = "Install it with: uv tool install 'cloudstore-tui[keyring]'. Or keep the secret in a file."

_HINT = "Unlock it, or keep the secret in a file."
HUNG_THREADS: list[threading.Thread] = []
"""Threads that still wait for the keyring, so that no other caller waits again."""

Answer = TypeVar("Answer")


def has_keyring() -> bool:
    """Whether the library for keyrings is installed."""
    return find_spec("keyring") is not None


def read_keyring(service: str, name: str) -> str | None:
    """The secret with a name; `None` if there is none."""

    def read() -> str | None:
        # Deferred: it is slow to import, and rarely needed.
        import keyring

        held: str | None = keyring.get_password(service, name)
        return held

    return _with_timeout(read)


def write_keyring(service: str, name: str, secret: Secret) -> None:
    """Store a secret in the keyring, and read it back."""

    def write() -> str | None:
        # As above.
        import keyring

        keyring.set_password(service, name, secret.reveal())
        held: str | None = keyring.get_password(service, name)
        return held

    if _with_timeout(write) != secret.reveal():
        raise ConfigError("did not keep the secret", subject="keyring", hint="Keep the secret in a file.")


def clear_keyring(service: str, name: str) -> bool:
    """Delete a secret from the keyring; returns whether it was there."""

    def clear() -> bool:
        # As above.
        import keyring

        if keyring.get_password(service, name) is None:
            return False
        keyring.delete_password(service, name)
        return True

    return _with_timeout(clear)


def keyring_problem() -> str:
    """Why the keyring cannot keep secrets here, as a sentence; empty if it can."""

    def priority() -> float:
        # As above.
        import keyring

        return float(keyring.get_keyring().priority)

    try:
        if _with_timeout(priority) > 0:
            return ""
    except ConfigError as error:
        return str(error)
    return "keyring: there is none on this machine."


def _with_timeout(work: Callable[[], Answer]) -> Answer:
    """The result of `work`, run in a thread with a time-out."""
    if not has_keyring():
        raise ConfigError("is not installed", subject="keyring", hint=INSTALL)
    if any(thread.is_alive() for thread in HUNG_THREADS):
        raise ConfigError("does not answer", subject="keyring", hint=_HINT)
    answers: list[Answer] = []

    def ask() -> None:
        # Backends are plug-ins and may raise anything; the text of an exception may hold a secret, so it is not shown.
        with suppress(Exception):
            answers.append(work())

    # A daemon thread, because a keyring that waits for D-Bus cannot be interrupted.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise no_more_threads() from None
    thread.join(KEYRING_TIMEOUT_S)
    if answers:
        return answers[0]
    if not thread.is_alive():
        raise ConfigError("is locked or cannot be used", subject="keyring", hint=_HINT)
    HUNG_THREADS.append(thread)
    raise ConfigError(f"did not answer within {KEYRING_TIMEOUT_S:.0f} seconds", subject="keyring", hint=_HINT)

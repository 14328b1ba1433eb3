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

COMMAND_PATIENCE = 30.0
"""Seconds a secret command may take; it may ask a password manager that asks the user."""
LARGEST_SECRET = 64_000
"""Bytes."""

LONGEST_COMPLAINT = 200
"""Characters of what a command says that are shown."""

_NO_SHELL = "It is started without a shell: where it needs ~, | or $, write sh -c '…'."
_SINGLE_QUOTED = re.compile(r"'[^']*'|\\.")
_DOUBLE_QUOTED = re.compile(r'"[^"]*"')
_EXPANDED = re.compile(r"\$[A-Za-z_{(][A-Za-z0-9_]*|`")
_SHELL_ONLY = re.compile(r"(?:^|\s)~[^\s]*|[|;<>]|&")
_SECRET_VARIABLE = re.compile(r"CLOUDSTORE_[A-Z0-9_]*_(?:SECRET|API_KEY)")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


class SecretSources:
    """Reads the secrets of one profile, each from the first source that has it."""

    def __init__(self, profile: str, options: Mapping[str, str], folder: Path) -> None:
        """Read nothing yet.

        Args:
            profile: its name.
            options: its `…_file` and `…_command` keys.
            folder: where relative file names start: that of the configuration file.
        """
        self.profile = profile
        self.options = options
        self.folder = folder
        self._found: dict[str, tuple[Secret, str]] = {}
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
        """The last source: if it fails, too, the error names all of them."""
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
            "holds a secret but others can read it", subject=str(path), hint=f"Run: chmod 600 {shlex.quote(str(path))}"
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError("the secret file is not UTF-8 text", subject=str(path)) from None


_MAX_NAMES = 100


class SecretStore(StrEnum):
    """Where secrets are kept."""

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
"""What to know before choosing one."""


def keep_secrets(store: SecretStore, profile: str, secrets: Mapping[str, Secret], folder: Path) -> dict[str, str]:
    """Put the secrets of a profile away; what the profile has to say about them.

    Raises:
        ConfigError: the keyring cannot be used.
        LocalDiskError: a file cannot be written.
    """
    options: dict[str, str] = {}
    for name, secret in secrets.items():
        if store is SecretStore.KEYRING:
            service = keyring_service(profile)
            # Every configuration of this user shares it: it may be the only copy of another one's secret.
            if read_keyring(service, name) not in (None, secret.reveal()):
                hint = f"Choose another name, or remove that one: keyring del {service} {name}"
                raise ConfigError(f"holds another {spoken(name)} of a profile {profile}", subject="keyring", hint=hint)
            write_keyring(service, name, secret)
        elif store is SecretStore.FILE:
            path = _free(folder, f"{profile}.{name}")
            write_whole(path, f"{secret.reveal()}\n")
            options[f"{name}_file"] = path.name
    return options


def take_back(
    profile: str, options: Mapping[str, str], folder: Path, names: Iterable[str], used: Collection[Path] = ()
) -> list[str]:
    """Remove what `keep_secrets` stored; returns sentences about what was removed and what is left.

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
            told.append(f"Kept: {name}_command, which was {command}")
        elif file := options.get(f"{name}_file"):
            path = file_of(file, folder)
            # A file of the user's own is named by where it is, never by a bare name.
            kept = path in used or not re.fullmatch(rf"{re.escape(profile)}\.{name}(-\d+)?", file)
            told.append(f"Kept: the file {path}" if kept else _remove_file(path))
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
    """A free file name: an existing file may be somebody's only copy."""
    for number in range(1, _MAX_NAMES):
        path = folder / (name if number == 1 else f"{name}-{number}")
        # A link that leads nowhere would be followed.
        if not os.path.lexists(path):
            return path
    raise LocalDiskError(
        "there are too many files of this name", subject=str(folder / name), hint="Remove some of them."
    )


# The keyring: what uses it raises `ConfigError` where it is not installed, does not answer, or cannot be used


KEYRING_PATIENCE = 3.0
"""Seconds: a keyring without a desktop session may hang for ever on D-Bus."""
INSTALL = "Install it with: uv tool install 'cloudstore-tui[keyring]'. Or keep the secret in a file."

_HINT = "Unlock it, or keep the secret in a file."
SILENT: list[threading.Thread] = []
"""Threads that still wait for the keyring: no other caller has to wait as long again."""

Answer = TypeVar("Answer")


def has_keyring() -> bool:
    """Whether the library for keyrings is installed."""
    return find_spec("keyring") is not None


def read_keyring(service: str, name: str) -> str | None:
    """What the keyring holds under a name; `None` for nothing."""

    def read() -> str | None:
        # Slow to import: only when no other source has the secret.
        import keyring

        held: str | None = keyring.get_password(service, name)
        return held

    return _asked(read)


def write_keyring(service: str, name: str, secret: Secret) -> None:
    """Put a secret into the keyring, and look whether it is there."""

    def write() -> str | None:
        # As above.
        import keyring

        keyring.set_password(service, name, secret.reveal())
        held: str | None = keyring.get_password(service, name)
        return held

    if _asked(write) != secret.reveal():
        raise ConfigError("did not keep the secret", subject="keyring", hint="Keep the secret in a file.")


def clear_keyring(service: str, name: str) -> bool:
    """Take a secret out of the keyring; whether it was there."""

    def clear() -> bool:
        # As above.
        import keyring

        if keyring.get_password(service, name) is None:
            return False
        keyring.delete_password(service, name)
        return True

    return _asked(clear)


def keyring_trouble() -> str:
    """Why secrets cannot be kept in a keyring here, as a sentence; empty if they can."""

    def priority() -> float:
        # As above.
        import keyring

        return float(keyring.get_keyring().priority)

    try:
        if _asked(priority) > 0:
            return ""
    except ConfigError as error:
        return str(error)
    return "keyring: there is none on this machine."


def _asked(work: Callable[[], Answer]) -> Answer:
    """What `work` gives back, if it does within some seconds."""
    if not has_keyring():
        raise ConfigError("is not installed", subject="keyring", hint=INSTALL)
    if any(thread.is_alive() for thread in SILENT):
        raise ConfigError("does not answer", subject="keyring", hint=_HINT)
    answers: list[Answer] = []

    def ask() -> None:
        # Backends are plug-ins and raise what they like; its text may hold anything, so none of it is shown.
        with suppress(Exception):
            answers.append(work())

    # A thread that may be left behind: a keyring waiting for D-Bus cannot be interrupted.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise no_more_threads() from None
    thread.join(KEYRING_PATIENCE)
    if answers:
        return answers[0]
    if not thread.is_alive():
        raise ConfigError("is locked or cannot be used", subject="keyring", hint=_HINT)
    SILENT.append(thread)
    raise ConfigError(f"did not answer within {KEYRING_PATIENCE:.0f} seconds", subject="keyring", hint=_HINT)

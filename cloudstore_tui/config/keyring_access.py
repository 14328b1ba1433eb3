"""The keyring of the desktop, which may be missing, locked, or hang for ever without a session."""

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import TypeVar

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.secret import Secret

KEYRING_PATIENCE = 3.0
"""Seconds: a keyring without a desktop session may hang for ever on D-Bus."""
INSTALL = "Install it with: uv tool install 'cloudstore-tui[keyring]'. Or keep the secret in a file."

_CURE = "Unlock it, or keep the secret in a file."
_SILENT: list[threading.Thread] = []
"""Those that still wait for it: nobody else is made to wait as long again."""

Answer = TypeVar("Answer")


def has_keyring() -> bool:
    """Whether the library for keyrings is installed."""
    return find_spec("keyring") is not None


def read_keyring(service: str, name: str) -> str | None:
    """What the keyring holds under a name; `None` for nothing.

    Raises:
        ConfigError: it is not installed, does not answer, or cannot be used.
    """

    def read() -> str | None:
        # Slow to import: only when no other source has the secret.
        import keyring

        held: str | None = keyring.get_password(service, name)
        return held

    return _asked(read)


def write_keyring(service: str, name: str, secret: Secret) -> None:
    """Put a secret into the keyring, and look whether it is there.

    Raises:
        ConfigError: it is not installed, does not answer, or cannot be used.
    """

    def write() -> str | None:
        # As above.
        import keyring

        keyring.set_password(service, name, secret.reveal())
        held: str | None = keyring.get_password(service, name)
        return held

    if _asked(write) != secret.reveal():
        raise ConfigError("did not keep the secret", subject="keyring", hint="Keep the secret in a file.")


def clear_keyring(service: str, name: str) -> bool:
    """Take a secret out of the keyring; whether it was there.

    Raises:
        ConfigError: it is not installed, does not answer, or cannot be used.
    """

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

    def look() -> float:
        # As above.
        import keyring

        return float(keyring.get_keyring().priority)

    try:
        if _asked(look) > 0:
            return ""
    except ConfigError as error:
        return str(error)
    return "keyring: there is none on this machine."


def _asked(work: Callable[[], Answer]) -> Answer:
    """What `work` gives back, if it does within some seconds."""
    if not has_keyring():
        raise ConfigError("is not installed", subject="keyring", hint=INSTALL)
    if any(thread.is_alive() for thread in _SILENT):
        raise ConfigError("does not answer", subject="keyring", hint=_CURE)
    answers: list[Answer] = []

    def ask() -> None:
        # Backends are plug-ins and raise what they like; its text may hold anything, so none of it is shown.
        with suppress(Exception):
            answers.append(work())

    # A thread that may be left behind: a keyring waiting for D-Bus cannot be interrupted.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_PATIENCE)
    if answers:
        return answers[0]
    if not thread.is_alive():
        raise ConfigError("is locked or cannot be used", subject="keyring", hint=_CURE)
    _SILENT.append(thread)
    raise ConfigError(f"did not answer within {KEYRING_PATIENCE:.0f} seconds", subject="keyring", hint=_CURE)

"""Profiles added to the configuration file and removed from it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cloudstore_tui.config.document import Document
from cloudstore_tui.config.load import read_config
from cloudstore_tui.config.toml_edit import with_table, without_table
from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.profile import OptionValue, Profile
from cloudstore_tui.core.provider import ProviderSpec
from cloudstore_tui.fs.private_file import turn, write_private

_BY_HAND = "Change it in the file, with an editor."


def add_profile(path: Path, name: str, values: Mapping[str, OptionValue], specs: Sequence[ProviderSpec]) -> Profile:
    """Write a new profile at the end of the configuration; the file is made if there is none.

    Raises:
        ConfigError: the file, or what it would become, cannot be used; nothing was written.
        LocalDiskError: it cannot be written.
    """

    def expect(profiles: dict[str, object]) -> None:
        if name in profiles:
            raise ConfigError(f"there is a profile {name} already", subject=str(path), hint="Choose another name.")
        profiles[name] = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    with turn(path):
        document = _change(path, lambda text: with_table(text, ("profiles", name), values), expect, specs)
    return read_config(document, specs).profile(name)


def remove_profile(path: Path, name: str) -> None:
    """Take a profile out of the configuration.

    Raises:
        ConfigError: the file cannot be used, or writes the profile in a way that is not known here.
        LocalDiskError: it cannot be written.
    """
    with turn(path):
        _change(path, lambda text: without_table(text, ("profiles", name)), lambda profiles: profiles.pop(name, None))


def _change(
    path: Path,
    change: Callable[[str], str],
    expect: Callable[[dict[str, object]], object],
    specs: Sequence[ProviderSpec] | None = None,
) -> Document:
    """Change the text, and write it if it then says what is expected and nothing else.

    With `specs`, it also has to be a configuration that can be used.
    """
    before = _bytes(path)
    known = Document.read(path) if path.exists() else Document(path, "")
    wanted = dict(known.values)
    profiles = dict(known.table("profiles"))
    expect(profiles)
    wanted["profiles"] = profiles
    changed = change(before.decode())
    try:
        document = Document.parse(path, changed)
    except ConfigError:
        raise ConfigError(
            "the profiles in it are written in a way of their own", subject=str(path), hint=_BY_HAND
        ) from None
    # People write TOML in more ways than are known here: what cannot be changed is left alone.
    if {"profiles": {}, **document.values} != wanted:
        raise ConfigError("the profiles in it are written in a way of their own", subject=str(path), hint=_BY_HAND)
    if specs is not None:
        read_config(document, specs)
    if _bytes(path) != before:
        raise ConfigError("was changed by something else just now", subject=str(path), hint="Try again.")
    write_private(path, changed)
    return document


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LocalDiskError(f"cannot be read: {error.strerror}", subject=str(path)) from None

"""The whole configuration, and how profiles are added to it and removed from it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cloudstore_tui.config.document import TomlDocument, with_table, without_table
from cloudstore_tui.config.paths import check_trusted
from cloudstore_tui.config.secrets import SecretSources, variable_of
from cloudstore_tui.config.settings import Settings, read_options, read_settings
from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.models import Retention
from cloudstore_tui.core.profile import OptionValue, Profile
from cloudstore_tui.core.spec import Option, ProviderSpec
from cloudstore_tui.fs.whole_file import turn, write_whole

COMMON: tuple[Option, ...] = (
    Option("provider", "The service: alvaria or 8x8.", required=True),
    Option("read_only", "false allows upload and delete.", type=bool, default=True),
    Option("requests_per_minute", "Pace of API calls; 0 for no limit of ours.", type=int, default=60),
    Option("concurrency", "API calls at once, 1 to 64.", type=int, default=4),
    Option(
        "allow_networks",
        'Private networks that links may lead to, such as ["10.20.0.0/16"]: VPC endpoints, inspecting proxies.',
        type=tuple,
        default=(),
    ),
)
"""The keys that every profile has, whatever its provider."""

RETENTION = "retention"
_RETENTION_HINT = 'For example retention = { hot = "90d", cold = "5y" }, and transcription = { hot = "1y" } for a type.'
_SPAN = re.compile(r"([0-9]{1,5}) ?([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}

PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""The allowed names of profiles."""


class Config(msgspec.Struct, frozen=True):
    """The configuration."""

    path: Path
    profiles: Mapping[str, Profile] = msgspec.field(default_factory=dict)
    settings: Settings = msgspec.field(default_factory=Settings)
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Keys by action id, as written under `[keys]`; `keymap` checks them."""

    def profile(self, name: str) -> Profile:
        """The profile called `name`.

        Raises:
            ConfigError: there is none.
        """
        if name in self.profiles:
            return self.profiles[name]
        if not self.path.exists():
            raise ConfigError(
                f"there is no such file, and so no profile called {name}",
                subject=str(self.path),
                hint="`cloudstore profile add` makes it, CLOUDSTORE_CONFIG names another, `cloudstore demo` needs none",
            )
        known = ", ".join(self.profiles) or "none"
        raise ConfigError(
            f"no profile called {name}",
            subject=str(self.path),
            hint=f"Profiles there: {known}. `cloudstore profile add` adds one, `cloudstore demo` works without any.",
        )


def load_config(path: Path, specs: Sequence[ProviderSpec]) -> Config:
    """Read the configuration; a missing file counts as empty.

    Raises:
        ConfigError: the first error in it, with file, line and hint.
    """
    if not path.exists():
        return Config(path)
    check_trusted(path)
    return read_config(TomlDocument.read(path), specs)


def read_config(document: TomlDocument, specs: Sequence[ProviderSpec]) -> Config:
    """The configuration in a document.

    Raises:
        ConfigError: the first error in it, with file, line and hint.
    """
    for name in document.values:
        if name not in {"profiles", "settings", "keys"}:
            raise document.unknown((name,), ("profiles", "settings", "keys"))
    settings = read_settings(document)
    profiles = {name: _read_profile(document, name, settings, specs) for name in document.table("profiles")}
    _check_variables(document, profiles)
    return Config(document.path, profiles, settings, _read_keys(document))


def _read_profile(document: TomlDocument, name: str, settings: Settings, specs: Sequence[ProviderSpec]) -> Profile:
    keys = ("profiles", name)
    table = document.table("profiles")[name]
    if not isinstance(table, Mapping):
        raise document.error(f"profile {name} must be a table", keys, f"Write [profiles.{name}] on a line of its own.")
    if not PROFILE_NAME.fullmatch(name):
        raise document.error(f"{name!r} cannot name a profile", keys, "Use letters, digits, - and _, at most 32.")
    spec = _spec(document, keys, table, specs)
    sources = tuple(
        Option(f"{secret.name}_{kind}", secret.help) for secret in spec.secrets for kind in ("file", "command")
    )
    retention = table.get(RETENTION)
    others = {key: value for key, value in table.items() if key != RETENTION}
    values = read_options(document, keys, others, (*COMMON, *spec.options, *sources))
    _check_networks(document, keys, values["allow_networks"])
    profile = Profile(
        name=name,
        provider=spec.name,
        options=values,
        read_only=bool(values["read_only"]),
        requests_per_minute=int(str(values["requests_per_minute"])),
        concurrency=int(str(values["concurrency"])),
        timeouts=settings.timeouts,
        retention=None if retention is None else _read_retention(document, (*keys, RETENTION), retention),
    )
    texts = {option.name: profile.text(option.name) for option in sources}
    return replace(profile, secrets=SecretSources(name, texts, document.path.parent))


def _read_retention(document: TomlDocument, keys: tuple[str, ...], table: object) -> Retention:
    """A retention policy: `hot`, `cold`, and a table of these for each type that differs."""
    # Errors name the line of the whole value, which is usually written on one.
    at, what = keys[:3], ".".join(keys[2:])
    if not isinstance(table, Mapping) or not table:
        raise document.error(f"{what} must be a table", at, _RETENTION_HINT)
    times, types = {}, {}
    for name, value in table.items():
        if name in ("hot", "cold"):
            found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
            if found is None:
                hint = 'Write days, weeks or years of 365 days: "90d", "12w", "5y".'
                raise document.error(f"{what}.{name} must be a time", at, hint)
            times[name] = timedelta(days=int(found[1]) * _DAYS[found[2]])
        elif at != keys or not isinstance(value, Mapping):
            raise document.error(f"unknown key {what}.{name}", at, _RETENTION_HINT)
        else:
            types[name] = _read_retention(document, (*keys, name), value)
    if "hot" not in times and (times or at != keys):
        raise document.error(
            f"{what} lacks hot", at, "Without cold storage, hot is all the time that objects are kept."
        )
    return Retention(times.get("hot"), times.get("cold", timedelta(0)), types)


def _check_networks(document: TomlDocument, keys: tuple[str, ...], networks: OptionValue) -> None:
    for network in networks if isinstance(networks, tuple) else ():
        try:
            ip_network(network)
        except ValueError:
            raise document.error(
                f"{network!r} is not a network",
                (*keys, "allow_networks"),
                'Write it like ["10.20.0.0/16", "fd00::/8"].',
            ) from None


def _spec(
    document: TomlDocument, keys: tuple[str, ...], table: Mapping[str, object], specs: Sequence[ProviderSpec]
) -> ProviderSpec:
    names = {spec.name: spec for spec in specs}
    wanted = table.get("provider")
    if not isinstance(wanted, str) or wanted not in names:
        message = f"unknown provider {wanted}" if wanted else f"provider is missing under [{'.'.join(keys)}]"
        raise document.error(message, (*keys, "provider"), f"Known: {', '.join(names)}.")
    return names[wanted]


def _check_variables(document: TomlDocument, names: Iterable[str]) -> None:
    """Refuse two profiles that read the same variable: the secret of one would be sent to the host of the other."""
    seen: dict[str, str] = {}
    for name in names:
        variable = variable_of(name, "secret")
        if (other := seen.setdefault(variable, name)) != name:
            raise document.error(
                f"profiles {other} and {name} would both read {variable}",
                ("profiles", name),
                "Give one of them a name that differs in more than case, - and _.",
            )


def _read_keys(document: TomlDocument) -> dict[str, str]:
    table = document.table("keys")
    for name, value in table.items():
        if not isinstance(value, str):
            raise document.error(f"{name} must be a key in quotes", ("keys", name), 'For example "f5,ctrl+r".')
    return {name: str(value) for name, value in table.items()}


_BY_HAND = "Change it in the file, with an editor."


def add_profile(path: Path, name: str, values: Mapping[str, OptionValue], specs: Sequence[ProviderSpec]) -> Profile:
    """Add a profile at the end of the configuration, which is created if it is missing.

    Raises:
        ConfigError: the file has an error, or would have one; nothing was written.
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
    """Remove a profile from the configuration.

    Raises:
        ConfigError: the file has an error, or writes the profile in a way that this program cannot change.
        LocalDiskError: it cannot be written.
    """
    with turn(path):
        _change(path, lambda text: without_table(text, ("profiles", name)), lambda profiles: profiles.pop(name, None))


def _change(
    path: Path,
    change: Callable[[str], str],
    expect: Callable[[dict[str, object]], object],
    specs: Sequence[ProviderSpec] | None = None,
) -> TomlDocument:
    """Change the text, and write it if its values are then exactly the expected ones.

    With `specs`, it must also be a valid configuration.
    """
    before = _bytes(path)
    known = TomlDocument.read(path) if path.exists() else TomlDocument(path, "")
    wanted = dict(known.values)
    profiles = dict(known.table("profiles"))
    expect(profiles)
    wanted["profiles"] = profiles
    changed = change(before.decode())
    try:
        document = TomlDocument.parse(path, changed)
    except ConfigError:
        raise ConfigError(
            "the profiles in it are written in a way of their own", subject=str(path), hint=_BY_HAND
        ) from None
    # TOML can be written in more ways than `change` understands; then the file is left alone.
    if {"profiles": {}, **document.values} != wanted:
        raise ConfigError("the profiles in it are written in a way of their own", subject=str(path), hint=_BY_HAND)
    if specs is not None:
        read_config(document, specs)
    if _bytes(path) != before:
        raise ConfigError("was changed by something else just now", subject=str(path), hint="Try again.")
    write_whole(path, changed, follows=True)
    return document


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LocalDiskError(f"cannot be read: {error.strerror}", subject=str(path)) from None

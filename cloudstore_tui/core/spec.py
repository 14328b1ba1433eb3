"""The description of a service: its name, the options and secrets that a profile of it has, and how to open one.

Named tuples, since the help of `profile add` is generated from them and must import neither msgspec nor a provider.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudstore_tui.core.profile import OptionValue, Profile
    from cloudstore_tui.core.provider import StorageProvider


class Option(NamedTuple):
    """One key of `[profiles.NAME]` that a provider understands."""

    name: str
    help: str
    """One sentence: what it is and where the service's pages show it."""
    type: type = str
    """`str`, `int`, `bool` or `tuple` (a list of texts)."""
    required: bool = False
    default: "OptionValue | None" = None
    choices: tuple[str, ...] = ()
    label: str = ""
    """What a form calls it; forms leave out options without a label."""
    where: str = ""
    """Where to find it on the service's pages, in sentences."""
    suggestions: tuple[str, ...] = ()
    is_advanced: bool = False
    """Whether most profiles do without it: forms show it only on request."""
    url_option: str = ""
    """The option that takes the value instead if it is a whole URL."""
    check: Callable[[str], None] | None = None
    """Raises `ConfigError` for a text that cannot be its value. Sends nothing."""


class SecretField(NamedTuple):
    """One secret that a provider needs, kept apart from the configuration."""

    name: str
    """`secret` or `api_key`: the stem of `secret_file`, `secret_command` and `CLOUDSTORE_<PROFILE>_SECRET`."""
    help: str
    label: str = ""
    """What a form calls it."""
    where: str = ""
    """Where to find it on the service's pages, in sentences."""


class ProviderSpec(NamedTuple):
    """What a service is called, what a profile of it needs, and how to open one."""

    name: str
    """As written in `provider = "…"`, and shown in JSON."""
    title: str
    """As shown to people."""
    options: tuple[Option, ...]
    secrets: tuple[SecretField, ...]
    open: "Callable[[Profile], StorageProvider]"
    guide: str = ""
    """How to get these values from the service: paragraphs, and lines that begin with `* ` or a number."""
    searchable: bool = False
    """Whether its profiles can search, known without opening one."""

"""What a service says of itself: its name, the options and secrets that a profile of it has, and how to open one.

Named tuples, since the help of `profile add` is made of them: it loads neither msgspec nor what a service can do.
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
    """What a form calls it; an option without a label is not asked for."""
    where: str = ""
    """Where the service's pages show it, in sentences."""
    suggestions: tuple[str, ...] = ()
    """Values that are often right."""
    is_rare: bool = False
    """Whether most profiles do well without it: asked for only by those who want to see everything."""
    whole: str = ""
    """The option that takes the value instead where it is a whole address."""
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
    """Where the service's pages show it, in sentences."""


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
    """How to get all of it from the service: paragraphs, and lines that begin with `* ` or a number."""
    searchable: bool = False
    """Whether its profiles have the ability to search, to be known without opening one."""

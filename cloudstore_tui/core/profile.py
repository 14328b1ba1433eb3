"""A provider with credentials, as the user named it, and secrets that are never shown."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from msgspec import Struct, field

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.models import Column, ColumnKind, Retention


class Secret:
    """A token, client secret, API key or signed URL: shown as `***` everywhere, and read only by `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one request or screen that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied to another process")


OptionValue = str | int | bool | tuple[str, ...]
"""What an option of a profile can hold."""


def no_secret(name: str) -> Secret:
    """Raise `ConfigError`: the source of secrets of a profile that has none."""
    raise ConfigError(f"this profile has no {name}")


class Timeouts(Struct, frozen=True):
    """How long to wait for a host, in seconds."""

    connect: float = 10
    read: float = 30
    stall: float = 60
    """A body that comes at less than 1 KiB/s for this long is aborted and requested again."""
    give_up: float = 120
    """How long one call is retried: 2 minutes for commands that only read, 15 for transfers."""
    disk: float = 0
    """How long a download waits for room on a full disk before it fails."""


class Profile(Struct, frozen=True):
    """A provider with credentials, as the user named it."""

    name: str
    provider: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    """The provider's own options, validated and with defaults filled in."""
    read_only: bool = True
    requests_per_minute: int = 60
    """Limit of API calls; 0 for none."""
    concurrency: int = 4
    """API calls at once."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    secrets: Callable[[str], Secret] = no_secret
    """Reads one of the provider's secrets by name. Blocks: it may ask a keyring or run a command.

    Raises `ConfigError` or `LoginError` with the sources that were tried and what to do.
    """
    retention: Retention | None = None
    """How long the service keeps objects, if the user configured it."""

    @property
    def expiry_columns(self) -> tuple[Column, ...]:
        """The column that shows when objects expire, if the user configured a retention policy."""
        if self.retention is None:
            return ()
        kind, sort = ColumnKind.TIME, "" if self.retention.types else "createdTime"
        return (Column("expires", "Expires", kind, 16, sort, min_width=6, rank=8, retention=self.retention),)

    def text(self, name: str) -> str:
        """A text option, empty if absent."""
        value = self.options.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list option, empty if absent."""
        value = self.options.get(name)
        return value if isinstance(value, tuple) else ()

"""Where the bytes of an object are fetched from or sent to, and signed links."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloudstore_tui.core.secret import Secret


class LinkForm(StrEnum):
    """The kinds of signed links the services give."""

    PROXIED = "proxied"
    NATIVE = "native"
    PRESIGNED = "presigned"


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A URL that lets anybody who holds it fetch one object until it ends."""

    url: Secret
    expires: datetime
    form: LinkForm
    note: str = ""
    """A sentence for the user, such as that another form than the one asked for was given."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one object's bytes come from. Lives in memory only; ask for a new one per attempt."""

    url: Secret
    headers: Mapping[str, Secret] = field(default_factory=dict)
    """Sent with the request. Holds a credential only where `url` is on the API's own host and not signed."""
    size: int | None = None
    """Exact length in bytes, if known."""
    checksum: str = ""
    """As the service writes it: MD5 in hex, possibly with a `-N` suffix."""
    checksum_type: str = ""
    expires: datetime | None = None
    """When a new request to it would be refused; `None` where it does not end."""
    local: bool = False
    """Whether it may be on this machine: only for a profile whose own API is."""
    networks: tuple[str, ...] = ()
    """Private networks that it may be in, such as `10.0.0.0/8`: those the user allowed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one file's bytes are put, with exactly the headers the signature demands."""

    url: Secret
    headers: Mapping[str, Secret] = field(default_factory=dict)
    expires: datetime | None = None
    local: bool = False
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ZipJob:
    """A server-side job that packs objects into one zip."""

    profile: str
    region: str
    name: str
    """The service's name, ending in `.zip`."""
    status: str
    """The service's word: NOT_STARTED, IN_PROGRESS, DONE, PARTIAL_DONE, FAILED, CANCELLED, or one we do not know."""
    content: tuple[str, ...] = ()
    """What the service says is in it; for display only."""

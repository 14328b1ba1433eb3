"""Signed links that are safe to follow, where the bytes of an object come from or go to, and zip jobs.

A link comes from the service, so it is untrusted data: its scheme, host and last path segment are checked here before
it is followed. The address that its host resolves to is checked again when the connection is made.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec

from cloudstore_tui.core.errors import UnsafeError
from cloudstore_tui.core.profile import Secret


class LinkForm(StrEnum):
    """The kinds of signed links."""

    PROXIED = "proxied"
    NATIVE = "native"
    PRESIGNED = "presigned"


class SignedLink(msgspec.Struct, frozen=True):
    """A URL; anyone with it can download one object until it expires."""

    url: Secret
    expires: datetime
    form: LinkForm
    note: str = ""
    """A sentence for the user, such as that the link has another form than the one asked for."""


class Source(msgspec.Struct, frozen=True):
    """Where one object's bytes come from. Never stored; ask for a new one per attempt."""

    url: Secret
    headers: Mapping[str, Secret] = msgspec.field(default_factory=dict)
    """Sent with the request. Holds a credential only where `url` is on the API's own host and not signed."""
    size: int | None = None
    """Exact length in bytes, if known."""
    rough_size: int | None = None
    """Approximate length in bytes, where the service rounds."""
    modified: datetime | None = None
    """When the object was last changed, if the reply with the link says so."""
    checksum: str = ""
    """As the service writes it: MD5 in hex, possibly with a `-N` suffix."""
    checksum_type: str = ""
    expires: datetime | None = None
    """When a new request to it would be refused; `None` where it does not expire."""
    local: bool = False
    """Whether it may be on this machine: only for a profile whose own API is."""
    networks: tuple[str, ...] = ()
    """Private networks that the user allows it to be in, such as `10.0.0.0/8`."""


class Target(msgspec.Struct, frozen=True):
    """Where one file is uploaded to, with exactly the headers that the signature covers."""

    url: Secret
    headers: Mapping[str, Secret] = msgspec.field(default_factory=dict)
    expires: datetime | None = None
    local: bool = False
    networks: tuple[str, ...] = ()
    replaces: bool = False
    """Whether the service reports an object that is there already."""


class ZipStatus(StrEnum):
    """The known states of a zip job; a service may report others."""

    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    PARTIAL_DONE = "PARTIAL_DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ZIP_RUNNING = frozenset({ZipStatus.NOT_STARTED, ZipStatus.IN_PROGRESS})
ZIP_FETCHABLE = frozenset({ZipStatus.DONE, ZipStatus.PARTIAL_DONE})
ZIP_ABORTED = frozenset({ZipStatus.FAILED, ZipStatus.CANCELLED})


class ZipJob(msgspec.Struct, frozen=True):
    """A server-side job that packs objects into one zip."""

    profile: str
    region: str
    name: str
    """The service's name, ending in `.zip`."""
    status: str
    """As the service reports it: one of `ZipStatus`, or an unknown word."""
    content: tuple[str, ...] = ()
    """What the service says is in it; for display only."""


class Piece(msgspec.Struct, frozen=True):
    """A range of one object's bytes; shorter than asked for where the object ends."""

    data: bytes
    total: int | None = None
    """Size of the whole object in bytes, if the store reports it."""
    ranged: bool = True
    """Whether the store supports ranges."""
    coding: str = ""
    """The content coding that the object is stored in, such as `gzip`; the bytes are not decoded."""


ReadPiece: TypeAlias = Callable[[int, int], Awaitable[Piece]]
"""Reads a range of one object: offset, number of bytes."""


TRUSTED_HOSTS = ("8x8.com", "aspect-cloud.net", "alvaria.cloud", "amazonaws.com", "storage.googleapis.com")
"""Domains that the services' links lead to; their subdomains are trusted, too."""

MAX_LINK_LENGTH = 16_384
"""Characters; signed links of both services stay below 4,000."""

_UNSAFE = re.compile(r"[^!-\[\]-~]")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
NOTHING_SENT = "Nothing was sent. If this repeats, show the service's support the path and the time."


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is `localhost`, `127.0.0.1` or `::1`."""
    return (urlsplit(url).hostname or "") in _LOOPBACK_NAMES


def vet_link(url: str, *, name: str, local: bool, trusted: tuple[str, ...] = ()) -> str:
    """Return `url` if it may be followed.

    Args:
        url: the signed link as the service gave it.
        name: the last segment of the key or id asked for; empty if the service uses names of its own.
        local: whether the profile's own API is on this machine, so that links to it are allowed over plain HTTP.
        trusted: further domains that the user allows.

    Raises:
        UnsafeError: the link has another scheme, an unknown host, user information or blanks, or leads to another
            object. The message never contains the link.
    """
    if not url or len(url) > MAX_LINK_LENGTH or _UNSAFE.search(url):
        raise UnsafeError("the service gave a damaged link (empty, too long, or with blanks in it)", hint=NOTHING_SENT)
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise UnsafeError("the service gave a link that is not a URL", hint=NOTHING_SENT) from None
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UnsafeError("the service gave a link with a user name or a fragment in it", hint=NOTHING_SENT)
    if local and host in _LOOPBACK_NAMES:
        _vet_scheme(parts.scheme, ("https", "http"))
    else:
        _vet_scheme(parts.scheme, ("https",))
        _vet_host(host, (*TRUSTED_HOSTS, *trusted))
    # Some services write the slashes of a key as %2F.
    last = unquote(parts.path).rsplit("/", 1)[-1]
    if name and last != name:
        raise UnsafeError("the service gave a link to another object than the one asked for", hint=NOTHING_SENT)
    return url


def _vet_scheme(scheme: str, allowed: tuple[str, ...]) -> None:
    if scheme not in allowed:
        raise UnsafeError("the service gave a link that is not https", hint=NOTHING_SENT)


def _vet_host(host: str, trusted: tuple[str, ...]) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        domains = map(str.lower, trusted)
        is_trusted = any(host == domain or host.endswith(f".{domain}") for domain in domains)
    else:
        is_trusted = False
    if not is_trusted:
        raise UnsafeError("the service gave a link to a host that is not one of its own", hint=NOTHING_SENT)

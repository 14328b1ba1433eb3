"""What both clients are to their callers, and what they share: the proxy to a host, and the trusted certificates.

Proxy and trust store are chosen here, from the environment, for JSON and for bytes alike. What cannot be used is an
error that names its variable, and only where it would be used.
"""

import base64
import ipaddress
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.links import Source, Target, is_loopback
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.redaction import guard
from cloudstore_tui.net.reply import BlobReply, Reply

USER_AGENT = "cloudstore-tui"
SLOWEST = 1024
"""Bytes per second; a body that stays below for `Timeouts.stall` seconds is given up and asked for again."""
PORTS = {"http": 80, "https": 443}

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their certificates, beside where OpenSSL was built to look."""
_KEYCHAINS = ("/System/Library/Keychains/SystemRootCertificates.keychain", "/Library/Keychains/System.keychain")
_MAX_CERTIFICATE_FILES = 2000


class Proxy(msgspec.Struct, frozen=True):
    """The proxy to a host."""

    url: str
    """Scheme, host and port."""
    authorization: Secret
    """The value of `Proxy-Authorization`; empty without a login."""
    variable: str
    """Where it is set."""

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc


def proxy_for(url: str) -> Proxy | None:
    """The proxy to the host of a URL, as `https_proxy`, `all_proxy` and `no_proxy` say.

    Raises:
        ConfigError: the proxy that is set cannot be used.
    """
    parts = urlsplit(url)
    variable, value = _proxy_variable(parts.scheme)
    if not value or _is_exempt(parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)):
        return None
    return _proxy(variable, value)


def _proxy_variable(scheme: str) -> tuple[str, str]:
    """The variable that names the proxy for a scheme, and its value; lower case comes first, also if it is empty."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable = name if name in os.environ else name.upper()
        if value := os.environ.get(variable, "").strip():
            return variable, value
    return "", ""


def _proxy(variable: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = PORTS.get(parts.scheme) if parts.port is None else parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        host, port = "", None
    else:
        if parts.scheme not in PORTS:
            raise _unusable(variable, f"names a {parts.scheme} proxy, and only http and https proxies can be used")
    if not host or not port or "@" in parts.path + parts.query + parts.fragment or re.search(r"[\s/?#@\\]", host):
        raise _unusable(variable, "is not the address of a proxy")
    login = unquote_to_bytes(parts.netloc.rpartition("@")[0].encode("utf-8", "surrogateescape"))
    if login and b":" not in login:
        login += b":"
    authorization = f"Basic {base64.b64encode(login).decode()}" if login else ""
    guard(Secret(login.partition(b":")[2].decode("utf-8", "replace")), Secret(authorization.removeprefix("Basic ")))
    address = f"[{host}]" if ":" in host else host
    return Proxy(f"{parts.scheme}://{address}:{port}", Secret(authorization), variable)


def _unusable(variable: str, message: str) -> ConfigError:
    return ConfigError(
        message,
        subject=variable,
        hint="Write it as http://HOST:PORT, special characters of a password as %XX, or name the host in NO_PROXY.",
    )


def _is_exempt(host: str, port: int) -> bool:
    """Whether `no_proxy` holds a host; what makes no sense in it means nothing."""
    text = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    name = host.lower().rstrip(".").partition("%")[0]
    return any(_matches(entry.lower(), name, port) for entry in re.split(r"[,\s]+", text) if entry)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", entry)
    name, only = (found[1], int(found[2])) if found else (entry, port)
    if only != port:
        return False
    try:
        net = ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return ipaddress.ip_address(host) in net
    except ValueError:
        return False


class TrustStore(msgspec.Struct, frozen=True):
    """The certificates that are trusted: the system's, and those that the user adds."""

    file: str
    folder: str
    """Those of the system; either may be missing."""
    pem: bytes
    """All of them in one, where the user adds some by `SSL_CERT_FILE` or `SSL_CERT_DIR`; else empty."""


def trust_store() -> TrustStore:
    """The one store for all connections.

    Raises:
        ConfigError: `SSL_CERT_FILE` or `SSL_CERT_DIR` cannot be used, or there are no certificates at all.
    """
    return load_trust_store(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@lru_cache(maxsize=8)
def load_trust_store(file: str, folder: str) -> TrustStore:
    """The certificates of the system, and those that the user adds; read once for each such pair."""
    added = b"\n".join((*(path.read_bytes() for path in _added_files(file, folder)), _keychain()))
    system_file, system_folder = system_store()
    if not (added.strip() or system_file or system_folder):
        raise ConfigError(
            "this system has no certificates to trust",
            hint="Install its package ca-certificates, or name a file of certificates in SSL_CERT_FILE.",
        )
    system = Path(system_file).read_bytes() if system_file and added.strip() else b""
    return TrustStore(system_file, system_folder, b"\n".join((system, added)).strip())


def _added_files(file: str, folder: str) -> Iterator[Path]:
    """The files of certificates that the variables name.

    Raises:
        ConfigError: one of the variables names none.
    """
    if file:
        if not _holds_certificates(Path(file)):
            raise _no_certificates("SSL_CERT_FILE", file)
        yield Path(file)
    if folder:
        found = [
            path for name in folder.split(":") if name for path in _files_in(Path(name)) if _holds_certificates(path)
        ]
        if not found:
            raise _no_certificates("SSL_CERT_DIR", folder)
        yield from found


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:_MAX_CERTIFICATE_FILES]
    except OSError:
        return []


def _holds_certificates(path: Path) -> bool:
    try:
        if path.is_file():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
            return True
    except (OSError, ValueError):
        pass
    return False


def _no_certificates(variable: str, path: str) -> ConfigError:
    return ConfigError("holds no certificates that can be read", subject=path, hint=f"Check {variable}.")


def system_store() -> tuple[str, str]:
    """The file of the system's certificates and their folder, as OpenSSL uses both; empty for what is not there."""
    paths = ssl.get_default_verify_paths()
    files = (name for name in (paths.openssl_cafile, *_BUNDLES) if Path(name).is_file() and os.access(name, os.R_OK))
    return next(files, ""), paths.openssl_capath if Path(paths.openssl_capath).is_dir() else ""


def _keychain() -> bytes:
    """Authorities that an administrator added to a Mac; its file of certificates lacks them."""
    if sys.platform != "darwin":
        return b""
    command = ["/usr/bin/security", "find-certificate", "-a", "-p", *_KEYCHAINS]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return b""


class Route(msgspec.Struct, frozen=True):
    """The way to a host."""

    origin: str
    """Scheme, host and port."""
    host: str
    """Its name alone."""
    proxy: Proxy | None
    trusted: TrustStore | None

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return self.origin.partition("://")[2]

    @property
    def is_safe(self) -> bool:
        """Whether it is encrypted to its end."""
        return self.origin.startswith("https:")

    @property
    def is_forwarded(self) -> bool:
        """Whether the proxy is asked for what is at the host, instead of for a connection to it."""
        return self.proxy is not None and not self.is_safe


def route_to(url: str, *, local: bool) -> Route:
    """The way to the host of a URL; where `local`, none leads by a proxy to what stays on this machine.

    Raises:
        ConfigError: the proxy or the certificates that the environment names cannot be used.
    """
    parts = urlsplit(url)
    proxy = None if local and is_loopback(url) else proxy_for(url)
    schemes = (parts.scheme, proxy.url.partition(":")[0] if proxy is not None else "")
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return Route(origin, parts.hostname or "", proxy, trust_store() if "https" in schemes else None)


class ApiCall(msgspec.Struct, frozen=True):
    """A request to a host that the sender knows."""

    method: str
    target: str
    """Path and query, encoded: sent exactly as it is."""
    headers: Mapping[str, Secret] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        """Without query and body, which may hold what is secret."""
        return f"ApiCall({self.method} {self.path})"

    def with_headers(self, headers: Mapping[str, Secret]) -> "ApiCall":
        """The same request with further headers."""
        return msgspec.structs.replace(self, headers={**self.headers, **headers})

    @property
    def path(self) -> str:
        """The target without its query, for logs."""
        return self.target.partition("?")[0]


class Sender(Protocol):
    """Sends requests to one host."""

    async def exchange(self, call: ApiCall, subject: str, *, is_token: bool = False) -> Reply:
        """Send one request and read its whole answer, whatever its status.

        Raises:
            NetworkError: it could not be sent, and certainly was not.
            LostReplyError: it may have been sent; there is no answer.
            ReplyError: the answer is too large, or encoded in a way that was not asked for.
            UnsafeError: the connection cannot be trusted.
        """

    async def close(self) -> None:
        """Close all connections."""


class Sink(Protocol):
    """Takes the bytes of a reply. Called in the blob client's thread; what it raises ends the request."""

    def accept(self, reply: BlobReply, /) -> bool:
        """Look at the headers; True if `write` wants the body."""

    def write(self, data: memoryview, /) -> None:
        """Take the next bytes: others will be in their place afterwards."""


class Body(Protocol):
    """Gives the bytes of a request. Called in the blob client's thread; what it raises ends the request."""

    size: int
    offset: int
    """Bytes given so far."""

    def read(self, count: int) -> bytes:
        """The next bytes, at most `count`."""


class NoSink:
    """Wants no body: for replies that are only looked at."""

    def accept(self, _reply: BlobReply) -> bool:
        """Keep the start of the body for the reply."""
        return False

    def write(self, _data: memoryview) -> None:
        """Never called."""


class Blob(Protocol):
    """Fetches and sends bytes."""

    async def get(self, source: Source, sink: Sink, headers: Mapping[str, str] | None = None) -> BlobReply:
        """Fetch into a sink.

        A reply that the sink does not want is no error here: it is given back with the start of its body.

        Raises:
            StorageError: no whole reply came; or what the sink raised.
            UnsafeError: the address must not be used. Nothing was sent.
        """

    async def put(self, target: Target, body: Body) -> BlobReply:
        """Send a body of known size.

        Raises:
            LostReplyError: all was sent, and no reply came.
            StorageError: not all was sent; or what the body raised.
        """

    def renew(self) -> None:
        """Use no connection again that was made until now."""

    async def close(self) -> None:
        """Close all connections; what runs ends with an error. Takes at most a second."""

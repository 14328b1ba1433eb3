"""The blob client: fetches bytes into sinks and sends bodies, by links that the services gave."""

import re
from collections.abc import Hashable, Mapping
from urllib.parse import SplitResult, urlsplit

from cloudstore_tui.core.errors import NetworkError, StorageError, UnsafeError
from cloudstore_tui.core.links import NOTHING_SENT, Source, Target
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.curl import STOP, CurlCall, Wire
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.hosts import is_allowed, literal_address
from cloudstore_tui.net.logs import ExchangeLog
from cloudstore_tui.net.redaction import guard_link
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.retry import attempt_number, exchange_timeouts
from cloudstore_tui.net.transport import Body, NoSink, Route, Sink, route_to

MAX_ERROR_BODY = 16_384
"""Bytes kept of a body that is not the object; enough for a store's XML."""

_PRIVATE = (
    "Nothing was sent. If this network is your own, name it in allow_networks of the profile: "
    'allow_networks = ["10.0.0.0/8"].'
)
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,16383}[\x21-\x7e])?")


class BlobCall(CurlCall[BlobReply]):
    """A request to where a link leads: its bytes go to a sink as they come."""

    def __init__(
        self,
        method: str,
        ends: Source | Target,
        route: Route,
        extra: Mapping[str, str],
        limits: Timeouts,
        sink: Sink,
    ) -> None:
        """Make one; sends nothing.

        Raises:
            UnsafeError: a header cannot be sent.
        """
        parts = urlsplit(ends.url.reveal())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        super().__init__(method, route, target, _header_lines(ends, extra), limits)
        self.host = route.host
        self._local = ends.local
        self._networks = ends.networks
        self._sink = sink
        self._wanted = False
        self._start = bytearray()

    def may_use(self, address: str) -> bool:
        """A host name says nothing: it may lead into the network that this machine is in."""
        allowed = self.route.proxy is not None or is_allowed(address, local=self._local, networks=self._networks)
        if not allowed:
            self.error = UnsafeError(f"{self.host} leads to a private address", hint=_PRIVATE)
        return allowed

    def begin_body(self) -> None:
        """Ask the sink whether it wants what follows."""
        self._wanted = self._sink.accept(self.block.reply())

    def add_body(self, data: memoryview) -> int | None:
        """Give the sink what it wants; of what it does not, keep the start."""
        if self._wanted:
            self._sink.write(data)
            return None
        self._start += data
        self.enough = len(self._start) > MAX_ERROR_BODY
        return STOP if self.enough else None

    def result(self) -> BlobReply:
        """The reply, with the start of the body if the sink did not want it."""
        return self.block.reply(bytes(self._start))

    def meaning(self, error: StorageError) -> StorageError:
        """A failure after the whole body went out leaves open whether it arrived."""
        body = self.body
        sent = self.asked_at is not None and body is not None and body.offset >= body.size
        return LostReplyError(error.message) if sent and isinstance(error, NetworkError) else error


def _header_lines(ends: Source | Target, extra: Mapping[str, str]) -> list[str]:
    """Exactly the headers that are given, and nothing that libcurl would add of itself."""
    lines = ["Accept:", "Expect:", "Accept-Encoding: identity"]
    for name, value in [*((name, secret.reveal()) for name, secret in ends.headers.items()), *extra.items()]:
        if not _FIELD.fullmatch(name) or not _VALUE.fullmatch(value):
            raise UnsafeError("the service asks for a header that cannot be sent", hint=NOTHING_SENT)
        lines.append(f"{name}: {value}")
    return lines


class BlobClient:
    """Fetches and sends bytes. Follows no redirect, keeps no cookie, sends the headers it is given."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        # Of its own: a disk that is slow to take bytes holds up nothing but bytes.
        self._wire = Wire("blob client")
        self._routes: dict[Hashable, Route] = {}
        """The ways to the hosts that links led to."""
        self._closing = False

    async def get(self, source: Source, sink: Sink, headers: Mapping[str, str] | None = None) -> BlobReply:
        """Fetch into a sink."""
        return await self._do("GET", source, sink, headers)

    async def put(self, target: Target, body: Body) -> BlobReply:
        """Send a body of known size, over a connection of its own."""
        return await self._do("PUT", target, NoSink(), body=body)

    def renew(self) -> None:
        """Use no connection again that was made until now: after the machine slept, none of them leads anywhere."""
        self._wire.renew()

    async def close(self) -> None:
        """Close all connections; what runs ends with an error. Takes at most a second."""
        self._closing = True
        await self._wire.leave(self)

    async def _do(
        self,
        method: str,
        ends: Source | Target,
        sink: Sink,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> BlobReply:
        guard_link(ends.url)
        call = BlobCall(method, ends, self._route(ends), headers or {}, exchange_timeouts(self._timeouts), sink)
        call.body = body
        if self._closing:
            raise NetworkError("the program is ending")
        with ExchangeLog(method, call.host, call.target.partition("?")[0], attempt_number()) as log:
            reply = await self._wire.carry_out(call, self)
            log.ended(reply.status, call.moved)
            return reply

    def _route(self, ends: Source | Target) -> Route:
        """The way to where a link leads; what is to be known of its host is found out once.

        Raises:
            UnsafeError: the address must not be used.
            ConfigError: the proxy or the certificates that the environment names cannot be used.
        """
        url = ends.url.reveal()
        parts = _split(url)
        known = parts.scheme, parts.netloc, ends.local, ends.networks
        if known not in self._routes:
            _check_host(parts, ends)
            self._routes[known] = route_to(url, local=ends.local)
        return self._routes[known]


def _split(url: str) -> SplitResult:
    try:
        if url.isascii() and url.isprintable():
            return urlsplit(url)
    except ValueError:
        pass
    raise _damaged()


def _check_host(parts: SplitResult, ends: Source | Target) -> None:
    """Make sure that bytes may come from a host or go there, as far as a link tells."""
    try:
        _port = parts.port
    except ValueError:
        raise _damaged() from None
    if parts.scheme != "https" and not (ends.local and parts.scheme == "http"):
        raise UnsafeError("the service gave a link that is not https", hint=NOTHING_SENT)
    literal = literal_address(parts.hostname or "")
    if literal and not is_allowed(literal, local=ends.local, networks=ends.networks):
        raise UnsafeError(f"{parts.hostname} is a private address", hint=_PRIVATE)


def _damaged() -> UnsafeError:
    return UnsafeError("the service gave a damaged link", hint=NOTHING_SENT)

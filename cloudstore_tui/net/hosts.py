"""The hosts that bytes come from: which addresses may be used, and which hosts are down.

A host that is down is probed by one transfer, not by all. It has a circuit breaker and a token bucket: after a number
of failed connections in a row all transfers wait while one of them probes the host. Every retry takes tokens and every
success puts one back, so that a host that mostly fails is not flooded with retries either; once the bucket is empty, a
single transfer probes, too.
"""

import asyncio
import ipaddress
import math
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from cloudstore_tui.core.errors import NetworkError, StorageError, UnavailableError
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.failures import HostError, RecoverableReplyError
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.retry import RetryBudget, showing_wait
from cloudstore_tui.net.transport import Sink

MAX_TOKENS = 500
RETRY_COST = 5
TIMEOUT_COST = 10
MAX_CONNECT_FAILURES = 10
"""Failed connections in a row after which a host counts as down."""
FIRST_PROBE_PAUSE_S = 5.0
MAX_PROBE_PAUSE_S = 60.0
"""Pause between two probes of a host that is down; it doubles up to the maximum."""


class HostHealth(msgspec.Struct, eq=False):
    """What is known of one host."""

    name: str
    tokens: int = MAX_TOKENS
    failures: int = 0
    """Failed connections in a row."""
    spent: bool = False
    """Whether a retry found too few tokens, and nothing has succeeded since."""
    probes: int = 0
    """Failed probes in a row."""
    tried_at: float = 0.0
    prober: "HostPermit | None" = None
    """The one that may try the host while it is down."""
    error: StorageError = msgspec.field(default_factory=lambda: NetworkError("it cannot be reached"))
    """The latest failure."""
    changed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def is_down(self) -> bool:
        """Whether only one transfer may try it."""
        return self.spent or self.failures >= MAX_CONNECT_FAILURES

    @property
    def pause(self) -> float:
        """Seconds from the last probe to the next."""
        return min(FIRST_PROBE_PAUSE_S * 2.0 ** min(self.probes, 10), MAX_PROBE_PAUSE_S)

    def answered(self, *, success: bool) -> None:
        """Record that a connection was made and, with `success`, that bytes came."""
        self.failures = 0
        if success:
            self.tokens = min(self.tokens + 1, MAX_TOKENS)
            self.spent = False
        if not self.is_down:
            self.probes = 0
            self.wake_waiters()

    def failed(self, error: StorageError, now: float, *, probe: bool) -> None:
        """Record a failure that is retried."""
        # Other transfers raise it, too, about objects of their own.
        self.error = error.with_(subject="")
        self.tried_at = now
        self.probes += probe
        if isinstance(error, HostError) and not error.connected:
            self.failures += 1
        else:
            self.failures = 0
        late = isinstance(error, HostError) and error.timed_out
        cost = TIMEOUT_COST if late else RETRY_COST
        self.spent = self.spent or self.tokens < cost
        self.tokens = max(self.tokens - cost, 0)

    def wake_waiters(self) -> None:
        """Wake the transfers that wait for a change."""
        self.changed.set()
        self.changed.clear()


class Hosts:
    """All hosts of one engine. Belongs to one event loop."""

    def __init__(self) -> None:
        self._known: dict[str, HostHealth] = {}

    def of(self, url: Secret) -> HostHealth:
        """The host that a link leads to."""
        parts = urlsplit(url.reveal())
        # With the port, since one name may stand for several servers.
        key = parts.netloc.rpartition("@")[2]
        if key not in self._known:
            self._known[key] = HostHealth(parts.hostname or "")
        return self._known[key]


class HostPermit:
    """Permission for one transfer to ask hosts: use as a context manager around each request, and `enter` before it.

    `on_wait` is called with what is waited for.
    """

    def __init__(self, hosts: Hosts, clock: Clock, on_wait: Callable[[str], None]) -> None:
        self._hosts = hosts
        self._clock = clock
        self._on_wait = on_wait
        self._entered: HostHealth | None = None
        """The host of the present request."""
        self._probed: HostHealth | None = None
        """The host that this transfer alone may try now."""
        self._sent = False
        self._progressed = False

    async def enter(self, url: Secret, budget: RetryBudget) -> bool:
        """Wait until the host of a link may be asked.

        Returns whether there was a wait: the link may have expired meanwhile, so get another one and enter again.

        Raises:
            StorageError: the budget is used up.
        """
        health, waited = self._hosts.of(url), False
        while health.is_down and health.prober is not self:
            waited = True
            if health.prober is None:
                await self._become_prober(health, budget)
            else:
                await self._wait_for_prober(health, budget)
        self._entered = None if waited else health
        return waited

    def mark_sent(self) -> None:
        """Record that the request is being sent, so that its end says something about the host."""
        self._sent = True

    def watch(self, sink: Sink) -> Sink:
        """The sink to use for the request: a host that is down counts as up with its first byte, not with the last."""
        self.mark_sent()
        if self._entered is None or not self._entered.is_down:
            return sink
        return _ProgressSink(sink, self.progressed)

    def progressed(self) -> None:
        """Record that bytes came, however the request ends."""
        if self._entered is not None and not self._progressed:
            self._progressed = True
            self._entered.answered(success=True)

    def __enter__(self) -> Self:
        """Begin a request."""
        self._sent = self._progressed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record how it ended; other transfers may then try the host, if this one was the prober."""
        entered, self._entered = self._entered, None
        if entered is not None and self._sent:
            self._record_outcome(entered, error)
        self._release()

    async def _become_prober(self, health: HostHealth, budget: RetryBudget) -> None:
        self._release()
        self._probed, health.prober = health, self
        pause = max(health.tried_at + health.pause - self._clock.monotonic(), 0.0)
        budget.check(health.error.with_(), pause)
        self._on_wait(health.error.message)
        with showing_wait(health.error.message):
            await self._clock.sleep(pause)

    async def _wait_for_prober(self, health: HostHealth, budget: RetryBudget) -> None:
        note = f"waiting for {health.name}; one transfer tries it"
        self._on_wait(note)
        with suppress(TimeoutError), showing_wait(note):
            async with asyncio.timeout(budget.left if budget.left < math.inf else None):
                await health.changed.wait()
        budget.check(health.error.with_())

    def _record_outcome(self, health: HostHealth, error: BaseException | None) -> None:
        if error is None:
            if not self._progressed:
                health.answered(success=True)
        elif isinstance(error, UnavailableError):
            if not self._progressed:
                health.failed(error, self._clock.monotonic(), probe=health is self._probed)
        elif isinstance(error, StorageError | RecoverableReplyError):
            health.answered(success=False)

    def _release(self) -> None:
        probed, self._probed = self._probed, None
        if probed is not None:
            probed.prober = None
            probed.wake_waiters()


class _ProgressSink:
    """A sink that calls `on_bytes`, in the event loop it was made in, once the host sends bytes."""

    def __init__(self, sink: Sink, on_bytes: Callable[[], None]) -> None:
        self._sink = sink
        self._on_bytes = on_bytes
        self._loop = asyncio.get_running_loop()

    def accept(self, reply: BlobReply) -> bool:
        wanted = self._sink.accept(reply)
        if wanted:
            with suppress(RuntimeError):  # the loop has ended; nobody waits any more
                self._loop.call_soon_threadsafe(self._on_bytes)
        return wanted

    def write(self, data: memoryview) -> None:
        self._sink.write(data)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All public IPv6 addresses; those outside are private or have a special meaning."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@lru_cache(maxsize=1024)
def is_allowed(address: str, *, local: bool, networks: tuple[str, ...] = ()) -> bool:
    """Whether a connection to an address may be used: it is public, or of this machine if `local`, or in `networks`.

    A host name proves nothing: it can lead to a printer, to this machine, or to the metadata service of a cloud. So the
    address itself is checked when a connection is made.
    """
    try:
        written = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    actual = _embedded_ipv4(written)
    if any(written in net or actual in net for net in map(ipaddress.ip_network, networks)):
        return True
    if actual.is_loopback:
        return local
    is_unicast = isinstance(actual, ipaddress.IPv4Address) or actual in _GLOBAL_UNICAST
    return is_unicast and actual.is_global and not (actual.is_multicast or actual.is_reserved)


def _embedded_ipv4(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address contains, such as `::ffff:127.0.0.1`; other addresses as they are."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


@lru_cache(maxsize=1024)
def literal_address(host: str) -> str:
    """The address that the host of a URL is, in any notation (`127.1`, `0x7f.1`); empty for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return ""

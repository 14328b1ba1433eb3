"""How the hosts are that bytes come from, so that one that is down is tried by one transfer and not by all.

Two measures per host. A breaker: after so many connections in a row that did not come about, all transfers wait and
one tries. A bucket: every retry takes from it and every success puts back a little, so that a host that mostly fails
is not burdened with the retries of all transfers either; once it is empty, one transfer tries, too.
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

TOKENS = 500
RETRY_COST = 5
TIME_OUT_COST = 10
MAX_FAILURES = 10
"""Connections in a row that may fail before all but one transfer wait."""
FIRST_PROBE = 5.0
LONGEST_PROBE = 60.0
"""Seconds between two tries of a host that is down."""


class HostHealth(msgspec.Struct, eq=False):
    """What is known of one host."""

    name: str
    tokens: int = TOKENS
    failures: int = 0
    """Connections in a row that did not come about."""
    spent: bool = False
    """Whether a retry could not be paid for, and nothing has succeeded since."""
    probes: int = 0
    """Tries in a row that failed since it is down."""
    tried_at: float = 0.0
    prober: "HostPermit | None" = None
    """The one who may try it while it is down."""
    error: StorageError = msgspec.field(default_factory=lambda: NetworkError("it cannot be reached"))
    """Why it was last found down."""
    changed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def is_down(self) -> bool:
        """Whether only one transfer may try it."""
        return self.spent or self.failures >= MAX_FAILURES

    @property
    def pause(self) -> float:
        """Seconds between the last try and the next."""
        return min(FIRST_PROBE * 2.0 ** min(self.probes, 10), LONGEST_PROBE)

    def answered(self, *, success: bool) -> None:
        """A connection came about; with `success`, bytes came, too."""
        self.failures = 0
        if success:
            self.tokens = min(self.tokens + 1, TOKENS)
            self.spent = False
        if not self.is_down:
            self.probes = 0
            self.wake_waiters()

    def failed(self, error: StorageError, now: float, *, probe: bool) -> None:
        """Something failed that is tried again."""
        # Told to others, each about an object of its own.
        self.error = error.with_(subject="")
        self.tried_at = now
        self.probes += probe
        if isinstance(error, HostError) and not error.connected:
            self.failures += 1
        else:
            self.failures = 0
        late = isinstance(error, HostError) and error.timed_out
        cost = TIME_OUT_COST if late else RETRY_COST
        self.spent = self.spent or self.tokens < cost
        self.tokens = max(self.tokens - cost, 0)

    def wake_waiters(self) -> None:
        """Wake those who wait, to look again."""
        self.changed.set()
        self.changed.clear()


class Hosts:
    """All hosts of one engine. Lives in one event loop."""

    def __init__(self) -> None:
        self._known: dict[str, HostHealth] = {}

    def of(self, url: Secret) -> HostHealth:
        """The host that a link leads to."""
        parts = urlsplit(url.reveal())
        # The name alone may stand for several servers on one machine.
        key = parts.netloc.rpartition("@")[2]
        if key not in self._known:
            self._known[key] = HostHealth(parts.hostname or "")
        return self._known[key]


class HostPermit:
    """The requests of one transfer, one after the other: `with` around each, with `enter` before the bytes."""

    def __init__(self, hosts: Hosts, clock: Clock, hold: Callable[[str], None]) -> None:
        self._hosts = hosts
        self._clock = clock
        self._hold = hold
        self._at: HostHealth | None = None
        """The host that was entered in this request."""
        self._probed: HostHealth | None = None
        """The host that nobody else may try now."""
        self._asked = False
        self._progressed = False

    async def enter(self, url: Secret, budget: RetryBudget) -> bool:
        """Wait until it makes sense to ask the host of a link.

        Gives whether that took time: the link may have ended meanwhile, so get another one and enter again.

        Raises:
            StorageError: the budget is used up.
        """
        health, waited = self._hosts.of(url), False
        while health.is_down and health.prober is not self:
            waited = True
            if health.prober is None:
                await self._prepare(health, budget)
            else:
                await self._watch(health, budget)
        self._at = None if waited else health
        return waited

    def ask(self) -> None:
        """Take note that the request follows."""
        self._asked = True

    def listen(self, sink: Sink) -> Sink:
        """The sink for the request that follows: the host is up with the first byte that comes, not with the last."""
        self.ask()
        if self._at is None or not self._at.is_down:
            return sink
        return _ProgressSink(sink, self.progressed)

    def progressed(self) -> None:
        """Take note that new bytes came, whatever becomes of the request in the end."""
        if self._at is not None and not self._progressed:
            self._progressed = True
            self._at.answered(success=True)

    def __enter__(self) -> Self:
        """Begin a request."""
        self._asked = self._progressed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take note of how it ended, and let others try the host if this one had to."""
        entered, self._at = self._at, None
        if entered is not None and self._asked:
            self._judge(entered, error)
        self._release()

    async def _prepare(self, health: HostHealth, budget: RetryBudget) -> None:
        self._release()
        self._probed, health.prober = health, self
        pause = max(health.tried_at + health.pause - self._clock.monotonic(), 0.0)
        budget.check(health.error.with_(), pause)
        self._hold(health.error.message)
        with showing_wait(health.error.message):
            await self._clock.sleep(pause)

    async def _watch(self, health: HostHealth, budget: RetryBudget) -> None:
        """Wait until the one that tries the host has come to an end."""
        note = f"waiting for {health.name}; one transfer tries it"
        self._hold(note)
        with suppress(TimeoutError), showing_wait(note):
            async with asyncio.timeout(budget.left if budget.left < math.inf else None):
                await health.changed.wait()
        budget.check(health.error.with_())

    def _judge(self, health: HostHealth, error: BaseException | None) -> None:
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
    """A sink that tells, in the loop it was made in, that the host gives bytes."""

    def __init__(self, sink: Sink, tell: Callable[[], None]) -> None:
        self._sink = sink
        self._tell = tell
        self._loop = asyncio.get_running_loop()

    def accept(self, reply: BlobReply) -> bool:
        wanted = self._sink.accept(reply)
        if wanted:
            with suppress(RuntimeError):  # the loop has ended; nobody waits any more
                self._loop.call_soon_threadsafe(self._tell)
        return wanted

    def write(self, data: memoryview) -> None:
        self._sink.write(data)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All IPv6 addresses that are given out; what is outside is of a network of its own, or has a meaning of its own."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@lru_cache(maxsize=1024)
def is_allowed(address: str, *, local: bool, networks: tuple[str, ...] = ()) -> bool:
    """Whether a connection to an address may be used.

    A host name says nothing: it can lead to a printer, to this machine, or to the metadata service of a cloud. So the
    address itself is looked at when a connection is made: public ones may be used, this machine's own if `local`, and
    those in `networks`.
    """
    try:
        written = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    meant = _embedded(written)
    if any(written in net or meant in net for net in map(ipaddress.ip_network, networks)):
        return True
    if meant.is_loopback:
        return local
    public = isinstance(meant, ipaddress.IPv4Address) or meant in _GLOBAL_UNICAST
    return public and meant.is_global and not (meant.is_multicast or meant.is_reserved)


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, so that `::ffff:127.0.0.1` hides nothing."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


@lru_cache(maxsize=1024)
def literal_address(host: str) -> str:
    """The address that a host of a URL is, in any of the ways to write one (`127.1`, `0x7f.1`); empty for a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return ""

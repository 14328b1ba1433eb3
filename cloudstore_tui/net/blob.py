"""The blob client: moves bytes through libcurl, in one thread of its own.

The only module that imports pycurl. Any number of requests run at once; connections are kept for the next one.
"""

import asyncio
import re
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

import pycurl

from cloudstore_tui.core.errors import LocalDiskError, NetworkError, StorageError, UnsafeError
from cloudstore_tui.core.links import NOTHING_SENT, Source, Target, is_loopback
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.failures import Circumstances, LostReplyError, failure, timed_out
from cloudstore_tui.net.hosts import is_allowed, literal_address
from cloudstore_tui.net.logs import LOG, exchange_logged
from cloudstore_tui.net.redaction import guard_link
from cloudstore_tui.net.reply import BlobReply, HeaderBlock
from cloudstore_tui.net.retry import attempt, for_one_exchange
from cloudstore_tui.net.transport import (
    SLOWEST,
    USER_AGENT,
    Body,
    NoSink,
    Proxy,
    Sink,
    TrustStore,
    proxy_for,
    trust_store,
)

RECEIVE_BUFFER = 512 * 1024
"""Bytes that libcurl reads at once: with its default of 16 KiB a large download is four times slower."""
GRACE = 1.0
"""Seconds a cancelled request gets to let go of its sink; more is needed only if the disk hangs."""

_TICK = 0.5
HELD_UP_S = 5.0
"""Seconds between two ticks after which the thread itself was late, so that silence proves nothing."""
_KEPT_CONNECTIONS = 32
MAX_GATHERED = 256 * 1024
"""Bytes of a body that are handed on at once. libcurl gives 16 KiB at a time: a call of the system for each of them,
with the lock of the interpreter given away and fought for again, would take more time than the bytes."""
MAX_ERROR_BODY = 16_384
"""Bytes kept of a body that is not the object; enough for a store's XML."""

_PRIVATE = (
    "Nothing was sent. If this network is your own, name it in allow_networks of the profile: "
    'allow_networks = ["10.0.0.0/8"].'
)
_STOP = 0
"""What a callback that takes bytes gives back to make libcurl stop."""
_ABORT = 0x10000000
"""What a callback that gives bytes gives back (CURL_READFUNC_ABORT)."""
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,16383}[\x21-\x7e])?")


Callback = TypeVar("Callback", bound=Callable[..., object])


def stopping_with(answer: int) -> Callable[[Callback], Callback]:
    """Keep what a callback raises for whoever waits: libcurl can only be told to stop, and would print it."""

    def decorate(callback: Callback) -> Callback:
        @wraps(callback)
        def guarded(call: "CurlCall", *args: object) -> object:
            try:
                return callback(call, *args)
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                call.error = error
                return answer

        return cast("Callback", guarded)

    return decorate


class CurlCall:
    """One request and its reply, as the callbacks of libcurl see it."""

    def __init__(
        self, ends: Source | Target, extra: Mapping[str, str], limits: Timeouts, sink: Sink, body: Body | None = None
    ) -> None:
        """Make one; sends nothing.

        Raises:
            UnsafeError: the address must not be used.
            ConfigError: the proxy or the certificates that the environment names cannot be used.
        """
        self.url = ends.url.reveal()
        guard_link(ends.url)
        self._local = ends.local
        self._networks = ends.networks
        parts = self._vetted()
        self.host = parts.hostname or ""
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.protocols = ("https", "http") if ends.local else ("https",)
        self.limits = limits
        self.sink = sink
        self.body = body
        self.proxy = None if ends.local and is_loopback(self.url) else proxy_for(self.url)
        self.trusted = trust_store() if parts.scheme == "https" else None
        self.header_lines = _header_lines(ends, extra)
        self.error: BaseException | None = None
        self.ended: asyncio.Future[BlobReply] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self.abandoned = False
        self.enough = False
        """Whether the rest of a body that nobody wants was cut off."""
        self.asked_at: float | None = None
        self.moved_at = time.monotonic()
        """When the exchange last got on; headers that drip and what stands between bytes of a body do not count."""
        self.moved = 0
        """Bytes of bodies, both ways."""
        self._opened: list[socket.socket] = []
        self._block = HeaderBlock()
        self._answered = False
        self._wanted = False
        self._kept = bytearray()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0

    @property
    def reply(self) -> BlobReply:
        """The reply, with the start of the body if the sink did not want it."""
        return self._block.reply(bytes(self._kept))

    def circumstances(self, connect_status: int = 0, text: str = "") -> Circumstances:
        """What is known now, for the error."""
        proxy = self.proxy.name if self.proxy is not None else ""
        return Circumstances(self.host, proxy, self.asked_at is not None, self._answered, connect_status, text)

    def end(self, error: BaseException | None) -> None:
        """Tell whoever waits. Called in the blob client's thread."""
        self._close_sockets()
        with suppress(RuntimeError):  # the loop has ended; nobody waits any more
            self._loop.call_soon_threadsafe(self._settle, error)

    # Callbacks

    @stopping_with(-1)
    def open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        """Make the socket for a connection, unless it would lead to where no bytes of ours come from."""
        family, kind, protocol, place = address
        if self.abandoned or not self._may_use(place[0]):
            return -1
        try:
            # libcurl gets a duplicate; this one is closed as soon as it has been looked at.
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            raise NetworkError(f"no connection can be opened: {error.strerror}") from None
        self._opened.append(opened)
        return opened

    @stopping_with(1)
    def before_request(self, remote: str, _local: str, _remote_port: int, _local_port: int) -> int:
        """Last look before the request is sent; also over a connection made for an earlier one."""
        if self.abandoned or not self._may_use(remote):
            return 1
        self._close_sockets()
        self.asked_at = self.moved_at = time.monotonic()
        return 0

    @stopping_with(_STOP)
    def take_header(self, line: bytes) -> int | None:
        """One header line."""
        if self.abandoned:
            return _STOP
        # What the proxy answers to CONNECT, and trailers after a body, are none of the host's headers.
        is_its_own = self.asked_at is not None and not self._answered
        if is_its_own and self._block.add(line) and self._block.status >= 200:
            self._answered = True
            self.got_on(0)
            self._wanted = self.sink.accept(self._block.reply())
        return None

    @stopping_with(_STOP)
    def take_body(self, data: bytes) -> int | None:
        """The next bytes of the body."""
        self.got_on(len(data))
        if self._wanted:
            self._gathered.append(data)
            self._gathered_bytes += len(data)
            return self.hand_on() if self._gathered_bytes >= MAX_GATHERED else None
        self._kept += data
        self.enough = len(self._kept) > MAX_ERROR_BODY
        return _STOP if self.enough else None

    @stopping_with(_STOP)
    def hand_on(self) -> int | None:
        """Give the sink what has been gathered."""
        if not self._gathered:
            return None
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_bytes = 0
        if self.abandoned:
            return _STOP
        self.sink.write(data)
        return None

    @stopping_with(_ABORT)
    def give_body(self, count: int) -> bytes | int:
        """The next bytes of the request."""
        if self.abandoned or self.body is None:
            return _ABORT
        data = self.body.read(count)
        self.got_on(len(data))
        return data

    def got_on(self, count: int) -> None:
        """Bytes have come or gone: it is not silent."""
        self.moved_at = time.monotonic()
        self.moved += count

    def _close_sockets(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def _settle(self, error: BaseException | None) -> None:
        if self.ended.done():
            return
        if error is not None:
            self.ended.set_exception(error)
            # Nobody looks at the error of a cancelled call.
            self.ended.exception()
        else:
            self.ended.set_result(self.reply)

    def _may_use(self, address: str) -> bool:
        allowed = self.proxy is not None or is_allowed(address, local=self._local, networks=self._networks)
        if not allowed:
            self.error = UnsafeError(f"{self.host} leads to a private address", hint=_PRIVATE)
        return allowed

    def _vetted(self) -> SplitResult:
        if not self.url.isascii() or not self.url.isprintable():
            raise UnsafeError("the service gave a damaged link", hint=NOTHING_SENT)
        try:
            parts = urlsplit(self.url)
            _port = parts.port
        except ValueError:
            raise UnsafeError("the service gave a damaged link", hint=NOTHING_SENT) from None
        if parts.scheme != "https" and not (self._local and parts.scheme == "http"):
            raise UnsafeError("the service gave a link that is not https", hint=NOTHING_SENT)
        literal = literal_address(parts.hostname or "")
        if literal and not is_allowed(literal, local=self._local, networks=self._networks):
            raise UnsafeError(f"{parts.hostname} is a private address", hint=_PRIVATE)
        return parts


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
        self._loop: CurlLoop | None = None
        self._closing = False

    async def get(self, source: Source, sink: Sink, headers: Mapping[str, str] | None = None) -> BlobReply:
        """Fetch into a sink."""
        return await self._do("GET", CurlCall(source, headers or {}, for_one_exchange(self._timeouts), sink))

    async def put(self, target: Target, body: Body) -> BlobReply:
        """Send a body of known size, over a connection of its own."""
        return await self._do("PUT", CurlCall(target, {}, for_one_exchange(self._timeouts), NoSink(), body))

    def renew(self) -> None:
        """Use no connection again that was made until now: after the machine slept, none of them leads anywhere."""
        if self._loop is not None:
            self._loop.renew()

    async def close(self) -> None:
        """Close all connections; what runs ends with an error. Takes at most a second."""
        self._closing = True
        if self._loop is not None:
            await self._loop.close()

    async def _do(self, method: str, call: "CurlCall") -> BlobReply:
        with exchange_logged(method, call.host, call.target.partition("?")[0], attempt()) as log:
            loop = self._running()
            loop.add(call)
            try:
                # Not a plain await: a cancelled future could not tell when the thread has let go of the sink.
                reply = await asyncio.shield(call.ended)
            except asyncio.CancelledError:
                call.abandoned = True
                loop.wake()
                await asyncio.wait({call.ended}, timeout=GRACE)
                raise
            log.ended(reply.status, call.moved)
            return reply

    def _running(self) -> "CurlLoop":
        """The loop; another one where it has ended by a mistake of ours."""
        if self._closing:
            raise NetworkError("the program is ending")
        if self._loop is None or self._loop.has_ended:
            try:
                self._loop = CurlLoop(self._timeouts)
            except (OSError, RuntimeError, pycurl.error):
                # Final: whoever has none left for this program may have none for hours.
                raise LocalDiskError(
                    "no connection can be made: this machine has no threads or open files left",
                    hint="Close other programs, or raise the limits.",
                ) from None
        return self._loop


class CurlLoop:
    """Carries out calls in one thread, until it is closed or fails; either way each call is told how it ended."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._asyncio_loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._asyncio_loop.create_future()
        self.has_ended = False
        self._lock = threading.Lock()
        """Held where `has_ended` and `_new` must agree."""
        self._new: deque[CurlCall] = deque()
        self._calls: dict[Any, CurlCall] = {}
        self._spare: list[Any] = []
        self._timer: float | None = None
        self._ticked_at = 0.0
        self._closing = False
        self._sleeps = False
        """Whether the thread has to be woken: who does that gives it the lock of the interpreter, and waits for it."""
        self._worn = False
        """Whether the kept connections are not to be used again."""
        self._broken: BaseException | None = None
        """What failed in a callback of the whole loop."""
        with ExitStack() as opened:
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._wake_receiver, self._wake_sender = map(opened.enter_context, socket.socketpair())
            for end in (self._wake_receiver, self._wake_sender):
                end.setblocking(False)
            self._selector.register(self._wake_receiver, selectors.EVENT_READ)
            self._multi = self._new_multi()
            opened.callback(lambda: self._multi.close())
            threading.Thread(target=self._serve, name="blob client", daemon=True).start()
            self._opened = opened.pop_all()

    def add(self, call: "CurlCall") -> None:
        """Begin a call."""
        with self._lock:
            if not self.has_ended:
                self._new.append(call)
                self.wake()
                return
        call.end(NetworkError("the program is ending"))

    def renew(self) -> None:
        """Use no connection again that was made until now."""
        self._worn = True
        self.wake()

    async def close(self) -> None:
        """End; waits a second at most."""
        self._closing = True
        self.wake()
        await asyncio.wait({self._ended}, timeout=GRACE)

    def wake(self) -> None:
        """Let the thread look at once what there is to do."""
        if not self._sleeps:
            return
        with suppress(OSError):  # full: it is awake already; closed: it has ended
            self._wake_sender.send(b"!")

    # From here on in the thread

    def _serve(self) -> None:
        error = NetworkError("the program is ending")
        try:
            while not self._closing:
                self._turn()
        except BaseException as mistake:  # noqa: BLE001 - whatever ends this thread, somebody waits for its calls
            LOG.error("the loop of libcurl ended: %s", type(mistake).__name__)
            error = NetworkError(f"the program made a mistake while bytes were moved ({type(mistake).__name__})")
        with self._lock:
            self.has_ended = True
            left = [*self._calls.values(), *self._new]
        for call in left:
            call.end(error.with_())
        with suppress(Exception):
            for handle in [*self._calls, *self._spare]:
                handle.close()
            self._opened.close()
        with suppress(RuntimeError):  # the loop of whoever waits may have ended
            self._asyncio_loop.call_soon_threadsafe(self._ended.set_result, None)

    def _new_multi(self) -> Any:
        """A set of connections without any."""
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_CONNECTIONS)
        return multi

    def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        self._sleeps = True
        # What came before that woke nobody.
        ready = self._selector.select(0 if self._has_orders() else self._longest_sleep())
        self._sleeps = False
        for key, events in ready:
            if key.fileobj is self._wake_receiver:
                self._wake_receiver.recv(4096)
            else:
                self._multi.socket_action(key.fd, _curl_events(events))
        if self._timer is not None and time.monotonic() >= self._timer:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        self._look_after()
        if self._worn and not self._calls:
            self._worn = False
            self._multi.close()
            self._timer = None
            self._multi = self._new_multi()
        while self._new:
            self._begin(self._new.popleft())

    def _has_orders(self) -> bool:
        return bool(self._new) or self._closing or any(call.abandoned for call in self._calls.values())

    def _longest_sleep(self) -> float | None:
        """Seconds until there is something to do without any event."""
        if not self._calls and self._timer is None:
            return None
        tick = min(_TICK, self._timeouts.read / 4)
        if self._timer is None:
            return tick
        return min(max(self._timer - time.monotonic(), 0.0), tick)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _watch_socket(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        try:
            self._watch(what, descriptor)
        except Exception as error:  # noqa: BLE001 - libcurl would print it and go on, deaf on this connection
            self._broken = error

    def _watch(self, what: int, descriptor: int) -> None:
        known = descriptor in self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(descriptor)
            return
        events = (selectors.EVENT_READ if what & pycurl.POLL_IN else 0) | (
            selectors.EVENT_WRITE if what & pycurl.POLL_OUT else 0
        )
        if known:
            self._selector.modify(descriptor, events)
        else:
            self._selector.register(descriptor, events)

    def _begin(self, call: "CurlCall") -> None:
        handle = None
        try:
            handle = self._spare.pop() if self._spare else pycurl.Curl()
            self.prepare(handle, call)
            self._multi.add_handle(handle)
        except Exception as error:  # noqa: BLE001 - it fails alone; all others go on
            if handle is not None:
                handle.close()
            call.end(error if isinstance(error, StorageError) else _mistake(error))
            return
        self._calls[handle] = call

    def prepare(self, handle: Any, call: "CurlCall") -> None:
        """Tell libcurl what a call asks for."""
        protocols = pycurl.PROTO_HTTPS | (pycurl.PROTO_HTTP if "http" in call.protocols else 0)
        options: dict[int, Any] = {
            pycurl.URL: call.url,
            # A signature covers the path as it is; libcurl would remove dots and change the case of escapes.
            pycurl.PATH_AS_IS: 1,
            pycurl.REQUEST_TARGET: call.target,
            pycurl.PROTOCOLS: protocols,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            pycurl.PROXY: call.proxy.url if call.proxy is not None else "",
            pycurl.NOPROXY: "",
            pycurl.USERAGENT: USER_AGENT,
            pycurl.HTTPHEADER: call.header_lines,
            pycurl.HEADEROPT: pycurl.HEADER_SEPARATE,
            pycurl.CONNECTTIMEOUT_MS: int(call.limits.connect * 1000),
            pycurl.LOW_SPEED_LIMIT: SLOWEST,
            pycurl.LOW_SPEED_TIME: max(int(call.limits.stall), 1),
            pycurl.BUFFERSIZE: RECEIVE_BUFFER,
            pycurl.NOSIGNAL: 1,
            pycurl.OPENSOCKETFUNCTION: call.open_socket,
            pycurl.PREREQFUNCTION: call.before_request,
            pycurl.HEADERFUNCTION: call.take_header,
            pycurl.WRITEFUNCTION: call.take_body,
        }
        if self._worn:
            # Until a moment without any request, in which all connections can be dropped.
            options |= {pycurl.FRESH_CONNECT: 1, pycurl.FORBID_REUSE: 1}
        options |= _trust_options(call.trusted) | _proxy_options(call.proxy)
        if call.body is not None:
            # Over a kept connection libcurl would send a body again by itself if no reply came.
            options |= {
                pycurl.UPLOAD: 1,
                pycurl.INFILESIZE_LARGE: call.body.size,
                pycurl.READFUNCTION: call.give_body,
                pycurl.FRESH_CONNECT: 1,
                pycurl.FORBID_REUSE: 1,
            }
        for option, value in options.items():
            handle.setopt(option, value)

    def _collect(self) -> None:
        """Let no byte wait for the next turn, and end what is complete."""
        for handle, call in list(self._calls.items()):
            if call.hand_on() is not None:
                self._end(handle, call.error)
        while True:
            left, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._end(handle, None)
            for handle, code, text in failed:
                self._end(handle, self._failure(handle, code, text))
            if not left:
                return

    def _failure(self, handle: Any, code: int, text: str) -> BaseException | None:
        call = self._calls[handle]
        if call.error is not None or call.enough:
            return call.error
        error = failure(code, call.circumstances(handle.getinfo(pycurl.HTTP_CONNECTCODE), text))
        return _lost(call, error)

    def _look_after(self) -> None:
        """End what was cancelled, and what has been silent for too long."""
        now = time.monotonic()
        held_up, self._ticked_at = now - self._ticked_at > HELD_UP_S, now
        for handle, call in list(self._calls.items()):
            if held_up:
                call.moved_at = now
            if call.abandoned:
                self._end(handle, NetworkError("it was cancelled"))
            elif call.asked_at is not None and now - call.moved_at > call.limits.read:
                self._end(handle, _lost(call, timed_out(call.circumstances())))

    def _end(self, handle: Any, error: BaseException | None) -> None:
        call = self._calls.pop(handle)
        try:
            # In the middle of a transfer this closes the connection at once.
            self._multi.remove_handle(handle)
            handle.reset()
            self._spare.append(handle)
        finally:
            call.end(error)


def _curl_events(events: int) -> int:
    reading = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
    writing = pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
    return int(reading | writing)


def _trust_options(trusted: TrustStore | None) -> dict[int, Any]:
    if trusted is None:
        return {}
    if trusted.pem:
        options: dict[int, Any] = {pycurl.CAINFO_BLOB: trusted.pem, pycurl.PROXY_CAINFO_BLOB: trusted.pem}
    else:
        # Also if there is none: where libcurl was built, certificates were somewhere else.
        options = {pycurl.CAINFO: trusted.file or None, pycurl.PROXY_CAINFO: trusted.file or None}
    if trusted.folder:
        options |= {pycurl.CAPATH: trusted.folder, pycurl.PROXY_CAPATH: trusted.folder}
    return options


def _proxy_options(proxy: Proxy | None) -> dict[int, Any]:
    login = proxy.authorization.reveal() if proxy is not None else ""
    return {pycurl.PROXYHEADER: [f"Proxy-Authorization: {login}"]} if login else {}


def _mistake(error: BaseException) -> StorageError:
    LOG.error("a request could not be made: %s", type(error).__name__)
    return StorageError(f"the program made a mistake ({type(error).__name__})", hint="Please report what you did.")


def _lost(call: CurlCall, error: BaseException) -> BaseException:
    """A failure after the whole body went out leaves open whether it arrived."""
    body = call.body
    if isinstance(error, NetworkError) and call.asked_at is not None and body is not None and body.offset >= body.size:
        return LostReplyError(error.message)
    return error

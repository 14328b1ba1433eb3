"""The wire: libcurl carries out all requests, in threads of its own, and keeps connections for the next ones.

The only module that imports pycurl. What requests are for is known to the subclasses of `CurlCall`: for JSON in
`channel`, for bytes in `blob`.
"""

import asyncio
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import wraps
from typing import Any, Generic, TypeAlias, TypeVar, cast

import pycurl

from cloudstore_tui.core.errors import LocalDiskError, NetworkError, StorageError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.failures import FailureContext, curl_error, timeout_error
from cloudstore_tui.net.handoff import GRACE, Handoff, Mailbox
from cloudstore_tui.net.logs import LOG
from cloudstore_tui.net.reply import HeaderBlock
from cloudstore_tui.net.transport import SLOWEST, USER_AGENT, Body, Proxy, Route, TrustStore

RECEIVE_BUFFER = 512 * 1024
"""Bytes that libcurl reads at once: with its default of 16 KiB a large download is four times slower."""
IDLE_SECONDS = 5
"""How long a connection may have been idle to be used again: a service may have dropped it without a word."""

MAX_GATHERED = 256 * 1024
"""Bytes of a body that are handed on at once. libcurl gives 16 KiB at a time: a system call for each piece, with the
lock of the interpreter released and waited for, would take longer than the bytes."""
MAX_PIECE = 16 * 1024
"""Bytes that libcurl gives at once (CURL_MAX_WRITE_SIZE)."""

_TICK = 0.5
HELD_UP_S = 5.0
"""Seconds between two ticks after which the thread itself was late, so that no host can be called silent."""
_KEPT_CONNECTIONS = 32

STOP = 0
"""Returned by a callback that takes bytes, to make libcurl stop."""
_ABORT = 0x10000000
"""Returned by a callback that gives bytes (CURL_READFUNC_ABORT)."""

Answer = TypeVar("Answer")
Callback = TypeVar("Callback", bound=Callable[..., object])
Ends: TypeAlias = tuple[str, str, int, int]
"""The two ends of a connection: their addresses, and their ports."""


def stopping_with(answer: int) -> Callable[[Callback], Callback]:
    """Have a callback keep its exception in `error` and return `answer`: pycurl would only print it."""

    def decorate(callback: Callback) -> Callback:
        @wraps(callback)
        def guarded(call: "CurlCall[Any]", *args: object) -> object:
            try:
                return callback(call, *args)
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                call.error = error
                return answer

        return cast("Callback", guarded)

    return decorate


class CurlCall(Generic[Answer]):
    """One request and its reply, as the callbacks of libcurl see it."""

    def __init__(self, method: str, route: Route, target: str, headers: list[str], limits: Timeouts) -> None:
        """Make one; sends nothing.

        Args:
            method: sent again by libcurl itself only if it changes nothing.
            route: the way to the host.
            target: path and query, sent exactly as they are.
            headers: whole lines; `Name:` alone keeps libcurl from sending that header of itself.
            limits: how long to wait.
        """
        self.method = method
        self.route = route
        self.host = route.name
        """For errors."""
        self.target = target
        self.header_lines = headers
        self.limits = limits
        self.content: bytes | None = None
        """What is sent at once."""
        self.body: Body | None = None
        """What is sent piece by piece, over a connection of its own."""
        self.kept: dict[Ends, int] = {}
        """The connections of the loop that were used before, and their descriptors."""
        self.error: BaseException | None = None
        self.ended: Handoff[None] = Handoff(self._abandon)
        self.hurry: Callable[[], None] = lambda: None
        """Wakes the thread that carries it out."""
        self.abandoned = False
        self.enough = False
        """Whether the rest of an unwanted body was cut off."""
        self.outworn = False
        """Whether the kept connection is of no use, so that it needs a fresh one."""
        self.ends: Ends | None = None
        self.asked_at: float | None = None
        self.moved_at = time.monotonic()
        """When the exchange last progressed; slow headers and the framing of chunks are no progress."""
        self.moved = 0
        """Bytes of bodies, both ways."""
        self.block = HeaderBlock()
        self.buffer = memoryview(bytearray())
        """Holds what has come of the body and is not yet handed on."""
        self.gathered = 0
        """Bytes of that."""
        self._mailbox = Mailbox.here()
        self._opened: list[socket.socket] = []
        self._answered = False

    # For subclasses

    def may_use(self, _address: str) -> bool:
        """Whether a connection may lead there; if not, `error` says why."""
        return True

    def begin_body(self) -> None:
        """Called when the headers are complete."""

    def add_body(self, data: memoryview) -> int | None:
        """Take the next bytes of the body; the buffer is used again afterwards."""
        raise NotImplementedError

    def result(self) -> Answer:
        """The answer, once it is complete."""
        raise NotImplementedError

    def meaning(self, error: StorageError) -> StorageError:
        """The error to raise for a failure below HTTP."""
        return error

    # For the loop

    def circumstances(self, connect_status: int = 0, text: str = "") -> FailureContext:
        """What is known now, for the error."""
        proxy = self.route.proxy.name if self.route.proxy is not None else ""
        return FailureContext(self.host, proxy, self.asked_at is not None, self._answered, connect_status, text)

    def end(self, error: BaseException | None) -> None:
        """Wake whoever waits, with the error if there is one. Called in the thread of the loop."""
        self._close_sockets()
        self._mailbox.put(self.ended.end, None, error)

    # Callbacks

    @stopping_with(-1)
    def open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        """Make the socket for a connection, unless it would lead to where it must not."""
        family, kind, protocol, place = address
        if self.abandoned or not self.may_use(place[0]):
            return -1
        try:
            # libcurl gets a duplicate; this one is closed as soon as it has been looked at.
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            raise NetworkError(f"no connection can be opened: {error.strerror}") from None
        self._opened.append(opened)
        return opened

    @stopping_with(1)
    def before_request(self, remote: str, local: str, remote_port: int, local_port: int) -> int:
        """Check the connection before the request is sent, also one made for an earlier request."""
        if self.abandoned or not self.may_use(remote):
            return 1
        if self.asked_at is not None and self.method != "GET":
            # The kept connection was closed before an answer came, and libcurl would send it all again.
            raise self.meaning(curl_error(pycurl.E_RECV_ERROR, self.circumstances()))
        self._close_sockets()
        self.ends = remote, local, remote_port, local_port
        descriptor = self.kept.pop(self.ends, None)
        if descriptor is not None and _has_news(descriptor):
            # Its end, or bytes that nobody asked for, which would be taken for the answer.
            self.outworn = True
            return 1
        self.asked_at = self.moved_at = time.monotonic()
        return 0

    @stopping_with(STOP)
    def take_header(self, line: bytes) -> int | None:
        """One header line."""
        if self.abandoned:
            return STOP
        # What the proxy answers to CONNECT, and trailers after a body, are none of the host's headers.
        is_its_own = self.asked_at is not None and not self._answered
        if is_its_own and self.block.add(line) and self.block.status >= 200:
            self._answered = True
            self.got_on(0)
            self.begin_body()
        return None

    def take_body(self, data: bytes) -> int | None:
        """The next bytes of the body."""
        start, self.gathered = self.gathered, self.gathered + len(data)
        self.buffer[start : self.gathered] = data
        return self.hand_on() if self.gathered >= MAX_GATHERED else None

    @stopping_with(STOP)
    def hand_on(self) -> int | None:
        """Hand on what has come of the body."""
        data = self.buffer[: self.gathered]
        self.gathered = 0
        self.got_on(len(data))
        return STOP if self.abandoned else self.add_body(data)

    @stopping_with(_ABORT)
    def give_body(self, count: int) -> bytes | int:
        """The next bytes of the request."""
        if self.abandoned or self.body is None:
            return _ABORT
        data = self.body.read(count)
        self.got_on(len(data))
        return data

    def got_on(self, count: int) -> None:
        """Note progress: bytes have come or gone."""
        self.moved_at = time.monotonic()
        self.moved += count

    def _close_sockets(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def _abandon(self) -> None:
        self.abandoned = True
        self.hurry()


def _has_news(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class Wire:
    """Carries out the calls of its users in one thread, from their first call until the last user has left."""

    def __init__(self, name: str) -> None:
        """Make one; `name` is that of its thread."""
        self._name = name
        self._lock = threading.Lock()
        self._users: set[object] = set()
        self._loop: CurlLoop | None = None

    async def carry_out(self, call: CurlCall[Answer], user: object) -> Answer:
        """Do one call; `user` must call `leave` in the end.

        Raises:
            StorageError: no whole reply came.
        """
        self._running(user).add(call)
        await call.ended
        return call.result()

    def renew(self) -> None:
        """Stop using the connections made so far: after the machine slept, they are dead."""
        if self._loop is not None:
            self._loop.renew()

    async def leave(self, user: object) -> None:
        """Leave; the last user closes all connections, and what still runs fails. Takes at most a second."""
        with self._lock:
            self._users.discard(user)
            if self._users or self._loop is None:
                return
            loop, self._loop = self._loop, None
        await loop.close()

    def _running(self, user: object) -> "CurlLoop":
        """The loop; a new one if the last ended by a mistake of ours."""
        with self._lock:
            self._users.add(user)
            if self._loop is None or self._loop.has_ended:
                try:
                    self._loop = CurlLoop(self._name)
                except (OSError, RuntimeError, pycurl.error):
                    # Not retried: it may last for hours.
                    raise LocalDiskError(
                        "no connection can be made: this machine has no threads or open files left",
                        hint="Close other programs, or raise the limits.",
                    ) from None
            return self._loop


class CurlLoop:
    """Carries out calls in one thread, until it is closed or fails; every call ends either way."""

    def __init__(self, name: str) -> None:
        self.has_ended = False
        self._lock = threading.Lock()
        """Held where a decision depends on `has_ended`."""
        self._new: deque[CurlCall[Any]] = deque()
        self._calls: dict[Any, CurlCall[Any]] = {}
        self._kept: dict[Ends, int] = {}
        self._spare: list[Any] = []
        self._buffers: list[memoryview] = []
        """Reused: the system would take so much memory back each time, and have to clear it again. Views,
        because a slice of a `bytearray` is assigned by way of a copy."""
        self._timer: float | None = None
        self._tick = _TICK
        """Seconds between two checks of all calls: a quarter of the shortest of their time limits."""
        self._ticked_at = 0.0
        self._is_urgent = False
        """Whether a call was cancelled since the last check."""
        self._closing = False
        self._sleeps = False
        """Whether the thread sleeps and nobody has woken it yet: waking it hands it the lock of the interpreter, which
        the waker then has to wait for."""
        self._ended: list[tuple[CurlCall[Any], BaseException | None]] = []
        """Calls that ended in this turn, with their errors; their waiters are woken at its end, for the same reason."""
        self._worn = False
        """Whether the kept connections must not be used again."""
        self._broken: BaseException | None = None
        """The exception that a callback of the whole loop raised."""
        self._waiting: list[asyncio.Future[None]] | None = []
        """Those who wait for its end; `None` once it has ended."""
        with ExitStack() as opened:
            self._wake_receiver, self._wake_sender = map(opened.enter_context, socket.socketpair())
            for end in (self._wake_receiver, self._wake_sender):
                end.setblocking(False)
            self._multi = self._new_multi()
            opened.callback(lambda: self._multi.close())
            threading.Thread(target=self._serve, name=name, daemon=True).start()
            self._opened = opened.pop_all()

    def add(self, call: CurlCall[Any]) -> None:
        """Begin a call."""
        call.hurry = self._hurry
        with self._lock:
            if not self.has_ended:
                self._new.append(call)
                self.wake()
                return
        call.end(NetworkError("the program is ending"))

    def renew(self) -> None:
        """Stop using the connections made so far."""
        self._worn = True
        self.wake()

    async def close(self) -> None:
        """End; waits a second at most."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._waiting is None:
                return
            self._waiting.append(ended)
        self._closing = True
        self.wake()
        await asyncio.wait({ended}, timeout=GRACE)

    def wake(self) -> None:
        """Wake the thread."""
        if not self._sleeps:
            return
        self._sleeps = False
        with suppress(OSError):  # full: it is awake already; closed: it has ended
            self._wake_sender.send(b"!")

    def _hurry(self) -> None:
        self._is_urgent = True
        self.wake()

    # From here on in the thread

    def _serve(self) -> None:
        error = NetworkError("the program is ending")
        try:
            while not self._closing:
                self._turn()
        except BaseException as mistake:  # noqa: BLE001 - whatever ends this thread, its calls must end
            LOG.error("the loop of libcurl ended: %s", type(mistake).__name__)
            error = NetworkError(f"internal error while bytes were transferred ({type(mistake).__name__})")
        with self._lock:
            self.has_ended = True
            left = [*self._calls.values(), *self._new]
        for call, why in [*self._ended, *((call, error.with_()) for call in left)]:
            call.end(why)
        with suppress(Exception):
            for handle in [*self._calls, *self._spare]:
                handle.close()
            self._opened.close()
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
        for one in waiting:
            with suppress(RuntimeError):  # the loop of whoever waits may have ended
                one.get_loop().call_soon_threadsafe(one.cancel)

    def _new_multi(self) -> Any:
        """A set of connections without any, and what watches their sockets."""
        # They are few, and watching one for the length of a request takes no call of the system.
        self._poll = select.poll()
        self._poll.register(self._wake_receiver, select.POLLIN)
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_CONNECTIONS)
        return multi

    def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        self._sleeps = True
        # From here on others wake the thread; what came before is seen by `_longest_sleep`.
        ready = self._poll.poll(self._longest_sleep())
        self._sleeps = False
        for descriptor, events in ready:
            self._act_on(descriptor, events)
        now = time.monotonic()
        if self._timer is not None and now >= self._timer:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        if self._is_urgent or now - self._ticked_at >= self._tick:
            self._look_after(now)
        if self._worn and not self._calls:
            self._worn = False
            self._multi.close()
            self._timer = None
            self._multi = self._new_multi()
        while self._new:
            self._begin(self._new.popleft())
        while self._ended:
            call, error = self._ended.pop(0)
            call.end(error)

    def _act_on(self, descriptor: int, events: int) -> None:
        if descriptor == self._wake_receiver.fileno():
            self._wake_receiver.recv(4096)
        elif events & select.POLLNVAL:
            # It was closed, and would be reported again and again.
            self._watch_socket(pycurl.POLL_REMOVE, descriptor, None, None)
        else:
            self._multi.socket_action(descriptor, _curl_events(events))

    def _longest_sleep(self) -> float | None:
        """Milliseconds until there is something to do even without an event."""
        if self._new or self._is_urgent or self._closing:
            return 0
        if self._timer is not None:
            return 1000 * min(max(self._timer - time.monotonic(), 0.0), self._tick)
        return 1000 * self._tick if self._calls else None

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _watch_socket(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        try:
            if what == pycurl.POLL_REMOVE:
                with suppress(KeyError):
                    self._poll.unregister(descriptor)
            else:
                self._poll.register(descriptor, _POLL_EVENTS[what])
        except Exception as error:  # noqa: BLE001 - libcurl would print it and go on, deaf on this connection
            self._broken = error

    def _begin(self, call: CurlCall[Any]) -> None:
        if call.abandoned:
            call.end(_cancelled())
            return
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
        self._tick = min(self._tick, call.limits.read / 4)

    def prepare(self, handle: Any, call: CurlCall[Any]) -> None:
        """Set the options of a call."""
        call.kept = self._kept
        call.buffer = self._buffers.pop() if self._buffers else memoryview(bytearray(MAX_GATHERED + MAX_PIECE))
        route, limits = call.route, call.limits
        options: dict[int, Any] = {
            pycurl.PROTOCOLS: pycurl.PROTO_HTTPS if route.is_safe else pycurl.PROTO_HTTP,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            pycurl.PROXY: route.proxy.url if route.proxy is not None else "",
            pycurl.NOPROXY: "",
            pycurl.USERAGENT: USER_AGENT,
            pycurl.HTTPHEADER: call.header_lines,
            # Nothing of it reaches a proxy.
            pycurl.HEADEROPT: pycurl.HEADER_SEPARATE,
            pycurl.CONNECTTIMEOUT_MS: int(limits.connect * 1000),
            pycurl.LOW_SPEED_LIMIT: SLOWEST,
            pycurl.LOW_SPEED_TIME: max(int(limits.stall), 1),
            pycurl.BUFFERSIZE: RECEIVE_BUFFER,
            pycurl.MAXAGE_CONN: IDLE_SECONDS,
            pycurl.NOSIGNAL: 1,
            pycurl.OPENSOCKETFUNCTION: call.open_socket,
            pycurl.PREREQFUNCTION: call.before_request,
            pycurl.HEADERFUNCTION: call.take_header,
            pycurl.WRITEFUNCTION: call.take_body,
        }
        options |= _request_options(call) | _trust_options(route.trusted) | _proxy_options(route.proxy)
        if call.outworn:
            call.outworn = False
            options[pycurl.FRESH_CONNECT] = 1
        if self._worn:
            # Until a moment without any request, in which all connections can be dropped.
            options |= {pycurl.FRESH_CONNECT: 1, pycurl.FORBID_REUSE: 1}
        for option, value in options.items():
            handle.setopt(option, value)

    def _collect(self) -> None:
        """Hand on all bytes, so that none wait for the next turn, and end what is complete."""
        for handle, call in list(self._calls.items()):
            if call.gathered and call.hand_on() is not None:
                self._end(handle, call.error)
        while True:
            left, succeeded, failed = self._multi.info_read()
            for handle in succeeded:
                self._keep(handle)
                self._end(handle, None)
            for handle, code, text in failed:
                if self._calls[handle].outworn:
                    self._begin(self._release(handle))
                else:
                    self._end(handle, self._failure(handle, code, text))
            if not left:
                return

    def _keep(self, handle: Any) -> None:
        """Note the connection of a call that is done, unless it was closed."""
        ends, descriptor = self._calls[handle].ends, handle.getinfo(pycurl.LASTSOCKET)
        if ends is not None and descriptor >= 0:
            self._kept[ends] = descriptor
        # libcurl has closed those that were not used for long.
        while len(self._kept) > 2 * _KEPT_CONNECTIONS:
            del self._kept[next(iter(self._kept))]

    def _failure(self, handle: Any, code: int, text: str) -> BaseException | None:
        call = self._calls[handle]
        if call.error is not None or call.enough:
            return call.error
        return call.meaning(curl_error(code, call.circumstances(handle.getinfo(pycurl.HTTP_CONNECTCODE), text)))

    def _look_after(self, now: float) -> None:
        """End calls that were cancelled, and those that were silent for too long."""
        self._is_urgent = False
        held_up, self._ticked_at = now - self._ticked_at > HELD_UP_S, now
        for handle, call in list(self._calls.items()):
            if held_up:
                call.moved_at = now
            if call.abandoned:
                self._end(handle, _cancelled())
            elif call.asked_at is not None and now - call.moved_at > call.limits.read:
                self._end(handle, call.meaning(timeout_error(call.circumstances())))

    def _end(self, handle: Any, error: BaseException | None) -> None:
        call = self._calls[handle]
        try:
            self._release(handle)
            if error is None:
                # After an error, its traceback may still refer to the buffer.
                self._buffers.append(call.buffer)
        finally:
            self._ended.append((call, error))

    def _release(self, handle: Any) -> CurlCall[Any]:
        call = self._calls.pop(handle)
        # In the middle of a transfer this closes the connection at once.
        self._multi.remove_handle(handle)
        handle.reset()
        self._spare.append(handle)
        return call


_POLL_EVENTS = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}


def _curl_events(events: int) -> int:
    """What to do with a socket; an error, or its end, is found by reading or writing."""
    reading = pycurl.CSELECT_IN if events & ~select.POLLOUT else 0
    writing = pycurl.CSELECT_OUT if events & ~select.POLLIN else 0
    return int(reading | writing)


def _request_options(call: CurlCall[Any]) -> dict[int, Any]:
    """The options for the request line and the body."""
    options: dict[int, Any] = {pycurl.CUSTOMREQUEST: call.method, pycurl.NOBODY: int(call.method == "HEAD")}
    if call.route.is_forwarded:
        options |= {pycurl.URL: call.route.origin + call.target, pycurl.PATH_AS_IS: 1}
    else:
        # A signature covers the path as it is; libcurl would remove dots and change the case of escapes.
        options |= {pycurl.URL: call.route.origin, pycurl.REQUEST_TARGET: call.target}
    if call.content is not None:
        options[pycurl.POSTFIELDS] = call.content
    if call.body is not None:
        # Over a kept connection libcurl would send a body again by itself if no reply came.
        options |= {
            pycurl.UPLOAD: 1,
            pycurl.INFILESIZE_LARGE: call.body.size,
            pycurl.READFUNCTION: call.give_body,
            pycurl.FRESH_CONNECT: 1,
            pycurl.FORBID_REUSE: 1,
        }
    return options


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


def _cancelled() -> StorageError:
    return NetworkError("it was cancelled")


def _mistake(error: BaseException) -> StorageError:
    LOG.error("a request could not be made: %s", type(error).__name__)
    return StorageError(f"internal error ({type(error).__name__})", hint="Please report what you did.")

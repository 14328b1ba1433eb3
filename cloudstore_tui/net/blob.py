"""The blob client: moves bytes through libcurl, in one thread of its own.

The only module that imports pycurl. Any number of requests run at once; connections are kept for the next one.
"""

import asyncio
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pycurl

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.exchange import Source, Target
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.blob_call import Call
from cloudstore_tui.net.blob_failures import failure, timed_out
from cloudstore_tui.net.blob_ports import Body, LostReplyError, NoSink, Sink
from cloudstore_tui.net.blob_proxy import trusted_certificates
from cloudstore_tui.net.blob_reply import BlobReply

USER_AGENT = "cloudstore-tui"
RECEIVE_BUFFER = 512 * 1024
"""Bytes that libcurl reads at once: with its default of 16 KiB a large download is four times slower."""
SLOWEST = 1024
"""Bytes per second; slower for `Timeouts.stall` seconds is given up and asked for again."""
GRACE = 1.0
"""Seconds a cancelled request gets to let go of its sink; more is needed only if the disk hangs."""

_TICK = 0.5
_HELD_UP = 5.0
"""Seconds between two ticks after which the thread itself was late, so that silence proves nothing."""
_KEPT_CONNECTIONS = 32


class BlobClient:
    """Fetches and sends bytes. Follows no redirect, keeps no cookie, sends the headers it is given."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._new: deque[Call] = deque()
        self._calls: dict[Any, Call] = {}
        self._spare: list[Any] = []
        self._selector = selectors.DefaultSelector()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._timer: float | None = None
        self._ticked_at = 0.0
        self._closing = False
        self._worn = False
        """Whether the kept connections are not to be used again."""
        self._certificates = trusted_certificates()
        self._thread = threading.Thread(target=self._serve, name="blob client", daemon=True)
        for end in (self._wake_receiver, self._wake_sender):
            end.setblocking(False)

    async def get(self, source: Source, sink: Sink, headers: Mapping[str, str] | None = None) -> BlobReply:
        """Fetch into a sink."""
        return await self._do(Call(source, headers or {}, sink))

    async def put(self, target: Target, body: Body) -> BlobReply:
        """Send a body of known size, over a connection of its own."""
        return await self._do(Call(target, {}, NoSink(), body))

    def renew(self) -> None:
        """Use no connection again that was made until now: after the machine slept, none of them leads anywhere."""
        if self._thread.ident and not self._closing:
            self._worn = True
            self._wake()

    async def close(self) -> None:
        """Close all connections; what runs ends with an error. Takes at most a second."""
        self._closing = True
        if not self._thread.ident:
            self._release()
            return
        self._wake()
        await asyncio.wait({self._ended}, timeout=GRACE)

    async def _do(self, call: Call) -> BlobReply:
        if self._closing:
            raise NetworkError("the program is ending")
        if not self._thread.ident:
            self._loop = asyncio.get_running_loop()
            self._ended: asyncio.Future[None] = self._loop.create_future()
            self._thread.start()
        self._new.append(call)
        self._wake()
        try:
            # Not a plain await: a cancelled future could not tell when the thread has let go of the sink.
            await asyncio.wait({call.ended})
        except asyncio.CancelledError:
            call.abandoned = True
            self._wake()
            await asyncio.wait({call.ended}, timeout=GRACE)
            raise
        return call.ended.result()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it is awake already; closed: it has ended
            self._wake_sender.send(b"!")

    # From here on in the thread

    def _serve(self) -> None:
        self._multi = self._new_multi()
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        while not self._closing:
            self._turn()
        for handle in list(self._calls):
            self._end(handle, NetworkError("the program is ending"))
        for handle in self._spare:
            handle.close()
        self._multi.close()
        self._release()
        with suppress(RuntimeError):  # the loop may have ended
            self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _new_multi(self) -> Any:
        """A set of connections without any."""
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_CONNECTIONS)
        return multi

    def _turn(self) -> None:
        for key, events in self._selector.select(self._patience()):
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

    def _patience(self) -> float | None:
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

    def _begin(self, call: Call) -> None:
        handle = self._spare.pop() if self._spare else pycurl.Curl()
        self._calls[handle] = call
        self._prepare(handle, call)
        self._multi.add_handle(handle)

    def _prepare(self, handle: Any, call: Call) -> None:
        protocols = pycurl.PROTO_HTTPS | (pycurl.PROTO_HTTP if call.local else 0)
        certificate_file, certificate_folder = self._certificates
        options: dict[int, Any] = {
            pycurl.URL: call.url,
            # A signature covers the path as it is; libcurl would remove dots and change the case of escapes.
            pycurl.PATH_AS_IS: 1,
            pycurl.REQUEST_TARGET: call.target,
            pycurl.PROTOCOLS: protocols,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            pycurl.PROXY: call.proxy,
            pycurl.NOPROXY: "",
            pycurl.USERAGENT: USER_AGENT,
            pycurl.HTTPHEADER: call.header_lines,
            pycurl.HEADEROPT: pycurl.HEADER_SEPARATE,
            pycurl.CONNECTTIMEOUT_MS: int(self._timeouts.connect * 1000),
            pycurl.LOW_SPEED_LIMIT: SLOWEST,
            pycurl.LOW_SPEED_TIME: max(int(self._timeouts.stall), 1),
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
        if certificate_file:
            options[pycurl.CAINFO] = certificate_file
        if certificate_folder:
            options[pycurl.CAPATH] = certificate_folder
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
            if call.hand_on() is not None and call.error is not None:
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
        held_up, self._ticked_at = now - self._ticked_at > _HELD_UP, now
        for handle, call in list(self._calls.items()):
            if held_up:
                call.moved_at = now
            if call.abandoned:
                self._end(handle, NetworkError("it was cancelled"))
            elif call.asked_at is not None and now - call.moved_at > self._timeouts.read:
                self._end(handle, _lost(call, timed_out(call.circumstances())))

    def _end(self, handle: Any, error: BaseException | None) -> None:
        call = self._calls.pop(handle)
        # In the middle of a transfer this closes the connection at once.
        self._multi.remove_handle(handle)
        handle.reset()
        self._spare.append(handle)
        call.end(error)

    def _release(self) -> None:
        self._selector.close()
        self._wake_receiver.close()
        self._wake_sender.close()


def _curl_events(events: int) -> int:
    reading = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
    writing = pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
    return int(reading | writing)


def _lost(call: Call, error: BaseException) -> BaseException:
    """A failure after the whole body went out leaves open whether it arrived."""
    body = call.body
    if isinstance(error, NetworkError) and call.asked_at is not None and body is not None and body.offset >= body.size:
        return LostReplyError(error.message)
    return error

"""One request to a blob host, as the callbacks of libcurl see it."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from cloudstore_tui.core.errors import StorageError, UnsafeError
from cloudstore_tui.core.exchange import Source, Target
from cloudstore_tui.core.link import is_loopback
from cloudstore_tui.net.addresses import is_allowed, literal_address
from cloudstore_tui.net.blob_failures import Circumstances
from cloudstore_tui.net.blob_ports import Body, Sink
from cloudstore_tui.net.blob_proxy import proxy_for, proxy_host
from cloudstore_tui.net.blob_reply import BlobReply, HeaderBlock
from cloudstore_tui.net.detour import DetourError

MOST_GATHERED = 256 * 1024
"""Bytes of a body that are handed on at once. libcurl gives 16 KiB at a time: a call of the system for each of them,
with the lock of the interpreter given away and fought for again, would take more time than the bytes."""
MOST_ERROR_BODY = 16_384
"""Bytes kept of a body that is not the object; enough for a store's XML."""

_CURE = "Nothing was sent. If this repeats, show the service's support the path and the time."
_STOP = 0
"""What a callback that takes bytes gives back to make libcurl stop."""
_ABORT = 0x10000000
"""What a callback that gives bytes gives back (CURL_READFUNC_ABORT)."""
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,16383}[\x21-\x7e])?")


class Call:
    """One request and its reply."""

    def __init__(self, ends: Source | Target, extra: Mapping[str, str], sink: Sink, body: Body | None = None) -> None:
        self.url = ends.url.reveal()
        parts = urlsplit(self.url)
        self.host = parts.hostname or ""
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.local = ends.local
        self.sink = sink
        self.body = body
        self.proxy = "" if ends.local and is_loopback(self.url) else proxy_for(self.url)
        self.header_lines = _header_lines(ends, extra)
        self.error: BaseException | None = None
        self.ended: asyncio.Future[BlobReply] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self.abandoned = False
        self.enough = False
        """Whether the rest of a body that nobody wants was cut off."""
        self.asked_at: float | None = None
        self.moved_at = time.monotonic()
        self._opened: list[socket.socket] = []
        self._block = HeaderBlock()
        self._answered = False
        self._wanted = False
        self._kept = bytearray()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._vet(parts.scheme)

    @property
    def answered(self) -> bool:
        """Whether all headers of the reply are there."""
        return self._answered

    @property
    def reply(self) -> BlobReply:
        """The reply, with the start of the body if the sink did not want it."""
        return self._block.reply(bytes(self._kept))

    def circumstances(self, connect_status: int = 0, text: str = "") -> Circumstances:
        """What is known now, for the error."""
        return Circumstances(
            self.host, proxy_host(self.proxy), self.asked_at is not None, self._answered, connect_status, text
        )

    def end(self, error: BaseException | None) -> None:
        """Tell whoever waits. Called in the blob client's thread."""
        self._close_sockets()
        try:
            self._loop.call_soon_threadsafe(self._settle, error)
        except RuntimeError:
            # The loop has ended; nobody waits any more.
            return

    # Callbacks

    def open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        """Make the socket for a connection, unless it would lead to where no bytes of ours come from."""
        family, kind, protocol, place = address
        if self.abandoned or not self._may_use(place[0]):
            return -1
        # libcurl gets a duplicate; this one is closed as soon as it has been looked at.
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    def before_request(self, remote: str, _local: str, _remote_port: int, _local_port: int) -> int:
        """Last look before the request is sent; also over a connection made for an earlier one."""
        if self.abandoned or not self._may_use(remote):
            return 1
        self._close_sockets()
        self.asked_at = self.moved_at = time.monotonic()
        return 0

    def take_header(self, line: bytes) -> int | None:
        """One header line."""
        self.moved_at = time.monotonic()
        if self.asked_at is None or self._answered:
            # What the proxy answers to CONNECT, and trailers after a body, are none of the host's headers.
            return None
        return self._guarded(self._take_header, line)

    def take_body(self, data: bytes) -> int | None:
        """The next bytes of the body."""
        self.moved_at = time.monotonic()
        if self._wanted:
            self._gathered.append(data)
            self._gathered_bytes += len(data)
            return self.hand_on() if self._gathered_bytes >= MOST_GATHERED else None
        self._kept += data
        self.enough = len(self._kept) > MOST_ERROR_BODY
        return _STOP if self.enough else None

    def hand_on(self) -> int | None:
        """Give the sink what has been gathered."""
        if not self._gathered:
            return None
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_bytes = 0
        return self._guarded(self.sink.write, data)

    def give_body(self, count: int) -> bytes | int:
        """The next bytes of the request."""
        self.moved_at = time.monotonic()
        if self.abandoned or self.body is None:
            return _ABORT
        try:
            return self.body.read(count)
        except (StorageError, OSError) as error:
            self.error = error
            return _ABORT

    def _close_sockets(self) -> None:
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def _settle(self, error: BaseException | None) -> None:
        if error is not None:
            self.ended.set_exception(error)
            # Nobody looks at the error of a cancelled call.
            self.ended.exception()
        else:
            self.ended.set_result(self.reply)

    def _take_header(self, line: bytes) -> None:
        if self._block.add(line) and self._block.status >= 200:
            self._answered = True
            self._wanted = self.sink.accept(self._block.reply())

    def _guarded(self, function: Callable[[bytes], None], data: bytes) -> int | None:
        """Keep what a sink raises for whoever waits: libcurl can only be told to stop."""
        if self.abandoned:
            return _STOP
        try:
            function(data)
        except (StorageError, OSError, DetourError) as error:
            self.error = error
            return _STOP
        return None

    def _may_use(self, address: str) -> bool:
        allowed = bool(self.proxy) or is_allowed(address, local=self.local)
        if not allowed:
            self.error = UnsafeError(f"{self.host} leads to a private address", hint=_CURE)
        return allowed

    def _vet(self, scheme: str) -> None:
        if scheme != "https" and not (self.local and scheme == "http"):
            raise UnsafeError("the service gave a link that is not https", hint=_CURE)
        if not self.url.isascii() or not self.url.isprintable():
            raise UnsafeError("the service gave a damaged link", hint=_CURE)
        literal = literal_address(self.host)
        if literal and not is_allowed(literal, local=self.local):
            raise UnsafeError(f"{self.host} is a private address", hint=_CURE)


def _header_lines(ends: Source | Target, extra: Mapping[str, str]) -> list[str]:
    """Exactly the headers that are given, and nothing that libcurl would add of itself."""
    lines = ["Accept:", "Expect:", "Accept-Encoding: identity"]
    for name, value in [*((name, secret.reveal()) for name, secret in ends.headers.items()), *extra.items()]:
        if not _FIELD.fullmatch(name) or not _VALUE.fullmatch(value):
            raise UnsafeError("the service asks for a header that cannot be sent", hint=_CURE)
        lines.append(f"{name}: {value}")
    return lines

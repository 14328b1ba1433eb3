"""What a rule says, what it can know of a request beforehand, the request that it breaks, and the kinds of faults."""

import asyncio
import fcntl
import re
import socket
import struct
import termios
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from cloudstore_tui.sandbox.log import TRACE, RequestTrace


def offset_in(text: str, length: int) -> int:
    """An offset that is given from the start (`65536`), from the end (`-5`), or in per cent (`50%`); at least 0.

    Raises:
        ValueError: it is in no such form.
    """
    if text.endswith("%"):
        return max(int(length * float(text[:-1]) / 100), 0)
    return int(text) if int(text) >= 0 else max(length + int(text), 0)


def flipped(data: bytes, offset: int) -> bytes:
    """The same with one byte changed."""
    return data[:offset] + bytes([data[offset] ^ 0x55]) + data[offset + 1 :]


PLACES = ("any", "token", "api", "blob", "bytes")
"""Values for the `where` of a rule; `bytes` are all requests that fetch an object or a zip, through a link or not."""

_TOKENS = ("/oauth/v2/token", "/tokenservice/oauth2/access_token")
_LINK = re.compile(r"/storage/[^/]+/[^/]+\.amazonaws\.com/content/")
_CONTENT = re.compile(r"/storage/[^/]+/v3/(objects/[^/]+/content|bulk/download/[^/]+\.zip)")
CONDITIONS = ("if-match", "if-none-match", "if-range")
"""Headers that make a request conditional."""


class RequestFacts(msgspec.Struct, frozen=True):
    """One request."""

    role: str
    """`token`, `api` or `blob`; a link of 8x8 is a blob although it has the host of the API."""
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By name in lower case. Never logged, because some are credentials."""

    def at_store(self) -> bool:
        """Whether it goes to an object store, through a signed link."""
        return self.role == "blob"

    def fetches(self) -> bool:
        """Whether it fetches the bytes of an object or a zip."""
        if self.method != "GET":
            return False
        return self.role == "blob" or bool(
            _CONTENT.fullmatch(self.path) and "presignurl=true" not in self.query.lower()
        )

    def stores(self) -> bool:
        """Whether it uploads an object."""
        return self.role == "blob" and self.method == "PUT"

    def ranged(self) -> bool:
        """Whether it fetches a range of an object."""
        return self.fetches() and "range" in self.headers

    def conditional(self) -> bool:
        """Whether it fetches an object on a condition."""
        return self.fetches() and any(name in self.headers for name in CONDITIONS)

    def talks(self) -> bool:
        """Whether it is answered with JSON."""
        return self.role != "blob" and not self.fetches()

    def linked(self) -> bool:
        """Whether it fetches through a signed link."""
        return self.at_store() and self.fetches()

    def checked(self) -> bool:
        """Whether it fetches bytes of which the service states a checksum, so that damage can be noticed."""
        return self.fetches() and self.path.startswith("/storage/")

    def repeatable(self) -> bool:
        """Whether it changes nothing, so that a client may simply send it again."""
        return self.method == "GET" or self.role == "token"

    def needs_token(self) -> bool:
        """Whether it reads from an API."""
        return self.role == "api" and self.method == "GET"

    def at(self, where: str) -> bool:
        """Whether it is one of those of a value in `PLACES`."""
        return where in ("any", self.role) or (where == "bytes" and self.fetches())


def role_of(path: str, *, blob_port: bool) -> str:
    """Which server a request is for, as in `RequestFacts`."""
    if blob_port or _LINK.match(path):
        return "blob"
    return "token" if path in _TOKENS else "api"


def facts_of(scope: Scope, *, blob_port: bool) -> RequestFacts:
    """The request of an HTTP scope."""
    return RequestFacts(
        role=role_of(scope["path"], blob_port=blob_port),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )


Value = int | float | str


class Rule(msgspec.Struct, frozen=True):
    """One fault for some requests."""

    fault: str
    """Name of its kind."""
    where: str = "any"
    """One of `PLACES`."""
    method: str = ""
    """Empty for any."""
    path: str = "*"
    """Pattern for the whole decoded path of the request, with or without its query."""
    skip: int = 0
    """Number of matching requests that pass first."""
    times: int = 1
    """Number of requests that it strikes; 0 for all."""
    share: float = 1.0
    """The share of the matching requests that it strikes, drawn by `seed`."""
    seed: int = 1
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Parameters of the kind that differ from the defaults."""

    def matches(self, request: RequestFacts) -> bool:
        """Whether the rule is for a request."""
        if not request.at(self.where) or self.method not in ("", request.method):
            return False
        whole = f"{request.path}?{unquote(request.query)}"
        return self.path == "*" or fnmatchcase(request.path, self.path) or fnmatchcase(whole, self.path)


# The connection: the server's own protocol, and what it leaves in the scope of each request


STATE = "sandbox.connection"
"""The key of the connection in the state of a scope."""

READ_TIMEOUT_S = 5.0
"""How long a reset waits for the last bytes to arrive, which it would discard."""

_POLL_S = 0.002


class Connection:
    """One connection, below HTTP."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self.lost = asyncio.Event()
        """Set once it is closed, by either side."""

    async def write(self, data: bytes) -> None:
        """Send raw bytes."""
        if self._flow.write_paused:
            await self._flow.drain()
        if not self._transport.is_closing():
            self._transport.write(data)

    async def reset(self) -> None:
        """Close it with RST once the other side has received what was sent so far."""
        await self._wait_until_sent()
        sock = self._transport.get_extra_info("socket")
        if not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        await self.lost.wait()

    async def close(self) -> None:
        """Close it with FIN."""
        self._transport.close()
        await self.lost.wait()

    async def wait(self, seconds: float) -> None:
        """Wait, for ever with 0, but no longer than the connection lives."""
        try:
            await asyncio.wait_for(self.lost.wait(), seconds or None)
        except TimeoutError:
            return

    async def _wait_until_sent(self) -> None:
        deadline = asyncio.get_running_loop().time() + READ_TIMEOUT_S
        while not self._transport.is_closing() and asyncio.get_running_loop().time() < deadline:
            if not self._transport.get_write_buffer_size() and not self._unsent():
                return
            await asyncio.sleep(_POLL_S)

    def _unsent(self) -> int:
        """Bytes in the send buffer of the kernel."""
        sock = self._transport.get_extra_info("socket")
        buffered_answer: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        return buffered_answer


class ConnectionProtocol(H11Protocol):
    """The server's protocol, with the connection in the state of each scope."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, dict(app_state), _loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self.app_state[STATE] = Connection(transport, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        connection: Connection = self.app_state[STATE]
        connection.lost.set()


# The request


HTML = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please wait.</body></html>"


class FaultyExchange:
    """One request, the application that would answer it, and the channel back to the client."""

    def __init__(
        self,
        request: RequestFacts,
        values: Mapping[str, Value],
        app: ASGIApp,
        call: tuple[Scope, Receive, Send],
        missed: Callable[[], None],
    ) -> None:
        self.request = request
        self.scope, self.receive, self._send = call
        self._values = values
        self._app = app
        self._missed = missed

    @property
    def connection(self) -> Connection:
        """The connection of the request."""
        found: Connection = self.scope["state"][STATE]
        return found

    @property
    def trace(self) -> RequestTrace:
        """The log entry of the request."""
        found: RequestTrace = self.scope["state"][TRACE]
        return found

    def miss(self) -> None:
        """Report that the fault does not apply to the answer after all, so that it is not counted."""
        self._missed()
        self._missed = _do_nothing

    def text(self, name: str) -> str:
        """A parameter of the fault."""
        return str(self._values[name])

    def number(self, name: str) -> int:
        """A parameter that is a whole number."""
        return int(self._values[name])

    def seconds(self, name: str = "seconds") -> float:
        """A parameter that is a time."""
        return float(self._values[name])

    def offset(self, length: int | None, name: str = "after") -> int:
        """A parameter that is an offset in a body of `length` bytes, as in `offset_in`."""
        return offset_in(self.text(name), length or 0)

    async def run(
        self,
        send: Send | None = None,
        *,
        receive: Receive | None = None,
        without: tuple[str, ...] = (),
        header: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Let the application answer through `send`, with the headers of the request changed."""
        scope = self.scope
        if without or header:
            unwanted = {*(name.encode() for name in without), *(header or ())[:1]}
            kept = [pair for pair in scope["headers"] if pair[0] not in unwanted]
            scope = {**scope, "headers": [*kept, *([header] if header else [])]}
        await self._app(scope, receive or self.receive, send or self.send)

    async def send(self, message: Message) -> None:
        await self._send(message)

    async def write(self, data: bytes, *, body: int = 0) -> None:
        """Send raw bytes, `body` of which count as bytes of the body."""
        self.trace.sent(body)
        await self.connection.write(data)

    async def reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer instead of the application."""
        pairs = {"content-length": str(len(body)), **(headers or {})}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def changed(
        self,
        change: Callable[[MutableHeaders, MutableMapping[str, Any]], None],
        body: Callable[[bytes, bool], bytes] = lambda piece, _more: piece,
        **how: Any,
    ) -> None:
        """Let the application answer, with its headers and the pieces of its body changed.

        Args:
            change: gets the headers, which it changes, and the message that they are in.
            body: makes a piece of the body from one and from whether more follow.
            how: arguments of `run`.
        """

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                change(MutableHeaders(raw=message["headers"]), message)
            else:
                message = {**message, "body": body(message.get("body", b""), message.get("more_body", False))}
            await self.send(message)

        await self.run(sent, **how)

    async def buffered_answer(self, header: tuple[bytes, bytes] | None = None) -> tuple[Message, bytes]:
        """The start and the body of the application's answer, of which nothing has been sent."""
        starts: list[Message] = []
        pieces: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            else:
                pieces.append(message.get("body", b""))

        await self.run(keep, header=header)
        return starts[0], b"".join(pieces)


def _do_nothing() -> None:
    pass


# The kinds of faults: each is a decorated function, and all are in one table


Apply = Callable[[FaultyExchange], Awaitable[None]]
Test = Callable[[RequestFacts], bool]


def always(_asked: RequestFacts) -> bool:
    """Every request."""
    return True


def never(_asked: RequestFacts) -> bool:
    """No request."""
    return False


class FaultKind(msgspec.Struct, frozen=True):
    """One kind of fault."""

    name: str
    text: str
    apply: Apply = FaultyExchange.run
    """Applies it to one request."""
    defaults: Mapping[str, Value] = {}
    """Its parameters."""
    fits: Test = always
    """The requests to which it can be applied."""
    mixes: Test = never
    """The requests that a client should repeat after it, so that a mix may contain it."""
    once_per_object: bool = False
    """At most once for each path of a mix, since a client rightly gives up the second time."""
    in_mix: Mapping[str, Value] = {}
    """Its parameters in a mix."""
    stored: bool = False
    """Whether it damages what is stored rather than an answer."""
    combines: bool = False
    """Whether the same request may meet another fault as well."""


KINDS: dict[str, FaultKind] = {}
"""All kinds by name, in the order in which a mix draws from them."""


def fault(
    name: str, defaults: Mapping[str, Value] | None = None, *, text: str = "", **how: Any
) -> Callable[[Apply], Apply]:
    """Add the decorated function to the table of kinds; its docstring is the help text unless `text` is given."""

    def register(apply: Apply) -> Apply:
        KINDS[name] = FaultKind(name, text or (apply.__doc__ or "").rstrip("."), apply, defaults or {}, **how)
        return apply

    return register


def length_of(start: Message) -> int | None:
    """The Content-Length of an answer."""
    text = MutableHeaders(raw=start["headers"]).get("content-length", "")
    return int(text) if text.isdigit() else None

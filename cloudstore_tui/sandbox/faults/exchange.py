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


def place_in(text: str, length: int) -> int:
    """A place: from the start (`65536`), from the end (`-5`), or in per cent (`50%`); never before the start.

    Raises:
        ValueError: it is written otherwise.
    """
    if text.endswith("%"):
        return max(int(length * float(text[:-1]) / 100), 0)
    return int(text) if int(text) >= 0 else max(length + int(text), 0)


def flipped(data: bytes, place: int) -> bytes:
    """Bytes with one of them changed."""
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


PLACES = ("any", "token", "api", "blob", "bytes")
"""What the `where` of a rule can be; `bytes` are all requests that fetch an object or a zip, by a link or not."""

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
    """Names in lower case; only in memory, because some are credentials."""

    def at_store(self) -> bool:
        """Whether it goes to an object store, by a signed link."""
        return self.role == "blob"

    def fetches(self) -> bool:
        """Whether it asks for the bytes of an object or a zip."""
        if self.method != "GET":
            return False
        return self.role == "blob" or bool(
            _CONTENT.fullmatch(self.path) and "presignurl=true" not in self.query.lower()
        )

    def stores(self) -> bool:
        """Whether it uploads an object."""
        return self.role == "blob" and self.method == "PUT"

    def ranged(self) -> bool:
        """Whether it asks for a part of an object."""
        return self.fetches() and "range" in self.headers

    def conditional(self) -> bool:
        """Whether it asks for an object on a condition."""
        return self.fetches() and any(name in self.headers for name in CONDITIONS)

    def talks(self) -> bool:
        """Whether its answer is JSON of an API."""
        return self.role != "blob" and not self.fetches()

    def linked(self) -> bool:
        """Whether it fetches by a signed link."""
        return self.at_store() and self.fetches()

    def checked(self) -> bool:
        """Whether it fetches bytes whose checksum the service tells; without one nobody can see a changed byte."""
        return self.fetches() and self.path.startswith("/storage/")

    def repeatable(self) -> bool:
        """Whether it changes nothing, so that a client may send it again without looking."""
        return self.method == "GET" or self.role == "token"

    def needs_token(self) -> bool:
        """Whether it reads by an API."""
        return self.role == "api" and self.method == "GET"

    def at(self, where: str) -> bool:
        """Whether it goes where a rule says."""
        return where in ("any", self.role) or (where == "bytes" and self.fetches())


def role_of(path: str, *, blob_port: bool) -> str:
    """Whom a request is for."""
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
    """Empty for every one."""
    path: str = "*"
    """Pattern for the whole decoded path of the request, without or with its `?` and query."""
    skip: int = 0
    """So many matching requests pass first."""
    times: int = 1
    """So often it strikes; 0 for always."""
    share: float = 1.0
    """The part of the matching requests that it strikes, drawn by `seed`."""
    seed: int = 1
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Parameters of the kind that are not at their default."""

    def matches(self, asked: RequestFacts) -> bool:
        """Whether a request is one of those."""
        if not asked.at(self.where) or self.method not in ("", asked.method):
            return False
        whole = f"{asked.path}?{unquote(asked.query)}"
        return self.path == "*" or fnmatchcase(asked.path, self.path) or fnmatchcase(whole, self.path)


# The connection: the server's own protocol, and what it leaves in the scope of each request


STATE = "sandbox.connection"
"""Where a scope's state holds the connection."""

READ_TIMEOUT_S = 5.0
"""Seconds that the other side has to take the last bytes before a reset, which would void them."""

_STEP = 0.002


class Connection:
    """One connection, below HTTP."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self.lost = asyncio.Event()
        """Set once it has ended, whoever ended it."""

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._flow.write_paused:
            await self._flow.drain()
        if not self._transport.is_closing():
            self._transport.write(data)

    async def reset(self) -> None:
        """End it with RST, after the other side has what was sent so far."""
        await self._taken()
        sock = self._transport.get_extra_info("socket")
        if not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        await self.lost.wait()

    async def close(self) -> None:
        """End it with FIN, after what was sent so far."""
        self._transport.close()
        await self.lost.wait()

    async def wait(self, seconds: float) -> None:
        """Let time pass, for ever with 0; no longer than the connection lives."""
        try:
            await asyncio.wait_for(self.lost.wait(), seconds or None)
        except TimeoutError:
            return

    async def _taken(self) -> None:
        deadline = asyncio.get_running_loop().time() + READ_TIMEOUT_S
        while not self._transport.is_closing() and asyncio.get_running_loop().time() < deadline:
            if not self._transport.get_write_buffer_size() and not self._queued():
                return
            await asyncio.sleep(_STEP)

    def _queued(self) -> int:
        """Bytes that the system still holds."""
        sock = self._transport.get_extra_info("socket")
        held: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        return held


class OpenProtocol(H11Protocol):
    """The server's protocol, which tells the application about its connection."""

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
    """One request, the application that would answer it, and the way back to the client."""

    def __init__(
        self,
        asked: RequestFacts,
        values: Mapping[str, Value],
        app: ASGIApp,
        call: tuple[Scope, Receive, Send],
        missed: Callable[[], None],
    ) -> None:
        self.asked = asked
        self.scope, self.receive, self._send = call
        self._values = values
        self._app = app
        self._missed = missed

    @property
    def connection(self) -> Connection:
        """What the request came over."""
        found: Connection = self.scope["state"][STATE]
        return found

    @property
    def trace(self) -> RequestTrace:
        """What the log will say about the request."""
        found: RequestTrace = self.scope["state"][TRACE]
        return found

    def miss(self) -> None:
        """Tell that the fault does not happen: the answer is none that it can happen to."""
        self._missed()
        self._missed = _nothing

    def text(self, name: str) -> str:
        """A parameter of the fault."""
        return str(self._values[name])

    def number(self, name: str) -> int:
        """A parameter that is a whole number."""
        return int(self._values[name])

    def seconds(self, name: str = "seconds") -> float:
        """A parameter that is a time."""
        return float(self._values[name])

    def place(self, length: int | None, name: str = "after") -> int:
        """A parameter that is a place in a body of `length` bytes: from its start, from its end, or in per cent."""
        return place_in(self.text(name), length or 0)

    async def run(
        self,
        send: Send | None = None,
        *,
        receive: Receive | None = None,
        without: tuple[str, ...] = (),
        header: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Let the application answer, through `send`, as if the request had other headers."""
        scope = self.scope
        if without or header:
            unwanted = {*(name.encode() for name in without), *(header or ())[:1]}
            kept = [pair for pair in scope["headers"] if pair[0] not in unwanted]
            scope = {**scope, "headers": [*kept, *([header] if header else [])]}
        await self._app(scope, receive or self.receive, send or self.send)

    async def send(self, message: Message) -> None:
        await self._send(message)

    async def write(self, data: bytes, *, body: int = 0) -> None:
        """Send bytes outside HTTP, `body` of which are of a body."""
        self.trace.sent(body)
        await self.connection.write(data)

    async def reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer in the application's place."""
        pairs = {"content-length": str(len(body)), **(headers or {})}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def with_headers(
        self, change: Callable[[MutableHeaders, MutableMapping[str, Any]], None], **how: Any
    ) -> None:
        """Let the application answer, but change what stands above the body."""

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                change(MutableHeaders(raw=message["headers"]), message)
            await self.send(message)

        await self.run(changed, **how)

    async def unheard(self, header: tuple[bytes, bytes] | None = None) -> Message:
        """Let the application answer, and drop the answer; returns its start."""
        starts: list[Message] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)

        await self.run(keep, header=header)
        return starts[0]

    async def held(self) -> tuple[Message, bytes]:
        """The whole answer of the application, of which nothing has been sent."""
        starts: list[Message] = []
        pieces: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            else:
                pieces.append(message.get("body", b""))

        await self.run(keep)
        return starts[0], b"".join(pieces)


def _nothing() -> None:
    pass


# The kinds of faults: each is written where it is done, and put into one table


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
    """Does it to one request."""
    defaults: Mapping[str, Value] = {}
    """Its parameters."""
    fits: Test = always
    """The requests it can happen to."""
    mixes: Test = never
    """The requests that a client can be expected to repeat after it, so that a mix may contain it."""
    once_per_object: bool = False
    """In a mix at most once for a path: a client rightly gives up when it comes again."""
    in_mix: Mapping[str, Value] = {}
    """Its parameters in a mix."""
    stored: bool = False
    """Whether it is in what is stored, not in an answer."""
    underneath: bool = False
    """Whether it goes together with another fault of the same request."""


KINDS: dict[str, FaultKind] = {}
"""All kinds, by name, in the order in which a mix draws from them."""


def fault(
    name: str, defaults: Mapping[str, Value] | None = None, *, text: str = "", **how: Any
) -> Callable[[Apply], Apply]:
    """Put what is decorated into the table of kinds; people read its docstring, unless a text is given."""

    def listed(apply: Apply) -> Apply:
        KINDS[name] = FaultKind(name, text or (apply.__doc__ or "").rstrip("."), apply, defaults or {}, **how)
        return apply

    return listed


def length_of(start: Message) -> int | None:
    """The Content-Length of an answer."""
    text = MutableHeaders(raw=start["headers"]).get("content-length", "")
    return int(text) if text.isdigit() else None

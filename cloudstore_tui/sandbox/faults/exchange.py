"""One request that a fault has in its hands, and what can be done with it."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudstore_tui.sandbox.faults.asked import Asked
from cloudstore_tui.sandbox.faults.connection import STATE, Connection
from cloudstore_tui.sandbox.faults.place import place_in
from cloudstore_tui.sandbox.faults.rule import Value
from cloudstore_tui.sandbox.log import VISIT, Visit

HTML = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please wait.</body></html>"


class Exchange:
    """One request, the application that would answer it, and the way back to the client."""

    def __init__(
        self,
        asked: Asked,
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
    def visit(self) -> Visit:
        """What the log will say about the request."""
        found: Visit = self.scope["state"][VISIT]
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
        """Send on to the client."""
        await self._send(message)

    async def write(self, data: bytes, *, body: int = 0) -> None:
        """Send bytes outside HTTP, `body` of which are of a body."""
        self.visit.sent(body)
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
        """Let the application answer nobody; the beginning of what it would have said."""
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


Apply = Callable[[Exchange], Awaitable[None]]


def length_of(start: Message) -> int | None:
    """The Content-Length of an answer."""
    text = MutableHeaders(raw=start["headers"]).get("content-length", "")
    return int(text) if text.isdigit() else None

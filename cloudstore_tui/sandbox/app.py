"""The two web applications of the sandbox: the APIs, and the object stores behind Alvaria's links."""

from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.faults.exchange import CONDITIONS, role_of
from cloudstore_tui.sandbox.faults.plan import faulty, rule_json
from cloudstore_tui.sandbox.log import TRACE, LoggedRequest, RequestLog, RequestTrace
from cloudstore_tui.sandbox.world import World

Answer = Callable[[Request], Awaitable[Response]]

SHOWN = ("range", *CONDITIONS)
"""Headers that are logged with their values, as these are not credentials."""

CONTROL = "/__sandbox__"
"""Prefix of the paths by which tests control the sandbox; clients never use it."""


def api_app(world: World, routes: list[BaseRoute]) -> ASGIApp:
    """The application on the port of the APIs."""
    services = logged(faulty(_application(routes), world.faults, blob_port=False), world.log, blob_port=False)
    control = _application(Control(world).routes())

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        # Requests that control the sandbox are not logged, and meet no faults.
        await (control if scope["path"].startswith(CONTROL) else services)(scope, receive, send)

    return dated(either, world.clock)


def blob_app(world: World, answer: Answer) -> ASGIApp:
    """The application on the port of the object stores; `answer` gets every request."""
    application = _application([])
    # Not a route, since no pattern matches a key with a line break in it.
    application.router.default = request_response(answer)
    return dated(logged(faulty(application, world.faults, blob_port=True), world.log, blob_port=True), world.clock)


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={UsageError: _misused})


def _misused(_request: Request, error: Exception) -> Response:
    """The answer to a request that names an unknown switch or value."""
    return JSONResponse({"error": str(error)}, 400)


def dated(app: ASGIApp, clock: Callable[[], float]) -> ASGIApp:
    """Set the Date of every answer by the clock of the sandbox, which tests can move."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(clock(), usegmt=True).encode()
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"date"]
                message = {**message, "headers": [(b"date", date), *headers]}
            await send(message)

        await app(scope, receive, sent)

    return answered


def logged(app: ASGIApp, log: RequestLog, *, blob_port: bool) -> ASGIApp:
    """Log every request as soon as its answer begins."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        trace = scope["state"][TRACE] = RequestTrace(log, _seen(scope, blob_port=blob_port))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace.answered(message["status"])
            else:
                trace.sent(len(message.get("body", b"")))
            await send(message)

        try:
            await app(scope, receive, sent)
        finally:
            trace.answered(0)

    return answered


def _seen(scope: Scope, *, blob_port: bool) -> LoggedRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return LoggedRequest(
        method=scope["method"],
        host=headers.get("host", ""),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(headers),
        role=role_of(scope["path"], blob_port=blob_port),
        asked=tuple((name, headers[name]) for name in SHOWN if name in headers),
    )


class Control:
    """The routes by which tests in other processes move the clock, set switches, add faults and read the log."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        return [
            Route(f"{CONTROL}/switches", self._switches, methods=["GET", "POST", "DELETE"]),
            Route(f"{CONTROL}/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{CONTROL}/log", self._log, methods=["GET", "DELETE"]),
            Route(f"{CONTROL}/clock", self._clock, methods=["GET", "POST", "DELETE"]),
        ]

    async def _switches(self, request: Request) -> Response:
        switches = self._world.switches
        if request.method == "DELETE":
            switches.reset()
        elif request.method == "POST":
            switches.set({str(name): str(value) for name, value in (await _object(request)).items()})
        return JSONResponse({switch.id: switches.value(switch.id) for switch in switches.known})

    async def _faults(self, request: Request) -> Response:
        faults = self._world.faults
        if request.method == "DELETE":
            faults.reset()
        elif request.method == "POST":
            faults.add(*await _rules(request))
        rules = [{**rule_json(rule), **msgspec.structs.asdict(count)} for rule, count in faults.rules]
        return JSONResponse({"rules": rules, "counts": faults.counts})

    async def _log(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._world.log.clear()
        return JSONResponse([msgspec.structs.asdict(seen) for seen in self._world.log.requests])

    async def _clock(self, request: Request) -> Response:
        clock = self._world.clock
        if request.method == "DELETE":
            clock.offset = 0.0
        elif request.method == "POST":
            offset = (await _object(request)).get("offset")
            if not isinstance(offset, int | float):
                raise UsageError("the offset of the clock is a number of seconds", hint='For example {"offset": 3600}.')
            clock.offset = float(offset)
        return JSONResponse({"now": clock(), "offset": clock.offset})


async def _rules(request: Request) -> list[str | Mapping[str, object]]:
    """One rule or a list of rules, each as an object or as text like on the command line."""
    found = await _json(request)
    rules = found if isinstance(found, list) else [found]
    read: list[str | Mapping[str, object]] = [rule for rule in rules if isinstance(rule, str | dict)]
    if read != rules:
        raise UsageError("a fault is a text or an object", hint='For example {"fault": "reset", "times": 2}.')
    return read


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None


async def _object(request: Request) -> dict[str, object]:
    found = await _json(request)
    if not isinstance(found, dict):
        raise UsageError("the body is not a JSON object")
    return found

"""The two web applications of the sandbox: the APIs, and the object stores behind Alvaria's links."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.log import RequestLog, Seen
from cloudstore_tui.sandbox.world import World

Answer = Callable[[Request], Awaitable[Response]]

CONTROL = "/__sandbox__"
"""Below this, tests steer the sandbox; no client calls it."""


def api_app(world: World, routes: list[BaseRoute]) -> ASGIApp:
    """What listens where the APIs are."""
    # The control routes first: a service may have a route for everything.
    return Logged(_application([*Control(world).routes(), *routes]), world.log)


def blob_app(world: World, answer: Answer) -> ASGIApp:
    """What listens where the object stores are; `answer` gets every request."""
    application = _application([])
    # No route for every path would do: none matches a key with a line break in it.
    application.router.default = request_response(answer)
    return Logged(application, world.log)


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={UsageError: _misused})


def _misused(_request: Request, error: Exception) -> Response:
    """The answer to a request that names a switch or a value that is not there."""
    return JSONResponse({"error": str(error)}, 400)


class Logged:
    """Notes every request, as soon as its answer begins."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log.add(_seen(scope, message["status"]))
            await send(message)

        await self._app(scope, receive, noted)


def _seen(scope: Scope, status: int) -> Seen:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Seen(
        method=scope["method"],
        host=headers.get("host", ""),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(headers),
        status=status,
    )


class Control:
    """Lets tests in other processes move the clock, turn switches and read the log."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """Its addresses."""
        return [
            Route(f"{CONTROL}/switches", self._switches, methods=["GET", "POST", "DELETE"]),
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

    async def _log(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._world.log.clear()
        return JSONResponse([asdict(seen) for seen in self._world.log.requests])

    async def _clock(self, request: Request) -> Response:
        clock = self._world.clock
        if request.method == "DELETE":
            clock.offset = 0.0
        elif request.method == "POST":
            offset = (await _object(request)).get("offset")
            if not isinstance(offset, int | float):
                raise UsageError("the clock is moved by a number of seconds", cure='For example {"offset": 3600}.')
            clock.offset = float(offset)
        return JSONResponse({"now": clock(), "offset": clock.offset})


async def _object(request: Request) -> dict[str, object]:
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError("the body is not a JSON object")
    return found

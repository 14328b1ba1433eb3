"""The door to the API: tokens, levels, limits, and errors as the real gateway and service word them."""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cloudstore_tui.sandbox.eightbyeight.fixtures import REGIONS
from cloudstore_tui.sandbox.eightbyeight.jobs import Jobs
from cloudstore_tui.sandbox.eightbyeight.keys import LEVELS, Key, Level, Tokens
from cloudstore_tui.sandbox.eightbyeight.store import Store
from cloudstore_tui.sandbox.world import World

_PER_MINUTE = 60


class ApiError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status, headers)


def fault(status: int, text: str, code: str) -> ApiError:
    """An error of the gateway, before the service is reached."""
    return ApiError(status, {"fault": {"faultstring": text, "detail": {"errorcode": code}}})


def problem(status: int, detail: str, field: str = "") -> ApiError:
    """An error of the service itself."""
    titles = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}
    errors = [{"field": field, "code": "INVALID", "message": detail}] if field else []
    title = titles.get(status, "Error")
    return ApiError(status, {"status": status, "title": title, "detail": detail, "errors": errors})


@dataclass(frozen=True)
class Service:
    """What all requests share."""

    world: World
    store: Callable[[], Store]
    """Opens the store on first use."""
    tokens: Tokens
    jobs: Jobs
    pace: "Pace"

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self.world.clock() * 1000)


@dataclass(frozen=True)
class Ask:
    """One request that was let in."""

    service: Service
    request: Request
    key: Key
    body: bytes

    @property
    def store(self) -> Store:
        """The data."""
        return self.service.store()

    @property
    def region(self) -> str:
        """The region of the path, known to be one of the company's."""
        return str(self.request.path_params["region"])

    def switch(self, id_: str) -> str:
        """The answer to one open question."""
        return self.service.world.switches.value(id_, self.request)

    def seconds(self, id_: str) -> float:
        """A switch that holds a number."""
        return float(self.switch(id_))

    def json(self) -> Any:
        """The body, which has to be JSON and to say so."""
        if not self.request.headers.get("content-type", "").startswith("application/json"):
            raise problem(400, "Content-Type must be application/json", "Content-Type")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise problem(400, "The body is no JSON", "body") from None

    def ids(self) -> list[str]:
        """The body, which has to be a list of object ids; each once."""
        ids = self.json()
        if not isinstance(ids, list) or not ids or not all(isinstance(id_, str) for id_ in ids):
            raise problem(400, "The body must be a list of object ids", "body")
        return list(dict.fromkeys(ids))


class Pace:
    """Counts requests where the sandbox limits them."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait(self, who: str, now: float) -> float:
        """Seconds to wait before another request is answered; 0 counts this one."""
        with self._lock:
            seen = self._seen[who]
            while seen and seen[0] <= now - 60:
                seen.popleft()
            if len(seen) >= _PER_MINUTE:
                return seen[0] + 60 - now
            seen.append(now)
            return 0


Endpoint = Callable[[Ask], Response]


def route(
    service: Service,
    methods: str,
    path: str,
    endpoint: Endpoint,
    level: Level = Level.READ_ONLY,
    *,
    anywhere: bool = False,
) -> Route:
    """A route of the API that demands a token, a level, and a region of the company unless it works anywhere."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, service, request, body)

    def _answer(service: Service, request: Request, body: bytes) -> Response:
        try:
            ask = Ask(service, request, _key(service, request), body)
            _limit(ask)
            if not anywhere:
                _admit(ask, level)
                ask.store.settle(service.now)
            return endpoint(ask)
        except ApiError as error:
            return error.response

    return Route(f"/storage/{{region}}/v3{path}", handle, methods=methods.split())


def _key(service: Service, request: Request) -> Key:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise fault(401, "Invalid access token", "oauth.v2.InvalidAccessToken")
    token = service.tokens.find(text.strip())
    if token is None:
        raise fault(401, "Invalid Access Token", "keymanagement.service.invalid_access_token")
    if token.ends <= service.world.clock():
        raise fault(401, "Access Token expired", "keymanagement.service.access_token_expired")
    return token.key


def _limit(ask: Ask) -> None:
    how = ask.switch("E-32")
    wait = 0.0 if how == "off" else ask.service.pace.wait(ask.key.client_id, ask.service.world.clock())
    if wait:
        error = fault(429, "Rate limit quota violation", "policies.ratelimit.QuotaViolation")
        if how == "60/min":
            error.response.headers["Retry-After"] = str(int(wait) + 1)
        raise error


def _admit(ask: Ask, level: Level) -> None:
    if "storage" not in ask.key.products:
        raise problem(403, "This API key has no access to the product storage")
    if ask.region not in REGIONS:
        raise problem(404, f"Unknown region {ask.region}", "region")
    own = LEVELS.get(ask.switch("E-33"), ask.key.level)
    if own < level:
        raise problem(403, f"This API key has no permission: level {level.name.lower().replace('_', '-')} is needed")

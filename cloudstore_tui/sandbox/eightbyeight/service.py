"""Access: the switches of the service, its keys and tokens, the gateway, and the token endpoint."""

import json
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from cloudstore_tui.sandbox.eightbyeight.fixtures import REGIONS
from cloudstore_tui.sandbox.eightbyeight.jobs import SandboxJobs
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords
from cloudstore_tui.sandbox.profiles import EIGHT_BY_EIGHT_CLIENT
from cloudstore_tui.sandbox.world import Switch, World, any_number, basic_login, choice

# Switches: what the documentation leaves open, and the possible behaviours


SWITCHES: tuple[Switch, ...] = (
    choice("E-1", "a limit above 100: cut to 100, refused, or given", "clamp", "400", "honoured"),
    choice("E-2", "is a full page at the end of the result the last?", "last", "empty"),
    choice("E-3", "pageKey of a reply: offset of the next page or of this one", "next", "current"),
    choice("E-4", "offsets from 10,000 on", "none", "400"),
    choice("E-5", "pages and jobs: plain, in a list, or a start that lists all jobs", "object", "array", "queue"),
    choice("E-6", "a field that no object has: an unknown tag, or refused", "tag", "400"),
    choice("E-7", "tags that look like numbers are compared as", "numeric", "text"),
    choice("E-8", "does != find objects without the tag?", "matches", "no match"),
    choice("E-9", "texts: literal, with * as a wildcard, or ignoring case", "literal", "wildcards", "fold"),
    choice("E-10", "quotes in a filter", "accepted", "400"),
    choice("E-11", "ISO times in a filter", "400", "accepted"),
    choice("E-12", "objectState anywhere in a filter lifts the restriction to AVAILABLE", "any mention"),
    choice("E-13", "order without sortField", "createdTime DESC"),
    choice("order", "order of results: as requested, or always the newest first", "asked", "newest"),
    choice(
        "E-14", "form of a presigned URL reply", *("json", "text", "json string", "302", "presignedUrl", "presignUrl")
    ),
    choice("E-15", "Authorization sent to a presigned URL", "400"),
    choice("E-16", "content of an object that is not AVAILABLE", "403", "404", "409"),
    choice("E-17", "Range on content and zips", "206", "200"),
    choice("E-18", "state while an object is being restored", "ARCHIVED", "PENDING"),
    choice("E-19", "restoring again what is being restored", "200", "409"),
    choice("E-20", "state after the restored copy has expired", "ARCHIVED"),
    choice("E-21", "more than 2 GB in one zip: failed, refused, or done in part", "FAILED", "400", "PARTIAL_DONE"),
    choice("E-22", "ids in a start that are unknown, elsewhere or not AVAILABLE", "PARTIAL_DONE", "404"),
    choice("E-23", "the same id twice in a start", "once"),
    choice("E-24", "how long a finished zip lives", "24h", "60s"),
    choice("E-25", "cancelling a finished job", "unchanged"),
    choice("E-26", "clearing while jobs run", "all"),
    choice("E-27", "verb of cancel", "both", "PUT"),
    choice("E-28", "deleting with unknown ids: they are ignored, or nothing is deleted", "200", "404"),
    choice("E-29", "names in a zip: as they are, : as a dot, or repeats numbered", "raw", "dots", "numbered"),
    choice("E-30", "checksums of every fifth object end in -1, of some in -3", "fifth"),
    choice("E-31", "times without zone are", "UTC"),
    choice("E-32", "rate limit: none, 60 requests a minute with Retry-After, or without it", "off", "60/min", "bare"),
    choice("E-33", "level of all keys: their own, or this one", "own", "read-only", "download-only", "edit"),
    choice("E-34", "regions for a key without storage", "[]", "403"),
    any_number("token-life", "seconds that an 8x8 token lives", "1799"),
    any_number("link-life", "seconds that a presigned URL lives", "1800"),
    any_number("zip-seconds", "seconds until a zip job has ended", "3"),
    choice("zip-outcome", "how zip jobs end", "DONE", "FAILED", "PARTIAL_DONE"),
    choice("zip-reply", "status of start, cancel and clear; 204 has no body", "200", "201", "204"),
    choice("delete-reply", "status of a bulk delete", "200", "204"),
    any_number("purge-seconds", "seconds until a deleted object is purged", "3600"),
    any_number("restore-seconds", "seconds until an archived object is restored", "30"),
)
"""Open questions by number, and settings for tests."""


# Keys and tokens


class Level(IntEnum):
    """The permissions of a key; each level includes the one before.

    The vendor says only what needs `edit`; what the others may do is taken from their names.
    """

    READ_ONLY = 1
    """Searches and records."""
    DOWNLOAD_ONLY = 2
    """Also the bytes of objects, and zip jobs."""
    EDIT = 3
    """Also deleting and restoring."""


LEVELS = {"read-only": Level.READ_ONLY, "download-only": Level.DOWNLOAD_ONLY, "edit": Level.EDIT}


class Key(msgspec.Struct, frozen=True):
    """One API key."""

    client_id: str
    level: Level = Level.EDIT
    products: tuple[str, ...] = ("storage",)
    expired: bool = False
    """Whether it has expired; it is then refused like a wrong one."""

    def secret(self, world: World) -> str:
        return world.key(self.client_id)


KEYS = (
    Key(EIGHT_BY_EIGHT_CLIENT),
    Key("acme8-download", Level.DOWNLOAD_ONLY),
    Key("acme8-read", Level.READ_ONLY),
    Key("acme8-bare", Level.READ_ONLY, ("work-analytics",)),
    Key("acme8-expired", expired=True),
)
"""The first is that of the sandbox's own configuration; the fourth lacks the product `storage`."""


class IssuedToken(msgspec.Struct, frozen=True):
    """A token and its key."""

    key: Key
    expires: float
    """Epoch seconds."""


class KeyTokens:
    """The tokens that have been issued."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._tokens: dict[str, IssuedToken] = {}

    def key_of(self, authorization: str) -> Key | None:
        """The key of a Basic header, if its secret is right."""
        client_id, secret = basic_login(authorization)
        found = next((key for key in KEYS if key.client_id == client_id and not key.expired), None)
        known = found.secret(self._world) if found else ""
        return found if secrets.compare_digest(known.encode(), secret.encode()) else None

    def issue(self, key: Key, life: float) -> str:
        """A new token for a key."""
        text = secrets.token_urlsafe(21)
        now = self._world.clock()
        with self._lock:
            # Kept for a while, so that a late client learns that its token has expired rather than that it is unknown.
            self._tokens = {name: token for name, token in self._tokens.items() if token.expires > now - 3600}
            self._tokens[text] = IssuedToken(key, now + life)
        return text

    def find(self, text: str) -> IssuedToken | None:
        """A token, even if it has expired."""
        return self._tokens.get(text)


# The gateway


_PER_MINUTE = 60


class ApiError(Exception):
    """An error to answer a request with."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status)


def fault(status: int, text: str, code: str) -> ApiError:
    """An error of the gateway in front of the service."""
    return ApiError(status, {"fault": {"faultstring": text, "detail": {"errorcode": code}}})


def problem(status: int, detail: str, field: str = "") -> ApiError:
    """An error of the service itself."""
    titles = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}
    errors = [{"field": field, "code": "INVALID", "message": detail}] if field else []
    title = titles.get(status, "Error")
    return ApiError(status, {"status": status, "title": title, "detail": detail, "errors": errors})


class Service(msgspec.Struct, frozen=True):
    """What all requests have in common."""

    world: World
    store: Callable[[], ObjectRecords]
    """Opens the store on first use."""
    tokens: KeyTokens
    jobs: SandboxJobs
    request_rate: "RequestRate"

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self.world.clock() * 1000)


class ApiRequest(msgspec.Struct, frozen=True):
    """One authorized request."""

    service: Service
    request: Request
    key: Key
    body: bytes

    @property
    def store(self) -> ObjectRecords:
        return self.service.store()

    @property
    def region(self) -> str:
        """The region in the path, checked to be one of the company's."""
        return str(self.request.path_params["region"])

    @property
    def clock(self) -> float:
        """Epoch seconds."""
        return self.service.world.clock()

    def switch(self, id_: str) -> str:
        """The value of a switch."""
        return self.service.world.switches.value(id_, self.request)

    def seconds(self, id_: str) -> float:
        """The value of a switch that is a number."""
        return float(self.switch(id_))

    def json(self) -> Any:
        """The body, which has to be JSON by its content and its type."""
        if not self.request.headers.get("content-type", "").startswith("application/json"):
            raise problem(400, "Content-Type must be application/json", "Content-Type")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise problem(400, "The body is not JSON", "body") from None

    def ids(self) -> list[str]:
        """The object ids in the body, without duplicates."""
        ids = self.json()
        if not isinstance(ids, list) or not ids or not all(isinstance(id_, str) for id_ in ids):
            raise problem(400, "The body must be a list of object ids", "body")
        return list(dict.fromkeys(ids))


class RequestRate:
    """The rate limit, per key."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait(self, who: str, now: float) -> float:
        """Seconds until the next request is allowed; 0 if this one is, which is then counted."""
        with self._lock:
            seen = self._seen[who]
            while seen and seen[0] <= now - 60:
                seen.popleft()
            if len(seen) >= _PER_MINUTE:
                return seen[0] + 60 - now
            seen.append(now)
            return 0


Endpoint = Callable[[ApiRequest], Response]


def route(
    service: Service,
    methods: str,
    path: str,
    endpoint: Endpoint,
    level: Level = Level.READ_ONLY,
    *,
    anywhere: bool = False,
) -> Route:
    """A route that requires a token, a level and, unless `anywhere`, one of the company's regions."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, service, request, body)

    def _answer(service: Service, request: Request, body: bytes) -> Response:
        try:
            call = ApiRequest(service, request, _key(service, request), body)
            _check_rate(call)
            if not anywhere:
                _authorize(call, level)
                call.store.apply_plans(service.now)
            return endpoint(call)
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
    if token.expires <= service.world.clock():
        raise fault(401, "Access Token expired", "keymanagement.service.access_token_expired")
    return token.key


def _check_rate(call: ApiRequest) -> None:
    how = call.switch("E-32")
    wait = 0.0 if how == "off" else call.service.request_rate.wait(call.key.client_id, call.service.world.clock())
    if wait:
        error = fault(429, "Rate limit quota violation", "policies.ratelimit.QuotaViolation")
        if how == "60/min":
            error.response.headers["Retry-After"] = str(int(wait) + 1)
        raise error


def _authorize(call: ApiRequest, level: Level) -> None:
    if "storage" not in call.key.products:
        raise problem(403, "This API key has no access to the product storage")
    if call.region not in REGIONS:
        raise problem(404, f"Unknown region {call.region}", "region")
    require(call, level)


def require(call: ApiRequest, level: Level) -> None:
    """Refuse a call whose key is not of this level."""
    if LEVELS.get(call.switch("E-33"), call.key.level) < level:
        raise problem(403, f"This API key has no permission: level {level.name.lower().replace('_', '-')} is needed")


# The token endpoint, which is part of the gateway: every scalar is a string


def token_routes(service: Service) -> list[BaseRoute]:

    async def token(request: Request) -> Response:
        return _token(service, request, await request.body())

    return [Route("/oauth/v2/token", token, methods=["POST"])]


def _token(service: Service, request: Request, body: bytes) -> Response:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _error(400, "invalid_request", "Content-Type must be application/x-www-form-urlencoded")
    key = service.tokens.key_of(request.headers.get("authorization", ""))
    if key is None:
        return _error(401, "invalid_client", "ClientId is Invalid")
    if parse_qs(body.decode("latin-1")).get("grant_type") != ["client_credentials"]:
        return _error(400, "invalid_request", "The request is missing a required parameter : grant_type")
    life = service.world.switches.value("token-life", request)
    text = service.tokens.issue(key, float(life))
    return JSONResponse(
        {
            "refresh_token_expires_in": "0",
            "api_product_list": f"[{', '.join(key.products)}]",
            "api_product_list_json": list(key.products),
            "organization_name": "8x8",
            "developer.email": "deprecated",
            "token_type": "BearerToken",
            "issued_at": str(service.now),
            "client_id": "deprecated",
            "access_token": text,
            "application_name": "deprecated",
            "scope": "",
            "expires_in": life,
            "refresh_count": "0",
            "status": "approved",
        }
    )


def _error(status: int, code: str, text: str) -> Response:
    return JSONResponse({"ErrorCode": code, "Error": text}, status)

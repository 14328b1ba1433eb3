"""Access: the switches of this service, its tokens, and the checks that every call has to pass."""

import hmac
import re
import secrets
from collections.abc import Mapping
from itertools import count
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloudstore_tui.sandbox.alvaria.data import PREFIX, SCOPES, is_allowed
from cloudstore_tui.sandbox.alvaria.listing import envelope
from cloudstore_tui.sandbox.profiles import ALVARIA_CLIENT, alvaria_api_key, alvaria_secret
from cloudstore_tui.sandbox.world import Switch, Switches, World, any_number, basic_login, choice

# Switches: what the documentation leaves open, and the possible behaviours


SWITCHES: tuple[Switch, ...] = (
    choice("A-1", "where the token request names the realm: query or body", "either"),
    choice("A-2", "status for a missing scope; 401 has no body", "403", "401"),
    choice("A-3", "status for a missing or unknown x-api-key", "403", "401"),
    choice("A-4", "do scopes of a folder open its children?", "yes", "no"),
    choice("A-5", "listing the root", "400"),
    choice("A-6", "folder key without its slash: not found, or a prefix of keys", "404", "prefix"),
    choice("A-7", "an existing folder that is empty", "empty", "404"),
    choice("A-8", "keyType=file:directory", "supported", "400"),
    choice("A-9", "does file:directory name the folder itself?", "no", "yes"),
    choice("A-10", "entries of a page at most", "1000"),
    choice(
        "A-11",
        "page tokens: the page starts after their key, or with it, or they are percent-encoded",
        *("exclusive", "inclusive", "quoted"),
    ),
    choice("A-12", "the token after the last page", "absent", "blank", "null"),
    choice("A-13", "type of totalItems", "string", "number", "absent"),
    choice("A-14", "shape of a signed URL reply of v2", "bare", "wrapped"),
    choice("A-15", "how sizes are written", "KB", "kb", "blank"),
    choice("A-16", "deleting a folder key", "400", "recursive"),
    choice("A-17", "deleting what is not there", "404", "success"),
    choice("A-18", "uploading outside imports/", "403", "allowed"),
    choice("A-19", "uploading over what is there", "replaces"),
    choice("A-20", "a link to upload into an unknown folder", "404"),
    choice("A-21", "folders of v3 requested through v2", "404", "visible"),
    any_number("A-22", "seconds for which a signed URL is valid, whatever it says", "3600"),
    choice("A-23", "are native links reachable?", "yes", "no"),
    choice("A-24", "ranges of proxied links", "206", "200"),
    choice(
        "A-25",
        "throttling: off, every request, or every second one; plain or with Retry-After",
        *("off", "429", "429 with Retry-After", "without", "with"),
    ),
    choice("A-26", "type of an error's code", "string", "number"),
    choice("A-cloud", "whose object store is behind it", "aws", "gcp"),
    choice("A-end", "does a listing end, repeat one token for ever, or go on with empty pages?", "yes", "no", "empty"),
    choice(
        "A-links", "links of a signed URL reply of v2: both, the requested one, or the other", "both", "asked", "other"
    ),
    choice("A-link", "damage to signed links", *("none", "blank", "empty", "other folder", "other key", "other host")),
    choice("A-take", "where uploads end up if their folder has processed/ and errors/", "processed", "errors", "stay"),
    any_number("A-take-seconds", "seconds until they do", "5"),
    any_number("A-token-life", "seconds that a token of Alvaria lives", "3599"),
)
"""Open questions by number, and settings for tests."""


# Access tokens


ORG = "acme"
CLIENT_ID = ALVARIA_CLIENT
"""May request every scope."""

NARROW_CLIENT_ID = "acme-sandbox-reports"
"""May request two scopes only."""

_ALL = frozenset(PREFIX + scope for scope in SCOPES)
CLIENTS: Mapping[str, frozenset[str]] = {
    CLIENT_ID: _ALL,
    NARROW_CLIENT_ID: frozenset({f"{PREFIX}exports.reporting", f"{PREFIX}imports.outreach.list"}),
}
"""Each client, and the scopes it may be granted."""

_FORM = "application/x-www-form-urlencoded"


class Grant(msgspec.Struct, frozen=True):
    """The scopes and the expiry of a token."""

    scopes: frozenset[str]
    expires: float


class TokenService:
    """The token endpoint, and the tokens that it has issued."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._grants: dict[str, Grant] = {}

    @property
    def api_key(self) -> str:
        """The only key for `x-api-key`."""
        return alvaria_api_key(self._world.seed)

    def secret(self, client: str) -> str:
        return alvaria_secret(self._world.seed, client)

    async def issue(self, request: Request) -> Response:
        """`POST /tokenservice/oauth2/access_token`."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        client = self._client(request.headers.get("authorization", ""))
        problem = self._problem(request, form, client)
        if problem is not None:
            return problem
        asked = form["scope"].split()
        granted = [scope for scope in dict.fromkeys(asked) if scope in CLIENTS[client]]
        if not granted:
            return _error("invalid_scope", "none of the scopes may be granted to the client")
        token = secrets.token_hex(16)
        life = float(self._world.switches.value("A-token-life", request))
        self._grants[token] = Grant(frozenset(granted), self._world.clock() + life)
        reply = {"access_token": token, "scope": " ".join(granted), "token_type": "Bearer", "expires_in": int(life)}
        return JSONResponse(reply, headers={"Cache-Control": "no-store"})

    def grant(self, request: Request) -> Grant | None:
        """The grant of a request's token; `None` if that is missing, unknown or expired."""
        bearer = re.fullmatch(r"[Bb]earer +(\S+)", request.headers.get("authorization", ""))
        grant = self._grants.get(bearer[1]) if bearer else None
        return grant if grant is not None and self._world.clock() < grant.expires else None

    def _problem(self, request: Request, form: Mapping[str, str], client: str) -> Response | None:
        """Why no token is issued; `None` if one is."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _error("invalid_request", f"the Content-Type must be {_FORM}")
        if not client:
            return _error("invalid_client", "the client id or the client secret is wrong", 401)
        realm = form.get("realm") or request.query_params.get("realm")
        if not realm:
            return _error("invalid_request", "the realm is missing")
        if realm != ORG:
            return _error("invalid_client", "the client is unknown in this realm", 401)
        if form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", "the only grant type is client_credentials")
        asked = form.get("scope", "").split()
        if not asked or not _ALL.issuperset(asked):
            return _error("invalid_scope", "the scope is missing or unknown")
        return None

    def _client(self, header: str) -> str:
        """The client of a Basic header; empty if its secret is wrong."""
        name, secret = basic_login(header)
        known = name in CLIENTS
        return name if known and hmac.compare_digest(secret.encode(), self.secret(name).encode()) else ""


def _error(code: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="tokenservice"'} if status == 401 else None
    return JSONResponse({"error": code, "error_description": description}, status, headers)


# Checks of token, API key, headers, parameters and scope


_ACCEPTED = frozenset({"application/json", "application/*", "*/*"})

_LIST_PARAMETERS = frozenset({"key", "keyType", "maxResults"})
PARAMETERS: Mapping[tuple[str, str, str], frozenset[str]] = {
    ("v2", "GET", "objectKeys"): _LIST_PARAMETERS | {"continuationToken"},
    ("v3", "GET", "objectKeys"): _LIST_PARAMETERS | {"nextToken"},
    ("v2", "DELETE", "objectKeys"): frozenset({"key"}),
    ("v3", "DELETE", "objectKeys"): frozenset({"key"}),
    ("v3", "GET", "signedDownloadUrl"): frozenset({"key"}),
    ("v3", "GET", "signedUploadUrl"): frozenset({"key"}),
}
"""The parameters of every call, by version, method and resource."""


class RequestCheck:
    """Refuses calls that the service would refuse, and those that betray a mistake in the client."""

    def __init__(self, switches: Switches, tokens: TokenService) -> None:
        self._switches = switches
        self._tokens = tokens
        self._calls = count()

    def refusal(self, request: Request) -> Response | None:
        """The error for a call; `None` if it is accepted."""
        grant = self._tokens.grant(request)
        if grant is None:
            return Response(status_code=401)
        if request.headers.get("x-api-key") != self._tokens.api_key:
            return JSONResponse({"message": "Forbidden"}, int(self._switches.value("A-3", request)))
        return self._check_rate(request) or self._check_address(request) or self._check_parameters(request, grant)

    def _check_rate(self, request: Request) -> Response | None:
        how = self._switches.value("A-25", request)
        if how == "off" or (how in ("with", "without") and next(self._calls) % 2):
            return None
        answer = self._error(429, "Too many requests", request)
        if how in ("with", "429 with Retry-After"):
            answer.headers["Retry-After"] = "1"
        return answer

    def _check_address(self, request: Request) -> Response | None:
        version, resource = request.path_params["version"], request.path_params["resource"]
        methods = [method for known, method, name in PARAMETERS if (known, name) == (version, resource)]
        if not methods:
            return self._error(404, "There is no such resource", request)
        if request.path_params["org"] != ORG:
            return self._error(404, "The organization is unknown", request)
        if request.method not in methods:
            answer = self._error(405, f"The method {request.method} is not allowed", request)
            answer.headers["Allow"] = ", ".join(methods)
            return answer
        return None

    def _check_parameters(self, request: Request, grant: Grant) -> Response | None:
        accepted = {kind.partition(";")[0].strip() for kind in request.headers.get("accept", "").split(",")}
        if not accepted & _ACCEPTED:
            return self._error(400, "The Accept header must be application/json", request)
        version, resource = request.path_params["version"], request.path_params["resource"]
        known = PARAMETERS[version, request.method, resource]
        for name, _ in request.query_params.multi_items():
            if name not in known or len(request.query_params.getlist(name)) > 1:
                return self._error(400, f"The parameter {name} is unknown or given twice", request)
        key = request.query_params.get("key", "")
        if not key or key.startswith("/"):
            return self._error(400, "The key is missing or starts with a slash", request)
        if is_allowed(key, grant.scopes, inherited=self._switches.value("A-4", request) == "yes"):
            return None
        if self._switches.value("A-2", request) == "401":
            return Response(status_code=401)
        return self._error(403, f"The scopes of the token do not cover {key}", request)

    def _error(self, status: int, message: str, request: Request) -> Response:
        return envelope(status, message, self._switches, request)

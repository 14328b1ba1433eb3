"""Access tokens: who may come in, and to which folders."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloudstore_tui.sandbox.alvaria.tree import PREFIX, SCOPES
from cloudstore_tui.sandbox.world import World

ORG = "acme"
CLIENT_ID = "acme-sandbox-client"
"""May ask for every scope."""

NARROW_CLIENT_ID = "acme-sandbox-reports"
"""May ask for two scopes only."""

_ALL = frozenset(PREFIX + scope for scope in SCOPES)
CLIENTS: Mapping[str, frozenset[str]] = {
    CLIENT_ID: _ALL,
    NARROW_CLIENT_ID: frozenset({f"{PREFIX}exports.reporting", f"{PREFIX}imports.outreach.list"}),
}
"""Each client, and the scopes it may be granted."""

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is good for."""

    scopes: frozenset[str]
    ends: float


class Tokens:
    """The token endpoint, and the check of what it gave out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._grants: dict[str, Grant] = {}

    @property
    def client_secret(self) -> str:
        """The secret of `CLIENT_ID`."""
        return self.secret(CLIENT_ID)

    @property
    def api_key(self) -> str:
        """The only key for `x-api-key`."""
        return self._world.key("alvaria-api-key")

    def secret(self, client: str) -> str:
        """The secret of a client."""
        return self._world.key(f"alvaria-secret:{client}")

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
        """What the token of a request is good for; `None` if it is missing, unknown or over."""
        bearer = re.fullmatch(r"[Bb]earer +(\S+)", request.headers.get("authorization", ""))
        grant = self._grants.get(bearer[1]) if bearer else None
        return grant if grant is not None and self._world.clock() < grant.ends else None

    def revoke_all(self) -> None:
        """End every token at once."""
        self._grants.clear()

    def _problem(self, request: Request, form: Mapping[str, str], client: str) -> Response | None:
        """Why there is no token, in the order in which one finds out."""
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
        """Who asks; empty if the secret does not fit."""
        kind, _, packed = header.partition(" ")
        try:
            name, _, secret = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        known = kind.lower() == "basic" and name in CLIENTS
        return name if known and hmac.compare_digest(secret.encode(), self.secret(name).encode()) else ""


def _error(code: str, description: str, status: int = 400) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="tokenservice"'} if status == 401 else None
    return JSONResponse({"error": code, "error_description": description}, status, headers)

"""What every call has to have before it is looked at: token, api key, headers, parameters, scope."""

from collections.abc import Mapping
from itertools import count

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloudstore_tui.sandbox.alvaria.tokens import ORG, Grant, Tokens
from cloudstore_tui.sandbox.alvaria.tree import is_allowed
from cloudstore_tui.sandbox.alvaria.wire import envelope
from cloudstore_tui.sandbox.switches import Switches

_ACCEPTED = frozenset({"application/json", "application/*", "*/*"})

_LISTED = frozenset({"key", "keyType", "maxResults"})
PARAMETERS: Mapping[tuple[str, str, str], frozenset[str]] = {
    ("v2", "GET", "objectKeys"): _LISTED | {"continuationToken"},
    ("v3", "GET", "objectKeys"): _LISTED | {"nextToken"},
    ("v2", "DELETE", "objectKeys"): frozenset({"key"}),
    ("v3", "DELETE", "objectKeys"): frozenset({"key"}),
    ("v3", "GET", "signedDownloadUrl"): frozenset({"key"}),
    ("v3", "GET", "signedUploadUrl"): frozenset({"key"}),
}
"""Every call there is: version, method and resource; and the parameters it knows."""


class Gate:
    """Refuses calls that the service would refuse, and those that show a mistake of the client."""

    def __init__(self, switches: Switches, tokens: Tokens) -> None:
        self._switches = switches
        self._tokens = tokens
        self._calls = count()

    def refusal(self, request: Request) -> Response | None:
        """Why a call is not let in; `None` if it is."""
        grant = self._tokens.grant(request)
        if grant is None:
            return Response(status_code=401)
        if request.headers.get("x-api-key") != self._tokens.api_key:
            return JSONResponse({"message": "Forbidden"}, int(self._switches.value("A-3", request)))
        return self._throttled(request) or self._misaddressed(request) or self._malformed(request, grant)

    def _throttled(self, request: Request) -> Response | None:
        how = self._switches.value("A-25", request)
        if how == "off" or (how in ("with", "without") and next(self._calls) % 2):
            return None
        answer = self._error(429, "Too many requests", request)
        if how in ("with", "429 with Retry-After"):
            answer.headers["Retry-After"] = "1"
        return answer

    def _misaddressed(self, request: Request) -> Response | None:
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

    def _malformed(self, request: Request, grant: Grant) -> Response | None:
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

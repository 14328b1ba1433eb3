"""The token endpoint, which answers in the manner of the gateway: every scalar is a text."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from cloudstore_tui.sandbox.eightbyeight.gateway import Service


def token_routes(service: Service) -> list[BaseRoute]:
    """The route of this file."""

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
    text = service.tokens.give(key, float(life))
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

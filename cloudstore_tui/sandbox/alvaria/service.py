"""Both versions of the API."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from cloudstore_tui.sandbox.alvaria.access import RequestCheck, TokenService
from cloudstore_tui.sandbox.alvaria.data import KeyStore
from cloudstore_tui.sandbox.alvaria.links import METHODS, LinkMaker, ObjectStore
from cloudstore_tui.sandbox.alvaria.listing import MAX_RESULTS, BadToken, KeyListing, KeyPage, envelope, key_hash
from cloudstore_tui.sandbox.world import World

_KINDS = ("file", "directory", "file:directory")
_SIGNED = {
    "signedDownloadUrl": "GET",
    "nativeSignedDownloadUrl": "GET",
    "signedUploadUrl": "PUT",
    "nativeSignedUploadUrl": "PUT",
}
_TOKEN = {"v2": "continuationToken", "v3": "nextToken"}


class Alvaria:
    """One organisation of the service."""

    def __init__(self, world: World) -> None:
        self._switches = world.switches
        self._clock = world.clock
        self.tokens = TokenService(world)
        self.store = KeyStore(world.data / "alvaria", world.seed, world.data_now)
        self._links = LinkMaker(world)
        self._check = RequestCheck(world.switches, self.tokens)
        self.object_store = ObjectStore(world, self.store, self._links)

    def routes(self) -> list[BaseRoute]:
        """The routes on the API's port."""
        resource = "/via/{version}/organizations/{org}/mediaStorage/data/{resource}"
        return [
            Route("/tokenservice/oauth2/access_token", self.tokens.issue, methods=["POST"]),
            Route(resource, self._answer, methods=list(METHODS)),
        ]

    async def _answer(self, request: Request) -> Response:
        refusal = self._check.refusal(request)
        return refusal if refusal is not None else await run_in_threadpool(self._call, request)

    def _call(self, request: Request) -> Response:
        self._process_uploads()
        key, resource = request.query_params["key"], request.path_params["resource"]
        if request.method == "DELETE":
            return self._delete(key, request)
        if resource in _SIGNED:
            return self._sign(_SIGNED[resource], key, request)
        kind, version = request.query_params.get("keyType", ""), request.path_params["version"]
        if version == "v2" and kind in _SIGNED:
            return self._sign(_SIGNED[kind], key, request)
        if kind not in _KINDS or (kind == "file:directory" and self._on("A-8", "400", request)):
            return self._error(400, "The keyType is missing or invalid", request)
        limit = request.query_params.get("maxResults", str(MAX_RESULTS))
        if not (limit.isascii() and limit.isdigit() and len(limit) < 10 and int(limit) >= 1):
            return self._error(400, "The maxResults is invalid", request)
        return self._list(key, kind, min(int(limit), MAX_RESULTS), request)

    def _process_uploads(self) -> None:
        """Do what the service does on its own: process uploads, and move them to `processed` or `errors`."""
        result, now = self._switches.value("A-take"), self._clock()
        if result != "stay":
            self.store.move_processed(result, now - float(self._switches.value("A-take-seconds")), now)

    def _list(self, key: str, kind: str, limit: int, request: Request) -> Response:
        name = _TOKEN[request.path_params["version"]]
        try:
            page = self._listing(request).page(key, kind, limit, request.query_params.get(name, ""))
        except BadToken:
            return self._error(400, f"The {name} is invalid", request)
        if page is None:
            return self._error(404, f"No record exists for the key {key}", request)
        return JSONResponse(self._page(page, request))

    def _page(self, page: KeyPage, request: Request) -> dict[str, object]:
        reply: dict[str, object] = {"kind": "objectKeys", "objectKeys": page.entries}
        version, at_end = request.path_params["version"], {"blank": "", "null": None}
        ending = self._switches.value("A-12", request)
        if page.token or ending in at_end:
            reply[_TOKEN[version]] = page.token or at_end[ending]
        total = self._switches.value("A-13", request)
        if version == "v3" and total != "absent":
            reply["totalItems"] = page.total if total == "number" else str(page.total)
        return reply

    def _sign(self, method: str, key: str, request: Request) -> Response:
        version = request.path_params["version"]
        item = self._listing(request).visible(self.store.file(key))
        if method == "GET" and item is None:
            return self._error(404, f"No record exists for the key {key}", request)
        refusal = self._upload_refusal(key, request) if method == "PUT" else None
        if refusal is not None:
            return refusal
        reply = self._links.reply(method, key, item, request)
        if version == "v2":
            reply = self._choose_links(reply, request.query_params["keyType"], request)
            if self._on("A-14", "wrapped", request):
                return JSONResponse({"kind": "objectKeys", "objectKeys": [{"kind": "objectKey", **reply}]})
        else:
            del reply["keyType"]
        return JSONResponse(reply)

    def _upload_refusal(self, key: str, request: Request) -> Response | None:
        """Why a key cannot be uploaded to; `None` if it can."""
        if key.endswith("/"):
            return self._error(400, "The key is a folder", request)
        folder = self._listing(request).visible(self.store.get(key.rpartition("/")[0] + "/"))
        if folder is None:
            return self._error(404, "No record exists for the folder of the key", request)
        if not key.startswith("imports/") and self._on("A-18", "403", request):
            return self._error(403, "Files can be uploaded below imports/ only", request)
        return None

    def _choose_links(self, reply: dict[str, object], kind: str, request: Request) -> dict[str, object]:
        """A reply of v2 with some of its links blanked, as switch A-links says."""
        which = self._switches.value("A-links", request)
        pair = {name for name, method in _SIGNED.items() if method == _SIGNED[kind]}
        blank = {"both": set(), "asked": pair - {kind}, "other": {kind}}[which]
        return {name: "" if name in blank else value for name, value in reply.items()}

    def _delete(self, key: str, request: Request) -> Response:
        item = self._listing(request).visible(self.store.get(key))
        if key.endswith("/") and not self._on("A-16", "recursive", request):
            return self._error(400, "The key is a folder", request)
        if item is None:
            if not self._on("A-17", "success", request):
                return self._error(404, f"No record exists for the key {key}", request)
        elif item.is_folder:
            self.store.delete_below(key)
        else:
            self.store.delete(key)
        if request.path_params["version"] == "v2":
            return Response(status_code=204)
        return JSONResponse({"key": key, "keyHash": key_hash(key), "status": "Delete request succeeded"})

    def _listing(self, request: Request) -> KeyListing:
        return KeyListing(self.store, self._switches, request, request.path_params["version"])

    def _on(self, switch: str, value: str, request: Request) -> bool:
        return self._switches.value(switch, request) == value

    def _error(self, status: int, message: str, request: Request) -> Response:
        return envelope(status, message, self._switches, request)

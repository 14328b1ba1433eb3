"""The object store behind the links, on a port of its own: bytes out and in, for those whose link is good."""

import hashlib
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cloudstore_tui.sandbox.alvaria.links import PLACES, Links
from cloudstore_tui.sandbox.alvaria.store import Store
from cloudstore_tui.sandbox.blobs import refuse, serve
from cloudstore_tui.sandbox.faults import stored
from cloudstore_tui.sandbox.signing import Form, Refusal
from cloudstore_tui.sandbox.world import World

LARGEST_UPLOAD = 5 * 1024**3
"""Bytes that one request may store."""

METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS")

_NO_BUCKET = Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
_NO_KEY = Refusal(404, "NoSuchKey", "The specified key does not exist.")
_NO_METHOD = Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
_NO_HEAD = Refusal(403, "AccessDenied", "Access Denied")
_NO_LENGTH = Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
_TOO_LARGE = Refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
_INCOMPLETE = Refusal(400, "IncompleteBody", "The request body terminated unexpectedly")
_UNREACHABLE = Refusal(503, "ServiceUnavailable", "Please reduce your request rate.")


class ObjectStore:
    """Answers what comes to the host of the links."""

    def __init__(self, world: World, store: Store, links: Links) -> None:
        self._world = world
        self._store = store
        self._links = links

    async def answer(self, request: Request) -> Response:
        """GET with ranges, and PUT."""
        path = request.scope["path"]
        found = _place(path)
        if found is None:
            return refuse(_NO_BUCKET)
        form, prefix = found
        refusal = self._refusal(request, form, path)
        if refusal is not None:
            return refuse(refusal)
        key = self._links.key_of(path, prefix)
        if request.method == "PUT":
            return await self._receive(request, key)
        item = self._store.file(key)
        if item is None:
            return refuse(_NO_KEY)
        blob = self._store.blob(item)
        if self._world.faults.stored(stored.DAMAGED, (key,)) is not None:
            blob = stored.damaged(blob)
        # An archive is made when its first byte is read, which takes too long for the event loop.
        await run_in_threadpool(blob.read, 0, 1)
        proxied = not prefix.startswith("/native/")
        ranges = not proxied or self._world.switches.value("A-24", request) == "206"
        return serve(request, blob, ranges=ranges)

    def _refusal(self, request: Request, form: Form, path: str) -> Refusal | None:
        if request.method == "HEAD":
            return _NO_HEAD
        if request.method not in ("GET", "PUT"):
            return _NO_METHOD
        if path.startswith("/native/") and self._world.switches.value("A-23", request) == "no":
            return _UNREACHABLE
        return self._world.signer.check(form, request, path)

    async def _receive(self, request: Request, key: str) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit():
            return refuse(_NO_LENGTH)
        if int(length) > LARGEST_UPLOAD:
            return refuse(_TOO_LARGE)
        part = self._store.part(secrets.token_hex(16))
        md5 = hashlib.md5(usedforsecurity=False)
        try:
            with part.open("wb") as file:
                async for chunk in request.stream():
                    md5.update(chunk)
                    file.write(chunk)
        except ClientDisconnect:
            part.unlink()
            return refuse(_INCOMPLETE)
        self._store.put(key, part, md5.hexdigest(), self._world.clock())
        return Response(status_code=200, headers={"ETag": f'"{md5.hexdigest()}"'})


def _place(path: str) -> tuple[Form, str] | None:
    """Whose store a path names, and what comes before the key in it."""
    for form, *prefixes in PLACES.values():
        for prefix in prefixes:
            if path.startswith(prefix):
                return form, prefix
    return None

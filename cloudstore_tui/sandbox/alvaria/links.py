"""The signed links that the API issues, and the object store behind them, on another port."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from cloudstore_tui.sandbox.alvaria.data import KeyStore, StoredItem
from cloudstore_tui.sandbox.alvaria.listing import key_hash, moment, size_text
from cloudstore_tui.sandbox.blobs import AWS, GCS, Refusal, SignatureForm, refuse, serve
from cloudstore_tui.sandbox.faults import broken_answers
from cloudstore_tui.sandbox.world import World

# Links


BUCKET = "aspect-via-data-us-east-1-acme"
KMS_KEY = "08e98aa8-1c0a-4547-bf34-e6f6aa11d16a"
ENCRYPTION = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY}
"""Headers that an upload to AWS requires."""

PLACES: Mapping[str, tuple[SignatureForm, str, str]] = {
    "aws": (AWS, f"/s3/{BUCKET}.s3.amazonaws.com/", f"/native/{BUCKET}.s3.amazonaws.com/"),
    "gcp": (GCS, f"/gcs/storage.googleapis.com/{BUCKET}/", f"/native/storage.googleapis.com/{BUCKET}/"),
}
"""For each cloud, the form of its links, and the path prefixes of proxied and native ones."""

_FIELDS = {"GET": ("signedDownloadUrl", "nativeSignedDownloadUrl"), "PUT": ("signedUploadUrl", "nativeSignedUploadUrl")}


class LinkMaker:
    """Makes links, and remembers the keys of those whose path does not show it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys_by_path: dict[str, str] = {}

    def reply(self, method: str, key: str, item: StoredItem | None, request: Request) -> dict[str, Any]:
        """The reply with both links to download (`GET`) or upload (`PUT`) a file."""
        reply: dict[str, Any] = {"key": key, "keyHash": key_hash(key), "keyName": key.rsplit("/", 1)[-1]}
        if method == "GET" and item:
            size = size_text(item.size, self._world.switches.value("A-15", request))
            reply |= {
                "size": size,
                "lastModifiedTime": moment(item.modified),
                "keyType": "File ",
                "signedUploadUrl": " ",
            }
        else:
            reply |= {"size": "", "lastModifiedDate": "", "keyType": "File", "signedDownloadUrl": ""}
        return reply | dict(zip(_FIELDS[method], self._pair(method, key, request), strict=True))

    def key_of(self, path: str, prefix: str) -> str:
        """The key of a link's path."""
        return self._keys_by_path.get(path, path.removeprefix(prefix))

    def _pair(self, method: str, key: str, request: Request) -> tuple[str, str]:
        form, proxied, native = PLACES[self._world.switches.value("A-cloud", request)]
        return self._link(form, method, proxied, key, request), self._link(form, method, native, key, request)

    def _link(self, form: SignatureForm, method: str, prefix: str, key: str, request: Request) -> str:
        damage = self._world.switches.value("A-link", request)
        path = prefix + key
        if damage == "other folder":
            path = f"{prefix}data/{key.rsplit('/', 1)[-1]}"
            self._keys_by_path[path] = key
        elif damage == "other key":
            path += ".bak"
        encrypted = method == "PUT" and form is AWS
        query = self._world.signer.sign(
            *(form, method, path, float(self._world.switches.value("A-22", request))),
            headers=ENCRYPTION if encrypted else {},
            extra={"kms-key": KMS_KEY, "x-amz-storage-class": "STANDARD_IA"} if encrypted else {},
        )
        link = f"{self._world.blob_url}{quote(path)}?{query}"
        if damage == "empty":
            return " "
        if damage == "other host":
            return f"https://files.example.com{quote(path)}?{query}"
        return link.replace("X-Amz-Secur", "X-Amz-Secur ") if damage == "blank" else link


# The object store, which serves and receives bytes for valid links


LARGEST_UPLOAD = 5 * 1024**3
"""Bytes of one upload."""

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
    """Answers requests to the host of the links."""

    def __init__(self, world: World, store: KeyStore, links: LinkMaker) -> None:
        self._world = world
        self._store = store
        self._links = links

    async def answer(self, request: Request) -> Response:
        """GET with ranges, and PUT."""
        path = request.scope["path"]
        found = _parse_path(path)
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
        if self._world.faults.stored(broken_answers.DAMAGED, (key,)) is not None:
            blob = broken_answers.damaged(blob)
        # The first read of an archive creates it, which takes too long for the event loop.
        await run_in_threadpool(blob.read, 0, 1)
        proxied = not prefix.startswith("/native/")
        ranges = not proxied or self._world.switches.value("A-24", request) == "206"
        return serve(request, blob, ranges=ranges)

    def _refusal(self, request: Request, form: SignatureForm, path: str) -> Refusal | None:
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


def _parse_path(path: str) -> tuple[SignatureForm, str] | None:
    """The form of links for a path, and the prefix before the key."""
    for form, *prefixes in PLACES.values():
        for prefix in prefixes:
            if path.startswith(prefix):
                return form, prefix
    return None

"""Signed links as the API gives them out."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from cloudstore_tui.sandbox.alvaria.store import Item
from cloudstore_tui.sandbox.alvaria.wire import key_hash, moment, size_text
from cloudstore_tui.sandbox.signing import AWS, GCS, Form
from cloudstore_tui.sandbox.world import World

BUCKET = "aspect-via-data-us-east-1-acme"
KMS_KEY = "08e98aa8-1c0a-4547-bf34-e6f6aa11d16a"
ENCRYPTION = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY,
}
"""Headers that an upload to AWS has to send."""

PLACES: Mapping[str, tuple[Form, str, str]] = {
    "aws": (AWS, f"/s3/{BUCKET}.s3.amazonaws.com/", f"/native/{BUCKET}.s3.amazonaws.com/"),
    "gcp": (GCS, f"/gcs/storage.googleapis.com/{BUCKET}/", f"/native/storage.googleapis.com/{BUCKET}/"),
}
"""For each cloud: how its links look, and what the paths of proxied and of native ones begin with."""

_FIELDS = {"GET": ("signedDownloadUrl", "nativeSignedDownloadUrl"), "PUT": ("signedUploadUrl", "nativeSignedUploadUrl")}


class Links:
    """Makes links, and knows the keys of those whose path does not tell."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._elsewhere: dict[str, str] = {}

    def reply(self, method: str, key: str, item: Item | None, request: Request) -> dict[str, Any]:
        """The reply with both links to fetch (`GET`) or to store (`PUT`) a file."""
        shown: dict[str, Any] = {"key": key, "keyHash": key_hash(key), "keyName": key.rsplit("/", 1)[-1]}
        if method == "GET" and item:
            size = size_text(item.size, self._world.switches.value("A-15", request))
            shown |= {
                "size": size,
                "lastModifiedTime": moment(item.modified),
                "keyType": "File ",
                "signedUploadUrl": " ",
            }
        else:
            shown |= {"size": "", "lastModifiedDate": "", "keyType": "File", "signedDownloadUrl": ""}
        return shown | dict(zip(_FIELDS[method], self._pair(method, key, request), strict=True))

    def key_of(self, path: str, prefix: str) -> str:
        """The key that a path leads to."""
        return self._elsewhere.get(path, path.removeprefix(prefix))

    def _pair(self, method: str, key: str, request: Request) -> tuple[str, str]:
        form, proxied, native = PLACES[self._world.switches.value("A-cloud", request)]
        return self._link(form, method, proxied, key, request), self._link(form, method, native, key, request)

    def _link(self, form: Form, method: str, prefix: str, key: str, request: Request) -> str:
        damage = self._world.switches.value("A-link", request)
        path = prefix + key
        if damage == "other folder":
            path = f"{prefix}data/{key.rsplit('/', 1)[-1]}"
            self._elsewhere[path] = key
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

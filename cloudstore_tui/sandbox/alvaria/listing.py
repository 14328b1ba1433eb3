"""`GET objectKeys` of both versions: pages of entries, and the JSON of entries and errors."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloudstore_tui.sandbox.alvaria.data import V3_ONLY, KeySpan, KeyStore, StoredItem
from cloudstore_tui.sandbox.world import Switches

# Entries and errors as JSON


_TITLES = {
    400: ("Bad request", "Invalid request"),
    403: ("Forbidden", "Access denied"),
    404: ("Not found", "No record"),
    405: ("Method not allowed", "Method not allowed"),
    429: ("Too many requests", "Throttled"),
    500: ("Internal server error", "Backend error"),
}


def envelope(status: int, message: str, switches: Switches, request: Request) -> Response:
    """An error in the format of the service."""
    title, reason = _TITLES[status]
    code: str | int = status if switches.value("A-26", request) == "number" else str(status)
    error = {"scope": "global", "reason": reason, "message": message}
    return JSONResponse({"error": {"code": code, "message": title, "errors": [error]}}, status)


def key_hash(key: str) -> str:
    """The service's opaque hash of a key."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def entry(item: StoredItem, size_form: str) -> dict[str, Any]:
    printed: dict[str, Any] = {
        "kind": "objectKey",
        "key": item.key,
        "keyName": item.key.rstrip("/").rsplit("/", 1)[-1],
        "size": "" if item.is_folder else size_text(item.size, size_form),
        "lastModifiedTime": moment(item.modified, milliseconds=len(item.key) % 2 == 0),
        "keyType": "directory" if item.is_folder else "file",
    }
    if not item.is_folder:
        printed["keyHash"] = key_hash(item.key)
    if item.oddity:
        ODDITIES[item.oddity](printed)
    return printed


def size_text(size: int, form: str) -> str:
    """A size in units of 1,024 bytes with one decimal."""
    return "" if form == "blank" else f"{size / 1024:.1f} {form}"


def moment(seconds: float, *, milliseconds: bool = True) -> str:
    """A time in ISO 8601."""
    printed = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{printed}.{int(seconds % 1 * 1000):03d}Z" if milliseconds else f"{printed}Z"


def _date_instead(printed: dict[str, Any]) -> None:
    printed["lastModifiedDate"] = printed.pop("lastModifiedTime")


def _blank_date(printed: dict[str, Any]) -> None:
    del printed["lastModifiedTime"]
    printed["lastModifiedDate"] = ""


def _no_type(printed: dict[str, Any]) -> None:
    del printed["keyType"], printed["kind"]


def _links(printed: dict[str, Any]) -> None:
    """Links that were not requested, lead to another object, and have long expired."""
    path = "pvd-common.s3.amazonaws.com/cxp/cork/Audio/Messages/hours.wav?X-Amz-Expires=518399&X-Amz-Signature=72120a45"
    printed["signedDownloadUrl"] = f"https://test.via.aspect-cloud.net/s3/{path}"
    printed["nativeSignedDownloadUrl"] = f"https://{path}"
    printed["signedUploadUrl"] = printed["nativeSignedUploadUrl"] = " "


ODDITIES: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "blank size": lambda printed: printed.update(size=""),
    "type with a blank": lambda printed: printed.update(keyType="File "),
    "date": _date_instead,
    "blank date": _blank_date,
    "empty child": lambda printed: printed.update(childObjectKeys=[{}]),
    "no type": _no_type,
    "links": _links,
}
"""Peculiarities of entries, all of which occur in the vendor's samples."""


# Page tokens


_TOKEN_SUFFIX = "+/%="
"""Ends every token of v2, so that a client that does not encode tokens fails."""


def token_of(key: str, version: str, *, quoted: bool = False) -> str:
    """The token for the page after `key`: plain Base64 in v3, different every time in v2."""
    data = key.encode()
    if version == "v3":
        return base64.b64encode(data).decode()
    nonce = secrets.token_bytes(4)
    token = base64.b64encode(nonce + _checksum(data) + _mask(nonce, data)).decode() + _TOKEN_SUFFIX
    return quote(token, safe="") if quoted else token


def key_of(token: str, version: str) -> str | None:
    """The key in a token; `None` if the token was never issued."""
    try:
        if version == "v3":
            return base64.b64decode(token, validate=True).decode()
        if not token.endswith(_TOKEN_SUFFIX):
            return None
        data = base64.b64decode(token.removesuffix(_TOKEN_SUFFIX), validate=True)
        key = _mask(data[:4], data[8:])
        return key.decode() if _checksum(key) == data[4:8] else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mask(nonce: bytes, data: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, Random(nonce).randbytes(len(data)), strict=True))


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=4).digest()


# The listing


MAX_RESULTS = 1000
"""Entries of a page, however many are requested."""


class KeyPage(msgspec.Struct, frozen=True):
    """One page of entries."""

    entries: list[dict[str, Any]]
    token: str
    """For the next page; empty at the end."""
    total: int
    """Number of entries on all pages."""


class BadToken(Exception):  # noqa: N818 - an answer to the client, no failure of the sandbox
    """The page token was never issued for this listing."""


class KeyListing(msgspec.Struct, frozen=True):
    """The listing for one request."""

    store: KeyStore
    switches: Switches
    request: Request
    version: str

    def visible(self, item: StoredItem | None) -> StoredItem | None:
        """An item, unless the version of the request does not know it."""
        return item if item and (self._v3 or not item.key.startswith(V3_ONLY)) else None

    def page(self, key: str, kind: str, limit: int, token: str) -> KeyPage | None:
        """One page for a key and a key type, in the order of UTF-8 bytes; `None` if there is no such key.

        Raises:
            BadToken: the token is invalid for this listing.
        """
        if kind == "directory":
            return self._tree(key, token)
        file = self.visible(self.store.file(key))
        if file:
            return KeyPage([self._entry(file)], "", 1)
        span = self._span(key, kind)
        if span is None:
            return None
        after = ""
        if token:
            found = key_of(token, self.version)
            if found is None or not found.startswith(span.start):
                raise BadToken
            after = found
        requested = self._requested_folder(key, kind)
        first = [requested] if requested and not after else []
        page = self._page_of_span(span, after, limit - len(first), token)
        if not page.total and not after and self._on("A-7", "404"):
            return None
        entries = [self._entry(item) for item in first] + page.entries
        return msgspec.structs.replace(page, entries=entries, total=page.total + bool(requested))

    def _page_of_span(self, span: KeySpan, after: str, limit: int, token: str) -> KeyPage:
        inclusive = bool(after) and self._on("A-11", "inclusive")
        # A page that repeats the last entry of the one before needs a second entry to make progress.
        limit = max(limit, 2) if inclusive else limit
        # The children of a folder come after the folder itself.
        start = after or (span.start if span.level == span.start else "")
        items = self.store.page(span, start, limit + 1, inclusive=inclusive)
        printed = items[:limit]
        last = printed[-1].key if printed else after or span.start
        following = token_of(last, self.version, quoted=self._on("A-11", "quoted"))
        ending = self.switches.value("A-end", self.request)
        if ending == "no":
            following = token or following
        elif ending == "yes" and len(items) <= limit:
            following = ""
        return KeyPage([self._entry(item) for item in printed], following, self.store.count(span))

    def _span(self, key: str, kind: str) -> KeySpan | None:
        """The keys of a listing; `None` if there are none."""
        item = self.visible(self.store.get(key))
        folders = kind == "file:directory"
        if not item and (key.endswith("/") or not self._on("A-6", "prefix")):
            return None
        level = key if key.endswith("/") else key.rpartition("/")[0] + "/"
        span = KeySpan(key, level if folders else None, folders=folders, v3=self._v3)
        return span if item or self.store.count(span) else None

    def _requested_folder(self, key: str, kind: str) -> StoredItem | None:
        """The requested folder, where it is listed among its children."""
        if kind != "file:directory" or not key.endswith("/") or not self._on("A-9", "yes"):
            return None
        return self.store.get(key)

    def _tree(self, key: str, token: str) -> KeyPage | None:
        """A folder with all folders below it, nested; never paged."""
        if token:
            raise BadToken
        if not key.endswith("/") and not self._on("A-6", "prefix"):
            return None
        folders = self.store.page(KeySpan(key, files=False, folders=True, v3=self._v3), "", 100_000)
        nodes = {item.key: self._entry(item) for item in folders}
        roots: list[dict[str, Any]] = []
        for folder, node in nodes.items():
            parent = nodes.get(folder.rstrip("/").rpartition("/")[0] + "/")
            (roots if parent is None else parent.setdefault("childObjectKeys", [])).append(node)
        for node in nodes.values():
            # As in the vendor's samples, a folder without folders contains an empty entry.
            node.setdefault("childObjectKeys", [{}])
        return KeyPage(roots, "", len(nodes)) if roots else None

    def _entry(self, item: StoredItem) -> dict[str, Any]:
        return entry(item, self.switches.value("A-15", self.request))

    @property
    def _v3(self) -> bool:
        return self.version == "v3" or self._on("A-21", "visible")

    def _on(self, switch: str, value: str) -> bool:
        return self.switches.value(switch, self.request) == value

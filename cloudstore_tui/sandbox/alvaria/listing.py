"""`GET objectKeys` of both versions: which entries, page by page, and how entries and errors are printed."""

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

# Entries and errors as the service prints them


_TITLES = {
    400: ("Bad request", "Invalid request"),
    403: ("Forbidden", "Access denied"),
    404: ("Not found", "No record"),
    405: ("Method not allowed", "Method not allowed"),
    429: ("Too many requests", "Throttled"),
    500: ("Internal server error", "Backend error"),
}


def envelope(status: int, message: str, switches: Switches, request: Request) -> Response:
    """An error in the service's own form."""
    title, reason = _TITLES[status]
    code: str | int = status if switches.value("A-26", request) == "number" else str(status)
    error = {"scope": "global", "reason": reason, "message": message}
    return JSONResponse({"error": {"code": code, "message": title, "errors": [error]}}, status)


def key_hash(key: str) -> str:
    """The service's opaque hash of a key."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def entry(item: StoredItem, size_form: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": "objectKey",
        "key": item.key,
        "keyName": item.key.rstrip("/").rsplit("/", 1)[-1],
        "size": "" if item.is_folder else size_text(item.size, size_form),
        "lastModifiedTime": moment(item.modified, thousandths=len(item.key) % 2 == 0),
        "keyType": "directory" if item.is_folder else "file",
    }
    if not item.is_folder:
        shown["keyHash"] = key_hash(item.key)
    if item.oddity:
        ODDITIES[item.oddity](shown)
    return shown


def size_text(size: int, form: str) -> str:
    """A size as the service rounds it: kilobytes of 1,024 with one digit."""
    return "" if form == "blank" else f"{size / 1024:.1f} {form}"


def moment(seconds: float, *, thousandths: bool = True) -> str:
    """A time as the service prints it."""
    shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{shown}.{int(seconds % 1 * 1000):03d}Z" if thousandths else f"{shown}Z"


def _date_instead(shown: dict[str, Any]) -> None:
    shown["lastModifiedDate"] = shown.pop("lastModifiedTime")


def _blank_date(shown: dict[str, Any]) -> None:
    del shown["lastModifiedTime"]
    shown["lastModifiedDate"] = ""


def _no_type(shown: dict[str, Any]) -> None:
    del shown["keyType"], shown["kind"]


def _links(shown: dict[str, Any]) -> None:
    """Links that nobody asked for, to another object, long expired."""
    path = "pvd-common.s3.amazonaws.com/cxp/cork/Audio/Messages/hours.wav?X-Amz-Expires=518399&X-Amz-Signature=72120a45"
    shown["signedDownloadUrl"] = f"https://test.via.aspect-cloud.net/s3/{path}"
    shown["nativeSignedDownloadUrl"] = f"https://{path}"
    shown["signedUploadUrl"] = shown["nativeSignedUploadUrl"] = " "


ODDITIES: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "blank size": lambda shown: shown.update(size=""),
    "type with a blank": lambda shown: shown.update(keyType="File "),
    "date": _date_instead,
    "blank date": _blank_date,
    "empty child": lambda shown: shown.update(childObjectKeys=[{}]),
    "no type": _no_type,
    "links": _links,
}
"""What makes an entry odd; all of it is in the vendor's samples."""


# Tokens that say where the next page starts


_TAIL = "+/%="
"""Ends every token of v2, so that a client which does not encode tokens is found out."""


def token_of(key: str, version: str, *, quoted: bool = False) -> str:
    """The token for the page after `key`: readable in v3, and never twice the same in v2."""
    data = key.encode()
    if version == "v3":
        return base64.b64encode(data).decode()
    nonce = secrets.token_bytes(4)
    token = base64.b64encode(nonce + _sum(data) + _mask(nonce, data)).decode() + _TAIL
    return quote(token, safe="") if quoted else token


def key_of(token: str, version: str) -> str | None:
    """The key of a token; `None` if it was never issued."""
    try:
        if version == "v3":
            return base64.b64decode(token, validate=True).decode()
        if not token.endswith(_TAIL):
            return None
        data = base64.b64decode(token.removesuffix(_TAIL), validate=True)
        key = _mask(data[:4], data[8:])
        return key.decode() if _sum(key) == data[4:8] else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mask(nonce: bytes, data: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, Random(nonce).randbytes(len(data)), strict=True))


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=4).digest()


# The listing


MAX_RESULTS = 1000
"""Entries of a page, whatever was asked for."""


class KeyPage(msgspec.Struct, frozen=True):
    """Some entries as the service prints them."""

    entries: list[dict[str, Any]]
    token: str
    """Where the next page starts; empty at the end."""
    total: int
    """Entries of all pages."""


class BadToken(Exception):  # noqa: N818 - an answer to the client, no failure of the sandbox
    """A page token that was never issued."""


class KeyListing(msgspec.Struct, frozen=True):
    """What one request may see, and in which form."""

    store: KeyStore
    switches: Switches
    request: Request
    version: str

    def visible(self, item: StoredItem | None) -> StoredItem | None:
        """An item, unless the version of the request does not know it."""
        return item if item and (self._v3 or not item.key.startswith(V3_ONLY)) else None

    def page(self, key: str, kind: str, most: int, token: str) -> KeyPage | None:
        """One page for a key and a key type, in the order of UTF-8 bytes; `None` where there is nothing.

        Raises:
            BadToken: the token is not one for such a page.
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
        own = self._own(key, kind)
        first = [own] if own and not after else []
        page = self._level(span, after, most - len(first), token)
        if not page.total and not after and self._on("A-7", "404"):
            return None
        entries = [self._entry(item) for item in first] + page.entries
        return msgspec.structs.replace(page, entries=entries, total=page.total + bool(own))

    def _level(self, span: KeySpan, after: str, most: int, token: str) -> KeyPage:
        inclusive = bool(after) and self._on("A-11", "inclusive")
        # Of a page that starts with an entry told before, one entry alone would never get on.
        most = max(most, 2) if inclusive else most
        # What is right in a folder comes after the folder itself.
        start = after or (span.start if span.level == span.start else "")
        items = self.store.page(span, start, most + 1, inclusive=inclusive)
        shown = items[:most]
        last = shown[-1].key if shown else after or span.start
        following = token_of(last, self.version, quoted=self._on("A-11", "quoted"))
        ending = self.switches.value("A-end", self.request)
        if ending == "no":
            following = token or following
        elif ending == "yes" and len(items) <= most:
            following = ""
        return KeyPage([self._entry(item) for item in shown], following, self.store.count(span))

    def _span(self, key: str, kind: str) -> KeySpan | None:
        """What a listing is about; `None` where there is nothing."""
        item = self.visible(self.store.get(key))
        folders = kind == "file:directory"
        if not item and (key.endswith("/") or not self._on("A-6", "prefix")):
            return None
        level = key if key.endswith("/") else key.rpartition("/")[0] + "/"
        span = KeySpan(key, level if folders else None, folders=folders, v3=self._v3)
        return span if item or self.store.count(span) else None

    def _own(self, key: str, kind: str) -> StoredItem | None:
        """The folder itself, where it is named among what is in it."""
        if kind != "file:directory" or not key.endswith("/") or not self._on("A-9", "yes"):
            return None
        return self.store.get(key)

    def _tree(self, key: str, token: str) -> KeyPage | None:
        """A folder with all folders below it, each inside its parent; never in pages."""
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
            # The vendor's samples show an empty entry inside a folder without folders.
            node.setdefault("childObjectKeys", [{}])
        return KeyPage(roots, "", len(nodes)) if roots else None

    def _entry(self, item: StoredItem) -> dict[str, Any]:
        return entry(item, self.switches.value("A-15", self.request))

    @property
    def _v3(self) -> bool:
        return self.version == "v3" or self._on("A-21", "visible")

    def _on(self, switch: str, value: str) -> bool:
        return self.switches.value(switch, self.request) == value

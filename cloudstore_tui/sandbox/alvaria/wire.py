"""Entries and errors as the service prints them."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloudstore_tui.sandbox.alvaria.store import Item
from cloudstore_tui.sandbox.switches import Switches

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


def entry(item: Item, size_form: str) -> dict[str, Any]:
    """One entry of a listing."""
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

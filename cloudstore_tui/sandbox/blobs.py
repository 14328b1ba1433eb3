"""Bytes over HTTP as the object stores serve them: ranges, validators, XML errors."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cloudstore_tui.sandbox.signing import Refusal

CHUNK = 256 * 1024
"""Bytes sent at once: enough that the sandbox is not what limits a transfer."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_FAILED_CONDITION = Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes that can be read in pieces."""

    size: int
    etag: str
    """Strong, without the quotes."""
    modified: float
    mime: str
    read: Callable[[int, int], bytes]
    """The bytes from a start to an end."""


def blob_of(data: bytes, modified: float, mime: str) -> Blob:
    """A blob that is in memory."""
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Blob(len(data), etag, modified, mime, lambda start, end: data[start:end])


def refuse(refusal: Refusal) -> Response:
    """The XML answer of a store that does not serve a request."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        "<RequestId>SANDBOX</RequestId></Error>"
    )
    return Response(body, refusal.status, media_type="application/xml")


def serve(request: Request, blob: Blob, *, ranges: bool = True) -> Response:
    """A blob, or the part of it that the request asks for."""
    headers = {
        "ETag": f'"{blob.etag}"',
        "Last-Modified": formatdate(blob.modified, usegmt=True),
        "Content-Type": blob.mime,
    }
    if ranges:
        headers["Accept-Ranges"] = "bytes"
    if not _names(request.headers.get("if-match", "*"), blob):
        return refuse(_FAILED_CONDITION)
    if _names(request.headers.get("if-none-match", ""), blob):
        return Response(status_code=304, headers=headers)
    part = _part(request, blob) if ranges else None
    if part is None:
        return BlobResponse(blob, 0, blob.size, 200, headers)
    start, end = part
    if start >= end:
        answer = refuse(Refusal(416, "InvalidRange", "The requested range is not satisfiable"))
        answer.headers["Content-Range"] = f"bytes */{blob.size}"
        return answer
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
    return BlobResponse(blob, start, end, 206, headers)


def _names(tags: str, blob: Blob) -> bool:
    """Whether a list of entity tags names the blob; a weak tag names no bytes."""
    return any(tag.strip() in ("*", f'"{blob.etag}"') for tag in tags.split(","))


def _part(request: Request, blob: Blob) -> tuple[int, int] | None:
    """Start and end of the one range asked for; `None` for everything, which is also the answer to what is no range."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if not asked or not _names(request.headers.get("if-range", "*"), blob):
        return None
    first, last = asked.groups()
    if not first:
        return (max(blob.size - int(last), 0), blob.size) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, blob.size) if last else blob.size


class BlobResponse(Response):
    """Sends a part of a blob piece by piece, as fast as it is taken; stops when nobody takes it any more."""

    def __init__(self, blob: Blob, start: int, end: int, status: int, headers: dict[str, str]) -> None:
        super().__init__(None, status, headers | {"Content-Length": str(end - start)})
        self._blob = blob
        self._start = start
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's own form
        """Answer one request."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.ensure_future(_gone(receive))
        try:
            for piece in self._pieces():
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                # A fast taker would otherwise keep the loop from everybody else.
                await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    def _pieces(self) -> Iterator[bytes]:
        for position in range(self._start, self._end, CHUNK):
            yield self._blob.read(position, min(position + CHUNK, self._end))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""Faults of what is answered: bodies, ranges, refusals, uploads, and stored bytes that do not fit their checksum."""

import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.client import responses
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.blobs import StoredBlob
from cloudstore_tui.sandbox.faults.broken_transport import HALF
from cloudstore_tui.sandbox.faults.exchange import (
    CONDITIONS,
    HTML,
    KINDS,
    FaultKind,
    FaultyExchange,
    RequestFacts,
    fault,
    flipped,
    length_of,
    offset_in,
)

# Bodies


_DEEP = 100_000
_DIGITS = 5_000

ODD = {
    "bom": b'\xef\xbb\xbf{"content": []}',
    "utf-8": b'{"content": "\xff\xfe"}',
    "deep": b"[" * _DEEP + b"]" * _DEEP,
    "digits": b'{"content": ' + b"9" * _DIGITS + b"}",
    "nan": b'{"content": NaN}',
    "null": b"null",
    "list": b"[[]]",
    "text": b'"ok"',
    "fault": b'{"fault": {"faultstring": "Unexpected", "detail": {"errorcode": "messaging.adaptors.http.flow"}}}',
}
"""JSON replies that no client expects, by the name of what is wrong."""

_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error. Please try again.</Message></Error>"
)
_JSON = {"Content-Type": "application/json"}


@fault("flip", HALF, fits=RequestFacts.fetches, mixes=RequestFacts.checked, once_per_object=True)
async def flip(exchange: FaultyExchange) -> None:
    """One byte changed at an offset in the object, if the answer has it."""
    position = offset = 0

    def located(_headers: MutableHeaders, message: Message) -> None:
        nonlocal position, offset
        position, size = _extent(message)
        offset = exchange.offset(size)
        if message["status"] >= 300 or not position <= offset < position + (length_of(message) or 0):
            offset = -1
            exchange.miss()

    def changed(body: bytes, _more: bool) -> bytes:
        nonlocal position
        start, position = position, position + len(body)
        return _flip_in(body, offset - start)

    await exchange.changed(located, changed)


@fault("html", mixes=RequestFacts.linked, once_per_object=True)
async def html(exchange: FaultyExchange) -> None:
    """200 and a page."""
    await exchange.reply(200, HTML, {"Content-Type": "text/html; charset=utf-8"})


@fault("xml-error", mixes=RequestFacts.linked, once_per_object=True)
async def xml_error(exchange: FaultyExchange) -> None:
    """200 and an error of the store."""
    await exchange.reply(200, _XML, {"Content-Type": "application/xml"})


@fault("empty", mixes=RequestFacts.linked, once_per_object=True)
async def empty(exchange: FaultyExchange) -> None:
    """200 and nothing."""
    await exchange.reply(200, b"", _JSON if exchange.request.talks() else {"Content-Type": "binary/octet-stream"})


@fault("cut-json", HALF, fits=RequestFacts.talks)
async def cut_json(exchange: FaultyExchange) -> None:
    """The beginning of a reply, with a length that fits."""
    start, body = await exchange.buffered_answer()
    part = body[: exchange.offset(len(body))]
    if part == body:
        exchange.miss()
    await exchange.reply(start["status"], part, _JSON)


@fault("odd-json", {"form": "null"}, fits=RequestFacts.talks, text=f"JSON that nobody expects: {' '.join(ODD)}")
async def odd_json(exchange: FaultyExchange) -> None:
    """JSON that nobody expects."""
    form = exchange.text("form")
    if form not in ODD:
        raise UsageError("no such form", subject=f"form={form}", hint=f"Known: {', '.join(ODD)}.")
    await exchange.reply(200, ODD[form], _JSON)


@fault("field", {"name": "expires_in", "value": "abc"}, fits=RequestFacts.talks)
async def field(exchange: FaultyExchange) -> None:
    """One field of a reply with another value, or without it when the value is empty."""
    start, body = await exchange.buffered_answer()
    try:
        reply = json.loads(body)
    except ValueError:
        reply = None
    if not isinstance(reply, dict) or start["status"] != 200:
        exchange.miss()
    else:
        reply.pop(exchange.text("name"), None)
        if text := exchange.text("value"):
            reply[exchange.text("name")] = _parse_value(text)
        body = json.dumps(reply).encode()
    await exchange.reply(start["status"], body, _JSON)


def _parse_value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _extent(start: Message) -> tuple[int, int]:
    """The offset of an answer's body in the object, and the size of the object."""
    content_range = MutableHeaders(raw=start["headers"]).get("content-range", "")
    if start["status"] != 206 or not content_range.startswith("bytes "):
        return 0, length_of(start) or 0
    span, _, total = content_range.removeprefix("bytes ").partition("/")
    return int(span.partition("-")[0]), int(total)


# Ranges and validators


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_OTHER_ETAG = '"5a4db0c0ffee5a4db0c0ffee5a4db0c0"'
_BOUNDARY = "SANDBOX_PART"

_Tag = Callable[[str], str]
_MakeRange = Callable[[int, int, int], str]


@fault("wrong-start", {"by": 1}, fits=RequestFacts.ranged, mixes=RequestFacts.ranged, once_per_object=True)
async def wrong_start(exchange: FaultyExchange) -> None:
    """206 that says that it begins elsewhere."""
    by = exchange.number("by")
    await _change_content_range(exchange, lambda start, end, total: f"bytes {start + by}-{end}/{total}")


@fault("wrong-total", {"by": "1"}, fits=RequestFacts.ranged, mixes=RequestFacts.ranged, once_per_object=True)
async def wrong_total(exchange: FaultyExchange) -> None:
    """206 of another size, or of `*`."""
    by = exchange.text("by")

    def content_range(start: int, end: int, total: int) -> str:
        return f"bytes {start}-{end}/{by if by == '*' else total + int(by)}"

    await _change_content_range(exchange, content_range)


@fault("no-content-range", fits=RequestFacts.ranged, mixes=RequestFacts.ranged, once_per_object=True)
async def no_content_range(exchange: FaultyExchange) -> None:
    """206 without Content-Range."""
    await _change_content_range(exchange, lambda *_: "")


@fault("whole", fits=RequestFacts.ranged, mixes=RequestFacts.ranged)
async def whole(exchange: FaultyExchange) -> None:
    """200 although a part was asked for."""
    await exchange.run(without=("range",))


@fault("multipart", fits=RequestFacts.ranged, mixes=RequestFacts.ranged, once_per_object=True)
async def multipart(exchange: FaultyExchange) -> None:
    """206 in an envelope for several parts."""
    end = f"\r\n--{_BOUNDARY}--\r\n".encode()
    begin = after = b""

    def headed(_headers: MutableHeaders, message: Message) -> None:
        nonlocal begin, after
        if message["status"] == 206:
            begin, after = _wrap_headers(message, len(end)), end
        else:
            exchange.miss()

    def wrapped(body: bytes, more: bool) -> bytes:
        nonlocal begin
        piece, begin = begin + body, b""
        return piece if more else piece + after

    await exchange.changed(headed, wrapped)


def _wrap_headers(start: Message, after: int) -> bytes:
    """Turn the headers into those of a multipart body; what precedes the part in it."""
    headers = MutableHeaders(raw=start["headers"])
    inner = f"Content-Type: {headers['content-type']}\r\nContent-Range: {headers['content-range']}"
    begin = f"--{_BOUNDARY}\r\n{inner}\r\n\r\n".encode()
    length = length_of(start) or 0
    del headers["content-range"]
    headers["content-type"] = f"multipart/byteranges; boundary={_BOUNDARY}"
    headers["content-length"] = str(length + len(begin) + after)
    return begin


@fault("etag-changed", fits=RequestFacts.fetches, mixes=RequestFacts.ranged, once_per_object=True)
async def etag_changed(exchange: FaultyExchange) -> None:
    """The ETag of another object of the same size, whatever the condition was."""
    await _change_etag(exchange, lambda _tag: _OTHER_ETAG, without=CONDITIONS)


@fault("weak-etag", fits=RequestFacts.fetches, mixes=RequestFacts.fetches)
async def weak_etag(exchange: FaultyExchange) -> None:
    """A weak ETag."""
    await _change_etag(exchange, lambda tag: f"W/{tag}")


@fault("no-etag", fits=RequestFacts.fetches, mixes=RequestFacts.fetches)
async def no_etag(exchange: FaultyExchange) -> None:
    """No ETag."""
    await _change_etag(exchange, lambda _tag: "")


@fault("unsatisfiable", {"total": "right"}, fits=RequestFacts.ranged)
async def unsatisfiable(exchange: FaultyExchange) -> None:
    """416; its size is right, * or N."""
    total = exchange.text("total")
    if total == "right":
        total = await _total(exchange)
    await _refuse(exchange, 416, {"Content-Range": f"bytes */{total}"})


async def _total(exchange: FaultyExchange) -> str:
    """The size of the object; `*` if it has none."""
    start, _ = await exchange.buffered_answer((b"range", b"bytes=0-0"))
    return MutableHeaders(raw=start["headers"]).get("content-range", "bytes */*").rpartition("/")[2]


@fault("precondition", fits=RequestFacts.conditional, mixes=RequestFacts.conditional, once_per_object=True)
async def precondition(exchange: FaultyExchange) -> None:
    """412."""
    await _refuse(exchange, 412)


@fault("headers-not-signed", fits=RequestFacts.conditional, mixes=RequestFacts.conditional, once_per_object=True)
async def headers_not_signed(exchange: FaultyExchange) -> None:
    """403 for a condition."""
    named = ", ".join(name for name in CONDITIONS if name in exchange.request.headers)
    text = "There were headers present in the request which were not signed"
    await _refuse_as_store(exchange, 403, "AccessDenied", text, f"<HeadersNotSigned>{named}</HeadersNotSigned>")


async def _change_etag(exchange: FaultyExchange, tag: _Tag, without: tuple[str, ...] = ()) -> None:
    def change(headers: MutableHeaders, _message: Message) -> None:
        original = headers.get("etag")
        if original is None:
            exchange.miss()
            return
        del headers["etag"]
        if changed := tag(original):
            headers["etag"] = changed

    await exchange.changed(change, without=without)


async def _change_content_range(exchange: FaultyExchange, make_range: _MakeRange) -> None:
    def change(headers: MutableHeaders, message: Message) -> None:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if message["status"] != 206 or found is None:
            exchange.miss()
            return
        del headers["content-range"]
        start, end, total = (int(number) for number in found.groups())
        if text := make_range(start, end, total):
            headers["content-range"] = text

    await exchange.changed(change)


# Other answers: refusals, failures, redirects


_CODES = {
    400: "InvalidRequest",
    401: "Unauthorized",
    403: "AccessDenied",
    404: "NoSuchKey",
    410: "NoSuchKey",
    412: "PreconditionFailed",
    416: "InvalidRange",
    429: "SlowDown",
    500: "InternalError",
    503: "SlowDown",
}


@fault("status", {"status": 500})
async def status(exchange: FaultyExchange) -> None:
    """An answer of this status."""
    await _refuse(exchange, exchange.number("status"))


def _register_status(code: int, text: str, name: str = "", **how: Any) -> None:
    """Register a kind that is an answer of one status."""

    async def apply(exchange: FaultyExchange) -> None:
        await _refuse(exchange, code)

    fault(name or str(code), text=text, **how)(apply)


for _code, _text in {500: "Internal error", 502: "Bad gateway", 503: "Unavailable", 504: "Gateway timeout"}.items():
    _register_status(_code, _text, mixes=RequestFacts.repeatable)


@fault("too-many", {"retry-after": "1", "status": 429}, mixes=RequestFacts.repeatable, in_mix={"retry-after": "0"})
async def too_many(exchange: FaultyExchange) -> None:
    """429; Retry-After is any text, none, or date:SECONDS for a date from now on."""
    # By the machine's own clock, as the Date of every answer is.
    retry_after = exchange.text("retry-after")
    if retry_after.startswith("date:"):
        retry_after = formatdate(time.time() + float(retry_after.removeprefix("date:")), usegmt=True)
    headers = {} if retry_after == "none" else {"Retry-After": retry_after}
    await _refuse(exchange, exchange.number("status"), headers)


_register_status(401, "401", "unauthorised", mixes=RequestFacts.needs_token, once_per_object=True)
_register_status(403, "403", "forbidden")
_register_status(404, "404, as for a job or an object that has gone", "not-found")
_register_status(410, "410", "gone")


@fault("expired", fits=RequestFacts.at_store, mixes=RequestFacts.linked, once_per_object=True)
async def expired(exchange: FaultyExchange) -> None:
    """403, the link has expired."""
    await _refuse_as_store(exchange, 403, "AccessDenied", "Request has expired")


@fault("redirect", {"to": "https://files.example.com/", "status": 302})
async def redirect(exchange: FaultyExchange) -> None:
    """A redirect to another address."""
    await exchange.reply(exchange.number("status"), b"", {"Location": exchange.text("to")})


async def _refuse(exchange: FaultyExchange, code: int, headers: dict[str, str] | None = None) -> None:
    phrase = responses.get(code, "Unknown")
    if exchange.request.at_store():
        body, mime = _xml(_CODES.get(code, "InternalError"), phrase), "application/xml"
    else:
        # Both services and the gateway before them word errors differently; clients go by the status.
        error = {"fault": {"faultstring": phrase, "detail": {"errorcode": "sandbox.fault"}}}
        body, mime = json.dumps(error).encode(), "application/json"
    await exchange.reply(code, body, {"Content-Type": mime, **(headers or {})})


async def _refuse_as_store(exchange: FaultyExchange, status: int, code: str, message: str, more: str = "") -> None:
    """Answer with an error of an object store."""
    await exchange.reply(status, _xml(code, message, more), {"Content-Type": "application/xml"})


def _xml(code: str, message: str, more: str = "") -> bytes:
    text = f"<Code>{code}</Code><Message>{escape(message)}</Message>{more}<RequestId>SANDBOX</RequestId>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'.encode()


# Uploads


@fault("half-upload", HALF, fits=RequestFacts.stores)
async def half_upload(exchange: FaultyExchange) -> None:
    """Stored in part, but reported as whole."""
    left = exchange.offset(int(exchange.request.headers.get("content-length", "0")))

    async def receive() -> Message:
        nonlocal left
        message = await exchange.receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")[:left]
            left -= len(body)
            return {**message, "body": body, "more_body": message.get("more_body", False) and left > 0}
        return message

    await exchange.run(receive=receive)


@fault("bad-digest", fits=RequestFacts.stores)
async def bad_digest(exchange: FaultyExchange) -> None:
    """400 BadDigest."""
    text = "The Content-MD5 you specified did not match what we received."
    await _refuse_as_store(exchange, 400, "BadDigest", text)


@fault("too-large", fits=RequestFacts.stores)
async def too_large(exchange: FaultyExchange) -> None:
    """400 EntityTooLarge."""
    text = "Your proposed upload exceeds the maximum allowed object size."
    await _refuse_as_store(exchange, 400, "EntityTooLarge", text)


# What is stored: these kinds are looked up by what serves the bytes


DAMAGED, CUT, BAD_MEMBER = "damaged", "zip-cut", "zip-damaged"

for _kind in (
    FaultKind(DAMAGED, "A byte that does not fit the checksum; path is id, key or name", stored=True),
    FaultKind(CUT, "A zip that is cut off", defaults={"after": "-5"}, stored=True),
    FaultKind(BAD_MEMBER, "A zip whose Nth member is damaged", defaults={"member": 0}, stored=True),
):
    KINDS[_kind.name] = _kind

_LOCAL_HEADER = 30
"""Bytes of the fixed part of the header before each member of a zip."""


def damaged(blob: StoredBlob) -> StoredBlob:
    """The same, with one byte changed in its middle."""
    return _with_flip(blob, blob.size // 2)


def cut(blob: StoredBlob, offset: str) -> StoredBlob:
    """A blob that is cut off."""
    size = min(offset_in(offset, blob.size), blob.size)
    return StoredBlob(size, blob.etag, blob.modified, blob.mime, blob.read)


def bad_member(blob: StoredBlob, path: Path, member: int) -> StoredBlob:
    """A zip with one byte changed in one of its members, counted from 0, so that its checksum is wrong."""
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
    info = members[member % len(members)]
    # The lengths in the local header count, which may differ from those in the directory.
    head = blob.read(info.header_offset, info.header_offset + _LOCAL_HEADER)
    names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return _with_flip(blob, info.header_offset + _LOCAL_HEADER + names + info.compress_size // 2)


def damaged_pieces(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Pieces of bytes, `size` in all, with one byte changed in their middle."""
    position = 0
    for piece in pieces:
        yield _flip_in(piece, size // 2 - position)
        position += len(piece)


def _with_flip(blob: StoredBlob, offset: int) -> StoredBlob:
    def read(start: int, end: int) -> bytes:
        return _flip_in(blob.read(start, end), offset - start)

    return StoredBlob(blob.size, blob.etag, blob.modified, blob.mime, read)


def _flip_in(piece: bytes, offset: int) -> bytes:
    return flipped(piece, offset) if 0 <= offset < len(piece) else piece

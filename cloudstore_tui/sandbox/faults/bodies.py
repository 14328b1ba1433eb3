"""Faults of what is in an answer."""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.faults.exchange import HTML, Exchange, length_of
from cloudstore_tui.sandbox.faults.place import flipped

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


async def flip(exchange: Exchange) -> None:
    """One byte changed at a place of the object, if the answer has that place."""
    position = place = 0

    async def changed(message: Message) -> None:
        nonlocal position, place
        if message["type"] == "http.response.start":
            position, size = _extent(message)
            place = exchange.place(size)
            if message["status"] >= 300 or not position <= place < position + (length_of(message) or 0):
                place = -1
                exchange.miss()
        elif body := message.get("body", b""):
            if position <= place < position + len(body):
                message = {**message, "body": flipped(body, place - position)}
            position += len(body)
        await exchange.send(message)

    await exchange.run(changed)


async def html(exchange: Exchange) -> None:
    """A page instead of what was asked for, as if all were well."""
    await exchange.reply(200, HTML, {"Content-Type": "text/html; charset=utf-8"})


async def xml_error(exchange: Exchange) -> None:
    """An error of the store, as if all were well."""
    await exchange.reply(200, _XML, {"Content-Type": "application/xml"})


async def empty(exchange: Exchange) -> None:
    """Nothing, as if all were well."""
    await exchange.reply(200, b"", _JSON if exchange.asked.talks else {"Content-Type": "binary/octet-stream"})


async def cut_json(exchange: Exchange) -> None:
    """The first part of a reply with a length that fits."""
    start, body = await exchange.held()
    part = body[: exchange.place(len(body))]
    if part == body:
        exchange.miss()
    await exchange.reply(start["status"], part, _JSON)


async def odd_json(exchange: Exchange) -> None:
    """JSON that nobody expects."""
    form = exchange.text("form")
    if form not in ODD:
        raise UsageError("no such form", subject=f"form={form}", hint=f"Known: {', '.join(ODD)}.")
    await exchange.reply(200, ODD[form], _JSON)


async def field(exchange: Exchange) -> None:
    """One field of a reply with another value, or without it when the value is empty."""
    start, body = await exchange.held()
    try:
        reply = json.loads(body)
    except ValueError:
        reply = None
    if not isinstance(reply, dict) or start["status"] != 200:
        exchange.miss()
    else:
        reply.pop(exchange.text("name"), None)
        if text := exchange.text("value"):
            reply[exchange.text("name")] = _meant(text)
        body = json.dumps(reply).encode()
    await exchange.reply(start["status"], body, _JSON)


def _meant(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _extent(start: Message) -> tuple[int, int]:
    """Where the body of an answer begins in its object, and how long the object is."""
    told = MutableHeaders(raw=start["headers"]).get("content-range", "")
    if start["status"] != 206 or not told.startswith("bytes "):
        return 0, length_of(start) or 0
    span, _, total = told.removeprefix("bytes ").partition("/")
    return int(span.partition("-")[0]), int(total)

"""Faults of ranges and validators."""

import re
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from cloudstore_tui.sandbox.faults.asked import CONDITIONS
from cloudstore_tui.sandbox.faults.exchange import Exchange, length_of

_TOLD = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_OTHER = '"5a4db0c0ffee5a4db0c0ffee5a4db0c0"'
_BOUNDARY = "SANDBOX_PART"

_Tag = Callable[[str], str]
_Tell = Callable[[int, int, int], str]


async def wrong_start(exchange: Exchange) -> None:
    """A part whose header says that it begins elsewhere."""
    await _retold(exchange, lambda start, end, total: f"bytes {start + exchange.number('by')}-{end}/{total}")


async def wrong_total(exchange: Exchange) -> None:
    """A part whose header tells another size of the whole, or `*`."""
    by = exchange.text("by")

    def retold(start: int, end: int, total: int) -> str:
        return f"bytes {start}-{end}/{by if by == '*' else total + int(by)}"

    await _retold(exchange, retold)


async def no_content_range(exchange: Exchange) -> None:
    """A part that does not say which."""
    await _retold(exchange, lambda *_: "")


async def whole(exchange: Exchange) -> None:
    """Everything, although a part was asked for."""
    await exchange.run(without=("range",))


async def multipart(exchange: Exchange) -> None:
    """A part in an envelope for several."""
    end = f"\r\n--{_BOUNDARY}--\r\n".encode()
    begin = after = b""

    async def wrapped(message: Message) -> None:
        nonlocal begin, after
        if message["type"] == "http.response.start":
            if message["status"] == 206:
                begin, after = _enveloped(message, len(end)), end
            else:
                exchange.miss()
            await exchange.send(message)
            return
        body, begin = begin + message.get("body", b""), b""
        await exchange.send({**message, "body": body if message.get("more_body", False) else body + after})

    await exchange.run(wrapped)


def _enveloped(start: Message, after: int) -> bytes:
    """Make the headers those of an envelope; what stands before the part in it."""
    headers = MutableHeaders(raw=start["headers"])
    inner = f"Content-Type: {headers['content-type']}\r\nContent-Range: {headers['content-range']}"
    begin = f"--{_BOUNDARY}\r\n{inner}\r\n\r\n".encode()
    length = length_of(start) or 0
    del headers["content-range"]
    headers["content-type"] = f"multipart/byteranges; boundary={_BOUNDARY}"
    headers["content-length"] = str(length + len(begin) + after)
    return begin


async def etag_changed(exchange: Exchange) -> None:
    """The tag of another object of the same size, whatever the condition was."""
    await _tagged(exchange, lambda _tag: _OTHER, without=CONDITIONS)


async def weak_etag(exchange: Exchange) -> None:
    """A weak tag."""
    await _tagged(exchange, lambda tag: f"W/{tag}")


async def no_etag(exchange: Exchange) -> None:
    """No tag."""
    await _tagged(exchange, lambda _tag: "")


async def _tagged(exchange: Exchange, tag: _Tag, without: tuple[str, ...] = ()) -> None:
    def change(headers: MutableHeaders, _message: Message) -> None:
        known = headers.get("etag")
        if known is None:
            exchange.miss()
            return
        del headers["etag"]
        if told := tag(known):
            headers["etag"] = told

    await exchange.with_headers(change, without=without)


async def _retold(exchange: Exchange, tell: _Tell) -> None:
    def change(headers: MutableHeaders, message: Message) -> None:
        told = _TOLD.fullmatch(headers.get("content-range", ""))
        if message["status"] != 206 or told is None:
            exchange.miss()
            return
        del headers["content-range"]
        start, end, total = (int(number) for number in told.groups())
        if text := tell(start, end, total):
            headers["content-range"] = text

    await exchange.with_headers(change)

"""Faults of what HTTP says about the length of a body, and of the headers around it."""

import zlib
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from cloudstore_tui.sandbox.faults.exchange import Exchange, length_of

_ZEROS = bytes(65_536)


async def short_body(exchange: Exchange) -> None:
    """A part of the body, with a length that fits the part."""
    await _sized(exchange, exchange.place)


async def more_bytes(exchange: Exchange) -> None:
    """More bytes than the object has, with a length that fits them."""
    await _sized(exchange, lambda length: length + exchange.number("bytes"))


async def long_body(exchange: Exchange) -> None:
    """The right length and more bytes after it; then the connection ends."""
    extra = exchange.number("bytes")

    async def lengthened(message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last:
            await exchange.send(message)
            return
        await exchange.send({**message, "more_body": True})
        # The server does not send what is too much, and may end the connection with the last message.
        await exchange.write(bytes(extra), body=extra)
        await exchange.send({**message, "body": b""})

    await exchange.run(lengthened)
    await exchange.connection.close()


async def no_length(exchange: Exchange) -> None:
    """The whole body, whose end is only the end of the connection."""
    await _raw(exchange, lambda _length: [], whole=True)


async def no_length_cut(exchange: Exchange) -> None:
    """A part of the body without a length."""
    await _raw(exchange, lambda _length: [])


async def two_lengths(exchange: Exchange) -> None:
    """Two lengths that contradict each other."""
    await _raw(exchange, lambda length: [length, length + 1], whole=True)


async def gzip(exchange: Exchange) -> None:
    """The body compressed, although nobody asked for it."""
    packer = zlib.compressobj(wbits=31)

    async def packed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            del headers["content-length"]
            headers["content-encoding"] = "gzip"
            await exchange.send(message)
            return
        body = packer.compress(message.get("body", b""))
        more = message.get("more_body", False)
        await exchange.send({**message, "body": body if more else body + packer.flush()})

    await exchange.run(packed)


async def gzip_bomb(exchange: Exchange) -> None:
    """A small compressed answer that is large when it is opened."""
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    async for piece in _bomb(exchange):
        await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})


async def _bomb(exchange: Exchange) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(b'{"content": "')
    for _ in range(0, exchange.number("bytes"), len(_ZEROS)):
        if exchange.connection.lost.is_set():
            return
        # A zero byte may not stand in JSON; the letter does as well.
        if piece := packer.compress(_ZEROS.replace(b"\0", b"a")):
            yield piece
    yield packer.compress(b'"}') + packer.flush()


async def huge_header(exchange: Exchange) -> None:
    """One very long header line."""
    await exchange.with_headers(lambda headers, _: headers.append("x-padding", "p" * exchange.number("bytes")))


async def many_headers(exchange: Exchange) -> None:
    """Very many headers."""

    def add(headers: MutableHeaders, _message: Message) -> None:
        for number in range(exchange.number("count")):
            headers.append(f"x-number-{number}", "x")

    await exchange.with_headers(add)


async def header(exchange: Exchange) -> None:
    """One header set to a text; left out with an empty one."""
    name, text = exchange.text("name"), exchange.text("value")

    def change(headers: MutableHeaders, _message: Message) -> None:
        del headers[name]
        if text:
            headers[name] = text

    await exchange.with_headers(change)


async def _sized(exchange: Exchange, plan: Callable[[int], int]) -> None:
    """Send as many bytes as planned for a body of some length, and say so."""
    left = 0

    async def changed(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            length = length_of(message) or 0
            left = plan(length)
            if left == length:
                exchange.miss()
            MutableHeaders(raw=message["headers"])["content-length"] = str(left)
            await exchange.send(message)
            return
        body, more = message.get("body", b"")[:left], message.get("more_body", False)
        left -= len(body)
        await exchange.send({**message, "body": body if more else body + bytes(left)})

    await exchange.run(changed)


async def _raw(exchange: Exchange, lengths: Callable[[int], list[int]], *, whole: bool = False) -> None:
    """Answer below the server, which refuses to send what contradicts itself; the connection ends with it."""
    left = 0

    async def sent(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            length = length_of(message) or 0
            left = length if whole else exchange.place(length)
            if not whole and left >= length:
                exchange.miss()
            exchange.visit.answered(message["status"])
            await exchange.write(_head(message, lengths(length)))
            return
        body = message.get("body", b"")[:left]
        left -= len(body)
        await exchange.write(body, body=len(body))

    await exchange.run(sent)
    await exchange.connection.close()


def _head(start: Message, lengths: list[int]) -> bytes:
    pairs = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    pairs += [(b"content-length", str(length).encode()) for length in lengths]
    pairs.append((b"connection", b"close"))
    lines = b"".join(b"%s: %s\r\n" % pair for pair in pairs)
    return f"HTTP/1.1 {start['status']} {HTTPStatus(start['status']).phrase}\r\n".encode() + lines + b"\r\n"

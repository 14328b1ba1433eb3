"""Faults of the connection and of what HTTP says about it: it ends, stalls or is slow; lengths and headers lie."""

import asyncio
import math
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import Message

from cloudstore_tui.sandbox.faults.exchange import FaultyExchange, RequestFacts, fault, length_of

# The connection ends, stalls, is slow


HALF = {"after": "50%"}
_CHUNKS_PER_S = 20
"""Pieces per second of a slow answer."""


@fault("refuse", mixes=RequestFacts.repeatable)
async def refuse(exchange: FaultyExchange) -> None:
    """Close the connection instead of answering."""
    exchange.trace.answered(0)
    await exchange.connection.close()


@fault("reset", mixes=RequestFacts.repeatable)
async def reset(exchange: FaultyExchange) -> None:
    """Reset the connection instead of answering."""
    exchange.trace.answered(0)
    await exchange.connection.reset()


@fault("lost-reply", mixes=RequestFacts.repeatable)
async def lost_reply(exchange: FaultyExchange) -> None:
    """Carry the request out, then reset the connection."""

    async def discard(_message: Message) -> None:
        pass

    await exchange.run(discard)
    exchange.trace.answered(0)
    await exchange.connection.reset()


@fault("stall", {"seconds": 0.0})
async def stall(exchange: FaultyExchange) -> None:
    """No answer for some seconds, 0 for ever."""
    await exchange.connection.wait(exchange.seconds())
    if not exchange.connection.lost.is_set():
        await exchange.run()


@fault("reset-after", HALF, mixes=RequestFacts.repeatable)
async def reset_after(exchange: FaultyExchange) -> None:
    """Reset the connection in the middle of the body."""
    await _cut(exchange, exchange.connection.reset)


@fault("close-after", HALF, mixes=RequestFacts.repeatable)
async def close_after(exchange: FaultyExchange) -> None:
    """Close the connection in the middle of the body."""
    await _cut(exchange, exchange.connection.close)


@fault("chunk-cut", HALF, mixes=RequestFacts.repeatable)
async def chunk_cut(exchange: FaultyExchange) -> None:
    """Send chunks, and close the connection before the last one."""
    await _cut(exchange, exchange.connection.close, chunked=True)


@fault("stall-after", {**HALF, "seconds": 0.0})
async def stall_after(exchange: FaultyExchange) -> None:
    """Stop in the middle of the body for some seconds, 0 for ever."""
    await _cut(exchange, lambda: exchange.connection.wait(exchange.seconds()), ends=False)


@fault("slow", {"rate": 65_536}, combines=True)
async def slow(exchange: FaultyExchange) -> None:
    """At most this many bytes per second; combines with another fault."""
    rate = exchange.number("rate")
    piece = max(rate // _CHUNKS_PER_S, 1)
    loop = asyncio.get_running_loop()
    begun, sent = loop.time(), 0

    async def throttled(message: Message) -> None:
        nonlocal sent
        body, more = message.get("body", b""), message.get("more_body", False)
        for start in range(0, len(body), piece):
            part = body[start : start + piece]
            await exchange.send({"type": message["type"], "body": part, "more_body": True})
            sent += len(part)
            await asyncio.sleep(max(0.0, begun + sent / rate - loop.time()))
            if exchange.connection.lost.is_set():
                return
        if message["type"] == "http.response.start" or not more:
            await exchange.send({**message, "body": b""})

    await exchange.run(throttled)


async def _cut(
    exchange: FaultyExchange, end: Callable[[], Awaitable[None]], *, chunked: bool = False, ends: bool = True
) -> None:
    """Call `end` in the middle of the body, which is the end of the answer if `ends`; without a length if `chunked`."""
    left, done = math.inf, False

    async def sent(message: Message) -> None:
        nonlocal left, done
        body = message.get("body", b"")
        if done and ends:
            return
        if message["type"] == "http.response.start":
            left = _before_cut(exchange, message, chunked=chunked)
        elif len(body) > left:
            first, left, done = body[: int(left)], math.inf, True
            await exchange.send({**message, "body": first, "more_body": True})
            await end()
            if ends:
                return
            message = {**message, "body": body[len(first) :]}
        else:
            left -= len(body)
        await exchange.send(message)

    await exchange.run(sent)
    if not done:
        exchange.miss()


def _before_cut(exchange: FaultyExchange, start: Message, *, chunked: bool) -> float:
    """How many bytes of the body to send before the cut; infinite if it is shorter."""
    length = length_of(start)
    offset = exchange.offset(length)
    if length is not None and offset >= length:
        return math.inf
    if chunked:
        # Without a length the server sends chunks.
        del MutableHeaders(raw=start["headers"])["content-length"]
    return offset


# The length of a body, and the headers around it


_ZEROS = bytes(65_536)


@fault("no-length", fits=RequestFacts.fetches, mixes=RequestFacts.fetches)
async def no_length(exchange: FaultyExchange) -> None:
    """The whole body, ended only by the end of the connection."""
    await _raw(exchange, lambda _length: [], whole=True)


@fault("no-length-cut", HALF, fits=RequestFacts.fetches, mixes=RequestFacts.fetches)
async def no_length_cut(exchange: FaultyExchange) -> None:
    """A part of the body without a length."""
    await _raw(exchange, lambda _length: [])


@fault("two-lengths", mixes=RequestFacts.repeatable)
async def two_lengths(exchange: FaultyExchange) -> None:
    """Two lengths that contradict each other."""
    await _raw(exchange, lambda length: [length, length + 1], whole=True)


@fault("short-body", HALF, fits=RequestFacts.fetches, mixes=RequestFacts.fetches, once_per_object=True)
async def short_body(exchange: FaultyExchange) -> None:
    """A part of the body, with a length that fits it."""
    await _sized(exchange, exchange.offset)


@fault("more-bytes", {"bytes": 1000}, fits=RequestFacts.fetches, mixes=RequestFacts.fetches, once_per_object=True)
async def more_bytes(exchange: FaultyExchange) -> None:
    """More bytes than the object has, with a length that fits them."""
    await _sized(exchange, lambda length: length + exchange.number("bytes"))


@fault("long-body", {"bytes": 1000}, fits=RequestFacts.fetches, mixes=RequestFacts.fetches)
async def long_body(exchange: FaultyExchange) -> None:
    """The right length, then more bytes and the end of the connection."""
    extra = exchange.number("bytes")

    async def lengthened(message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last:
            await exchange.send(message)
            return
        await exchange.send({**message, "more_body": True})
        # The server refuses to send excess bytes, and may close the connection after the last message.
        await exchange.write(bytes(extra), body=extra)
        await exchange.send({**message, "body": b""})

    await exchange.run(lengthened)
    await exchange.connection.close()


@fault("gzip", fits=RequestFacts.fetches, mixes=RequestFacts.fetches, once_per_object=True)
async def gzip(exchange: FaultyExchange) -> None:
    """The body compressed, although the client did not accept that."""
    packer = zlib.compressobj(wbits=31)

    def encoded(headers: MutableHeaders, _message: Message) -> None:
        del headers["content-length"]
        headers["content-encoding"] = "gzip"

    def packed(body: bytes, more: bool) -> bytes:
        return packer.compress(body) + (b"" if more else packer.flush())

    await exchange.changed(encoded, packed)


@fault("gzip-bomb", {"bytes": 2**31}, fits=RequestFacts.talks)
async def gzip_bomb(exchange: FaultyExchange) -> None:
    """A small compressed answer that expands to this many bytes."""
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    async for piece in _bomb(exchange):
        await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})


async def _bomb(exchange: FaultyExchange) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(b'{"content": "')
    for _ in range(0, exchange.number("bytes"), len(_ZEROS)):
        if exchange.connection.lost.is_set():
            return
        # JSON must not contain zero bytes; a letter does as well.
        if piece := packer.compress(_ZEROS.replace(b"\0", b"a")):
            yield piece
    yield packer.compress(b'"}') + packer.flush()


@fault("huge-header", {"bytes": 1_000_000})
async def huge_header(exchange: FaultyExchange) -> None:
    """One very long header line."""
    await exchange.changed(lambda headers, _: headers.append("x-padding", "p" * exchange.number("bytes")))


@fault("many-headers", {"count": 10_000})
async def many_headers(exchange: FaultyExchange) -> None:
    """Very many headers."""

    def add(headers: MutableHeaders, _message: Message) -> None:
        for number in range(exchange.number("count")):
            headers.append(f"x-number-{number}", "x")

    await exchange.changed(add)


@fault("header", {"name": "content-type", "value": ""})
async def header(exchange: FaultyExchange) -> None:
    """One header set to a value, or removed if that is empty."""
    name, text = exchange.text("name"), exchange.text("value")

    def change(headers: MutableHeaders, _message: Message) -> None:
        del headers[name]
        if text:
            headers[name] = text

    await exchange.changed(change)


async def _sized(exchange: FaultyExchange, plan: Callable[[int], int]) -> None:
    """Send as many bytes as `plan` makes of the length of the body, with a matching Content-Length."""
    left = 0

    def sized(headers: MutableHeaders, message: Message) -> None:
        nonlocal left
        length = length_of(message) or 0
        left = plan(length)
        if left == length:
            exchange.miss()
        headers["content-length"] = str(left)

    def resized(body: bytes, more: bool) -> bytes:
        nonlocal left
        body = body[:left]
        left -= len(body)
        return body if more else body + bytes(left)

    await exchange.changed(sized, resized)


async def _raw(exchange: FaultyExchange, lengths: Callable[[int], list[int]], *, whole: bool = False) -> None:
    """Answer below the server, which would refuse to send contradictory headers, and close the connection."""
    left = 0

    async def sent(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            length = length_of(message) or 0
            left = length if whole else exchange.offset(length)
            if not whole and left >= length:
                exchange.miss()
            exchange.trace.answered(message["status"])
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

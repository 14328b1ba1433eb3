"""Faults of the connection: it ends, it stalls, it is slow."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message

from cloudstore_tui.sandbox.faults.exchange import Exchange, length_of

_PACE = 20
"""Pieces a second in which a slow answer comes."""


async def refuse(exchange: Exchange) -> None:
    """Close the connection instead of answering."""
    exchange.visit.answered(0)
    await exchange.connection.close()


async def reset(exchange: Exchange) -> None:
    """Reset the connection instead of answering."""
    exchange.visit.answered(0)
    await exchange.connection.reset()


async def stall(exchange: Exchange) -> None:
    """Do nothing for a while, then answer."""
    await exchange.connection.wait(exchange.seconds())
    if not exchange.connection.lost.is_set():
        await exchange.run()


async def lost_reply(exchange: Exchange) -> None:
    """Carry the request out, and end the connection instead of telling so."""
    await exchange.unheard()
    exchange.visit.answered(0)
    await exchange.connection.reset()


async def reset_after(exchange: Exchange) -> None:
    """Reset the connection in the middle of the body."""
    await _cut(exchange, exchange.connection.reset)


async def close_after(exchange: Exchange) -> None:
    """Close the connection in the middle of the body."""
    await _cut(exchange, exchange.connection.close)


async def chunk_cut(exchange: Exchange) -> None:
    """Send the body in chunks, and close the connection before the last one."""

    def chunked(message: Message) -> None:
        # Without a length the server sends chunks.
        message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]

    await _cut(exchange, exchange.connection.close, before=chunked)


async def stall_after(exchange: Exchange) -> None:
    """Stop in the middle of the body for a while, then go on."""
    await _cut(exchange, lambda: exchange.connection.wait(exchange.seconds()), ends=False)


async def slow(exchange: Exchange) -> None:
    """Send the body at so many bytes a second."""
    rate = exchange.number("rate")
    piece = max(rate // _PACE, 1)
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
    exchange: Exchange,
    end: Callable[[], Awaitable[None]],
    *,
    before: Callable[[Message], None] | None = None,
    ends: bool = True,
) -> None:
    """Do something when so many bytes of the body have been sent, unless it is shorter."""
    cut = _Cut(exchange, end, before, ends=ends)
    await exchange.run(cut.send)
    if not cut.done:
        exchange.miss()


class _Cut:
    def __init__(
        self,
        exchange: Exchange,
        end: Callable[[], Awaitable[None]],
        before: Callable[[Message], None] | None,
        *,
        ends: bool,
    ) -> None:
        self._exchange = exchange
        self._end = end
        self._before = before
        self._ends = ends
        self._left: int | None = None
        self.done = False

    async def send(self, message: Message) -> None:
        """Send on, up to the place."""
        if self.done and self._ends:
            return
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._left is None or len(message.get("body", b"")) <= self._left:
            if self._left is not None:
                self._left -= len(message.get("body", b""))
            await self._exchange.send(message)
        else:
            await self._reached(message, self._left)

    async def _start(self, message: Message) -> None:
        length = length_of(message)
        place = self._exchange.place(length)
        if length is None or place < length:
            self._left = place
            if self._before is not None:
                self._before(message)
        else:
            self._exchange.miss()
        await self._exchange.send(message)

    async def _reached(self, message: Message, place: int) -> None:
        body = message["body"]
        await self._exchange.send({**message, "body": body[:place], "more_body": True})
        self.done, self._left = True, None
        await self._end()
        if not self._ends:
            await self._exchange.send({**message, "body": body[place:]})

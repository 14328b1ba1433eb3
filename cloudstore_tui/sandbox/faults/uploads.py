"""Faults of uploads."""

from starlette.types import Message

from cloudstore_tui.sandbox.faults.exchange import Exchange


async def half_upload(exchange: Exchange) -> None:
    """Only the first part of an upload is stored, as if all were well."""
    left = exchange.place(int(exchange.asked.headers.get("content-length", "0")))

    async def receive() -> Message:
        nonlocal left
        message = await exchange.receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")[:left]
            left -= len(body)
            return {**message, "body": body, "more_body": message.get("more_body", False) and left > 0}
        return message

    await exchange.run(receive=receive)

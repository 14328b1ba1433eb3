"""Faults that are another answer: refusals, failures, redirects."""

import json
import time
from email.utils import formatdate
from http.client import responses
from xml.sax.saxutils import escape

from starlette.datastructures import MutableHeaders

from cloudstore_tui.sandbox.faults.asked import CONDITIONS
from cloudstore_tui.sandbox.faults.exchange import Apply, Exchange

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


def status(code: int | None = None) -> Apply:
    """An answer with a status of its own, or the one that the rule names."""

    async def apply(exchange: Exchange) -> None:
        await _refuse(exchange, exchange.number("status") if code is None else code)

    return apply


def store_error(code: int, name: str, message: str) -> Apply:
    """An answer as object stores word it."""

    async def apply(exchange: Exchange) -> None:
        await exchange.reply(code, _xml(name, message), {"Content-Type": "application/xml"})

    return apply


expired = store_error(403, "AccessDenied", "Request has expired")
bad_digest = store_error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
too_large = store_error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")


async def headers_not_signed(exchange: Exchange) -> None:
    """403 because of the conditions of a request."""
    named = ", ".join(name for name in CONDITIONS if name in exchange.asked.headers)
    text = "There were headers present in the request which were not signed"
    body = _xml("AccessDenied", text, f"<HeadersNotSigned>{named}</HeadersNotSigned>")
    await exchange.reply(403, body, {"Content-Type": "application/xml"})


async def too_many(exchange: Exchange) -> None:
    """429, and how long to wait in any form: a text as it is, `none`, or `date:SECONDS` for a date from now on."""
    # By the machine's own clock, as the Date of every answer is.
    told = exchange.text("retry-after")
    if told.startswith("date:"):
        told = formatdate(time.time() + float(told.removeprefix("date:")), usegmt=True)
    await _refuse(exchange, exchange.number("status"), {} if told == "none" else {"Retry-After": told})


async def unsatisfiable(exchange: Exchange) -> None:
    """416 with the size of the object, or one that the rule names."""
    total = exchange.text("total")
    if total == "right":
        total = await _total(exchange)
    await _refuse(exchange, 416, {"Content-Range": f"bytes */{total}"})


async def _total(exchange: Exchange) -> str:
    """The size of the object; `*` if it has none."""
    start = await exchange.unheard((b"range", b"bytes=0-0"))
    return MutableHeaders(raw=start["headers"]).get("content-range", "bytes */*").rpartition("/")[2]


async def redirect(exchange: Exchange) -> None:
    """A redirect to another place."""
    await exchange.reply(exchange.number("status"), b"", {"Location": exchange.text("to")})


async def _refuse(exchange: Exchange, code: int, headers: dict[str, str] | None = None) -> None:
    phrase = responses.get(code, "Unknown")
    if exchange.asked.role == "blob":
        body, mime = _xml(_CODES.get(code, "InternalError"), phrase), "application/xml"
    else:
        # Both services and the gateway before them word errors differently; clients go by the status.
        body, mime = (
            json.dumps({"fault": {"faultstring": phrase, "detail": {"errorcode": "sandbox.fault"}}}).encode(),
            "",
        )
    await exchange.reply(code, body, {"Content-Type": mime or "application/json", **(headers or {})})


def _xml(code: str, message: str, more: str = "") -> bytes:
    text = f"<Code>{code}</Code><Message>{escape(message)}</Message>{more}<RequestId>SANDBOX</RequestId>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'.encode()

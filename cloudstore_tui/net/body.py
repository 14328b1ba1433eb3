"""Reading the body of an answer as far as it may go."""

import time
import zlib
from collections.abc import AsyncIterator

from cloudstore_tui.core.errors import NetworkError, ReplyError
from cloudstore_tui.net.reply import LARGEST_REPLY

SLOWEST = 1024
"""Bytes per second; a body that stays below is given up."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def read_body(parts: AsyncIterator[bytes], encoding: str, *, stall: float, subject: str) -> bytes:
    """All of a body, decompressed piece by piece: a small answer can unpack to gigabytes.

    Args:
        parts: as they come from the network.
        encoding: the header `Content-Encoding`.
        stall: seconds after which a body that hardly moves is given up.
        subject: for errors.

    Raises:
        ReplyError: it is larger than 32 MiB, damaged, or encoded in a way that was not asked for.
        NetworkError: it hardly moves.
    """
    inflater = _inflater(encoding, subject)
    body = bytearray()
    since, received = time.monotonic(), 0
    async for part in parts:
        body += _unpacked(inflater, part, LARGEST_REPLY + 1 - len(body), subject) if inflater else part
        if len(body) > LARGEST_REPLY:
            raise ReplyError("the answer is larger than 32 MiB", subject=subject, hint="Ask for less at once.")
        received += len(part)
        if time.monotonic() - since > stall:
            if received < SLOWEST * stall:
                raise NetworkError("the answer comes too slowly", subject=subject)
            since, received = time.monotonic(), 0
    if inflater is not None and body and not inflater.eof:
        raise ReplyError("the answer is damaged: its end is missing", subject=subject, hint="Try again.")
    return bytes(body)


def _inflater(encoding: str, subject: str) -> "zlib._Decompress | None":
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    raise ReplyError("the answer is encoded in a way that was not asked for", subject=subject)


def _unpacked(inflater: "zlib._Decompress", part: bytes, most: int, subject: str) -> bytes:
    try:
        return inflater.decompress(part, most)
    except zlib.error:
        raise ReplyError(
            "the answer is damaged: it cannot be decompressed", subject=subject, hint="Try again."
        ) from None

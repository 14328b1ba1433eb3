"""What a gzip file holds, as far as its first bytes go."""

import zlib

MOST_INFLATED = 4 * 1024 * 1024
"""Bytes that come out at most: a few kilobytes can hold gigabytes of nothing."""
MARK = b"\x1f\x8b"
_GZIP = 31
"""Window of 32 KiB, with the head of gzip."""


def inflate(data: bytes, most: int = MOST_INFLATED) -> tuple[bytes, bool]:
    """What the bytes hold, and whether that is all of it.

    Raises:
        zlib.error: nothing can be read.
    """
    out, left = bytearray(), data
    while left.startswith(MARK) and len(out) < most:
        engine = zlib.decompressobj(_GZIP)
        try:
            out += engine.decompress(left, most - len(out))
        except zlib.error:
            if not out:
                raise
            return bytes(out), False
        if not engine.eof:
            return bytes(out), False
        left = engine.unused_data
    return bytes(out), len(out) < most

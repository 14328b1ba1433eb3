"""Bodies are unpacked piece by piece."""

import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from cloudstore_tui.core.errors import ReplyError
from cloudstore_tui.net.body import read_body


def bomb(size: int) -> bytes:
    """A zip stream of so many zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


async def once(part: bytes) -> AsyncIterator[bytes]:
    yield part


async def test_what_unpacks_to_a_lot_takes_little_memory_even_in_one_piece() -> None:
    packed = bomb(256 * 1024 * 1024)
    assert len(packed) < 1024 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(ReplyError, match="larger than 32 MiB"):
            await read_body(once(packed), "gzip", stall=60, subject="acme:")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


async def test_exactly_32_mib_are_read() -> None:
    assert len(await read_body(once(bytes(32 * 1024 * 1024)), "", stall=60, subject="acme:")) == 32 * 1024 * 1024
    with pytest.raises(ReplyError):
        await read_body(once(bytes(32 * 1024 * 1024 + 1)), "", stall=60, subject="acme:")

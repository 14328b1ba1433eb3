"""Screen recordings: a real MP4 header, and a picture track of nothing."""

import struct

from cloudstore_tui.sandbox.eightbyeight.body import Body

BYTES_PER_SECOND = 7_250
"""The rate of the service's own screen recordings."""

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def film(seconds: int, size: int, part: int = 0) -> Body:
    """A film of a length in time and in bytes, uploaded in parts of `part` bytes if it is not 0."""
    head = _box(b"ftyp", b"isom\0\0\x02\0isomiso2mp41") + _box(b"moov", _box(b"mvhd", _movie(seconds)))
    data = head + struct.pack(">I", size - len(head)) + b"mdat"
    return Body(data=data, zeros=size - len(data), part=part)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def _movie(seconds: int) -> bytes:
    times = struct.pack(">5I", 0, 0, 0, 1000, seconds * 1000)
    return times + struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX + bytes(24) + struct.pack(">I", 1)

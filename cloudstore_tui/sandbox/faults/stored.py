"""Faults of what is stored: bytes that are not those of which the service tells the checksum."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from cloudstore_tui.sandbox.blobs import Blob
from cloudstore_tui.sandbox.faults.place import flipped, place_in

DAMAGED, CUT, BAD_MEMBER = "damaged", "zip-cut", "zip-damaged"
"""Names of the kinds."""

_LOCAL_HEADER = 30
"""Bytes of the fixed part of what stands before each member of a zip."""


def damaged(blob: Blob) -> Blob:
    """The same, with one byte changed in its middle."""
    return _with_flip(blob, blob.size // 2)


def cut(blob: Blob, place: str) -> Blob:
    """What a blob has before a place, as a blob of its own."""
    size = min(place_in(place, blob.size), blob.size)
    return Blob(size, blob.etag, blob.modified, blob.mime, blob.read)


def bad_member(blob: Blob, path: Path, member: int) -> Blob:
    """A zip with one byte changed in one of its members, counted from 0, so that its check sum is wrong."""
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
    info = members[member % len(members)]
    # Of these two lengths the copy in front of the member counts, which may be another than that in the directory.
    head = blob.read(info.header_offset, info.header_offset + _LOCAL_HEADER)
    names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return _with_flip(blob, info.header_offset + _LOCAL_HEADER + names + info.compress_size // 2)


def damaged_pieces(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Pieces of bytes, `size` in all, with one byte changed in their middle."""
    position = 0
    for piece in pieces:
        yield _flip_in(piece, size // 2 - position)
        position += len(piece)


def _with_flip(blob: Blob, place: int) -> Blob:
    def read(start: int, end: int) -> bytes:
        return _flip_in(blob.read(start, end), place - start)

    return Blob(blob.size, blob.etag, blob.modified, blob.mime, read)


def _flip_in(piece: bytes, place: int) -> bytes:
    return flipped(piece, place) if 0 <= place < len(piece) else piece

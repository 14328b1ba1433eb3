"""Decides what an object is: by its content first, then by its name and type."""

import struct
import zlib
from dataclasses import replace

from cloudstore_tui.preview.csv_table import csv_preview
from cloudstore_tui.preview.encoding import Decoded, decode
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.film import film_steps, is_film
from cloudstore_tui.preview.gzip_stream import MARK, inflate
from cloudstore_tui.preview.image import image_preview, is_image
from cloudstore_tui.preview.json_outline import json_preview
from cloudstore_tui.preview.preview import Bytes, Nothing, Preview
from cloudstore_tui.preview.reading import Steps
from cloudstore_tui.preview.sound import sound_steps
from cloudstore_tui.preview.sound_head import is_sound
from cloudstore_tui.preview.tar_listing import is_tar, tar_steps
from cloudstore_tui.preview.text import text_preview
from cloudstore_tui.preview.transcript import transcript_preview
from cloudstore_tui.preview.zip_listing import is_zip, zip_steps

MOST_HEX = 256 * 1024
"""Bytes that are shown as numbers at most."""
_MOST_DEPTH = 2
"""Wrappings that are opened, one in the other."""

_KNOWN = (
    (b"%PDF-", "PDF document"), (b"PAR1", "Parquet table"), (b"SQLite format 3", "SQLite database"),
    (b"BZh", "bzip2 archive"), (b"\xfd7zXZ", "xz archive"), (b"(\xb5/\xfd", "Zstandard archive"),
    (b"7z\xbc\xaf", "7-Zip archive"), (b"Rar!", "RAR archive"), (b"\x7fELF", "Linux program"),
    (b"\xd0\xcf\x11\xe0", "old Office document"), (b"\x1aE\xdf\xa3", "Matroska or WebM film"),
    (b"#!AMR", "AMR sound"), (b"MZ", "Windows program"),
)  # fmt: skip

_BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError, RecursionError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What a library may raise about bytes that somebody damaged; a bug in a format must not end the program either."""


def examine(head: bytes, facts: Facts) -> Steps:
    """What the object is, from its first bytes and from more that is asked for. Never fails."""
    if not head:
        return Preview("empty", Nothing(), notes=("There is nothing in it.",))
    try:
        return (yield from _by_content(head, facts))
    except _BROKEN:
        return _bytes(head, "It looks damaged: what it seems to be could not be read.")


def _by_content(head: bytes, facts: Facts) -> Steps:
    if head.startswith(MARK):
        return (yield from _gzip(head, facts))
    if is_zip(head):
        return (yield from zip_steps(head, facts))
    if is_tar(head):
        return (yield from tar_steps(head, facts))
    if is_image(head) and (image := image_preview(head)) is not None:
        return image
    if is_film(head):
        return (yield from film_steps(head, facts))
    if is_sound(head) and not _is_prose(head):
        return (yield from _sound(head, facts))
    decoded = decode(head)
    if decoded is not None:
        return _of_text(decoded, facts, whole=facts.is_whole(head))
    return _bytes(head)


def _gzip(head: bytes, facts: Facts) -> Steps:
    content, is_all = inflate(head)
    inner = facts.unpacked()
    if not content or inner.depth > _MOST_DEPTH:
        return _bytes(head, "It is compressed more often than is opened here." if content else "")
    if is_all and facts.is_whole(head):
        inner = replace(inner, size=len(content))
    found = yield from examine(content, inner)
    packed = f"gzip, {len(head):,} bytes opened to {len(content):,}"
    note = () if inner.size is not None else ("This is what the first bytes hold; m reads on.",)
    return replace(
        found, format=f"{found.format} in gzip", facts=(("packed", packed), *found.facts), notes=found.notes + note
    )


def _sound(head: bytes, facts: Facts) -> Steps:
    found = yield from sound_steps(head, facts)
    if isinstance(found.body, Nothing) and not found.facts:
        return _bytes(head, "It begins like sound, but its head could not be read.")
    return found


def _is_prose(head: bytes) -> bool:
    """Whether bytes with the mark of a sound are a text that happens to begin with the same letters."""
    return head.startswith((b"ID3", b"OggS", b"fLaC", b"FORM")) and b"\0" not in head[:512] and decode(head) is not None


def _of_text(decoded: Decoded, facts: Facts, *, whole: bool) -> Preview:
    found = (
        transcript_preview(decoded, facts)
        or json_preview(decoded, whole=whole)
        or csv_preview(decoded, facts, whole=whole)
    )
    return found or text_preview(decoded)


def _bytes(head: bytes, note: str = "") -> Preview:
    kind = next((name for mark, name in _KNOWN if head.startswith(mark)), "bytes")
    notes = [note] if note else []
    if len(head) > MOST_HEX:
        notes.append(f"Only the first {MOST_HEX:,} bytes are shown as numbers.")
    return Preview(kind, Bytes(head[:MOST_HEX]), notes=tuple(notes))

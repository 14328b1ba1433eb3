"""MP4 films and sound: how long, how large, which tracks; by hopping from box to box."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from cloudstore_tui.preview.clock import clock
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.preview import Nothing, Preview
from cloudstore_tui.preview.reading import Steps, Stretch

_HOPS = 16
_MOST_BOXES = 5000
_MOST_MOOV = 2 * 1024 * 1024
_INSIDE = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_KINDS = {b"vide": "picture", b"soun": "sound", b"text": "text", b"sbtl": "text"}


@dataclass
class _Film:
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    kinds: list[str] = field(default_factory=list)
    codecs: list[str] = field(default_factory=list)


def is_film(head: bytes) -> bool:
    """Whether these bytes begin an MP4 or QuickTime file."""
    return head[4:8] == b"ftyp" and int.from_bytes(head[:4], "big") in range(8, 1024)


def film_steps(head: bytes, facts: Facts) -> Steps:
    """Look for the box that describes everything; it is before or after the pictures."""
    at, size = 0, facts.size
    for _ in range(_HOPS):
        box = head[at : at + 16]
        if len(box) < 16 and not facts.depth and (size is None or at + 8 <= size):
            (box,) = yield (Stretch(at, 16),)
        length, kind, head_length = _head(box)
        if not length or (size is not None and at >= size):
            break
        if kind == b"moov":
            content = head[at + head_length : at + length]
            if len(content) < length - head_length and not facts.depth:
                (content,) = yield (Stretch(at + head_length, min(length - head_length, _MOST_MOOV)),)
            return _preview(head, content)
        at += length
    return _preview(head, b"")


def _preview(head: bytes, moov: bytes) -> Preview:
    film = _Film()
    _read(moov, film)
    name = "MP4 sound" if film.kinds and "picture" not in film.kinds else "MP4 film"
    facts = [("brand", head[8:12].decode("latin-1").strip())]
    if film.seconds:
        facts.append(("length", clock(film.seconds)))
    if film.width and film.height:
        facts.append(("size", f"{film.width:,} × {film.height:,} points"))
    if film.kinds:
        facts.append(("tracks", ", ".join(film.kinds)))
    if film.codecs:
        facts.append(("codecs", ", ".join(film.codecs)))
    notes = () if moov else ("The box that describes the film was not found; the file may be cut.",)
    return Preview(name, Nothing(), tuple(facts), notes)


def _read(content: bytes, film: _Film) -> None:
    pending, seen = [content], 0
    while pending and seen < _MOST_BOXES:
        for kind, box in _boxes(pending.pop()):
            seen += 1
            if kind in _INSIDE:
                pending.append(box)
            elif kind == b"mvhd" and len(box) >= 20:
                film.seconds = _seconds(box)
            elif kind == b"tkhd" and len(box) >= 8:
                width, height = struct.unpack_from(">HxxH", box, len(box) - 8)
                film.width, film.height = max(film.width, width), max(film.height, height)
            elif kind == b"hdlr" and box[8:12] in _KINDS:
                film.kinds.append(_KINDS[box[8:12]])
            elif kind == b"stsd" and len(box) >= 16:
                film.codecs.append(box[12:16].decode("latin-1").strip())


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_MOST_BOXES):
        length, kind, head_length = _head(content[at : at + 16])
        if not length:
            return
        yield kind, content[at + head_length : at + length]
        at += length


def _head(box: bytes) -> tuple[int, bytes, int]:
    """Length, kind, and length of the head; a length of 0 where there is no box."""
    if len(box) < 8:
        return 0, b"", 8
    length, kind = struct.unpack_from(">I4s", box)
    if length == 1 and len(box) >= 16:
        length = int.from_bytes(box[8:16], "big")
        return (length, kind, 16) if length >= 16 else (0, b"", 16)
    return (length, kind, 8) if length >= 8 else (0, b"", 8)


def _seconds(box: bytes) -> float:
    if box[0] == 1 and len(box) >= 32:
        scale, length = struct.unpack_from(">IQ", box, 20)
    else:
        scale, length = struct.unpack_from(">II", box, 12)
    return length / scale if scale and length / scale < 1e7 else 0.0

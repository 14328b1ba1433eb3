"""MP4 files: what they are, wherever the box that says so is."""

import struct
from typing import Any

import pytest


def box(kind: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), kind) + inside


def full(kind: bytes, *content: bytes) -> bytes:
    return box(kind, bytes(4), *content)


def track(number: int, kind: bytes, entry: bytes, seconds: float, width: int = 0, height: int = 0) -> bytes:
    long = int(seconds * 1000)
    head = full(
        b"tkhd", bytes(8), struct.pack(">III", number, 0, long), bytes(52), struct.pack(">HHHH", width, 0, height, 0)
    )
    tables = (
        full(b"stsd", struct.pack(">I", 1), entry),
        full(b"stts", struct.pack(">III", 1, 100, long // 100)),
        full(b"stsc", struct.pack(">IIII", 1, 1, 100, 1)),
        full(b"stsz", struct.pack(">II", 1000, 100)),
        full(b"stco", struct.pack(">II", 1, 48)),
    )
    media = full(b"mdhd", bytes(8), struct.pack(">IIHH", 1000, long, 0x55C4, 0))
    handler = full(b"hdlr", bytes(4), kind, bytes(13))
    return box(b"trak", head, box(b"mdia", media, handler, box(b"minf", box(b"stbl", *tables))))


def moov(*tracks: bytes, seconds: float = 90.5) -> bytes:
    return box(b"moov", full(b"mvhd", bytes(8), struct.pack(">II", 1000, int(seconds * 1000)), bytes(80)), *tracks)


VIDEO = box(b"avc1", bytes(6), b"\0\1", bytes(16), struct.pack(">HH", 1920, 1080), bytes(50))
AAC_CONFIG = b"\x05\x02\x11\x90"
DECODER = b"\x04" + bytes([13 + len(AAC_CONFIG)]) + b"\x40\x15" + bytes(11) + AAC_CONFIG
STREAM = b"\x03" + bytes([3 + len(DECODER) + 3]) + b"\0\1\0" + DECODER + b"\x06\x01\x02"
SOUND = box(b"mp4a", bytes(6), b"\0\1", bytes(8), struct.pack(">HHII", 2, 16, 0, 48_000 << 16), full(b"esds", STREAM))
MOOV = moov(track(1, b"vide", VIDEO, 90.5, 1920, 1080), track(2, b"soun", SOUND, 90.5))
FTYP = box(b"ftyp", b"isom", bytes(4), b"isommp41")


@pytest.mark.parametrize(
    "data",
    [
        FTYP + MOOV + box(b"mdat", bytes(3_000_000)),
        FTYP + box(b"free", bytes(9)) + box(b"mdat", bytes(3_000_000)) + MOOV,
    ],
    ids=["before", "after"],
)
def test_a_film_is_described_from_wherever_its_description_is(into: Any, shelf: Any, data: bytes) -> None:
    found = into("a.mp4", shelf(data))
    facts = dict(found.facts)
    assert (found.format, facts["picture"], facts["size"]) == ("MP4 video", "AVC", "1,920 × 1,080 pixels")
    assert (facts["channels"], facts["rate"], facts["length"]) == ("2 (stereo)", "48,000 Hz", "1:31")
    assert found.fetched < 400_000
    assert not found.is_partial


def test_a_film_without_description_is_said_to_be_cut(into: Any) -> None:
    found = into("a.mp4", FTYP + box(b"mdat", bytes(300_000)))
    assert found.format == "MP4 file"
    assert "may be cut" in found.notes[0]


def test_sound_in_the_same_form_is_sound(into: Any) -> None:
    found = into("a.m4a", FTYP + moov(track(1, b"soun", SOUND, 12.0), seconds=12.0) + box(b"mdat", bytes(1000)))
    assert (found.format, dict(found.facts)["length"]) == ("MP4 audio", "12.00 s")

"""MP4 files: what they are, wherever the box that says so is."""

import struct
from typing import Any

import pytest


def box(kind: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), kind) + inside


def track(kind: bytes, codec: bytes, width: int = 0, height: int = 0) -> bytes:
    header = bytes(76) + struct.pack(">HHHH", width, 0, height, 0)
    described = box(b"stbl", box(b"stsd", bytes(8), box(codec, bytes(20))))
    return box(
        b"trak", box(b"tkhd", header), box(b"mdia", box(b"hdlr", bytes(8), kind, bytes(12)), box(b"minf", described))
    )


MOOV = box(
    b"moov",
    box(b"mvhd", bytes(12), struct.pack(">II", 1000, 90_500)),
    track(b"vide", b"avc1", 1920, 1080),
    track(b"soun", b"mp4a"),
)
FTYP = box(b"ftyp", b"isom", bytes(4), b"isommp41")
SAYS = {
    "brand": "isom",
    "length": "1:31",
    "size": "1,920 × 1,080 points",
    "tracks": "sound, picture",
    "codecs": "mp4a, avc1",
}


@pytest.mark.parametrize(
    "data",
    [FTYP + MOOV + box(b"mdat", bytes(300_000)), FTYP + box(b"free", bytes(9)) + box(b"mdat", bytes(300_000)) + MOOV],
    ids=["before", "after"],
)
def test_a_film_is_described_from_wherever_its_description_is(into: Any, shelf: Any, data: bytes) -> None:
    store = shelf(data)
    found = into("a.mp4", store)
    assert (found.preview.format, dict(found.preview.facts), found.preview.notes) == ("MP4 film", SAYS, ())
    assert found.fetched < 70_000
    assert not found.has_more


def test_a_film_without_description_is_said_to_be_cut(into: Any) -> None:
    found = into("a.mp4", FTYP + box(b"mdat", bytes(300_000))).preview
    assert "was not found" in found.notes[0]


def test_sound_in_the_same_form_is_sound(into: Any) -> None:
    assert into("a.m4a", FTYP + box(b"moov", track(b"soun", b"mp4a"))).preview.format == "MP4 sound"

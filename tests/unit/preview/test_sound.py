"""Sound of every coding: what it is, how long it lasts, whether it is cut."""

import math
import re
import struct
from collections.abc import Callable
from typing import Any, cast

import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.model import Nothing, Preview, Waveform
from cloudstore_tui.sandbox.content import recording


def chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    declared = len(content) if length is None else length
    return name + struct.pack("<I", declared) + content + bytes(len(content) % 2)


def wav(
    codec: int = 1,
    *,
    bits: int = 16,
    rate: int = 16_000,
    speed: int = 0,
    seconds: float = 2.0,
    declared: int | None = None,
    before: bytes = b"",
    extra: bytes = b"",
    magic: bytes = b"RIFF",
    keep: float = 1.0,
) -> bytes:
    """A mono recording, of which a share is kept; `declared` is the length in its head where that is another."""
    block = max(bits // 8, 1)
    speed = speed or rate * block
    sound = tone(int(seconds * speed))
    form = struct.pack("<HHIIHH", codec, 1, rate, speed, block, bits) + extra
    data = chunk(b"data", sound, declared)
    inside = b"WAVE" + before + chunk(b"fmt ", form) + data
    whole = magic + struct.pack("<I", len(inside) if magic == b"RIFF" else 0xFFFFFFFF) + inside
    return whole[: len(whole) - int(len(sound) * (1 - keep))]


def tone(count: int) -> bytes:
    wave = b"".join(struct.pack("<h", int(9000 * math.sin(place / 9))) for place in range(4000))
    return (wave * (count // len(wave) + 1))[:count]


def fact(frames: int) -> bytes:
    return chunk(b"fact", struct.pack("<I", frames))


def ds64(length: int) -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", length + 72, length, length // 2, 0))


PCM_GUID = struct.pack("<HHIH", 22, 16, 4, 1) + bytes.fromhex("000000001000800000aa00389b71")
WAVS: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "plain": (wav, {"codec": "PCM, 16 bits", "length": "2.00 s"}),
    "length 0": (lambda: wav(declared=0), {"codec": "PCM, 16 bits", "length": "2.00 s"}),
    "length of all ones": (lambda: wav(declared=0xFFFFFFFF), {"length": "2.00 s"}),
    "cut": (lambda: wav(keep=0.25), {"length": "0.50 s of 2.00 s, cut"}),
    "70 kB before it": (lambda: wav(before=chunk(b"JUNK", bytes(70_000))), {"length": "2.00 s"}),
    "RF64": (lambda: wav(declared=0xFFFFFFFF, magic=b"RF64", before=ds64(64_000)), {"length": "2.00 s"}),
    "extensible": (lambda: wav(0xFFFE, extra=PCM_GUID), {"codec": "PCM, 16 bits", "length": "2.00 s"}),
    "μ-law": (lambda: wav(7, bits=8, rate=8000), {"codec": "μ-law", "rate": "8,000 Hz", "length": "2.00 s"}),
    "A-law": (lambda: wav(6, bits=8, rate=8000), {"codec": "A-law", "length": "2.00 s"}),
    "float": (lambda: wav(3, bits=32), {"codec": "PCM with floating point, 32 bits", "length": "2.00 s"}),
    "G.722": (
        lambda: wav(0x28F, bits=4, speed=8000, before=fact(32_000)),
        {"codec": "G.722", "rate": "16,000 Hz", "length": "2.00 s"},
    ),
    "G.722, cut": (
        lambda: wav(0x28F, bits=4, speed=8000, before=fact(32_000), keep=0.5),
        {"codec": "G.722", "length": "1.00 s of 2.00 s, cut"},
    ),
    "G.726": (lambda: wav(0x64, bits=4, rate=8000, speed=4000), {"codec": "G.726", "length": "2.00 s"}),
    "GSM": (
        lambda: wav(0x31, bits=0, rate=8000, speed=1625, before=fact(16_000)),
        {"codec": "GSM 6.10", "length": "2.00 s"},
    ),
}  # fmt: skip
DRAWN = {
    "plain",
    "length 0",
    "length of all ones",
    "cut",
    "70 kB before it",
    "RF64",
    "extensible",
    "μ-law",
    "A-law",
    "float",
}


@pytest.mark.parametrize("name", WAVS)
def test_a_wav_of_every_coding_and_length_is_reported(into: Any, name: str) -> None:
    make, facts = WAVS[name]
    found = into("x", make())
    assert found.format == "WAV audio"
    assert {key: value for key, value in found.facts if key in facts} == facts
    assert isinstance(found.body, Waveform if name in DRAWN else Nothing)


def test_a_length_that_a_long_wav_does_not_declare_is_marked_as_a_guess(into: Any) -> None:
    found = into("x", wav(declared=0, seconds=90.0))
    assert dict(found.facts)["length"] == "≈ 1:30 (estimated from the size of the file)"
    assert found.notes == ("Waveform sampled at 60 points.",)


def test_what_could_not_be_read_is_not_counted_as_silence(into: Any, shelf: Any, samples: Any) -> None:
    class Failing(shelf):  # type: ignore[misc]
        async def read(self, first: int, count: int) -> Piece:
            if len(self.asked) > 20:
                raise NetworkError("the connection was reset")
            return cast(Piece, await super().read(first, count))

    def talking(found: Preview) -> int:
        return sum(int(share) for share in re.findall(r"(\d+) %", dict(found.facts)["talking"]))

    whole, part = (into("long.mp3", store(samples["long.mp3"])) for store in (shelf, Failing))
    assert "Waveform sampled at 60 points." in whole.notes
    assert "Waveform sampled at 19 of 60 points; what could not be read looks silent." in part.notes
    assert abs(talking(whole) - talking(part)) < 20


MP3 = recording("mp3", 30, 1, "A call")[256:]
"""Frames without a tag."""


@pytest.mark.parametrize("before", [bytes(3000), MP3[50:216], b"\0" * 100 + MP3[7:216]], ids=["zeros", "half", "both"])
def test_an_mp3_that_begins_behind_something_else_is_found(into: Any, before: bytes) -> None:
    frames = MP3[MP3.index(b"\xff") :]
    found = into("x.mp3", before + frames)
    facts = dict(found.facts)
    assert (found.format, facts["rate"], facts["channels"]) == ("MP3 audio", "24,000 Hz", "2 (stereo)")
    assert facts["length"].removeprefix("≈ ").startswith(("0:30", "0:29"))


def with_count(frames: bytes, count: int, size: int) -> bytes:
    """A first frame that says how many follow."""
    length = frames.index(frames[:4], 4)
    first = bytearray(frames[:length])
    first[4:] = bytes(length - 4)
    first[21:37] = b"Info" + struct.pack(">III", 3, count, size)
    return bytes(first) + frames


def test_an_mp3_that_is_cut_says_how_much_of_how_much_is_here(into: Any, shelf: Any) -> None:
    frames = MP3[MP3.index(b"\xff") :]
    length = frames.index(frames[:4], 4)
    whole = with_count(frames, len(frames) // length, len(frames) + length)
    assert dict(into("x.mp3", whole).facts)["length"] == "0:30"
    assert dict(into("x.mp3", whole[: len(whole) // 2]).facts)["length"] == "0:15 of 0:30, cut"


def test_an_mp3_that_ends_in_its_tag_is_said_to_be_cut(into: Any) -> None:
    found = into("x.mp3", b"ID3\3\0\0\0\x0f\x68\x72TIT2\0\0\0\5\0\0\0Call" + b"\1" * 65_000)
    assert (found.format, found.notes) == ("MP3 audio", ("It ends inside the tag before its sound: it is cut.",))


def ogg_page(number: int, granule: int, flags: int, content: bytes) -> bytes:
    lacing = bytes([255] * (len(content) // 255) + [len(content) % 255])
    return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 7, number, 0, len(lacing)) + lacing + content


def ogg(head: bytes, tags: bytes, granule: int, last: int = 4) -> bytes:
    return ogg_page(0, 0, 2, head) + ogg_page(1, 0, 0, tags) + ogg_page(2, granule, last, bytes(4000))


OPUS = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 16_000, 0, 0)
OPUS_TAGS = b"OpusTags" + struct.pack("<I", 1) + b"x" + struct.pack("<I", 0)
SPEEX = struct.pack("<8s20s13i", b"Speex   ", b"1.2", 1, 80, 8000, 0, 4, 1, -1, 160, 0, 1, 0, 0, 0)
VORBIS = b"\1vorbis" + struct.pack("<IBIiiiBB", 0, 2, 44_100, 0, 112_000, 0, 0xB8, 1)
OGGS = {
    "Opus": (ogg(OPUS, OPUS_TAGS, 312 + 48_000 * 63), "Opus", "48,000 Hz", "1:03"),
    "Opus, cut": (ogg(OPUS, OPUS_TAGS, 312 + 48_000 * 63, last=0), "Opus", "48,000 Hz", "1:03, cut"),
    "Speex": (ogg(SPEEX, b"\1\0\0\0x" + bytes(4), 8000 * 41), "Speex", "8,000 Hz", "0:41"),
    "Vorbis": (ogg(VORBIS, b"\3vorbis\1\0\0\0x" + bytes(4) + b"\1", 44_100 * 4), "Vorbis", "44,100 Hz", "4.00 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", OGGS)
def test_an_ogg_is_as_long_as_its_last_page_says(into: Any, name: str) -> None:
    data, codec, rate, length = OGGS[name]
    found = into("x.ogg", data)
    facts = dict(found.facts)
    assert (found.format, facts["codec"], facts["rate"], facts["length"]) == ("Ogg audio", codec, rate, length)


def au(coding: int, rate: int, channels: int, sound: bytes) -> bytes:
    return struct.pack(">4sIIIII", b".snd", 32, len(sound), coding, rate, channels) + b"by hand\0" + sound


def aiff(sound: bytes, kind: bytes = b"ulaw", rate: int = 8000) -> bytes:
    size = rate.bit_length()
    rate_field = struct.pack(">HQ", 16_382 + size, rate << 64 - size)
    common = struct.pack(">hIh", 1, len(sound), 16) + rate_field + kind + b"\0\0"
    chunks = ((b"FVER", b"\xa2\x80\x51\x40"), (b"COMM", common), (b"SSND", bytes(8) + sound))
    inside = b"AIFC" + b"".join(name + struct.pack(">I", len(content)) + content for name, content in chunks)
    return b"FORM" + struct.pack(">I", len(inside)) + inside


def caf(sound: bytes, kind: bytes = b"lpcm", rate: float = 8000, flags: int = 0, width: int = 1) -> bytes:
    form = struct.pack(">d4sIIIII", rate, kind, flags, width, 1, 1, 8 * width)
    chunks = ((b"desc", form), (b"info", b"\0\0\0\1by\0hand\0"), (b"data", bytes(4) + sound))
    return b"caff\0\1\0\0" + b"".join(name + struct.pack(">q", len(content)) + content for name, content in chunks)


def turned(sound: bytes, width: int) -> bytes:
    """Samples with their most significant byte first."""
    return b"".join(sound[at : at + width][::-1] for at in range(0, len(sound), width))


def w64(sound: bytes) -> bytes:
    further = bytes.fromhex("f3acd3118cd100c04f8edb8a")

    def part(name: bytes, content: bytes) -> bytes:
        return name + further + struct.pack("<Q", len(content) + 24) + content + bytes(-len(content) % 8)

    form = part(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16))
    inside = b"wave" + further + form + part(b"data", sound)
    return b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", len(inside) + 24) + inside


TURNED: dict[str, Callable[[], bytes]] = {
    "AU, 16 bits": lambda: au(3, 16_000, 1, turned(tone(64_000), 2)),
    "AIFF, 16 bits": lambda: aiff(turned(tone(64_000), 2), b"twos", 16_000),
    "W64": lambda: w64(tone(64_000)),
    "CAF, 16 bits": lambda: caf(turned(tone(64_000), 2), rate=16_000, width=2),
    "CAF, the other way round": lambda: caf(tone(64_000), rate=16_000, flags=2, width=2),
}


@pytest.mark.parametrize("name", TURNED)
def test_sound_that_is_written_otherwise_is_drawn_as_that_of_a_wav(into: Any, name: str) -> None:
    expected = into("x.wav", wav()).body
    found = into("x", TURNED[name]()).body
    assert isinstance(found, Waveform)
    assert found.seconds == pytest.approx(expected.seconds, abs=0.01)
    assert found.channels[0] == pytest.approx(expected.channels[0], abs=0.2)


def test_a_waveform_that_cannot_be_drawn_says_why(into: Any) -> None:
    assert into("x.aac", adts(50)).notes == ("No waveform: AAC LC is not decoded here.",)


def adts(count: int) -> bytes:
    """AAC, mono, 16 kHz: 64 milliseconds a frame."""
    size = 150
    head = bytes([0xFF, 0xF1, 0x60, 0x40, size >> 3, (size & 7) << 5 | 0x1F, 0xFC])
    return (head + bytes(size - 7)) * count


OTHERS = {
    "AU, μ-law": (au(1, 8000, 1, bytes(16_000)), "AU audio", "μ-law", "1 (mono)", "8,000 Hz", "2.00 s"),
    "AU, PCM": (au(3, 44_100, 2, bytes(176_400)), "AU audio", "PCM, 16 bits", "2 (stereo)", "44,100 Hz", "1.00 s"),
    "AIFF, μ-law": (aiff(bytes(16_000)), "AIFF audio", "μ-law", "1 (mono)", "8,000 Hz", "2.00 s"),
    "CAF, μ-law": (caf(bytes(160_000), b"ulaw"), "CAF audio", "μ-law", "1 (mono)", "8,000 Hz", "0:20"),
    "CAF, not ended": (
        caf(bytes(16_000), b"alaw").replace(struct.pack(">q", 16_004), b"\xff" * 8),
        "CAF audio", "A-law", "1 (mono)", "8,000 Hz", "2.00 s",
    ),
    "AAC": (adts(250), "AAC audio", "AAC LC", "1 (mono)", "16,000 Hz", "16.00 s"),
    "AMR": (b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100, "AMR audio", "AMR", "1 (mono)", "8,000 Hz", "2.00 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_codings_are_reported(into: Any, name: str) -> None:
    data, *expected = OTHERS[name]
    found = into("x", data)
    facts = dict(found.facts)
    assert [found.format, facts["codec"], facts["channels"], facts["rate"], facts["length"]] == expected


def test_a_long_aac_is_estimated_from_its_first_frames(into: Any) -> None:
    assert dict(into("x", adts(1250)).facts)["length"] == "≈ 1:20 (estimated from its first frames and size)"


def flac(seconds: int, picture: int) -> bytes:
    """The head of a FLAC file behind a large picture."""
    rate, channels, bits = 16_000, 1, 16
    info = struct.pack(">HH", 4096, 4096) + bytes(6)
    info += ((rate << 44) | ((channels - 1) << 41) | ((bits - 1) << 36) | (rate * seconds)).to_bytes(8, "big") + bytes(
        16
    )
    block = struct.pack(">IIIIIIII", 3, 0, 0, 640, 480, 24, 0, picture) + bytes(picture)
    return (
        b"fLaC\0" + len(info).to_bytes(3, "big") + info + b"\x86" + len(block).to_bytes(3, "big") + block + bytes(999)
    )


@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\x08\0" + bytes(1024)], ids=["alone", "behind a tag"])
def test_a_flac_with_a_large_picture_or_behind_a_tag_is_reported(into: Any, tag: bytes) -> None:
    found = into("x.flac", tag + flac(75, 150_000))
    facts = dict(found.facts)
    assert (found.format, facts["rate"], facts["channels"]) == ("FLAC audio", "16,000 Hz", "1 (mono)")
    assert "1:15" in facts["length"]


def flac_frame(number: int) -> bytes:
    """A frame without sound: what it begins with, the sum of that, and some bytes."""
    head = b"\xff\xf8\xc5\x08" + chr(number).encode()
    crc = 0
    for byte in head:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (7 if crc & 0x80 else 0)) & 0xFF
    return head + bytes([crc]) + b"\xff\xf8" + bytes(1000)


def test_a_flac_that_is_cut_says_how_much_of_it_is_here(into: Any) -> None:
    head, frames = flac(100, 70_000), [flac_frame(number) for number in range(391)]
    assert dict(into("x.flac", head + b"".join(frames)).facts)["length"] == "1:40"
    cut = head + b"".join(frames[:200]) + frames[200][:300]
    assert dict(into("x.flac", cut).facts)["length"] == "0:51 of 1:40, cut"


def test_an_aac_that_is_damaged_is_as_long_as_it_was(into: Any) -> None:
    data = adts(250)
    harmed = data[:9000] + b"\x55" * 400 + data[9400:]
    assert dict(into("x.aac", harmed).facts)["length"] == "16.00 s"


def element(number: str, content: bytes) -> bytes:
    return bytes.fromhex(number) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def test_a_webm_is_reported(into: Any) -> None:
    head = element("1a45dfa3", element("4282", b"webm") + element("4287", b"\4") + element("4285", b"\2"))
    info = element(
        "1549a966", element("2ad7b1", (1_000_000).to_bytes(4, "big")) + element("4489", struct.pack(">d", 9500.0))
    )
    audio = element("e1", element("b5", struct.pack(">d", 48_000.0)) + element("9f", b"\2"))
    track = element("ae", element("d7", b"\1") + element("83", b"\2") + element("86", b"A_OPUS") + audio)
    whole = head + element("18538067", info + element("1654ae6b", track) + element("ec", bytes(4000)))
    assert dict(into("x", whole[: len(whole) // 2]).facts)["length"] == "≈ 4.75 s of 9.50 s, cut"
    found = into("x", whole)
    facts = dict(found.facts)
    assert (found.format, facts["codec"], facts["channels"], facts["length"]) == (
        "WebM audio", "Opus", "2 (stereo)", "9.50 s",
    )  # fmt: skip


# MP4 files


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

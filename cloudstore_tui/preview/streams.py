"""What a sound library does not tell: where the sound of a WAV lies, how an Ogg ends, how long frames last."""

import struct
from typing import NamedTuple

from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample

_SLICEABLE = frozenset({1, 3, 6, 7})
"""Codecs of which any block stands alone."""
_DECODED = _SLICEABLE | {2, 0x11, 0xFFFE}
_MAX_CHUNKS = 100
_UNKNOWN = (0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Lengths that a recorder writes which cannot go back to fill them in."""
_TAIL = 64 * 1024
_EOS = 4


class Wav(NamedTuple):
    """The head of a WAV file."""

    codec: int
    channels: int
    rate: int
    bytes_per_second: int
    block: int
    start: int
    """Where the sound begins."""
    length: int | None
    """Bytes of sound, as the file says; `None` where it does not say."""
    frames: int
    """Samples of each channel, as the file says; 0 where it does not."""
    form: bytes
    """The chunk that describes the coding."""

    def file(self, sound: bytes) -> bytes:
        """A file of some of the sound, with nothing in it that could lead a decoder astray."""
        inside = b"WAVE" + self._chunk(b"fmt ", self.form) + self._chunk(b"data", sound)
        return self._chunk(b"RIFF", inside)

    @staticmethod
    def _chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content

    @property
    def is_sliceable(self) -> bool:
        """Whether pieces from its middle can be heard."""
        return self.codec in _SLICEABLE and self.block > 0 and self.bytes_per_second > 0

    @property
    def is_decoded(self) -> bool:
        """Whether it can be heard at all."""
        return self.codec in _DECODED


def wav_head(sample: Sample) -> Wav | None:
    """The chunks before the sound; `None` if they are damaged, or it has others."""
    file = sample.open(4096)
    magic = file.read(12)
    if magic[:4] not in (b"RIFF", b"RF64", b"BW64") or magic[8:12] != b"WAVE":
        return None
    chunks: dict[bytes, bytes] = {}
    try:
        for _ in range(_MAX_CHUNKS):
            name, length = struct.unpack("<4sI", file.read(8))
            at = file.tell()
            if name == b"data":
                return _wav(chunks, at, length)
            if name in (b"fmt ", b"ds64", b"fact"):
                chunks[name] = file.read(min(length, 64))
            file.seek(at + length + length % 2)
    except (struct.error, NotFetchedError):
        return None
    return None


def _wav(chunks: dict[bytes, bytes], start: int, length: int) -> Wav | None:
    form = chunks.get(b"fmt ", b"")
    codec, channels, rate, speed, block, _ = struct.unpack_from("<HHIIHH", form)
    if codec == 0xFFFE and len(form) >= 26:
        (codec,) = struct.unpack_from("<H", form, 24)
    known = None if length in _UNKNOWN else length
    if length == 0xFFFFFFFF and len(chunks.get(b"ds64", b"")) >= 16:
        known = int(struct.unpack_from("<Q", chunks[b"ds64"], 8)[0])
    frames = int.from_bytes(chunks.get(b"fact", b"")[:4], "little")
    if not channels or not rate:
        return None
    return Wav(codec, channels, rate, speed, block, start, known, frames if frames not in _UNKNOWN else 0, form)


_AU = {
    1: ("μ-law", 1), 2: ("PCM, 8 bits", 1), 3: ("PCM, 16 bits", 2), 4: ("PCM, 24 bits", 3), 5: ("PCM, 32 bits", 4),
    6: ("PCM with floating point, 32 bits", 4), 7: ("PCM with floating point, 64 bits", 8), 27: ("A-law", 1),
}  # fmt: skip


def au_head(head: bytes) -> tuple[str, int, int, int | None] | None:
    """Coding, bytes per second, where the sound of an AU file begins, and its bytes if that is told."""
    if not head.startswith(b".snd") or len(head) < 24:
        return None
    start, length, coding, rate, channels = struct.unpack_from(">IIIII", head, 4)
    name, size = _AU.get(coding, ("", 0))
    if not size or not rate or not 0 < channels < 64:
        return None
    return name, rate * channels * size, start, None if length in _UNKNOWN else length


class OggEnd(NamedTuple):
    """The last page of an Ogg file."""

    granule: int
    lead: int
    """Samples at the beginning that are not heard."""
    shift: int
    """Bits of the position that count frames since the last whole picture."""
    is_last: bool
    """Whether the page says that nothing follows."""

    @property
    def frames(self) -> int:
        """How many samples, or pictures, there are."""
        if self.shift:
            return (self.granule >> self.shift) + (self.granule & ((1 << self.shift) - 1))
        return max(self.granule - self.lead, 0)

    def seconds(self, rate: int) -> float:
        """How long that is."""
        return self.frames / rate


def ogg_end(sample: Sample) -> OggEnd | None:
    """Where the main stream of an Ogg file ends; `None` if that cannot be read."""
    if not sample.head.startswith(b"OggS"):
        return None
    serial, lead, shift = _main_stream(sample.head)
    start = max(sample.size - _TAIL, 0)
    try:
        file = sample.open()
        file.seek(start)
        tail = file.read(_TAIL)
    except NotFetchedError:
        return None
    at, is_last = len(tail), False
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        if at + 27 > len(tail):
            continue
        _, _, flags, granule, number = struct.unpack_from("<4sBBqI", tail, at)
        if number == serial and granule >= 0:
            is_here = _page_end(tail, at) <= len(tail)
            return OggEnd(granule, lead, shift, is_last or bool(flags & _EOS and is_here))
    return None


def _page_end(data: bytes, at: int) -> int:
    segments = data[at + 26]
    return at + 27 + segments + sum(data[at + 27 : at + 27 + segments])


def _main_stream(head: bytes) -> tuple[int, int, int]:
    """Number, silent samples and shift of the first stream that is no index."""
    at = 0
    while head.startswith(b"OggS", at) and at + 28 < len(head):
        (serial,) = struct.unpack_from("<I", head, at + 14)
        body = head[at + 27 + head[at + 26] :]
        if body.startswith(b"OpusHead") and len(body) >= 12:
            return serial, int.from_bytes(body[10:12], "little"), 0
        if body.startswith(b"\x80theora") and len(body) >= 42:
            return serial, 0, (int.from_bytes(body[40:42], "big") >> 5) & 31
        if not body.startswith(b"fishead"):
            return serial, 0, 0
        at = _page_end(head, at)
    return 0, 0, 0


_BIT_RATES = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350)
_CHAIN = 3
"""Frames that have to follow each other until they are believed."""


def first_frame(data: bytes) -> int | None:
    """Where MPEG frames begin, also behind a tag, zeros or half of a frame; `None` if there are none."""
    at = data.find(b"\xff")
    while 0 <= at < len(data) - 4:
        if _is_chain(data, at):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _is_chain(data: bytes, at: int) -> bool:
    for number in range(_CHAIN):
        length = _frame_length(data[at : at + 6])
        if not length:
            return number > 1 and at >= len(data) - 6
        at += length
        if at >= len(data) - 4:
            return number >= 1 or at == len(data)
    return True


def _frame_length(head: bytes) -> int:
    """Bytes of an MPEG or ADTS frame, 0 if none begins here."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        is_adts = head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < len(_ADTS_RATES)
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if is_adts else 0
    rates = _RATES.get(version)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if rates is None or rate == 3 or bits in (0, 15):
        return 0
    table = _BIT_RATES.get((version, layer)) or _BIT_RATES[(2, 3 if layer == 3 else 1)]
    bytes_per_second, padding = table[bits - 1] * 125, head[2] >> 1 & 1
    if layer == 3:
        return (12 * bytes_per_second * 8 // rates[rate] + padding) * 4
    samples = 1152 if layer == 2 or version == 3 else 576
    return samples * bytes_per_second // rates[rate] + padding


def has_frame_count(head: bytes, at: int) -> bool:
    """Whether the first MPEG frame says how many follow."""
    return any(mark in head[at : at + 200] for mark in (b"Xing", b"Info", b"VBRI"))


def adts_seconds(data: bytes) -> tuple[float, int]:
    """How long the ADTS frames in these bytes last, and in how many bytes."""
    at = first_frame(data) or 0
    start, seconds = at, 0.0
    while (length := _frame_length(data[at : at + 6])) > 7 and at + length <= len(data):
        rate = data[at + 2] >> 2 & 15
        seconds += 1024 * ((data[at + 6] & 3) + 1) / _ADTS_RATES[rate] if at + 6 < len(data) else 0.0
        at += length
    return seconds, at - start

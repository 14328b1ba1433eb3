"""The head of a WAV file, and pieces from the middle of one made playable."""

import struct
from dataclasses import dataclass

_NAMES = {
    1: "PCM", 2: "ADPCM", 3: "PCM with floating point", 6: "A-law", 7: "μ-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10",
    0x40: "G.721", 0x55: "MP3", 0x64: "G.726", 0xFFFE: "PCM (extensible)",
}  # fmt: skip
SLICEABLE = frozenset({1, 3, 6, 7})
"""Codecs of which any block stands alone."""
_MOST_CHUNKS = 100


@dataclass(frozen=True, slots=True)
class WavHead:
    """What the head says."""

    codec: int
    channels: int
    rate: int
    bytes_per_second: int
    block: int
    bits: int
    start: int
    """Where the sound begins."""
    length: int
    """Bytes of sound, as the file says."""

    @property
    def name(self) -> str:
        """The codec in words."""
        name = _NAMES.get(self.codec, f"codec {self.codec:#x}")
        return f"{name}, {self.bits} bits" if self.bits and self.codec in (1, 3, 0xFFFE) else name


def wav_head(head: bytes) -> WavHead | None:
    """The head; `None` if it is damaged, or longer than these bytes."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, form = 12, None
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(head):
            return None
        name, length = struct.unpack_from("<4sI", head, at)
        if name == b"fmt " and at + 24 <= len(head):
            form = struct.unpack_from("<HHIIHH", head, at + 8)
        if name == b"data":
            if form is None or not form[1] or not form[2]:
                return None
            codec, channels, rate, speed, block, bits = form
            return WavHead(codec, channels, rate, speed, block, bits, at + 8, length)
        at += 8 + length + length % 2
    return None


def of_slice(head: bytes, start: int, sound: bytes) -> bytes:
    """A WAV file of its own, from the head of the whole and sound out of its middle."""
    return head[: start - 4] + struct.pack("<I", len(sound)) + sound

"""Frames of MPEG-2 layer III, built by hand: stereo, 24 kHz, 24 kbit/s, two voices that take turns.

Every frame stands alone (it borrows no bits), lasts 24 ms and has 72 bytes, so the length of a recording is known
without making it. A voice is one spectral line: the cheapest sound that a decoder can play.
"""

from functools import cache
from random import Random

FRAME = 72
"""Bytes: 72 · 24,000 bit/s / 24,000 Hz."""

FRAME_SECONDS = 0.024
"""576 samples."""

_BLOCK_FRAMES = 125
"""Frames of the pieces that recordings are put together from: exactly three seconds."""

_HEADER = bytes((0xFF, 0xF3, 0x34, 0x04))
"""Sync, MPEG-2, layer III, no CRC; 24 kbit/s, 24 kHz, no padding; stereo; original."""

_LINES = (7, 9, 11, 13)
"""Spectral lines of the voices; line n sounds at about 21 · (n + ½) Hz."""

_LOUDNESS = (186, 191, 196)
"""Global gains: each step of four is twice as loud; 210 would be full scale."""


def frames_in(seconds: float) -> int:
    """How many frames it takes to last `seconds`, the last one filled up."""
    return -(-round(seconds * 1000) // 24)


@cache
def blocks() -> tuple[bytes, ...]:
    """Pieces of three seconds each: one side speaks in bursts, the other is silent, or both are."""
    made = [_block(Random(number), side=number % 2) for number in range(8)]
    return (*made, _frame(None, None) * _BLOCK_FRAMES)


BLOCK = FRAME * _BLOCK_FRAMES
"""Bytes of one piece."""


def _block(chance: Random, side: int) -> bytes:
    frames: list[bytes] = []
    while len(frames) < _BLOCK_FRAMES:
        voice = (chance.choice(_LINES), chance.choice(_LOUDNESS))
        burst = _frame(voice, None) if side == 0 else _frame(None, voice)
        frames += [burst] * chance.randrange(6, 22) + [_frame(None, None)] * chance.randrange(2, 8)
    return b"".join(frames[:_BLOCK_FRAMES])


def _frame(left: tuple[int, int] | None, right: tuple[int, int] | None) -> bytes:
    """One frame with a line and a loudness on each side, or silence."""
    coded = [_spectrum(voice[0]) if voice else "" for voice in (left, right)]
    # No bits from earlier frames, no private bits; then one granule for each side.
    side_info = format(0, "010b")
    for voice, bits in zip((left, right), coded, strict=True):
        pairs, gain = (voice[0] // 2 + 1, voice[1]) if voice else (0, 0)
        # Length, pairs, gain, no scale factors, no window switching, table 1 in all three regions, region bounds.
        side_info += f"{len(bits):012b}{pairs:09b}{gain:08b}{0:09b}0{1:05b}{1:05b}{1:05b}{0:04b}{0:03b}00"
    stream = side_info + coded[0] + coded[1]
    stream = stream.ljust((FRAME - len(_HEADER)) * 8, "0")
    return _HEADER + int(stream, 2).to_bytes(FRAME - len(_HEADER), "big")


def _spectrum(line: int) -> str:
    """The line as pairs in Huffman table 1, in which `1` is a pair of zeros."""
    last = "01" if line % 2 == 0 else "001"
    return "1" * (line // 2) + last + "0"

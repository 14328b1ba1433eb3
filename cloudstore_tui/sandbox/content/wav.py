"""Pieces of telephone sound for WAV files: 8 kHz, 16 bits, mono, voices of different pitch and loudness."""

import struct
import sys
from array import array
from functools import cache
from math import pi, sin

RATE = 8000
BLOCK = RATE * 2
"""Bytes of one second."""

HEADER = 44
"""Bytes before the sound."""

_VOICES = ((131, 9000), (147, 14_000), (196, 6000), (220, 11_000), (165, 3500), (247, 7500))
"""Pitch in Hz and loudness of each piece, full scale being 32,767."""

_SYLLABLES = 4
"""How often the loudness swells in a second."""


@cache
def blocks() -> tuple[bytes, ...]:
    """Seconds of speech-like sound, and one of silence."""
    return (*(_second(pitch, loudness) for pitch, loudness in _VOICES), bytes(BLOCK))


def header(sound: int) -> bytes:
    """The head of a WAV file with `sound` bytes of sound."""
    return struct.pack(
        *("<4sI4s4sIHHIIHH4sI", b"RIFF", HEADER - 8 + sound, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16),
        *(b"data", sound),
    )


def _second(pitch: int, loudness: int) -> bytes:
    swell = [sin(pi * _SYLLABLES * place / RATE) ** 2 for place in range(RATE // _SYLLABLES)] * _SYLLABLES
    turn = 2 * pi * pitch / RATE
    samples = array("h", (int(loudness * swell[place] * sin(turn * place)) for place in range(RATE)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()

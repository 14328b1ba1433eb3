"""Bytes into text."""

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

SAMPLE = 32 * 1024
"""Bytes that an encoding is guessed from."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_MOST_CONTROLS = 0.02
"""The share of control characters above which bytes are no text."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, and how it was written."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded | None:
    """The text in bytes that may end in the middle of a character; `None` if they are no text."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return Decoded(_partly(data, codec, "replace"), name)
    if b"\0" in data or len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MOST_CONTROLS:
        return None
    try:
        text = _partly(data, "utf-8", "strict")
    except UnicodeDecodeError:
        return _guess(data)
    return Decoded(text, "ASCII" if text.isascii() else "UTF-8")


def _partly(data: bytes, codec: str, errors: str) -> str:
    return codecs.getincrementaldecoder(codec)(errors).decode(data)


def _guess(data: bytes) -> Decoded | None:
    best = from_bytes(data[:SAMPLE]).best()
    if best is None:
        return None
    return Decoded(_partly(data, best.encoding, "replace"), f"{best.encoding.replace('_', '-')} (guessed)")

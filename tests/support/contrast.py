"""How much a text stands out from what is behind it."""

from collections.abc import Iterator
from typing import Any

from rich.segment import Segment

TEXT, LINES = 4.5, 1.0
"""Least ratios of WCAG 2 for text; frames and bars only part what is read, and are measured with the themes."""
_DRAWN = {*map(chr, range(0x2500, 0x25A0)), "…"}


def least(text: str) -> float:
    return LINES if set(text.strip()) <= _DRAWN else TEXT


def contrast(segment: Segment) -> float:
    """How much the characters of a segment stand out; infinite for blanks."""
    style = segment.style
    if style is None or style.color is None or style.bgcolor is None or not segment.text.strip():
        return float("inf")
    assert not style.dim, segment
    bright, dim = sorted(map(luminance, (style.color, style.bgcolor)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: Any) -> float:
    """The relative luminance of WCAG 2."""
    red, green, blue = _linear(colour.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(triplet: Any) -> Iterator[float]:
    for part in triplet.normalized:
        yield part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

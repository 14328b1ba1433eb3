"""Bytes as numbers and letters."""

from collections.abc import Iterator

ROW = 16
"""Bytes on a line."""


def hex_lines(data: bytes) -> Iterator[str]:
    """Offset, bytes, and the letters among them."""
    for offset in range(0, len(data), ROW):
        row = data[offset : offset + ROW]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{offset:08x}  {left:23}  {right:23}  {letters}"

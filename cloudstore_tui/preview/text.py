"""Plain text."""

import re

from cloudstore_tui.preview.encoding import Decoded
from cloudstore_tui.preview.preview import Preview, Text

LONGEST_LINE = 4096
"""Characters after which a line is broken."""
MOST_LINES = 200_000
_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")


def text_preview(decoded: Decoded, name: str = "text") -> Preview:
    """Text, line by line."""
    lines, cut = text_lines(decoded.text)
    notes = (f"Only the first {MOST_LINES:,} lines are shown.",) if cut else ()
    return Preview(name, Text(lines), notes=notes, encoding=decoded.encoding)


def text_lines(text: str) -> tuple[tuple[str, ...], bool]:
    """The lines of a text, very long ones broken; and whether there were too many."""
    lines: list[str] = []
    for line in _BREAK.split(text.removesuffix("\n").removesuffix("\r")):
        lines.extend(line[at : at + LONGEST_LINE] for at in range(0, max(len(line), 1), LONGEST_LINE))
        if len(lines) > MOST_LINES:
            return tuple(lines[:MOST_LINES]), True
    return tuple(lines), False

"""Text: how its bytes are written, and its lines."""

import codecs
import re
from typing import NamedTuple

from cloudstore_tui.preview.model import Preview, Text
from cloudstore_tui.preview.sample import Sample

LONGEST_LINE = 4096
"""Characters after which a line is broken."""
MAX_LINES = 200_000
_SAMPLE = 32 * 1024
"""Bytes that an encoding is guessed from."""
_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_UNMARKED = (
    ("utf-32-le", "UTF-32 without mark", 4, 0), ("utf-32-be", "UTF-32 without mark", 4, 3),
    ("utf-16-le", "UTF-16 without mark", 2, 0), ("utf-16-be", "UTF-16 without mark", 2, 1),
)  # fmt: skip
"""Codec, name, bytes of a character, and which of these bytes is not 0 in Western text."""
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_MAX_CONTROLS = 0.02
"""The share of control characters above which bytes are no text."""
_MAX_BAD = 0.02
"""The share of characters that cannot be read up to which a text is UTF-8 all the same."""
_FOREIGN = 0.3
"""The share of letters beyond ASCII from which on a text is in no Western language."""


class DecodedText(NamedTuple):
    """Text, and how it was written."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> DecodedText | None:
    """The text in bytes that may end in the middle of a character; `None` if they are no text."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return DecodedText(_partly(data, codec, "replace"), name)
    if b"\0" in data and (wide := _wide(data)) is not None:
        return wide
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MAX_CONTROLS:
        return None
    return _utf8(data) or _guess(data)


def _partly(data: bytes, codec: str, errors: str = "strict") -> str:
    return codecs.getincrementaldecoder(codec)(errors).decode(data)


def _wide(data: bytes) -> DecodedText | None:
    """Two or four bytes a character, which in Western text leave zeros at the same places."""
    for codec, name, width, place in _UNMARKED:
        columns = [data[offset:_SAMPLE:width] for offset in range(width)]
        zeros = [column.count(0) / max(len(column), 1) for column in columns]
        if zeros[place] < 0.1 and all(share > 0.7 for offset, share in enumerate(zeros) if offset != place):
            return DecodedText(_partly(data, codec, "replace"), name)
    return None


def _utf8(data: bytes) -> DecodedText | None:
    """UTF-8, also with a few bytes that are damaged."""
    try:
        text = _partly(data, "utf-8")
    except UnicodeDecodeError:
        text = _partly(data, "utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(1 for character in text[:_SAMPLE] if character > "\x7f") - bad
        if good <= 4 * bad or bad > len(text) * _MAX_BAD:
            return None
        count = "One byte is" if bad == 1 else f"{bad:,} places are"
        return DecodedText(text, "UTF-8", (f"{count} damaged and shown as \ufffd.",))
    return DecodedText(text, "ASCII" if text.isascii() else "UTF-8")


def _guess(data: bytes) -> DecodedText | None:
    """An encoding of one of the old code pages: Windows-1252 unless the letters say something else."""
    # Deferred: it takes a while to load, and most text is UTF-8.
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    found = from_bytes(sample).best()
    if found is not None and _is_foreign(str(found)):
        return DecodedText(_partly(data, found.encoding, "replace"), f"{found.encoding.replace('_', '-')} (guessed)")
    codec = "latin-1" if set(data) & set(b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    name = "Windows-1252" if codec == "cp1252" else "Latin-1"
    return DecodedText(_partly(data, codec), f"{name} (guessed)")


def _is_foreign(text: str) -> bool:
    """Whether most of what is beyond ASCII are letters of another script, and there are many of them."""
    letters = [character for character in text if character.isalpha()]
    beyond = [character for character in letters if character > "\u024f"]
    return len(beyond) > _FOREIGN * len(letters) and len(letters) >= 8


def text_preview(decoded: DecodedText, sample: Sample) -> Preview:
    """Text, line by line."""
    name = {"yaml": "YAML", "yml": "YAML", "md": "Markdown", "html": "HTML", "htm": "HTML"}.get(
        sample.facts.extension, "text"
    )
    lines, cut = text_lines(decoded.text)
    notes = (f"Only the first {MAX_LINES:,} lines are shown.",) if cut else ()
    return Preview(name, Text(lines), notes=(*decoded.notes, *notes), encoding=decoded.encoding)


def text_lines(text: str) -> tuple[tuple[str, ...], bool]:
    """The lines of a text, very long ones broken; and whether there were too many."""
    lines: list[str] = []
    for line in _BREAK.split(text.removesuffix("\n").removesuffix("\r")):
        lines.extend(line[at : at + LONGEST_LINE] for at in range(0, max(len(line), 1), LONGEST_LINE))
        if len(lines) > MAX_LINES:
            return tuple(lines[:MAX_LINES]), True
    return tuple(lines), False

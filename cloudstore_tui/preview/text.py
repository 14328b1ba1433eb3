"""Text: its encoding, and its lines."""

import codecs
import re
from typing import NamedTuple

from cloudstore_tui.preview.model import Preview, Text
from cloudstore_tui.preview.sample import Sample

MAX_LINE = 4096
"""Characters of a line; longer ones are broken."""
MAX_LINES = 200_000
_SAMPLE_BYTES = 32 * 1024
"""Bytes from which an encoding is guessed."""
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WIDE_CODECS = (
    ("utf-32-le", "UTF-32 without mark", 4, 0), ("utf-32-be", "UTF-32 without mark", 4, 3),
    ("utf-16-le", "UTF-16 without mark", 2, 0), ("utf-16-be", "UTF-16 without mark", 2, 1),
)  # fmt: skip
"""Codec, name, bytes of a character, and index of the byte that is not 0 in Western text."""
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_MAX_CONTROLS = 0.02
"""The share of control characters beyond which bytes are not text."""
_MAX_DAMAGED = 0.02
"""The share of invalid characters up to which a text still counts as UTF-8."""
_MIN_FOREIGN = 0.3
"""The share of letters beyond Latin from which a text is not in a Western language."""


class DecodedText(NamedTuple):
    """Text, and how it was encoded."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> DecodedText | None:
    """The text in bytes that may end in the middle of a character; `None` if they are not text."""
    for mark, codec, name in _BOMS:
        if data.startswith(mark):
            return DecodedText(_decode_partial(data, codec, "replace"), name)
    if b"\0" in data and (wide := _wide(data)) is not None:
        return wide
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MAX_CONTROLS:
        return None
    return _utf8(data) or _guess(data)


def _decode_partial(data: bytes, codec: str, errors: str = "strict") -> str:
    return codecs.getincrementaldecoder(codec)(errors).decode(data)


def _wide(data: bytes) -> DecodedText | None:
    """UTF-16 or UTF-32 without a BOM, known by the zeros that Western text has in the same place of each character."""
    for codec, name, width, place in _WIDE_CODECS:
        columns = [data[offset:_SAMPLE_BYTES:width] for offset in range(width)]
        zeros = [column.count(0) / max(len(column), 1) for column in columns]
        if zeros[place] < 0.1 and all(share > 0.7 for offset, share in enumerate(zeros) if offset != place):
            return DecodedText(_decode_partial(data, codec, "replace"), name)
    return None


def _utf8(data: bytes) -> DecodedText | None:
    """UTF-8, in spite of a few damaged bytes."""
    try:
        text = _decode_partial(data, "utf-8")
    except UnicodeDecodeError:
        text = _decode_partial(data, "utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(1 for character in text[:_SAMPLE_BYTES] if character > "\x7f") - bad
        if good <= 4 * bad or bad > len(text) * _MAX_DAMAGED:
            return None
        count = "One byte is" if bad == 1 else f"{bad:,} places are"
        return DecodedText(text, "UTF-8", (f"{count} damaged and shown as \ufffd.",))
    return DecodedText(text, "ASCII" if text.isascii() else "UTF-8")


def _guess(data: bytes) -> DecodedText | None:
    """One of the old code pages: Windows-1252 unless the letters suggest another."""
    # Deferred: it takes a while to load, and most text is UTF-8.
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE_BYTES]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    found = from_bytes(sample).best()
    if found is not None and _is_foreign(str(found)):
        name = found.encoding.replace("_", "-")
        return DecodedText(_decode_partial(data, found.encoding, "replace"), f"{name} (guessed)")
    codec = "latin-1" if set(data) & set(b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    name = "Windows-1252" if codec == "cp1252" else "Latin-1"
    return DecodedText(_decode_partial(data, codec), f"{name} (guessed)")


def _is_foreign(text: str) -> bool:
    """Whether many of the letters are of another script than Latin."""
    letters = [character for character in text if character.isalpha()]
    beyond = [character for character in letters if character > "\u024f"]
    return len(beyond) > _MIN_FOREIGN * len(letters) and len(letters) >= 8


def text_preview(decoded: DecodedText, sample: Sample) -> Preview:
    """Text, line by line."""
    name = {"yaml": "YAML", "yml": "YAML", "md": "Markdown", "html": "HTML", "htm": "HTML"}.get(
        sample.facts.extension, "text"
    )
    lines, cut = text_lines(decoded.text)
    notes = (f"Only the first {MAX_LINES:,} lines are shown.",) if cut else ()
    return Preview(name, Text(lines), notes=(*decoded.notes, *notes), encoding=decoded.encoding)


def text_lines(text: str) -> tuple[tuple[str, ...], bool]:
    """The lines of a text, overlong ones broken; and whether there were more than `MAX_LINES`."""
    lines: list[str] = []
    for line in _LINE_BREAK.split(text.removesuffix("\n").removesuffix("\r")):
        lines.extend(line[at : at + MAX_LINE] for at in range(0, max(len(line), 1), MAX_LINE))
        if len(lines) > MAX_LINES:
            return tuple(lines[:MAX_LINES]), True
    return tuple(lines), False

"""Remote text made safe to show: one line, without anything that a terminal would interpret.

Names, tags and messages come from other people. Whatever they contain, a row stays one row: invisible characters are
shown as a control picture or a code.
"""

import re
import unicodedata
from collections.abc import Iterator

MAX_LENGTH = 16_384
"""Characters of one text that are shown by default; nobody reads further on a screen."""

MAX_MARKS = 4
"""Combining marks drawn on one character; living languages need no more."""

_ODD = re.compile(
    "[^ -~\u00a1-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u03ce\u0400-\u0481\u2010-\u2027\u2030-\u205e\u2500-\u25ff"
    "\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+"
)
"""Anything but characters known to be visible, one or two cells wide, and not to join with others."""

_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that are invisible although Unicode counts them as letters, marks or symbols."""

_KEYCAPS = frozenset("#*0123456789©®™ℹ‼⁉〰〽㊗㊙")  # noqa: RUF001 - these very characters can become emoji
_ZWJ = "\u200d"
_PRESENTATION = "\ufe0e\ufe0f"


def plain(text: str, limit: int = MAX_LENGTH) -> str:
    """`text` as one line that is safe to draw; more than `limit` characters end with `…`."""
    text = cut(text, limit)
    if text.isascii() and text.isprintable():
        return text
    return "".join(piece for piece, _ in pieces(text))


def cut(text: str, limit: int) -> str:
    """`text`, with `…` for what is beyond `limit` characters."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def folded(text: str) -> str:
    """The same key for texts that differ only in case, or in how their accents are encoded."""
    if text.isascii():
        # The same result in a fifth of the time.
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


_ACCENTS = re.compile("[\u0300-\u036f]+")


def unaccented(text: str) -> str:
    """A text in lower case without accents, so that `wojcik` finds `Wójcik`."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text).casefold()))


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The visible form of `text`, in order, and whether each piece is a code for something invisible."""
    end = 0
    for run in _ODD.finditer(text):
        if run.start() > end:
            yield text[end : run.start()], False
        yield from _odd_pieces(text, run.start(), run.end())
        end = run.end()
    if end < len(text):
        yield text[end:], False


def _odd_pieces(text: str, start: int, stop: int) -> Iterator[tuple[str, bool]]:
    marks = 0
    for index in range(start, stop):
        character = text[index]
        if _is_mark(character, text, index):
            marks += 1
            if marks <= MAX_MARKS:
                # A mark without a base would combine with whatever is to the left of the text on the screen.
                yield ("◌" if index == 0 else "") + character, False
            continue
        if marks > MAX_MARKS:
            yield f"‹+{marks - MAX_MARKS}›", True
        marks = 0
        yield (character, False) if _is_drawn(character, text, index) else (_code(character), True)
    if marks > MAX_MARKS:
        yield f"‹+{marks - MAX_MARKS}›", True


def _is_mark(character: str, text: str, index: int) -> bool:
    if character in _PRESENTATION:
        return index > 0 and (_is_emoji(text[index - 1]) or text[index - 1] in _KEYCAPS)
    return unicodedata.category(character)[0] == "M" and not _BLANKS.match(character)


def _is_drawn(character: str, text: str, index: int) -> bool:
    if character == _ZWJ:
        return _joins_emoji(text, index)
    if character.isprintable():
        return not _BLANKS.match(character)
    return unicodedata.category(character) == "Zs"


def _joins_emoji(text: str, index: int) -> bool:
    before = index - 1
    if before > 0 and text[before] in _PRESENTATION:
        before -= 1
    return before >= 0 and index + 1 < len(text) and _is_emoji(text[before]) and _is_emoji(text[index + 1])


def _is_emoji(character: str) -> bool:
    if not ("\U0001f000" <= character <= "\U0001faff" or "\u2190" <= character <= "\u2bff"):
        return False
    return unicodedata.category(character) in ("So", "Sk", "Sm")


def _code(character: str) -> str:
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else f"‹{number:04X}›"

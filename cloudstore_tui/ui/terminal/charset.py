"""Characters for terminals that do not speak UTF-8: what the charset lacks is drawn with what it has."""

import codecs
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from rich.cells import get_character_cell_size

UTF_8 = "utf-8"

_SIGNS = {
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺╼╾▁▔⎯\u2010\u2011\u2012\u2013\u2014―\u2212", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻╽╿▏▕▎▍▌▐⎪", "|"),
    **dict.fromkeys("█▉▊▋▇▆▅▄▃▂▀■▰◼▪", "#"),
    **dict.fromkeys("░▒▓□▱▫◻", ":"),
    **dict.fromkeys("▶▸►▷▹→⇒⟶›»\u276f", ">"),
    **dict.fromkeys("◀◂◄◁◃←⇐⟵‹«\u276e", "<"),
    **dict.fromkeys("▲▴△▵↑⇑⌃", "^"),
    **dict.fromkeys("▼▾▽▿↓⇓⌄", "v"),
    **dict.fromkeys("•·∙○◦◆◇★☆⋅", "*"),
    "●": "o",
    **dict.fromkeys("✓✔√☑", "+"),
    **dict.fromkeys("✗✘✕×☒", "x"),
    "❄": "@",
    **dict.fromkeys("\u2018\u2019\u201a\u2032", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " "),
    **dict.fromkeys("↔⇔↕", "="),
    # A tilde before a slash would be another place: the user's home.
    "…": "*",
    "≤": "<",
    "≥": ">",
    "≠": "!",
    "≈": "~",
    "⏎": "<",
    "↵": "<",
    "⟳": "~",
    "↻": "~",
    "€": "E",
    "⚠": "!",
    "∞": "8",
    "ß": "s",
    "ø": "o",
    "Ø": "O",
    "æ": "a",
    "Æ": "A",
    "ł": "l",
    "Ł": "L",
    "µ": "u",
    **dict.fromkeys("ðđ", "d"),
}
_KEYS = {"↑": "up", "↓": "down", "←": "left", "→": "right", "⏎": "enter", "⇥": "tab", "⌫": "backspace"}
_LOW, _LAST_SPOKEN = 0x2500, 0x257F


@cache
def in_charset(character: str, charset: str) -> str:
    """One character, or as many signs as it is wide, of what the charset has; nothing for what has no width."""
    with suppress(UnicodeEncodeError):
        character.encode(charset)
        return character
    width = get_character_cell_size(character)
    if width == 0:
        return ""
    sign = _SIGNS.get(character)
    if sign is None and _LOW <= ord(character) <= _LAST_SPOKEN:
        sign = "+"
    if sign is None:
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
        sign = plain if len(plain) == width and plain.isprintable() else "?" * width
    return sign


def to_charset(text: str, charset: str) -> str:
    """A text of the same width that the charset can write."""
    if text.isascii():
        return text
    return "".join([in_charset(character, charset) for character in text])


def key_in_charset(display: str, charset: str) -> str:
    """A key as it is shown, with words for signs that the charset lacks: a lookalike would be another key."""
    return "".join([_KEYS.get(sign, sign) if in_charset(sign, charset) != sign else sign for sign in display])


def charset_of(environment: Mapping[str, str]) -> str:
    """The charset that the locale of an environment names; ASCII where it names none, as POSIX has it."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "C")
    named = locale.partition("@")[0].partition(".")[2] or locale
    try:
        charset = codecs.lookup(named).name
    except LookupError:
        return "ascii"
    return charset


def environment_at_start(current: Mapping[str, str]) -> Mapping[str, str]:
    """The environment as the user's shell gave it: Python itself sets `LC_CTYPE` where the locale is C."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return current
    pairs = (entry.partition("=") for entry in raw.decode("utf-8", "replace").split("\0"))
    return {name: value for name, equals, value in pairs if equals} or current

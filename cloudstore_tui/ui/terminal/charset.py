"""Replacement characters for terminals without UTF-8."""

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
    # Not a tilde: before a slash that would mean the home folder.
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
    """A character, or a replacement of the same width that the charset has."""
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
    """A text of the same width, with replacements for what the charset lacks."""
    if text.isascii():
        return text
    return "".join([in_charset(character, charset) for character in text])


def key_in_charset(display: str, charset: str) -> str:
    """A key with words for symbols that the charset lacks; a similar character would name another key."""
    return "".join([_KEYS.get(sign, sign) if in_charset(sign, charset) != sign else sign for sign in display])


def charset_of(environment: Mapping[str, str]) -> str:
    """The charset of the locale in an environment; ASCII without one, as POSIX defines."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "C")
    named = locale.partition("@")[0].partition(".")[2] or locale
    try:
        charset = codecs.lookup(named).name
    except LookupError:
        return "ascii"
    return charset


def environment_at_start(current: Mapping[str, str]) -> Mapping[str, str]:
    """The environment from the shell; Python itself sets `LC_CTYPE` in the C locale."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return current
    pairs = (entry.partition("=") for entry in raw.decode("utf-8", "replace").split("\0"))
    return {name: value for name, equals, value in pairs if equals} or current

"""Phrases from parts: a value that somebody chose, and the words that a shell hands over."""

import re
from collections.abc import Sequence

from cloudstore_tui.fiql.names import name_of

_SPECIAL = re.compile(r'(["\\*…])')
_ONE_VALUE = re.compile(r"""(-?([^\W\d][\w.-]*):(?:>=|<=|!=|==?|>|<|~)?)([^"'][\s\S]*)""")
_NEXT_KEY = re.compile(r"\s-?([^\W\d][\w.-]*)(?::|[<>])")


def phrase_value(value: str) -> str:
    """A value as it stands in a phrase: in quotes, always one value, and no star in it stands for anything."""
    return '"' + _SPECIAL.sub(r"\\\1", value) + '"'


def phrase_of(words: Sequence[str]) -> str:
    """The phrase that somebody typed as words of a command line.

    The shell has taken the quotes away: `agent:"Khang Glynn"` comes as one word with a blank. It gets its quotes back
    unless it holds quotes or another condition and so is a phrase of its own.
    """
    return " ".join(_whole(word) for word in words)


def _whole(word: str) -> str:
    one = _ONE_VALUE.fullmatch(word)
    if not one or not any(mark.isspace() for mark in word):
        return word
    # Commas stay what they are, and so do stars: only blanks are new to the shell's reader.
    keys = [key for key in _NEXT_KEY.findall(one[3]) if name_of(key)]
    if keys or not name_of(one[2]) or '"' in one[3]:
        return word
    return one[1] + ",".join(_requoted(part) for part in one[3].split(","))


def _requoted(part: str) -> str:
    return '"' + part.replace("\\", "\\\\") + '"' if any(mark.isspace() for mark in part) else part

"""Holes in a saved filter or phrase: `queue:?queue` is asked for each time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.fiql import is_fiql, phrase_value, quote

_PARTS = re.compile(
    r"""(?:(?<=[\s:=<>~(,-])|\A)(?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*')|"""
    r"(?<=[:=<>~(,])\?(?P<name>[A-Za-z][A-Za-z0-9_-]{0,31})(?![^\s,;)])"
)
"""A text in quotes, in which nothing is a hole, or a hole: it stands where a value would."""


@dataclass(frozen=True, slots=True)
class Hole:
    """One place that has to be filled."""

    name: str
    start: int
    end: int


def holes_of(text: str) -> tuple[Hole, ...]:
    """The holes of a filter or phrase, from left to right; a name may come twice."""
    return tuple(Hole(found["name"], *found.span()) for found in _PARTS.finditer(text) if found["name"])


def fill(text: str, values: Mapping[str, str], *, partly: bool = False) -> str:
    """The text with values in its holes; a value stays one value, whatever is in it.

    With `partly`, holes without a value stay holes.

    Raises:
        UsageError: a value for a hole that is not there.
        FilterError: a hole without a value.
    """
    holes = holes_of(text)
    names = list(dict.fromkeys(hole.name for hole in holes))
    for name in values:
        if name not in names:
            known = f"The holes are: {', '.join(names)}." if names else "It has no holes."
            raise UsageError(f"there is no hole {name}", subject=f"?{name}", hint=known)
    write = quote if is_fiql(text) else phrase_value
    parts, end = [], 0
    for hole in holes:
        if hole.name in values:
            parts += [text[end : hole.start], write(values[hole.name])]
            end = hole.end
        elif not partly:
            raise missing(text, hole)
    return "".join([*parts, text[end:]])


def missing(text: str, hole: Hole) -> FilterError:
    """The error for a hole that nobody filled."""
    message = f"?{hole.name} has no value (at character {hole.start + 1})"
    return FilterError(message, text=text, position=hole.start, hint=f"Write the {hole.name} in its place.")

"""How a cell looks: the parameters of the sequence SGR, and the shortest way from one look to another."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

PLAIN = ""
"""The look of a terminal that was told nothing."""

_INVISIBLE_ON_SPACES = {"1", "2", "3", "5", "6"}
_COMPLEX = {"38", "48"}


class Pen(NamedTuple):
    """A look, taken apart."""

    signs: frozenset[str]
    """Bold, underlined, reversed and the like."""
    ink: str
    ground: str

    @property
    def parameters(self) -> str:
        """The look as SGR takes it."""
        return ";".join(part for part in (*sorted(self.signs, key=int), self.ink, self.ground) if part)


@lru_cache(4096)
def read_pen(parameters: str) -> Pen:
    """Take the parameters of one SGR apart."""
    signs: set[str] = set()
    ink = ground = ""
    for code in _codes(parameters):
        number = int(code.partition(";")[0] or 0)
        if number == 0:
            signs, ink, ground = set(), "", ""
        elif 30 <= number <= 39 or 90 <= number <= 97:
            ink = "" if number == 39 else code
        elif 40 <= number <= 49 or 100 <= number <= 107:
            ground = "" if number == 49 else code
        else:
            signs.add(code)
    return Pen(frozenset(signs), ink, ground)


@lru_cache(4096)
def normal(parameters: str, *, colours: bool) -> str:
    """The same look written the one way in which looks are compared; without colours if there shall be none."""
    pen = read_pen(parameters)
    return (pen if colours else Pen(pen.signs, "", "")).parameters


@lru_cache(4096)
def on_space(parameters: str) -> str:
    """What of a look can be seen on a space: the ground, and lines through or under it."""
    pen = read_pen(parameters)
    if "7" in pen.signs:
        return parameters
    lines = pen.signs - _INVISIBLE_ON_SPACES
    return Pen(lines, pen.ink if lines else "", pen.ground).parameters


@lru_cache(16384)
def change(old: str | None, new: str) -> str:
    """The shortest sequence that leads from a look, or from an unknown one, to another."""
    whole = f"\x1b[0;{new}m" if new else "\x1b[m"
    if old is None or not new:
        return whole if old != new else ""
    before, after = read_pen(old), read_pen(new)
    if before.signs - after.signs:
        return whole
    parts = sorted(after.signs - before.signs, key=int)
    if before.ink != after.ink:
        parts.append(after.ink or "39")
    if before.ground != after.ground:
        parts.append(after.ground or "49")
    step = f"\x1b[{';'.join(parts)}m" if parts else ""
    return min(step, whole, key=len)


def _codes(parameters: str) -> Iterator[str]:
    """Each parameter, those of one colour together."""
    parts = iter(parameters.split(";"))
    for part in parts:
        if part in _COMPLEX:
            kind = next(parts, "5")
            rest = [next(parts, "0") for _ in range(3 if kind == "2" else 1)]
            yield ";".join((part, kind, *rest))
        else:
            yield part

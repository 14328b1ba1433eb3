"""How the sandbox compares values: the rules of a filter, and one comparison ready to be put to values."""

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cloudstore_tui.fiql import Comparison

_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,20})?", re.ASCII)

_ORDERS: dict[str, Callable[[float | str, float | str], bool]] = {
    "==": operator.eq,
    "=gt=": operator.gt,
    "=ge=": operator.ge,
    "=lt=": operator.lt,
    "=le=": operator.le,
}
_OPPOSITE = {"!=": "==", "=out=": "=in="}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the documents leave open about comparing, as the switches E-7, E-8 and E-9 set it."""

    numeric_tags: bool = True
    """Tags that look like numbers are compared as numbers."""
    missing_differs: bool = True
    """An object without the tag is found by `!=` and `=out=`."""
    wildcards: bool = False
    """`*` in a value stands for anything."""
    fold: bool = False
    """Capitals do not matter."""


@dataclass(frozen=True)
class Match:
    """One comparison, ready to be put to the values of many objects."""

    operator: str
    wanted: tuple[str, ...]
    rules: Rules
    numeric: bool = True
    """Whether numbers are compared as numbers."""

    @cached_property
    def numbers(self) -> tuple[float, ...] | None:
        """The wanted values as numbers, `None` if one of them is none or numbers do not count."""
        found = [number(value) for value in self.wanted] if self.numeric else [None]
        return None if None in found else tuple(value for value in found if value is not None)

    @cached_property
    def plain(self) -> bool:
        """Whether comparing texts byte by byte gives the right answer."""
        return not self.rules.fold and not (self.rules.wildcards and any("*" in value for value in self.wanted))

    def holds(self, value: str | int | None) -> bool:
        """Whether an object with this value passes; `None` stands for an object without it."""
        opposite = _OPPOSITE.get(self.operator)
        if value is None:
            return opposite is not None and self.rules.missing_differs
        if opposite:
            return not any(self._one(value, wanted, "==") for wanted in self.wanted)
        plain = "==" if self.operator == "=in=" else self.operator
        return any(self._one(value, wanted, plain) for wanted in self.wanted)

    def _one(self, value: str | int, wanted: str, compare: str) -> bool:
        if self.numeric and (mine := number(value)) is not None and (other := number(wanted)) is not None:
            return _ORDERS[compare](mine, other)
        text = str(value)
        if self.rules.fold:
            text, wanted = text.casefold(), wanted.casefold()
        if self.rules.wildcards and compare == "==" and "*" in wanted:
            return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), text, re.DOTALL) is not None
        return _ORDERS[compare](text, wanted)

    def key(self) -> str:
        """It as a text that a function of the database can take."""
        rules = self.rules
        flags = [rules.numeric_tags, rules.missing_differs, rules.wildcards, rules.fold]
        return json.dumps([self.operator, self.wanted, flags, self.numeric])


def number(value: str | int | None) -> float | None:
    """A value as a number, if it looks like one: whole numbers stay exact."""
    if isinstance(value, int):
        return value
    if value is None or not _NUMBER.fullmatch(value):
        return None
    # More digits than the database's whole numbers have.
    return float(value) if "." in value or len(value) > 18 else int(value)


def match_of(term: Comparison, rules: Rules, *, tag: bool) -> Match:
    """What a comparison of a filter asks of values."""
    return Match(term.operator, term.values, rules, numeric=rules.numeric_tags or not tag)


@lru_cache(maxsize=256)
def match_from(key: str) -> Match:
    """What `Match.key` wrote."""
    compare, wanted, flags, numeric = json.loads(key)
    return Match(compare, tuple(wanted), Rules(*flags), numeric)


def sort_key(value: str | int | None, *, numeric: bool = True) -> tuple[int, float, str]:
    """Sorts what is missing first, then numbers, then texts."""
    if value is None:
        return 0, 0, ""
    found = number(value) if numeric else None
    return (2, 0, str(value)) if found is None else (1, found, "")

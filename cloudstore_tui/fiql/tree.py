"""A filter as a tree, and which object types each comparison of it is about."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from cloudstore_tui.fiql.fields import TYPE_NAMES

_ESCAPE = re.compile(r"\\([\s\S])")

LIST_OPERATORS = ("=in=", "=out=")
"""Operators whose value is a list in parentheses."""

OPERATORS = ("==", "!=", "=gt=", "=ge=", "=lt=", "=le=", *LIST_OPERATORS)
"""Every operator of the service."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator as written, and its values without quotes and escapes."""

    selector: str
    operator: str
    values: tuple[str, ...]
    start: int = field(default=0, compare=False)
    """Offset in the text it was parsed from."""
    end: int = field(default=0, compare=False)

    @property
    def value(self) -> str:
        """The only value, or the first of a list."""
        return self.values[0]


@dataclass(frozen=True, slots=True)
class And:
    """Terms that must all hold; an `And` among them is taken apart, so that equal meanings are equal trees."""

    terms: "tuple[Node, ...]"

    def __post_init__(self) -> None:
        flat = [part for term in self.terms for part in (term.terms if isinstance(term, And) else (term,))]
        object.__setattr__(self, "terms", _at_least_two(flat))


@dataclass(frozen=True, slots=True)
class Or:
    """Terms of which at least one must hold; an `Or` among them is taken apart."""

    terms: "tuple[Node, ...]"

    def __post_init__(self) -> None:
        flat = [part for term in self.terms for part in (term.terms if isinstance(term, Or) else (term,))]
        object.__setattr__(self, "terms", _at_least_two(flat))


Node: TypeAlias = Comparison | And | Or
"""A filter or a part of one."""


def _at_least_two(terms: "list[Node]") -> "tuple[Node, ...]":
    if len(terms) < 2:
        raise ValueError("a join needs at least two terms")
    return tuple(terms)


def plain(value: str) -> str:
    """A value as written in a filter, without its quotes and escapes."""
    return _ESCAPE.sub(r"\1", value[1:-1]) if value[:1] in ("'", '"') else value


def comparisons(node: Node) -> Iterator[Comparison]:
    """Every comparison of a tree, from left to right."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Comparison):
            yield current
        else:
            waiting.extend(reversed(current.terms))


def rewrite(node: Node, change: Callable[[Comparison], Comparison]) -> Node:
    """The same tree with every comparison replaced by what `change` makes of it."""
    if isinstance(node, Comparison):
        return change(node)
    terms = tuple(rewrite(term, change) for term in node.terms)
    return And(terms) if isinstance(node, And) else Or(terms)


def top_terms(node: Node) -> "tuple[Node, ...]":
    """The terms that must all hold: those of an `And`, or the tree itself."""
    return node.terms if isinstance(node, And) else (node,)


def names_type(node: Node | None) -> bool:
    """Whether a filter says which types it is for."""
    return node is not None and any(
        isinstance(term, Comparison) and term.selector == "type" for term in top_terms(node)
    )


Types = tuple[str, ...]
"""Names of types; empty for any."""


def scoped(node: Node, types: Types = ()) -> Iterator[tuple[Comparison, Types]]:
    """Every comparison from left to right, with the types that the terms beside and above it leave over."""
    waiting: list[tuple[Node, Types]] = [(node, types)]
    while waiting:
        current, known = waiting.pop()
        if isinstance(current, Comparison):
            yield current, known
        else:
            inner = types_within(current, known)
            waiting.extend((term, inner) for term in reversed(current.terms))


def types_within(node: Node, types: Types = ()) -> Types:
    """The types that the terms of a conjunction leave over of `types`."""
    named = [term for term in top_terms(node) if isinstance(term, Comparison) and term.selector == "type"]
    for term in named:
        if term.operator in ("==", "=in="):
            return term.values
    excluded = {value for term in named if term.operator in ("!=", "=out=") for value in term.values}
    return tuple(name for name in types or TYPE_NAMES if name not in excluded) if excluded else types

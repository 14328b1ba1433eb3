"""Filters as trees, and trees as text: compact, with all parentheses, or as an outline."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from cloudstore_tui.fiql.fields import TYPE_NAMES

WORD = r"""[^"'(),;=!~<> \t\r\n]+"""
"""Pattern of a selector, or of a value that needs no quotes."""
QUOTED = r"""'(?:\\[\s\S]|[^'\\])*'|"(?:\\[\s\S]|[^"\\])*\""""
"""Pattern of a value in quotes, in which a backslash escapes the next character."""

_ESCAPE = re.compile(r"\\([\s\S])")

LIST_OPERATORS = ("=in=", "=out=")
"""Operators whose value is a list in parentheses."""

OPERATORS = ("==", "!=", "=gt=", "=ge=", "=lt=", "=le=", *LIST_OPERATORS)
"""All operators of the service."""


class Comparison(Struct, frozen=True, eq=False):
    """A field, an operator as written, and its values without quotes and escapes. Equality ignores its position."""

    selector: str
    operator: str
    values: tuple[str, ...]
    start: int = 0
    """Offset in the text it was parsed from."""
    end: int = 0

    @property
    def value(self) -> str:
        """The only value, or the first of a list."""
        return self.values[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Comparison) and self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)

    @property
    def _meaning(self) -> tuple[str, str, tuple[str, ...]]:
        return self.selector, self.operator, self.values


class And(Struct, frozen=True):
    """Terms that must all hold; an `And` among them is flattened, so that equal meanings are equal trees."""

    terms: "tuple[Node, ...]"

    def __post_init__(self) -> None:
        flat = [part for term in self.terms for part in (term.terms if isinstance(term, And) else (term,))]
        force_setattr(self, "terms", _at_least_two(flat))


class Or(Struct, frozen=True):
    """Terms, at least one of which must hold; an `Or` among them is flattened."""

    terms: "tuple[Node, ...]"

    def __post_init__(self) -> None:
        flat = [part for term in self.terms for part in (term.terms if isinstance(term, Or) else (term,))]
        force_setattr(self, "terms", _at_least_two(flat))


Node: TypeAlias = Comparison | And | Or
"""A filter or a part of one."""


def _at_least_two(terms: "list[Node]") -> "tuple[Node, ...]":
    if len(terms) < 2:
        raise ValueError("a join needs at least two terms")
    return tuple(terms)


def plain(value: str) -> str:
    """A value from a filter, without its quotes and escapes."""
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
    """Every comparison from left to right, with the types that the terms beside and above it allow."""
    waiting: list[tuple[Node, Types]] = [(node, types)]
    while waiting:
        current, known = waiting.pop()
        if isinstance(current, Comparison):
            yield current, known
        else:
            inner = types_within(current, known)
            waiting.extend((term, inner) for term in reversed(current.terms))


def types_within(node: Node, types: Types = ()) -> Types:
    """Those of `types` that the terms of a conjunction allow."""
    named = [term for term in top_terms(node) if isinstance(term, Comparison) and term.selector == "type"]
    for term in named:
        if term.operator in ("==", "=in="):
            return term.values
    excluded = {value for term in named if term.operator in ("!=", "=out=") for value in term.values}
    return tuple(name for name in types or TYPE_NAMES if name not in excluded) if excluded else types


def quote(value: str) -> str:
    """A value as one token of a filter, in single quotes if necessary."""
    if re.fullmatch(WORD, value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def compare(selector: str, operator: str, *values: str) -> str:
    """The text of one comparison, such as `agentName=='Khang Glynn'`."""
    return unparse(Comparison(selector, operator, values))


def unparse(node: Node) -> str:
    """The text of a tree with as few parentheses as possible; parsing it gives the same tree."""
    return _text(node, (Or,))


def spell_out(node: Node) -> str:
    """The text of a tree with parentheses wherever AND and OR meet, to show how a filter is read."""
    return _text(node, (And, Or))


def _text(node: Node, grouped: tuple[type[Node], ...]) -> str:
    """The text of a tree, with parentheses around terms of the types in `grouped`."""
    if isinstance(node, Comparison):
        if node.operator in LIST_OPERATORS:
            return f"{node.selector}{node.operator}({','.join(quote(value) for value in node.values)})"
        return f"{node.selector}{node.operator}{quote(node.value)}"
    texts = (f"({_text(term, grouped)})" if isinstance(term, grouped) else _text(term, grouped) for term in node.terms)
    return (";" if isinstance(node, And) else ",").join(texts)


def outline(node: Node) -> str:
    """An indented outline, one line per term: `AND` and `OR` with their terms below them."""
    return "\n".join(_lines(node))


def _lines(node: Node) -> list[str]:
    if isinstance(node, Comparison):
        return [unparse(node)]
    lines = ["AND" if isinstance(node, And) else "OR"]
    for number, term in enumerate(node.terms, 1):
        last = number == len(node.terms)
        first, *rest = _lines(term)
        lines.append(f"{'└─' if last else '├─'} {first}")
        lines += [f"{'  ' if last else '│ '} {line}" for line in rest]
    return lines

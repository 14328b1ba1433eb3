"""Pieces of SQL with their values; values are always bound, never written into the text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cloudstore_tui.fiql import And, Comparison, Node

Value: TypeAlias = str | int | float | None
"""What can be bound."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL expression that is true or false, and what is bound to its question marks."""

    text: str
    values: tuple[Value, ...] = ()


TRUE = Condition("1")
FALSE = Condition("0")


def truth(value: bool) -> Condition:
    """The condition that always or never holds."""
    return TRUE if value else FALSE


def every(parts: Sequence[Condition]) -> Condition:
    """All of them; folded, so that a condition that can never hold is recognised."""
    wanted = [part for part in parts if part != TRUE]
    return FALSE if FALSE in wanted else _join(wanted, " AND ") if wanted else TRUE


def some(parts: Sequence[Condition]) -> Condition:
    """At least one of them."""
    wanted = [part for part in parts if part != FALSE]
    return TRUE if TRUE in wanted else _join(wanted, " OR ") if wanted else FALSE


def translate(node: Node, leaf: Callable[[Comparison], Condition]) -> Condition:
    """The condition of a whole filter, given that of one comparison."""
    if isinstance(node, Comparison):
        return leaf(node)
    join = every if isinstance(node, And) else some
    return join([translate(term, leaf) for term in node.terms])


def _join(parts: Sequence[Condition], word: str) -> Condition:
    """Joined as a balanced tree: SQLite refuses expressions that are nested 1,000 deep, also flat ones it nests."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _join(parts[:middle], word), _join(parts[middle:], word)
    return Condition(f"({left.text}{word}{right.text})", left.values + right.values)

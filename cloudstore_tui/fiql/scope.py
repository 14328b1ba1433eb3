"""Which object types each comparison of a filter is about."""

from collections.abc import Iterator

from cloudstore_tui.fiql.fields import TYPE_NAMES
from cloudstore_tui.fiql.tree import And, Comparison, Node

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
    terms = node.terms if isinstance(node, And) else ()
    named = [term for term in terms if isinstance(term, Comparison) and term.selector == "type"]
    for term in named:
        if term.operator in ("==", "=in="):
            return term.values
    excluded = {value for term in named if term.operator in ("!=", "=out=") for value in term.values}
    return tuple(name for name in types or TYPE_NAMES if name not in excluded) if excluded else types

"""A filter as an indented tree, to see how `;` and `,` bind."""

from cloudstore_tui.fiql.printer import unparse
from cloudstore_tui.fiql.tree import And, Comparison, Node


def outline(node: Node) -> str:
    """One line per term: `AND` and `OR` with what they join below them."""
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

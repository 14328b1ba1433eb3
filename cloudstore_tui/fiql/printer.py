"""From a tree to text, texts built from parts that a user or a program chose, and the tree drawn with indents."""

import re

from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.tree import LIST_OPERATORS, And, Comparison, Node, Or

_PLAIN = re.compile(r"""[^"'(),;=!~<> \t\r\n]+""")


def quote(value: str) -> str:
    """A value as it stands in a filter: in single quotes only where it must be, and always one value."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def compare(selector: str, operator: str, *values: str) -> str:
    """The text of one comparison, such as `agentName=='Khang Glynn'`."""
    return unparse(Comparison(selector, operator, values))


def unparse(node: Node) -> str:
    """The text of a tree with no more parentheses than it needs; parsing it gives the same tree."""
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Or):
        return ",".join(unparse(term) for term in node.terms)
    return ";".join(f"({unparse(term)})" if isinstance(term, Or) else unparse(term) for term in node.terms)


def spell_out(node: Node) -> str:
    """The text of a tree with parentheses wherever AND and OR meet, to show how a filter is read."""
    if isinstance(node, Comparison):
        return _comparison(node)
    join = ";" if isinstance(node, And) else ","
    return join.join(
        _comparison(term) if isinstance(term, Comparison) else f"({spell_out(term)})" for term in node.terms
    )


def conjunction(*filters: str) -> str:
    """One filter that demands all of several; empty ones are skipped, those with an OR get parentheses.

    Raises:
        FilterError: one of several filters does not parse.
    """
    wanted = [text for text in filters if text.strip()]
    if len(wanted) < 2:
        return wanted[0] if wanted else ""
    return ";".join(f"({text})" if isinstance(parse(text), Or) else text for text in wanted)


def _comparison(node: Comparison) -> str:
    if node.operator in LIST_OPERATORS:
        return f"{node.selector}{node.operator}({','.join(quote(value) for value in node.values)})"
    return f"{node.selector}{node.operator}{quote(node.value)}"


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

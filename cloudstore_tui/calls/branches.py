"""A call as lines with the strokes of a tree before them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloudstore_tui.calls.tree import CallTree, Leg, Node, Tie

_HERE, _LAST = "├─ ", "└─ "
_ON, _END = "│  ", "   "


@dataclass(frozen=True, slots=True)
class Branch:
    """One line: a leg, or an object of it."""

    strokes: str
    title: str
    """May hold remote text."""
    node: Node | None = None
    """Nothing for the line of a leg."""


def branches(tree: CallTree) -> Iterator[Branch]:
    """All lines from top to bottom; the first is the call itself, further legs hang at the end of it."""
    for number, leg in enumerate(tree.legs):
        if number == 0:
            yield Branch("", _title(leg))
            yield from _branches(leg.nodes, "", more=len(tree.legs) > 1)
            continue
        is_last = number == len(tree.legs) - 1
        yield Branch(_LAST if is_last else _HERE, _title(leg))
        yield from _branches(leg.nodes, _END if is_last else _ON)


def _branches(nodes: Sequence[Node], before: str, *, more: bool = False) -> Iterator[Branch]:
    for number, node in enumerate(nodes):
        is_last = number == len(nodes) - 1 and not more
        yield Branch(before + (_LAST if is_last else _HERE), node.title, node)
        yield from _branches(node.children, before + (_END if is_last else _ON))


def _title(leg: Leg) -> str:
    what = "Call" if leg.tie is Tie.SELF else leg.tie.value.capitalize()
    return f"{what} {leg.call_id}".rstrip()

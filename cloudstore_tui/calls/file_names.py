"""Names of the files of one call: its objects share theirs, and the name alone does not tell which is which."""

from collections import Counter

from cloudstore_tui.calls.part import Part
from cloudstore_tui.calls.tree import CallTree, Node
from cloudstore_tui.core.models import identity
from cloudstore_tui.core.text import folded


def file_names(tree: CallTree) -> dict[str, str]:
    """A name for each object by its identity: its own, and what it is where another one has the same name.

    Names may still hold anything, and two of them may be equal where two objects are the same in all that is known.
    """
    counts = Counter(folded(node.entry.name) for node in tree.nodes)
    return {
        identity(node.entry): _told_apart(node) if counts[folded(node.entry.name)] > 1 else node.entry.name
        for node in tree.nodes
    }


def _told_apart(node: Node) -> str:
    name, what = node.entry.name, node.entry.type if node.part is Part.OTHER else node.title
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return f"{stem} {what.lower().replace(': ', ' ')}{dot}{extension}"

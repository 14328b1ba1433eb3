"""JSON with one value a line, and brackets that fold; JSON lines, one document a line."""

from dataclasses import replace

from cloudstore_tui.preview.encoding import Decoded
from cloudstore_tui.preview.json_events import Event, JsonEvents, NoJsonError
from cloudstore_tui.preview.preview import Node, Outline, Preview

MOST_NODES = 150_000
_LONGEST = 4096
"""Characters shown of one value."""


def json_preview(decoded: Decoded, *, whole: bool) -> Preview | None:
    """One document, or several below each other; `None` if the text is something else."""
    text = decoded.text
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return None
    builder = _Builder()
    try:
        documents = builder.read(text)
    except NoJsonError:
        return None
    if documents > 1 and "\n" not in text.strip():
        return None
    if builder.depth and whole and not builder.is_full:
        return None
    notes = (f"Only the first {MOST_NODES:,} values are shown.",) if builder.is_full else ()
    outline = builder.outline(several=documents > 1)
    return Preview("JSON lines" if documents > 1 else "JSON", outline, notes=notes, encoding=decoded.encoding)


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._open: list[int] = []
        self._counts: list[int] = []
        self._documents: list[int] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    @property
    def is_full(self) -> bool:
        return len(self.nodes) >= MOST_NODES

    def read(self, text: str) -> int:
        """How many documents there are."""
        at = 0
        while at < len(text) and not self.is_full:
            reader = JsonEvents(text, at)
            self._documents.append(len(self.nodes))
            for event in reader:
                self._add(event)
                if self.is_full:
                    break
            if not reader.complete:
                break
            self._name(text[at : min(reader.end, at + _LONGEST)])
            at = reader.end
        return len(self._documents)

    def _add(self, event: Event) -> None:
        if event.kind == "close":
            self._close(event)
            return
        if self._counts:
            if self._counts[-1]:
                self.nodes[-1] = replace(self.nodes[-1], has_next=True)
            self._counts[-1] += 1
        source = event.source if len(event.source) <= _LONGEST else f"{event.source[:_LONGEST]}…"
        self.nodes.append(Node(self.depth, event.key[:_LONGEST], source, event.kind))
        if event.kind == "open":
            self._open.append(len(self.nodes) - 1)
            self._counts.append(0)

    def _name(self, source: str) -> None:
        place = self._documents[-1]
        if place < len(self.nodes):
            self.nodes[place] = replace(self.nodes[place], source=" ".join(source.split()))

    def outline(self, *, several: bool) -> Outline:
        while self._open:
            self._seal(len(self.nodes) - 1)
        first = (place for place in self._documents if place < len(self.nodes) and self.nodes[place].last)
        return Outline(tuple(self.nodes), frozenset(first) if several else frozenset())

    def _close(self, event: Event) -> None:
        start = self._open[-1]
        if start == len(self.nodes) - 1:
            # Nothing inside: both brackets on one line.
            node = self.nodes[start]
            self.nodes[start] = replace(node, value=node.value + event.source, kind="word")
            self._open.pop()
            self._counts.pop()
            return
        self.nodes.append(Node(self.depth - 1, "", event.source, "close"))
        self._seal(len(self.nodes) - 1)

    def _seal(self, last: int) -> None:
        start, count = self._open.pop(), self._counts.pop()
        if last > start:
            self.nodes[start] = replace(self.nodes[start], last=last, count=count)

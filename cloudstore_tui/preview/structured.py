"""JSON, JSON lines and XML as outlines that fold.

The parsers of the standard library need the whole text, and recurse; these get the first kilobytes of anything.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from json import JSONDecodeError, dumps, loads
from typing import NamedTuple, TypeAlias
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec

from cloudstore_tui.preview.model import Outline, Preview, TreeNode
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.text import DecodedText

Value: TypeAlias = "dict[str, Value] | list[Value] | str | float | bool | None"

MAX_NODES = 150_000
MAX_DEPTH = 200
"""Levels of nesting; anything deeper is not meant to be read."""
_MAX_VALUE = 4096
"""Characters shown of a value."""

_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r'(?P<text>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE+-])"
    r"|(?P<word>true|false|null|NaN|-?Infinity)(?![A-Za-z0-9_])"
    r"|(?P<punctuation>[{}\[\],:])"
)
_CUT_TOKEN = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*\\?|-?[0-9]*\.?[0-9]*(?:[eE][+-]?)?|-?[A-Za-z]{1,8}')
"""A token that is cut off."""
_CLOSING = {"{": "}", "[": "]"}


class NotJsonError(ValueError):
    """The text is not JSON."""


class ParseEvent(NamedTuple):
    """One value, or one bracket."""

    kind: str
    """`text`, `number`, `word`, `open` or `close`."""
    source: str
    """As written, but with the escapes of texts decoded."""
    key: str = ""
    """Its key in an object, with quotes."""
    end: int = 0
    """Offset of the next event."""


class JsonEvents:
    """The values of one document, in order. A text that is cut off leaves brackets open."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._at = _skip(text, start)
        self._open: list[str] = []
        self._key = ""
        self._expected = "value"
        self.complete = False
        """Whether the document ended."""
        self.end = start
        """Offset of its end."""

    def __iter__(self) -> Iterator[ParseEvent]:
        """One event after the other.

        Raises:
            NotJsonError: the text is not the beginning of JSON.
        """
        while self._expected != "end" and self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                if not _CUT_TOKEN.fullmatch(self._text, self._at):
                    raise NotJsonError
                if self._text[self._at] == '"' and self._expected in ("value", "first"):
                    yield ParseEvent("text", _close_cut_text(self._text[self._at :]), self._key, len(self._text))
                return
            self._at = _skip(self._text, found.end())
            event = self._take(str(found.lastgroup), found.group())
            if event is not None:
                yield event
        self.complete, self.end = self._expected == "end", self._at

    def _take(self, kind: str, token: str) -> ParseEvent | None:
        if kind == "punctuation":
            return self._punctuation(token)
        if self._expected in ("key", "first key"):
            if kind != "text":
                raise NotJsonError
            self._key, self._expected = _unescaped(token), "colon"
            return None
        if self._expected not in ("value", "first"):
            raise NotJsonError
        return self._value(kind, _unescaped(token) if kind == "text" else token)

    def _punctuation(self, token: str) -> ParseEvent | None:
        if token in _CLOSING:
            return self._open_bracket(token)
        if token in ":,":
            self._separator(token)
            return None
        if not self._open or _CLOSING[self._open[-1]] != token or self._expected not in ("next", "first", "first key"):
            raise NotJsonError
        self._open.pop()
        return self._value("close", token)

    def _open_bracket(self, token: str) -> ParseEvent:
        if self._expected not in ("value", "first") or len(self._open) >= MAX_DEPTH:
            raise NotJsonError
        self._open.append(token)
        event = ParseEvent("open", token, self._key, self._at)
        self._key, self._expected = "", "first key" if token == "{" else "first"
        return event

    def _separator(self, token: str) -> None:
        if token == ":" and self._expected == "colon":
            self._expected = "value"
        elif token == "," and self._expected == "next":
            self._expected = "key" if self._open[-1] == "{" else "value"
        else:
            raise NotJsonError

    def _value(self, kind: str, source: str) -> ParseEvent:
        event = ParseEvent(kind, source, self._key, self._at)
        self._key, self._expected = "", "next" if self._open else "end"
        return event


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _close_cut_text(token: str) -> str:
    """A text that is cut off, with its end marked by an ellipsis."""
    body = token[1:]
    slashes = len(body) - len(body.rstrip("\\"))
    code = body.rfind("\\u", max(len(body) - 6, 0))
    if slashes % 2:
        body = body[:-1]
    elif 0 <= code > len(body) - 6:
        body = body[:code]
    try:
        return _unescaped(f'"{body}…"')
    except NotJsonError:
        return f'"{dumps(body, ensure_ascii=False)[1:-1]}…"'


def _unescaped(token: str) -> str:
    """A text with its escapes of printable characters decoded."""
    if "\\" not in token:
        return token
    try:
        return dumps(loads(token), ensure_ascii=False).encode("utf-8", "replace").decode()
    except (JSONDecodeError, RecursionError):
        raise NotJsonError from None


def json_value(text: str) -> tuple[Value, bool]:
    """The first document of a text that may be cut off, and whether it has more than `MAX_NODES` values.

    Raises:
        NotJsonError: the text is not JSON.
    """
    root: list[Value] = []
    stack: list[dict[str, Value] | list[Value]] = [root]
    for number, event in enumerate(JsonEvents(text)):
        if number > MAX_NODES:
            return root[0], True
        if event.kind == "close":
            stack.pop()
            continue
        value: Value = _scalar(event)
        if event.kind == "open":
            value = {} if event.source == "{" else []
        holder = stack[-1]
        if isinstance(holder, dict):
            holder[str(loads(event.key))] = value
        else:
            holder.append(value)
        if event.kind == "open" and isinstance(value, dict | list):
            stack.append(value)
    return root[0] if root else None, False


def _scalar(event: ParseEvent) -> Value:
    if event.kind == "text":
        return str(loads(event.source))
    if event.kind == "number":
        # As a float: an integer of a million digits takes minutes to convert.
        return float(event.source)
    return {"true": True, "false": False}.get(event.source)


def structured_preview(decoded: DecodedText, sample: Sample) -> Preview | None:
    """JSON or XML; `None` if the text is neither."""
    if decoded.text[:200].lstrip().startswith("<?xml") or sample.facts.extension == "xml":
        return _xml_preview(decoded, whole=sample.is_whole)
    return _json_preview(decoded, whole=sample.is_whole)


def _json_preview(decoded: DecodedText, *, whole: bool) -> Preview | None:
    """One document, or one per line."""
    text = decoded.text
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return None
    builder = _JsonBuilder()
    try:
        documents = builder.read(text)
    except NotJsonError:
        return None
    if documents > 1 and "\n" not in text.strip():
        return None
    if builder.depth and whole and not builder.is_full:
        return None
    notes = (f"Only the first {MAX_NODES:,} values are shown.",) if builder.is_full else ()
    outline = builder.outline(several=documents > 1)
    name = "JSON lines" if documents > 1 else "JSON"
    return Preview(name, outline, notes=(*decoded.notes, *notes), encoding=decoded.encoding)


class _Builder:
    """The nodes of an outline, and which of them are still open."""

    def __init__(self) -> None:
        self.nodes: list[TreeNode] = []
        self._open: list[int] = []
        self._counts: list[int] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    @property
    def is_full(self) -> bool:
        return len(self.nodes) >= MAX_NODES

    def _append(self, node: TreeNode) -> None:
        """Add a node to the innermost open one."""
        if self._counts:
            self._counts[-1] += 1
        self.nodes.append(node)
        if node.kind == "open":
            self._open.append(len(self.nodes) - 1)
            self._counts.append(0)

    def _close(self, value: str) -> None:
        """Close the innermost open node with a line of its own."""
        self.nodes.append(TreeNode(self.depth - 1, "", value, "close"))
        self._finish()

    def _finish(self) -> int:
        """Close the innermost open node with the last line there is; its index."""
        start, count, last = self._open.pop(), self._counts.pop(), len(self.nodes) - 1
        if last > start:
            self.nodes[start] = msgspec.structs.replace(self.nodes[start], last=last, count=count)
        return start


class _JsonBuilder(_Builder):
    def __init__(self) -> None:
        super().__init__()
        self._documents: list[int] = []

    def read(self, text: str) -> int:
        """Read all documents; their number."""
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
            self._set_source(text[at : min(reader.end, at + _MAX_VALUE)])
            at = reader.end
        return len(self._documents)

    def _add(self, event: ParseEvent) -> None:
        if event.kind == "close":
            self._end(event.source)
            return
        if self._counts and self._counts[-1]:
            self.nodes[-1] = msgspec.structs.replace(self.nodes[-1], has_next=True)
        source = event.source if len(event.source) <= _MAX_VALUE else f"{event.source[:_MAX_VALUE]}…"
        self._append(TreeNode(self.depth, event.key[:_MAX_VALUE], source, event.kind))

    def _set_source(self, source: str) -> None:
        place = self._documents[-1]
        if place < len(self.nodes):
            self.nodes[place] = msgspec.structs.replace(self.nodes[place], source=" ".join(source.split()))

    def outline(self, *, several: bool) -> Outline:
        while self._open:
            self._finish()
        first = (place for place in self._documents if place < len(self.nodes) and self.nodes[place].last)
        return Outline(tuple(self.nodes), frozenset(first) if several else frozenset())

    def _end(self, bracket: str) -> None:
        if self._open[-1] < len(self.nodes) - 1:
            self._close(bracket)
            return
        # An empty value takes one line only.
        start = self._finish()
        node = self.nodes[start]
        self.nodes[start] = msgspec.structs.replace(node, value=node.value + bracket, kind="word")


def _xml_preview(decoded: DecodedText, *, whole: bool) -> Preview | None:
    """The elements as an outline."""
    if "<!ENTITY" in decoded.text:
        # Entities of its own may expand to any size.
        return None
    builder = _XmlBuilder()
    notes: tuple[str, ...] = ()
    try:
        builder.read(decoded.text)
    except ExpatError:
        if len(builder.nodes) < 3:
            return None
        notes = ("It is cut or damaged after these elements.",) if whole else ()
    if builder.is_full:
        notes = (f"Only the first {MAX_NODES:,} elements are shown.",)
    return Preview("XML", builder.outline(), notes=(*decoded.notes, *notes), encoding=decoded.encoding)


class _FullError(Exception):
    """There are enough elements."""


class _XmlBuilder(_Builder):
    """Builds the outline from what expat finds; expat loads nothing external."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def read(self, text: str) -> None:
        parser = ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.CommentHandler = self._comment
        # The text is decoded already, whatever encoding its declaration names.
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
        with suppress(_FullError):
            parser.Parse(text.encode("utf-8", "replace"), True)

    def outline(self) -> Outline:
        while self._open:
            self._finish()
        return Outline(tuple(self.nodes))

    def _add(self, value: str, kind: str) -> None:
        if self.is_full or self.depth > MAX_DEPTH:
            raise _FullError
        self._append(TreeNode(self.depth, "", value[:_MAX_VALUE], kind))

    def _flush(self) -> None:
        text, self._text = self._text.strip(), ""
        if text:
            self._add(" ".join(text.split()), "text")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        given = "".join(f' {key}="{value}"' for key, value in attributes.items())
        self._add(f"<{name}{given}>", "open")

    def _end(self, name: str) -> None:
        start = self._open[-1]
        if start == len(self.nodes) - 1:
            # An element with nothing but text takes one line only.
            node, text = self.nodes[self._finish()], " ".join(self._text.split())
            self._text = ""
            closed = f"{node.value}{text}</{name}>" if text else f"{node.value[:-1]}/>"
            self.nodes[start] = msgspec.structs.replace(node, value=closed[:_MAX_VALUE], kind="text")
            return
        self._flush()
        self._close(f"</{name}>"[:_MAX_VALUE])

    def _data(self, text: str) -> None:
        self._text += text

    def _comment(self, text: str) -> None:
        self._flush()
        self._add(f"<!--{text}-->", "word")

"""JSON, JSON lines and XML, one value a line, with brackets that fold.

The library's readers want the whole text, and recurse. These are given the first kilobytes of anything.
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
DEEPEST = 200
"""Nested brackets; deeper is no data that anybody wants to read."""
_LONGEST = 4096
"""Characters shown of one value."""

_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r'(?P<text>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE+-])"
    r"|(?P<word>true|false|null|NaN|-?Infinity)(?![A-Za-z0-9_])"
    r"|(?P<sign>[{}\[\],:])"
)
_BEGUN = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*\\?|-?[0-9]*\.?[0-9]*(?:[eE][+-]?)?|-?[A-Za-z]{1,8}')
"""What a token looks like that is cut off."""
_CLOSING = {"{": "}", "[": "]"}


class NoJsonError(ValueError):
    """The text is something else."""


class ParseEvent(NamedTuple):
    """One value, or one bracket."""

    kind: str
    """`text`, `number`, `word`, `open` or `close`."""
    source: str
    """As it is written, but texts with letters instead of codes."""
    key: str = ""
    """Its name in an object, with quotes."""
    end: int = 0
    """Where the next one begins."""


class JsonEvents:
    """The values of one document, in order; brackets that are left open at the end of the text stay so."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._at = _skip(text, start)
        self._open: list[str] = []
        self._key = ""
        self._wanted = "value"
        self.complete = False
        """Whether the document ended."""
        self.end = start
        """Where it ended."""

    def __iter__(self) -> Iterator[ParseEvent]:
        """One event after the other.

        Raises:
            NoJsonError: the text is no JSON, as far as it goes.
        """
        while self._wanted != "end" and self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                if not _BEGUN.fullmatch(self._text, self._at):
                    raise NoJsonError
                if self._text[self._at] == '"' and self._wanted in ("value", "first"):
                    yield ParseEvent("text", _closed(self._text[self._at :]), self._key, len(self._text))
                return
            self._at = _skip(self._text, found.end())
            event = self._take(str(found.lastgroup), found.group())
            if event is not None:
                yield event
        self.complete, self.end = self._wanted == "end", self._at

    def _take(self, kind: str, token: str) -> ParseEvent | None:
        if kind == "sign":
            return self._sign(token)
        if self._wanted in ("key", "first key"):
            if kind != "text":
                raise NoJsonError
            self._key, self._wanted = _readable(token), "colon"
            return None
        if self._wanted not in ("value", "first"):
            raise NoJsonError
        return self._value(kind, _readable(token) if kind == "text" else token)

    def _sign(self, token: str) -> ParseEvent | None:
        if token in _CLOSING:
            return self._opened(token)
        if token in ":,":
            self._join(token)
            return None
        if not self._open or _CLOSING[self._open[-1]] != token or self._wanted not in ("next", "first", "first key"):
            raise NoJsonError
        self._open.pop()
        return self._value("close", token)

    def _opened(self, token: str) -> ParseEvent:
        if self._wanted not in ("value", "first") or len(self._open) >= DEEPEST:
            raise NoJsonError
        self._open.append(token)
        event = ParseEvent("open", token, self._key, self._at)
        self._key, self._wanted = "", "first key" if token == "{" else "first"
        return event

    def _join(self, token: str) -> None:
        if token == ":" and self._wanted == "colon":
            self._wanted = "value"
        elif token == "," and self._wanted == "next":
            self._wanted = "key" if self._open[-1] == "{" else "value"
        else:
            raise NoJsonError

    def _value(self, kind: str, source: str) -> ParseEvent:
        event = ParseEvent(kind, source, self._key, self._at)
        self._key, self._wanted = "", "next" if self._open else "end"
        return event


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _closed(token: str) -> str:
    """The beginning of a text that is cut, as a text."""
    body = token[1:]
    slashes = len(body) - len(body.rstrip("\\"))
    code = body.rfind("\\u", max(len(body) - 6, 0))
    if slashes % 2:
        body = body[:-1]
    elif 0 <= code > len(body) - 6:
        body = body[:code]
    try:
        return _readable(f'"{body}…"')
    except NoJsonError:
        return f'"{dumps(body, ensure_ascii=False)[1:-1]}…"'


def _readable(token: str) -> str:
    """A text with its escape codes decoded where they stand for characters."""
    if "\\" not in token:
        return token
    try:
        return dumps(loads(token), ensure_ascii=False).encode("utf-8", "replace").decode()
    except (JSONDecodeError, RecursionError):
        raise NoJsonError from None


def json_value(text: str) -> Value:
    """The first document of a text; what is missing at its end, and what is beyond many values, is left out.

    Raises:
        NoJsonError: the text is no JSON.
    """
    root: list[Value] = []
    stack: list[dict[str, Value] | list[Value]] = [root]
    for number, event in enumerate(JsonEvents(text)):
        if number > MAX_NODES:
            break
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
    return root[0] if root else None


def _scalar(event: ParseEvent) -> Value:
    if event.kind == "text":
        return str(loads(event.source))
    if event.kind == "number":
        # As a float: a whole number of a million digits takes minutes to read.
        return float(event.source)
    return {"true": True, "false": False}.get(event.source)


def structured_preview(decoded: DecodedText, sample: Sample) -> Preview | None:
    """JSON or XML; `None` if the text is something else."""
    if decoded.text[:200].lstrip().startswith("<?xml") or sample.facts.extension == "xml":
        return _xml_preview(decoded, whole=sample.is_whole)
    return _json_preview(decoded, whole=sample.is_whole)


def _json_preview(decoded: DecodedText, *, whole: bool) -> Preview | None:
    """One document, or several below each other."""
    text = decoded.text
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return None
    builder = _JsonBuilder()
    try:
        documents = builder.read(text)
    except NoJsonError:
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
    """Lines of an outline, some of them still incomplete."""

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
        """A value in what was opened last; it is open itself if it is a bracket."""
        if self._counts:
            self._counts[-1] += 1
        self.nodes.append(node)
        if node.kind == "open":
            self._open.append(len(self.nodes) - 1)
            self._counts.append(0)

    def _close(self, value: str) -> None:
        """The line that ends what was opened last."""
        self.nodes.append(TreeNode(self.depth - 1, "", value, "close"))
        self._seal()

    def _seal(self) -> int:
        """End what was opened last with the last line there is; where it began."""
        start, count, last = self._open.pop(), self._counts.pop(), len(self.nodes) - 1
        if last > start:
            self.nodes[start] = msgspec.structs.replace(self.nodes[start], last=last, count=count)
        return start


class _JsonBuilder(_Builder):
    def __init__(self) -> None:
        super().__init__()
        self._documents: list[int] = []

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

    def _add(self, event: ParseEvent) -> None:
        if event.kind == "close":
            self._end(event.source)
            return
        if self._counts and self._counts[-1]:
            self.nodes[-1] = msgspec.structs.replace(self.nodes[-1], has_next=True)
        source = event.source if len(event.source) <= _LONGEST else f"{event.source[:_LONGEST]}…"
        self._append(TreeNode(self.depth, event.key[:_LONGEST], source, event.kind))

    def _name(self, source: str) -> None:
        place = self._documents[-1]
        if place < len(self.nodes):
            self.nodes[place] = msgspec.structs.replace(self.nodes[place], source=" ".join(source.split()))

    def outline(self, *, several: bool) -> Outline:
        while self._open:
            self._seal()
        first = (place for place in self._documents if place < len(self.nodes) and self.nodes[place].last)
        return Outline(tuple(self.nodes), frozenset(first) if several else frozenset())

    def _end(self, bracket: str) -> None:
        if self._open[-1] < len(self.nodes) - 1:
            self._close(bracket)
            return
        # Nothing inside: both brackets on one line.
        start = self._seal()
        node = self.nodes[start]
        self.nodes[start] = msgspec.structs.replace(node, value=node.value + bracket, kind="word")


def _xml_preview(decoded: DecodedText, *, whole: bool) -> Preview | None:
    """Elements below each other, as deep as they are nested; text, if it makes words of its own, which may double."""
    if "<!ENTITY" in decoded.text:
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
    """Enough elements are here."""


class _XmlBuilder(_Builder):
    """Takes what the parser finds. It loads nothing from elsewhere, and expands no entity without bounds."""

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
        # The text is decoded already, whatever its first line says.
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
        with suppress(_FullError):
            parser.Parse(text.encode("utf-8", "replace"), True)

    def outline(self) -> Outline:
        while self._open:
            self._seal()
        return Outline(tuple(self.nodes))

    def _add(self, value: str, kind: str) -> None:
        if self.is_full or self.depth > DEEPEST:
            raise _FullError
        self._append(TreeNode(self.depth, "", value[:_LONGEST], kind))

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
            # Nothing but text inside: all on one line.
            node, text = self.nodes[self._seal()], " ".join(self._text.split())
            self._text = ""
            closed = f"{node.value}{text}</{name}>" if text else f"{node.value[:-1]}/>"
            self.nodes[start] = msgspec.structs.replace(node, value=closed[:_LONGEST], kind="text")
            return
        self._flush()
        self._close(f"</{name}>"[:_LONGEST])

    def _data(self, text: str) -> None:
        self._text += text

    def _comment(self, text: str) -> None:
        self._flush()
        self._add(f"<!--{text}-->", "word")

"""The list of the files of a call, and the pane beside it: what was said, or the facts of a file."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.calls import CallNode, CallTree, Leg, Tie
from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.preview.model import Dialogue, Preview, clock
from cloudstore_tui.preview.render import render
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.cursor_list import CursorList, ScrolledText
from cloudstore_tui.ui.widgets.detail_pane import Subject, everything, two_lines
from cloudstore_tui.ui.widgets.row_renderer import MARK, RowSign, sign_of_state

_SIGN, _TITLE, _LENGTH, _SIZE, _NOTE = 3, 24, 8, 10, 3
"""Cells of the columns, of which the title's is the least, and of the gap before the note."""
_LONGEST = 400


class CallLine(Struct, frozen=True):
    """One line: a leg, or an object of it."""

    title: str
    """May hold remote text."""
    node: CallNode | None = None
    """`None` for the heading of a leg."""


class CallList(CursorList):
    """Lists the objects of a call. The heading of a leg marks all objects of that leg."""

    DEFAULT_CSS = """
    CallList {
        & > .call--head { color: $text-muted; }
        & > .call--leg { color: $text-primary; text-style: bold; }
        & > .call--marked { color: $text-warning; text-style: bold; }
        & > .call--words { color: $text-muted; }
    }
    """
    PREFIX = "call"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"call--head", "call--leg", "call--marked", "call--words"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,p,f3,l,right", "open", "Open", id="call.open", tooltip="Look into this"),
        Binding("space,insert", "mark", "Mark", id="call.mark", tooltip="Mark or unmark, and go down"),
        Binding("a,ctrl+a", "mark_all", "All", id="call.mark_all", show=False, tooltip="Mark everything, or nothing"),
    ]

    class Changed(Message):
        """The cursor or the marks changed."""

    class Opened(Message):
        """The object under the cursor was opened."""

    def __init__(self, zone: tzinfo, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._zone = zone
        self._lines: tuple[CallLine, ...] = ()
        self._marked: set[str] = set()
        self._signs: Mapping[str, RowSign] = {}
        self._regions = False

    @property
    def entry(self) -> StoredObject | None:
        line = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        return line.node.entry if line is not None and line.node is not None else None

    @property
    def marked(self) -> tuple[StoredObject, ...]:
        """The marked objects, from top to bottom."""
        return tuple(entry for entry in _entries(self._lines) if identity(entry) in self._marked)

    def show(self, tree: CallTree, at: StoredObject | None) -> None:
        """Show a call, with the cursor at one of its objects; marks are kept."""
        self._lines = tuple(_lines(tree, self._zone))
        self._regions = len({entry.region for entry in tree.entries}) > 1
        self.set_row_count(len(self._lines))
        wanted = identity(at) if at is not None else ""
        rows = (row for row, line in enumerate(self._lines) if line.node and identity(line.node.entry) == wanted)
        self.cursor = next(rows, 0)
        self.refresh()
        self.post_message(self.Changed())

    def show_signs(self, signs: Mapping[str, RowSign]) -> None:
        """Set the signs of objects, by identity."""
        if signs != self._signs:
            self._signs = dict(signs)
            self.refresh()

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Changed())

    def action_mark(self) -> None:
        """Mark or unmark the line under the cursor, and move down."""
        here = self._lines[self.cursor : self.cursor + 1]
        self._turn(self._leg() if here and here[0].node is None else here)
        self.cursor += 1

    def action_mark_all(self) -> None:
        """Mark everything, or unmark everything if all is marked."""
        self._turn(self._lines)

    def action_open(self) -> None:
        self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        width, row = self.size.width, self.scroll_offset.y + y - 1
        if y == 0:
            text, part = self._row("", "What", "Length", "Size", ""), "head"
        elif row < len(self._lines):
            text, part = self._text(self._lines[row]), self._part(row)
        else:
            text, part = ("   No matches." if y == 1 and not self._lines else ""), "words"
        style = self.part_style(part) if part else self.rich_style
        return Strip([Segment(set_cell_size(text, width), style)], width)

    def _part(self, row: int) -> str:
        node = self._lines[row].node
        if row == self.cursor:
            return "cursor"
        if node is None:
            return "leg"
        return "marked" if identity(node.entry) in self._marked else ""

    def _text(self, line: CallLine) -> str:
        title = plain(line.title, _LONGEST)
        if line.node is None:
            return f" {title}"
        entry = line.node.entry
        sign = self._signs.get(identity(entry)) or sign_of_state(entry) or ""
        sign = MARK if identity(entry) in self._marked else sign
        notes = [entry.region] if self._regions else []
        if not entry.is_available:
            notes.append(words.state(entry.state))
        size = words.size(entry.size, exact=entry.size_exact)
        return self._row(sign, title, words.duration(entry.duration), size, plain(" · ".join(notes), _LONGEST))

    def _row(self, sign: str, title: str, length: str, size: str, note: str) -> str:
        widest = max((cell_len(plain(line.title, _LONGEST)) for line in self._lines if line.node), default=0)
        room = max(min(widest, self.size.width - _SIGN - _LENGTH - _SIZE), _TITLE)
        if cell_len(title) > room:
            title = f"{set_cell_size(title, room - 1)}…"
        cells = f" {sign or ' '} {set_cell_size(title, room)}{length:>{_LENGTH}}{size:>{_SIZE}}"
        return f"{cells}{'':{_NOTE}}{note}" if note else cells

    def _leg(self) -> Sequence[CallLine]:
        below = self._lines[self.cursor + 1 :]
        end = next((row for row, line in enumerate(below) if line.node is None), len(below))
        return below[:end]

    def _turn(self, lines: Sequence[CallLine]) -> None:
        """Mark these lines, or unmark them if all are marked."""
        names = {identity(entry) for entry in _entries(lines)}
        self._marked = self._marked - names if names <= self._marked else self._marked | names
        self.refresh()
        self.post_message(self.Changed())


def _lines(tree: CallTree, zone: tzinfo) -> Iterator[CallLine]:
    """All lines from top to bottom; a single leg has no heading."""
    for leg in tree.legs:
        if len(tree.legs) > 1:
            yield CallLine(_leg_title(leg, zone))
        for node in leg.nodes:
            yield CallLine(node.title, node)
            for child in node.children:
                yield CallLine(f"  {child.title}", child)


def _leg_title(leg: Leg, zone: tzinfo) -> str:
    what = "This call" if leg.tie is Tie.SELF else leg.tie.value.capitalize()
    count = sum(1 for _ in leg.walk())
    return " · ".join(part for part in (what, words.time(leg.start, zone)[-5:], counted(count, "file")) if part)


def _entries(lines: Sequence[CallLine]) -> list[StoredObject]:
    return [line.node.entry for line in lines if line.node is not None]


_LOW = 6
"""Height below which the pane shows only the text, one line per turn."""
_WIDEST_SPEAKER = 20
_MAX_LINE = 4_000
_STYLES = {"time": "$text-muted", "first": "bold $text-primary", "second": "bold $text-accent", "note": "$text-warning"}


class CallAside(ScrolledText):
    """Shows a transcript as a dialogue, other texts as the preview does, or all fields of a file; scrolls."""

    DEFAULT_CSS = """
    CallAside {
        padding: 0;
        &:focus > Static { background: $boost; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[str, Preview] | Subject | None = None

    def set_status(self, text: str) -> None:
        self._shown = None
        # Beside the list, the border provides the margin.
        margin = " " if self.size.height < _LOW else ""
        self.text.update(Content.styled(f"{margin}{plain(text)}" if text else "", "$text-muted"))

    def show(self, title: str, preview: Preview) -> None:
        self._show((title, preview))

    def show_facts(self, entry: StoredObject, zone: tzinfo) -> None:
        self._show(Subject(entry, zone))

    def _show(self, shown: tuple[str, Preview] | Subject) -> None:
        if self._shown != shown:
            self._shown = shown
            self._draw()
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._shown is None or not self.size.width:
            return
        width = max(self.scrollable_content_region.width - 1, 10)
        if isinstance(self._shown, Subject):
            is_low = self.size.height < _LOW
            text = two_lines(self._shown, width - 1) if is_low else everything(self._shown, width)
            self.text.update(Content("\n").join([" " * is_low + line for line in text.split("\n")]))
            return
        title, preview = self._shown
        if self.size.height < _LOW:
            lines = [f" {line}" for line in _short_lines(preview, width)][: self.size.height]
            self.text.update(Content("\n".join(lines)))
            return
        head = " · ".join(part for part in (title.upper(), *_terms(preview)) if part)
        body = list(
            _dialogue(preview.body, width) if isinstance(preview.body, Dialogue) else _aside_lines(preview, width)
        )
        heading = Content.styled(plain(head, width), "bold $text-muted")
        self.text.update(Content("\n").join([heading, Content(""), *body]))


def _terms(preview: Preview) -> Iterator[str]:
    """Facts for the heading: language, confidence, and whether more can be read."""
    facts = dict(preview.facts)
    yield facts.get("language", "")
    if "confidence" in facts:
        yield f"confidence {facts['confidence']}"
    if preview.is_partial:
        yield "the beginning; Enter shows more"


def _dialogue(dialogue: Dialogue, width: int) -> Iterator[Content]:
    order = {name: place for place, name in enumerate(dict.fromkeys(turn.speaker for turn in dialogue.turns))}
    for turn, (time, name) in zip(dialogue.turns, _heads(dialogue), strict=True):
        side = "first" if order[turn.speaker] % 2 == 0 else "second"
        hang = len(time) + len(name)
        first, *more = textwrap.wrap(plain(turn.text, _MAX_LINE), max(width - hang, 10)) or [""]
        yield Content.assemble((time, _STYLES["time"]), (name, _STYLES[side]), first)
        yield from (Content(" " * hang + line) for line in more)


def _heads(dialogue: Dialogue) -> list[tuple[str, str]]:
    """Time and speaker of each turn, padded to equal widths; empty if no turn has them."""
    names = [plain(turn.speaker, _WIDEST_SPEAKER) for turn in dialogue.turns]
    times = [clock(turn.start) if turn.start is not None else "" for turn in dialogue.turns]
    wide, long = max(map(cell_len, names), default=0), max(map(len, times), default=0)
    return [
        (f"{time:{long}} " if long else "", f"{name:{wide}}  " if wide else "")
        for time, name in zip(times, names, strict=True)
    ]


def _aside_lines(preview: Preview, width: int) -> Iterator[Content]:
    for line in render(preview, width).lines:
        text = MASK.text(line.text)
        for part in textwrap.wrap(text, width, subsequent_indent=" " * min(line.hang, width // 2)) or [""]:
            yield Content(part)


def _short_lines(preview: Preview, width: int) -> Iterator[str]:
    if not isinstance(preview.body, Dialogue):
        yield from (_cut(MASK.text(line.text), width) for line in render(preview, width).lines if line.text.strip())
        return
    for turn, (time, name) in zip(preview.body.turns, _heads(preview.body), strict=True):
        yield _cut(time + name + plain(turn.text, _MAX_LINE), width)


def _cut(text: str, width: int) -> str:
    return plain(text, width - 1) if len(text) >= width else text

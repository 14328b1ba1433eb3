"""The objects of a call, one line each, with the strokes of a tree."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.calls import Branch, CallTree, branches
from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.widgets.cursor_list import CursorList
from cloudstore_tui.ui.widgets.virtual_table import MARK

_WIDEST_TITLE = 34
_NARROWEST_TITLE = 12
_LONGEST = 400
_LENGTH, _SIZE, _STATE = 7, 8, 10


class CallList(CursorList):
    """Moves over the objects of a call and marks them; on the line of a leg, all of that leg."""

    DEFAULT_CSS = """
    CallList {
        height: 1fr; background: $surface; color: $foreground;
        & > .call--head { background: $panel; color: $foreground; text-style: bold; }
        & > .call--leg { color: $text-primary; text-style: bold; }
        & > .call--marked { color: $text-warning; text-style: bold; }
        & > .call--words { color: $text-muted; }
        & > .call--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .call--cursor, &:nocolor > .call--cursor { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"call--head", "call--leg", "call--marked", "call--words", "call--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,insert", "mark", "Mark", id="call.mark", tooltip="Mark or unmark this, and go down"),
        Binding("a,ctrl+a", "mark_all", "All", id="call.mark_all", tooltip="Mark everything, or nothing"),
        Binding("enter,l,right", "open", "Detail", id="call.detail", tooltip="Show or hide everything about this"),
    ]

    class Changed(Message):
        """The cursor or the marks are others."""

    class Opened(Message):
        """The user wants to see everything about what is under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Branch, ...] = ()
        self._marked: set[str] = set()
        self._regions = False
        self._said = ""

    @property
    def entry(self) -> StoredObject | None:
        """The object under the cursor."""
        line = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        return line.node.entry if line is not None and line.node is not None else None

    @property
    def marked(self) -> tuple[StoredObject, ...]:
        """What is marked, from top to bottom."""
        return tuple(entry for entry in self._entries(self._lines) if identity(entry) in self._marked)

    def say(self, text: str) -> None:
        """Show a sentence instead of a call."""
        self._lines, self._said = (), text
        self.set_row_count(0)
        self.refresh()

    def show(self, tree: CallTree, at: StoredObject | None) -> None:
        """Show a call, with the cursor at one of its objects; marks stay."""
        self._lines = tuple(branches(tree))
        self._regions = len({entry.region for entry in tree.entries}) > 1
        self._said = "No matches."
        self.set_row_count(len(self._lines))
        wanted = identity(at) if at is not None else ""
        rows = (row for row, line in enumerate(self._lines) if line.node and identity(line.node.entry) == wanted)
        self.cursor = next(rows, 0)
        self.refresh()
        self.post_message(self.Changed())

    def watch_cursor(self, old: int, new: int) -> None:
        """Tell where the cursor is."""
        super().watch_cursor(old, new)
        self.post_message(self.Changed())

    def on_click(self, event: events.Click) -> None:
        """Go to a row; a second click shows everything about it."""
        if (row := self.row_at(event)) is not None:
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def action_mark(self) -> None:
        """Mark or unmark what is under the cursor and go to the next line."""
        here = self._lines[self.cursor : self.cursor + 1]
        self._turn(self._leg() if here and here[0].node is None else here)
        self.cursor += 1

    def action_mark_all(self) -> None:
        """Mark everything; nothing, where everything is marked."""
        self._turn(self._lines)

    def action_open(self) -> None:
        """Ask for everything about what is under the cursor."""
        self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        """The titles of the columns, then the lines of the tree."""
        width, row = self.size.width, self.scroll_offset.y + y - 1
        if y == 0:
            text, part = self._row("", "What", "Length", "Size", "State", "Name"), "head"
        elif row < len(self._lines):
            text, part = self._text(self._lines[row]), self._part(row)
        else:
            text, part = (f"  {plain(self._said)}" if y == 1 and not self._lines else ""), "words"
        style = self.get_component_rich_style(f"call--{part}") if part else self.rich_style
        return Strip([Segment(set_cell_size(text, width), style)], width)

    def _part(self, row: int) -> str:
        node = self._lines[row].node
        if row == self.cursor:
            return "cursor"
        if node is None:
            return "leg"
        return "marked" if identity(node.entry) in self._marked else ""

    def _text(self, line: Branch) -> str:
        title = line.strokes + plain(line.title, _LONGEST)
        if line.node is None:
            return f"  {title}"
        entry = line.node.entry
        size = words.size(entry.size, exact=entry.size_exact)
        state = plain(words.state(entry.state).partition(" (")[0], _LONGEST)
        name = plain(f"{entry.region}: {entry.name}" if self._regions else entry.name, _LONGEST)
        mark = MARK if identity(entry) in self._marked else ""
        return self._row(mark, title, words.duration(entry.duration), size, state, name)

    def _row(self, *cells: str) -> str:
        mark, title, length, size, state, name = cells
        width = self._title_width()
        room = max(self.size.width - 2 - width - _LENGTH - _SIZE - _STATE - 8, 0)
        fixed = f"{set_cell_size(title, width)}  {length:>{_LENGTH}}  {size:>{_SIZE}}  {set_cell_size(state, _STATE)}"
        return f"{mark:2}{fixed}  {_end(name, room)}"

    def _title_width(self) -> int:
        widths = (cell_len(line.strokes) + cell_len(plain(line.title)) for line in self._lines if line.node)
        return max(_NARROWEST_TITLE, min(max(widths, default=0), _WIDEST_TITLE))

    def _leg(self) -> Sequence[Branch]:
        below = self._lines[self.cursor + 1 :]
        end = next((row for row, line in enumerate(below) if line.node is None), len(below))
        return below[:end]

    def _turn(self, lines: Sequence[Branch]) -> None:
        """Mark these, or unmark them if all of them are marked."""
        names = {identity(entry) for entry in self._entries(lines)}
        self._marked = self._marked - names if names <= self._marked else self._marked | names
        self.refresh()
        self.post_message(self.Changed())

    def _entries(self, lines: Sequence[Branch]) -> list[StoredObject]:
        return [line.node.entry for line in lines if line.node is not None]


def _end(name: str, room: int) -> str:
    """As much of the end of a name as there is room for: the objects of a call differ in that."""
    if cell_len(name) <= room:
        return name
    kept = name[-room:] if room else ""
    while kept and cell_len(kept) >= room:
        kept = kept[1:]
    return f"…{kept}" if room else ""

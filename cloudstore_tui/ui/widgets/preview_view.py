"""The widgets of the preview: lines that wrap, fold and can be searched; the search line; the playback bar."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from operator import attrgetter
from typing import ClassVar

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.preview.model import clock
from cloudstore_tui.preview.render import MARGIN, RenderedDocument
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import fitting, plain
from cloudstore_tui.ui.widgets.chrome import StatusBar
from cloudstore_tui.ui.widgets.cursor_list import CursorList
from cloudstore_tui.ui.widgets.fields import LineBar

_MIN_WIDTH = 20
"""Least cells of a wrapped line after its indent."""


class PreviewRow(Struct, frozen=True):
    """One row on the screen."""

    line: int
    start: int
    """First character of the line in this row."""
    end: int
    """The character after the last one."""
    indent: int = 0


_line_of = attrgetter("line")


class PreviewRows:
    """The rows of a document, laid out by `arrange`."""

    def __init__(self) -> None:
        self.document = RenderedDocument(())
        self.folded: set[int] = set()
        self.rows: list[PreviewRow] = []

    def show(self, document: RenderedDocument) -> None:
        """Show another document, with its initial folds."""
        self.document, self.folded = document, set(document.folded)

    def arrange(self, width: int, *, wrap: bool) -> None:
        """Lay out all lines; the width is 0 before the first layout."""
        self.rows = []
        for number in self._visible():
            text = self.text(number)
            if not wrap or width < _MIN_WIDTH or (len(text) <= width and text.isascii()):
                self.rows.append(PreviewRow(number, 0, len(text)))
            else:
                self.rows.extend(self._wrapped(number, text, width))

    def text(self, number: int) -> str:
        """What is shown of a line."""
        line = self.document.lines[number]
        # Mask before wrapping, as half a name would not be recognized.
        return MASK.text(line.folded if number in self.folded else line.text)

    def row_of(self, number: int) -> int:
        """The first row of a line, or of the one it is folded into."""
        last = bisect_right(self.rows, number, key=_line_of) - 1
        return bisect_left(self.rows, _line_of(self.rows[last]), key=_line_of) if last >= 0 else 0

    def toggle(self, number: int) -> int | None:
        """Toggle the innermost fold around a line; return its first line, or `None` if there is none."""
        for holder in range(number, -1, -1):
            if 0 < self.document.lines[holder].last >= number:
                self.folded ^= {holder}
                return holder
        return None

    def reveal(self, number: int) -> bool:
        """Unfold whatever hides a line; whether anything did."""
        hiding = {fold for fold in self.folded if fold < number <= self.document.lines[fold].last}
        self.folded -= hiding
        return bool(hiding)

    def _visible(self) -> Iterator[int]:
        number, lines = 0, self.document.lines
        while number < len(lines):
            yield number
            number = lines[number].last + 1 if number in self.folded else number + 1

    def _wrapped(self, number: int, text: str, width: int) -> Iterator[PreviewRow]:
        hang = self.document.lines[number].hang
        hang = hang if hang <= width - _MIN_WIDTH else 0
        start, room, indent = 0, width, 0
        while start < len(text):
            end = start + fitting(text[start : start + room], room)
            if end < len(text) and (blank := text.rfind(" ", start + 1, end + 1)) > start and text[start:blank].strip():
                end = blank
            yield PreviewRow(number, start, end, indent)
            start = end + 1 if text[end : end + 1] == " " else end
            room, indent = width - hang, hang
        if not text:
            yield PreviewRow(number, 0, 0)


MAX_LINES = 10_000
MAX_IN_LINE = 100


class PreviewSearch:
    """Searches lines; lower-case text matches upper case as well."""

    def __init__(self) -> None:
        self.lines: tuple[int, ...] = ()
        """Numbers of the matching lines, in order."""
        self._pattern: re.Pattern[str] | None = None

    def search(self, text: str, document: RenderedDocument) -> None:
        """Search for a text; an empty one ends the search."""
        flags = re.IGNORECASE if text == text.lower() else 0
        self._pattern = re.compile(re.escape(text), flags) if text else None
        self.update(document)

    def update(self, document: RenderedDocument) -> None:
        """Repeat the search in another document."""
        pattern, found = self._pattern, []
        if pattern is not None:
            found = [number for number, line in enumerate(document.lines) if pattern.search(line.text)]
        self.lines = tuple(found[:MAX_LINES])

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Matches in a line as spans."""
        if self._pattern is None:
            return []
        found = zip(self._pattern.finditer(text), range(MAX_IN_LINE), strict=False)
        return [(match.start(), match.end(), "found") for match, _ in found]

    def from_line(self, line: int, step: int) -> int | None:
        """The next match at or after a line, or the previous one; wraps around."""
        if not self.lines:
            return None
        if step < 0:
            return next((at for at in reversed(self.lines) if at < line), self.lines[-1])
        return next((at for at in self.lines if at >= line), self.lines[0])


Part = tuple[str, tuple[str, ...]]
"""A text and the roles that style it."""


_ROLES = ("head", "key", "string", "number", "word", "time", "name", "first", "second", "note", "wave", "playhead")
_SIDEWAYS = 16
"""Cells of a step to the side."""


class PreviewView(CursorList):
    """A cursor over lines that can be wrapped, numbered, folded and searched."""

    DEFAULT_CSS = """
    PreviewView {
        & > .preview--head { background: $panel; color: $foreground; text-style: bold; }
        & > .preview--rule { color: $border-blurred; }
        & > .preview--gutter { color: $text-muted; }
        & > .preview--found { color: $background; background: $warning; text-style: underline; }
        & > .preview--cursor { background: $boost; text-style: bold; }
        & > .preview--key { color: $text-primary; }
        & > .preview--string { color: $text-success; }
        & > .preview--number { color: $text-warning; }
        & > .preview--word { color: $text-accent; }
        & > .preview--time { color: $text-muted; }
        & > .preview--name { color: $text-primary; text-style: bold; }
        & > .preview--first { color: $text-primary; text-style: bold; }
        & > .preview--second { color: $text-accent; text-style: bold; }
        & > .preview--note { color: $text-warning; text-style: italic; }
        & > .preview--wave { color: $text-primary; }
        & > .preview--playhead { color: $background; background: $accent; }
        &:ansi > .preview--found, &:nocolor > .preview--found { text-style: reverse; }
        &:ansi > .preview--playhead, &:nocolor > .preview--playhead { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "preview--rule",
        "preview--gutter",
        "preview--found",
        "preview--cursor",
        *(f"preview--{role}" for role in _ROLES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Page down", id="preview.page_down", show=False, tooltip="One page down"),
        Binding("b", "page(-1)", "Page up", id="preview.page_up", show=False, tooltip="One page up"),
        Binding("h,left", "aside(-1)", "Left", id="preview.left", show=False, tooltip="To the left, where not wrapped"),
        Binding("l,right", "aside(1)", "Right", id="preview.right", show=False, tooltip="Further to the right"),
        Binding("w", "turn('wrap')", "Wrap", id="preview.wrap", tooltip="Wrap long lines, or not"),
        Binding(
            "number_sign", "turn('numbers')", "Numbers", id="preview.numbers", show=False, tooltip="Show line numbers"
        ),
        Binding("z,enter", "fold", "Fold", id="preview.fold", tooltip="Fold or unfold what the cursor is in"),
        Binding("Z", "fold_all", "Fold all", id="preview.fold_all", show=False, tooltip="Fold or unfold everything"),
        Binding("n", "next(1)", "Next", id="preview.next", show=False, tooltip="Next match"),
        Binding("N", "next(-1)", "Before", id="preview.before", show=False, tooltip="Previous match"),
    ]

    class Moved(Message):
        """The cursor moved, or the lines changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wraps = False
        self._rows = PreviewRows()
        self._left = 0
        self._folds = False
        self._search = PreviewSearch()
        self._is_numbered = False
        self.playhead: int | None = None
        """The column of the waveform that is playing."""
        self._status = ""

    @property
    def document(self) -> RenderedDocument:
        return self._rows.document

    @property
    def line(self) -> int:
        """The number of the line under the cursor."""
        rows = self._rows.rows
        return rows[self.cursor].line if self.cursor < len(rows) else 0

    @property
    def line_text(self) -> str:
        """The line under the cursor as it is shown."""
        return self._rows.text(self.line).strip() if self._rows.rows else ""

    def set_status(self, text: str) -> None:
        self._status = text
        self._rows.show(RenderedDocument(()))
        self._arrange(0)

    def show(self, document: RenderedDocument, *, stay: bool = False) -> None:
        """Show a document; with `stay` the cursor keeps its line."""
        line = self.line if stay else 0
        if not stay:
            self.wraps, self._left = document.wraps, 0
        self._status = ""
        self._folds = any(line.last for line in document.lines)
        self._rows.show(document)
        self._search.update(document)
        self._arrange(line)

    def search(self, text: str) -> bool:
        """Go to the next match; whether there is one."""
        self._search.search(text, self.document)
        self.refresh()
        return self._find(self.line, 1)

    def show_playhead(self, share: float | None) -> None:
        """Show the position in the waveform, from 0 to 1; `None` hides it."""
        first, behind, columns = self.document.wave
        wanted = None if share is None or behind <= first else MARGIN + min(int(share * columns), columns - 1)
        if wanted != self.playhead:
            self.playhead = wanted
            for row, shown in enumerate(self._rows.rows):
                if first <= shown.line < behind:
                    self.refresh_row(row)

    def go_to(self, line: int) -> None:
        self.cursor = self._rows.row_of(line)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("fold", "fold_all"):
            return self._folds
        return super().check_action(action, parameters)

    def on_resize(self) -> None:
        self._arrange(self.line)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Moved())

    def action_open(self) -> None:
        self.action_fold()

    def action_turn(self, what: str) -> None:
        line = self.line
        if what == "wrap":
            self.wraps, self._left = not self.wraps, 0
        else:
            self._is_numbered = not self._is_numbered
        self._arrange(line)

    def action_aside(self, steps: int) -> None:
        if not self.wraps:
            self._left = max(self._left + steps * _SIDEWAYS, 0)
            self.refresh()

    def action_fold(self) -> None:
        if (holder := self._rows.toggle(self.line)) is not None:
            self._arrange(holder)

    def action_fold_all(self) -> None:
        folds = {number for number, line in enumerate(self.document.lines) if line.last}
        line = self.line
        self._rows.folded = set() if self._rows.folded else folds
        self._arrange(line)

    def action_next(self, step: int) -> None:
        if not self._find(self.line + max(step, 0), step):
            self.app.bell()

    def render_line(self, y: int) -> Strip:
        place, style = self.scroll_offset.y + y - 1, self.rich_style
        rows = self._rows.rows
        if y == 0:
            is_below = rows[place + 1].line >= self.document.above if place + 1 < len(rows) else False
            head = self.document.head[0 if self.wraps else self._left :] if is_below else ""
            style = self.get_component_rich_style(f"preview--{'head' if head else 'rule'}")
            segments = [Segment(" " * self._gutter + head if head else "─" * self.size.width, style)]
        elif place < len(rows):
            left = None if self.wraps else self._left
            parts = self._parts(rows[place], left, at=place == self.cursor)
            segments = [Segment(text, self._style(roles)) for text, roles in parts]
            if place == self.cursor:
                style += self.get_component_rich_style("preview--cursor", partial=True)
                segments = [Segment(text, (own or style) + style) for text, own, _ in segments]
        else:
            segments = [Segment(f"  {plain(self._status)}" if y == 1 and not rows else "", style)]
        return Strip(segments).adjust_cell_length(self.size.width, style)

    @property
    def _digits(self) -> int:
        return len(str(len(self.document.lines))) + 1 if self._is_numbered else 0

    @property
    def _gutter(self) -> int:
        """Cells before the text."""
        return 2 + self._digits

    def _parts(self, row: PreviewRow, left: int | None, *, at: bool) -> Iterator[Part]:
        """The parts of a row; `left` is the first column shown of unwrapped lines, `None` if wrapped."""
        line, text = self.document.lines[row.line], self._rows.text(row.line)
        is_folded = row.line in self._rows.folded
        fold = ("▸" if is_folded else "▾") if line.last and not row.start else " "
        number = f"{row.line + 1:>{self._digits - 1}} " if self._is_numbered and not row.start else " " * self._digits
        yield f"{'›' if at else ' '}{number}{fold}", ("gutter",)
        yield " " * row.indent, ()
        start, end = (row.start, row.end) if left is None else (fitting(text, left) if left else 0, len(text))
        spans = [] if is_folded else list(line.roles)
        spans += self._search.spans(text)
        first, behind, _ = self.document.wave
        if self.playhead is not None and first <= row.line < behind:
            # Silent columns may lie beyond the end of the text.
            text, end = text.ljust(self.playhead + 1), max(end, self.playhead + 1)
            spans.append((self.playhead, self.playhead + 1, "playhead"))
        edges = {edge for first, last, _ in spans for edge in (first, last) if start < edge < end}
        for first, last in pairwise(sorted({start, end} | edges)):
            yield text[first:last], tuple(role for begin, stop, role in spans if begin <= first < stop)

    def _style(self, roles: tuple[str, ...]) -> Style:
        style = self.rich_style
        for role in roles:
            style += self.get_component_rich_style(f"preview--{role}", partial=True)
        return style

    def _arrange(self, line: int) -> None:
        self._rows.arrange(max(self.size.width - self._gutter, 0), wrap=self.wraps)
        self.set_row_count(len(self._rows.rows))
        self.cursor = self._rows.row_of(line)
        self.refresh()
        self.post_message(self.Moved())

    def _find(self, line: int, step: int) -> bool:
        place = self._search.from_line(line, step)
        if place is None:
            return False
        if self._rows.reveal(place):
            self._arrange(place)
        self.cursor = self._rows.row_of(place)
        return True


class PreviewBar(LineBar):
    """The search line of the preview."""

    LABEL = "Search"
    HINT = "text; small letters find large ones, too"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="searching.leave", show=False, tooltip="Back without searching"),
    ]


_NARROWEST = 10


class PlayerBar(StatusBar):
    """The playback line, hidden while nothing plays; redrawn only when its text changes."""

    DEFAULT_CSS = """
    PlayerBar { display: none; background: $panel; color: $text-accent; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._played = ("", 0.0, 0.0, 1.0)

    def show(self, sign: str, position: float, seconds: float, speed: float) -> None:
        """Show the state, the position and length in seconds, and the speed."""
        self._played = (sign, position, seconds, speed)
        self.display = True
        self._draw()

    def hide(self) -> None:
        self.display = False

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        sign, position, seconds, speed = self._played
        text = f"{sign} {clock(int(position))} / {clock(seconds)}{f'  {speed:g}×' if speed != 1 else ''}  "
        room = self.screen.size.width - len(text) - 2
        if room >= _NARROWEST:
            share = min(position / seconds, 1.0) if seconds else 0.0
            text += ("━" * int(share * (room - 1)) + "●").ljust(room, "─")
        self.set_text(text)

"""The help screen: all keys that work where it was opened, with a filter."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from cloudstore_tui.config.keymap import is_off
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.keys import is_move, key_display
from cloudstore_tui.ui.widgets.cursor_list import PagedText
from cloudstore_tui.ui.widgets.fields import FilterBar

TYPING = "typing"
"""The area of keys that text fields handle."""
MOST_USED, MOVING = "most used", "moving"
"""The areas of keys in the footer, and of keys that only move something."""

_COLUMN, _GAP = 37, 2
"""Cells of a column, and of the gap between columns."""
_KEYS_WIDTH = 12
_MIN_ROOM = 3
"""Least lines of an area at the end of a column; with less room it begins in the next one."""
_TITLES = {
    "app": "Program", "browser": "Browser", "dialog": "Dialog", "entries": "List", "panes": "Panes",
    "places": "Places", "query": "Search line", "typing": "Typing",
}  # fmt: skip
_FOOTNOTE = "Select text with the mouse while holding Shift (Option on a Mac). / finds a key, Esc closes this."


@dataclass
class HelpRow:
    """One action with its keys."""

    name: str
    tooltip: str
    keys: list[str] = field(default_factory=list)

    def holds(self, area: str, words: Iterable[str]) -> bool:
        text = f"{area} {self.name} {self.tooltip} {' '.join(self.keys)}".casefold()
        return all(word in text for word in words)

    def text(self, room: int) -> str:
        """The tooltip if it fits, else the name."""
        return self.tooltip if self.tooltip and len(self.tooltip) <= room else self.name


class HelpScreen(BaseScreen[None]):
    """Lists the active keys of a screen by area."""

    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,q", "close", "Close", tooltip="Back to where you were", id="help.close"),
        Binding("escape", "back_out", "Back", show=False, tooltip="Show all keys again, or close", id="help.back_out"),
        Binding("slash", "filter", "Find", tooltip="Find keys by a word", id="help.filter"),
    ]

    def __init__(self, active: Iterable[ActiveBinding]) -> None:
        """Take `screen.active_bindings.values()` of a screen, read before this one covers it."""
        super().__init__()
        self._active = tuple(active)
        self._wanted = ""

    def compose(self) -> ComposeResult:
        yield PagedText(id="help")
        yield FilterBar(id="filter")

    def on_mount(self) -> None:
        self.header.show(["Help"], "the keys that work here")

    def on_resize(self, event: events.Resize) -> None:
        self._set(event.size.width)

    @on(FilterBar.Changed)
    def filter_rows(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._wanted = event.text
        self._set(self.size.width)

    @on(FilterBar.Closed)
    def leave_filter(self, event: FilterBar.Closed) -> None:
        event.stop()
        self.query_one("#help").focus()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open(self._wanted)

    def action_back_out(self) -> None:
        if self._wanted:
            self._wanted = ""
            self._set(self.size.width)
        else:
            self.action_close()

    def areas(self) -> dict[str, list[HelpRow]]:
        """Keys by area: those in the footer first, those that only move something last."""
        rows: dict[tuple[str, str, str], HelpRow] = {}
        placed: dict[str, list[HelpRow]] = {MOST_USED: []}
        for active in self._active:
            binding = active.binding
            own = (binding.id or "").partition(".")[0] or (TYPING if isinstance(active.node, Input) else "")
            if not own or not binding.description:
                continue
            # For example, the keys 1 to 9 of home share a row.
            what = own, binding.description, binding.tooltip
            row = rows.get(what)
            if row is None:
                row = rows[what] = HelpRow(binding.description, binding.tooltip)
                area = MOST_USED if binding.show else MOVING if is_move(binding) else own
                placed.setdefault(area, []).append(row)
            if not is_off(binding.key) and (display := key_display(self.app, binding)) not in row.keys:
                row.keys.append(display)
        placed[MOVING] = placed.pop(MOVING, [])
        return {area: found for area, found in placed.items() if found}

    def _set(self, width: int) -> None:
        words, room = self._wanted.casefold().split(), max(width - 4, 30)
        lines = self._found(words, room) if words else self._columns(room)
        self.query_one(PagedText).text.update(Content("\n").join(lines))

    def _found(self, words: list[str], width: int) -> list[Content]:
        """The keys that match all words, with their full tooltips."""
        lines: list[Content] = []
        for area, rows in self.areas().items():
            for row in (row for row in rows if row.holds(area, words)):
                lines.extend(_lines(row, width, whole=True))
        return lines or [Content("No key matches.")]

    def _columns(self, width: int) -> list[Content]:
        """All keys in columns, with full tooltips if they fit on one page."""
        footnote = [Content(""), *map(Content, textwrap.wrap(_FOOTNOTE, width))]
        page = self._page(width, whole=True)
        if len(page) + len(footnote) > self.query_one("#help").size.height:
            page = self._page(width, whole=False)
        return [*page, *footnote]

    def _page(self, width: int, *, whole: bool) -> list[Content]:
        count = max((width + _GAP) // (_COLUMN + _GAP), 1)
        wide = (width + _GAP) // count - _GAP
        blocks = []
        for area, rows in self.areas().items():
            heading = Content.styled(_TITLES.get(area, area.capitalize()), "bold $text-primary")
            blocks.append([heading, *(line for row in rows for line in _lines(row, wide, whole=whole))])
        columns, empty = _flowed(blocks, count), Content(" " * wide)
        return [
            Content(" " * _GAP).join([_padded(line, wide) for line in lines])
            for lines in zip_longest(*columns, fillvalue=empty)
        ]


def _lines(row: HelpRow, width: int, *, whole: bool) -> list[Content]:
    room = width - _KEYS_WIDTH
    first, *rest = (textwrap.wrap(row.tooltip, room) if whole else []) or [row.text(room)]
    return [_line(row, first), *(Content(" " * _KEYS_WIDTH + more) for more in rest)]


def _line(row: HelpRow, text: str) -> Content:
    keys = " ".join(row.keys) or "no key"
    if len(keys) >= _KEYS_WIDTH:
        # As many as fit; the first ones are the best known.
        keys = keys[: _KEYS_WIDTH - 1].rpartition(" ")[0] or row.keys[0]
    return Content.styled(keys.ljust(_KEYS_WIDTH), "$text-accent") + Content(text)


def _padded(line: Content, width: int) -> Content:
    short = width - line.cell_length
    return line.pad_right(short) if short >= 0 else line.truncate(width, ellipsis=True)


def _flowed(blocks: list[list[Content]], count: int) -> list[list[Content]]:
    """Distribute blocks over columns of similar height; no column ends with a heading."""
    total = sum(len(block) + 1 for block in blocks)
    height = -(-total // count)
    columns: list[list[Content]] = [[]]
    for block in blocks:
        lines = [*([Content("")] if columns[-1] else []), *block]
        while lines:
            room = height - len(columns[-1])
            if len(lines) > room and len(columns) < count:
                cut = room if room > _MIN_ROOM else 0
                columns[-1] += lines[:cut]
                lines = lines[cut:]
                columns.append([])
                if lines and not lines[0].plain:
                    lines = lines[1:]
            else:
                columns[-1] += lines
                lines = []
    return columns

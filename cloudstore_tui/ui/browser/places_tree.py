"""The tree of places: profiles, regions, types and folders as far as they are known, and what is saved and recent."""

import locale
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, TypeAlias

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.memory import Visited
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.ui.format import place_names
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.widgets.cursor_list import CursorList

MAX_AT_ONCE = 1_000
"""Children that are shown more of at once; the rest of a page waits behind "more…"."""


Shortcut: TypeAlias = SavedSearch | Bookmark | Visited


class LineKind(Enum):
    """What a line of the tree is."""

    PLACE = auto()
    MORE = auto()
    FOLD = auto()
    """Places that are seldom wanted."""
    TITLE = auto()
    NOTE = auto()
    ERROR = auto()


class PlaceLine(Struct, frozen=True):
    """One line of the tree: a place, or something that is to be known of it."""

    place: "Place"
    kind: LineKind = LineKind.PLACE
    text: str = ""


class Place:
    """A folder or profile in the tree, and what is known of what is below it."""

    def __init__(self, location: Location, name: str, *, parent: "Place | None" = None, expandable: bool = True):
        self.location = location
        self.name = name
        """As shown, remote text; not yet safe to draw."""
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.expandable = expandable
        self.children: list[Place] = []
        self.everything: Place | None = None
        """What stands for all that is in it, above the children that are parts of that."""
        self.fold_after = 0
        """Children that are shown at first; 0 for all."""
        self.note = ""
        """What is told beside its name."""
        self.shortcut: Shortcut | None = None
        """What it leads to, if that is no place of the tree."""
        self.is_open = False
        self.loading: object | None = None
        """What the present load is known by; an answer to another one is too late."""
        self.error = ""
        """Why the last load failed."""
        self._waiting: list[Folder] = []
        self._cursor: str | None = None
        self._known = False
        self._again = False

    @property
    def has_more(self) -> bool:
        """Whether further children are known of or can be asked for."""
        return bool(self._waiting) or self._cursor is not None

    @property
    def needs_load(self) -> bool:
        """Whether its children were never read."""
        return self.expandable and not self._known and self.loading is None

    @property
    def cursor(self) -> str | None:
        """Where the next page of children starts; the first one is asked for again while it is read again."""
        return None if self._again else self._cursor

    def show_waiting(self) -> bool:
        """Show children that came already; False if they have to be asked for."""
        if not self._waiting:
            return False
        self._adopt((), {})
        return True

    def start_load(self, *, again: bool = False) -> object:
        """Begin to read children, further ones or from the start; gives what the answer is to be known by."""
        self.loading, self.error, self.is_open, self._again = object(), "", True, again
        return self.loading

    def close(self) -> None:
        """Show nothing of what is below it, and read nothing for it."""
        self.stop_load()
        self.is_open = False

    def stop_load(self) -> bool:
        """Give up what is being read; whether there was something."""
        was_loading = self.loading is not None
        self.loading = None
        if was_loading and not self._known:
            self.is_open = False
        return was_loading

    def fill(self, page: Page[Folder]) -> None:
        """Take a page of children."""
        before = {child.location: child for child in self.children}
        if self._again or not self._known:
            self.children, self._waiting, self._again = [], [], False
        self.loading, self.error, self._known = None, "", True
        self._cursor = page.cursor
        self._adopt(page.items, before)

    def adopt(self, folder: Folder) -> "Place":
        """The child that stands for a folder, which is shown although its siblings are not known."""
        known = next((child for child in self.children if child.location == folder.location), None)
        if known is None:
            known = self._child(folder)
            self.children.append(known)
        return known

    def unfold(self) -> None:
        """Show all children."""
        self.fold_after = 0

    @property
    def folded(self) -> list["Place"]:
        """The children that are not shown; one alone is not worth it."""
        rest = self.children[self.fold_after :] if self.fold_after else []
        return rest if len(rest) > 1 else []

    def fail(self, error: str) -> None:
        """Remember why the children could not be read; what there was stays."""
        self.loading, self.error = None, error

    def find(self, location: Location) -> "Place | None":
        """The place below this one, or this one, that stands for a location, as far as it was read."""
        return next((line.place for line in lines_of([self], closed_too=True) if line.place.location == location), None)

    def _adopt(self, folders: Sequence[Folder], before: Mapping[Location, "Place"]) -> None:
        """Show further children; those that were there `before` stay as they are, open or closed."""
        known = {child.location for child in self.children}
        self._waiting += [folder for folder in folders if folder.location not in known]
        now, self._waiting = self._waiting[:MAX_AT_ONCE], self._waiting[MAX_AT_ONCE:]
        self.children += [before.get(folder.location) or self._child(folder) for folder in now]

    def _child(self, folder: Folder) -> "Place":
        return Place(folder.location, shown_name(folder), parent=self, expandable=folder.expandable)


def shown_name(folder: Folder) -> str:
    """A folder's name in the tree: types as people call them; what is a folder of the service ends with a slash."""
    if len(folder.location.place) == 1:
        return place_names(folder.location)[0]
    is_real = bool(folder.location.path) and not folder.location.place
    return folder.name.rstrip("/") + "/" if is_real else folder.name


def lines_of(roots: Sequence[Place], *, closed_too: bool = False) -> Iterator[PlaceLine]:
    """The lines of trees from top to bottom."""
    waiting = [PlaceLine(root) for root in reversed(roots)]
    while waiting:
        line = waiting.pop()
        yield line
        place = line.place
        if line.kind is LineKind.PLACE and (place.is_open or closed_too):
            folded = [] if closed_too else place.folded
            shown = place.children[: len(place.children) - len(folded)]
            above = [place.everything] if place.everything is not None else []
            fold = [PlaceLine(place, LineKind.FOLD, f"{len(folded)} more types")] if folded else []
            below = [*map(PlaceLine, [*above, *shown]), *fold, *_notes(place)]
            waiting.extend(reversed(below))


def _notes(place: Place) -> Iterator[PlaceLine]:
    if place.loading is not None:
        yield PlaceLine(place, LineKind.NOTE, "loading…")
    elif place.error:
        yield PlaceLine(place, LineKind.ERROR, place.error)
    elif place.has_more or (place.children and place.needs_load):
        yield PlaceLine(place, LineKind.MORE, "more…")
    elif not place.children and not place.needs_load:
        yield PlaceLine(place, LineKind.NOTE, "no folders")


_INDENT = 2
_MIN_TEXT = 12
"""Cells that a note has at least, however deep it stands."""
_LONGEST_NAME = 500
_RETRY = "r tries again"

_PARTS = {
    LineKind.PLACE: "name",
    LineKind.MORE: "more",
    LineKind.FOLD: "more",
    LineKind.NOTE: "note",
    LineKind.ERROR: "error",
    LineKind.TITLE: "title",
}
_NOWHERE = Place(Location(""), "")


class TreeRow(Struct, frozen=True):
    """One row of the screen: a line, or a further part of a wrapped one."""

    line: PlaceLine
    text: str
    """Safe to draw."""
    icon: int
    """Where the sign to click on begins; negative without one."""
    note: str = ""
    """What stands at the right edge."""


class PlacesTree(CursorList):
    """Shows places and asks for what is below them, one page at a time, when they are opened."""

    DEFAULT_CSS = """
    PlacesTree {
        background: $background;
        color: $foreground;
        & > .places-tree--title { color: $text-muted; }
        & > .places-tree--name { color: $foreground; }
        & > .places-tree--more { color: $text-primary; text-style: italic; }
        & > .places-tree--note { color: $text-muted; text-style: italic; }
        & > .places-tree--note-text { color: $text-muted; }
        & > .places-tree--error { color: $text-error; }
        &:focus > .places-tree--title { color: $border; text-style: bold; }
    }
    """
    PREFIX = "places-tree"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "places-tree--title",
        "places-tree--name",
        "places-tree--more",
        "places-tree--note",
        "places-tree--note-text",
        "places-tree--error",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="places.open", tooltip="Show what is in this place"),
        Binding("l,right", "expand", "Expand", id="places.expand", tooltip="Show the folders in it, then go to them"),
        Binding("h,left,backspace,minus", "collapse", "Collapse", id="places.collapse", tooltip="Close it, then go up"),
        Binding("r,f5,ctrl+r", "reload", "Reload", id="places.reload", tooltip="Read the folders in it again"),
    ]

    @dataclass
    class Opened(Message):
        """The user wants to see what is in a place."""

        place: Place

    @dataclass
    class Wanted(Message):
        """Children of a place are wanted, further ones or from the start."""

        place: Place
        again: bool = False

    def __init__(self, *, id: str | None = None, ascii_only: bool | None = None) -> None:
        super().__init__(id=id)
        is_plain = "utf" not in locale.getpreferredencoding(False).lower() if ascii_only is None else ascii_only
        self._icons = ("- ", "+ ") if is_plain else ("▾ ", "▸ ")
        self._roots: tuple[Place, ...] = ()
        self._shortcuts: tuple[tuple[str, tuple[Place, ...]], ...] = ()
        self._is_leaving = False
        self.note_of: Callable[[Place], str] = lambda place: place.note
        """What is told beside a place."""
        self._rows: list[TreeRow] = []

    # What is shown

    def show(self, roots: Sequence[Place]) -> None:
        """Show these trees."""
        self._roots = tuple(roots)
        self.places_changed()

    def places_changed(self) -> None:
        """Look at the places again; the cursor stays where it is, or goes to the nearest place that is left."""
        kept = self._line
        self._rows = [row for line in self._lines() for row in self._wrapped(line)]
        self.set_row_count(len(self._rows))
        self.cursor = self._row_of(kept) if kept else 0
        self.refresh()

    def show_shortcuts(self, shortcuts: Sequence[tuple[str, Sequence[Place]]]) -> None:
        """Show these below the trees, each list under its title."""
        before = _names_of(self._shortcuts)
        self._shortcuts = tuple((title, tuple(places)) for title, places in shortcuts if places)
        if _names_of(self._shortcuts) != before:
            self.places_changed()

    def _lines(self) -> Iterator[PlaceLine]:
        yield from lines_of(self._roots)
        for title, places in self._shortcuts:
            yield PlaceLine(_NOWHERE, LineKind.TITLE)
            yield PlaceLine(_NOWHERE, LineKind.TITLE, title)
            yield from map(PlaceLine, places)

    def validate_cursor(self, row: int) -> int:
        """Stay on what can be chosen, the nearest one in the direction in which the cursor goes."""
        row = super().validate_cursor(row)
        step = 1 if row >= self.cursor else -1
        while 0 <= row < len(self._rows) - 1 and self._rows[row].line.kind is LineKind.TITLE:
            row += step
        return row

    @property
    def place(self) -> Place | None:
        """The place under the cursor, or the one that the note under it is about."""
        return self._line.place if self._line else None

    @property
    def roots(self) -> tuple[Place, ...]:
        """The places at the top."""
        return self._roots

    def reveal(self, location: Location) -> None:
        """Go to the place that stands for a location, if it can be seen, unless a shortcut led there."""
        if self._is_leaving and self._line is not None and self._line.place.shortcut is not None:
            self._is_leaving = False
            return
        for index, row in enumerate(self._rows):
            place = row.line.place
            if row.line.kind is LineKind.PLACE and place.location == location and place.shortcut is None:
                self.cursor = index
                return

    def remask(self) -> None:
        self.places_changed()

    def on_resize(self) -> None:
        self.places_changed()

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, self.scroll_offset.y + y - 1
        if y == 0:
            return Strip([Segment(set_cell_size(" PLACES", width), self.part_style("title"))], width)
        if index >= len(self._rows):
            return Strip([Segment(" " * width, self.rich_style)], width)
        row = self._rows[index]
        style = self.part_style("cursor" if index == self.cursor else _PARTS[row.line.kind])
        note = f" {row.note} " if row.note else ""
        room = max(width - cell_len(note), 1)
        name = Segment(set_cell_size(shorten(row.text, room), room), style)
        quiet = style if index == self.cursor else self.part_style("note-text")
        return Strip([name, Segment(note, quiet)] if note else [name]).adjust_cell_length(width, style)

    # What the user does

    def on_click(self, event: events.Click) -> None:
        """Show what is in a place; the sign before its name opens and closes it."""
        offset = event.get_content_offset(self)
        index = self.scroll_offset.y + offset.y - 1 if offset is not None and offset.y else -1
        if offset is None or not 0 <= index < len(self._rows):
            return
        self.cursor = index
        row = self._rows[index]
        if row.icon >= 0 and row.icon <= offset.x < row.icon + _INDENT:
            self._toggle(row.line.place)
        elif event.chain == 1:
            self.action_open()

    def action_open(self) -> None:
        line = self._line
        if line is None:
            return
        if line.kind is LineKind.PLACE:
            self._is_leaving = line.place.shortcut is not None
            self.post_message(self.Opened(line.place))
        elif line.kind is LineKind.FOLD:
            line.place.unfold()
            self.places_changed()
        elif line.kind in (LineKind.MORE, LineKind.ERROR):
            self._ask(line.place)

    def action_expand(self) -> None:
        line = self._line
        if line is None:
            return
        if line.kind is not LineKind.PLACE:
            self.action_open()
        elif line.place.is_open and line.place.children:
            self.cursor += 1
        elif line.place.expandable and not line.place.is_open:
            self._toggle(line.place)

    def action_collapse(self) -> None:
        line = self._line
        if line is None:
            return
        place = line.place
        if line.kind is LineKind.PLACE and place.is_open:
            self._toggle(place)
            return
        above = place.parent if line.kind is LineKind.PLACE else place
        if above is not None:
            self.cursor = self._row_of(PlaceLine(above))

    def action_reload(self) -> None:
        place = self.place
        if place is not None and place.expandable:
            self.post_message(self.Wanted(place, again=True))

    def _toggle(self, place: Place) -> None:
        if place.is_open:
            place.close()
        else:
            place.is_open = True
            if place.needs_load:
                self.post_message(self.Wanted(place))
                return
        self.places_changed()

    def _ask(self, place: Place) -> None:
        if place.show_waiting():
            self.places_changed()
        else:
            self.post_message(self.Wanted(place))

    # Rows

    @property
    def _line(self) -> PlaceLine | None:
        return self._rows[self.cursor].line if self.cursor < len(self._rows) else None

    def _row_of(self, line: PlaceLine) -> int:
        """Where a line is, or the place it was about, or the nearest one above that can be seen."""
        place: Place | None = line.place
        rows = {(row.line.place, row.line.kind): index for index, row in reversed(list(enumerate(self._rows)))}
        if (same := rows.get((line.place, line.kind))) is not None:
            return same
        if (shortcut := line.place.shortcut) is not None:
            found = (at for at, row in enumerate(self._rows) if row.line.place.shortcut == shortcut)
            return next(found, len(self._rows) - 1)
        while place is not None and (place, LineKind.PLACE) not in rows:
            place = place.parent
        return rows[place, LineKind.PLACE] if place is not None else min(self.cursor, max(len(self._rows) - 1, 0))

    def _wrapped(self, line: PlaceLine) -> list[TreeRow]:
        place = line.place
        if line.kind is LineKind.TITLE:
            return [TreeRow(line, f" {line.text}", -1)]
        left = _left(place.depth + (line.kind is not LineKind.PLACE))
        if line.kind is LineKind.PLACE and place.shortcut is not None:
            return [TreeRow(line, f"  {plain(place.name, _LONGEST_NAME)}", -1)]
        if line.kind is LineKind.PLACE:
            icon = self._icons[not place.is_open] if place.expandable else "  "
            text = " " * left + icon + plain(place.name, _LONGEST_NAME)
            return [TreeRow(line, text, left if place.expandable else -1, self.note_of(place))]
        if line.kind is LineKind.FOLD:
            return [TreeRow(line, " " * left + self._icons[1] + line.text, -1)]
        indent = " " * (left + _INDENT)
        width = max(self.size.width - len(indent), _MIN_TEXT)
        retry = textwrap.wrap(_RETRY, width) if line.kind is LineKind.ERROR else []
        parts = [*textwrap.wrap(plain(line.text), width), *retry]
        return [TreeRow(line, indent + part, -1) for part in parts]


def _names_of(shortcuts: Sequence[tuple[str, Sequence[Place]]]) -> list[tuple[str, Shortcut | None]]:
    return [(place.name, place.shortcut) for _, places in shortcuts for place in places]


def _left(depth: int) -> int:
    """Where a line begins: the deeper, the closer, for names are long and the pane is not wide."""
    return min(_INDENT * depth, depth + 1) if depth else 0

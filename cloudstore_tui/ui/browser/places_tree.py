"""The tree of places. It loads the children of a place when that is opened, a page at a time.

Counts are shown where they are cheap; below the trees are saved and recent places.
"""

import asyncio
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.browser.places import (
    LineKind,
    Place,
    PlaceLine,
    Shortcut,
    is_partial,
    lines_of,
    path_to,
    recent_places,
    saved_places,
    walk,
)
from cloudstore_tui.ui.format import service_name
from cloudstore_tui.ui.object_actions import MAX_PACE_UNASKED
from cloudstore_tui.ui.report import sentence
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.widgets.cursor_list import CursorList

MAX_TYPES = 6
"""Types of a region that are shown at first."""
MAX_REUSED = 1_000
"""Rows of a listing up to which its folders are taken over into the tree."""
COUNT_PAUSE_S, PACE_PAUSE_S = 0.3, 5.0
"""Seconds between two counts, and before a retry when the request limit is nearly used up: the user comes first."""
MIN_PACE = 30
"""Requests a minute that a limit must allow before any is spent on counts."""
UNKNOWN = "·"
"""Shown instead of a count."""
SHORTCUTS_S = 0.2
"""Seconds until a place that was opened is stored among the recent ones."""

_INDENT = 2
_MIN_TEXT = 12
"""Least cells of a note, however deep its place is."""
_LONGEST_NAME = 500
_RETRY = "r tries again"

_OPEN, _CLOSED = "▾ ", "▸ "

_NO_PLACE = Place(Location(""), "")


class PlacesTree(CursorList):
    """Shows places and loads their children. The answer to a load that was given up or repeated is dropped."""

    DEFAULT_CSS = """
    PlacesTree {
        & > .places-tree--title { color: $text-muted; }
        & > .places-tree--more, & > .places-tree--fold { color: $text-primary; text-style: italic; }
        & > .places-tree--note { color: $text-muted; text-style: italic; }
        & > .places-tree--beside { color: $text-muted; }
        & > .places-tree--error { color: $text-error; }
        &:focus > .places-tree--title { color: $border; text-style: bold; }
    }
    """
    PREFIX = "places-tree"
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"places-tree--{kind}" for kind in LineKind), "places-tree--beside"}
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

    class Counted(Message):
        """The objects of one more place were counted."""

    def __init__(
        self, providers: Mapping[str, StorageProvider], browser_state: BrowserState, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._providers = providers
        self._browser_state = browser_state
        self.roots: list[Place] = []
        """The places at the top: one for each profile."""
        self._shortcuts: dict[str, list[Place]] = {}
        """The places below the trees, by title."""
        self.rows: list[PlaceLine] = []
        """The lines as drawn; a long note takes several."""
        self._here: Location | None = None
        self._took_shortcut = False
        """Whether the user has just opened a shortcut: the cursor stays on it."""
        self._on_folder = True

    def on_mount(self) -> None:
        self.show_profiles()

    def on_focus(self) -> None:
        # Other programs and the user may have edited the files of bookmarks and searches.
        self.show_shortcuts()

    # What is shown

    def show_profiles(self) -> None:
        """Show one place for each profile; those already shown stay open or closed as they are."""
        known = {root.location: root for root in self.roots}
        tops = {name: provider.locate("") for name, provider in self._providers.items()}
        self.roots = [known.get(top) or Place(top, name) for name, top in tops.items()]
        self.places_changed()
        self.show_shortcuts()

    def show_shortcuts(self) -> None:
        """Read saved and recent places again, and show them."""
        before = _names_of(self._shortcuts)
        recent = recent_places(self._browser_state, self._providers, self._here)
        self._shortcuts = {"SAVED": saved_places(self._browser_state), "RECENT": recent}
        if _names_of(self._shortcuts) != before:
            self.places_changed()

    def places_changed(self) -> None:
        """Rebuild the lines; the cursor stays on its line, or goes to the nearest place that is left."""
        kept = self._line
        self.rows = [row for line in self._lines() for row in self._drawn(line)]
        self.set_row_count(len(self.rows))
        self.cursor = self._row_of(kept) if kept else 0
        self.refresh()

    def _lines(self) -> Iterator[PlaceLine]:
        yield from lines_of(self.roots)
        for title, places in self._shortcuts.items():
            if places:
                yield PlaceLine(_NO_PLACE, LineKind.TITLE)
                yield PlaceLine(_NO_PLACE, LineKind.TITLE, title)
                yield from (PlaceLine(place, LineKind.SHORTCUT) for place in places)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if (self.folder is not None) is not self._on_folder:
            self._on_folder = not self._on_folder
            self.screen.refresh_bindings()

    def validate_cursor(self, row: int) -> int:
        """Skip titles, in the direction in which the cursor moves."""
        row = super().validate_cursor(row)
        step = 1 if row >= self.cursor else -1
        while 0 <= row < len(self.rows) - 1 and self.rows[row].kind is LineKind.TITLE:
            row += step
        return row

    @property
    def place(self) -> Place | None:
        """The place under the cursor, or the one that the note under the cursor is about."""
        return self._line.place if self._line else None

    @property
    def folder(self) -> Location | None:
        """The place under the cursor; `None` on shortcuts and notes."""
        line = self._line
        return line.place.location if line is not None and line.kind is LineKind.PLACE else None

    def on_resize(self) -> None:
        self.places_changed()

    # Where the user is

    def follow(self, location: Location) -> None:
        """Open the tree down to where the user is, without a request where the path is known."""
        self._here = location
        provider = self._providers[location.profile]
        place = next((root for root in self.roots if root.location == provider.locate("")), None)
        if place is None:
            return
        for below in path_to(provider, location):
            self._fill_from_memory(place)
            place.is_open = True
            if place.fold_after and below not in [one.location for one in place.children[: place.fold_after]]:
                place.fold_after = 0
            if place.location.region and not place.location.place:
                self._show_types(place)
            name = below.place[-1] if below.place else below.path.rstrip("/").rpartition("/")[2] or below.region
            place = place.ensure_child(Folder(below, name))
        if location.region and not location.place and not location.path:
            place.is_open = True
            self._show_types(place)
        elif place.parent is None and place.children:
            place.is_open = True
        self.places_changed()
        self._reveal(location)

    def _show_types(self, region: Place) -> None:
        """Show the types of the region that the user is in; they are remembered, so the service is asked once."""
        if not self._fill_from_memory(region) and region.needs_load and self.display:
            self.load(region)

    def _reveal(self, location: Location) -> None:
        """Put the cursor on the place of a location, if it is visible, unless a shortcut led there."""
        if self._took_shortcut and self._line is not None and self._line.kind is LineKind.SHORTCUT:
            self._took_shortcut = False
            return
        for index, row in enumerate(self.rows):
            if row.kind is LineKind.PLACE and row.place.location == location:
                self.cursor = index
                return

    def learn(self, state: ListingState) -> None:
        """Take over what a listing found out about its place: its count, or its folders."""
        where, facts = state.target.location, self._browser_state.facts
        if state.target.is_search or state.error:
            return
        if state.target.query is not None:
            is_whole = state.pager.ended and not state.lacking
            total = state.store.loaded if is_whole else state.pager.total
            if total is not None and facts.learn(where, objects=total):
                self._store_facts()
        elif state.pager.ended and state.fetched <= MAX_REUSED:
            folders = [one for one in state.store.window(0, MAX_REUSED) if isinstance(one, Folder)]
            place = next((place for place in walk(self.roots) if place.location == where), None)
            if place is not None and place.needs_load:
                self._fill(place, Page(tuple(folders)))
                place.is_open = place.is_open or place.parent is None
                self.places_changed()
        # The current place is just being stored.
        self.set_timer(SHORTCUTS_S, self.show_shortcuts)

    # Loading

    def load(self, place: Place, *, again: bool = False) -> None:
        """Load the next page of children, or with `again` the first one anew."""
        if not again and self._fill_from_memory(place):
            place.is_open = True
            self.places_changed()
            return
        if again:
            self._browser_state.facts.doubt(place.location)
        token = place.start_load(again=again)
        self.places_changed()
        self.run_worker(self._load(place, token), group=_group_of(place), exclusive=True)

    def stop(self) -> bool:
        """Give up all running loads; return whether there were any."""
        loading = [place for place in walk(self.roots) if place.loading is not None]
        for place in loading:
            place.stop_load()
            self.workers.cancel_group(self, _group_of(place))
        if loading:
            self.places_changed()
        return bool(loading)

    async def _load(self, place: Place, token: object) -> None:
        provider = self._providers[place.location.profile]
        try:
            page = await provider.folders(place.location, place.cursor)
        except StorageError as error:
            if place.loading is token:
                place.fail(sentence(error))
        else:
            if place.loading is token:
                self._fill(place, page)
                place.error = " ".join(map(sentence, page.failures))
        self.places_changed()

    def _fill(self, place: Place, page: Page[Folder]) -> None:
        place.fill(page)
        if _is_remembered(place.location):
            names = [child.location.place[-1] if child.location.place else child.name for child in place.children]
            if self._browser_state.facts.learn(place.location, folders=[name.rstrip("/") for name in names]):
                self._store_facts()
        self._fold_types(place)

    def _fill_from_memory(self, place: Place) -> bool:
        """Show the children remembered from last time; return whether there are any. A reload asks the service."""
        names = self._browser_state.facts.folders(place.location) if place.needs_load else ()
        if names:
            place.fill(Page(tuple(self._remembered(place.location, names))))
            self._fold_types(place)
        return bool(names)

    def _remembered(self, where: Location, names: Sequence[str]) -> Iterator[Folder]:
        provider = self._providers[where.profile]
        for name in names:
            yield Folder(where.child(name) if where.region else provider.locate(f"{where.path}{name}/"), name)

    def _fold_types(self, place: Place) -> None:
        """Give a region its line for everything, and fold the types that are seldom wanted."""
        provider, where = self._providers[place.location.profile], place.location
        if where.region and not where.place and provider.query(where) is not None:
            if place.everything is None:
                place.everything = Place(where, "Everything", parent=place, expandable=False)
                place.fold_after = MAX_TYPES
            self._start_count(place)

    # Counts

    def _note_of(self, place: Place) -> str:
        """The note beside a place: its service, or its number of objects."""
        if place in self.roots:
            return service_name(self._providers[place.location.profile].profile)
        is_counted = place.location.region and (place.location.place or place.name == "Everything")
        if not is_counted or len(place.location.place) > 1:
            return ""
        known = self._browser_state.facts.objects(place.location)
        return f"{known:,}" if known is not None else UNKNOWN

    def _start_count(self, region: Place) -> None:
        self.run_worker(self._count(region), group=f"counting {id(region)}", exclusive=True)

    async def _count(self, region: Place) -> None:
        """Count the objects of the visible places of a region that were never counted, one place after the other."""
        provider = self._providers[region.location.profile]
        pace = provider.profile.requests_per_minute
        if Capability.COUNT not in provider.capabilities or 0 < pace < MIN_PACE:
            return
        shown = [region.everything, *region.children[: region.fold_after or None]]
        for place in shown[: MAX_TYPES + 1]:
            query = provider.query(place.location) if place is not None else None
            if place is None or query is None or self._browser_state.facts.is_counted(place.location):
                continue
            await asyncio.sleep(COUNT_PAUSE_S)
            if provider.session.pace_used > MAX_PACE_UNASKED:
                # Counting many objects takes a dozen requests.
                self.set_timer(PACE_PAUSE_S, partial(self._start_count, region))
                break
            try:
                count = await provider.count(query)
            except StorageError:
                # Nobody asked for it, so nobody is told.
                return
            if self._browser_state.facts.learn(place.location, objects=count):
                self.places_changed()
                self._store_facts()
                self.post_message(self.Counted())

    def _store_facts(self) -> None:
        self.run_worker(self._browser_state.facts.keep, group="remembering", thread=True)

    # What the user does

    def click_row(self, row: int, event: events.Click, /) -> None:
        """Open what was clicked; the sign before a name opens and closes the place in the tree."""
        self.cursor, clicked = row, self.rows[row]
        offset = event.get_content_offset(self)
        if offset is not None and 0 <= clicked.icon <= offset.x < clicked.icon + _INDENT:
            self._toggle(clicked.place)
        elif event.chain == 1:
            self.action_open()

    def action_open(self) -> None:
        line = self._line
        if line is None:
            return
        if line.kind in (LineKind.PLACE, LineKind.SHORTCUT):
            self._took_shortcut = line.kind is LineKind.SHORTCUT
            self.post_message(self.Opened(line.place))
        elif line.kind is LineKind.FOLD:
            line.place.fold_after = 0
            self.places_changed()
        elif line.kind in (LineKind.MORE, LineKind.ERROR):
            if line.place.show_waiting():
                self.places_changed()
            else:
                self.load(line.place)

    def action_expand(self) -> None:
        line = self._line
        if line is None:
            return
        if line.kind not in (LineKind.PLACE, LineKind.SHORTCUT):
            self.action_open()
        elif is_partial(line.place):
            self.load(line.place)
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
        if self.place is not None and self.place.expandable:
            self.load(self.place, again=True)

    def _toggle(self, place: Place) -> None:
        if place.is_open:
            place.close()
            self.places_changed()
        elif place.needs_load:
            self.load(place)
        else:
            place.is_open = True
            self.places_changed()

    # Rows

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, self.scroll_offset.y + y - 1
        if y == 0:
            return Strip([Segment(set_cell_size(" PLACES", width), self.part_style("title"))], width)
        if index >= len(self.rows):
            return Strip([Segment(" " * width, self.rich_style)], width)
        row = self.rows[index]
        style = self.part_style("cursor" if index == self.cursor else row.kind)
        note = f" {row.note} " if row.note else ""
        room = max(width - cell_len(note), 1)
        name = Segment(set_cell_size(shorten(row.text, room), room), style)
        quiet = style if index == self.cursor else self.part_style("beside")
        return Strip([name, Segment(note, quiet)]).adjust_cell_length(width, style)

    @property
    def _line(self) -> PlaceLine | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def _row_of(self, line: PlaceLine) -> int:
        """The row of a line, else of the place it was about, else of the nearest visible place above."""
        place: Place | None = line.place
        rows = {(row.place, row.kind): index for index, row in reversed(list(enumerate(self.rows)))}
        if (same := rows.get((line.place, line.kind))) is not None:
            return same
        if (shortcut := line.place.shortcut) is not None:
            found = (at for at, row in enumerate(self.rows) if row.place.shortcut == shortcut)
            return next(found, len(self.rows) - 1)
        while place is not None and (place, LineKind.PLACE) not in rows:
            place = place.parent
        return rows[place, LineKind.PLACE] if place is not None else min(self.cursor, max(len(self.rows) - 1, 0))

    def _drawn(self, line: PlaceLine) -> list[PlaceLine]:
        """A line with its text; a long note is wrapped into several."""
        place = line.place
        if line.kind is LineKind.TITLE:
            return [replace(line, text=f" {line.text}")]
        if line.kind is LineKind.SHORTCUT:
            return [replace(line, text=f"  {plain(place.name, _LONGEST_NAME)}")]
        left = _indentation(place.depth + (line.kind is not LineKind.PLACE))
        if line.kind is LineKind.PLACE:
            icon = "  " if not place.expandable else _OPEN if place.is_open else _CLOSED
            text = " " * left + icon + plain(place.name, _LONGEST_NAME)
            return [replace(line, text=text, note=self._note_of(place), icon=left if place.expandable else -1)]
        if line.kind is LineKind.FOLD:
            return [replace(line, text=" " * left + _CLOSED + line.text)]
        indent = " " * (left + _INDENT)
        width = max(self.size.width - len(indent), _MIN_TEXT)
        retry = textwrap.wrap(_RETRY, width) if line.kind is LineKind.ERROR else []
        parts = [*textwrap.wrap(plain(line.text), width), *retry]
        return [replace(line, text=indent + part) for part in parts]


def _group_of(place: Place) -> str:
    """The group of the worker that loads the children of a place."""
    return f"places {id(place)}"


def _is_remembered(location: Location) -> bool:
    """Whether the folders of a place are remembered: high up they seldom change."""
    return not location.place and location.path.count("/") <= 1


def _names_of(shortcuts: Mapping[str, Sequence[Place]]) -> list[tuple[str, Shortcut | None]]:
    return [(place.name, place.shortcut) for places in shortcuts.values() for place in places]


def _indentation(depth: int) -> int:
    """The indentation of a line; deep levels are indented less, since names are long and the pane is narrow."""
    return min(_INDENT * depth, depth + 1) if depth else 0

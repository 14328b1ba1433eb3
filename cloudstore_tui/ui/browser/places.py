"""Places: the profiles, regions, types and folders that are known so far, and the lines of a tree that show them."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.memory import BrowserState, Visited
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.ui.format import place_names, visit_title
from cloudstore_tui.ui.report import sentence

MAX_AT_ONCE = 1_000
"""Children of one page that are shown at once; the rest waits behind "more…"."""


Shortcut: TypeAlias = SavedSearch | Bookmark | Visited


class LineKind(StrEnum):
    """What a line of the tree shows; also the name of its style."""

    PLACE = "place"
    SHORTCUT = "shortcut"
    MORE = "more"
    FOLD = "fold"
    """Stands for places that are seldom wanted."""
    TITLE = "title"
    NOTE = "note"
    ERROR = "error"


class PlaceLine(Struct, frozen=True):
    """One line of the tree: a place, or a note about it."""

    place: "Place"
    kind: LineKind = LineKind.PLACE
    text: str = ""
    note: str = ""
    """Shown at the right edge."""
    icon: int = -1
    """The column of the sign that opens and closes the place; negative without one."""


class Place:
    """A folder or profile in the tree, with the children that are known."""

    def __init__(self, location: Location, name: str, *, parent: "Place | None" = None, expandable: bool = True):
        self.location = location
        self.name = name
        """As shown: remote text, not yet safe to draw."""
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.expandable = expandable
        self.children: list[Place] = []
        self.everything: Place | None = None
        """The line that shows all of its objects, above the children that each show a part of them."""
        self.fold_after = 0
        """Children that are shown at first; 0 for all."""
        self.shortcut: Shortcut | None = None
        """What it leads to, if not to a place of the tree."""
        self.is_open = False
        self.loading: object | None = None
        """The token of the running load; answers to any other come too late."""
        self.error = ""
        """Why the last load failed."""
        self._waiting: list[Folder] = []
        self._cursor: str | None = None
        self._is_loaded = False
        self._reloads = False

    @property
    def has_more(self) -> bool:
        """Whether further children are waiting or can be asked for."""
        return bool(self._waiting) or self._cursor is not None

    @property
    def needs_load(self) -> bool:
        """Whether its children were never loaded."""
        return self.expandable and not self._is_loaded and self.loading is None

    @property
    def cursor(self) -> str | None:
        """Where the next page of children starts; `None` for the first, also while reloading."""
        return None if self._reloads else self._cursor

    def show_waiting(self) -> bool:
        """Show further children that came already; False if they have to be asked for."""
        if not self._waiting:
            return False
        self._add((), {})
        return True

    def start_load(self, *, again: bool = False) -> object:
        """Begin to load children, the next page or from the start; returns the token of the load."""
        self.loading, self.error, self.is_open, self._reloads = object(), "", True, again
        return self.loading

    def close(self) -> None:
        """Hide its children, and drop the answer of a running load."""
        self.loading, self.is_open = None, False

    def stop_load(self) -> None:
        """Give up the running load."""
        self.loading = None
        self.is_open = self.is_open and self._is_loaded

    def fill(self, page: Page[Folder]) -> None:
        before = {child.location: child for child in self.children}
        if self._reloads or not self._is_loaded:
            self.children, self._waiting, self._reloads = [], [], False
        self.loading, self.error, self._is_loaded = None, "", True
        self._cursor = page.cursor
        self._add(page.items, before)

    def ensure_child(self, folder: Folder) -> "Place":
        """The child of a folder, added if it is missing, although its siblings may not be known."""
        known = next((child for child in self.children if child.location == folder.location), None)
        if known is None:
            known = self._child(folder)
            self.children.append(known)
        return known

    @property
    def folded(self) -> list["Place"]:
        """The children behind "… more types"; a single one is not folded."""
        rest = self.children[self.fold_after :] if self.fold_after else []
        return rest if len(rest) > 1 else []

    def fail(self, error: str) -> None:
        """End the load with an error; the children that were there stay."""
        self.loading, self.error = None, error

    def _add(self, folders: Sequence[Folder], before: Mapping[Location, "Place"]) -> None:
        """Show further children; those that were there `before` stay open or closed as they were."""
        known = {child.location for child in self.children}
        self._waiting += [folder for folder in folders if folder.location not in known]
        now, self._waiting = self._waiting[:MAX_AT_ONCE], self._waiting[MAX_AT_ONCE:]
        self.children += [before.get(folder.location) or self._child(folder) for folder in now]

    def _child(self, folder: Folder) -> "Place":
        return Place(folder.location, shown_name(folder), parent=self, expandable=folder.expandable)


def shown_name(folder: Folder) -> str:
    """A folder's name in the tree: types as people call them; real folders end with a slash."""
    if len(folder.location.place) == 1:
        return place_names(folder.location)[0]
    is_real = bool(folder.location.path) and not folder.location.place
    return folder.name.rstrip("/") + "/" if is_real else folder.name


def walk(roots: Sequence[Place]) -> Iterator[Place]:
    """All loaded places of trees, visible or not."""
    waiting = list(roots)
    while waiting:
        place = waiting.pop()
        yield place
        waiting += place.children


def lines_of(roots: Sequence[Place]) -> Iterator[PlaceLine]:
    """The lines of trees from top to bottom."""
    waiting = [PlaceLine(root) for root in reversed(roots)]
    while waiting:
        line = waiting.pop()
        yield line
        if line.kind is LineKind.PLACE and line.place.is_open:
            waiting += reversed(list(_below(line.place)))


def _below(place: Place) -> Iterator[PlaceLine]:
    folded = place.folded
    if place.everything is not None:
        yield PlaceLine(place.everything)
    yield from map(PlaceLine, place.children[: len(place.children) - len(folded)])
    if folded:
        yield PlaceLine(place, LineKind.FOLD, f"{len(folded)} more types")
    yield from _notes(place)


def is_partial(place: Place) -> bool:
    """Whether only the children that lead to where the user is are known."""
    return place.is_open and bool(place.children) and place.needs_load


def _notes(place: Place) -> Iterator[PlaceLine]:
    if place.loading is not None:
        yield PlaceLine(place, LineKind.NOTE, "loading…")
    elif place.error:
        yield PlaceLine(place, LineKind.ERROR, place.error)
    elif place.has_more or (is_partial(place) and not any(map(is_partial, place.children))):
        is_profile = not place.location.region and any(child.location.region for child in place.children)
        yield PlaceLine(place, LineKind.MORE, "more regions…" if is_profile else "more…")
    elif not place.children and not place.needs_load:
        yield PlaceLine(place, LineKind.NOTE, "no folders")


def path_to(provider: StorageProvider, location: Location) -> list[Location]:
    """The places from the top of a profile, without it, down to a location or the folder it is in."""
    path: list[Location] = []
    at: Location | None = location if provider.is_folder(location) else provider.parent(location)
    while at is not None and (above := provider.parent(at)) is not None:
        path.insert(0, at)
        at = above
    return path


# Saved and recent places

MAX_SAVED, MAX_RECENT = 8, 5


def saved_places(browser_state: BrowserState) -> list[Place]:
    """The saved searches and bookmarks; an error stands among them as text."""
    found = []
    try:
        for search in browser_state.searches.read().values():
            name = f"{search.name} …" if search.placeholders else search.name
            found.append(_shortcut(Location(search.profile, search.region), name, search))
        marks = browser_state.bookmarks.read().values()
        found += [_shortcut(Location(mark.profile), f"★ {mark.name}", mark) for mark in marks]
    except StorageError as error:
        found.append(_shortcut(Location(""), sentence(error)))
    return found[:MAX_SAVED]


def recent_places(
    browser_state: BrowserState, profiles: Mapping[str, StorageProvider], here: Location | None
) -> list[Place]:
    """Recent places and searches, without the current place and the tops of profiles."""
    visits = [visit for visit in browser_state.recent.visits if visit.profile in profiles]
    known = [visit for visit in visits if visit.find or visit.location not in (here, Location(visit.profile))]
    return [_shortcut(visit.location, visit_title(visit), visit) for visit in known[:MAX_RECENT]]


def _shortcut(location: Location, name: str, shortcut: Shortcut | None = None) -> Place:
    place = Place(location, name, expandable=False)
    place.shortcut = shortcut
    return place

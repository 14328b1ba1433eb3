"""What the browser remembers between runs, each kind in a small file of its own in the state folder.

Methods that write a file raise `LocalDiskError` if it cannot be written.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from time import time
from typing import Generic, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.fs.whole_file import turn, write_whole
from cloudstore_tui.state.bookmarks import FILE as BOOKMARKS
from cloudstore_tui.state.bookmarks import Bookmarks
from cloudstore_tui.state.searches import FILE as SEARCHES
from cloudstore_tui.state.searches import SavedSearches

Value = TypeVar("Value")

_LARGEST = 8_000_000
"""Bytes read of a file at most; those of this program are far smaller."""


@contextmanager
def _turn(path: Path | None) -> Iterator[None]:
    """Lock a file against changes by others, if possible; if not, the write reports why."""
    with ExitStack() as stack:
        with suppress(StorageError):
            stack.enter_context(turn(path))
        yield


class JsonState(Generic[Value]):
    """One value in a JSON file. It has its default while there is no readable file."""

    def __init__(self, path: Path | None, type_: type[Value], default: Value) -> None:
        self._path = path
        self._type = type_
        self._value = default
        self._default = default

    def read(self) -> Value:
        """The value in the file now, which other programs may have changed."""
        if self._path is None:
            return self._value
        try:
            with self._path.open("rb") as file:
                return msgspec.convert(json.loads(file.read(_LARGEST)), self._type)
        except (OSError, ValueError, RecursionError):
            return self._default

    def turn(self) -> AbstractContextManager[None]:
        """Keep other programs from writing between a read and a write."""
        return _turn(self._path)

    def write(self, value: Value) -> None:
        """Replace the value."""
        self._value = value
        if self._path is not None:
            write_whole(self._path, json.dumps(msgspec.to_builtins(value), indent=2) + "\n", follows=True)


class FilterHistory:
    """The filters and phrases sent from the search line, as typed: one per line, newest last."""

    FILE = "filters.txt"
    MAX_LINES = 500
    LONGEST_LINE = 10_000
    """Characters; a longer filter is not kept."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the history in a file, or without one in memory."""
        self._path = path

    @cached_property
    def _lines(self) -> list[str]:
        # Read on demand: the first picture does not need it.
        return self._read() if self._path else []

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, oldest first, without duplicates."""
        return tuple(self._lines)

    def add(self, text: str) -> None:
        """Add a text as the newest one."""
        text = text.strip()
        if not self._is_kept(text):
            return
        with _turn(self._path):
            # Read it again: another browser may have added to it.
            known = self._read() if self._path else self._lines
            self._lines = [*(line for line in known if line != text), text][-self.MAX_LINES :]
            if self._path:
                write_whole(self._path, "".join(f"{line}\n" for line in self._lines), follows=True)

    def _read(self) -> list[str]:
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                data = file.read(_LARGEST)
        except OSError:
            return []
        kept = [line for line in map(str.strip, data.decode("utf-8", "replace").split("\n")) if self._is_kept(line)]
        # Of duplicates, keep the last.
        return list(dict.fromkeys(reversed(kept)))[: self.MAX_LINES][::-1]

    def _is_kept(self, line: str) -> bool:
        return bool(line) and len(line) <= self.LONGEST_LINE and line.isprintable()


class Visited(msgspec.Struct, frozen=True, omit_defaults=True):
    """A folder or place that the user visited, or a search there."""

    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()
    find: str = ""
    """The search as typed; empty for a folder or place."""
    title: str = ""
    """The short name of the search."""
    at: int = 0
    """The time in epoch seconds; 0 if unknown."""

    @property
    def location(self) -> Location:
        """The folder or place, or the one that was searched."""
        return Location(self.profile, self.region, self.path, self.place)

    def is_same(self, other: "Visited") -> bool:
        """Whether it is the same place or search, at any time."""
        return (self.location, self.find) == (other.location, other.find)


class RecentPlaces:
    """Visited places and searches. The file is private: searches hold names and numbers of people."""

    FILE = "recent.json"
    MAX_PLACES = 50
    """The newest one of each profile is kept in addition."""
    LONGEST = 2_000
    """Characters of a path or search; a longer one is not kept."""
    FRESH_S = 60
    """Time for which a repeated visit to the newest one is not written."""

    def __init__(self, path: Path | None = None, *, wanted: bool = True) -> None:
        """Keep the places in a file, or without one in memory; if not `wanted`, keep none and delete the file."""
        if path is not None and not wanted:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._wanted = wanted
        self._state: JsonState[list[Visited]] = JsonState(path if wanted else None, list[Visited], [])
        self._turn = Lock()
        self._known = self._read()

    @property
    def visits(self) -> tuple[Visited, ...]:
        """Places and searches, newest first, without duplicates."""
        return tuple(self._known)

    @property
    def places(self) -> tuple[Location, ...]:
        """The places without the searches."""
        return tuple(visit.location for visit in self._known if not visit.find)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """The last visited place in one of these profiles."""
        wanted = frozenset(profiles)
        return next((location for location in self.places if location.profile in wanted), None)

    def add(self, location: Location, *, find: str = "", title: str = "", at: int | None = None) -> None:
        """Add a place, or a search there, as the newest. Thread-safe."""
        now = int(time()) if at is None else at
        new = Visited(location.profile, location.region, location.path, location.place, find, title, now)
        size = len(location.path) + sum(map(len, location.place)) + len(find)
        with self._turn:
            if not self._wanted or size > self.LONGEST or self._is_fresh(new):
                return
            with self._state.turn():
                # Read it again: another browser may have added to it.
                self._known = self._bounded([new, *(other for other in self._read() if not other.is_same(new))])
                self._state.write(self._known)

    def _is_fresh(self, new: Visited) -> bool:
        return bool(self._known) and self._known[0].is_same(new) and new.at - self._known[0].at < self.FRESH_S

    def _read(self) -> list[Visited]:
        return self._bounded(self._state.read())

    def _bounded(self, visits: Iterable[Visited]) -> list[Visited]:
        """The newest ones, and in addition the newest one of each profile."""
        kept: list[Visited] = []
        seen: set[str] = set()
        newest: dict[tuple[Location, str], Visited] = {}
        for visit in visits:
            newest.setdefault((visit.location, visit.find), visit)
        for number, visit in enumerate(newest.values()):
            if number < self.MAX_PLACES or (visit.profile not in seen and not visit.find):
                kept.append(visit)
            if not visit.find:
                seen.add(visit.profile)
        return kept


class _Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()
    objects: int | None = None
    folders: tuple[str, ...] = ()
    counted: int = 0
    """When `objects` was counted, in epoch seconds; 0 if it must be counted again."""


class PlaceFacts:
    """A cache of counts and folder names of places, shown beside them without asking the service again."""

    FILE = "places.json"
    MAX_PLACES = 500
    MAX_FOLDERS = 50
    """Folder names kept for one place."""
    FRESH_S = 24 * 60 * 60
    """Time after which objects are counted again."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file, or without one in memory."""
        self._state: JsonState[list[_Fact]] = JsonState(path, list[_Fact], [])
        self._turn = Lock()
        self._known = {Location(fact.profile, fact.region, fact.path, fact.place): fact for fact in self._state.read()}

    def objects(self, location: Location) -> int | None:
        """The number of objects in a place when last counted; `None` if never."""
        fact = self._known.get(location)
        return fact.objects if fact else None

    def is_counted(self, location: Location) -> bool:
        """Whether a place was counted recently."""
        fact = self._known.get(location)
        return fact is not None and _is_fresh(fact)

    def doubt(self, location: Location) -> None:
        """Mark all counts in the region of a location as outdated."""
        with self._turn:
            for place, fact in self._known.items():
                if (place.profile, place.region) == (location.profile, location.region):
                    self._known[place] = replace(fact, counted=0)

    def folders(self, location: Location) -> tuple[str, ...]:
        """The names of the first folders of a place; empty if unknown."""
        fact = self._known.get(location)
        return fact.folders if fact else ()

    def learn(self, location: Location, *, objects: int | None = None, folders: Iterable[str] | None = None) -> bool:
        """Update what is known of a place; returns whether it has changed and should be saved."""
        with self._turn:
            old = self._known.get(location) or _Fact(location.profile, location.region, location.path, location.place)
            new = old
            if objects is not None and not (objects == old.objects and _is_fresh(old)):
                new = replace(new, objects=objects, counted=int(time()))
            if folders is not None:
                new = replace(new, folders=tuple(folders)[: self.MAX_FOLDERS])
            if new == old:
                return False
            self._known.pop(location, None)
            self._known[location] = new
            while len(self._known) > self.MAX_PLACES:
                del self._known[next(iter(self._known))]
            return True

    def keep(self) -> None:
        """Save everything. Thread-safe."""
        with self._turn:
            self._state.write(list(self._known.values()))


def _is_fresh(fact: _Fact) -> bool:
    return 0 <= time() - fact.counted < PlaceFacts.FRESH_S


class ShownColumn(msgspec.Struct, frozen=True):
    """One visible column."""

    name: str
    """A field or a tag."""
    width: int
    """Cells."""


Layout: TypeAlias = tuple[ShownColumn, ...]


class Layouts:
    """The columns that the user chose for each kind of list."""

    FILE = "columns.json"
    MAX_COLUMNS = 60
    WIDEST = 200

    def __init__(self, path: Path | None = None) -> None:
        """Keep the choices in a file, or without one in memory."""
        self._state: JsonState[dict[str, Layout]] = JsonState(path, dict[str, Layout], {})

    @cached_property
    def _known(self) -> dict[str, Layout]:
        # Read on demand: the first picture does not need it.
        return self._read()

    def of(self, kind: str) -> Layout:
        """The columns chosen for a kind of list; empty if none were."""
        return self._known.get(kind, ())

    def keep(self, kind: str, layout: Layout) -> None:
        """Save a choice; an empty one removes it."""
        with self._state.turn():
            self._known = self._known | self._read() | {kind: layout}
            if not layout:
                del self._known[kind]
            self._state.write(self._known)

    def _read(self) -> dict[str, Layout]:
        return {
            kind: layout[: self.MAX_COLUMNS]
            for kind, layout in self._state.read().items()
            if layout and all(column.name and 1 <= column.width <= self.WIDEST for column in layout)
        }


class HiddenPanes:
    """The panes that the user has hidden."""

    FILE = "hidden.json"

    def __init__(self, path: Path | None = None) -> None:
        """Keep their names in a file, or without one in memory."""
        self._state: JsonState[list[str]] = JsonState(path, list[str], [])
        self._names = frozenset(self._state.read())

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def keep(self, name: str, *, hidden: bool) -> None:
        """Save whether a pane is hidden."""
        if hidden == (name in self._names):
            return
        self._names = self._names | {name} if hidden else self._names - {name}
        self._state.write(sorted(self._names))


class _PickedTheme(msgspec.Struct, frozen=True):
    configured: str
    """The theme in the configuration when this one was picked."""
    picked: str


class ThemeChoice:
    """The theme picked in the browser, which does not change the configuration.

    It is used until the configuration names another theme than when this one was picked.
    """

    FILE = "theme.json"

    def __init__(self, configured: str, path: Path | None = None) -> None:
        """Keep the choice in a file, or without one in memory."""
        self._configured = configured
        self._state: JsonState[_PickedTheme | None] = JsonState(path, _PickedTheme, None)

    @property
    def theme(self) -> str:
        """The name of the theme to use."""
        kept = self._state.read()
        return kept.picked if kept is not None and kept.configured == self._configured else self._configured

    def keep(self, picked: str) -> None:
        """Save the picked theme."""
        self._state.write(_PickedTheme(self._configured, picked))


@dataclass
class BrowserState:
    """What the browser remembers; by default in memory only."""

    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    searches: SavedSearches = field(default_factory=SavedSearches)
    recent: RecentPlaces = field(default_factory=RecentPlaces)
    hidden: HiddenPanes = field(default_factory=HiddenPanes)
    facts: PlaceFacts = field(default_factory=PlaceFacts)
    history: FilterHistory = field(default_factory=FilterHistory)
    layouts: Layouts = field(default_factory=Layouts)
    upload_folder: JsonState[str] = field(default_factory=lambda: JsonState(None, str, ""))
    """The folder of the last upload."""
    begins_there: bool = False
    """Whether the browser opens at the last visited place."""

    async def remember(self, location: Location, *, find: str = "", title: str = "") -> None:
        """Add a visited place, or a search there."""
        await asyncio.to_thread(partial(self.recent.add, location, find=find, title=title))

    def hide(self, pane: str, *, hidden: bool) -> None:
        """Save whether a pane is hidden."""
        self.hidden.keep(pane, hidden=hidden)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """The place to open: the last visited one in these profiles, if the user wants that."""
        return self.recent.last(profiles) if self.begins_there else None

    def keep(self, config: Path, state: Path | None, settings: Settings) -> None:
        """Use files from now on.

        Args:
            config: the folder for bookmarks and searches, which users edit.
            state: the folder for everything else, which without it stays in memory.
            settings: whether to keep recent places, and whether to open the last one.
        """
        self.bookmarks = Bookmarks(config / BOOKMARKS)
        self.searches = SavedSearches(config / SEARCHES)

        def at(name: str) -> Path | None:
            return state / name if state is not None else None

        self.hidden = HiddenPanes(at(HiddenPanes.FILE))
        self.recent = RecentPlaces(at(RecentPlaces.FILE), wanted=settings.recent_places)
        self.facts = PlaceFacts(at(PlaceFacts.FILE))
        self.history = FilterHistory(at(FilterHistory.FILE))
        self.layouts = Layouts(at(Layouts.FILE))
        self.upload_folder = JsonState(at("upload-folder.json"), str, "")
        self.begins_there = settings.start_at_last

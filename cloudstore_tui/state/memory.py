"""What the browser remembers between runs, each thing in a small file of its own in the state folder.

Whatever writes such a file raises `LocalDiskError` where the disk refuses.
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
"""Bytes that are read of a file that something else has made larger."""


@contextmanager
def _turn(path: Path | None) -> Iterator[None]:
    """The turn to change a file, if it can be had: if not, what is kept still counts, and writing it says why."""
    with ExitStack() as stack:
        with suppress(StorageError):
            stack.enter_context(turn(path))
        yield


class JsonState(Generic[Value]):
    """One value in a JSON file; without a file, or while there is none that can be read, the default."""

    def __init__(self, path: Path | None, type_: type[Value], default: Value) -> None:
        self._path = path
        self._type = type_
        self._value = default
        self._default = default

    def read(self) -> Value:
        """What is in the file now: other programs write to it, too."""
        if self._path is None:
            return self._value
        try:
            with self._path.open("rb") as file:
                return msgspec.convert(json.loads(file.read(_LARGEST)), self._type)
        except (OSError, ValueError, RecursionError):
            return self._default

    def turn(self) -> AbstractContextManager[None]:
        """Keep other programs from writing between a look at the file and a change of it."""
        return _turn(self._path)

    def write(self, value: Value) -> None:
        """Put a value in the place of what was there."""
        self._value = value
        if self._path is not None:
            write_whole(self._path, json.dumps(msgspec.to_builtins(value), indent=2) + "\n", follows=True)


class FilterHistory:
    """The filters and phrases that were sent from the bar, as they were typed: one a line, the newest last."""

    FILE = "filters.txt"
    MAX_LINES = 500
    LONGEST_LINE = 10_000
    """Characters; a longer filter is not kept."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the history in a file; without one it ends with the program."""
        self._path = path

    @cached_property
    def _lines(self) -> list[str]:
        # When it is asked for: the first picture needs none of it.
        return self._read() if self._path else []

    @property
    def lines(self) -> tuple[str, ...]:
        """The oldest first; none twice."""
        return tuple(self._lines)

    def add(self, text: str) -> None:
        """Remember a text as the newest.

        Raises:
            LocalDiskError: the file cannot be written.
        """
        text = text.strip()
        if not self._is_kept(text):
            return
        with _turn(self._path):
            # Read again: another browser may have added to it.
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
        # Of two that are equal the later one counts.
        return list(dict.fromkeys(reversed(kept)))[: self.MAX_LINES][::-1]

    def _is_kept(self, line: str) -> bool:
        return bool(line) and len(line) <= self.LONGEST_LINE and line.isprintable()


class Visited(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somewhere the user was: a folder, a place, or what was searched for there."""

    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()
    find: str = ""
    """What was searched for, as it was typed; empty for a folder or place."""
    title: str = ""
    """What the search is called for short."""
    at: int = 0
    """When, in epoch seconds; 0 if unknown."""

    @property
    def location(self) -> Location:
        """The folder or place, or that in which was searched."""
        return Location(self.profile, self.region, self.path, self.place)

    def is_same(self, other: "Visited") -> bool:
        """Whether it is the same place or search, whenever that was."""
        return (self.location, self.find) == (other.location, other.find)


class RecentPlaces:
    """Where the user was, on disk only for its owner: searches hold names and numbers of people."""

    FILE = "recent.json"
    MAX_PLACES = 50
    """The newest one of each profile is kept besides."""
    LONGEST = 2_000
    """Characters of a path or search; a longer one is not kept."""
    FRESH_S = 60
    """Seconds for which the newest one is not written again."""

    def __init__(self, path: Path | None = None, *, wanted: bool = True) -> None:
        """Keep the places in a file; without one they end with the program, and if not `wanted` none is kept."""
        if path is not None and not wanted:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._wanted = wanted
        self._state: JsonState[list[Visited]] = JsonState(path if wanted else None, list[Visited], [])
        self._turn = Lock()
        self._known = self._read()

    @property
    def visits(self) -> tuple[Visited, ...]:
        """Places and searches, the newest first; none twice."""
        return tuple(self._known)

    @property
    def places(self) -> tuple[Location, ...]:
        """The places alone."""
        return tuple(visit.location for visit in self._known if not visit.find)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """Where the user was last in one of these profiles."""
        wanted = frozenset(profiles)
        return next((location for location in self.places if location.profile in wanted), None)

    def add(self, location: Location, *, find: str = "", title: str = "", at: int | None = None) -> None:
        """Remember a place, or a search there, as the newest. Can be called from any thread."""
        now = int(time()) if at is None else at
        new = Visited(location.profile, location.region, location.path, location.place, find, title, now)
        size = len(location.path) + sum(map(len, location.place)) + len(find)
        with self._turn:
            if not self._wanted or size > self.LONGEST or self._is_fresh(new):
                return
            with self._state.turn():
                # Read again: another browser may have added to it.
                self._known = self._bounded([new, *(other for other in self._read() if not other.is_same(new))])
                self._state.write(self._known)

    def _is_fresh(self, new: Visited) -> bool:
        return bool(self._known) and self._known[0].is_same(new) and new.at - self._known[0].at < self.FRESH_S

    def _read(self) -> list[Visited]:
        return self._bounded(self._state.read())

    def _bounded(self, visits: Iterable[Visited]) -> list[Visited]:
        """The newest, and of each profile the newest one."""
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
    """When that was the number of objects, in seconds of the epoch."""


class PlaceFacts:
    """What services told of places once, so that it need not be asked again just to be shown beside them."""

    FILE = "places.json"
    MAX_PLACES = 500
    MAX_FOLDERS = 50
    """Names of folders of one place."""
    FRESH_S = 24 * 60 * 60
    """Seconds for which a number of objects holds: it is asked for again after that."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file; without one they end with the program."""
        self._state: JsonState[list[_Fact]] = JsonState(path, list[_Fact], [])
        self._turn = Lock()
        self._known = {_location_of(fact): fact for fact in self._state.read()}

    def objects(self, location: Location) -> int | None:
        """How many objects a place held when last counted; `None` if never."""
        fact = self._known.get(location)
        return fact.objects if fact else None

    def is_counted(self, location: Location) -> bool:
        """Whether a place was counted recently."""
        fact = self._known.get(location)
        return fact is not None and _is_fresh(fact)

    def doubt(self, location: Location) -> None:
        """Have everything in the region of a location counted again."""
        with self._turn:
            for place, fact in self._known.items():
                if (place.profile, place.region) == (location.profile, location.region):
                    self._known[place] = replace(fact, counted=0)

    def folders(self, location: Location) -> tuple[str, ...]:
        """The names of the first folders of a place; empty if they were never told."""
        fact = self._known.get(location)
        return fact.folders if fact else ()

    def learn(self, location: Location, *, objects: int | None = None, folders: Iterable[str] | None = None) -> bool:
        """Take in what was just seen of a place; returns whether it is new and worth keeping."""
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
        """Write down what is known. Can be called from any thread."""
        with self._turn:
            self._state.write(list(self._known.values()))


def _is_fresh(fact: _Fact) -> bool:
    return 0 <= time() - fact.counted < PlaceFacts.FRESH_S


def _location_of(fact: _Fact) -> Location:
    return Location(fact.profile, fact.region, fact.path, fact.place)


class ShownColumn(msgspec.Struct, frozen=True):
    """One column that is shown."""

    name: str
    """A field or a tag."""
    width: int
    """Cells."""


Layout: TypeAlias = tuple[ShownColumn, ...]


class Layouts:
    """The columns that the user chose, for each kind of list."""

    FILE = "columns.json"
    MAX_COLUMNS = 60
    WIDEST = 200

    def __init__(self, path: Path | None = None) -> None:
        """Keep the choices in a file; without one they end with the program."""
        self._state: JsonState[dict[str, Layout]] = JsonState(path, dict[str, Layout], {})

    @cached_property
    def _known(self) -> dict[str, Layout]:
        # When it is asked for: the first picture needs none of it.
        return self._read()

    def of(self, kind: str) -> Layout:
        """What was chosen for a kind of list; empty if nothing was."""
        return self._known.get(kind, ())

    def keep(self, kind: str, layout: Layout) -> None:
        """Remember a choice; an empty one forgets it."""
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
    """The panes that the user hid."""

    FILE = "hidden.json"

    def __init__(self, path: Path | None = None) -> None:
        """Keep their names in a file; without one they end with the program."""
        self._state: JsonState[list[str]] = JsonState(path, list[str], [])
        self._names = frozenset(self._state.read())

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def keep(self, name: str, *, hidden: bool) -> None:
        """Remember whether a pane is hidden."""
        if hidden == (name in self._names):
            return
        self._names = self._names | {name} if hidden else self._names - {name}
        self._state.write(sorted(self._names))


class _PickedTheme(msgspec.Struct, frozen=True):
    configured: str
    """What the configuration named when it was picked."""
    picked: str


class ThemeChoice:
    """The theme that was picked in the browser; the configuration stays as the user wrote it.

    It holds until the configuration names another theme than it did when this one was picked.
    """

    FILE = "theme.json"

    def __init__(self, configured: str, path: Path | None = None) -> None:
        """Keep the choice in a file; without one it ends with the program."""
        self._configured = configured
        self._state: JsonState[_PickedTheme | None] = JsonState(path, _PickedTheme, None)

    @property
    def theme(self) -> str:
        """The name of the theme to begin with."""
        kept = self._state.read()
        return kept.picked if kept is not None and kept.configured == self._configured else self._configured

    def keep(self, picked: str) -> None:
        """Remember what was picked."""
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
    """Where the last files came from that were uploaded."""
    begins_there: bool = False
    """Whether the browser begins where it was left."""

    async def remember(self, location: Location, *, find: str = "", title: str = "") -> None:
        """Remember where the user is, or what they look for there."""
        await asyncio.to_thread(partial(self.recent.add, location, find=find, title=title))

    def hide(self, pane: str, *, hidden: bool) -> None:
        """Remember that a pane is hidden, or not any more."""
        self.hidden.keep(pane, hidden=hidden)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """Where to begin: where the user was last in one of these profiles, if that is wanted."""
        return self.recent.last(profiles) if self.begins_there else None

    def keep(self, config: Path, state: Path | None, settings: Settings) -> None:
        """Use the files of these folders from now on.

        Args:
            config: where bookmarks and searches are, which people edit.
            state: where everything else is; without it that ends with the program.
            settings: whether recent places are wanted, and to begin at the last of them.
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

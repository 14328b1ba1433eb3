"""The home screen: profiles, recent places, what waits for the user, archives and saved searches, in one list."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum
from itertools import pairwise
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.archive.registry import ArchiveRegistry, ArchiveState
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.restores import RestoreRequest
from cloudstore_tui.state.memory import BrowserState, Visited
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.transfers.model import TransferSnapshot, ZipRequest
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.format import ago, archive_words, counted, service_name, visit_above, visit_title
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.transfer_text import request_title
from cloudstore_tui.ui.transfer_watch import TransferWatch
from cloudstore_tui.ui.widgets.chrome import Badge, StatusBar
from cloudstore_tui.ui.widgets.cursor_list import CursorList

EXAMPLE = 'agent:"Khang Glynn" on:2024-09-01 dur:>10m'
"""An example of a search."""
DEMO = "You are in the demo: made-up data, nothing leaves this machine. Files you fetch go to ./cloudstore-demo"
DEMO_SHORT = "Made-up data. Files go to ./cloudstore-demo"
SEARCHED = "calls and transcripts"
"""Contents of a searchable profile, as long as its regions are unknown."""
WIDE = 100
"""Screen width from which all details are shown."""
MAX_RECENT, MAX_SEARCHES, MAX_NUMBERS, MAX_ARCHIVES = 5, 9, 9, 5
LONGEST = 200
"""Longest text in the list, in characters."""


# What home shows


class HomeProfile(Struct, frozen=True):
    """A profile, and what is known about its contents."""

    profile: Profile
    is_searched: bool = False
    """Whether its service can be searched; such a service accepts no uploads."""
    folders: Sequence[str] = ()
    """Names of its top-level folders or regions."""
    objects: str = ""
    """How many objects or folders it holds, in words."""


class HomeState(Struct, frozen=True):
    """Everything that home shows; empty where not known yet."""

    profiles: Sequence[HomeProfile] = ()
    recent: Sequence[Visited] = ()
    stopped: Sequence[TransferSnapshot] = ()
    """Unfinished transfers of earlier runs that no program has resumed."""
    restored: Sequence[RestoreRequest] = ()
    """Restored objects that were not downloaded yet."""
    searches: Sequence[SavedSearch] = ()
    archives: Sequence[ArchiveState] = ()
    """Folders filled by `pull`, and the results of their last runs."""
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """In the time zone of the screen."""


class HomeChoice(Enum):
    """What can be chosen besides profiles, places and searches."""

    FIND = "find"
    GOTO = "goto"
    BACK = "back"
    RESUME = "resume"
    DROP = "drop"
    FETCH = "fetch"
    LATER = "later"
    DEMO = "demo"
    ADD = "add"
    GUIDE = "guide"


Target = HomeChoice | Profile | Visited | SavedSearch


class HomeItem(Struct, frozen=True):
    """One line that can be chosen. Its texts are not yet safe to draw."""

    target: Target
    sign: str
    title: str
    middle: str = ""
    note: str = ""
    drop: HomeChoice | None = None
    """What the key x does."""


class Section(Struct, frozen=True):
    """A title with the items below it."""

    title: str
    columns: tuple[int, int]
    """Columns at which the middle texts and the notes begin."""
    items: tuple[HomeItem, ...]


class _Margins(Struct, frozen=True):
    """Columns at which titles, signs and texts begin."""

    title: int
    sign: int
    text: int


_MIN_MIDDLE = 12
"""Cells left for the middle text before a note."""
_WIDE_MARGINS, _NARROW_MARGINS = _Margins(4, 6, 9), _Margins(1, 2, 5)


def sections_of(state: HomeState, *, wide: bool) -> tuple[Section, ...]:
    """The sections of home, from top to bottom."""
    if not state.profiles:
        welcome = "Welcome to cloudstore. Where do you want to begin?"
        return (Section(welcome, (31, 0) if wide else (27, 0), _WELCOME),)
    numbers = iter(map(str, range(1, MAX_NUMBERS + 1)))
    profiles = tuple(_profile_item(known, next(numbers, ""), state, wide) for known in state.profiles)
    visits = [visit for visit in state.recent if visit.find or visit.location != Location(visit.profile)]
    recent = tuple(_recent_item(visit, next(numbers, ""), state.now) for visit in visits[:MAX_RECENT])
    can_find = any(known.is_searched for known in state.profiles)
    find = (HomeItem(HomeChoice.FIND, "f", "Find a call …", EXAMPLE),) if can_find else ()
    names = {known.profile.name for known in state.profiles}
    archives = [archive for archive in state.archives if archive.archive.profile in names][:MAX_ARCHIVES]
    searches = tuple(HomeItem(search, "", search.name, search.find) for search in state.searches[:MAX_SEARCHES])
    columns = (47, 82) if wide else (34, 62)
    found = (
        Section("Where to?", (20, 54) if wide else (15, 46), profiles),
        Section("", (34, 0) if wide else (21, 0), find),
        Section("Go on", columns, recent),
        Section("Waiting for you", (0, 74) if wide else (0, 38), _waiting_items(state, wide)),
        Section("Archives", columns, tuple(_archive_item(archive, state.now) for archive in archives)),
        Section("Saved searches", (32, 0) if wide else (34, 0), searches),
    )
    return tuple(section for section in found if section.items)


_WELCOME = (
    HomeItem(HomeChoice.DEMO, "1", "Try it out", "Made-up data on this machine. Needs no account."),
    HomeItem(HomeChoice.ADD, "2", "Add a profile", "You have API keys for Alvaria or 8x8. Two minutes."),
    HomeItem(HomeChoice.GUIDE, "3", "How to get API keys", "Which page, role and product, for each service."),
)


def _profile_item(known: HomeProfile, number: str, state: HomeState, wide: bool) -> HomeItem:
    profile, objects = known.profile, known.objects
    # Only the service knows its regions; it is asked when the user goes there.
    folders = ", ".join(known.folders) or (SEARCHED if known.is_searched else "")
    where = " · ".join(part for part in (service_name(profile), folders) if part)
    last = next((visit.at for visit in state.recent if visit.profile == profile.name and visit.at), 0)
    terms = "read-only" if profile.read_only else "" if known.is_searched else "uploads allowed"
    seen = f"last here {ago(last, state.now)}" if last else ""
    note = " · ".join(part for part in (objects, seen or terms) if part) if wide else objects or terms
    return HomeItem(profile, number, profile.name, where, note)


def _recent_item(visit: Visited, number: str, now: datetime) -> HomeItem:
    return HomeItem(visit, number, visit_title(visit), visit_above(visit), ago(visit.at, now))


def _archive_item(archive: ArchiveState, now: datetime) -> HomeItem:
    of = archive.archive
    visit = Visited(of.profile, of.region, of.path)
    where = " ".join(part for part in (of.profile, of.region, of.path) if part)
    return HomeItem(visit, "✓" if archive.is_good else "✗", of.folder, where, archive_words(archive, now))


def _files(transfer: TransferSnapshot) -> int:
    return len(transfer.request.members) if isinstance(transfer.request, ZipRequest) else 1


def _waiting_items(state: HomeState, wide: bool) -> tuple[HomeItem, ...]:
    items = []
    if number := sum(map(_files, state.stopped)):
        text = f"{counted(number, 'file')} stopped half-way"
        if wide:
            size = sum(transfer.size or 0 for transfer in state.stopped)
            arrived = words.size(sum(transfer.done for transfer in state.stopped))
            text += f" ({words.size(size)} of which {arrived} are here)" if size else f" ({arrived} are here)"
        items.append(HomeItem(HomeChoice.RESUME, "↓", text, note="⏎ go on   x drop …", drop=HomeChoice.DROP))
    if number := len(state.restored):
        text = f"{counted(number, 'archived recording')} {'is' if number == 1 else 'are'} back"
        ends = [request.expires for request in state.restored if request.expires is not None]
        if wide and ends:
            text += f", until {words.local(min(ends), state.now.tzinfo or UTC):%-d %b}"
        items.append(HomeItem(HomeChoice.FETCH, "❄", text, note="⏎ fetch   x later", drop=HomeChoice.LATER))
    return tuple(items)


# The list


class _Row(Struct, frozen=True):
    """One line: an item, a title, or empty."""

    parts: tuple[tuple[int, str, str], ...] = ()
    """Column, text that is safe to draw, and style."""
    item: HomeItem | None = None


class HomeList(CursorList):
    """Draws sections of items; the cursor stops only at items."""

    DEFAULT_CSS = """
    HomeList {
        background: $background;
        color: $foreground;
        & > .home-list--head { color: $border-blurred; }
        & > .home-list--title { color: $text-primary; text-style: bold; }
        & > .home-list--name { color: $foreground; }
        & > .home-list--sign { color: $text-accent; text-style: bold; }
        & > .home-list--muted { color: $text-muted; }
    }
    """
    PARTS: ClassVar[tuple[str, ...]] = ("head", "title", "name", "sign", "muted")
    PREFIX = "home-list"
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"home-list--{part}" for part in PARTS}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "choose", "Choose", id="home.choose", tooltip="Go there, or do it"),
    ]

    @dataclass
    class Chosen(Message):
        """The user chose an item."""

        target: Target

    def __init__(self) -> None:
        super().__init__(id="home")
        self._sections: tuple[Section, ...] = ()
        self._rows: list[_Row] = []

    @property
    def item(self) -> HomeItem | None:
        return self._rows[self.cursor].item if self.cursor < len(self._rows) else None

    @property
    def items(self) -> list[HomeItem]:
        return [row.item for row in self._rows if row.item is not None]

    def show(self, sections: Sequence[Section]) -> None:
        """Show sections; the cursor stays on its item, or near it."""
        self._sections = tuple(sections)
        kept = self.item
        self._rows = self._made()
        self.set_row_count(len(self._rows))
        same = [at for at, row in enumerate(self._rows) if row.item and kept and row.item.target == kept.target]
        self.cursor = same[0] if same else self.cursor
        self.refresh()

    def validate_cursor(self, row: int) -> int:
        """The nearest row with an item, first in the direction of the move."""
        if not self.items:
            return 0
        row = super().validate_cursor(row)
        step = 1 if row >= self.cursor else -1
        for way in (step, -step):
            at = row
            while 0 <= at < len(self._rows):
                if self._rows[at].item is not None:
                    return at
                at += way
        return row

    def action_choose(self) -> None:
        if self.item is not None:
            self.post_message(self.Chosen(self.item.target))

    def click_row(self, row: int, _event: events.Click, /) -> None:
        if self._rows[row].item is not None:
            self.cursor = row
            self.action_choose()

    def on_resize(self) -> None:
        self.show(self._sections)
        super().on_resize()

    def render_line(self, y: int) -> Strip:
        width, index = self.size.width, self.scroll_offset.y + y - 1
        if y == 0:
            return Strip([Segment("─" * width, self.part_style("head"))], width)
        row = self._rows[index] if index < len(self._rows) else _Row()
        has_cursor = index == self.cursor and row.item is not None
        base = self.part_style("cursor") if has_cursor else self.rich_style
        segments, at = [], 0
        for column, text, part in row.parts:
            segments.append(Segment(" " * (column - at), base))
            segments.append(Segment(text, base if has_cursor else self.part_style(part)))
            at = column + cell_len(text)
        return Strip(segments).adjust_cell_length(width, base)

    def _made(self) -> list[_Row]:
        width = self.size.width
        margins = _WIDE_MARGINS if width >= WIDE else _NARROW_MARGINS
        items = sum(len(section.items) for section in self._sections)
        titles = sum(bool(section.title) for section in self._sections)
        is_roomy = width >= WIDE and self.page_height >= 2 + items + 2 * titles + len(self._sections) - 1
        has_room = self.page_height >= items + 2 * titles - 1
        rows = [_Row()] * 2 * is_roomy
        for number, section in enumerate(self._sections):
            if number and has_room and (section.title or is_roomy):
                rows.append(_Row())
            if section.title:
                title = shorten(section.title, width - margins.title)
                rows.append(_Row(((margins.title, title, "title"),)))
                rows += [_Row()] * is_roomy
            rows += [_Row(_parts(item, section, margins, width), item) for item in section.items]
        return rows


def _parts(item: HomeItem, section: Section, margins: _Margins, width: int) -> tuple[tuple[int, str, str], ...]:
    """The texts of an item, shortened to fit."""
    named = section.items[0].sign or item.sign
    text = margins.text if named else margins.sign
    middle, note = section.columns
    columns = zip(*((each.title, each.middle, each.note) for each in section.items), strict=True)
    longest, beside, last = (max(cell_len(plain(each, LONGEST)) for each in column) for column in columns)
    # On narrow screens, move notes to the left so that they fit.
    note = min(note, max(width - last - 1, middle + _MIN_MIDDLE)) if note else 0
    if middle:
        # A long name moves the middle text to the right, as far as that still fits.
        most = min(middle + (width - middle) // 3, (note or width) - beside - 2)
        middle = max(middle, min(text + longest + 2, most))
    placed = [(margins.sign, item.sign, "sign"), (text, item.title, "name"), (middle, item.middle, "muted")]
    placed = [part for part in [*placed, (note, item.note, "muted")] if part[1] and part[0] + 1 < width]
    ends = [max(column - 2, before[0] + 1) for before, (column, _, _) in pairwise(placed)] + [width - 1]
    return tuple(
        (column, shorten(plain(value, LONGEST), end - column), part)
        for (column, value, part), end in zip(placed, ends, strict=False)
        if end > column
    )


# The screen


_HEIGHTS = [(0, "-low"), (16, "-high")]


def _number(number: int) -> Binding:
    """The key that opens the item with a number; the footer shows one entry for all nine."""
    return Binding(
        str(number), f"take('{number}')", "Open", show=number == 1, key_display=f"1–{MAX_NUMBERS}",
        id=f"home.take_{number}", tooltip="Open the line with this number",
    )  # fmt: skip


class HomeScreen(BaseScreen[None]):
    """The first screen. It sends no requests, and nothing opens by itself."""

    DEFAULT_CSS = """
    HomeScreen {
        #home { height: 1fr; }
        &.-high #home { border-bottom: solid $border-blurred; }
        #demo { color: $text-warning; }
    }
    """
    AUTO_FOCUS = "#home"
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        *map(_number, range(1, MAX_NUMBERS + 1)),
        Binding("f,f7", "leave('find')", "Find", id="home.find", tooltip="Find a call in the last profile you used"),
        Binding("x", "drop", "Drop", show=False, id="home.drop", tooltip="Drop what waits, or put it off"),
        Binding("t", "app.transfers", "Transfers", show=False, id="home.transfers", tooltip="Show all transfers"),
        Binding("ctrl+g", "leave('goto')", "Go to a path", id="home.goto", tooltip="Go to an address or known place"),
        Binding("ctrl+n", "app.setup('add')", "Add a profile", id="home.add", tooltip="Add a profile"),
        Binding(
            "exclamation_mark", "app.setup('check')", "Check everything", id="home.check",
            tooltip="Diagnose problems and suggest fixes",
        ),
        Binding("q,f10", "app.quit", "Quit", id="home.quit", tooltip="End the program; asks if needed"),
        Binding("escape", "leave('back')", "Back", show=False, id="home.back", tooltip="Back to where you were"),
    ]  # fmt: skip

    @dataclass
    class Left(Message):
        """The user chose where to go."""

        target: Target

    def __init__(
        self,
        profiles: Callable[[], Sequence[Profile]],
        is_searched: Callable[[Profile], bool],
        browser_state: BrowserState,
        watch: TransferWatch,
        restores: RestoreWatch,
        archives: ArchiveRegistry,
        zone: tzinfo,
    ) -> None:
        super().__init__()
        self._profiles = profiles
        self._is_searched = is_searched
        self._browser_state = browser_state
        self._watch = watch
        self._restores = restores
        self._archives = archives
        self._zone = zone
        self.header.badges = self._badges
        self._put_off: frozenset[Location] = frozenset()
        """Restored objects that the user put off."""
        self.list = HomeList()

    def compose(self) -> ComposeResult:
        yield self.list
        if not self._watch.engine.keeps:
            yield StatusBar(id="demo")

    def on_mount(self) -> None:
        self.header.show(["cloudstore"])
        self.update()
        self._watch.kept.subscribe(self, lambda _: self.update())
        self._restores.ready.subscribe(self, lambda _: self.update())
        self.call_after_refresh(self.run_worker, self._watch.load_interrupted)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.update()
        self.call_after_refresh(self.run_worker, self._refresh_archives)

    async def _refresh_archives(self) -> None:
        before = self._archives.states
        if before != await asyncio.to_thread(self._archives.refresh):
            self.update()

    def on_resize(self, event: events.Resize) -> None:
        self.update(wide=event.size.width >= WIDE)

    def update(self, *, wide: bool | None = None) -> None:
        profiles = [self._known(profile) for profile in self._profiles()]
        names = {known.profile.name for known in profiles}
        state = HomeState(
            profiles=profiles,
            recent=[visit for visit in self._browser_state.recent.visits if visit.profile in names],
            stopped=self._stopped,
            restored=[one for one in self._restores.waiting if one.location not in self._put_off],
            searches=self._saved(),
            archives=self._archives.states,
            now=datetime.now(self._zone),
        )
        wide = self.size.width >= WIDE if wide is None else wide
        self.list.show(sections_of(state, wide=wide))
        for line in self.query(StatusBar):
            line.set_text(DEMO if wide else DEMO_SHORT)
        self.header.update()
        self.refresh_bindings()

    def key_of(self, binding: Binding) -> str:
        """The numbers that there are, for the one entry that stands for all of them."""
        if not binding.action.startswith("take"):
            return super().key_of(binding)
        last = max(item.sign for item in self.list.items if item.sign.isdecimal())
        return "1" if last == "1" else f"1–{last}"

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "drop":
            return self.list.item is not None and self.list.item.drop is not None
        if action == "take":
            return any(item.sign == parameters[0] for item in self.list.items)
        if parameters == ("find",):
            return any(item.target is HomeChoice.FIND for item in self.list.items)
        if parameters == ("goto",):
            return bool(self._profiles())
        return super().check_action(action, parameters)

    def action_take(self, sign: str) -> None:
        for item in self.list.items:
            if item.sign == sign:
                self._take(item.target)
                return

    def action_drop(self) -> None:
        if self.list.item is not None and self.list.item.drop is not None:
            self._take(self.list.item.drop)

    def action_leave(self, where: str) -> None:
        self._take(HomeChoice(where))

    @on(HomeList.Chosen)
    def choose(self, event: HomeList.Chosen) -> None:
        self._take(event.target)

    def _take(self, target: Target) -> None:
        if target is HomeChoice.RESUME:
            self.run_worker(self._watch.resume([transfer.id for transfer in self._stopped]))
        elif target is HomeChoice.DROP:
            self.run_worker(self._drop(self._stopped))
        elif target is HomeChoice.FETCH:
            self._restores.download(self._restores.waiting)
        elif target is HomeChoice.LATER:
            self._put_off |= {request.location for request in self._restores.waiting}
            self.update()
        else:
            self.post_message(self.Left(target))

    async def _drop(self, transfers: Sequence[TransferSnapshot]) -> None:
        name = request_title(transfers[0].request, self._zone) if len(transfers) == 1 else ""
        arrived = sum(transfer.done for transfer in transfers)
        # Deferred: dialogs are loaded when they are first opened.
        from cloudstore_tui.ui.dialogs.questions import CancelDialog

        if await self.app.push_screen_wait(CancelDialog(name, len(transfers), arrived, verb="Drop")):
            await self._watch.cancel([transfer.id for transfer in transfers])

    # State

    def _badges(self) -> list[Badge]:
        is_shown = self._watch.engine.keeps or self.size.width >= WIDE
        return [Badge(str(self._zone) if is_shown else f"demo · {self._zone}")]

    @property
    def _stopped(self) -> list[TransferSnapshot]:
        """Unfinished transfers of earlier runs that no program has resumed."""
        return [batch.transfers[number] for batch in self._watch.batches.values() for number in batch.kept]

    def _known(self, profile: Profile) -> HomeProfile:
        """A profile with what earlier visits have shown of its contents."""
        facts, top = self._browser_state.facts, Location(profile.name)
        folders = facts.folders(top)
        counts = [facts.objects(replace(top, region=name)) for name in folders]
        subfolders = [len(facts.folders(replace(top, path=f"{name}/"))) for name in folders]
        objects = f"{' + '.join(map(str, subfolders))} folders" if subfolders and all(subfolders) else ""
        if known_counts := [count for count in counts if count is not None]:
            objects = counted(sum(known_counts), "object")
        return HomeProfile(profile, self._is_searched(profile), folders, objects)

    def _saved(self) -> Sequence[SavedSearch]:
        try:
            return tuple(self._browser_state.searches.read().values())
        except StorageError:
            # The error is shown when the user opens the searches.
            return ()

"""Going from place to place and back: by address, path, profile or region, bookmarks and saved searches."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from msgspec import Struct, structs
from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.models import Folder, Location, StoredObject, identity, split_address
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql.phrases import with_condition
from cloudstore_tui.state.bookmarks import LONGEST_NAME, Bookmark, Bookmarks
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.state.searches import SIGN, SavedSearch, SavedSearches, placeholders_of
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.browser.listing import ListingController
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.targets import ALL_REGIONS, NavigationTarget, combined_query, search_from, target_at
from cloudstore_tui.ui.dialogs.dialog import QuestionDialog
from cloudstore_tui.ui.dialogs.picking import (
    BookmarksDialog,
    Choice,
    GotoDialog,
    NameChoice,
    NameDialog,
    ParametersDialog,
    PickDialog,
)
from cloudstore_tui.ui.report import notify_plain, report
from cloudstore_tui.ui.text import show

MAX_BACK = 200
"""Entries of the history; nobody goes back further."""
MAX_KEPT_MARKS = 2_000
"""Marks that are kept of a place that was left."""


class HistoryEntry(Struct, frozen=True):
    """A target, and how its list looked when the user left it."""

    target: NavigationTarget
    at: str = ""
    """The identity of the entry under the cursor."""
    until: int = 0
    """How many rows were loaded."""
    top: int = 0
    """The first row in view."""
    marks: frozenset[str] = frozenset()
    lost: int = 0
    """How many marks are not kept."""


@dataclass(eq=False)
class Navigator:
    """Opens targets and remembers where the user has been."""

    listing: ListingController
    providers: Mapping[str, StorageProvider]
    on_arrival: Callable[[NavigationTarget], None]

    def __post_init__(self) -> None:
        self._history: dict[str, list[HistoryEntry]] = {"back": [], "forward": []}
        """As in a web browser; the next entry of each direction is the last."""

    @property
    def screen(self) -> Screen[None]:
        return self.listing.screen

    @property
    def target(self) -> NavigationTarget | None:
        return self.listing.state.target if self.listing.state else None

    @property
    def searchable(self) -> list[str]:
        return [name for name, one in self.providers.items() if Capability.SEARCH in one.capabilities]

    def go(self, location: Location, at: str = "") -> None:
        """Open a folder, place or object, with the cursor on the entry with the identity `at`.

        Raises:
            UsageError: there is no such profile.
        """
        self._leave_for(target_at(self._provider(location.profile, location.address), location), at)

    def begin(self, location: Location) -> None:
        """Open a remembered place, or the top of its profile if it no longer exists."""
        try:
            self.go(with_place(location))
        except StorageError as error:
            report(self.screen, error)
            self.go(self.providers[location.profile].locate(""))

    def search(self, text: str, inside: Location | None = None) -> None:
        """Search for a filter or phrase inside a place, by default where the user is."""
        location = inside or (self.target.location if self.target is not None else None)
        if location is not None:
            self._leave_for(search_from(self.providers[location.profile], location, text, self.listing.zone), "")

    def open(self, target: NavigationTarget) -> None:
        self._leave_for(target, "")

    def narrow(self, condition: str) -> None:
        """Add a condition to the search, in place of an earlier one on the same field."""
        if self.target is not None:
            self.search(with_condition(self.target.typed, condition, self.listing.zone, datetime.now(UTC)))

    def remember(self, browser_state: BrowserState) -> None:
        """Remember the place or search that is listed, now that the service has answered."""
        state = self.listing.state
        if state is None or state.error:
            return
        target = state.target
        find = (target.typed or (target.query.filter if target.query else "")) if target.is_search else ""
        if (target.is_search and find) or (not target.is_search and state.provider.is_folder(target.location)):
            title = target.crumbs[-1].text if find else ""
            self.screen.run_worker(browser_state.remember(target.location, find=find, title=title), group="remembering")

    def can(self, way: str) -> bool:
        """Whether the user can go `back`, `forward`, `up` or to the `root`."""
        return bool(self._history[way]) if way in self._history else self._place(way) is not None

    def travel(self, way: str) -> None:
        target = self.target
        if target is None or not self.can(way):
            return
        if (place := self._place(way)) is not None:
            self.go(place, identity(Folder(target.location, "")))
        else:
            entries, here = self._history[way], self._entry()
            self._open(entries[-1])
            entries.pop()
            self._history["forward" if way == "back" else "back"].append(here)
            self._report_lost_marks(here)

    def _place(self, way: str) -> Location | None:
        target = self.target
        if target is None or way in self._history:
            return None
        if target.is_search:
            return target.location
        provider = self.providers[target.location.profile]
        root = provider.locate("")
        return provider.parent(target.location) if way == "up" else root if root != target.location else None

    def _leave_for(self, target: NavigationTarget, at: str) -> None:
        here = self._entry() if self.target is not None and self.target != target else None
        self._open(HistoryEntry(target, at))
        if here is not None:
            self._history["back"] = [*self._history["back"][1 - MAX_BACK :], here]
            self._history["forward"].clear()
            self._report_lost_marks(here)

    def _entry(self) -> HistoryEntry:
        state, entry = self.listing.state, self.listing.entry
        assert state is not None
        at = identity(entry) if entry is not None else ""
        marked = state.store.selection.count
        marks = state.marked() if marked <= MAX_KEPT_MARKS else frozenset()
        top, lost = self.listing.pane.table.scroll_offset.y, 0 if marks else marked
        return HistoryEntry(state.target, at, state.fetched, top, marks, lost)

    def _report_lost_marks(self, left: HistoryEntry) -> None:
        if left.lost:
            words = f"{left.lost:,} rows unmarked: at most {MAX_KEPT_MARKS:,} marks are kept of a place that you leave."
            notify_plain(self.screen, words, "warning")

    def _open(self, entry: HistoryEntry) -> None:
        self.listing.open(entry.target, at=entry.at, until=entry.until, top=entry.top, marks=entry.marks)
        self.on_arrival(entry.target)

    # Addresses, bookmarks, saved searches

    def locate(self, address: str) -> Location:
        """The location of an address, also of a virtual folder: `acme8:us-east/callrecording/2024/`.

        Raises:
            UsageError: it is no address, or there is no such profile.
        """
        name, rest = split_address(address)
        return with_place(self._provider(name, address).locate(rest))

    async def names_in(self, head: str) -> tuple[str, ...]:
        """What can follow an address that ends with `:` or `/`: one page of the folders below it.

        Raises:
            StorageError: the folder cannot be listed.
        """
        location = self.locate(head)
        page = await self.providers[location.profile].folders(location)
        names = (typed_address(folder.location) for folder in page.items)
        return tuple(name.removeprefix(head) for name in names if name.startswith(head))

    def go_to_bookmark(self, mark: Bookmark) -> None:
        """Go to a bookmark.

        Raises:
            UsageError: there is no such profile, or its address is none.
        """
        self.go(structs.replace(self.locate(mark.at), place=mark.place))

    def search_saved(self, search: SavedSearch) -> None:
        """Run a saved search in its own place, else where the user is; asks for its placeholders first.

        Raises:
            UsageError: its profile is missing, or no profile can search.
        """
        self.screen.run_worker(self._search_saved(search, self._scope_of(search)), group="saved search", exclusive=True)

    async def _search_saved(self, search: SavedSearch, scope: Location) -> None:
        text: str | None = search.find
        if placeholders_of(search.find):
            text = await self.screen.app.push_screen_wait(ParametersDialog(search.find, f"{SIGN}{search.name}"))
        if text is not None:
            self.search(text, scope)

    def _scope_of(self, search: SavedSearch) -> Location:
        if search.profile:
            self._provider(search.profile, f"{SIGN}{search.name}")
            return Location(search.profile, search.region)
        here = self.target.location if self.target else None
        if here is not None and here.profile in self.searchable:
            return Location(here.profile, search.region or here.region)
        if not self.searchable:
            raise UsageError("no profile here can search", subject=f"{SIGN}{search.name}")
        return Location(self.searchable[0], search.region)

    def _provider(self, name: str, address: str) -> StorageProvider:
        if (provider := self.providers.get(name)) is None:
            known = ", ".join(self.providers)
            raise UsageError(f"there is no profile {name}", subject=address, hint=f"There are: {known}.")
        return provider


def typed_address(location: Location) -> str:
    """The address as the user can type it in the browser."""
    names = "".join(f"{name}/" for name in location.place)
    return structs.replace(location, place=()).address + names


def with_place(location: Location) -> Location:
    """A location; a path below a region becomes the virtual folder that it names."""
    # Where there are regions, objects have ids without a slash.
    if location.region and "/" in location.path:
        return structs.replace(location, path="", place=tuple(filter(None, location.path.split("/"))))
    return location


ADD = "Add a profile …"
_HERE = "here"


@dataclass(eq=False)
class NavigationActions(ActionGroup):
    """Go to a part of the path, an address, another profile or region."""

    navigator: Navigator
    browser_state: BrowserState

    @property
    def is_anywhere(self) -> bool:
        return self.listing.state is not None

    @Action(
        "0",
        "Path",
        "Go to a part of the path",
        id="browser.path",
        everywhere=True,
        opens=True,
        when="is_anywhere",
    )
    async def path(self) -> None:
        crumbs = self.state.target.crumbs
        picks = [Choice(crumb.text) for crumb in crumbs]
        picked = await self.screen.app.push_screen_wait(PickDialog("Path", picks, max(len(picks) - 2, 0)))
        if picked is not None and (location := crumbs[picked.index].location) is not None:
            self.navigator.go(location)

    @Action("ctrl+g", "Go to", "Go to an address or known place", id="browser.goto", everywhere=True, opens=True)
    async def goto(self) -> None:
        target = self.navigator.target
        text = typed_address(target.location) if target is not None else ""
        profiles = [f"{name}:" for name in self.navigator.providers]
        while True:
            known = self._known()
            dialog = GotoDialog(text, profiles, [_choice(one) for one in known], self.navigator.names_in)
            answer = await self.screen.app.push_screen_wait(dialog)
            if answer is None:
                return
            try:
                if isinstance(answer, str):
                    text = answer
                    self.navigator.go(self.navigator.locate(answer))
                elif isinstance(chosen := known[answer.index], Bookmark):
                    self.navigator.go_to_bookmark(chosen)
                else:
                    self.navigator.go(chosen)
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    def _known(self) -> list[Bookmark | Location]:
        """The bookmarks, then the recent places but for the one that is shown."""
        try:
            marks = list(self.browser_state.bookmarks.read().values())
        except StorageError as error:
            report(self.screen, error)
            marks = []
        here = self.navigator.target.location if self.navigator.target else None
        recent = [place for place in self.browser_state.recent.places if place != here]
        return [*marks, *(place for place in recent if place.profile in self.navigator.providers)]

    @Action("P", "Profile", "Go to another profile", everywhere=True, opens=True)
    async def profile(self) -> None:
        """Ask for a profile, and go to the last place in it."""
        providers = self.navigator.providers
        names = list(providers)
        here = self.navigator.target.location.profile if self.navigator.target else ""
        picks = [*(Choice(name, self._note(name, here)) for name in names), Choice(ADD)]
        at = names.index(here) if here in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Profile", picks, at))
        if picked is not None and picked.index == len(names):
            await self.screen.run_action("app.setup('add')")
        elif picked is not None and (name := names[picked.index]) != here:
            self.navigator.begin(self.browser_state.recent.last([name]) or providers[name].locate(""))

    def _note(self, name: str, here: str) -> str:
        profile, last = self.navigator.providers[name].profile, self.browser_state.recent.last([name])
        terms = (_HERE if name == here else "", profile.provider, "read-only" if profile.read_only else "")
        return " · ".join(part for part in (*terms, last.address if last and name != here else "") if part)

    @Action(
        "R",
        "Region",
        "Show another region, or all of them",
        needs=Capability.SEARCH,
        everywhere=True,
        opens=True,
        stops_on_escape=True,
    )
    async def region(self) -> None:
        target, provider = self.state.target, self.state.provider
        with self.listing.doing("asking for the regions…"):
            page = await provider.folders(Location(target.location.profile))
        for failure in page.failures:
            report(self.screen, failure)
        names = ["", *(folder.location.region for folder in page.items)]
        now = target.location.region
        picks = [Choice(name or ALL_REGIONS, _HERE if name == now else "") for name in names]
        at = names.index(now) if now in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Region", picks, at))
        if picked is not None and self.navigator.target is target:
            self.navigator.open(target_in(target, names[picked.index], provider, self.listing.zone))


def target_in(target: NavigationTarget, region: str, provider: StorageProvider, zone: tzinfo) -> NavigationTarget:
    """The same search or place in another region; a place of all regions is a search.

    Args:
        target: what is shown.
        region: empty for all of them.
        provider: of the target.
        zone: what days, and times without a zone, are in.

    Raises:
        StorageError: there can be no such place.
    """
    location, query = target.location, target.query
    where, there = Location(location.profile, region), structs.replace(location, region=region, path="")
    if query is None:
        return NavigationTarget(there, provider.query(there)) if region else NavigationTarget(where)
    if region and not target.is_search:
        return NavigationTarget(there, provider.query(there))
    moved = structs.replace(query, location=where)
    if region or not location.place:
        return replace(target, location=there, query=moved, is_search=True)
    found = search_from(provider, where, combined_query(provider, target, zone), zone)
    return replace(found, query=moved, local=target.local)


# Names of places, objects and searches

_MAX_PROPOSED = 40
"""Characters of a proposed name of a saved search."""


class _Nameable(Struct, frozen=True):
    """Something that a name can be given to."""

    choice: NameChoice
    save: Callable[[str], str]
    """Saves it under a name, and returns what to tell the user."""


@dataclass(eq=False)
class BookmarkActions(ActionGroup):
    """Save bookmarks and searches, and go to them."""

    navigator: Navigator
    browser_state: BrowserState
    places: PlacesTree

    @property
    def is_somewhere(self) -> bool:
        """Whether something is shown that a bookmark could lead to."""
        return self._in_tree() is not None or self.listing.state is not None

    @Action("m", "Bookmark", "Bookmark this place, file or search", everywhere=True, opens=True, when="is_somewhere")
    async def bookmark(self, text: str = "", scope: Location | None = None) -> None:
        """Ask what to save and under which name, until it is saved or cancelled.

        Args:
            text: a search to save instead of what is shown.
            scope: the place that it searches; `None` to save what is shown.
        """
        things = self._things() if scope is None else [self._search(text, scope)]
        title = "Bookmark" if scope is None else "Save this search"
        name, at = "", 0
        while things:
            dialog = NameDialog(title, [thing.choice for thing in things], at, name=name)
            named = await self.screen.app.push_screen_wait(dialog)
            if named is None:
                return
            name, at = named.name, named.index
            try:
                notify_plain(self.screen, things[at].save(name))
                self.places.show_shortcuts()
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    def _in_tree(self) -> Location | None:
        """The place under the cursor of the tree, while that has the focus."""
        place = self.places.place if self.screen.focused is self.places else None
        return place.location if place is not None else None

    def _things(self) -> list[_Nameable]:
        """What could be bookmarked here, the likeliest first."""
        place, state = self._in_tree(), self.listing.state
        if place is not None:
            return [self._of(place, f"This place: {place.address}", name_of(place))]
        if state is None:
            return []
        target, entry = state.target, self.listing.entry
        where, query = target.location, target.query
        found = [self._search(target.typed or query.filter, where)] if target.is_search and query is not None else []
        if not target.is_search:
            found.append(self._of(where, f"This place: {where.address}", name_of(where)))
        if entry is not None and entry.location != where:
            kind = "This file" if isinstance(entry, StoredObject) else "The folder under the cursor"
            name = entry.name if isinstance(entry, StoredObject) else name_of(entry.location)
            found.append(self._of(entry.location, f"{kind}: {entry.name}", name))
        return found

    def _of(self, location: Location, words: str, name: str) -> _Nameable:
        bookmarks = self.browser_state.bookmarks

        def save(chosen: str) -> str:
            bookmarks.save(Bookmark.of(chosen, location))
            return f"Bookmarked as {chosen}{_where(bookmarks)}."

        clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()
        return _Nameable(NameChoice(words, clean, frozenset(bookmarks.read())), save)

    def _search(self, text: str, where: Location) -> _Nameable:
        searches = self.browser_state.searches

        def save(chosen: str) -> str:
            name = chosen.removeprefix(SIGN)
            searches.save(name, text, profile=where.profile, region=where.region)
            return f"Saved as {SIGN}{name}{_where(searches)}."

        name = re.sub(r"[^A-Za-z0-9]+", "-", text)[:_MAX_PROPOSED].strip("-")
        known = searches.read()
        taken = frozenset((*known, *(f"{SIGN}{one}" for one in known)))
        return _Nameable(NameChoice(f"This search: {text or 'everything'}", name, taken), save)

    @Action("apostrophe", "Bookmarks", "Go to a bookmark or a saved search", everywhere=True, opens=True)
    async def bookmarks(self) -> None:
        """Show the list again until the user goes somewhere or closes it."""
        at = 0
        while True:
            bookmarks, searches = self.browser_state.bookmarks.read(), self.browser_state.searches.read()
            known: list[Bookmark | SavedSearch] = [*bookmarks.values(), *searches.values()]
            if not known:
                notify_plain(self.screen, "No bookmarks yet. m bookmarks the place, file or search on the screen.")
                return
            dialog = BookmarksDialog("Bookmarks", [_choice(one) for one in known], min(at, len(known) - 1))
            picked = await self.screen.app.push_screen_wait(dialog)
            if picked is None:
                return
            at = picked.index
            try:
                await self._do(known[at], picked.action)
            except StorageError as error:
                report(self.screen, error)
            else:
                if picked.action == "go":
                    return
                self.places.show_shortcuts()

    async def _do(self, one: Bookmark | SavedSearch, what: str) -> None:
        if what == "remove":
            title = f"Forget {_choice(one).text}?"
            if await self.screen.app.push_screen_wait(QuestionDialog(show(title), "Forget it")):
                self._file_of(one).remove(one.name)
        elif what == "rename":
            named = await self.screen.app.push_screen_wait(
                NameDialog("Rename", [NameChoice(_choice(one).note, one.name)])
            )
            if named is not None:
                is_search = isinstance(one, SavedSearch)
                self._file_of(one).rename(one.name, named.name.removeprefix(SIGN) if is_search else named.name)
        elif isinstance(one, Bookmark):
            self.navigator.go_to_bookmark(one)
        else:
            self.navigator.search_saved(one)

    def _file_of(self, one: Bookmark | SavedSearch) -> Bookmarks | SavedSearches:
        return self.browser_state.bookmarks if isinstance(one, Bookmark) else self.browser_state.searches


def name_of(location: Location) -> str:
    """A proposed name for a place."""
    if location.path:
        return location.path.rstrip("/").rpartition("/")[2]
    if location.place:
        kind, *rest = location.place
        return " ".join(part for part in (kind, "-".join(rest), location.region) if part)
    return " ".join(part for part in (location.profile, location.region) if part)


def _choice(one: Bookmark | SavedSearch | Location) -> Choice:
    if isinstance(one, Location):
        return Choice(typed_address(one), "recent")
    if isinstance(one, Bookmark):
        return Choice(one.name, one.address)
    where = f"{one.profile}:{one.region}" if one.profile else ""
    return Choice(SIGN + one.name, " · ".join(part for part in (where, one.find) if part))


def _where(file: Bookmarks | SavedSearches) -> str:
    return f" in {file.path}" if file.path else ", until the program ends"

"""Going from place to place and back; addresses that are typed or bookmarked; saved searches."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace
from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.models import Folder, Location, identity, split_address
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql.phrases import with_condition
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.state.searches import SIGN, SavedSearch, placeholders_of
from cloudstore_tui.ui.browser.listing import ListingController
from cloudstore_tui.ui.browser.targets import NavigationTarget, search_from, target_at
from cloudstore_tui.ui.dialogs.naming import ParametersDialog
from cloudstore_tui.ui.report import notify_plain, report

LONGEST = 200
"""Entries that can be gone back; nobody remembers more."""


MOST_MARKS = 2_000
"""Marks that are kept of a place that was left."""


class HistoryEntry(Struct, frozen=True):
    """A target, and the entry that was under the cursor when it was left."""

    target: NavigationTarget
    at: str = ""
    until: int = 0
    """How many rows were loaded."""
    top: int = 0
    """The first row in view."""
    marks: frozenset[str] = frozenset()
    lost: int = 0
    """Marks that are not kept."""


class Navigator:
    """Opens targets and remembers where the user has been."""

    def __init__(
        self,
        listing: ListingController,
        providers: Mapping[str, StorageProvider],
        arrived: Callable[[NavigationTarget], None],
    ) -> None:
        """Go with `listing`; `arrived` is called after each move."""
        self.listing = listing
        self.providers = providers
        self._arrived = arrived
        self._history: dict[str, list[HistoryEntry]] = {"back": [], "forward": []}
        """What can be gone back and forward to, as in a web browser; the next one comes last."""

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
        """Open a folder, a place or an object, with the cursor on the entry called `at`.

        Raises:
            UsageError: its profile is not there.
        """
        self._leave_for(target_at(self._provider(location.profile, location.address), location), at)

    def begin(self, location: Location) -> None:
        """Open a place that was remembered, or the top of its profile if it is none any more."""
        try:
            self.go(as_place(location))
        except StorageError as error:
            report(self.screen, error)
            self.go(self.providers[location.profile].locate(""))

    def search(self, text: str, inside: Location | None = None) -> None:
        """Search for a filter or a phrase inside a place: that where the user is, if no other is named."""
        location = inside or (self.target.location if self.target is not None else None)
        if location is not None:
            self._leave_for(search_from(self.providers[location.profile], location, text, self.listing.zone), "")

    def open(self, target: NavigationTarget) -> None:
        self._leave_for(target, "")

    def narrow(self, condition: str) -> None:
        """Demand one more thing of what is searched for where the user is, in the place of what says the same."""
        if self.target is not None:
            self.search(with_condition(self.target.typed, condition, self.listing.zone, datetime.now(UTC)))

    def remember(self, browser_state: BrowserState) -> None:
        """Have the place remembered that a service has told something of."""
        state = self.listing.state
        if state is None or state.error:
            return
        target = state.target
        find = (target.typed or (target.query.filter if target.query else "")) if target.written else ""
        if (target.written and find) or (not target.written and state.provider.is_folder(target.location)):
            title = target.crumbs[-1].text if find else ""
            self.screen.run_worker(browser_state.remember(target.location, find=find, title=title), group="remembering")

    def can(self, way: str) -> bool:
        """Whether there is a way `back`, `forward`, `up` or to the `root`."""
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
            self._tell_lost(here)

    def _place(self, way: str) -> Location | None:
        target = self.target
        if target is None or way in self._history:
            return None
        if target.written:
            return target.location
        provider = self.providers[target.location.profile]
        root = provider.locate("")
        return provider.parent(target.location) if way == "up" else root if root != target.location else None

    def _leave_for(self, target: NavigationTarget, at: str) -> None:
        here = self._entry() if self.target is not None and self.target != target else None
        self._open(HistoryEntry(target, at))
        if here is not None:
            self._history["back"] = [*self._history["back"][1 - LONGEST :], here]
            self._history["forward"].clear()
            self._tell_lost(here)

    def _entry(self) -> HistoryEntry:
        state, entry = self.listing.state, self.listing.entry
        assert state is not None
        at = identity(entry) if entry is not None else ""
        marked = state.store.selection.count
        marks = state.marked() if marked <= MOST_MARKS else frozenset()
        top, lost = self.listing.pane.table.scroll_offset.y, 0 if marks else marked
        return HistoryEntry(state.target, at, state.fetched, top, marks, lost)

    def _tell_lost(self, left: HistoryEntry) -> None:
        if left.lost:
            words = f"{left.lost:,} rows unmarked: of a place that is left, no more than {MOST_MARKS:,} marks are kept."
            notify_plain(self.screen, words, "warning")

    def _open(self, entry: HistoryEntry) -> None:
        self.listing.open(entry.target, at=entry.at, until=entry.until, top=entry.top, marks=entry.marks)
        self._arrived(entry.target)

    # Addresses, bookmarks, saved searches

    def locate(self, address: str) -> Location:
        """The location of an address; `acme8:us-east/callrecording/2024/` is one of a place that only the browser has.

        Raises:
            UsageError: it cannot be one, or there is no such profile.
        """
        name, rest = split_address(address)
        return as_place(self._provider(name, address).locate(rest))

    async def names_in(self, head: str) -> tuple[str, ...]:
        """What can follow an address that ends with `:` or `/`: one page of the folders below it.

        Raises:
            StorageError: there is no such folder, or the service does not tell.
        """
        location = self.locate(head)
        page = await self.providers[location.profile].folders(location)
        names = (written(folder.location) for folder in page.items)
        return tuple(name.removeprefix(head) for name in names if name.startswith(head))

    def go_to_bookmark(self, mark: Bookmark) -> None:
        """Go to what was bookmarked.

        Raises:
            UsageError: its profile is not there, or its address cannot be one.
        """
        self.go(replace(self.locate(mark.at), place=mark.place))

    def search_saved(self, search: SavedSearch) -> None:
        """Search for what was saved, where it is for, else where the user is; its placeholders are asked for first.

        Raises:
            UsageError: no profile here can search, or not the one that it is for.
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


def written(location: Location) -> str:
    """As the user can type it where the browser asks for an address."""
    names = "".join(f"{name}/" for name in location.place)
    return replace(location, place=()).address + names


def as_place(location: Location) -> Location:
    """A location, or the place that only the browser has, where its path is the name of one."""
    # Where there are regions, objects have ids without a slash.
    if location.region and "/" in location.path:
        return replace(location, path="", place=tuple(filter(None, location.path.split("/"))))
    return location

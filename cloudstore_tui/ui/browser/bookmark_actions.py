"""Giving names to places, objects and searches, and going to what has one."""

import re
from collections.abc import Callable

from msgspec import Struct
from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.state.bookmarks import LONGEST_NAME, Bookmark, Bookmarks
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.state.searches import SIGN, SavedSearch, SavedSearches
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.navigation import AddressResolver, Navigator
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.targets import NavigationTarget
from cloudstore_tui.ui.browser.view_actions import FocusManager
from cloudstore_tui.ui.dialogs.dialog import QuestionDialog
from cloudstore_tui.ui.dialogs.naming import NameChoice, NameDialog
from cloudstore_tui.ui.dialogs.picking import BookmarksDialog, Choice, ChoiceResult
from cloudstore_tui.ui.report import report, tell
from cloudstore_tui.ui.text import show

_LONGEST_SEARCH = 40
"""Characters of the name of a saved search."""


class _Naming(Struct, frozen=True):
    """Something that could be remembered."""

    choice: NameChoice
    save: Callable[[str], str]
    """Saves it under a name, and says what was saved."""


class _Known(Struct, frozen=True):
    """One line of the list: a bookmark or a saved search."""

    mark: Bookmark | SavedSearch

    @property
    def pick(self) -> Choice:
        if isinstance(self.mark, Bookmark):
            return Choice(self.mark.name, self.mark.address)
        where = f"{self.mark.profile}:{self.mark.region}" if self.mark.profile else ""
        return Choice(SIGN + self.mark.name, " · ".join(part for part in (where, self.mark.find) if part))


class BookmarkActions(ActionGroup):
    """Remembers what the user looks at under a name, and leads there again."""

    def __init__(
        self,
        screen: Screen[None],
        navigator: Navigator,
        browser_state: BrowserState,
        panes: FocusManager,
        places: PlacesTree,
        addresses: AddressResolver,
    ) -> None:
        super().__init__(screen, navigator.listing)
        self._browser_state = browser_state
        self._panes = panes
        self._places = places
        self._addresses = addresses

    @property
    def is_somewhere(self) -> bool:
        """Whether something is shown that could have a name."""
        return self._in_tree() is not None or self.listing.state is not None

    @action(
        "m",
        "Bookmark",
        "Give this place, file or search a name",
        everywhere=True,
        opens=True,
        when=lambda self: self.is_somewhere,
    )
    async def bookmark(self) -> None:
        """Ask what of the things that the user looks at to remember, and as what, until it is saved or given up."""
        things = self._things()
        name, at = "", 0
        while things:
            dialog = NameDialog("Bookmark", [thing.choice for thing in things], at, name=name)
            named = await self.screen.app.push_screen_wait(dialog)
            if named is None:
                return
            name, at = named.name, named.index
            try:
                tell(self.screen, things[at].save(name))
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    @action("apostrophe", "Bookmarks", "Go to a bookmark or a saved search", everywhere=True, opens=True)
    async def bookmarks(self) -> None:
        """Show the list again until the user goes somewhere or closes it."""
        at = 0
        while True:
            known = self._read()
            if not known:
                tell(self.screen, "There are no bookmarks. m gives the place, file or search that is shown a name.")
                return
            picks = [one.pick for one in known]
            picked = await self.screen.app.push_screen_wait(
                BookmarksDialog("Bookmarks", picks, min(at, len(known) - 1))
            )
            if picked is None:
                return
            at = picked.index
            if await self._do(known[at], picked):
                return

    def _in_tree(self) -> Location | None:
        """The place under the cursor of the tree, while that is in front."""
        place = self._places.place if self._panes.at == "places" else None
        return place.location if place is not None else None

    def _things(self) -> list[_Naming]:
        """What could be meant, the likeliest first."""
        known = frozenset(self._browser_state.bookmarks.read())
        place, state = self._in_tree(), self.listing.state
        if place is not None:
            return [self._of(place, f"This place: {place.address}", name_of(place), known)]
        if state is None:
            return []
        target, entry = state.target, self.listing.entry
        found = [self._search(target)] if target.written and target.query is not None else []
        where = target.location
        if not target.written:
            found.append(self._of(where, f"This place: {where.address}", name_of(where), known))
        if entry is not None and entry.location != where:
            kind = "This file" if isinstance(entry, StoredObject) else "The folder under the cursor"
            name = entry.name if isinstance(entry, StoredObject) else name_of(entry.location)
            found.append(self._of(entry.location, f"{kind}: {entry.name}", name, known))
        return found

    def _of(self, location: Location, words: str, name: str, known: frozenset[str]) -> _Naming:
        def save(chosen: str) -> str:
            self._browser_state.bookmarks.save(Bookmark.of(chosen, location))
            return f"Bookmarked as {chosen}{_where(self._browser_state.bookmarks.path)}."

        clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()
        return _Naming(NameChoice(words, clean, known), save)

    def _search(self, target: NavigationTarget) -> _Naming:
        assert target.query is not None
        text = target.typed or target.query.filter
        where = target.location

        def save(chosen: str) -> str:
            name = chosen.removeprefix("@")
            self._browser_state.searches.save(name, text, profile=where.profile, region=where.region)
            return f"Saved as @{name}{_where(self._browser_state.searches.path)}."

        name = re.sub(r"[^A-Za-z0-9]+", "-", text)[:_LONGEST_SEARCH].strip("-")
        return _Naming(
            NameChoice(f"This search: {text or 'everything'}", name, self._browser_state.searches.read()), save
        )

    def _read(self) -> list[_Known]:
        marks = [_Known(mark) for mark in self._browser_state.bookmarks.read().values()]
        return marks + [_Known(search) for search in self._browser_state.searches.read().values()]

    async def _do(self, known: _Known, picked: ChoiceResult) -> bool:
        """Do what is to be done; whether the list is done with."""
        try:
            if picked.action == "remove":
                await self._remove(known)
            elif picked.action == "rename":
                await self._rename(known)
            elif isinstance(known.mark, Bookmark):
                self._addresses.to_bookmark(known.mark)
            else:
                self._addresses.to_search(known.mark)
        except StorageError as error:
            report(self.screen, error)
            return False
        return picked.action == "go"

    async def _remove(self, known: _Known) -> None:

        title = f"Forget {known.pick.text}?"
        if await self.screen.app.push_screen_wait(QuestionDialog(show(title), "Forget it")):
            self._home_of(known).remove(known.mark.name)

    async def _rename(self, known: _Known) -> None:
        thing = NameChoice(known.pick.note, known.mark.name)
        named = await self.screen.app.push_screen_wait(NameDialog("Rename", [thing]))
        if named is not None:
            is_search = isinstance(known.mark, SavedSearch)
            self._home_of(known).rename(known.mark.name, named.name.removeprefix(SIGN) if is_search else named.name)

    def _home_of(self, known: _Known) -> Bookmarks | SavedSearches:
        return self._browser_state.bookmarks if isinstance(known.mark, Bookmark) else self._browser_state.searches


def name_of(location: Location) -> str:
    """What a place could be called."""
    if location.path:
        return location.path.rstrip("/").rpartition("/")[2]
    if location.place:
        kind, *rest = location.place
        return " ".join(part for part in (kind, "-".join(rest), location.region) if part)
    return " ".join(part for part in (location.profile, location.region) if part)


def _where(path: object) -> str:
    return f" in {path}" if path else ", until the program ends"

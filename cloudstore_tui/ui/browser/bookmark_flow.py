"""Giving a name to a place, an object or a search."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.state.bookmarks import LONGEST_NAME, Bookmark
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.visit import Visit
from cloudstore_tui.ui.dialogs.name_dialog import Nameable, NameDialog
from cloudstore_tui.ui.report import report, tell

_LONGEST_SEARCH = 40
"""Characters of the name of a saved search."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Something that could be remembered."""

    nameable: Nameable
    save: Callable[[str], str]
    """Saves it under a name, and says what was saved."""


class BookmarkFlow(Flow):
    """Asks what of the things that the user looks at to remember, and as what."""

    def __init__(
        self, screen: Screen[None], listing: ListingFlow, memory: Memory, panes: FocusManager, places: PlacesTree
    ) -> None:
        super().__init__(screen, listing)
        self._memory = memory
        self._panes = panes
        self._places = places

    @property
    def is_possible(self) -> bool:
        """Wherever something is shown."""
        return self._in_tree() is not None or self.listing.reading is not None

    async def run(self) -> None:
        """Ask until it can be saved or is given up."""
        wishes = self._wishes()
        name, at = "", 0
        while wishes:
            dialog = NameDialog("Bookmark", [wish.nameable for wish in wishes], at, name=name)
            named = await self.screen.app.push_screen_wait(dialog)
            if named is None:
                return
            name, at = named.name, named.index
            try:
                tell(self.screen, wishes[at].save(name))
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    def _in_tree(self) -> Location | None:
        """The place under the cursor of the tree, while that is in front."""
        place = self._places.place if self._panes.at == "places" else None
        return place.location if place is not None else None

    def _wishes(self) -> list[_Wish]:
        """What could be meant, the likeliest first."""
        known = frozenset(self._memory.bookmarks.read())
        place, reading = self._in_tree(), self.listing.reading
        if place is not None:
            return [self._of(place, f"This place: {place.address}", name_of(place), known)]
        if reading is None:
            return []
        visit, entry = reading.visit, self.listing.entry
        wishes = [self._search(visit)] if visit.written and visit.query is not None else []
        where = visit.location
        if not visit.written:
            wishes.append(self._of(where, f"This place: {where.address}", name_of(where), known))
        if entry is not None and entry.location != where:
            kind = "This object" if isinstance(entry, StoredObject) else "The folder under the cursor"
            name = entry.name if isinstance(entry, StoredObject) else name_of(entry.location)
            wishes.append(self._of(entry.location, f"{kind}: {entry.name}", name, known))
        return wishes

    def _of(self, location: Location, words: str, name: str, known: frozenset[str]) -> _Wish:
        def save(chosen: str) -> str:
            self._memory.bookmarks.save(Bookmark.of(chosen, location))
            return f"Bookmarked as {chosen}{_where(self._memory.bookmarks.path)}."

        clean = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()
        return _Wish(Nameable(words, clean, known), save)

    def _search(self, visit: Visit) -> _Wish:
        assert visit.query is not None
        text = visit.typed or visit.query.filter
        where = visit.location

        def save(chosen: str) -> str:
            name = chosen.removeprefix("@")
            self._memory.searches.save(name, text, profile=where.profile, region=where.region)
            return f"Saved as @{name}{_where(self._memory.searches.path)}."

        name = re.sub(r"[^A-Za-z0-9]+", "-", text)[:_LONGEST_SEARCH].strip("-")
        return _Wish(Nameable(f"This search: {text or 'everything'}", name, self._memory.searches.read()), save)


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

"""Going to what was bookmarked, and tidying up."""

from dataclasses import dataclass

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.searches import SIGN, SavedSearch
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.departure import Departure
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.dialogs.pick_dialog import Pick, Picked
from cloudstore_tui.ui.report import report, tell
from cloudstore_tui.ui.text import show


@dataclass(frozen=True, slots=True)
class _Known:
    """One line of the list: a bookmark or a saved search."""

    mark: Bookmark | SavedSearch

    @property
    def pick(self) -> Pick:
        if isinstance(self.mark, Bookmark):
            return Pick(self.mark.name, self.mark.address)
        where = f"{self.mark.profile}:{self.mark.region}" if self.mark.profile else ""
        return Pick(SIGN + self.mark.name, " · ".join(part for part in (where, self.mark.find) if part))


class BookmarksFlow(Flow):
    """Shows the list again until the user goes somewhere or closes it."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, memory: Memory, departure: Departure) -> None:
        super().__init__(screen, listing)
        self._memory = memory
        self._departure = departure

    @property
    def is_possible(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Ask, and do it."""
        from cloudstore_tui.ui.dialogs.bookmarks_dialog import BookmarksDialog

        at = 0
        while True:
            known = self._read()
            if not known:
                tell(self.screen, "There are no bookmarks. m remembers the place, object or search that is shown.")
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

    def _read(self) -> list[_Known]:
        marks = [_Known(mark) for mark in self._memory.bookmarks.read().values()]
        return marks + [_Known(search) for search in self._memory.searches.read().values()]

    async def _do(self, known: _Known, picked: Picked) -> bool:
        """Do what is to be done; whether the list is done with."""
        try:
            if picked.deed == "remove":
                await self._remove(known)
            elif picked.deed == "rename":
                await self._rename(known)
            elif isinstance(known.mark, Bookmark):
                self._departure.to_bookmark(known.mark)
            else:
                self._departure.to_search(known.mark)
        except StorageError as error:
            report(self.screen, error)
            return False
        return picked.deed == "go"

    async def _remove(self, known: _Known) -> None:
        from cloudstore_tui.ui.dialogs.dialog import QuestionDialog

        title = f"Forget {known.pick.text}?"
        if await self.screen.app.push_screen_wait(QuestionDialog(show(title), "Forget it")):
            home = self._memory.bookmarks if isinstance(known.mark, Bookmark) else self._memory.searches
            home.remove(known.mark.name)

    async def _rename(self, known: _Known) -> None:
        from cloudstore_tui.ui.dialogs.name_dialog import Nameable, NameDialog

        thing = Nameable(known.pick.note, known.mark.name)
        named = await self.screen.app.push_screen_wait(NameDialog("Rename", [thing]))
        if named is not None:
            home = self._memory.bookmarks if isinstance(known.mark, Bookmark) else self._memory.searches
            home.rename(known.mark.name, named.name.removeprefix(SIGN) if home is self._memory.searches else named.name)

"""Going to an address that is typed, or to a place that is known."""

from collections.abc import Mapping

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.departure import Departure, written
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.dialogs.pick_dialog import Pick
from cloudstore_tui.ui.report import report


class GotoFlow(Flow):
    """Asks for an address until it can be one, without losing what was typed."""

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingFlow,
        providers: Mapping[str, StorageProvider],
        memory: Memory,
        departure: Departure,
    ) -> None:
        super().__init__(screen, listing)
        self._providers = providers
        self._memory = memory
        self._departure = departure

    @property
    def is_possible(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Ask, go."""
        from cloudstore_tui.ui.dialogs.goto_dialog import GotoDialog

        reading = self.listing.reading
        text = written(reading.visit.location) if reading else ""
        profiles = [f"{name}:" for name in self._providers]
        while True:
            known = self._known()
            picks = [_pick(one) for one in known]
            answer = await self.screen.app.push_screen_wait(GotoDialog(text, profiles, picks, self._departure.names_in))
            if answer is None:
                return
            try:
                if isinstance(answer, str):
                    text = answer
                    self._departure.to(self._departure.locate(answer))
                else:
                    self._go_to(known[answer.index])
            except StorageError as error:
                report(self.screen, error)
            else:
                return

    def _go_to(self, known: Bookmark | Location) -> None:
        if isinstance(known, Bookmark):
            self._departure.to_bookmark(known)
        else:
            self._departure.to(known)

    def _known(self) -> list[Bookmark | Location]:
        """The bookmarks, then the recent places without that which is shown."""
        try:
            marks = list(self._memory.bookmarks.read().values())
        except StorageError as error:
            report(self.screen, error)
            marks = []
        here = self.listing.reading.visit.location if self.listing.reading else None
        recent = [place for place in self._memory.recent.places if place != here and place.profile in self._providers]
        return [*marks, *recent]


def _pick(known: Bookmark | Location) -> Pick:
    return Pick(known.name, known.address) if isinstance(known, Bookmark) else Pick(written(known), "recent")

"""Things the user does in several steps: ask, wait, tell."""

from abc import ABC, abstractmethod
from typing import ClassVar

from textual.screen import Screen

from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import tell


class Flow(ABC):
    """One action that takes more than one step. Runs as a worker of the screen."""

    needs: ClassVar[Capability | None] = None
    """What the provider has to be able to do."""
    stops_on_escape: ClassVar[bool] = False
    """Whether it only reads, so that it can be given up at any time."""
    opens: ClassVar[bool] = True
    """Whether it shows a line or dialog as soon as it can: keys that are typed meanwhile are meant for that."""

    def __init__(self, screen: Screen[None], listing: ListingFlow) -> None:
        self.screen = screen
        self.listing = listing
        self.is_opening = False
        """Whether the next keys are held for what it will show."""

    @property
    def is_possible(self) -> bool:
        """Whether it makes sense where the user is; the keys are shown only then."""
        reading = self.listing.reading
        return reading is not None and (self.needs is None or self.needs in reading.provider.capabilities)

    @abstractmethod
    async def run(self) -> None:
        """Do it. Everything that can go wrong is told."""

    def chosen_objects(self) -> list[StoredObject]:
        """The marked objects, or else the one under the cursor; says so where that is none, or where folders are."""
        entries = self._chosen()
        objects = [entry for entry in entries if isinstance(entry, StoredObject)]
        if not entries:
            tell(self.screen, "There is no object here.", "warning")
        elif not objects:
            tell(self.screen, "That's a folder. Open it and pick a file.", "warning")
        elif len(objects) < len(entries):
            tell(
                self.screen,
                f"Only objects are taken; {counted(len(entries) - len(objects), 'folder')} left out.",
                "warning",
            )
        return objects

    def _chosen(self) -> list[Entry]:
        reading = self.listing.reading
        marked: list[Entry] = reading.store.marked() if reading is not None else []
        return marked or ([self.listing.entry] if self.listing.entry is not None else [])

"""What the browser remembers of places: bookmarks, saved searches, and where the user was."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.bookmarks import FILE as BOOKMARKS
from cloudstore_tui.state.bookmarks import Bookmarks
from cloudstore_tui.state.memory import HiddenPanes, PlaceFacts, RecentPlaces
from cloudstore_tui.state.searches import FILE as SEARCHES
from cloudstore_tui.state.searches import SavedSearches


@dataclass
class BrowserState:
    """Until it is told where to keep them, they end with the program."""

    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    searches: SavedSearches = field(default_factory=SavedSearches)
    recent: RecentPlaces = field(default_factory=RecentPlaces)
    hidden: HiddenPanes = field(default_factory=HiddenPanes)
    facts: PlaceFacts = field(default_factory=PlaceFacts)
    begins_there: bool = False
    """Whether the browser begins where it was left."""

    async def remember(self, location: Location, *, find: str = "", title: str = "") -> None:
        """Remember where the user is, or what they look for there.

        Raises:
            LocalDiskError: it cannot be written down.
        """
        await asyncio.to_thread(partial(self.recent.add, location, find=find, title=title))

    def hide(self, pane: str, *, hidden: bool) -> None:
        """Remember that a pane is hidden, or not any more.

        Raises:
            LocalDiskError: it cannot be written down.
        """
        self.hidden.keep(pane, hidden=hidden)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """Where to begin: where the user was last in one of these profiles, if that is wanted."""
        return self.recent.last(profiles) if self.begins_there else None

    def keep(self, config: Path, state: Path | None, settings: Settings) -> None:
        """Use the files of these folders from now on.

        Args:
            config: where bookmarks and searches are, which people edit.
            state: where recent places are; without it they end with the program.
            settings: whether recent places are wanted, and to begin at the last of them.
        """
        self.bookmarks = Bookmarks(config / BOOKMARKS)
        self.searches = SavedSearches(config / SEARCHES)
        self.hidden = HiddenPanes(state / HiddenPanes.FILE if state is not None else None)
        self.recent = RecentPlaces(
            state / RecentPlaces.FILE if state is not None else None, wanted=settings.recent_places
        )
        self.facts = PlaceFacts(state / PlaceFacts.FILE if state is not None else None)
        self.begins_there = settings.start_at_last

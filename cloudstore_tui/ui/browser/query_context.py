"""What a query is typed in the light of."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SavedSearches
from cloudstore_tui.ui.browser.query_suggestions import Known
from cloudstore_tui.ui.browser.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class QueryScope:
    """Where the user is."""

    profile: str = ""
    region: str = ""
    zone: tzinfo = UTC
    """What times without a zone are taken to be in."""
    local: str = ""
    """The conditions, in words, that only fetched rows were put to."""


@dataclass(slots=True)
class QueryContext:
    """Where the user is, what was seen there, and what was typed before."""

    standing: QueryScope = field(default_factory=QueryScope)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    history: FilterHistory = field(default_factory=FilterHistory)
    searches: SavedSearches = field(default_factory=SavedSearches)

    @property
    def known(self) -> Known:
        """What can be offered here."""
        try:
            saved = tuple(self.searches.read().values())
        except StorageError:
            # Told where one is used or saved; it must not stop anybody from typing.
            saved = ()
        here = self.standing
        return Known(self.vocabulary, tuple(one for one in saved if one.is_for(here.profile, here.region)))

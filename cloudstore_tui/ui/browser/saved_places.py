"""Saved searches as places of the tree."""

from collections.abc import Iterable

from cloudstore_tui.state.searches import SIGN, SavedSearch
from cloudstore_tui.ui.browser.place import Place


class SavedPlaces(Place):
    """The saved searches that can be made at a place. They are read again whenever this is opened."""

    nothing_below = "none; Ctrl+S in the FIQL bar saves one"
    can_be_shown = False

    def __init__(self, above: Place) -> None:
        super().__init__(above.location, "saved searches", parent=above)

    def take(self, searches: Iterable[SavedSearch]) -> None:
        """Show those that are for this place."""
        where = self.location
        known = {child.search: child for child in self.children}
        fitting = [search for search in searches if search.is_for(where.profile, where.region)]
        self.children = [known.get(search) or self._saved(search) for search in fitting]
        self.loading, self.error, self._known = None, "", True

    def close(self) -> None:
        """Forget them: the file may be another one when this is opened again."""
        super().close()
        self._known = False

    def _saved(self, search: SavedSearch) -> Place:
        place = Place(self.location, f"{SIGN}{search.name}", parent=self, expandable=False)
        place.search = search
        return place

"""Making a saved search."""

from textual.screen import Screen

from cloudstore_tui.core.models import Location
from cloudstore_tui.state.searches import SIGN, SavedSearch, placeholders_of
from cloudstore_tui.ui.browser.journey import Journey


class SavedFlow:
    """Asks for the values of a saved search, and goes to what it finds."""

    def __init__(self, screen: Screen[None], journey: Journey) -> None:
        self._screen = screen
        self._journey = journey

    def start(self, search: SavedSearch, location: Location) -> None:
        """Search the region of a location, or the search's own where that has none."""
        self._screen.run_worker(self._run(search, location), group="saved search", exclusive=True)

    async def _run(self, search: SavedSearch, location: Location) -> None:
        from cloudstore_tui.ui.dialogs.parameters_dialog import ParametersDialog

        text: str | None = search.find
        if placeholders_of(search.find):
            text = await self._screen.app.push_screen_wait(ParametersDialog(search.find, f"{SIGN}{search.name}"))
        if text is not None:
            self._journey.search(text, Location(location.profile, location.region or search.region))

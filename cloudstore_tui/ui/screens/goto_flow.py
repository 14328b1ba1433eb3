"""Going to an address that is typed."""

from collections.abc import Callable, Mapping

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.location import Location, split_address
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.ui.dialogs.goto_dialog import GotoDialog
from cloudstore_tui.ui.report import report
from cloudstore_tui.ui.screens.flow import Flow
from cloudstore_tui.ui.screens.listing_flow import ListingFlow


class GotoFlow(Flow):
    """Asks for an address until it can be one, without losing what was typed."""

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingFlow,
        providers: Mapping[str, StorageProvider],
        go: Callable[[Location], None],
    ) -> None:
        super().__init__(screen, listing)
        self._providers = providers
        self._go = go

    @property
    def is_possible(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Ask, go."""
        reading = self.listing.reading
        text: str | None = reading.visit.location.address.partition(" › ")[0] if reading else ""
        while text is not None:
            suggestions = [f"{name}:" for name in self._providers]
            text = await self.screen.app.push_screen_wait(GotoDialog(text, suggestions))
            if text is None:
                return
            try:
                location = self._locate(text)
            except StorageError as error:
                report(self.screen, error)
            else:
                self._go(location)
                return

    def _locate(self, address: str) -> Location:
        name, rest = split_address(address)
        provider = self._providers.get(name)
        if provider is None:
            known = ", ".join(self._providers)
            raise UsageError(f"there is no profile {name}", place=address, cure=f"There are: {known}.")
        return provider.locate(rest)

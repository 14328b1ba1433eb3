"""How much a search finds, before anything of it is fetched."""

from textual.screen import Screen

from cloudstore_tui.core.models import Location, ResultSize
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.browser.visit import Visit, search_from
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.report import tell

_COUNTING = "counting…"


def _how_large(size: ResultSize) -> str:
    if not size.known:
        return ""
    if size.is_exact:
        return f"{words.size(size.bytes)} in total."
    return f"About {words.size(size.total_bytes)} in total (estimated from {size.known:,})."


class CountFlow(Flow):
    """Counts what is shown, or what another search would find. Fetches no content."""

    stops_on_escape = True
    needs = Capability.SEARCH

    def __init__(self, screen: Screen[None], listing: ListingFlow) -> None:
        super().__init__(screen, listing)
        self._typed: tuple[str, Location] | None = None
        self._measured: tuple[Reading, ResultSize] | None = None

    @property
    def is_possible(self) -> bool:
        """Where something is searched for."""
        reading = self.listing.reading
        return super().is_possible and reading is not None and reading.visit.query is not None

    def ask(self, text: str, scope: Location) -> None:
        """Count what this filter or phrase finds inside a place the next time, instead of what is shown."""
        self._typed = text, scope

    async def run(self) -> None:
        """Count; say how many, how large, and of which filter."""
        typed, self._typed = self._typed, None
        reading = self.listing.reading
        if reading is None:
            return
        with self.listing.doing(f"{_COUNTING} Esc stops"):
            if typed is None:
                said = await self._of_reading(reading)
            else:
                text, scope = typed
                visit = search_from(reading.provider, scope, text, self.listing.zone)
                said = await _of_visit(reading.provider, visit)
        if self.screen.is_current:
            self.screen.app.push_screen(MessageDialog("Matches", said))
        else:
            tell(self.screen, said)

    async def _of_reading(self, reading: Reading) -> str:
        """Count what is shown, once; nothing is asked for where all of it is there."""
        visit, store = reading.visit, reading.store
        if reading.pager.ended and not reading.error:
            return _sentences(visit, ResultSize(store.loaded, *store.sizes), reading.lacking)
        if visit.local or visit.query is None:
            return _unknown(visit)
        if self._measured is None or self._measured[0] is not reading:
            self._measured = reading, await reading.provider.measure(visit.query)
        size = self._measured[1]
        reading.pager.total = size.objects
        return _sentences(visit, size, reading.lacking)


async def _of_visit(provider: StorageProvider, visit: Visit) -> str:
    """Count what would be shown."""
    if visit.local or visit.query is None:
        return _unknown(visit)
    return _sentences(visit, await provider.measure(visit.query))


def _sentences(visit: Visit, size: ResultSize, lacks: str = "") -> str:
    verb = "matches" if size.objects == 1 else "match"
    loss = f"{lacks[:1].upper()}{lacks[1:]}." if lacks else ""
    parts = (f"{words.counted(size.objects, 'object')} {verb}.", loss, _how_large(size), *_sent(visit))
    return "\n".join(part for part in parts if part)


def _unknown(visit: Visit) -> str:
    return "\n".join(
        (
            f"8x8 can't count this; only loaded rows can be searched: {visit.local_words}.",
            "Search for it, then press Ctrl+E to load the rest.",
            *_sent(visit),
        )
    )


def _sent(visit: Visit) -> tuple[str, ...]:
    filter_ = visit.query.filter if visit.query is not None else ""
    return (f"Sent: {filter_ or 'no filter'}",)

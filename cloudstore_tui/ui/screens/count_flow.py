"""How much a search finds, before anything of it is fetched."""

from collections.abc import Iterable
from dataclasses import dataclass

from textual.screen import Screen

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.message_dialog import MessageDialog
from cloudstore_tui.ui.reading import Reading
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.screens.flow import Flow
from cloudstore_tui.ui.screens.listing_flow import ListingFlow
from cloudstore_tui.ui.visit import Visit, search_from

_COUNTING = "counting…"


@dataclass(frozen=True, slots=True)
class _Sample:
    """Some of the objects, by which the size of all of them can be guessed."""

    known: int
    """How many tell their size."""
    bytes: int

    @classmethod
    def of(cls, objects: Iterable[StoredObject]) -> "_Sample":
        sizes = [entry.size for entry in objects if entry.size is not None]
        return cls(len(sizes), sum(sizes))

    def words(self, total: int) -> str:
        """How large `total` objects are together."""
        if not self.known:
            return ""
        if self.known == total:
            return f"Together they have {words.size(self.bytes)}."
        guess = words.size(round(total * self.bytes / self.known))
        return f"Together they have roughly {guess}, going by the first {self.known:,}."


class CountFlow(Flow):
    """Counts what is shown, or what another search would find. Fetches no content."""

    stops_on_escape = True
    needs = Capability.SEARCH

    def __init__(self, screen: Screen[None], listing: ListingFlow) -> None:
        super().__init__(screen, listing)
        self._typed = ""

    @property
    def is_possible(self) -> bool:
        """Where something is searched for."""
        reading = self.listing.reading
        return super().is_possible and reading is not None and reading.visit.query is not None

    def ask(self, text: str) -> None:
        """Count what this filter or phrase finds the next time, instead of what is shown."""
        self._typed = text

    async def run(self) -> None:
        """Count; say how many, how large, and of which filter."""
        typed, self._typed = self._typed, ""
        reading = self.listing.reading
        if reading is None:
            return
        with self.listing.doing(f"{_COUNTING} Esc stops"):
            visit = self._visit(reading, typed)
            said = await _of_visit(reading.provider, visit) if typed else await _of_reading(reading)
        if self.screen.is_current:
            self.screen.app.push_screen(MessageDialog("How much is found", said))
        else:
            tell(self.screen, said)

    def _visit(self, reading: Reading, typed: str) -> Visit:
        where = reading.visit.location
        return search_from(Location(where.profile, where.region), typed, self.listing.zone) if typed else reading.visit


async def _of_reading(reading: Reading) -> str:
    """Count what is shown; nothing is asked for where all of it is there."""
    visit, spool = reading.visit, reading.spool
    known, size = spool.sizes
    if reading.pager.ended and not reading.error:
        return _sentences(visit, spool.loaded, _Sample(known, size))
    if visit.local or visit.query is None:
        return _unknown(visit)
    total = reading.pager.total
    if total is None:
        total = reading.pager.total = await reading.provider.count(visit.query)
    return _sentences(visit, total, _Sample(known, size))


async def _of_visit(provider: StorageProvider, visit: Visit) -> str:
    """Count what would be shown; the first page tells how large the objects are."""
    if visit.local or visit.query is None:
        return _unknown(visit)
    page = await provider.search(visit.query)
    total = len(page.items)
    if page.cursor is not None:
        total = page.total if page.total is not None else await provider.count(visit.query)
    return _sentences(visit, total, _Sample.of(page.items))


def _sentences(visit: Visit, total: int, sample: _Sample) -> str:
    verb = "matches" if total == 1 else "match"
    return "\n".join(
        part for part in (f"{words.counted(total, 'object')} {verb}.", sample.words(total), *_sent(visit)) if part
    )


def _unknown(visit: Visit) -> str:
    return "\n".join(
        (
            f"Only fetched rows can be searched for this: {visit.local_words}.",
            "Ctrl+E reads all of them.",
            *_sent(visit),
        )
    )


def _sent(visit: Visit) -> tuple[str, ...]:
    filter_ = visit.query.filter if visit.query is not None else ""
    return (f"The filter: {filter_ or 'none'}",)

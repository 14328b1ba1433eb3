"""Another profile, or another region, from a short list."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from msgspec import structs
from textual.screen import Screen

from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.journey import Journey
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.browser.visit import Visit, everything_asked, search_from
from cloudstore_tui.ui.report import report

ALL = "all regions"
ADD = "Add a profile …"
_HERE = "here"


class ProfileFlow(Flow):
    """Goes to where the user was last in another profile."""

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingFlow,
        journey: Journey,
        providers: Mapping[str, StorageProvider],
        memory: Memory,
    ) -> None:
        super().__init__(screen, listing)
        self._journey = journey
        self._providers = providers
        self._memory = memory

    @property
    def is_possible(self) -> bool:
        """Always."""
        return True

    async def run(self) -> None:
        """Ask, go."""
        from cloudstore_tui.ui.dialogs.pick_dialog import Pick, PickDialog

        names = list(self._providers)
        here = self._journey.visit.location.profile if self._journey.visit else ""
        picks = [*(Pick(name, self._note(name, here)) for name in names), Pick(ADD)]
        at = names.index(here) if here in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Profile", picks, at))
        if picked is not None and picked.index == len(names):
            await self.screen.run_action("app.setup('add')")
            return
        if picked is None or names[picked.index] == here:
            return
        provider = self._providers[names[picked.index]]
        self._journey.begin(self._memory.recent.last([provider.profile.name]) or provider.locate(""))

    def _note(self, name: str, here: str) -> str:
        profile, last = self._providers[name].profile, self._memory.recent.last([name])
        terms = (_HERE if name == here else "", profile.provider, "read-only" if profile.read_only else "")
        return " · ".join(part for part in (*terms, last.address if last and name != here else "") if part)


class RegionFlow(Flow):
    """Shows the same of another region, or of all of them."""

    needs = Capability.SEARCH
    stops_on_escape = True

    def __init__(self, screen: Screen[None], listing: ListingFlow, journey: Journey) -> None:
        super().__init__(screen, listing)
        self._journey = journey

    async def run(self) -> None:
        """Find out which there are, ask, go."""
        from cloudstore_tui.ui.dialogs.pick_dialog import Pick, PickDialog

        reading = self.listing.reading
        if reading is None:
            return
        visit, provider = reading.visit, reading.provider
        with self.listing.doing("asking for the regions…"):
            page = await provider.folders(Location(visit.location.profile))
        for failure in page.failures:
            report(self.screen, failure)
        names = ["", *(folder.location.region for folder in page.items)]
        now = visit.location.region
        picks = [Pick(name or ALL, _HERE if name == now else "") for name in names]
        at = names.index(now) if now in names else 0
        picked = await self.screen.app.push_screen_wait(PickDialog("Region", picks, at))
        if picked is not None and self._journey.visit is visit:
            self._journey.open(visit_in(visit, names[picked.index], provider, self.listing.zone))


def visit_in(visit: Visit, region: str, provider: StorageProvider, zone: tzinfo) -> Visit:
    """The same in another region: what was searched for, or the same place; a place of all regions is a search.

    Args:
        visit: what is shown.
        region: empty for all of them.
        provider: of the visit.
        zone: what days, and times without a zone, are in.

    Raises:
        StorageError: there can be no such place.
    """
    location, query = visit.location, visit.query
    where, there = Location(location.profile, region), structs.replace(location, region=region, path="")
    if query is None:
        return Visit(there, provider.query(there)) if region else Visit(where)
    if region and not visit.written:
        return Visit(there, provider.query(there))
    moved = structs.replace(query, location=where)
    if region or not location.place:
        return replace(visit, location=there, query=moved, written=True)
    found = search_from(provider, where, everything_asked(provider, visit, zone), zone)
    return replace(found, query=moved, local=visit.local)

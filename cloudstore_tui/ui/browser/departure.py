"""Leaving for somewhere that has an address or a name: typed, bookmarked, or saved as a search."""

from collections.abc import Mapping

from msgspec.structs import replace

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Location, split_address
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.ui.browser.journey import Journey
from cloudstore_tui.ui.browser.saved_flow import SavedFlow


def written(location: Location) -> str:
    """As the user can type it where the browser asks for an address."""
    names = "".join(f"{name}/" for name in location.place)
    return replace(location, place=()).address + names


class Departure:
    """Finds out where that is, and goes."""

    def __init__(self, journey: Journey, providers: Mapping[str, StorageProvider], saved: SavedFlow) -> None:
        self._journey = journey
        self._providers = providers
        self._saved = saved

    def locate(self, address: str) -> Location:
        """The location of an address; `acme8:us-east/callrecording/2024/` is one of a place that only the browser has.

        Raises:
            UsageError: it cannot be one, or there is no such profile.
        """
        name, rest = split_address(address)
        provider = self._provider(name, address)
        location = provider.locate(rest)
        # Where there are regions, objects have ids without a slash.
        if location.region and "/" in location.path:
            return replace(location, path="", place=tuple(filter(None, location.path.split("/"))))
        return location

    async def names_in(self, head: str) -> tuple[str, ...]:
        """What can follow an address that ends with `:` or `/`: one page of the folders below it.

        Raises:
            StorageError: there is no such folder, or the service does not tell.
        """
        location = self.locate(head)
        page = await self._provider(location.profile, head).folders(location)
        written_ones = (written(folder.location) for folder in page.items)
        return tuple(name.removeprefix(head) for name in written_ones if name.startswith(head))

    def to(self, location: Location) -> None:
        """Go to a location.

        Raises:
            UsageError: its profile is not there.
        """
        self._provider(location.profile, location.address)
        self._journey.go(location)

    def to_bookmark(self, mark: Bookmark) -> None:
        """Go to what was bookmarked.

        Raises:
            UsageError: its profile is not there, or its address cannot be one.
        """
        self.to(replace(self.locate(mark.at), place=mark.place))

    def to_search(self, search: SavedSearch) -> None:
        """Search for what was saved, where it is for; else where the user is.

        Raises:
            UsageError: no profile here can search, or not the one that it is for.
        """
        self._saved.start(search, self._place_of(search))

    def _place_of(self, search: SavedSearch) -> Location:
        if search.profile:
            self._provider(search.profile, f"@{search.name}")
            return Location(search.profile, search.region)
        here = self._journey.visit.location if self._journey.visit else None
        if here is not None and self._can_search(here.profile):
            return Location(here.profile, search.region or here.region)
        able = next((name for name in self._providers if self._can_search(name)), None)
        if able is None:
            raise UsageError("no profile here can search", subject=f"@{search.name}")
        return Location(able, search.region)

    def _can_search(self, profile: str) -> bool:
        return Capability.SEARCH in self._providers[profile].capabilities

    def _provider(self, name: str, address: str) -> StorageProvider:
        provider = self._providers.get(name)
        if provider is None:
            known = ", ".join(self._providers)
            raise UsageError(f"there is no profile {name}", subject=address, hint=f"There are: {known}.")
        return provider

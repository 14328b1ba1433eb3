"""A service without a network: what every fake of a test needs and none is about."""

from cloudstore_tui.core.models import Column, Entry, Folder, Location, Query
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check, StorageProvider


class FakeProvider(StorageProvider):
    """Holds nothing, has no columns, no filter and no checks; a test's own one overrides what it is about."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def locate(self, rest: str) -> Location:
        return Location(self.profile.name, path=rest)

    def is_folder(self, location: Location) -> bool:
        return location.path.endswith("/")

    def parent(self, location: Location) -> Location | None:
        return None

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        return Page(())

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        return Page(())

    def query(self, location: Location) -> Query | None:
        return None

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        return ()

    async def check(self) -> tuple[Check, ...]:
        return ()

    async def close(self) -> None:
        return None

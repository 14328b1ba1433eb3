"""A service that can do no more than every service can."""

import pytest

from cloudstore_tui.core.errors import MissingError, UnreadableError, UnsupportedError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Entry, Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.provider import Capability, StorageProvider

ROOT = Location("box")
FILE = Location("box", path="a.txt")


class Box(StorageProvider):
    """One folder with one file, by the required methods alone."""

    def __init__(self) -> None:
        self.profile = Profile("box", "box")
        self.is_there = True

    def locate(self, rest: str) -> Location:
        return Location("box", path=rest)

    def is_folder(self, location: Location) -> bool:
        return not location.path or location.path.endswith("/")

    def parent(self, location: Location) -> Location | None:
        return ROOT if location.path else None

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        if not self.is_there:
            raise MissingError("there is no such folder", subject=location.address)
        entries = (Folder(Location("box", path="b/"), "b"), StoredObject(FILE, "a.txt", size=1))
        return Page(entries, "more", failures=(UnreadableError(1, subject=location.address),))

    async def stat(self, location: Location) -> Entry:
        return StoredObject(location, "a.txt")

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        return Source(Secret("https://box.example/a.txt"))

    async def close(self) -> None:
        return None


async def test_seven_methods_are_a_service() -> None:
    box = Box()
    page = await box.folders(ROOT)
    assert [folder.name for folder in page.items] == ["b"]
    assert (page.cursor, len(page.failures)) == ("more", 1)
    assert box.query(ROOT) is None
    assert [column.name for column in box.columns(ROOT)] == ["name", "size", "modified"]
    assert [check.ok for check in await box.check()] == [True]
    box.is_there = False
    (check,) = await box.check()
    assert (check.ok, check.error and check.error.code) == (False, 8)


async def test_what_it_cannot_do_it_says() -> None:
    box = Box()
    assert box.capabilities == frozenset()
    with pytest.raises(UnsupportedError, match="no search"):
        await box.search(Query(ROOT))
    with pytest.raises(UnsupportedError, match="no zip jobs"):
        await box.start_zip([FILE])
    with pytest.raises(UnsupportedError):
        box.require(Capability.DELETE, FILE)

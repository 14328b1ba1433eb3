"""Walking a folder and all below it."""

from datetime import UTC, datetime
from typing import cast

import pytest

from cloudstore_tui.archive.listing import FolderListing
from cloudstore_tui.archive.template import KeyNames
from cloudstore_tui.core.errors import ForbiddenError, MissingError, StorageError
from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import StorageProvider

DAY = datetime(2024, 9, 1, tzinfo=UTC)
ROOT = Location("acme", path="exports/")


class Service:
    """Folders with what is in them."""

    def __init__(self, **folders: list[str]) -> None:
        self.content = {path.replace("_", "/"): names for path, names in folders.items()}
        self.known: set[str] = set()
        """Folders whose folders can be listed."""
        self.failing: dict[str, StorageError] = {}
        self.failing_later: dict[str, StorageError] = {}
        """What the second page of a folder says."""

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        failing = self.failing if cursor is None else self.failing_later
        if location.path in failing:
            raise failing[location.path]
        following = "2" if location.path in self.failing_later else None
        return Page(tuple(_entry(name) for name in self.content[location.path]), following)

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        if location.path in self.known:
            return Page(())
        raise MissingError("gone")


def _entry(key: str) -> Entry:
    location = Location("acme", path=key)
    name = key.rstrip("/").rpartition("/")[2]
    if key.endswith("/"):
        return Folder(location, name)
    ages = {"old": DAY.replace(day=1, month=8), "ageless": None}
    return StoredObject(location, name, modified=ages.get(name, DAY))


async def keys(listing: FolderListing) -> list[str]:
    return [entry.location.path async for page in listing.pages() for entry in page]


def walk(service: Service, newer_than: datetime | None = None) -> FolderListing:
    return FolderListing(cast(StorageProvider, service), ROOT, newer_than)


async def test_everything_below_is_found_and_old_files_are_left_out() -> None:
    service = Service(
        exports_=["exports/a/", "exports/new"],
        exports_a_=["exports/a/b/", "exports/a/old", "exports/a/ageless"],
        exports_a_b_=["exports/a/b/new"],
    )
    assert len(await keys(walk(service))) == 4
    listing = walk(service, DAY)
    assert await keys(listing) == ["exports/new", "exports/a/ageless", "exports/a/b/new"]
    assert listing.windows == 3


async def test_folders_that_lead_up_or_in_circles_are_not_followed() -> None:
    service = Service(exports_=["exports/", "exports/a/"], exports_a_=["exports/", "exports/a/x"])
    listing = walk(service)
    assert await keys(listing) == ["exports/a/x"]
    assert not listing.failures


@pytest.mark.parametrize("folder", ["imports/", "a/", "/exports/a/", "Exports/a/"])
async def test_a_folder_that_cannot_be_followed_is_told(folder: str) -> None:
    listing = walk(Service(exports_=[folder, "exports/x"]))
    assert await keys(listing) == ["exports/x"]
    assert [(error.subject, folder in error.message) for error in listing.failures] == [("acme:exports/", True)]


async def test_a_folder_that_is_missing_is_empty_only_where_the_service_knows_it() -> None:
    service = Service(exports_=["exports/a/", "exports/b/", "exports/x"])
    service.failing = {"exports/a/": MissingError("gone"), "exports/b/": ForbiddenError("not allowed")}
    listing = walk(service)
    service.known = {"exports/a/"}
    assert await keys(listing) == ["exports/x"]
    assert [error.subject for error in listing.failures] == ["acme:exports/b/"]
    service.known.clear()
    listing = walk(service)
    assert await keys(listing) == ["exports/x"]
    assert {error.subject for error in listing.failures} == {"acme:exports/a/", "acme:exports/b/"}
    service.failing["exports/"] = MissingError("gone")
    with pytest.raises(MissingError):
        await keys(walk(service))


async def test_a_folder_that_is_missing_between_two_pages_is_told() -> None:
    service = Service(exports_=["exports/a/"], exports_a_=["exports/a/x"])
    service.known = {"exports/a/"}
    service.failing_later = {"exports/a/": MissingError("no such token")}
    listing = walk(service)
    assert await keys(listing) == ["exports/a/x"]
    assert [error.subject for error in listing.failures] == ["acme:exports/a/"]


async def test_a_root_that_is_gone_between_two_pages_is_told() -> None:
    service = Service(exports_=["exports/x"])
    service.failing_later = {"exports/": MissingError("gone")}
    listing = walk(service)
    assert await keys(listing) == ["exports/x"]
    assert [error.subject for error in listing.failures] == ["acme:exports/"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("exports/a/b.tar", "a/b.tar"),
        ("exports//a//b.tar", "a/b.tar"),
        ("exports/../../x", "%2E%2E/%2E%2E/x"),
        ("exports/a:b/.bashrc", "a-b/%2Ebashrc"),
        ("exports/" + "d/" * 300 + "x", "/".join(["d"] * 31)),
    ],
)
def test_keys_become_paths_inside_the_folder(key: str, path: str) -> None:
    segments = KeyNames("exports/").path(StoredObject(Location("acme", path=key), key.rpartition("/")[2]), "alvaria")
    assert "/".join(segments).startswith(path)
    assert len(segments) <= 32
    assert not {"..", ".", ""} & set(segments)

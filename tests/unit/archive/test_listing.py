"""What a pull lists, whatever the service does meanwhile."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from cloudstore_tui.archive.listing import FolderListing, QueryListing
from cloudstore_tui.archive.template import KeyNames
from cloudstore_tui.core.errors import (
    ForbiddenError,
    MissingError,
    PartialError,
    StorageError,
    UnavailableError,
    UsageError,
)
from cloudstore_tui.core.models import Entry, Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import EndlessListingError, Page
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node

# What a query finds


NOW = datetime(2024, 9, 1, 12, tzinfo=UTC)
PAGE = 20
MakeObject = Callable[..., StoredObject]


class SearchService:
    """Regions whose objects a test changes between two pages."""

    def __init__(self, objects: dict[str, list[StoredObject]]) -> None:
        self.objects = objects
        self.queries: list[str] = []
        self.before_page: Callable[[int], None] = lambda _number: None
        self.failing: dict[str, StorageError] = {}
        self.repeats = False
        self.order: Callable[[list[StoredObject]], None] = lambda _found: None
        """Puts what was found into another order than the one asked for."""
        self.filters = True
        self.undated_at = 0
        """Where objects without a creation time sort."""
        self.largest_offset = 1 << 50
        self.beyond: StorageError = UsageError("the service gives no results beyond that")

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        return Page(tuple(Folder(Location(location.profile, region), region) for region in self.objects))

    async def search(self, query: Query, cursor: str | None = None) -> Page[StoredObject]:
        region = query.location.region
        if region in self.failing:
            raise self.failing[region]
        assert query.sort is not None
        assert (query.sort.field, query.sort.descending) == ("createdTime", False)
        self.before_page(len(self.queries))
        self.queries.append(query.filter)
        node = parse(query.filter)
        found = sorted(
            (entry for entry in self.objects[region] if not self.filters or _holds(entry, node)),
            key=lambda entry: (epoch_ms(entry.created) if entry.created else self.undated_at, entry.id),
        )
        self.order(found)
        offset = int(cursor or query.offset)
        if offset >= self.largest_offset:
            raise self.beyond
        page = tuple(found[offset : offset + PAGE])
        if self.repeats:
            return Page(page, "0")
        return Page(page, str(offset + PAGE) if offset + PAGE < len(found) else None, warnings=("A note.",))


def _holds(entry: StoredObject, node: Node) -> bool:
    if not isinstance(node, Comparison):
        return (all if isinstance(node, And) else any)(_holds(entry, term) for term in node.terms)
    if node.selector != "createdTime":
        return entry.type == node.value
    if entry.created is None:
        return False
    created, bound = epoch_ms(entry.created), int(node.value)
    return created >= bound if node.operator == "=ge=" else created < bound


def objects_of(make: MakeObject, count: int, region: str = "us-east", first: int = 0) -> list[StoredObject]:
    start = NOW - timedelta(hours=10)
    return [
        make(f"{region}-{number:05d}", region, created=start + timedelta(seconds=number * 7))
        for number in range(first, first + count)
    ]


def listing(service: SearchService, region: str = "us-east", text: str = "type==callcenterrecording") -> QueryListing:
    return QueryListing(cast(StorageProvider, service), Query(Location("acme8", region), text), NOW)


async def found(listed: QueryListing) -> set[str]:
    return {entry.id async for page in listed.pages() for entry in page}


async def test_everything_before_the_beginning_is_listed_and_nothing_after(make_object: MakeObject) -> None:
    service = SearchService({"us-east": [*objects_of(make_object, 250), make_object("later", created=NOW)]})
    listed = listing(service)
    assert await found(listed) == {f"us-east-{number:05d}" for number in range(250)}
    unbounded = [text for text in service.queries if text == "type==callcenterrecording"]
    assert service.queries[0] in unbounded, "objects without a time meet no bound"
    windows = [text for text in service.queries if text not in unbounded]
    assert all(text.startswith("type==callcenterrecording;") for text in windows)
    assert all(f"createdTime=lt={epoch_ms(NOW)}" in text for text in windows)
    assert len(unbounded) <= 1 + 120 // PAGE
    assert listed.windows == len(service.queries)
    assert list(listed.warnings) == ["A note."]


async def test_a_filter_with_an_or_keeps_its_meaning(make_object: MakeObject) -> None:
    service = SearchService({"us-east": objects_of(make_object, PAGE + 5)})
    service.filters = False
    await found(listing(service, text="type==a,type==callcenterrecording"))
    assert service.queries[1].startswith("(type==a,type==callcenterrecording);")


@pytest.mark.parametrize("seed", range(12))
async def test_objects_that_come_and_go_meanwhile_neither_hide_nor_double_others(
    make_object: MakeObject, seed: int
) -> None:
    chance = random.Random(seed)
    objects = objects_of(make_object, 300)
    service = SearchService({"us-east": objects})
    stays = {entry.id for entry in objects}

    def live(number: int) -> None:
        for _ in range(chance.randrange(4)):
            gone = objects.pop(chance.randrange(len(objects)))
            stays.discard(gone.id)
        for extra in range(chance.randrange(4)):
            created = NOW - timedelta(seconds=chance.randrange(36_000))
            objects.append(make_object(f"new-{number}-{extra}", created=created))

    service.before_page = live
    listed = await found(listing(service))
    assert stays <= listed
    assert all(id_ in stays or id_.startswith(("new-", "us-east-")) for id_ in listed)


async def test_more_objects_of_one_second_than_a_page_holds_are_all_found(make_object: MakeObject) -> None:
    crowd = [make_object(f"crowd-{number}", created=NOW - timedelta(hours=5)) for number in range(70)]
    service = SearchService(
        {"us-east": [*objects_of(make_object, 60), *crowd, *objects_of(make_object, 60, first=3000)]}
    )
    assert len(await found(listing(service))) == 190


async def test_all_regions_are_listed_one_after_the_other(make_object: MakeObject) -> None:
    service = SearchService({name: objects_of(make_object, 45, name) for name in ("us-east", "uk")})
    assert len(await found(listing(service, region=""))) == 90


async def test_a_region_that_refuses_is_reported_and_does_not_end_the_others(make_object: MakeObject) -> None:
    service = SearchService({name: objects_of(make_object, 45, name) for name in ("us-east", "uk")})
    service.failing["us-east"] = ForbiddenError("the key may not read here")
    listed = listing(service, region="")
    assert len(await found(listed)) == 45
    assert [error.subject for error in listed.failures] == ["acme8:us-east/"]
    service.failing["uk"] = UnavailableError("no answer")
    with pytest.raises(UnavailableError):
        await found(listing(service, region=""))


async def test_a_region_that_was_pulled_before_and_is_not_listed_any_more_is_reported(
    make_object: MakeObject,
) -> None:
    service = SearchService({"us-east": objects_of(make_object, 45)})
    listed = listing(service, region="")
    listed.known_regions |= {"us-east", "uk"}
    assert len(await found(listed)) == 45
    assert [(failure.subject, failure.code) for failure in listed.failures] == [("acme8:uk/", 8)]
    assert "acme8:us-east" in listed.failures[0].hint
    listed = listing(service)
    listed.known_regions |= {"us-east", "uk"}
    assert len(await found(listed)) == 45
    assert not listed.failures


async def test_a_service_that_repeats_itself_for_ever_is_given_up(make_object: MakeObject) -> None:
    service = SearchService({"us-east": [make_object(f"{number}", created=NOW - timedelta(1)) for number in range(30)]})
    service.repeats = True
    listed = listing(service)
    assert len(await found(listed)) == 20
    assert [type(failure) for failure in listed.failures] == [EndlessListingError]


async def test_a_record_out_of_order_hides_no_other(make_object: MakeObject) -> None:
    objects = objects_of(make_object, 100)
    service = SearchService({"us-east": objects})
    plain = service.search

    async def swapped(query: Query, cursor: str | None = None) -> Page[StoredObject]:
        page = await plain(query, cursor)
        if len(page.items) < PAGE:
            return page
        # The last of the next page comes at the end of this one, and the one it replaces later.
        late = max(objects, key=lambda entry: entry.id)
        return Page((*page.items[:-1], late), page.cursor)

    service.search = swapped  # type: ignore[method-assign]  # a service that sorts badly
    assert len(await found(listing(service))) == 100


UNSORTED = ["A note.", "The service does not list objects by time as it is asked to, so all of them are listed twice."]


async def test_a_service_that_gives_the_newest_first_hides_none_and_is_reported(make_object: MakeObject) -> None:
    service = SearchService({"us-east": objects_of(make_object, 250)})
    service.order = list.reverse
    listed = listing(service)
    assert len(await found(listed)) == 250
    assert list(listed.warnings) == UNSORTED
    assert not listed.failures


async def test_an_order_that_is_lost_later_brings_back_what_windows_had_hidden(make_object: MakeObject) -> None:
    objects = objects_of(make_object, 250)
    hidden, witness = objects[30], objects[105]
    service = SearchService({"us-east": objects})

    def misplace(found: list[StoredObject]) -> None:
        if hidden in found:
            found.remove(hidden)
            found.append(hidden)
        if witness in found:
            found.remove(witness)
            found.insert(found.index(objects[117]) + 1, witness)

    service.order = misplace
    listed = listing(service)
    assert len(await found(listed)) == 250
    assert list(listed.warnings) == UNSORTED


@pytest.mark.parametrize("seed", range(5))
async def test_an_order_that_changes_each_time_is_reported(make_object: MakeObject, seed: int) -> None:
    service = SearchService({"us-east": objects_of(make_object, 100)})
    service.order = random.Random(seed).shuffle
    listed = listing(service)
    assert len(await found(listed)) > 90
    assert [(failure.subject, failure.message) for failure in listed.failures] == [
        ("acme8:us-east/", "the service gives other objects each time it is asked, so some may be missing")
    ]
    assert len(service.queries) <= 30


async def test_a_crowd_that_comes_in_another_order_each_time_is_all_found(make_object: MakeObject) -> None:
    crowd = [make_object(f"crowd-{number}", created=NOW - timedelta(hours=5)) for number in range(70)]
    service = SearchService(
        {"us-east": [*objects_of(make_object, 60), *crowd, *objects_of(make_object, 60, first=3000)]}
    )
    chance = random.Random(5)

    def change(found: list[StoredObject]) -> None:
        # Once only: when it was asked for a second time, it stays as it is.
        if len(service.queries) < 9:
            same = [place for place, entry in enumerate(found) if entry.id.startswith("crowd")]
            moved = [found[place] for place in same]
            chance.shuffle(moved)
            for place, entry in zip(same, moved, strict=True):
                found[place] = entry

    service.order = change
    listed = listing(service)
    assert len(await found(listed)) == 190
    assert not listed.failures


async def test_a_service_that_does_not_filter_by_time_hides_none(make_object: MakeObject) -> None:
    service = SearchService({"us-east": objects_of(make_object, 100)})
    service.filters = False
    listed = listing(service)
    assert len(await found(listed)) == 100
    assert list(listed.warnings) == UNSORTED
    assert len(service.queries) < 30


@pytest.mark.parametrize("count", [1, PAGE, PAGE + 5])
async def test_objects_without_a_time_are_found_where_they_sort_first(make_object: MakeObject, count: int) -> None:
    undated = [make_object(f"undated-{number}", created=None) for number in range(count)]
    service = SearchService({"us-east": [*objects_of(make_object, 100), *undated]})
    listed = listing(service)
    assert len(await found(listed)) == 100 + count
    assert list(listed.warnings) == ["A note."]


async def test_objects_without_a_time_are_found_where_one_page_holds_everything(make_object: MakeObject) -> None:
    undated = make_object("undated", created=None)
    service = SearchService({"us-east": [*objects_of(make_object, 3), undated, make_object("later", created=NOW)]})
    service.undated_at = 1 << 50
    assert "undated" in await found(listing(service))


@pytest.mark.parametrize("count", [1, PAGE, PAGE + 5])
@pytest.mark.parametrize("deleted", [0, 90, 300])
async def test_objects_without_a_time_are_found_where_they_sort_last(
    make_object: MakeObject, count: int, deleted: int
) -> None:
    undated = [make_object(f"undated-{number}", created=None) for number in range(count)]
    dated = objects_of(make_object, 500)
    service = SearchService({"us-east": [*dated, *undated, make_object("later", created=NOW)]})
    service.undated_at = 1 << 50

    def delete(number: int) -> None:
        if number == 45:
            service.objects["us-east"] = [*dated[deleted:], *undated, make_object("later", created=NOW)]

    service.before_page = delete
    listed = listing(service)
    assert await found(listed) == {entry.id for entry in (*dated, *undated)}
    assert list(listed.warnings) == ["A note."]


@pytest.mark.parametrize("beyond", [UsageError("no results beyond that"), PartialError("the service gives no more")])
async def test_objects_without_a_time_that_cannot_be_looked_for_are_reported(
    make_object: MakeObject, beyond: StorageError
) -> None:
    service = SearchService({"us-east": objects_of(make_object, 200)})
    service.largest_offset, service.beyond = 90, beyond
    listed = listing(service)
    assert len(await found(listed)) == 200
    assert [text for text in listed.warnings if "acme8:us-east/: objects without a creation time" in text]
    timed = listing(service, text=f"type==callcenterrecording;createdTime=lt={epoch_ms(NOW)}")
    assert len(await found(timed)) == 200
    assert list(timed.warnings) == ["A note."]


async def test_objects_without_a_time_are_found_by_a_filter_that_names_a_time_for_others_only(
    make_object: MakeObject,
) -> None:
    undated = make_object("undated", created=None)
    service = SearchService({"us-east": [*objects_of(make_object, 3), undated]})
    assert "undated" in await found(listing(service, text="type==callcenterrecording,createdTime=ge=0"))


async def test_objects_that_come_while_the_first_page_is_listed_hide_none(make_object: MakeObject) -> None:
    late = [make_object(f"late-{number}", created=NOW + timedelta(seconds=number)) for number in range(3 * PAGE)]
    service = SearchService({"us-east": [*objects_of(make_object, 5), *late]})
    listed = listing(service)
    assert len(await found(listed)) == 5
    assert list(listed.warnings) == ["A note."]
    assert len(service.queries) == 2 + 4, "objects without a time may come after the late ones"


# What is below a folder


DAY = datetime(2024, 9, 1, tzinfo=UTC)
ROOT = Location("acme", path="exports/")


class FolderService:
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


def walk(service: FolderService, newer_than: datetime | None = None) -> FolderListing:
    return FolderListing(cast(StorageProvider, service), ROOT, newer_than)


async def test_everything_below_is_found_and_old_files_are_left_out() -> None:
    service = FolderService(
        exports_=["exports/a/", "exports/new"],
        exports_a_=["exports/a/b/", "exports/a/old", "exports/a/ageless"],
        exports_a_b_=["exports/a/b/new"],
    )
    assert len(await keys(walk(service))) == 4
    listing = walk(service, DAY)
    assert await keys(listing) == ["exports/new", "exports/a/ageless", "exports/a/b/new"]
    assert listing.windows == 3


async def test_folders_that_lead_up_or_in_circles_are_not_followed() -> None:
    service = FolderService(exports_=["exports/", "exports/a/"], exports_a_=["exports/", "exports/a/x"])
    listing = walk(service)
    assert await keys(listing) == ["exports/a/x"]
    assert not listing.failures


@pytest.mark.parametrize("folder", ["imports/", "a/", "/exports/a/", "Exports/a/"])
async def test_a_folder_that_cannot_be_followed_is_reported(folder: str) -> None:
    listing = walk(FolderService(exports_=[folder, "exports/x"]))
    assert await keys(listing) == ["exports/x"]
    assert [(error.subject, folder in error.message) for error in listing.failures] == [("acme:exports/", True)]


async def test_a_folder_that_is_missing_is_empty_only_where_the_service_knows_it() -> None:
    service = FolderService(exports_=["exports/a/", "exports/b/", "exports/x"])
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


async def test_a_folder_that_is_missing_between_two_pages_is_reported() -> None:
    service = FolderService(exports_=["exports/a/"], exports_a_=["exports/a/x"])
    service.known = {"exports/a/"}
    service.failing_later = {"exports/a/": MissingError("no such token")}
    listing = walk(service)
    assert await keys(listing) == ["exports/a/x"]
    assert [error.subject for error in listing.failures] == ["acme:exports/a/"]


async def test_a_root_that_is_gone_between_two_pages_is_reported() -> None:
    service = FolderService(exports_=["exports/x"])
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

"""How the pages of regions are fetched, several at once, and merged."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.errors import (
    ForbiddenError,
    NetworkError,
    ReplyError,
    StorageError,
    UnreadableError,
    UsageError,
    common_code,
    distinct,
)
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Fetch, Page, Pager
from cloudstore_tui.providers.eightbyeight.paging import (
    LARGEST_WINDOW,
    START,
    Position,
    PrefetchingSearch,
    RegionPage,
    Regions,
)

DOWN = Sort("createdTime", descending=True)
SECOND = 1_725_148_800_000
"""2024-09-01T00:00:00Z."""
QUERY = Query(Location("acme8"))


def entry(region: str, second: int) -> StoredObject:
    created = datetime.fromtimestamp(SECOND // 1000 + second, UTC)
    return StoredObject(Location("acme8", region, f"{region}-{second}"), "a.mp3", f"{region}-{second}", created=created)


@dataclass
class Service:
    """Seconds of objects by region, newest first."""

    every: Mapping[str, Sequence[int]]
    size: int = 100
    unreadable: frozenset[int] = frozenset()
    lost: tuple[StorageError, ...] = ()
    broken: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, Position]] = field(default_factory=list)
    probed: list[tuple[str, Position]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    delay: float = 0.001

    async def region_page(self, query: Query, region: str, at: Position, limit: int) -> RegionPage:
        (self.asked if limit > 1 else self.probed).append((region, at))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.at_once -= 1
        if region in self.broken:
            raise self.broken[region]
        return self.page(region, at, min(limit, self.size))

    def page(self, region: str, at: Position, size: int) -> RegionPage:
        seconds = [second for second in self.every[region] if not at.bound or SECOND + second * 1000 < at.bound]
        given = seconds[at.offset : at.offset + size]
        kept = [(number, second) for number, second in enumerate(given) if second not in self.unreadable]
        damaged = tuple(number for number, second in enumerate(given) if second in self.unreadable)
        rows = tuple(entry(region, second) for _, second in kept)
        is_last = at.offset + size >= len(seconds)
        following = None if is_last else at.moved(at.offset + size, DOWN, [entry(region, one) for one in given])
        return RegionPage(region, at, DOWN, rows, tuple(number for number, _ in kept), following, len(given), damaged)

    async def regions(self) -> Regions:
        return tuple(self.every), self.lost

    def prefetching(self, ahead: int = 0) -> PrefetchingSearch:
        return PrefetchingSearch(QUERY, self.region_page, self.regions, ahead=ahead)


async def read(search: PrefetchingSearch) -> list[Page[StoredObject]]:
    pages = [await search.page()]
    await read_on(search, pages)
    return pages


async def read_on(search: PrefetchingSearch, pages: list[Page[StoredObject]]) -> None:
    while pages[-1].cursor:
        assert len(pages) < 2_000
        pages.append(await search.page(pages[-1].cursor))


def ids(pages: Sequence[Page[StoredObject]]) -> list[str]:
    return [row.id for page in pages for row in page.items]


def unreadable_by_region(pages: Sequence[Page[StoredObject]]) -> dict[str, int]:
    """How many records of each region cannot be read."""
    failures = distinct(failure for page in pages for failure in page.failures)
    return {failure.subject: failure.number for failure in failures if isinstance(failure, UnreadableError)}


async def test_regions_are_merged_in_order_until_one_runs_out() -> None:
    service = Service({"uk": [90, 50, 10], "us-east": [80, 70, 60, 5]}, size=3)
    page = await service.prefetching().page()
    assert ids([page]) == ["uk-90", "us-east-80", "us-east-70", "us-east-60"]
    assert page.cursor == '{"uk":{"offset":1,"bound":0,"resume":0},"us-east":{"offset":3,"bound":0,"resume":0}}'


async def test_rows_that_cannot_be_read_are_not_asked_for_again() -> None:
    service = Service({"uk": [9, 8, 7, 1], "us-east": [6, 5, 4, 3]}, size=3, unreadable=frozenset({8, 9}))
    page = await service.prefetching().page()
    assert ids([page]) == ["uk-7"]
    service = Service({"uk": [9, 8, 2, 1], "us-east": [6, 5, 4, 3]}, size=3, unreadable=frozenset({8, 9}))
    page = await service.prefetching().page()
    assert page.cursor == '{"uk":{"offset":2,"bound":0,"resume":0},"us-east":{"offset":3,"bound":0,"resume":0}}'


@given(
    every=st.dictionaries(
        st.sampled_from(["uk", "us-east", "ap"]), st.sets(st.integers(0, 60), max_size=30), min_size=1
    ),
    size=st.integers(1, 7),
    ahead=st.integers(0, 5),
    unreadable=st.frozensets(st.integers(0, 60), max_size=5),
)
def test_every_way_to_read_gives_each_row_once_in_order(
    every: dict[str, set[int]], size: int, ahead: int, unreadable: frozenset[int]
) -> None:
    rows = {region: sorted(seconds, reverse=True) for region, seconds in every.items()}
    wanted = [second for seconds in rows.values() for second in seconds if second not in unreadable]

    service = Service(rows, size, unreadable, delay=0)
    pages = asyncio.run(read(service.prefetching(ahead)))
    assert [int(id_.rpartition("-")[2]) for id_ in ids(pages)] == sorted(wanted, reverse=True)
    lost = {region: len(seconds & unreadable) for region, seconds in every.items()}
    assert unreadable_by_region(pages) == {f"acme8:{region}/": number for region, number in lost.items() if number}


async def test_another_sweep_goes_on_exactly_where_one_stopped() -> None:
    service = Service({"uk": range(300, 0, -2), "us-east": range(301, 0, -3)}, size=7)
    pages = [await service.prefetching().page()]
    while pages[-1].cursor:
        pages.append(await service.prefetching(3).page(pages[-1].cursor))
    assert ids(pages) == ids(await read(service.prefetching()))


async def test_pages_are_on_their_way_at_the_same_time_but_a_short_result_takes_one_request() -> None:
    service = Service({"uk": range(5_000, 0, -1)})
    assert len(ids(await read(service.prefetching(8)))) == 5_000
    assert 8 <= service.most_at_once <= 9
    assert len(service.asked) <= 50 + 8
    short = Service({"uk": range(90, 0, -1)})
    assert len(ids(await read(short.prefetching(8)))) == 90
    assert len(short.asked) == 1


async def test_no_offset_grows_beyond_what_services_take() -> None:
    service = Service({"uk": range(25_000, 0, -1)}, delay=0)
    assert len(set(ids(await read(service.prefetching(8))))) == 25_000
    assert max(at.offset for _, at in service.asked) < LARGEST_WINDOW


@pytest.mark.parametrize(
    ("filter_", "count", "is_noted"),
    [
        ("", 10_050, True),
        ("type==t", 10_050, True),
        ("type==t,createdTime=gt=0", 10_050, True),
        ("type==t;createdTime=gt=0", 10_050, False),
        ("", 9_900, False),
    ],
)
async def test_a_result_that_goes_on_by_time_says_that_undated_objects_may_be_missing(
    filter_: str, count: int, *, is_noted: bool
) -> None:
    service = Service({"uk": range(count, 0, -1)}, delay=0)
    search = PrefetchingSearch(Query(Location("acme8"), filter_), service.region_page, service.regions)
    pager = Pager(search.page, lambda entry: entry.id)
    notes = [note async for page in pager for note in page.warnings if "without a creation time" in note]
    assert len(notes) == is_noted


async def test_guesses_follow_the_size_of_the_pages_that_the_service_gives() -> None:
    service = Service({"uk": range(1_000, 0, -1)}, size=40)
    assert len(ids(await read(service.prefetching(4)))) == 1_000
    assert len(service.asked) <= 25 + 1 + 4


async def test_a_page_that_failed_can_be_asked_for_again() -> None:
    service = Service({"uk": range(2_000, 0, -1)})
    search = service.prefetching(4)
    first = await search.page()
    second = await search.page(first.cursor)
    await asyncio.sleep(0.01)
    service.broken["uk"] = NetworkError("the line is down")
    pages = [first, second]
    with pytest.raises(NetworkError):
        await read_on(search, pages)
    service.broken.clear()
    await read_on(search, pages)
    assert ids(pages) == [f"uk-{second}" for second in range(2_000, 0, -1)]


async def test_a_region_that_may_not_be_read_does_not_spoil_the_others() -> None:
    service = Service({"uk": [3, 2, 1], "us-east": [4]}, broken={"us-east": ForbiddenError("not yours")})
    page = await service.prefetching().page()
    assert ids([page]) == ["uk-3", "uk-2", "uk-1"]
    assert [str(failure) for failure in page.failures] == ["acme8:us-east/: not yours."]
    assert common_code(list(page.failures)) == 3
    alone = Service({"us-east": [4]}, broken={"us-east": ForbiddenError("not yours")})
    with pytest.raises(ForbiddenError):
        await alone.prefetching().page()


async def test_a_region_that_fails_on_the_way_is_reported_with_the_page_that_lacks_it() -> None:
    service = Service({"uk": [9, 7, 5, 3, 1], "us-east": [8, 6, 4, 2]}, size=2)
    search = service.prefetching()
    pages = [await search.page()]
    service.broken["us-east"] = NetworkError("no answer", subject="acme8:us-east/")
    await read_on(search, pages)
    assert ids(pages) == ["uk-9", "us-east-8", "uk-7", "us-east-6", "uk-5", "uk-3", "uk-1"]
    assert [str(failure) for page in pages for failure in page.failures] == ["acme8:us-east/: no answer."]


async def test_what_the_list_of_regions_lacks_is_reported_once() -> None:
    service = Service({"uk": [3, 2, 1]}, size=1, lost=(ReplyError("1 region has a name that cannot be used"),))
    pages = await read(service.prefetching())
    assert [len(page.failures) for page in pages] == [1, 0, 0]


async def test_what_a_page_lacks_is_reported_although_it_failed_first() -> None:
    class Dropping(Service):
        async def region_page(self, query: Query, region: str, at: Position, limit: int) -> RegionPage:
            if at.offset in failing:
                failing.remove(at.offset)
                raise NetworkError("no answer")
            return await super().region_page(query, region, at, limit)

    failing = [0, 3]
    forbidden = {"us-east": ForbiddenError("not yours")}
    lost = (ReplyError("1 region has a name that cannot be used"),)
    service = Dropping({"uk": [9, 8, 7, 1], "us-east": [4]}, 3, frozenset({7, 8, 9}), lost, dict(forbidden))
    search = service.prefetching()
    for _failure in range(2):
        with pytest.raises(NetworkError):
            await search.page()
    page = await search.page()
    assert ids([page]) == ["uk-1"]
    assert {type(failure) for failure in page.failures} == {ForbiddenError, ReplyError, UnreadableError}


async def test_what_cannot_be_read_is_counted_once_however_the_pages_are_read() -> None:
    service = Service({"uk": range(40, 0, -1), "us-east": range(400, 0, -10)}, size=7, unreadable=frozenset({33, 10}))
    pages = [await service.prefetching().page()]
    while pages[-1].cursor:
        pages.append(await service.prefetching(3).page(pages[-1].cursor))
    assert (
        unreadable_by_region(pages)
        == unreadable_by_region(await read(service.prefetching(2)))
        == {"acme8:uk/": 2, "acme8:us-east/": 1}
    )


async def test_a_closed_sweep_leaves_no_request_behind() -> None:
    service = Service({"uk": range(3_000, 0, -1)}, delay=0.002)
    search = service.prefetching(8)
    page = await search.page()
    page = await search.page(page.cursor)
    assert service.at_once > 0
    search.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert service.at_once == 0


async def test_a_reader_that_is_stopped_goes_on_later_without_a_gap() -> None:
    service = Service({"uk": range(2_000, 0, -1)}, delay=0.005)
    search = service.prefetching(4)
    pages = [await search.page()]
    pages.append(await search.page(pages[-1].cursor))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await search.page(pages[-1].cursor)
    await read_on(search, pages)
    assert ids(pages) == [f"uk-{second}" for second in range(2_000, 0, -1)]


async def test_a_pager_hurries_only_while_it_is_asked_to() -> None:
    service = Service({"uk": range(3_000, 0, -1)})
    usual = service.prefetching()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Fetch[StoredObject]]:
        fast = service.prefetching(8)
        try:
            yield fast.page
        finally:
            fast.close()

    pager = Pager(usual.page, identity, prefetch=opened)
    found = [row.id for row in (await pager.next_page()).items]
    assert service.most_at_once == 1
    async with pager.prefetch():
        for _page in range(10):
            found += [row.id for row in (await pager.next_page()).items]
    assert service.most_at_once > 4
    service.most_at_once = 0
    await asyncio.sleep(0.01)
    async for page in pager:
        found += [row.id for row in page.items]
    assert service.most_at_once == 1
    assert found == [f"uk-{second}" for second in range(3_000, 0, -1)]
    assert START in [at for _, at in service.asked]


@pytest.mark.parametrize("length", [1_500, 9_990, 14_321])
async def test_what_is_left_is_known_within_a_fifth_soon_and_until_the_end(length: int) -> None:
    service = Service({"uk": range(length, 0, -1)})
    search, read, known = service.prefetching(2), 0, 0
    cursor: str | None = None
    while True:
        page = await search.page(cursor)
        read, cursor = read + len(page.items), page.cursor
        left = length - read
        if page.left is not None and left > 1_000:
            known += 1
            assert abs(page.left - left) <= left / 5
        if cursor is None:
            break
    assert page.left == 0
    assert known >= (length - 3_500) / 100
    assert len(service.probed) <= 16


async def test_what_is_left_is_reported_for_all_regions_together_and_not_at_all_for_short_results() -> None:
    service = Service({"uk": range(9_000, 0, -3), "us-east": range(9_001, 0, -2)})
    pages = await read(service.prefetching(4))
    estimates = [page.left for page in pages if page.left]
    assert estimates
    assert all(0 <= left <= 9_000 for left in estimates)
    short = Service({"uk": range(450, 0, -1)})
    await read(short.prefetching(4))
    assert short.probed == []


async def test_a_service_that_refuses_large_offsets_keeps_nobody_from_reading() -> None:
    class Capped(Service):
        async def region_page(self, query: Query, region: str, at: Position, limit: int) -> RegionPage:
            if at.offset >= LARGEST_WINDOW:
                raise UsageError("the offset is too large")
            return await super().region_page(query, region, at, limit)

    service = Capped({"uk": range(25_000, 0, -1)}, delay=0)
    pages = await read(service.prefetching(8))
    assert len(set(ids(pages))) == 25_000

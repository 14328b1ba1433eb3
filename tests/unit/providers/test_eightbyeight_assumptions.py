"""What the service is believed to do but nobody has verified: if it behaves otherwise, nothing is lost unreported."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.cli.look import ls_command
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import PartialError, ReplyError, StorageError, UsageError
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import DeletionOutcome
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient
from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider
from cloudstore_tui.providers.eightbyeight.search import Searcher
from tests.support.http import Reply, ScriptedService

EAST = Location("acme8", "us-east")
MINE = Location("acme8", "us-east", "mine")
FIRST = 1_725_148_800
"""2024-09-01T00:00:00Z, when the first object was created; the others follow, one a minute."""
NEWEST = Sort("createdTime", descending=True)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = 3600


@dataclass
class Habits:
    """How a service gives so many objects."""

    number: int
    types: tuple[str, ...] = ("t",)
    every: float = 60
    """Seconds between two objects."""
    most: int = 100
    """Records of a page, whatever is asked for."""
    last: Any = None
    """What `lastPage` always says, and whether it is there at all; the truth without."""
    key: str = "next"
    """What `pageKey` says: the offset of the next page or of this one, or nothing."""
    counts_pages: bool = False
    """Whether the `pageKey` that is sent is the number of a page."""
    gap: int = -1
    """An offset at which larger pages are empty."""
    limit: int = 10**9
    """Records of one result."""
    clamps: bool = False
    """Whether offsets beyond the end give the last page."""
    zone: int = 0
    """Seconds by which the times in replies are ahead of those that are filtered by."""
    ignored: tuple[str, ...] = ()
    """Fields whose part of a filter is ignored."""
    shuffles: bool = False
    """Whether objects of one value come in another order each time."""
    grows: bool = False
    """Whether there is a new object each time."""
    asked: int = 0

    def __call__(self, _method: str, target: str, _body: bytes) -> Reply:
        query = dict(parse_qsl(urlsplit(target).query))
        self.asked += 1
        node = parse(query["filter"]) if "filter" in query else None
        found = [number for number in range(self.number) if node is None or self.holds(node, number)]
        if self.grows and query["limit"] == "100":
            self.number += 1
        if self.shuffles:
            random.Random(self.asked).shuffle(found)
            is_by_time = query["sortField"] == "createdTime"
            found.sort(key=lambda number: int(number * self.every) if is_by_time else 0)
        if query["sortDirection"] == "DESC":
            found.reverse()
        found = found[: self.limit]
        asked, key = int(query["limit"]), int(query["pageKey"])
        size = min(asked, self.most)
        offset = key * asked if self.counts_pages else key
        if self.clamps:
            offset = min(offset, max(len(found) - size, 0))
        given = [] if key == self.gap and size > 1 else found[offset : offset + size]
        page: dict[str, object] = {"content": [self.record(number) for number in given], "pageSize": len(given)}
        page["lastPage"] = offset + size >= len(found) if self.last is None else self.last
        page["pageKey"] = {"next": key + asked, "current": key}.get(self.key)
        return 200, {name: value for name, value in page.items() if value not in (None, "missing")}

    def holds(self, node: Node, number: int) -> bool:
        if not isinstance(node, Comparison):
            return (all if isinstance(node, And) else any)(self.holds(term, number) for term in node.terms)
        if node.selector in self.ignored:
            return True
        if node.selector == "createdTime":
            moment, wanted = int((FIRST + number * self.every) * 1000), int(node.value)
            return moment >= wanted if node.operator == "=ge=" else moment < wanted
        return (self.type_of(number) in node.values) is (node.operator in ("==", "=in="))

    def type_of(self, number: int) -> str:
        return self.types[number % len(self.types)]

    def record(self, number: int) -> dict[str, object]:
        shown = datetime.fromtimestamp(int(FIRST + number * self.every) + self.zone, UTC)
        created = shown.replace(tzinfo=None).isoformat()
        named = {"id": f"{number:06}", "type": self.type_of(number), "objectState": "AVAILABLE"}
        return {**named, "createdTime": created, "storedBytes": 5}


@dataclass
class Found:
    """What a way to read gave, and what it reported."""

    ids: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[StorageError] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(set(self.ids))


async def found(provider: EightByEightProvider, query: Query, *, fast: bool) -> Found:
    """What a search finds, page after page or several at once."""
    pager = Pager(partial(provider.search, query), identity, "", partial(provider.prefetch, query) if fast else None)
    result = Found()
    try:
        async with pager.prefetch():
            async for page in pager:
                result.ids += [entry.id for entry in page.items]
                result.notes += page.warnings
    except StorageError as error:
        result.failures.append(error)
    result.failures += pager.failures
    return result


async def pulled(provider: EightByEightProvider, query: Query) -> Found:
    """What a pull lists."""
    listing = QueryListing(provider, query, NOW)
    ids = [entry.id async for page in listing.pages() for entry in page]
    return Found(ids, list(listing.warnings), list(listing.failures))


@pytest.mark.parametrize(
    "habits",
    [
        Habits(250),
        Habits(300),
        Habits(250, last=True),
        Habits(300, last=False),
        Habits(250, last="missing"),
        Habits(250, last="false"),
        Habits(250, key="current"),
        Habits(250, key="none"),
        Habits(250, most=40),
        Habits(250, most=40, key="current"),
        Habits(250, counts_pages=True),
        Habits(250, counts_pages=True, key="current"),
        Habits(350, gap=100),
        Habits(350, gap=100, last=False),
        Habits(1_250, limit=500),
        Habits(250, clamps=True, last=True),
    ],
    ids=repr,
)
async def test_all_is_found_however_the_service_counts_its_pages(
    service: ScriptedService, provider: EightByEightProvider, habits: Habits
) -> None:
    service.rule = habits
    goes_on_by_time = habits.last is True or habits.counts_pages or habits.gap >= 0 or habits.limit < habits.number
    # Objects without a creation time may follow all others, where only an offset leads.
    for order in (NEWEST, Sort("createdTime")):
        for fast in (False, True):
            result = await found(provider, Query(EAST, "", order), fast=fast)
            assert (result.number, result.failures) == (habits.number, [])
            assert ["without a creation time" in note for note in result.notes] == [True] * goes_on_by_time
            assert result.ids == sorted(result.ids, reverse=order.descending)
    listed = await pulled(provider, Query(EAST))
    assert (listed.number, listed.failures) == (habits.number, [])
    takes_offsets = not habits.counts_pages and habits.limit > habits.number
    assert ["without a creation time" in note for note in listed.notes] == [True] * (not takes_offsets)


async def test_an_ordinary_result_costs_one_request_a_page_and_a_full_last_page_one_more(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    for number, requests in ((0, 1), (99, 1), (250, 3), (300, 4)):
        service.rule = habits = Habits(number)
        await found(provider, Query(EAST, "", NEWEST), fast=False)
        assert habits.asked == requests


@pytest.mark.parametrize(
    ("habits", "words"),
    [
        (Habits(350, gap=0), "an empty page although there is more"),
        (Habits(350, gap=100), "an empty page although there is more"),
        (Habits(250, counts_pages=True), "an empty page although there is more"),
        (Habits(1_250, limit=1_000), "1,000 and no more in this order"),
    ],
    ids=repr,
)
async def test_what_another_order_cannot_reach_is_reported(
    service: ScriptedService, provider: EightByEightProvider, habits: Habits, words: str
) -> None:
    service.rule = habits
    for fast in (False, True):
        result = await found(provider, Query(EAST, "", Sort("storedBytes")), fast=fast)
        assert result.number < habits.number
        assert [words in failure.message for failure in result.failures] == [True]


@pytest.mark.parametrize("descending", [False, True])
async def test_objects_of_one_moment_that_change_places_are_all_found(
    service: ScriptedService, provider: EightByEightProvider, descending: bool
) -> None:
    for seed in range(4):
        service.rule = Habits(950, every=0.2, shuffles=True, asked=1000 * seed)
        result = await found(provider, Query(EAST, "", Sort("createdTime", descending)), fast=True)
        assert (result.number, result.failures) == (950, [])


async def test_a_listing_of_all_is_as_whole_as_a_search(
    service: ScriptedService, provider: EightByEightProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    service.rule = Habits(950, every=0.2, shuffles=True)
    session = CommandSession(Config(Path("config.toml")), Output(as_json=True), _open={"acme8": provider})
    how: dict[str, Any] = {"limit": None, "columns": "", "form": None, "file": None}
    await ls_command(session, "acme8:us-east/", recursive=False, everything=True, **how)
    assert len({json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()}) == 950


async def test_new_objects_cost_one_request_more_however_many_come(service: ScriptedService, profile: Profile) -> None:
    service.rule = habits = Habits(950, grows=True)
    client = EightByEightClient(profile)
    search = Searcher(client).prefetching(Query(EAST, "", NEWEST))
    cursor: str | None = None
    ids: list[str] = []
    while not ids or cursor:
        page = await search.page(cursor)
        cursor, ids = page.cursor, ids + [entry.id for entry in page.items]
        assert page.failures == ()
    search.close()
    await client.close()
    assert {f"{number:06}" for number in range(950)} <= set(ids)
    assert habits.asked == 11


async def test_an_order_that_repeats_objects_is_reported_to_hide_others(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = Habits(950, shuffles=True)
    result = await found(provider, Query(EAST, "", Sort("storedBytes")), fast=True)
    assert result.number < 950
    assert [failure.message for failure in result.failures] == [
        "objects appear twice in this order, so others may be missing"
    ]


@pytest.mark.parametrize(
    "page",
    [
        {"content": [], "lastPage": False},
        {"content": [], "lastPage": True, "pageSize": 7},
        {"content": None, "lastPage": True},
        {"lastPage": True},
    ],
    ids=repr,
)
async def test_an_empty_page_that_does_not_say_so_is_believed_only_if_no_record_is_found(
    service: ScriptedService, provider: EightByEightProvider, page: dict[str, Any]
) -> None:
    one = {"content": [Habits(1).record(0)], "lastPage": True}
    service.rule = lambda _method, target, _body: (200, one if "limit=1&" in target else page)
    listed = await found(provider, Query(EAST), fast=False)
    assert [type(failure) for failure in listed.failures] == [ReplyError]
    with pytest.raises(ReplyError):
        await provider.count(Query(EAST))
    service.rule = lambda *_ask: (200, page)
    listed = await found(provider, Query(EAST), fast=False)
    assert (listed.number, listed.failures) == (0, [])


async def test_buckets_do_not_end_with_an_empty_page_where_there_are_more(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    place = EAST.child("buckets")
    for habits, number in ((Habits(300, last=True), 300), (Habits(250, most=40), 250)):
        service.rule = habits
        pager = Pager(partial(provider.folders, place), identity)
        assert sum([len(page.items) async for page in pager]) == number
    service.rule = Habits(250, counts_pages=True)
    pager = Pager(partial(provider.folders, place), identity)
    with pytest.raises(ReplyError, match="an empty page although there is more"):
        assert not [page async for page in pager]


@pytest.mark.parametrize("number", [250, 300])
@pytest.mark.parametrize("zone", [HOUR, -5 * HOUR])
async def test_a_pull_is_whole_where_the_service_shows_other_times_than_it_filters_by(
    service: ScriptedService, provider: EightByEightProvider, number: int, zone: int
) -> None:
    service.rule = Habits(number, zone=zone)
    listed = await pulled(provider, Query(EAST))
    assert listed.number == number
    assert any("does not list objects by time" in note for note in listed.notes)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("zone", [HOUR, -5 * HOUR])
async def test_a_search_that_goes_on_by_time_reports_that_the_times_differ(
    service: ScriptedService, provider: EightByEightProvider, zone: int, descending: bool
) -> None:
    service.rule = Habits(1_250, zone=zone, limit=500)
    result = await found(provider, Query(EAST, "", Sort("createdTime", descending)), fast=False)
    assert [type(failure) for failure in result.failures] == [ReplyError]
    assert "cannot find by time" in result.failures[0].message


async def test_rows_of_another_time_than_was_asked_for_are_noted(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = Habits(250, ignored=("createdTime",))
    start = (FIRST + 50 * 60) * 1000
    query = Query(EAST, f"createdTime=ge={start};createdTime=lt={start + 60_000 * 100}", NEWEST)
    result = await found(provider, query, fast=False)
    assert [note[:32] for note in result.notes] == ["149 of these do not meet the fil"]


@pytest.mark.parametrize("limit", [1_000, 2_000])
@pytest.mark.parametrize("number", [1_000, 2_000, 2_345])
async def test_a_count_does_not_end_where_the_service_gives_no_more(
    service: ScriptedService, provider: EightByEightProvider, number: int, limit: int
) -> None:
    service.rule = Habits(number, limit=limit)
    assert await provider.count(Query(EAST)) == number


@pytest.mark.parametrize("part", ["type==other", f"createdTime=ge={(FIRST + 240 * 60) * 1000}", ""])
async def test_a_count_of_something_else_is_reported_as_one(
    service: ScriptedService, provider: EightByEightProvider, part: str
) -> None:
    service.rule = Habits(345, ignored=("createdTime", "type"))
    warnings: list[str] = []
    assert await provider.count(Query(EAST, part), warnings.append) == 345
    assert ["do not meet the filter to the letter" in sentence for sentence in warnings] == [True] * bool(part)


async def test_a_service_without_an_end_is_not_counted(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = Habits(250, clamps=True)
    with pytest.raises(UsageError, match="too many objects for this service to count"):
        await provider.count(Query(EAST))


async def test_types_that_the_service_does_not_leave_out_are_reported(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = Habits(250, types=("a", "b"))
    listed = await provider.folders(EAST)
    assert ([folder.name for folder in listed.items], listed.failures) == (["a", "b", "buckets"], ())
    service.rule = Habits(250, types=("a", "b"), ignored=("type",))
    listed = await provider.folders(EAST)
    assert [failure.message for failure in listed.failures] == ["there are more types than these"]


async def test_a_call_whose_own_object_is_not_found_may_lack_more(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    mine = StoredObject(MINE, "mine", "mine", tags=(("callId", "c"),))
    empty = {"lastPage": True, "content": []}
    service.rule = lambda *_ask: (200, empty)
    lacking = await provider.related(mine)
    assert [type(failure) for failure in lacking.failures] == [PartialError]
    service.rule = lambda *_ask: (
        200,
        {**empty, "content": [{"id": "mine", "tags": [{"key": "callId", "value": "c"}]}]},
    )
    assert (await provider.related(mine)).failures == ()


async def test_what_shares_nothing_with_a_call_is_counted(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    mine = StoredObject(MINE, "mine", "mine", tags=(("callId", "c"),))
    rows = [{"id": id_, "tags": [{"key": "callId", "value": call}]} for id_, call in (("mine", "c"), ("a", "c"))]
    service.rule = lambda *_ask: (200, {"lastPage": True, "content": rows})
    assert (await provider.related(mine)).warnings == ()
    rows += [{"id": "b", "tags": [{"key": "callId", "value": "d"}]}]
    assert (await provider.related(mine)).warnings == ("1 of these does not share an exact value with the call.",)


async def test_a_deletion_is_judged_by_the_record_of_the_object_itself(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    gone, kept = {"id": "other", "objectState": "REVOKED"}, {"id": "mine", "objectState": "AVAILABLE"}
    for reply, outcome in (
        ([gone, kept], DeletionOutcome.KEPT),
        (gone, DeletionOutcome.UNKNOWN),
        ({**gone, "id": "MINE"}, DeletionOutcome.DELETED),
    ):
        service.rule = lambda method, *_ask, reply=reply: (200, None if method == "DELETE" else reply)
        (deletion,) = await provider.delete([MINE])
        assert deletion.outcome is outcome

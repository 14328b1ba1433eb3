"""Every open question of the service, each with the answers that the sandbox can give."""

import hashlib
import http.client
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import (
    ConflictError,
    ForbiddenError,
    JobError,
    MissingError,
    NotAvailableError,
    StorageError,
    ThrottledError,
    UsageError,
)
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Page, Pager
from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.core.provider import DeletionOutcome, StorageProvider
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.providers.eightbyeight.spec import SPEC
from cloudstore_tui.providers.eightbyeight.tree import place_query
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.sandbox.eightbyeight import KEYS
from cloudstore_tui.sandbox.log import LoggedRequest
from cloudstore_tui.sandbox.server import Ready, Sandbox
from cloudstore_tui.ui.format import value
from tests.support.sandbox import own_sandbox

EAST = Location("acme8", "us-east")
DAY = EAST.child("callcenterrecording").child("2024").child("09").child("01")
"""The day with 245 recordings: three pages."""
GENERATED = 12_000
MISSING = Location("acme8", "us-east", "00000000-0000-4000-8000-000000000000")
OLDEST = Sort("createdTime")

Open = Callable[..., StorageProvider]


sandbox_server = own_sandbox(GENERATED)


@pytest.fixture
async def opened(sandbox: Sandbox, ready: Ready) -> AsyncIterator[Open]:
    """Opens the sandbox's profile with other options or another key, and closes it after the test."""
    made: list[StorageProvider] = []
    usual = load_config(ready.config, PROVIDERS).profile("acme8")

    def begin(key: int = 0, *, give_up: float = 20, **options: OptionValue) -> StorageProvider:
        chosen = KEYS[key]
        profile: Profile = replace(
            usual,
            options={**usual.options, "client_id": chosen.client_id, **options},
            timeouts=Timeouts(connect=5, read=20, give_up=give_up),
            secrets=lambda _name: Secret(chosen.secret(sandbox.world)),
        )
        made.append(SPEC.open(profile))
        return made[-1]

    yield begin
    for provider in made:
        await provider.close()


@pytest.fixture
def provider(opened: Open) -> StorageProvider:
    return opened()


def fetch(source: Source, **headers: str) -> tuple[int, bytes]:
    """What a plain client gets."""
    parts = urlsplit(source.url.reveal())
    own = {name: value.reveal() for name, value in source.headers.items()}
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=own | headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


async def found(provider: StorageProvider, query: Query | None, most: int = 100) -> list[StoredObject]:
    """All that a query finds, in order, each once."""
    assert query is not None
    pager = Pager(lambda cursor: provider.search(query, cursor), identity)
    rows: list[StoredObject] = []
    for _page in range(most):
        if pager.ended:
            break
        rows += (await pager.next_page()).items
    return rows


async def some(provider: StorageProvider, filter_: str, number: int = 1) -> list[StoredObject]:
    page = await provider.search(Query(EAST, filter_, OLDEST))
    assert len(page.items) >= number, filter_
    return list(page.items[:number])


async def small(provider: StorageProvider, number: int = 3) -> list[StoredObject]:
    """Objects that nobody minds being zipped or fetched."""
    return await some(provider, "type=in=(transcription,sentimentScore)", number)


def asked(sandbox: Sandbox, ending: str = "/objects") -> list[LoggedRequest]:
    return [seen for seen in sandbox.log.requests if seen.path.endswith(ending)]


# Searches


@pytest.mark.parametrize("how", ["clamp", "400", "honoured"])
async def test_e1_pages_are_never_larger_than_all_services_give(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-1": how})
    assert len(await found(provider, provider.query(DAY))) == 245
    assert all(int(parse_qs(seen.query)["limit"][0]) <= 100 for seen in asked(sandbox))


@pytest.mark.parametrize("how", ["last", "empty"])
async def test_e2_a_result_that_fills_its_pages_ends_with_or_without_an_empty_one(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    everything = await found(provider, provider.query(DAY))
    begin = everything[199].created
    assert begin is not None
    sandbox.switches.set({"E-2": how})
    query = Query(EAST, f"type==callcenterrecording;createdTime=ge={int(begin.timestamp() * 1000)}")
    assert [row.id for row in await found(provider, query)] == [row.id for row in everything[:200]]
    assert await provider.count(query) == 200


@pytest.mark.parametrize(("id_", "how"), [("E-3", "next"), ("E-3", "current"), ("E-5", "array"), ("E-5", "object")])
async def test_e3_e5_pages_are_walked_whatever_they_are_called_and_wrapped_in(
    provider: StorageProvider, sandbox: Sandbox, id_: str, how: str
) -> None:
    sandbox.switches.set({id_: how})
    rows = await found(provider, provider.query(DAY))
    assert len({row.id for row in rows}) == len(rows) == await provider.count(Query(EAST, _filter(provider))) == 245
    assert [row.created for row in rows] == sorted((row.created for row in rows if row.created), reverse=True)
    buckets = await provider.folders(EAST.child("buckets"))
    more = await provider.folders(EAST.child("buckets"), buckets.cursor)
    assert len({folder.name for folder in (*buckets.items, *more.items)}) == 200
    assert (await provider.browse(buckets.items[0].location)).items


def _filter(provider: StorageProvider) -> str:
    query = provider.query(DAY)
    assert query is not None
    return query.filter


async def test_e4_a_search_goes_on_where_large_offsets_are_refused(provider: StorageProvider, sandbox: Sandbox) -> None:
    query = Query(EAST, "type==callcenterrecording")
    whole = await provider.count(query)
    assert whole > GENERATED
    reference: list[StoredObject] = []
    for offset in (9_800, 9_900, 10_000, 10_100):
        reference += (await provider.search(query, f'{{"us-east":{{"offset":{offset},"bound":0}}}}')).items
    sandbox.switches.set({"E-4": "400"})
    rows: list[StoredObject] = []
    cursor: str | None = '{"us-east":{"offset":9800,"bound":0}}'
    for _page in range(4):
        page = await provider.search(query, cursor)
        rows += page.items
        cursor = page.cursor
    ids = list(dict.fromkeys(row.id for row in rows))
    assert ids == [row.id for row in reference[: len(ids)]]
    assert len(ids) > 300
    assert await provider.count(query) == whole
    with pytest.raises(UsageError, match="no results beyond") as refused:
        await provider.search(replace(query, sort=Sort("storedBytes")), '{"us-east":{"offset":10000,"bound":0}}')
    assert "createdTime" in refused.value.hint


async def test_the_size_of_a_result_is_guessed_from_all_over_it(provider: StorageProvider, sandbox: Sandbox) -> None:
    query = Query(EAST, "objectState==AVAILABLE")
    async with provider.prefetch(query) as fetch:
        pager = Pager(fetch, identity)
        sizes = [row.size or 0 async for page in pager for row in page.items]
    for cap in ("none", "400"):
        sandbox.switches.set({"E-4": cap})
        size = await provider.measure(query)
        assert size.objects == len(sizes) > 10_000
        assert 300 <= size.sampled <= 480
        assert size.total_bytes is not None
        assert sum(sizes) / 2 < size.total_bytes < sum(sizes) * 2
    small = await provider.measure(replace(query, filter="type==summary;createdTime=gt=1725148800000"))
    assert small.is_exact
    nothing = await provider.measure(replace(query, filter="type==no-such-type"))
    assert (nothing.objects, nothing.total_bytes) == (0, None)


async def test_e6_an_unknown_field_is_refused_with_the_known_one(provider: StorageProvider, sandbox: Sandbox) -> None:
    query = Query(EAST, "agentNam==x")
    assert (await provider.search(query)).items == ()
    sandbox.switches.set({"E-6": "400"})
    with pytest.raises(UsageError, match="agentNam") as refused:
        await provider.search(query)
    assert "Did you mean agentName?" in refused.value.hint
    with pytest.raises(UsageError) as refused:
        await provider.search(Query(EAST, "createdTime=ge=2024-09-01"))
    assert refused.value.hint.startswith("createdTime takes no date")


async def walked(provider: StorageProvider, query: Query) -> tuple[list[StoredObject], str]:
    """All that a query finds, and what is said of it."""
    pager = Pager(partial(provider.search, query), identity)
    pages = [page async for page in pager]
    assert pager.failures == ()
    return [row for page in pages for row in page.items], " ".join(text for page in pages for text in page.warnings)


@pytest.mark.parametrize("how", ["numeric", "text"])
async def test_e7_numbers_in_tags_are_compared_as_the_service_does(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-7": how})
    query = Query(EAST, f"{_filter(provider)};duration=gt=200000")
    rows, note = await walked(provider, query)
    short = [row for row in rows if row.duration is not None and row.duration <= 200]
    assert len(rows) == await provider.count(query) > 0
    assert bool(short) == (how == "text")
    assert note.startswith(f"{len(short):,} of these do not meet" if short else "")
    assert bool(note) == (how == "text")


@pytest.mark.parametrize("how", ["matches", "no match"])
async def test_e8_an_object_without_the_tag_is_shown_where_the_service_finds_it(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-8": how})
    query = Query(EAST, "(type==meeting,type==callcentervoicemail);queueName!=nowhere")
    rows, note = await walked(provider, query)
    assert {row.type for row in rows} == {"callcentervoicemail"} | ({"meeting"} if how == "matches" else set())
    assert len(rows) == await provider.count(query)
    assert not note


@pytest.mark.parametrize("how", ["literal", "wildcards", "fold"])
async def test_e9_texts_are_compared_as_the_service_does(provider: StorageProvider, sandbox: Sandbox, how: str) -> None:
    exact = await found(provider, Query(EAST, f"{_filter(provider)};agentName=='Khang Glynn'"))
    sandbox.switches.set({"E-9": how})
    assert await found(provider, Query(EAST, f"{_filter(provider)};agentName=='Khang Glynn'")) == exact
    small = Query(EAST, f"{_filter(provider)};agentName=='khang glynn'")
    rows, note = await walked(provider, small)
    assert rows == (exact if how == "fold" else [])
    assert len(rows) == await provider.count(small)
    assert note.startswith(f"{len(exact)} of these do not meet the filter" if how == "fold" else "")
    assert bool(note) == (how == "fold")
    starred = await found(provider, Query(EAST, f"{_filter(provider)};agentName==Khang*"))
    assert starred == (exact if how == "wildcards" else [])


async def test_e10_the_tree_needs_no_quotes_and_a_filter_with_some_is_explained(
    provider: StorageProvider, sandbox: Sandbox
) -> None:
    sandbox.switches.set({"E-10": "400"})
    location = EAST
    for _level in range(4):
        location = (await provider.folders(location)).items[0].location
    assert (await provider.browse(location)).items
    with pytest.raises(UsageError, match="Quotes") as refused:
        await provider.search(Query(EAST, "agentName=='Khang Glynn'"))
    assert "quotes" in refused.value.hint


@pytest.mark.parametrize("how", ["400", "accepted"])
async def test_e11_times_are_only_ever_sent_in_milliseconds(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-11": how})
    await provider.folders(DAY)
    await provider.browse(DAY)
    await provider.count(Query(EAST, _filter(provider)))
    filters = [parse_qs(seen.query).get("filter", [""])[0] for seen in asked(sandbox)]
    times = [term for text in filters for term in text.split(";") if term.startswith("createdTime")]
    assert times
    assert all(term.rpartition("=")[2].isdigit() for term in times)


async def test_e12_naming_the_state_ends_the_rule_that_only_available_objects_come(
    provider: StorageProvider,
) -> None:
    states = {row.state for row in await found(provider, Query(EAST, "objectState!=AVAILABLE"))}
    assert {"ARCHIVED", "REVOKED", "DELETED"} <= states
    assert "AVAILABLE" not in states


async def test_e13_the_order_is_always_asked_for(provider: StorageProvider, sandbox: Sandbox) -> None:
    await provider.folders(EAST)
    await provider.browse(EAST)
    await provider.count(Query(Location("acme8")))
    await provider.related((await some(provider, "type==callcenterrecording"))[0])
    seen = asked(sandbox)
    assert len(seen) > 10
    assert all({"sortField", "sortDirection"} <= parse_qs(one.query).keys() for one in seen)


async def test_a_service_that_keeps_no_order_hides_nothing(provider: StorageProvider, sandbox: Sandbox) -> None:
    query, now = Query(EAST, _filter(provider)), datetime(2025, 1, 1, tzinfo=UTC)
    whole = {row.id for row in await found(provider, query)}
    assert len(whole) > 200
    everything = await provider.count(Query(EAST, "type==callcenterrecording"))
    sandbox.switches.set({"order": "newest"})
    listing = QueryListing(provider, query, now)
    assert {row.id async for page in listing.pages() for row in page} == whole
    assert (len(listing.warnings), listing.failures) == (1, ())
    sandbox.switches.set({"order": "newest", "E-4": "400"})
    assert await provider.count(Query(EAST, "type==callcenterrecording")) == everything > 10_000
    # The oldest records are not known then: what lies between the newest and them is not all there is.
    years = await provider.folders(EAST.child("callcenterrecording"))
    assert [failure.message for failure in years.failures] == [
        "the service does not list by time as it is asked to, so there may be more than these"
    ]
    # What offsets cannot reach is told.
    listing = QueryListing(provider, Query(EAST, "type==callcenterrecording"), now)
    listed = [row.id async for page in listing.pages() for row in page]
    assert len(set(listed)) == 10_000
    assert [failure.subject for failure in listing.failures] == ["acme8:us-east/"]


async def test_all_regions_come_in_one_order(provider: StorageProvider) -> None:
    query = Query(Location("acme8"), "type==callrecording")
    rows = await found(provider, query)
    assert {row.location.region for row in rows} == {"us-east", "uk"}
    assert [row.created for row in rows] == sorted((row.created for row in rows if row.created), reverse=True)
    assert len(rows) == await provider.count(query)
    time, column = provider.columns(query.location, frozenset({"callrecording"}))[:2]
    assert [time.name, column.name] == ["created", "region"]
    assert [value(row, column, UTC) for row in rows] == [row.location.region for row in rows]
    with closing(RowStore()) as store:
        store.extend(rows)
        store.sort(column)
        shown = [entry.location.region for entry in store.window(0, len(rows))]
    assert shown == sorted(shown)


async def test_places_below_a_place_hold_all_of_it_and_nothing_twice(provider: StorageProvider) -> None:
    for depth in (1, 2, 3):
        above = replace(DAY, place=DAY.place[:depth])
        below = (await provider.folders(above)).items
        whole, *parts = [place_query(one) for one in (above, *(folder.location for folder in below))]
        assert whole is not None
        counts = [await provider.count(part) for part in parts if part is not None]
        assert len(counts) == len(below) > 0
        assert sum(counts) == await provider.count(whole)


# Content


@pytest.mark.parametrize("how", ["json", "text", "json string", "302", "presignedUrl", "presignUrl"])
async def test_e14_e15_a_link_is_taken_in_any_shape_and_fetched_without_credentials(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-14": how})
    (entry,) = await small(provider, 1)
    source = await provider.source(entry.location)
    assert source.headers == {}
    status, data = fetch(source)
    assert (status, len(data)) == (200, source.size)
    assert hashlib.md5(data).hexdigest() == source.checksum
    assert fetch(source, Authorization="Bearer x")[0] == 400
    assert fetch(Source((await provider.link(entry.location)).url))[1] == data


@pytest.mark.parametrize("how", ["403", "404", "409"])
async def test_e16_what_is_not_available_is_named_by_its_state(
    provider: StorageProvider, sandbox: Sandbox, how: str
) -> None:
    sandbox.switches.set({"E-16": how})
    for state in ("ARCHIVED", "REVOKED", "PENDING", "FAILED"):
        (entry,) = await some(provider, f"objectState=={state}")
        for ask in (provider.source, provider.link):
            with pytest.raises(NotAvailableError) as refused:
                await ask(entry.location)
            assert refused.value.state == state
            assert refused.value.code == 8
    assert not asked(sandbox, "/content")


@pytest.mark.parametrize("how", ["206", "200"])
async def test_e17_the_apis_own_address_serves_where_there_are_no_links(
    opened: Open, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    sandbox.switches.set({"E-17": how, "E-14": "presignedUrl"})
    monkeypatch.setattr("cloudstore_tui.providers.eightbyeight.wire.link", lambda _reply, _place: "")
    provider = opened()
    (entry,) = await small(provider, 1)
    source = await provider.source(entry.location)
    assert list(source.headers) == ["Authorization"]
    status, part = fetch(source, Range="bytes=10-")
    assert status == int(how)
    assert len(part) == (source.size or 0) - (10 if how == "206" else 0)


async def test_e30_checksums_of_uploads_in_parts_are_passed_on_as_they_are(provider: StorageProvider) -> None:
    rows = await found(provider, provider.query(DAY))
    assert any(row.checksum.endswith("-1") for row in rows)
    assert any("-" not in row.checksum for row in rows)
    entry = next(row for row in rows if row.checksum.endswith("-1"))
    source = await provider.source(entry.location)
    assert source.checksum == entry.checksum
    data = fetch(source)[1]
    assert len(data) == source.size
    assert f"{hashlib.md5(hashlib.md5(data).digest()).hexdigest()}-1" == source.checksum


async def test_e31_times_without_a_zone_are_utc(provider: StorageProvider) -> None:
    rows = await found(provider, provider.query(DAY))
    assert {row.created.strftime("%Y-%m-%d %Z") for row in rows if row.created} == {"2024-09-01 UTC"}


# Restoring


@pytest.mark.parametrize(("how", "again"), [("ARCHIVED", "200"), ("PENDING", "409")])
async def test_e18_e19_e20_an_archived_object_comes_back_for_some_days(
    provider: StorageProvider, sandbox: Sandbox, how: str, again: str
) -> None:
    sandbox.switches.set({"E-18": how, "E-19": again, "token-life": "100000000"})
    (entry,) = await some(provider, "objectState==ARCHIVED")
    assert await provider.restore(entry.location, 2) == 2
    with pytest.raises(NotAvailableError) as refused:
        await provider.source(entry.location)
    assert refused.value.state == how
    if again == "409":
        with pytest.raises(ConflictError, match="already"):
            await provider.restore(entry.location, 2)
    else:
        assert await provider.restore(entry.location, 2) == 2
    sandbox.world.clock.offset = 60
    back = await provider.source(entry.location)
    assert back.size == entry.size
    sandbox.world.clock.offset = 3 * 86_400
    with pytest.raises(NotAvailableError, match="ARCHIVED"):
        await provider.source(entry.location)


async def test_e19_what_is_not_archived_cannot_be_asked_for(provider: StorageProvider, sandbox: Sandbox) -> None:
    (entry,) = await small(provider, 1)
    with pytest.raises(UsageError, match="only ARCHIVED"):
        await provider.restore(entry.location)
    for days in (0, 11):
        with pytest.raises(UsageError):
            await provider.restore(entry.location, days)
    assert len(asked(sandbox, "/restore")) == 1


# Zip jobs


async def finished(provider: StorageProvider, sandbox: Sandbox, name: str) -> str:
    sandbox.world.clock.offset += 5
    return (await provider.zip_job("us-east", name)).status


@pytest.mark.parametrize("shape", ["object", "array", "queue"])
@pytest.mark.parametrize("reply", ["200", "201", "204"])
async def test_e5_e23_a_zip_job_is_found_in_every_shape_of_the_answer(
    provider: StorageProvider, sandbox: Sandbox, shape: str, reply: str
) -> None:
    entries = await small(provider)
    earlier = await provider.start_zip([entries[0].location])
    sandbox.switches.set({"E-5": shape, "zip-reply": reply})
    job = await provider.start_zip([entry.location for entry in (*entries, entries[0])])
    assert job.name != earlier.name
    assert len(job.content) == 3
    assert await finished(provider, sandbox, job.name) == "DONE"
    source = await provider.zip_source("us-east", job.name)
    status, data = fetch(source)
    assert status == 200
    assert sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(data)).infolist()) == sum(
        entry.size or 0 for entry in entries
    )
    assert {one.name for one in (await provider.zip_jobs("us-east")).items} >= {earlier.name, job.name}
    assert await provider.clear_zips("us-east") == ()


async def test_e21_what_is_too_large_for_a_zip_shows_the_services_answer(
    provider: StorageProvider, sandbox: Sandbox
) -> None:
    (huge,) = await some(provider, "storedBytes=gt=2000000000")
    wanted = [huge.location, (await small(provider, 1))[0].location]
    for outcome in ("FAILED", "PARTIAL_DONE"):
        sandbox.switches.set({"E-21": outcome})
        job = await provider.start_zip(wanted)
        assert await finished(provider, sandbox, job.name) == outcome
        if outcome == "FAILED":
            with pytest.raises(JobError, match="FAILED"):
                await provider.zip_source("us-east", job.name)
        else:
            assert (await provider.zip_source("us-east", job.name)).url
    sandbox.switches.set({"E-21": "400"})
    with pytest.raises(UsageError, match="2 GB"):
        await provider.start_zip(wanted)


async def test_e22_ids_that_are_unknown_are_reported(provider: StorageProvider, sandbox: Sandbox) -> None:
    (entry,) = await small(provider, 1)
    job = await provider.start_zip([entry.location, MISSING])
    assert await finished(provider, sandbox, job.name) == "PARTIAL_DONE"
    with pytest.raises(UsageError, match="None of the objects"):
        await provider.start_zip([MISSING])
    sandbox.switches.set({"E-22": "404"})
    with pytest.raises(MissingError, match="not found"):
        await provider.start_zip([entry.location, MISSING])


async def test_e24_a_zip_that_is_gone_is_missing(provider: StorageProvider, sandbox: Sandbox) -> None:
    sandbox.switches.set({"E-24": "60s"})
    job = await provider.start_zip([entry.location for entry in await small(provider)])
    assert await finished(provider, sandbox, job.name) == "DONE"
    sandbox.world.clock.offset += 61
    for ask in (provider.zip_job, provider.zip_source):
        with pytest.raises(MissingError):
            await ask("us-east", job.name)


@pytest.mark.parametrize("verb", ["both", "PUT"])
@pytest.mark.parametrize("reply", ["200", "204"])
async def test_e25_e26_e27_jobs_are_cancelled_and_cleared(
    provider: StorageProvider, sandbox: Sandbox, verb: str, reply: str
) -> None:
    sandbox.switches.set({"E-27": verb, "zip-reply": reply})
    where = [entry.location for entry in await small(provider)]
    done = await provider.start_zip(where)
    assert await finished(provider, sandbox, done.name) == "DONE"
    running = await provider.start_zip(where)
    for job, status in ((running, "CANCELLED"), (done, "DONE")):
        states = {one.name: one.status for one in await provider.cancel_zip("us-east", job.name)}
        assert states[job.name] == status
    await provider.start_zip(where)
    assert await provider.clear_zips("us-east") == ()
    assert await provider.zip_jobs("us-east") == Page(())
    with pytest.raises(MissingError):
        await provider.cancel_zip("us-east", done.name)


@pytest.mark.parametrize("how", ["raw", "dots", "numbered"])
async def test_e29_a_zip_holds_every_object_however_its_members_are_called(
    opened: Open, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    sandbox.switches.set({"E-29": how})
    # The sandbox builds what it links to with raw names always: the API's own address follows the switch.
    monkeypatch.setattr("cloudstore_tui.providers.eightbyeight.wire.job_link", lambda _reply, _name, _place: "")
    provider = opened()
    entries = await some(provider, "type==transcription;sourceObjectType==callrecordingchannel", 4)
    job = await provider.start_zip([entry.location for entry in entries])
    await finished(provider, sandbox, job.name)
    source = await provider.zip_source("us-east", job.name)
    assert list(source.headers) == ["Authorization"]
    members = zipfile.ZipFile(io.BytesIO(fetch(source)[1])).infolist()
    assert sorted(member.file_size for member in members) == sorted(entry.size or 0 for entry in entries)
    names = [member.filename for member in members]
    assert any(":" in name for name in names) == (how != "dots")
    assert (len(set(names)) == len(names)) == (how == "numbered")


@pytest.mark.parametrize("how", ["206", "200"])
async def test_e17_the_apis_own_address_of_a_zip_may_serve_parts(
    opened: Open, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    sandbox.switches.set({"E-17": how})
    monkeypatch.setattr("cloudstore_tui.providers.eightbyeight.wire.job_link", lambda _reply, _name, _place: "")
    provider = opened()
    job = await provider.start_zip([entry.location for entry in await small(provider)])
    await finished(provider, sandbox, job.name)
    source = await provider.zip_source("us-east", job.name)
    whole, (status, part) = fetch(source)[1], fetch(source, Range="bytes=10-")
    assert (status, part) == (int(how), whole[10:] if how == "206" else whole)


@pytest.mark.parametrize("outcome", ["FAILED", "PARTIAL_DONE"])
async def test_a_job_that_ends_otherwise_says_so(provider: StorageProvider, sandbox: Sandbox, outcome: str) -> None:
    sandbox.switches.set({"zip-outcome": outcome})
    job = await provider.start_zip([entry.location for entry in await small(provider)])
    with pytest.raises(JobError):
        await provider.zip_source("us-east", job.name)
    assert await finished(provider, sandbox, job.name) == outcome


# Deleting


@pytest.mark.parametrize("how", ["200", "404"])
@pytest.mark.parametrize("reply", ["200", "204"])
async def test_e28_each_object_is_deleted_and_looked_at(
    provider: StorageProvider, sandbox: Sandbox, how: str, reply: str
) -> None:
    sandbox.switches.set({"E-28": how, "delete-reply": reply})
    entries = await some(provider, "type==callcenterrecording", 3)
    where = [entries[0].location, MISSING, entries[1].location]
    outcomes = [deletion.outcome for deletion in await provider.delete(where)]
    assert outcomes == [DeletionOutcome.DELETED, DeletionOutcome.GONE, DeletionOutcome.DELETED]
    for entry, state in ((entries[0], "REVOKED"), (entries[1], "REVOKED"), (entries[2], "AVAILABLE")):
        seen = await provider.stat(entry.location)
        assert isinstance(seen, StoredObject)
        assert seen.state == state
    again = await provider.delete([MISSING])
    assert [deletion.outcome for deletion in again] == [DeletionOutcome.GONE]


# Keys, tokens and limits


@pytest.mark.parametrize(("how", "has_hint"), [("60/min", True), ("bare", False)])
async def test_e32_too_many_requests_are_told_with_the_time_to_wait(
    opened: Open, sandbox: Sandbox, how: str, has_hint: bool
) -> None:
    sandbox.world.clock.offset = 1000.0 if has_hint else 2000.0
    sandbox.switches.set({"E-32": how})
    provider = opened(give_up=0)

    async def ask_often() -> None:
        for _request in range(61):
            await provider.browse(EAST)

    with pytest.raises(ThrottledError) as throttled:
        await ask_often()
    assert throttled.value.code == 4
    assert (throttled.value.wait is not None) == has_hint
    sandbox.world.clock.offset += 61
    # Another one, because the first really waits for as long as it was asked to.
    assert (await opened().browse(EAST)).items


@pytest.mark.parametrize(("key", "downloads"), [(2, False), (1, True)])
async def test_e33_a_key_of_a_low_level_is_told_which_it_takes(
    opened: Open, sandbox: Sandbox, key: int, downloads: bool
) -> None:
    provider = opened(key)
    (entry,) = await small(provider, 1)
    (deletion,) = await provider.delete([entry.location])
    assert deletion.outcome is DeletionOutcome.KEPT
    assert isinstance(deletion.error, ForbiddenError)
    with pytest.raises(ForbiddenError) as refused:
        await provider.restore(entry.location)
    for error in (deletion.error, refused.value):
        assert error.code == 3
        assert "level edit" in error.hint
    job = await opened().start_zip([entry.location])
    sandbox.world.clock.offset += 4
    zip_source = provider.zip_source(job.region, job.name)
    for fetched in (provider.start_zip([entry.location]), provider.source(entry.location, entry), zip_source):
        if downloads:
            assert await fetched
        else:
            with pytest.raises(ForbiddenError) as refused:
                await fetched
            assert "level download-only" in refused.value.hint


@pytest.mark.parametrize("how", ["[]", "403"])
async def test_e34_a_key_without_storage_is_told_so(opened: Open, sandbox: Sandbox, how: str) -> None:
    sandbox.switches.set({"E-34": how})
    provider = opened(3)
    with pytest.raises(ForbiddenError, match="no storage is provisioned") as refused:
        await provider.folders(Location("acme8"))
    assert refused.value.hint
    checks = {check.title: check for check in await provider.check()}
    assert checks["token"].ok
    assert "work-analytics" in checks["product"].text
    assert isinstance(checks["regions"].error, ForbiddenError)
    assert "work-analytics" in provider.session.note


async def test_a_token_that_ended_is_renewed_in_the_middle_of_a_listing(
    provider: StorageProvider, sandbox: Sandbox
) -> None:
    sandbox.switches.set({"token-life": "300"})
    query = provider.query(DAY)
    assert query is not None
    first = await provider.search(query)
    sandbox.world.clock.offset = 400
    second = await provider.search(query, first.cursor)
    assert len({row.id for row in (*first.items, *second.items)}) == 200
    assert len([seen for seen in sandbox.log.requests if "token" in seen.path]) == 2


async def test_a_region_that_is_not_there_is_explained(provider: StorageProvider) -> None:
    for ask in (provider.stat, provider.browse, provider.folders):
        with pytest.raises(MissingError) as missing:
            await ask(provider.locate("eu/"))
        assert "us-east, uk" in missing.value.hint
    with pytest.raises(StorageError):
        await provider.count(Query(provider.locate("eu/")))

"""What is sent to the service, to the letter, and what its answers do."""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConfigError,
    ForbiddenError,
    JobError,
    LoginError,
    MissingError,
    NetworkError,
    NotAvailableError,
    ReadOnlyError,
    ReplyError,
    StorageError,
    UnavailableError,
    UnreadableError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.core.links import LinkForm
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.core.provider import DeletionOutcome
from cloudstore_tui.providers.eightbyeight.columns import REGION
from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider
from cloudstore_tui.providers.eightbyeight.spec import SPEC
from tests.support.http import Reply, Rule, ScriptedService
from tests.support.waiting import PROMPTLY

FOR_OTHER_PRODUCTS = {"access_token": "canary-token", "expires_in": "1799", "api_product_list": "[work-analytics]"}
EAST = "/storage/us-east/v3"
LINK = "https://api.8x8.com/storage/us-east/b.s3.us-east-1.amazonaws.com/content/EPS/c/u/f?X-Amz-Expires=1800"
NEWEST = "sortField=createdTime&sortDirection=DESC"


def with_options(profile: Profile, **options: OptionValue) -> Profile:
    return replace(profile, options={**profile.options, **options})


def row(id_: str = "a", **more: object) -> dict[str, object]:
    return {"id": id_, "type": "t", "objectState": "AVAILABLE", "createdTime": "2024-09-01T00:00:00", **more}


def page(*rows: object, last: bool = True, key: int = 100) -> tuple[int, object]:
    return 200, {"lastPage": last, "pageKey": key, "pageSize": len(rows), "content": list(rows)}


def refusal(status: int, words: str) -> tuple[int, object]:
    return status, {"status": status, "title": "?", "detail": words, "errors": []}


REGIONS = ("GET /storage/us-east/v3/regions", (200, ["us-east", "uk"]))

# Token and regions


async def test_the_token_request_is_a_form_with_basic_credentials(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda *_ask: page(row())
    await provider.browse(provider.locate("us-east/"))
    await provider.browse(provider.locate("us-east/"))
    tokens = [seen for seen in service.seen if seen[1] == "/oauth/v2/token"]
    assert len(tokens) == 1
    method, _target, headers, body = tokens[0]
    assert (method, body) == ("POST", b"grant_type=client_credentials")
    assert headers["authorization"] == "Basic bWU6Y2FuYXJ5LXNlY3JldA=="
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    call = service.seen[1][2]
    assert call["authorization"] == "Bearer canary-token"
    assert call["content-type"] == call["accept"] == "application/json"
    assert provider.session.token_ends is not None


async def test_a_refused_token_is_renewed_once(service: ScriptedService, provider: EightByEightProvider) -> None:
    fault = {"fault": {"faultstring": "Access Token expired", "detail": {"errorcode": "keymanagement.service.x"}}}
    service.answers = [("GET", (401, fault))]
    service.rule = lambda *_ask: page(row())
    assert (await provider.browse(provider.locate("us-east/"))).items
    service.rule = lambda *_ask: (401, fault)
    with pytest.raises(LoginError) as refused:
        await provider.browse(provider.locate("us-east/"))
    assert "Access Token expired" in refused.value.message
    assert "client_id" in refused.value.hint


async def test_a_wrong_secret_is_a_refused_login(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.token = (401, {"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"})
    with pytest.raises(LoginError) as refused:
        await provider.browse(provider.locate(""))
    assert "ClientId is Invalid" in str(refused.value)
    assert "acme8" in refused.value.hint
    assert "canary" not in str(refused.value)


async def test_a_token_service_that_is_not_there_is_a_matter_of_configuration(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.token = (404, {"message": "no"})
    with pytest.raises(ConfigError) as wrong:
        await provider.browse(provider.locate(""))
    assert "token_url" in wrong.value.hint


async def test_a_key_for_other_products_is_doubted_but_not_refused(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.token = (200, FOR_OTHER_PRODUCTS)
    service.answers = [REGIONS]
    root = await provider.folders(provider.locate(""))
    assert root.warnings == ("The key was made for work-analytics, not for storage.",)
    assert "work-analytics" in provider.session.note


async def test_regions_are_asked_of_one_region_then_another_and_once_only(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        ("GET /storage/us-east/", refusal(404, "Unknown region")),
        ("GET /storage/uk/", (200, ["uk", "uk", "us-east/../../admin", "ca"])),
    ]
    for _time in range(2):
        root = await provider.folders(provider.locate(""))
        assert [folder.location for folder in root.items] == [Location("acme8", "uk"), Location("acme8", "ca")]
        assert [str(failure).partition(". ")[0] for failure in root.failures] == [
            "acme8:: 1 region has a name that cannot be used"
        ]
    assert service.targets == ["GET /storage/us-east/v3/regions", "GET /storage/uk/v3/regions"]


@pytest.mark.parametrize("answer", [(200, []), refusal(403, "This API key has no access")])
async def test_a_key_without_storage_hears_that(
    service: ScriptedService, provider: EightByEightProvider, answer: Reply
) -> None:
    service.rule = lambda *_ask: answer
    with pytest.raises(ForbiddenError) as refused:
        await provider.folders(provider.locate(""))
    assert "no storage is provisioned" in refused.value.message
    assert "regions = " in refused.value.hint


async def test_regions_of_the_profile_are_used_without_asking(service: ScriptedService, profile: Profile) -> None:
    provider = EightByEightProvider(with_options(profile, regions=("ap",)))
    assert [folder.name for folder in (await provider.folders(provider.locate(""))).items] == ["ap"]
    assert service.seen == []
    await provider.close()


@pytest.mark.parametrize(
    "options",
    [
        {"regions": ("US EAST",)},
        {"api_base": "https://api.8x8.com/v3"},
        {"api_base": "https://me@api.8x8.com"},
        {"api_base": "http://api.8x8.com"},
        {"token_url": "http://api.8x8.com/oauth"},
        {"api_base": "ftp://api.8x8.com"},
    ],
)
def test_an_address_that_secrets_must_not_go_to_is_refused(profile: Profile, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SPEC.open(with_options(profile, **options))


async def test_another_token_url_is_used_whole(service: ScriptedService, profile: Profile) -> None:
    service.answers = [("POST /other/tokens", service.token), REGIONS]
    provider = EightByEightProvider(with_options(profile, token_url=f"{service.url}/other/tokens"))
    await provider.folders(provider.locate(""))
    assert service.targets[0] == "POST /other/tokens"
    await provider.close()


# Addresses


def test_addresses_name_all_regions_a_region_or_an_object(provider: EightByEightProvider) -> None:
    assert provider.locate("") == Location("acme8")
    assert provider.locate("us-east") == provider.locate("us-east/") == Location("acme8", "us-east")
    assert provider.locate("us-east/a/../b?c#d ") == Location("acme8", "us-east", "a/../b?c#d ")
    assert not provider.is_folder(provider.locate("uk/a"))
    assert provider.parent(provider.locate("uk/a")) == provider.locate("uk")
    assert provider.parent(provider.locate("uk")) == provider.locate("")
    assert provider.parent(provider.locate("")) is None
    place = Location("acme8", "uk", "", ("t", "2024"))
    assert provider.parent(place) == Location("acme8", "uk", "", ("t",))
    for bad in ("/a", "US East/a", "us_east", "../a"):
        with pytest.raises(UsageError):
            provider.locate(bad)


@pytest.mark.parametrize(
    ("name", "means"), [("US-East", "us-east"), ("uk", "uk"), ("us_east", ""), ("-uk", ""), ("\u212aa", ""), ("eu", "")]
)
async def test_the_form_the_profile_and_addresses_know_one_rule_for_the_names_of_regions(
    service: ScriptedService, profile: Profile, name: str, means: str
) -> None:
    check = next(option.check for option in SPEC.options if option.name == "regions")
    assert check is not None
    if not means:
        with pytest.raises(ConfigError):
            check(name)
        with pytest.raises(ConfigError):
            EightByEightProvider(with_options(profile, regions=(name,)))
        return
    check(name)
    provider = EightByEightProvider(with_options(profile, regions=(name, means)))
    folders = await provider.folders(provider.locate(""))
    assert [folder.location for folder in folders.items] == [Location("acme8", means)]
    assert provider.locate(f"{name}/an-id") == Location("acme8", means, "an-id")
    service.rule = lambda *_ask: page(row("a"))
    assert (await provider.search(Query(provider.locate("")))).items
    assert service.targets == [f"GET /storage/{means}/v3/objects?pageKey=0&limit=100&{NEWEST}"]
    await provider.close()


async def test_a_missing_secret_is_reported_as_it_is_and_not_as_a_wrong_filter(
    profile: Profile, tmp_path: Path
) -> None:
    asked: list[str] = []

    def secrets(name: str) -> Secret:
        asked.append(name)
        raise ConfigError("there is no such file", subject=str(tmp_path / "secret"), hint="Make it, readable for you.")

    for regions in (("us-east",), ()):
        provider = EightByEightProvider(replace(with_options(profile, regions=regions), secrets=secrets))
        query = Query(provider.locate(""), "agentName=='Khang Glynn'")
        for ask in (provider.count, provider.search):
            asked.clear()
            with pytest.raises(ConfigError) as missing:
                await ask(query)
            assert missing.value.hint == "Make it, readable for you."
            assert asked == ["secret"]
        await provider.close()


async def test_a_region_of_somebody_else_is_explained_by_ones_own(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [REGIONS]
    service.rule = lambda *_ask: refusal(404, "Unknown region eu")
    for rest in ("eu/", "eu/an-id"):
        with pytest.raises(MissingError) as missing:
            await provider.stat(provider.locate(rest))
        assert missing.value.hint == "The regions of acme8 are: us-east, uk."
        assert "Unknown region eu" in missing.value.message
    assert len([target for target in service.targets if target.endswith("/regions")]) == 1


async def test_a_wrong_region_of_the_profile_is_explained_by_those_that_the_service_reports(
    service: ScriptedService, profile: Profile
) -> None:
    provider = EightByEightProvider(with_options(profile, regions=("ap",)))
    service.answers = [REGIONS]
    service.rule = lambda *_ask: refusal(404, "Unknown region ap")
    for _time in range(2):
        with pytest.raises(MissingError) as missing:
            await provider.browse(provider.locate("ap/"))
        assert missing.value.hint == "The regions of acme8 are: us-east, uk."
    assert len([target for target in service.targets if target.endswith("/regions")]) == 1
    await provider.close()


async def test_an_error_does_not_wait_for_its_explanation(
    service: ScriptedService, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.providers.eightbyeight.client.EXPLANATION_TIMEOUT_S", 0.2)
    provider = EightByEightProvider(replace(profile, timeouts=Timeouts(connect=2, read=2, give_up=60)))
    service.answers = [("GET /storage/us-east/v3/objects", refusal(404, "No object"))]
    service.rule = lambda *_ask: refusal(503, "later")
    before = time.monotonic()
    with pytest.raises(MissingError, match="No object"):
        await provider.stat(provider.locate("us-east/a"))
    assert time.monotonic() - before < PROMPTLY
    await provider.close()


async def test_regions_that_cannot_be_found_are_not_asked_for_with_every_error(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda *_ask: refusal(404, "?")
    for _time in range(3):
        with pytest.raises(MissingError):
            await provider.stat(provider.locate("us-east/a"))
    assert len([target for target in service.targets if target.endswith("/regions")]) == 2


# The tree


async def test_types_are_found_by_excluding_those_that_are_known(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        ("GET", page(row("a", type="voicemail"), row("b", type="odd one"), last=False)),
        ("GET", page(row("c", type="Meeting"))),
    ]
    found = await provider.folders(provider.locate("us-east"))
    assert [folder.name for folder in found.items] == ["voicemail", "Meeting", "odd one", "buckets"]
    assert service.targets == [
        f"GET {EAST}/objects?pageKey=0&limit=100&{NEWEST}",
        f"GET {EAST}/objects?filter=type%21%3Dvoicemail%3Btype%21%3D%27odd%20one%27&pageKey=0&limit=100&{NEWEST}",
    ]
    assert found.items[2].query == Query(Location("acme8", "us-east"), "type=='odd one'", Sort("createdTime", True))


async def test_the_search_for_types_ends_even_if_the_service_does_not(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    count = iter(range(10**6))
    service.rule = lambda *_ask: page(row("a", type=f"type{next(count)}"), last=False)
    found = await provider.folders(provider.locate("us-east"))
    assert len(service.targets) == len(found.items) - 1 == 40
    assert [failure.code for failure in found.failures] == [1]


async def test_a_service_that_ignores_filters_gives_each_type_once(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda *_ask: page(row("a", type="voicemail"), row("b", type="meeting"), last=False)
    found = await provider.folders(provider.locate("us-east"))
    assert [folder.name for folder in found.items] == ["voicemail", "meeting", "buckets"]
    assert len(service.targets) == 2


async def test_a_small_place_is_opened_with_one_request(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    rows = [row(createdTime="2024-09-01T00:00:00"), row(createdTime="2022-01-01T00:00:00"), row(createdTime=None)]
    service.answers = [("GET", page(*rows))]
    found = await provider.folders(Location("acme8", "us-east", "", ("t",)))
    assert [folder.name for folder in found.items] == ["2024", "2022"]
    assert len(service.targets) == 1
    assert [str(failure) for failure in found.failures] == [
        "acme8:us-east/ › t: 1 object has no time and can be in none of these. Search for the type: type==t."
    ]


async def test_a_large_place_is_opened_with_two(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [
        ("GET", page(row(createdTime="2024-09-30T00:00:00"), last=False)),
        ("GET", page(row(createdTime="2024-09-28T00:00:00"), last=False)),
    ]
    found = await provider.folders(Location("acme8", "us-east", "", ("t", "2024", "09")))
    assert [folder.name for folder in found.items] == ["30", "29", "28"]
    time = "type%3D%3Dt%3BcreatedTime%3Dge%3D1725148800000%3BcreatedTime%3Dlt%3D1727740800000"
    assert service.targets == [
        f"GET {EAST}/objects?filter={time}&pageKey=0&limit=100&{NEWEST}",
        f"GET {EAST}/objects?filter={time}&pageKey=0&limit=1&sortField=createdTime&sortDirection=ASC",
    ]
    assert (await provider.folders(found.items[0].location)).items == ()


@pytest.mark.parametrize("oldest", [row(createdTime=None), {}])
async def test_a_large_place_whose_oldest_object_has_no_time_may_hold_more(
    service: ScriptedService, provider: EightByEightProvider, oldest: dict[str, object]
) -> None:
    service.answers = [("GET", page(row(createdTime="2024-09-30T00:00:00"), last=False)), ("GET", page(oldest))]
    found = await provider.folders(Location("acme8", "us-east", "", ("t",)))
    assert [folder.name for folder in found.items] == ["2024"]
    assert "the oldest object has no time, so there may be more than these" in [
        failure.message for failure in found.failures
    ]


async def test_buckets_are_listed_page_by_page_and_hold_objects(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    place = Location("acme8", "us-east", "", ("buckets",))
    buckets = [{"id": "k 1", "createdTime": "2024-09-01T00:00:00"}, {"tags": []}]
    service.answers = [
        ("GET", page(*buckets, last=False, key=0)),
        ("GET", page({"bucketId": "k2"})),
        ("GET", (200, {"id": "k 1", "objectList": [row("a"), row("b", objectState="REVOKED")]})),
    ]
    first = await provider.folders(place)
    assert [folder.location for folder in first.items] == [place.child("k 1")]
    assert [failure.subject for failure in first.failures] == [place.address]
    assert "1 record of the service cannot be read" in first.failures[0].message
    second = await provider.browse(place, first.cursor)
    assert [entry.name for entry in second.items] == ["k2"]
    assert second.cursor is None
    inside = await provider.browse(place.child("k 1"))
    assert [entry.location for entry in inside.items] == [provider.locate("us-east/a"), provider.locate("us-east/b")]
    assert service.targets == [
        f"GET {EAST}/buckets?pageKey=0&limit=100&{NEWEST}",
        f"GET {EAST}/buckets?pageKey=2&limit=100&{NEWEST}",
        f"GET {EAST}/buckets/k%201",
    ]


@pytest.mark.parametrize("answer", [(200, {"id": "k", "objectList": []}), (200, [{"id": "k"}])])
async def test_an_old_service_gives_one_bucket_or_a_list(
    service: ScriptedService, provider: EightByEightProvider, answer: Reply
) -> None:
    service.answers = [("GET", answer)]
    found = await provider.folders(Location("acme8", "us-east", "", ("buckets",)))
    assert ([folder.name for folder in found.items], found.cursor) == (["k"], None)


async def test_a_place_is_looked_at_with_one_row_of_it(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    region = provider.locate("us-east")
    service.answers = [REGIONS, ("GET /storage/us-east/v3/buckets", (200, {"id": "k", "objectList": []}))]
    service.rule = lambda *_ask: page(row())
    places = [provider.locate(""), region, region.child("t").child("2024"), region.child("buckets").child("k")]
    for place, name in zip(places, ("acme8", "us-east", "2024", "k"), strict=True):
        entry = await provider.stat(place)
        assert (entry.location, entry.name) == (place, name)
    searches = [asked for asked in service.queries() if asked]
    assert [asked["limit"] for asked in searches] == ["1", "1"]
    assert "createdTime=ge=" in searches[1]["filter"]
    with pytest.raises(MissingError):
        await provider.stat(region.child("t").child("2024").child("13"))


def test_columns_fit_the_place_until_it_is_known_what_came(provider: EightByEightProvider) -> None:
    region = provider.locate("us-east")
    assert [column.name for column in provider.columns(provider.locate(""))] == ["name"]
    assert [column.name for column in provider.columns(region.child("buckets"))] == ["name", "modified"]
    calls = provider.columns(region.child("callcenterrecording").child("2024"))
    assert calls == provider.columns(region, frozenset({"callcenterrecording"}))
    assert calls != provider.columns(region)
    inside = region.child("buckets").child("k")
    assert provider.columns(inside) == provider.columns(region)
    assert provider.columns(inside, frozenset({"callcenterrecording"})) == calls
    everywhere = provider.columns(provider.locate(""), frozenset({"callcenterrecording"}))
    assert everywhere == (calls[0], REGION, *calls[1:])


# Searches


async def test_a_filter_goes_out_as_it_was_written_and_wholly_encoded(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [("GET", page())]
    filter_ = "callerId==+16695555518;(agentName=='M,DENNIS',type==t)"
    await provider.search(Query(provider.locate("us-east"), filter_, Sort("storedBytes")))
    sent = "callerId%3D%3D%2B16695555518%3B%28agentName%3D%3D%27M%2CDENNIS%27%2Ctype%3D%3Dt%29"
    order = "sortField=storedBytes&sortDirection=ASC"
    assert service.targets == [f"GET {EAST}/objects?filter={sent}&pageKey=0&limit=100&{order}"]


async def test_an_empty_filter_is_not_sent(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [("GET", page())]
    assert (await provider.search(Query(provider.locate("us-east")))).cursor is None
    assert "filter" not in service.targets[0]


@pytest.mark.parametrize("key", [100, 0, -1, 10**12, "x"])
async def test_paging_goes_on_whatever_the_service_calls_the_page(
    service: ScriptedService, provider: EightByEightProvider, key: Any
) -> None:
    service.answers = [("GET", page(*(row(str(number)) for number in range(100)), last=False, key=key))]
    service.rule = lambda *_ask: page(row("z"))
    query = Query(provider.locate("us-east"))
    first = await provider.search(query)
    await provider.search(query, first.cursor)
    assert [asked["pageKey"] for asked in service.queries()] == ["0", "100"]


async def test_all_regions_are_merged_and_one_that_fails_is_reported(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    def rule(_method: str, target: str, _body: bytes) -> Reply:
        if "/uk/" in target:
            return refusal(403, "not for this key")
        return page(row("a"), last="pageKey=0" not in target)

    service.answers, service.rule = [REGIONS], rule
    query = Query(provider.locate(""), "type==t")
    first = await provider.search(query)
    assert [entry.location for entry in first.items] == [provider.locate("us-east/a")]
    (failure,) = first.failures
    assert (failure.subject, failure.code) == ("acme8:uk/", 3)
    assert "not for this key" in failure.message
    second = await provider.search(query, first.cursor)
    assert (second.cursor, second.failures) == (None, ())


async def test_a_count_that_lacks_a_region_is_an_error(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    def rule(_method: str, target: str, _body: bytes) -> Reply:
        return refusal(403, "not for this key") if "/uk/" in target else page(row("a"))

    service.answers, service.rule = [REGIONS], rule
    with pytest.raises(ForbiddenError) as refused:
        await provider.count(Query(provider.locate("")))
    assert refused.value.subject == "acme8:uk/"
    assert await provider.count(Query(provider.locate("us-east"))) == 1


async def test_a_count_that_lacks_a_region_without_a_usable_name_is_an_error(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [("GET /storage/us-east/v3/regions", (200, ["us-east", "../uk"]))]
    service.rule = lambda *_ask: page(row("a"))
    with pytest.raises(ReplyError, match="1 region has a name that cannot be used"):
        await provider.count(Query(provider.locate("")))
    found = await provider.search(Query(provider.locate("")))
    assert ([entry.id for entry in found.items], len(found.failures)) == (["a"], 1)


async def test_regions_without_a_usable_name_are_not_taken_for_no_storage(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda *_ask: (200, ["../uk"])
    with pytest.raises(ReplyError, match="1 region has a name that cannot be used"):
        await provider.browse(provider.locate(""))


async def test_regions_that_all_fail_are_an_error(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [REGIONS]
    service.rule = lambda *_ask: refusal(503, "later")
    with pytest.raises(UnavailableError):
        await provider.search(Query(provider.locate("")))


async def test_a_refused_filter_is_an_error_that_suggests_a_known_field(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda *_ask: refusal(400, "Unknown field 'agentNam'")
    with pytest.raises(UsageError) as refused:
        await provider.search(Query(provider.locate("us-east"), "agentNam==x"))
    assert "Unknown field 'agentNam'" in refused.value.message
    assert "Did you mean agentName?" in refused.value.hint
    with pytest.raises(UsageError) as refused:
        await provider.search(Query(provider.locate("us-east"), "agentName=='x y'"))
    assert "quotes" in refused.value.hint


def rows_below(number: int, cap: int = 10**9) -> Rule:
    """A service with so many objects, one every second, that refuses offsets from `cap` on."""
    newest = 1_725_148_800

    def rule(_method: str, target: str, _body: bytes) -> Reply:
        query = dict(parse_qsl(urlsplit(target).query))
        offset, limit = int(query["pageKey"]), int(query["limit"])
        if offset >= cap:
            return refusal(400, "Result window is too large")
        low, high = newest - number, newest
        for term in query.get("filter", "").split(";"):
            if term.startswith("createdTime=ge="):
                low = max(low, -(-int(term[15:]) // 1000) - 1)
            elif term.startswith("createdTime=lt="):
                high = min(high, -(-int(term[15:]) // 1000) - 1)
        seconds = range(high, low, -1) if query["sortDirection"] == "DESC" else range(low + 1, high + 1)
        got = seconds[offset : offset + limit]
        rows = [row(str(second), createdTime=second * 1000) for second in got]
        return page(*rows, last=offset + limit >= len(seconds), key=offset + limit)

    return rule


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 245, 9_999, 123_457])
async def test_objects_are_counted_with_few_requests(
    service: ScriptedService, provider: EightByEightProvider, number: int
) -> None:
    service.rule = rows_below(number)
    assert await provider.count(Query(provider.locate("us-east"))) == number
    assert len(service.targets) <= 1 + 2 * max(number, 1).bit_length()


@pytest.mark.parametrize("number", [7_000, 9_999, 10_000, 25_000])
async def test_objects_are_counted_where_large_offsets_are_refused(
    service: ScriptedService, provider: EightByEightProvider, number: int
) -> None:
    service.rule = rows_below(number, cap=10_000)
    warnings: list[str] = []
    assert await provider.count(Query(provider.locate("us-east")), warnings.append) == number
    assert ["without a creation time" in warning for warning in warnings] == [True]


@pytest.mark.parametrize("descending", [True, False])
async def test_a_search_by_time_goes_on_beyond_the_largest_offset(
    service: ScriptedService, provider: EightByEightProvider, descending: bool
) -> None:
    service.rule = rows_below(20_150, cap=10_000)
    query = Query(provider.locate("us-east"), "type==t", Sort("createdTime", descending))
    cursor = '{"us-east":{"offset":9800,"bound":0}}'
    found: list[str] = []
    for _page in range(105):
        result = await provider.search(query, cursor)
        found += [entry.id for entry in result.items]
        if result.cursor is None:
            break
        cursor = result.cursor
    assert sorted(set(found), reverse=descending) == list(dict.fromkeys(found))
    assert len(set(found)) >= 10_000
    assert max(int(asked["pageKey"]) for asked in service.queries()) < 10_000


async def test_another_order_says_that_the_service_gives_no_more(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = rows_below(20_000, cap=10_000)
    query = Query(provider.locate("us-east"), "", Sort("storedBytes"))
    with pytest.raises(UsageError) as refused:
        await provider.search(query, '{"us-east":{"offset":10000,"bound":0}}')
    assert "no results beyond 10,000" in refused.value.message
    assert "createdTime" in refused.value.hint


async def test_rows_that_do_not_meet_the_filter_are_here_and_counted(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    tags = [[{"key": "duration", "value": text}] for text in ("9500", "95000")]
    rows = [row(str(number), tags=tag) for number, tag in enumerate(tags)]
    service.answers = [("GET", page(rows[0], last=False)), ("GET", page(rows[1], {}))]
    query = Query(provider.locate("us-east"), "duration=gt=90000")
    pager = Pager(partial(provider.search, query), identity)
    pages = [page async for page in pager]
    assert [entry.id for page in pages for entry in page.items] == ["0", "1"]
    assert [page.unmatched for page in pages] == [1, 0]
    (note,) = [text for page in pages for text in page.warnings]
    assert note.startswith("1 of these does not meet the filter to the letter")
    assert [str(failure) for failure in pager.failures] == [str(UnreadableError(1, subject="acme8:us-east/"))]


async def test_an_error_with_status_200_is_an_error(service: ScriptedService, provider: EightByEightProvider) -> None:
    for answer in ((200, b"<html><title>Sign in</title></html>"), (200, {"fault": {"faultstring": "down"}})):
        service.answers = [("GET", answer)]
        with pytest.raises(ReplyError):
            await provider.browse(provider.locate("us-east"))


# Single objects


@pytest.mark.parametrize(
    ("id_", "sent"),
    [
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../../regions", "..%2F..%2Fregions"),
        ("a b?c#d%20+;", "a%20b%3Fc%23d%2520%2B%3B"),
        ("\u00e9\u202e", "%C3%A9%E2%80%AE"),
        ("x" * 10_000, "x" * 10_000),
    ],
)
async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(
    service: ScriptedService, provider: EightByEightProvider, id_: str, sent: str
) -> None:
    service.rule = lambda *_ask: (200, row("another"))
    entry = await provider.stat(provider.locate(f"us-east/{id_}"))
    assert entry.location.path == id_
    assert service.targets == [f"GET {EAST}/objects/{sent}"]


async def test_the_bytes_come_from_a_presigned_link_without_credentials(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    record = row("a/b", storedBytes="12", checksum="c", checksumType="MD5")
    service.answers = [("GET", (200, record)), ("GET", (302, b"", ("Location", LINK)))]
    source = await provider.source(provider.locate("us-east/a/b"))
    assert (source.url.reveal(), source.headers) == (LINK, {})
    assert (source.size, source.checksum, source.checksum_type) == (12, "c", "MD5")
    assert source.expires is not None
    assert source.local
    assert service.targets == [
        f"GET {EAST}/objects/a%2Fb",
        f"GET {EAST}/objects/a%2Fb/content?presignUrl=true",
    ]


@pytest.mark.parametrize(
    "answer", [(200, b"ID3 sound"), (200, {"a": "transcript"}), refusal(400, "?"), refusal(405, "?")]
)
async def test_a_service_without_presigned_links_is_asked_with_credentials(
    service: ScriptedService, provider: EightByEightProvider, answer: Reply
) -> None:
    service.answers = [("GET", (200, row("a"))), ("GET", answer)]
    source = await provider.source(provider.locate("us-east/a"))
    assert source.url.reveal() == f"{service.url}{EAST}/objects/a/content"
    assert {name: value.reveal() for name, value in source.headers.items()} == {"Authorization": "Bearer canary-token"}
    assert source.expires == provider.session.token_ends


@pytest.mark.parametrize(
    "url",
    [
        "http://api.8x8.com/x",
        "https://169.254.169.254/latest",
        "https://s3.amazonaws.com.evil.example/x",
        "https://s3.amazonaws.com@evil.example/x",
        "https://api.8x8.com/a b",
        "file:///etc/passwd",
    ],
)
async def test_an_unsafe_link_is_refused_and_nothing_else_is_tried(
    service: ScriptedService, provider: EightByEightProvider, url: str
) -> None:
    for ask in (provider.source, provider.link):
        service.answers = [("GET", (200, row("a"))), ("GET", (200, {"url": url}))]
        with pytest.raises(UnsafeError) as unsafe:
            await ask(provider.locate("us-east/a"))
        assert unsafe.value.subject == "acme8:us-east/a"
        assert url not in str(unsafe.value)


@pytest.mark.parametrize(
    ("state", "hint"),
    [("ARCHIVED", "24 hours"), ("REVOKED", "8x8"), ("DELETED", "purged"), ("PENDING", "later"), ("ODD", "AVAILABLE")],
)
async def test_the_state_is_looked_at_before_the_content(
    service: ScriptedService, provider: EightByEightProvider, state: str, hint: str
) -> None:
    service.rule = lambda *_ask: (200, row("a", objectState=state))
    with pytest.raises(NotAvailableError) as refused:
        await provider.source(provider.locate("us-east/a"))
    assert refused.value.state == state
    assert state in refused.value.message
    assert hint in refused.value.hint
    assert service.targets == [f"GET {EAST}/objects/a"]


async def test_a_record_that_says_enough_spares_a_request(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    place = provider.locate("us-east/a")
    known = StoredObject(place, "a", id="a", size=7, size_exact=True, state="AVAILABLE", checksum="c" * 32)
    service.answers = [(f"GET {EAST}/objects/a/content", (200, LINK.encode()))]
    source = await provider.source(place, known)
    assert (source.url.reveal(), source.size, source.checksum) == (LINK, 7, "c" * 32)
    for poor in (replace(known, size=None), replace(known, state=""), replace(known, state="ARCHIVED")):
        service.answers = [
            (f"GET {EAST}/objects/a", (200, row("a"))),
            (f"GET {EAST}/objects/a/content", (200, LINK.encode())),
        ]
        await provider.source(place, poor)
        assert not service.answers


@pytest.mark.parametrize("status", [403, 404, 409])
async def test_a_state_that_changed_meanwhile_explains_the_refusal(
    service: ScriptedService, provider: EightByEightProvider, status: int
) -> None:
    service.answers = [
        (f"GET {EAST}/objects/a", (200, row("a"))),
        (f"GET {EAST}/objects/a/content", refusal(status, "no")),
        (f"GET {EAST}/objects/a", (200, row("a", objectState="REVOKED"))),
        REGIONS,
    ]
    with pytest.raises(NotAvailableError) as refused:
        await provider.source(provider.locate("us-east/a"))
    assert refused.value.state == "REVOKED"


async def test_a_refusal_for_another_reason_stays_what_it_is(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        (f"GET {EAST}/objects/a", (200, row("a"))),
        (f"GET {EAST}/objects/a/content", refusal(403, "no")),
        (f"GET {EAST}/objects/a", (200, row("a"))),
        REGIONS,
    ]
    with pytest.raises(ForbiddenError) as refused:
        await provider.source(provider.locate("us-east/a"))
    assert "level download-only" in refused.value.hint


async def test_there_is_one_form_of_links(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [("GET", answer) for answer in ((200, row("a")), (200, LINK.encode())) * 2]
    plain = await provider.link(provider.locate("us-east/a"))
    assert (plain.url.reveal(), plain.form, plain.note) == (LINK, LinkForm.PRESIGNED, "")
    other = await provider.link(provider.locate("us-east/a"), LinkForm.NATIVE)
    assert (other.form, bool(other.note)) == (LinkForm.PRESIGNED, True)


async def test_a_folder_has_no_content(provider: EightByEightProvider) -> None:
    for ask in (provider.source, provider.link, provider.restore):
        with pytest.raises(UsageError):
            await ask(provider.locate("us-east"))


async def test_related_objects_are_searched_for_in_every_state(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [("GET", page(row("a"), row("b"))), ("GET", page())]
    found = await provider.related(StoredObject(provider.locate("us-east/a"), "a", id="a", bucket_id="k"))
    assert [entry.id for entry in found.items] == ["b"]
    wanted = "(bucketId==k,sourceId==a,sourceObjectId==a);objectState!=DELETED"
    assert service.queries()[0]["filter"] == wanted


# Deleting


def bodies(service: ScriptedService, method: str) -> list[object]:
    return [json.loads(body) for seen, _target, _headers, body in service.seen if seen == method and body[:1] == b"["]


async def test_objects_are_deleted_in_batches_and_each_is_looked_at(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    def rule(method: str, target: str, _body: bytes) -> Reply:
        if method == "DELETE":
            return (200, b"")
        id_ = target.rpartition("/")[2]
        kept = {"7": (200, row(id_)), "9": refusal(404, "gone")}
        return kept.get(id_, (200, row(id_, objectState="REVOKED")))

    service.answers, service.rule = [REGIONS], rule
    wanted = [provider.locate(f"{'uk' if number % 3 else 'us-east'}/{number}") for number in range(180)]
    found = await provider.delete([*wanted, wanted[0]])
    assert [deletion.location for deletion in found] == [*wanted, wanted[0]]
    outcomes = [deletion.outcome for deletion in found]
    assert (outcomes[0], outcomes[7], outcomes[9], outcomes[-1]) == (
        DeletionOutcome.DELETED,
        DeletionOutcome.KEPT,
        DeletionOutcome.GONE,
        DeletionOutcome.DELETED,
    )
    assert outcomes.count(DeletionOutcome.KEPT) == 1
    sent = bodies(service, "DELETE")
    assert [len(ids) for ids in sent if isinstance(ids, list)] == [60, 100, 20]
    headers = next(headers for method, _target, headers, _body in service.seen if method == "DELETE")
    assert headers["content-type"] == "application/json"


async def test_a_service_that_forgets_what_it_deletes_is_believed_that_it_did(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.rule = lambda method, *_ask: (200, b"") if method == "DELETE" else refusal(404, "gone")
    service.answers = [REGIONS]
    found = await provider.delete([provider.locate(f"us-east/{id_}") for id_ in "ab"])
    assert [deletion.outcome for deletion in found] == [DeletionOutcome.DELETED, DeletionOutcome.DELETED]


async def test_a_lost_reply_to_a_deletion_is_settled_by_looking(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        ("DELETE", None),
        ("GET /storage/us-east/v3/objects/a", (200, row("a", objectState="DELETED"))),
        ("GET /storage/us-east/v3/objects/b", (200, row("b"))),
        ("GET /storage/us-east/v3/objects/c", refusal(500, "?")),
    ]
    service.rule = lambda *_ask: refusal(500, "?")
    found = await provider.delete([provider.locate(f"us-east/{id_}") for id_ in "abc"])
    assert [deletion.outcome for deletion in found] == [
        DeletionOutcome.DELETED,
        DeletionOutcome.KEPT,
        DeletionOutcome.UNKNOWN,
    ]
    codes = [deletion.error.code if deletion.error else 0 for deletion in found]
    assert codes == [0, 1, 4]
    assert len(bodies(service, "DELETE")) == 1


async def test_an_unknown_id_does_not_keep_the_others(service: ScriptedService, provider: EightByEightProvider) -> None:
    deleted: set[str] = set()

    def rule(method: str, target: str, body: bytes) -> Reply:
        if method == "DELETE":
            ids = set(json.loads(body))
            if "x" in ids:
                return refusal(404, "unknown id")
            deleted.update(ids)
            return (204, b"")
        id_ = target.rpartition("/")[2]
        return (
            refusal(404, "?")
            if id_ == "x"
            else (200, row(id_, objectState="REVOKED" if id_ in deleted else "AVAILABLE"))
        )

    service.answers, service.rule = [REGIONS], rule
    found = await provider.delete([provider.locate(f"us-east/{id_}") for id_ in "axb"])
    assert [deletion.outcome for deletion in found] == [
        DeletionOutcome.DELETED,
        DeletionOutcome.GONE,
        DeletionOutcome.DELETED,
    ]
    assert bodies(service, "DELETE") == [["a", "x", "b"], ["a", "b"]]


async def test_a_key_that_may_not_delete_is_reported_the_level_it_takes(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [("DELETE", refusal(403, "no permission")), REGIONS]
    found = await provider.delete([provider.locate("us-east/a")])
    assert found[0].outcome is DeletionOutcome.KEPT
    assert isinstance(found[0].error, ForbiddenError)
    assert "level edit" in found[0].error.hint
    assert len(service.targets) == 2


async def test_nothing_is_already_gone_in_a_region_that_is_not_ours(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [REGIONS]
    service.rule = lambda *_ask: refusal(404, "Unknown region eu")
    found = await provider.delete([provider.locate("eu/a")])
    assert found[0].outcome is DeletionOutcome.KEPT
    assert isinstance(found[0].error, MissingError)


async def test_a_read_only_profile_sends_nothing_that_changes(service: ScriptedService, profile: Profile) -> None:
    provider = EightByEightProvider(replace(profile, read_only=True))
    with pytest.raises(ReadOnlyError):
        await provider.delete([provider.locate("us-east/a")])
    with pytest.raises(ReadOnlyError):
        await provider.restore(provider.locate("us-east/a"))
    assert service.seen == []
    await provider.close()


# Zip jobs

JOBS = "/storage/us-east/v3/bulk/download"
OLD = {"zipName": "old.zip", "status": "DONE"}
NEW = {"zipName": "new.zip", "status": "NOT_STARTED", "content": ["a:NOT_STARTED"]}


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        ([OLD], (200, NEW), None),
        ([OLD], (201, [NEW]), None),
        ([OLD], (200, [OLD, NEW]), None),
        ([OLD], (204, b""), [NEW, OLD]),
        ([OLD], (201, b""), [OLD, NEW]),
        ([OLD], None, [OLD, NEW]),
        ([NEW], (200, NEW), None),
    ],
)
async def test_a_new_job_is_found_in_every_answer_to_its_start(
    service: ScriptedService, provider: EightByEightProvider, before: object, answer: Reply, after: object
) -> None:
    service.answers = [(f"GET {JOBS}/status", (200, before)), ("POST", answer), (f"GET {JOBS}/status", (200, after))]
    job = await provider.start_zip([provider.locate(f"us-east/{id_}") for id_ in ("a", "b", "a")])
    assert (job.region, job.name, job.status) == ("us-east", "new.zip", "NOT_STARTED")
    assert bodies(service, "POST") == [["a", "b"]]
    assert f"POST {JOBS}/start" in service.targets
    assert len(service.targets) == (2 if after is None else 3)


async def test_a_start_that_nobody_can_distinguish_is_unknown_and_one_without_effect_failed(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    other = {"zipName": "other.zip", "status": "DONE"}
    service.answers = [("GET", (200, [OLD])), ("POST", None), ("GET", (200, [OLD, NEW, other]))]
    with pytest.raises(NetworkError) as unknown:
        await provider.start_zip([provider.locate("us-east/a")])
    assert unknown.value.code == 4
    service.answers = [("GET", refusal(404, "empty")), REGIONS, ("POST", None), ("GET", (200, []))]
    with pytest.raises(JobError):
        await provider.start_zip([provider.locate("us-east/a")])
    assert len([target for target in service.targets if target.startswith("POST")]) == 2


async def test_a_job_packs_objects_of_one_region(service: ScriptedService, provider: EightByEightProvider) -> None:
    for wanted in ([], [provider.locate("uk/a"), provider.locate("us-east/a")], [provider.locate("uk")]):
        with pytest.raises(UsageError):
            await provider.start_zip(wanted)
    assert service.seen == []


async def test_the_state_of_a_job_is_that_of_its_name(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [("GET", (200, [OLD, NEW])), ("GET", (200, [])), ("GET", (200, [OLD])), ("GET", (200, b""))]
    assert (await provider.zip_job("us-east", "new.zip")).status == "NOT_STARTED"
    with pytest.raises(MissingError):
        await provider.zip_job("us-east", "../x.zip?presignUrl=true")
    assert service.targets == [
        f"GET {JOBS}/status/new.zip",
        f"GET {JOBS}/status/..%2Fx.zip%3FpresignUrl%3Dtrue",
        f"GET {JOBS}/status",
    ]


@pytest.mark.parametrize("status", [404, 405])
async def test_a_job_is_cancelled_with_put_and_on_old_services_with_post(
    service: ScriptedService, provider: EightByEightProvider, status: int
) -> None:
    service.answers = [("PUT", refusal(status, "?")), REGIONS, ("POST", (204, b"")), ("GET", (200, [OLD]))]
    left = await provider.cancel_zip("us-east", "new.zip")
    assert [job.name for job in left] == ["old.zip"]
    told_of = [target for target in service.targets if "regions" not in target]
    assert told_of == [f"PUT {JOBS}/cancel/new.zip", f"POST {JOBS}/cancel/new.zip", f"GET {JOBS}/status"]


async def test_a_job_that_is_not_there_cannot_be_cancelled(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [("PUT", refusal(404, "No zip")), REGIONS, ("POST", refusal(405, "Use PUT"))]
    with pytest.raises(MissingError, match="No zip"):
        await provider.cancel_zip("us-east", "new.zip")
    service.answers = [("PUT", refusal(405, "Use POST")), ("POST", refusal(404, "No zip"))]
    with pytest.raises(MissingError, match="No zip"):
        await provider.cancel_zip("us-east", "new.zip")


async def test_clearing_returns_what_is_left_even_if_the_reply_is_lost(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        ("PUT", (200, [])),
        ("PUT", (204, b"")),
        ("GET", (200, [OLD])),
        ("PUT", None),
        ("GET", (200, [])),
    ]
    assert await provider.clear_zips("us-east") == ()
    assert [job.name for job in await provider.clear_zips("us-east")] == ["old.zip"]
    assert await provider.clear_zips("us-east") == ()
    assert len([target for target in service.targets if target == f"PUT {JOBS}/clear"]) == 3


async def test_a_finished_zip_comes_from_its_link_or_from_the_api(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [
        ("GET", (200, [{**OLD, "url": LINK}])),
        ("GET", (200, OLD)),
        ("GET", (200, {**OLD, "status": "?"})),
    ]
    linked = await provider.zip_source("us-east", "old.zip")
    assert (linked.url.reveal(), linked.headers) == (LINK, {})
    plain = await provider.zip_source("us-east", "old.zip")
    assert plain.url.reveal() == f"{service.url}{JOBS}/old.zip"
    assert list(plain.headers) == ["Authorization"]
    assert service.targets[0] == f"GET {JOBS}/status/old.zip?presignUrl=true"
    assert (await provider.zip_source("us-east", "old.zip")).headers


@pytest.mark.parametrize("status", ["NOT_STARTED", "in_progress", "FAILED", "CANCELLED"])
async def test_an_unfinished_zip_is_never_fetched(
    service: ScriptedService, provider: EightByEightProvider, status: str
) -> None:
    service.answers = [("GET", (200, {**OLD, "status": status, "url": LINK}))]
    with pytest.raises(JobError) as refused:
        await provider.zip_source("us-east", "old.zip")
    assert status.upper() in refused.value.message


# Restoring


async def test_an_object_is_asked_back_for_some_days(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [("POST", (200, {"expirationDays": 3}))]
    assert await provider.restore(provider.locate("us-east/a"), 5) == 3
    assert service.targets == [f"POST {EAST}/objects/a/restore"]
    assert service.seen[-1][3] == b'{"expirationDays":5}'


@pytest.mark.parametrize("days", [0, 11, -1])
async def test_days_out_of_range_are_not_asked_for(
    service: ScriptedService, provider: EightByEightProvider, days: int
) -> None:
    with pytest.raises(UsageError, match="1 to 10"):
        await provider.restore(provider.locate("us-east/a"), days)
    assert service.seen == []


@pytest.mark.parametrize(("state", "is_known"), [("PENDING", True), ("AVAILABLE", True), ("ARCHIVED", False)])
async def test_a_lost_reply_to_a_restore_is_settled_by_looking(
    service: ScriptedService, provider: EightByEightProvider, state: str, is_known: bool
) -> None:
    service.answers = [("POST", None), ("GET", (200, row("a", objectState=state)))]
    if is_known:
        assert await provider.restore(provider.locate("us-east/a"), 2) == 2
    else:
        with pytest.raises(NetworkError) as unknown:
            await provider.restore(provider.locate("us-east/a"), 2)
        assert "Nobody knows" in unknown.value.hint
    assert len([target for target in service.targets if target.startswith("POST")]) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(400, UsageError), (403, ForbiddenError), (409, StorageError), (404, MissingError)]
)
async def test_a_refused_restore_shows_the_services_words(
    service: ScriptedService, provider: EightByEightProvider, status: int, kind: type[StorageError]
) -> None:
    service.answers = [("POST", refusal(status, "the very words")), REGIONS]
    with pytest.raises(kind) as refused:
        await provider.restore(provider.locate("us-east/a"))
    assert "the very words" in refused.value.message
    assert ("level edit" in refused.value.hint) == (status == 403)


# What `profile test` looks at


async def test_a_check_looks_at_everything_until_something_is_wrong(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.answers = [REGIONS, ("GET /storage/us-east", page(row())), ("GET /storage/uk", refusal(403, "not yours"))]
    checks = await provider.check()
    assert [(check.title, check.ok) for check in checks] == [
        ("token", True),
        ("product", True),
        ("regions", True),
        ("us-east", True),
        ("uk", False),
    ]
    assert checks[3].text == "has objects"
    assert isinstance(checks[-1].error, ForbiddenError)


async def test_a_check_doubts_a_key_for_other_products_and_goes_on(
    service: ScriptedService, provider: EightByEightProvider
) -> None:
    service.token = (200, FOR_OTHER_PRODUCTS)
    service.answers = [REGIONS]
    service.rule = lambda *_ask: page()
    checks = await provider.check()
    assert [(check.title, check.ok) for check in checks if not check.ok] == [("product", False)]
    assert checks[1].error is None
    assert checks[-1].title == "clock"


async def test_a_check_notices_a_clock_that_is_off(service: ScriptedService, provider: EightByEightProvider) -> None:
    service.answers = [REGIONS]
    service.rule = lambda *_ask: (*page(), ("Date", "Thu, 01 Jan 2037 00:00:00 GMT"))
    checks = await provider.check()
    assert checks[-1].title == "clock"
    assert not checks[-1].ok
    assert "behind" in checks[-1].text

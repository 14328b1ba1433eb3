"""What is sent to the service, to the letter, and what its answers do."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConfigError,
    ForbiddenError,
    LoginError,
    MissingError,
    ReadOnlyError,
    ReplyError,
    UnreadableError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.core.links import LinkForm
from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.core.provider import DeletionOutcome
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.providers.alvaria.provider import AlvariaProvider
from cloudstore_tui.providers.alvaria.spec import SPEC
from tests.support.http import ScriptedService, serving

BASE = "/via/{version}/organizations/Acme/mediaStorage/data"
TOKEN = {"access_token": "canary-token", "scope": "mediastorageapi.exports", "expires_in": 3599}


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    scripted = ScriptedService((200, TOKEN), lambda target: "token" in target.lower()[:14])
    with serving(scripted) as scripted.url:
        yield scripted


@pytest.fixture
def profile(service: ScriptedService) -> Profile:
    options: dict[str, OptionValue] = {
        "org": "Acme",
        "api_version": "v3",
        "api_base": service.url,
        "token_url": f"{service.url}/tokens",
        "client_id": "me",
        "scopes": ("mediastorageapi.exports", "mediastorageapi.imports"),
        "link_form": "proxied",
    }
    secrets = {"secret": "canary-secret", "api_key": "canary-api-key"}
    times = Timeouts(connect=2, read=2, give_up=0)
    return Profile("acme", "alvaria", options, False, 0, timeouts=times, secrets=lambda name: Secret(secrets[name]))


@pytest.fixture
async def provider(profile: Profile) -> AsyncIterator[AlvariaProvider]:
    one = AlvariaProvider(profile)
    yield one
    await one.close()


@pytest.fixture
async def older(profile: Profile) -> AsyncIterator[AlvariaProvider]:
    one = AlvariaProvider(replace(profile, options={**profile.options, "api_version": "v2", "link_form": "native"}))
    yield one
    await one.close()


def base(version: str, resource: str, query: str) -> str:
    return f"{BASE.format(version=version)}/{resource}?{query}"


def entry(key: str, **more: object) -> dict[str, object]:
    return {"key": key, "keyName": key.rstrip("/").rpartition("/")[2], **more}


async def test_the_token_request_says_who_for_what_and_where(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    service.answers = [("GET", (200, {"objectKeys": []}))]
    await provider.browse(provider.locate("exports/"))
    method, target, headers, body = service.seen[0]
    assert (method, target) == ("POST", "/tokens?realm=Acme")
    assert body == (b"grant_type=client_credentials&scope=mediastorageapi.exports%20mediastorageapi.imports&realm=Acme")
    assert headers["authorization"] == "Basic bWU6Y2FuYXJ5LXNlY3JldA=="
    assert "x-api-key" not in headers


async def test_a_listing_is_asked_for_like_this(service: ScriptedService, provider: AlvariaProvider) -> None:
    page = {"objectKeys": [entry("exports/a ü+.tar")], "nextToken": "a+/%2B="}
    service.answers = [("GET", (200, page)), ("GET", (200, {"objectKeys": [], "nextToken": ""}))]
    first = await provider.browse(provider.locate("exports/"))
    await provider.browse(provider.locate("exports/"), first.cursor)
    assert service.targets == [
        "GET " + base("v3", "objectKeys", "key=exports%2F&keyType=file%3Adirectory&maxResults=500"),
        "GET "
        + base("v3", "objectKeys", "key=exports%2F&keyType=file%3Adirectory&maxResults=500&nextToken=a%2B%2F%252B%3D"),
    ]
    headers = service.seen[-1][2]
    assert headers["authorization"] == "Bearer canary-token"
    assert headers["x-api-key"] == "canary-api-key"
    assert headers["accept"] == "application/json"


async def test_v2_names_its_token_differently_and_an_encoded_one_is_tried_decoded(
    service: ScriptedService, older: AlvariaProvider
) -> None:
    page = {"objectKeys": [entry("exports/a")], "continuationToken": "x%2By"}
    bad = {"error": {"message": "bad token"}}
    service.answers = [("GET", (200, page)), ("GET", (400, bad)), ("GET", (200, {"objectKeys": [entry("exports/b")]}))]
    first = await older.browse(older.locate("exports/"))
    second = await older.browse(older.locate("exports/"), first.cursor)
    assert [item.name for item in second.items] == ["b"]
    assert [target.rpartition("=")[2] for target in service.targets[1:]] == ["x%252By", "x%2By"]
    assert "continuationToken=" in service.targets[1]


async def test_a_page_that_begins_with_the_last_key_again_does_not_show_it_twice(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    keys = [entry("exports/a"), entry("exports/b"), entry("exports/c")]
    service.answers = [
        ("GET", (200, {"objectKeys": keys[:2], "nextToken": "b"})),
        ("GET", (200, {"objectKeys": keys[1:]})),
    ]
    first = await provider.browse(provider.locate("exports/"))
    second = await provider.browse(provider.locate("exports/"), first.cursor)
    assert [item.name for item in (*first.items, *second.items)] == ["a", "b", "c"]


async def test_the_folder_itself_is_not_in_its_own_listing_and_links_of_a_listing_are_not_used(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    link = {"signedDownloadUrl": "https://evil.example/a", "nativeSignedDownloadUrl": "https://evil.example/a"}
    service.answers = [("GET", (200, {"objectKeys": [entry("exports/", **link), entry("exports/a/", **link), {}]}))]
    page = await provider.browse(provider.locate("exports/"))
    assert [item.location.path for item in page.items] == ["exports/a/"]
    assert page.warnings == ()


async def test_rows_that_cannot_be_read_are_counted(service: ScriptedService, provider: AlvariaProvider) -> None:
    service.answers = [("GET", (200, {"objectKeys": [5, {"size": "1 KB"}, entry("exports/a")]}))]
    page = await provider.browse(provider.locate("exports/"))
    assert len(page.items) == 1
    assert [str(failure) for failure in page.failures] == [str(UnreadableError(2, subject="acme:exports/"))]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"objectKeys": {"key": "exports/a"}}, "than a listing"),
        ({"fault": {"faultstring": "Backend is down"}}, "than a listing: Backend is down"),
        ({"objectKeys": None, "error": "Backend is down"}, "than a listing: Backend is down"),
        ({"objectKeys": [], "error": {"message": "Backend is down"}}, "than a listing: Backend is down"),
        ({"objectKeys": [], "nextToken": {"key": "exports/a"}}, "than a listing"),
    ],
)
async def test_a_page_that_is_no_listing_is_an_error_and_no_empty_folder(
    service: ScriptedService, provider: AlvariaProvider, raw: object, words: str
) -> None:
    service.answers = [("GET", (200, raw))]
    with pytest.raises(ReplyError, match=words):
        await provider.browse(provider.locate("exports/"))


async def test_a_service_without_one_level_listings_is_read_by_two_and_files_far_below_are_skipped(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    tree = {"objectKeys": [entry("exports/", childObjectKeys=[entry("exports/a/", childObjectKeys=[{}])])]}
    deep = [{"objectKeys": [entry(f"exports/a/{n}")], "nextToken": f"t{n}"} for n in range(5)]
    last = {"objectKeys": [entry("exports/z.tar")]}
    service.answers = [("GET", (400, {"error": {"message": "The keyType is invalid"}})), ("GET", (200, tree))]
    service.answers += [("GET", (200, page)) for page in (*deep, last)]
    location = provider.locate("exports/")
    first = await provider.browse(location)
    second = await provider.browse(location, first.cursor)
    assert [item.location.path for item in (*first.items, *second.items)] == ["exports/a/", "exports/z.tar"]
    assert second.cursor is None
    service.answers = [("GET", (200, tree))]
    await provider.browse(location)
    assert "keyType=directory" in service.targets[-1], "what was learned is not asked again"


async def test_folders_that_only_appear_in_the_keys_below_them_are_found(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    tree = {"objectKeys": [entry("exports/", childObjectKeys=[entry("exports/a/"), entry("exports/b/c/")])]}
    pages = [
        {"objectKeys": [entry("exports//x"), entry("exports/a/1"), entry("exports/b/c/1")], "nextToken": "t"},
        {"objectKeys": [entry("exports/d/1"), entry("exports/d/2")], "nextToken": "u"},
        {"objectKeys": [entry("exports/d/3"), entry("exports/e")]},
    ]
    service.answers = [("GET", (400, {})), ("GET", (200, tree)), *(("GET", (200, page)) for page in pages)]
    found = await walked(provider, "exports/")
    assert found == ["exports/a/", "exports/b/", "exports//", "exports/d/", "exports/e"]


async def test_keys_in_another_form_are_reported_where_folders_and_files_are_put_together(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    service.answers = [("GET", (400, {})), ("GET", (200, {"objectKeys": [entry("/exports/a/")]}))]
    service.answers += [("GET", (200, {"objectKeys": [entry("/exports/a/1"), entry("/exports/2")]}))]
    first = await provider.browse(provider.locate("exports/"))
    assert [failure.subject for failure in first.failures] == ["acme:exports/"]
    second = await provider.browse(provider.locate("exports/"), first.cursor)
    assert [item.location.path for item in second.items] == ["/exports/a/1", "/exports/2"]


async def walked(provider: AlvariaProvider, path: str) -> list[str]:
    """All that is right in a folder; what comes twice, and what a page lacks, is an error."""
    location, found, cursor = provider.locate(path), list[str](), None
    while True:
        page = await provider.browse(location, cursor)
        assert not page.failures
        found += [item.location.path for item in page.items]
        cursor = page.cursor
        if cursor is None:
            assert len(set(found)) == len(found)
            return found


async def test_what_is_nested_in_the_folder_itself_is_in_it(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    inner = [entry("exports/a/", childObjectKeys=[entry("exports/a/x")]), entry("exports/z")]
    service.answers = [("GET", (200, {"objectKeys": [entry("exports/", childObjectKeys=inner)], "totalItems": 1}))]
    assert await walked(provider, "exports/") == ["exports/a/", "exports/z"]
    assert len(service.targets) == 1


@pytest.mark.parametrize(
    "tree",
    [
        [entry("exports/", childObjectKeys=[{}])],
        [entry("exports/", childObjectKeys=[entry("exports/a/")])],
        [entry("exports/", childObjectKeys=[entry("exports/a/", childObjectKeys=[entry("exports/a/b/")])])],
        [entry("exports/a/"), entry("exports/a/b/")],
    ],
)
async def test_an_answer_with_folders_only_is_not_believed_where_it_may_be_one_to_another_question(
    service: ScriptedService, provider: AlvariaProvider, tree: list[object]
) -> None:
    def answer(_method: str, target: str, _body: bytes) -> Any:
        files = [entry("exports/a/b/1"), entry("exports/z")]
        return (200, {"objectKeys": files if "keyType=file&" in target else tree})

    service.rule = answer
    assert await walked(provider, "exports/") == ["exports/a/", "exports/z"]


@pytest.mark.parametrize("totals", [(5, 5), (5, 4), (4, 9), ("4", None)])
@pytest.mark.parametrize("version", ["file:directory", "file"])
async def test_entries_that_the_service_counts_and_does_not_give_are_reported(
    service: ScriptedService, provider: AlvariaProvider, totals: tuple[object, object], version: str
) -> None:
    keys = [entry("exports/"), entry("exports/a"), entry("exports/b"), entry("exports/c")]
    pages = [
        {"objectKeys": keys[:3], "nextToken": "t", "totalItems": totals[0]},
        {"objectKeys": keys[2:], "totalItems": totals[1]},
    ]
    location, first = provider.locate("exports/"), None
    if version == "file":
        service.answers = [("GET", (400, {})), ("GET", (200, {"objectKeys": [], "totalItems": 0}))]
    service.answers += [("GET", (200, page)) for page in pages]
    first = await provider.browse(location)
    assert not first.failures
    second = await provider.browse(location, first.cursor)
    # The entry with which a page goes on is no other one, and the folder itself is one of those that are told of.
    lacking = ["the service reports 5 entries here, and gave 4"] if totals == (5, 5) else []
    assert [failure.message for failure in second.failures] == lacking


@pytest.mark.parametrize(
    ("time", "warnings"),
    [("2024-09-01T10:20:30", 1), ("2024-09-01T10:20:30.5Z", 0), ("2024-09-01T10:20:30-05:00", 0), ("", 0)],
)
@pytest.mark.parametrize("name", ["lastModifiedTime", "lastModifiedDate"])
async def test_times_that_may_be_hours_off_are_reported(
    service: ScriptedService, provider: AlvariaProvider, name: str, time: str, warnings: int
) -> None:
    service.answers = [("GET", (200, {"objectKeys": [entry("exports/a", **{name: time}), entry("exports/b")]}))]
    page = await provider.browse(provider.locate("exports/"))
    assert len(page.warnings) == warnings


async def test_a_page_in_the_middle_without_a_list_is_no_end(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    service.answers = [("GET", (200, {"objectKeys": [entry("exports/a")], "nextToken": "t"})), ("GET", (200, {}))]
    first = await provider.browse(provider.locate("exports/"))
    with pytest.raises(ReplyError, match="than a listing"):
        await provider.browse(provider.locate("exports/"), first.cursor)


async def test_files_far_below_that_come_round_and_round_are_not_read_for_ever(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    circle = [{"objectKeys": [entry(f"exports/a/{n % 2}")], "nextToken": f"t{n % 2}"} for n in range(30)]
    service.answers = [("GET", (400, {})), ("GET", (200, {"objectKeys": [entry("exports/a/")]}))]
    service.answers += [("GET", (200, page)) for page in circle]
    first = await provider.browse(provider.locate("exports/"))
    page = await provider.browse(provider.locate("exports/"), first.cursor)
    assert page.items == ()
    assert page.cursor is not None, "the walk above tells that the listing has no end"
    assert len(service.targets) < 10


async def test_a_bad_key_is_not_taken_for_a_missing_ability(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    bad = (400, {"error": {"errors": [{"message": "The key is invalid"}]}})
    service.answers = [("GET", bad), ("GET", bad)]
    with pytest.raises(UsageError, match="The key is invalid"):
        await provider.browse(provider.locate("exports/odd/"))
    service.answers = [("GET", (200, {"objectKeys": []}))]
    await provider.browse(provider.locate("exports/"))
    assert "file%3Adirectory" in service.targets[-1]


async def test_signed_links_are_asked_for_in_the_way_of_each_version(
    service: ScriptedService, provider: AlvariaProvider, older: AlvariaProvider
) -> None:
    url = f"{service.url}/s3/x%20y.tar?X-Amz-Expires=99999&sig=canary"
    service.answers = [("GET", (200, {"key": "imports/x y.tar", f"signed{way}Url": url})) for way in ("Download",) * 3]
    for one in (provider, older):
        location = one.locate("imports/x y.tar")
        link = await one.link(location)
        assert link.url.reveal() == url
        assert link.form is LinkForm.PROXIED
    assert link.note
    source = await provider.source(provider.locate("imports/x y.tar"))
    assert (source.headers, source.size, source.local) == ({}, None, True)
    key = "key=imports%2Fx%20y.tar"
    assert service.targets == [
        "GET " + base("v3", "signedDownloadUrl", key),
        "GET " + base("v2", "objectKeys", f"{key}&keyType=nativeSignedDownloadUrl"),
        "GET " + base("v3", "signedDownloadUrl", key),
    ]


async def test_an_upload_gets_only_the_headers_its_link_names(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    query = "X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption&kms-key=k"
    reply = {"key": "imports/x", "signedUploadUrl": f"{service.url}/s3/x?{query}", "lastModifiedDate": ""}
    bad = {"key": "imports/x", "signedUploadUrl": f"{service.url}/s3/x?X-Amz-SignedHeaders=host%3Bcookie"}
    service.answers = [("GET", (200, reply)), ("GET", (200, bad))]
    target = await provider.target(provider.locate("imports/x"), 5)
    assert {name: value.reveal() for name, value in target.headers.items()} == {
        "x-amz-server-side-encryption": "aws:kms"
    }
    assert service.targets == ["GET " + base("v3", "signedUploadUrl", "key=imports%2Fx")]
    with pytest.raises(UnsafeError) as refused:
        await provider.target(provider.locate("imports/x"), 5)
    assert refused.value.subject == "acme:imports/x"


async def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    service: ScriptedService, provider: AlvariaProvider, profile: Profile
) -> None:
    with pytest.raises(UsageError):
        await provider.target(provider.locate("imports/x"), 5 * 1024**3 + 1)
    with pytest.raises(UsageError):
        await provider.target(provider.locate("imports/"), 1)
    with pytest.raises(ReadOnlyError):
        await AlvariaProvider(replace(profile, read_only=True)).target(provider.locate("imports/x"), 1)
    assert service.seen == []


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("imports/apm/ecf/x.csv", ["imports/apm/ecf/processed/x.csv", "imports/apm/ecf/errors/x.csv"]),
        ("imports/x.csv", []),
        ("imports/apm/ecf/processed/x.csv", []),
        ("exports/aps-custom/x.csv", []),
        ("importsx/y/x.csv", []),
    ],
)
def test_what_is_uploaded_is_sorted_by_the_service(provider: AlvariaProvider, key: str, places: list[str]) -> None:
    assert [location.path for location in provider.taken_to(provider.locate(key))] == places


async def test_deleting_sends_exactly_these_keys_once(service: ScriptedService, provider: AlvariaProvider) -> None:
    service.answers = [
        ("DELETE", (204, None)),
        ("DELETE", (404, {"error": {"message": "No record"}})),
        ("DELETE", (500, {})),
    ]
    locations = [provider.locate(f"imports/{name}") for name in ("a", "b", "c")]
    one_by_one = [(await provider.delete([location]))[0] for location in locations]
    assert [deletion.outcome for deletion in one_by_one] == [
        DeletionOutcome.DELETED,
        DeletionOutcome.GONE,
        DeletionOutcome.KEPT,
    ]
    assert one_by_one[2].error is not None
    sent = [target for target in service.targets if target.startswith("DELETE")]
    assert sent == ["DELETE " + base("v3", "objectKeys", f"key=imports%2F{name}") for name in "abc"]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ((404, {}), DeletionOutcome.DELETED),
        ((200, {"objectKeys": [entry("imports/a")]}), DeletionOutcome.KEPT),
        ((500, {}), DeletionOutcome.UNKNOWN),
    ],
)
async def test_what_the_service_says_it_deleted_is_looked_at(
    service: ScriptedService, provider: AlvariaProvider, state: Any, outcome: DeletionOutcome
) -> None:
    service.answers = [("DELETE", (204, None)), ("GET", state)]
    (done,) = await provider.delete([provider.locate("imports/a")])
    assert done.outcome is outcome
    assert (done.error is None) == (outcome is DeletionOutcome.DELETED)


async def test_several_are_deleted_and_reported_in_their_order(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    path = BASE.format(version="v3") + "/objectKeys?key=imports%2F"
    service.answers = [(f"DELETE {path}{n}", (404, {}) if n % 3 else (200, {"status": "ok"})) for n in range(10)]
    done = await provider.delete([provider.locate(f"imports/{n}") for n in range(10)])
    assert [deletion.location.path for deletion in done] == [f"imports/{n}" for n in range(10)]
    assert [deletion.outcome for deletion in done] == [
        DeletionOutcome.GONE if n % 3 else DeletionOutcome.DELETED for n in range(10)
    ]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ((404, {}), DeletionOutcome.DELETED),
        ((200, {"objectKeys": [entry("imports/a")]}), DeletionOutcome.KEPT),
        ((200, {"objectKeys": [entry("imports/ab")]}), DeletionOutcome.DELETED),
        ((200, {"fault": {"faultstring": "Backend is down"}}), DeletionOutcome.UNKNOWN),
        ((500, {}), DeletionOutcome.UNKNOWN),
    ],
)
async def test_a_lost_answer_is_read_back_and_not_repeated(
    service: ScriptedService, provider: AlvariaProvider, state: Any, outcome: DeletionOutcome
) -> None:
    service.answers = [("DELETE", None), ("GET", state)]
    (done,) = await provider.delete([provider.locate("imports/a")])
    assert done.outcome is outcome
    assert (done.error is None) == (outcome is DeletionOutcome.DELETED)
    assert [target.split()[0] for target in service.targets] == ["DELETE", "GET"]


async def test_the_key_of_a_folder_is_never_sent_for_deletion(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    for path in ("imports/", ""):
        with pytest.raises(UsageError):
            await provider.delete([provider.locate("imports/a"), provider.locate(path)])
    assert service.seen == []


async def test_a_read_only_profile_deletes_nothing(service: ScriptedService, profile: Profile) -> None:
    provider = AlvariaProvider(replace(profile, read_only=True))
    with pytest.raises(ReadOnlyError):
        await provider.delete([provider.locate("imports/a")])
    assert service.seen == []


async def test_a_missing_scope_names_the_scope_whatever_the_status(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    location = provider.locate("exports/reporting/outreach/")
    for status in (401, 403):
        service.answers = [("GET", (status, {"error": {"message": "no"}} if status == 403 else None))] * 3
        with pytest.raises(ForbiddenError) as refused:
            await provider.browse(location)
        assert refused.value.code == 3
        assert refused.value.subject == "acme:exports/reporting/outreach/"
        assert "no permission for the folder exports/reporting/outreach/" in refused.value.message
        assert "mediastorageapi.exports.reporting.outreach" in refused.value.hint


async def test_a_folder_whose_scope_was_not_granted_says_so(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    service.answers = [("GET", (403, {"error": {"message": "no"}}))] * 2
    with pytest.raises(ForbiddenError) as refused:
        await provider.browse(provider.locate("imports/"))
    assert "mediastorageapi.imports, which the service did not grant" in refused.value.hint


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_api_key_is_a_refused_login_that_names_the_key_of_the_configuration(
    service: ScriptedService, provider: AlvariaProvider, status: int
) -> None:
    service.answers = [("GET", (status, {"message": "Forbidden"}))] * 3
    with pytest.raises(LoginError) as refused:
        await provider.browse(provider.locate("exports/"))
    assert "api_key of profile acme" in refused.value.hint
    assert "canary" not in str(refused.value)


async def test_what_v2_does_not_reach_is_said_to_need_v3(service: ScriptedService, older: AlvariaProvider) -> None:
    with pytest.raises(MissingError) as missing:
        await older.browse(older.locate("exports/workforce/"))
    assert 'api_version = "v3"' in missing.value.hint
    with pytest.raises(MissingError, match="empty or missing"):
        await older.browse(older.locate("exports/reporting/"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"api_base": "http://api.example.com"}, "unprotected"),
        ({"api_base": "https://h/path"}, "path"),
        ({"api_base": "https://me:canary@h"}, "password"),
        ({"api_base": "", "domain": ""}, "domain is missing"),
        ({"api_base": "", "domain": "https://x"}, "domain is not a host name"),
        ({"token_url": ""}, "token_host is missing"),
        ({"token_url": "http://h/t"}, "unprotected"),
        ({"org": "a.evil.example/"}, "org"),
        ({"org": ""}, "org"),
    ],
)
def test_a_profile_that_cannot_work_is_refused_when_it_is_opened(
    profile: Profile, change: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        SPEC.open(replace(profile, options={**profile.options, **change}))
    assert "canary" not in str(refused.value)


def test_hosts_are_made_of_organisation_and_domain(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    origins: list[str] = []

    class Noted(ApiClient):
        def __init__(self, profile: Profile, base_url: str, *others: Any, **named: Any) -> None:
            origins.append(base_url)
            super().__init__(profile, base_url, *others, **named)

    monkeypatch.setattr("cloudstore_tui.providers.alvaria.client.ApiClient", Noted)
    hosts = {"api_base": "", "domain": "via.aspect-cloud.net", "token_url": "", "token_host": "t.x.net"}
    AlvariaProvider(replace(profile, options={**profile.options, **hosts}))
    assert origins == ["https://t.x.net", "https://acme.via.aspect-cloud.net"]


def test_addresses_are_keys(profile: Profile) -> None:
    provider = AlvariaProvider(profile)
    assert provider.locate("").address == "acme:"
    assert provider.locate("exports").path == "exports/"
    assert provider.locate("exports/a//b").path == "exports/a//b"
    with pytest.raises(UsageError) as refused:
        provider.locate("/exports/")
    assert refused.value.hint == "Write acme:exports/"
    walk = provider.locate("exports/a/b.tar")
    above = []
    while (parent := provider.parent(walk)) is not None:
        above.append(parent.path)
        walk = parent
    assert above == ["exports/a/", "exports/", ""]


async def test_a_folder_is_not_an_object_and_an_object_not_a_folder(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    with pytest.raises(UsageError):
        await provider.browse(provider.locate("exports/a.tar"))
    with pytest.raises(UsageError):
        await provider.source(provider.locate("exports/"))
    assert service.seen == []


async def test_the_root_is_known_without_asking(service: ScriptedService, provider: AlvariaProvider) -> None:
    root = provider.locate("")
    assert [item.location.path for item in (await provider.browse(root)).items] == ["exports/", "imports/"]
    assert [item.location.path for item in (await provider.folders(root)).items] == ["exports/", "imports/"]
    await provider.stat(root)
    assert service.seen == []


async def test_a_session_names_scopes_that_were_not_granted_once_there_is_a_token(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    service.answers = [("GET", (200, {"objectKeys": []}))]
    assert provider.session.note == ""
    await provider.browse(provider.locate("exports/"))
    assert provider.session.note == "not granted: mediastorageapi.imports"


async def test_a_check_warns_of_scopes_that_were_not_granted(
    service: ScriptedService, provider: AlvariaProvider
) -> None:
    checks = await provider.check()
    assert [(check.title, check.ok) for check in checks] == [("token", True), ("scopes", False)]
    assert isinstance(checks[1].error, LoginError)
    assert "mediastorageapi.imports" in checks[1].text

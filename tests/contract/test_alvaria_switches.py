"""Every open question of the service, each with the answers that the sandbox can give."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from cloudstore_tui.core.errors import (
    ForbiddenError,
    LoginError,
    MissingError,
    ReplyError,
    ThrottledError,
    UnsafeError,
    UsageError,
)
from cloudstore_tui.core.links import LinkForm, Target
from cloudstore_tui.core.models import Entry, Folder, StoredObject, identity
from cloudstore_tui.core.paging import EndlessListingError, Pager
from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.core.provider import DeletionOutcome, StorageProvider
from cloudstore_tui.providers.alvaria.spec import SPEC
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.waiting import until

VERSIONS = ("v2", "v3")
NIGHTLY = "exports/reporting/enterprise-historical/"
CUSTOM = "exports/aps-custom/"
EMPTY = "imports/configuration/campaign/"
LISTS = "imports/outreach/list-management/"

Open = Callable[..., StorageProvider]


@pytest.fixture
async def opened(sandbox: Sandbox, ready: Ready) -> AsyncIterator[Open]:
    """Opens a profile of the sandbox's organisation with other options or secrets, and closes it after the test."""
    made: list[StorageProvider] = []

    def begin(
        version: str = "v3", *, api_key: str = "", client_secret: str = "", give_up: float = 20, **options: OptionValue
    ) -> StorageProvider:
        def secret(name: str) -> Secret:
            given = {"api_key": api_key, "secret": client_secret}[name]
            return Secret(given or (ready.config.parent / f"acme.{name}").read_text().strip())

        usual: dict[str, OptionValue] = {
            "org": "acme",
            "api_version": version,
            "api_base": ready.base_url,
            "token_url": f"{ready.base_url}/tokenservice/oauth2/access_token",
            "client_id": "acme-sandbox-client",
            "scopes": ("mediastorageapi.exports", "mediastorageapi.imports"),
            "link_form": "proxied",
        }
        times = Timeouts(connect=5, read=20, give_up=give_up)
        made.append(SPEC.open(Profile("acme", "alvaria", usual | options, False, 0, 4, times, secret)))
        return made[-1]

    sandbox.log.clear()
    yield begin
    for provider in made:
        await provider.close()


@dataclass(frozen=True)
class Fetched:
    """What a plain client got."""

    status: int
    data: bytes


def fetch(url: str, **headers: str) -> Fetched:
    return exchange("GET", url, None, headers)


def put(target: Target, data: bytes) -> Fetched:
    headers = {name: value.reveal() for name, value in target.headers.items()}
    return exchange("PUT", target.url.reveal(), data, headers)


def exchange(method: str, url: str, data: bytes | None, headers: dict[str, str]) -> Fetched:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", data, headers)
        reply = connection.getresponse()
        return Fetched(reply.status, reply.read())
    finally:
        connection.close()


async def names(provider: StorageProvider, path: str, pages: int = 100) -> list[str]:
    location = provider.locate(path)
    pager = Pager(lambda cursor: provider.browse(location, cursor), identity)
    found: list[str] = []
    for _page in range(pages):
        if pager.ended:
            break
        found += [entry.location.path for entry in (await pager.next_page()).items]
    return found


async def crowd(provider: StorageProvider) -> str:
    """The folder with 10,000 recordings: that of the day before the data's now."""
    return max(await names(provider, "exports/cxp/recordings/"))


async def drain(pager: Pager[Entry], found: list[Entry]) -> None:
    for _page in range(20):
        found += (await pager.next_page()).items


async def test_a1_the_realm_stands_in_the_query_too(opened: Open, sandbox: Sandbox) -> None:
    await opened().browse(opened().locate(CUSTOM))
    (token,) = [seen for seen in sandbox.log.requests if "token" in seen.path]
    assert token.query == "realm=acme"


@pytest.mark.parametrize("status", ["403", "401"])
async def test_a2_a_missing_scope_is_renewed_once_and_then_named(opened: Open, sandbox: Sandbox, status: str) -> None:
    sandbox.switches.set({"A-2": status})
    provider = opened(scopes=("mediastorageapi.imports",))
    with pytest.raises(ForbiddenError) as refused:
        await provider.browse(provider.locate(NIGHTLY))
    assert "mediastorageapi.exports.reporting.historical" in refused.value.hint
    assert sum("token" in seen.path for seen in sandbox.log.requests) == 2
    assert await names(provider, LISTS), "one folder's refusal closed the others, too"


@pytest.mark.parametrize("status", ["403", "401"])
async def test_a3_a_wrong_api_key_is_a_refused_login_that_names_the_configuration(
    opened: Open, sandbox: Sandbox, status: str
) -> None:
    sandbox.switches.set({"A-3": status})
    provider = opened(api_key="wrong-canary")
    with pytest.raises(LoginError, match="api key") as refused:
        await provider.browse(provider.locate(CUSTOM))
    assert "canary" not in str(refused.value)
    assert not (await provider.check())[-1].ok


async def test_a4_scopes_that_do_not_cover_children_are_the_services_business(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-4": "no"})
    provider = opened()
    assert f"{CUSTOM}" in await names(provider, "exports/")
    with pytest.raises(ForbiddenError, match=r"exports\.reporting"):
        await provider.browse(provider.locate("exports/reporting/"))


async def test_a5_the_root_is_never_asked_for(opened: Open, sandbox: Sandbox) -> None:
    assert await names(opened(), "") == ["exports/", "imports/"]
    assert sandbox.log.requests == []


@pytest.mark.parametrize("kind", ["404", "prefix"])
async def test_a6_neighbours_are_not_taken_for_the_object(opened: Open, sandbox: Sandbox, kind: str) -> None:
    sandbox.switches.set({"A-6": kind})
    provider = opened()
    whole = (await names(provider, NIGHTLY))[0]
    assert (await provider.stat(provider.locate(whole))).location.path == whole
    for beginning in (whole[:-4], NIGHTLY[:-1]):
        with pytest.raises(MissingError):
            await provider.stat(provider.locate(beginning))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a7_an_empty_folder_is_empty_or_missing(opened: Open, sandbox: Sandbox, version: str) -> None:
    provider = opened(version)
    assert await names(provider, EMPTY) == []
    sandbox.switches.set({"A-7": "404"})
    with pytest.raises(MissingError, match="empty or missing"):
        await names(provider, EMPTY)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a8_a_level_is_put_together_where_the_service_cannot(
    opened: Open, sandbox: Sandbox, version: str
) -> None:
    provider = opened(version)
    folders = ("exports/reporting/", CUSTOM, LISTS, EMPTY, "exports/cxp/")
    level = [set(await names(provider, folder)) for folder in folders]
    sandbox.switches.set({"A-8": "400"})
    by_two = opened(version)
    assert [set(await names(by_two, folder)) for folder in folders] == level
    assert level[1]


@pytest.mark.parametrize("answer", ["no", "yes"])
async def test_a9_a_folder_is_not_inside_itself(opened: Open, sandbox: Sandbox, answer: str) -> None:
    sandbox.switches.set({"A-9": answer})
    assert CUSTOM not in await names(opened(), CUSTOM)


async def test_a10_pages_of_five_hundred_are_asked_for(opened: Open, sandbox: Sandbox) -> None:
    provider = opened()
    folder = await crowd(provider)
    sandbox.log.clear()
    found = await names(provider, folder)
    assert len(found) == 10_000
    assert found == sorted(found, key=str.encode)
    pages = [seen for seen in sandbox.log.requests if seen.path.endswith("objectKeys")]
    assert len(pages) == 20
    assert {parse_qs(seen.query)["maxResults"][0] for seen in pages} == {"500"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["exclusive", "inclusive", "quoted"])
async def test_a11_pages_fit_together_whatever_their_token_means(
    opened: Open, sandbox: Sandbox, version: str, kind: str
) -> None:
    provider = opened(version)
    location = provider.locate(await crowd(provider))
    sandbox.switches.set({"A-11": kind})
    first = await provider.browse(location)
    second = await provider.browse(location, first.cursor)
    together = [entry.location.path for entry in (*first.items, *second.items)]
    assert len(set(together)) == len(together) >= 999
    sandbox.switches.set({"A-11": "exclusive"})
    assert together == (await names(opened(version), location.path, 2))[: len(together)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("end", ["absent", "blank", "null"])
async def test_a12_every_kind_of_end_is_one(opened: Open, sandbox: Sandbox, version: str, end: str) -> None:
    sandbox.switches.set({"A-12": end})
    provider = opened(version)
    assert (await provider.browse(provider.locate(CUSTOM))).cursor is None


@pytest.mark.parametrize(("kind", "total"), [("string", 28), ("number", 28), ("absent", None)])
async def test_a13_totals(opened: Open, sandbox: Sandbox, kind: str, total: int | None) -> None:
    sandbox.switches.set({"A-13": kind})
    provider = opened()
    assert (await provider.browse(provider.locate(NIGHTLY))).total == total


@pytest.mark.parametrize("shape", ["bare", "wrapped"])
async def test_a14_a_link_is_found_in_both_shapes(opened: Open, sandbox: Sandbox, shape: str) -> None:
    sandbox.switches.set({"A-14": shape})
    provider = opened("v2")
    location = provider.locate((await names(provider, LISTS))[0])
    assert fetch((await provider.link(location)).url.reveal()).status == 200
    assert put(await provider.target(provider.locate(f"{LISTS}a14.csv"), 2), b"ok").status == 200


@pytest.mark.parametrize(("form", "known"), [("KB", True), ("kb", True), ("blank", False)])
async def test_a15_sizes_are_rounded_or_unknown(opened: Open, sandbox: Sandbox, form: str, known: bool) -> None:
    sandbox.switches.set({"A-15": form})
    provider = opened()
    entry = await provider.stat(provider.locate((await names(provider, NIGHTLY))[0]))
    assert isinstance(entry, StoredObject)
    assert not entry.size_exact
    if known:
        data = fetch((await provider.source(entry.location)).url.reveal()).data
        assert entry.size == pytest.approx(len(data), abs=52)
    else:
        assert entry.size is None


async def test_a16_no_folder_is_ever_deleted(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-16": "recursive"})
    provider = opened()
    with pytest.raises(UsageError):
        await provider.delete([provider.locate(LISTS)])
    assert not [seen for seen in sandbox.log.requests if seen.method == "DELETE"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("answer", "outcome"), [("404", DeletionOutcome.GONE), ("success", DeletionOutcome.DELETED)])
async def test_a17_deleting_what_is_gone(
    opened: Open, sandbox: Sandbox, version: str, answer: str, outcome: DeletionOutcome
) -> None:
    sandbox.switches.set({"A-17": answer})
    provider = opened(version)
    location = provider.locate(f"{LISTS}a17-{version}.csv")
    assert put(await provider.target(location, 4), b"gone").status == 200
    assert [one.outcome for one in await provider.delete([location])] == [DeletionOutcome.DELETED]
    assert [one.outcome for one in await provider.delete([location])] == [outcome]
    with pytest.raises(MissingError):
        await provider.stat(location)


async def test_a18_uploads_elsewhere_are_a_matter_of_caution(opened: Open, sandbox: Sandbox) -> None:
    provider = opened()
    location = provider.locate(f"{CUSTOM}a18.csv")
    assert provider.upload_caution(location)
    assert not provider.upload_caution(provider.locate(LISTS))
    with pytest.raises(ForbiddenError):
        await provider.target(location, 2)
    sandbox.switches.set({"A-18": "allowed"})
    assert put(await provider.target(location, 2), b"ok").status == 200
    await provider.delete([location])


async def test_a19_an_upload_replaces_what_was_there(opened: Open) -> None:
    provider = opened()
    location = provider.locate(f"{LISTS}a19.csv")
    for data in (b"first", b"second"):
        assert put(await provider.target(location, len(data)), data).status == 200
        assert fetch((await provider.source(location)).url.reveal()).data == data
    await provider.delete([location])


async def test_a20_an_unknown_folder_is_explained_in_the_services_words(opened: Open) -> None:
    provider = opened()
    with pytest.raises(MissingError) as missing:
        await provider.target(provider.locate("imports/nowhere/x.csv"), 2)
    assert "folder of the key" in missing.value.message
    assert missing.value.subject == "acme:imports/nowhere/x.csv"


async def test_a21_folders_of_v3_are_said_to_need_v3(opened: Open, sandbox: Sandbox) -> None:
    older, newer = opened("v2"), opened("v3")
    key = (await names(newer, "exports/workforce/"))[0]
    for ask in (older.browse(older.locate("exports/workforce/")), older.source(older.locate(key))):
        with pytest.raises(MissingError) as missing:
            await ask
        assert 'api_version = "v3"' in missing.value.hint
    hidden = ("exports/workforce/", "exports/workflow/")
    for provider, warnings in ((older, 1), (newer, 0)):
        page = await provider.browse(provider.locate("exports/"))
        assert [all(folder in warning for folder in hidden) for warning in page.warnings] == [True] * warnings
    sandbox.switches.set({"A-21": "visible"})
    assert await names(older, "exports/workforce/")
    assert not (await older.browse(older.locate("exports/"))).warnings


async def test_a22_a_link_that_ended_is_replaced_by_a_new_one(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-22": "2"})
    provider = opened()
    location = provider.locate((await names(provider, LISTS))[0])
    source = await provider.source(location)
    assert fetch(source.url.reveal()).status == 200
    sandbox.world.clock.offset += 3
    try:
        assert fetch(source.url.reveal()).status == 403
        assert fetch((await provider.source(location)).url.reveal()).status == 200
    finally:
        sandbox.world.clock.offset -= 3


@pytest.mark.parametrize("version", VERSIONS)
async def test_a23_native_links_are_given_to_those_who_want_them(opened: Open, sandbox: Sandbox, version: str) -> None:
    provider = opened(version)
    location = provider.locate((await names(provider, LISTS))[0])
    native = await provider.link(location, LinkForm.NATIVE)
    assert (native.form, native.note, fetch(native.url.reveal()).status) == (LinkForm.NATIVE, "", 200)
    sandbox.switches.set({"A-23": "no"})
    assert fetch((await provider.link(location)).url.reveal()).status == 200
    assert fetch(native.url.reveal()).status != 200


@pytest.mark.parametrize("status", [206, 200])
async def test_a24_a_source_may_not_know_ranges(opened: Open, sandbox: Sandbox, status: int) -> None:
    sandbox.switches.set({"A-24": str(status)})
    provider = opened()
    source = await provider.source(provider.locate((await names(provider, LISTS))[0]))
    assert fetch(source.url.reveal(), Range="bytes=1-2").status == status
    assert source.size is None


@pytest.mark.parametrize("kind", ["with", "without"])
async def test_a25_a_service_that_throttles_every_second_call_is_only_slower(
    opened: Open, sandbox: Sandbox, kind: str
) -> None:
    sandbox.switches.set({"A-25": kind})
    provider = opened()
    assert await names(provider, CUSTOM)
    assert await names(provider, LISTS)


async def test_a25_a_service_that_always_throttles_is_given_up(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-25": "429 with Retry-After"})
    provider = opened(give_up=0)
    with pytest.raises(ThrottledError) as throttled:
        await provider.browse(provider.locate(CUSTOM))
    assert (throttled.value.code, throttled.value.subject) == (4, f"acme:{CUSTOM}")


async def test_a25_waiting_is_shown(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-25": "429 with Retry-After"})
    provider = opened()
    call = asyncio.ensure_future(provider.browse(provider.locate(CUSTOM)))
    await until(lambda: provider.session.note)
    assert provider.session.note.endswith(f" s for acme:{CUSTOM}: the service asks to")
    sandbox.switches.reset()
    assert (await call).items
    assert provider.session.note == ""


@pytest.mark.parametrize("kind", ["string", "number"])
async def test_a26_the_services_words_are_shown(opened: Open, sandbox: Sandbox, kind: str) -> None:
    sandbox.switches.set({"A-26": kind})
    provider = opened()
    with pytest.raises(MissingError, match=r"no-such\.csv: not found: .+"):
        await provider.stat(provider.locate(f"{LISTS}no-such.csv"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_both_clouds_take_uploads_with_exactly_their_headers(
    opened: Open, sandbox: Sandbox, version: str
) -> None:
    provider = opened(version)
    for cloud, headers in (("aws", 2), ("gcp", 0)):
        sandbox.switches.set({"A-cloud": cloud})
        location = provider.locate(f"{LISTS}{cloud}.csv")
        target = await provider.target(location, 5)
        assert len(target.headers) == headers
        assert put(target, cloud.encode()).status == 200
        assert fetch((await provider.source(location)).url.reveal()).data == cloud.encode()
        await provider.delete([location])


@pytest.mark.parametrize("kind", ["no", "empty"])
async def test_a_listing_without_end_is_ended_with_what_was_found(opened: Open, sandbox: Sandbox, kind: str) -> None:
    sandbox.switches.set({"A-end": kind})
    provider = opened()
    location = provider.locate(NIGHTLY)
    pager = Pager(lambda cursor: provider.browse(location, cursor), identity, location.address)
    found: list[Entry] = []
    with pytest.raises(EndlessListingError):
        await drain(pager, found)
    assert len(found) == 28


@pytest.mark.parametrize(("kind", "has_note"), [("both", False), ("asked", False), ("other", True)])
async def test_the_other_form_of_a_link_is_better_than_none(
    opened: Open, sandbox: Sandbox, kind: str, has_note: bool
) -> None:
    sandbox.switches.set({"A-links": kind})
    provider = opened("v2")
    link = await provider.link(provider.locate((await names(provider, LISTS))[0]))
    assert bool(link.note) == has_note
    assert (link.form is LinkForm.NATIVE) == has_note
    assert fetch(link.url.reveal()).status == 200


@pytest.mark.parametrize(
    ("damage", "error"),
    [("blank", UnsafeError), ("other key", UnsafeError), ("other host", UnsafeError), ("empty", ReplyError)],
)
async def test_a_damaged_link_is_refused(
    opened: Open, sandbox: Sandbox, damage: str, error: type[UnsafeError | ReplyError]
) -> None:
    provider = opened()
    location = provider.locate((await names(provider, LISTS))[0])
    sandbox.switches.set({"A-link": damage})
    with pytest.raises(error) as refused:
        await provider.source(location)
    assert refused.value.subject == location.address
    assert "Signature" not in str(refused.value)


async def test_a_link_through_another_folder_is_followed(opened: Open, sandbox: Sandbox) -> None:
    provider = opened()
    location = provider.locate((await names(provider, LISTS))[0])
    sandbox.switches.set({"A-link": "other folder"})
    assert fetch((await provider.source(location)).url.reveal()).status == 200


async def test_a_token_that_ends_early_is_renewed_unseen(opened: Open, sandbox: Sandbox) -> None:
    sandbox.switches.set({"A-token-life": "2"})
    provider = opened()
    location = provider.locate(await crowd(provider))
    first = await provider.browse(location)
    sandbox.world.clock.offset += 5
    try:
        second = await provider.browse(location, first.cursor)
    finally:
        sandbox.world.clock.offset -= 5
    assert len({entry.location.path for entry in (*first.items, *second.items)}) == 1000
    assert sum("token" in seen.path for seen in sandbox.log.requests) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"org": "nobody"}, "org"),
        ({"client_id": "nobody"}, "client_id"),
        ({"scopes": ("mediastorageapi.nonsense",)}, "scopes"),
    ],
)
async def test_a_refused_login_names_the_option_to_look_at(
    opened: Open, options: dict[str, OptionValue], words: str
) -> None:
    provider = opened(**options)
    with pytest.raises(LoginError) as refused:
        await provider.browse(provider.locate(CUSTOM))
    assert words in refused.value.hint
    assert refused.value.code == 3


async def test_scopes_that_were_not_granted_are_found_by_the_check(opened: Open, sandbox: Sandbox) -> None:
    assert sandbox.alvaria is not None
    secret = sandbox.alvaria.tokens.secret("acme-sandbox-reports")
    scopes = ("mediastorageapi.exports.reporting", "mediastorageapi.exports.cxp")
    provider = opened(client_secret=secret, client_id="acme-sandbox-reports", scopes=scopes)
    *_, last = await provider.check()
    assert (last.title, last.ok) == ("scopes", False)
    assert "mediastorageapi.exports.cxp" in last.text


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_odd_name_can_be_listed_looked_at_and_fetched(opened: Open, version: str) -> None:
    provider = opened(version)
    waiting, files = [f"{CUSTOM}odd names/"], 0
    while waiting:
        location = provider.locate(waiting.pop())
        if provider.is_folder(location):
            waiting += await names(provider, location.path)
            continue
        files += 1
        entry = await provider.stat(location)
        assert entry.location == location
        assert fetch((await provider.source(location)).url.reveal()).status == 200
    assert files > 15


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_tree_is_reached_level_by_level_with_one_request_each(
    opened: Open, sandbox: Sandbox, version: str
) -> None:
    provider = opened(version)
    sandbox.log.clear()
    page = await provider.folders(provider.locate("exports/reporting/"))
    assert [folder.name for folder in page.items] == ["enterprise-historical", "intraday", "outreach"]
    assert all(isinstance(folder, Folder) for folder in page.items)
    assert sum("objectKeys" in seen.path for seen in sandbox.log.requests) == 1

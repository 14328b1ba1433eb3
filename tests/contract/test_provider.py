"""One suite over every provider: what the program relies on."""

import asyncio
import hashlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import (
    AccessError,
    LoginError,
    MissingError,
    ReadOnlyError,
    StorageError,
    UnsupportedError,
)
from cloudstore_tui.core.models import Folder, Query, StoredObject, identity
from cloudstore_tui.core.provider import WRITES, Capability, StorageProvider
from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.net.logs import requests_sent
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox

Fetch = Callable[..., tuple[int, bytes]]


async def test_every_page_of_a_listing_is_reached_exactly_once(service: Any) -> None:
    entries = await service.listing(service.locate(service.folder), 400)
    assert len(entries) > 5
    assert len({identity(entry) for entry in entries}) == len(entries)


async def test_the_root_holds_folders_and_each_can_be_listed(service: Any) -> None:
    root = service.locate("")
    assert service.provider.is_folder(root)
    assert service.provider.parent(root) is None
    folders = await service.provider.folders(root)
    assert len(folders.items) >= 2
    for folder in folders.items:
        assert service.provider.parent(folder.location) == root
        page = await service.provider.browse(folder.location)
        assert all(entry.location.profile == service.profile.name for entry in page.items)


async def test_the_tree_leads_down_to_objects(service: Any) -> None:
    location = service.locate("")
    for _level in range(8):
        page = await service.provider.folders(location)
        if not page.items:
            break
        location = page.items[0].location
    assert await service.listing(location, 1)


async def test_an_address_and_its_location_are_each_others_inverse(service: Any) -> None:
    entry = await service.an_object()
    rest = entry.location.address.partition(":")[2]
    assert service.locate(rest) == entry.location
    assert not service.provider.is_folder(entry.location)


async def test_stat_tells_what_the_listing_told(service: Any) -> None:
    entry = await service.an_object()
    seen = await service.provider.stat(entry.location)
    assert (seen.location, seen.name, seen.size) == (entry.location, entry.name, entry.size)


async def test_a_missing_object_is_missing(service: Any) -> None:
    location = service.locate(service.missing)
    for ask in (service.provider.stat, service.provider.source):
        with pytest.raises(MissingError) as missing:
            await ask(location)
        assert missing.value.subject == location.address
        assert missing.value.code == 8


async def test_the_bytes_of_a_source_are_those_that_were_promised(service: Any, fetch_plainly: Fetch) -> None:
    entry = await service.an_object()
    source = await service.provider.source(entry.location)
    status, data = fetch_plainly(source.url.reveal(), {name: value.reveal() for name, value in source.headers.items()})
    assert status == 200
    if source.size is not None:
        assert len(data) == source.size
    if source.checksum and "-" not in source.checksum:
        assert hashlib.md5(data).hexdigest() == source.checksum


async def test_a_link_works_for_anybody_and_says_when_it_ends(service: Any, fetch_plainly: Fetch) -> None:
    entry = await service.an_object()
    link = await service.provider.link(entry.location)
    status, data = fetch_plainly(link.url.reveal())
    assert status == 200
    assert data
    assert link.expires.tzinfo is not None
    assert "***" in repr(link)
    assert link.url.reveal() not in repr(link)


async def test_a_wrong_secret_is_a_refused_login_that_names_the_cure(changed: Any) -> None:
    service = changed(secrets={"secret": "wrong-canary-secret"})
    with pytest.raises(LoginError) as refused:
        await service.provider.browse(service.locate(service.folder))
    assert refused.value.code == 3
    assert refused.value.hint
    assert "canary" not in str(refused.value)


async def test_check_says_what_is_well_and_what_is_not(service: Any, changed: Any) -> None:
    assert all(check.ok for check in await service.provider.check())
    broken = await changed(secrets={"secret": "wrong"}).provider.check()
    assert not broken[-1].ok
    assert isinstance(broken[-1].error, AccessError)


async def test_abilities_are_those_that_work(service: Any) -> None:
    provider = service.provider
    entry = await service.an_object()
    calls: dict[Capability, Callable[[], Any]] = {
        Capability.SEARCH: lambda: provider.search(Query(service.locate(service.folder))),
        Capability.COUNT: lambda: provider.count(Query(service.locate(service.folder))),
        Capability.LINK: lambda: provider.link(entry.location),
        Capability.RELATED: lambda: provider.related(entry),
        Capability.ZIP: lambda: provider.start_zip([entry.location]),
    }
    for capability, call in calls.items():
        if capability in provider.capabilities:
            await call()
        else:
            with pytest.raises(UnsupportedError):
                await call()


Call = Callable[[StorageProvider, StoredObject], Awaitable[object]]
CHANGES: dict[str, Call] = {
    "delete": lambda provider, entry: provider.delete([entry.location]),
    "target": lambda provider, entry: provider.target(entry.location, 1),
    "restore": lambda provider, entry: provider.restore(entry.location),
    "cancel_zip": lambda provider, entry: provider.cancel_zip(entry.location.region, "of-others.zip"),
    "clear_zips": lambda provider, entry: provider.clear_zips(entry.location.region),
}
"""Every method that changes something on the server."""
READS = {
    *("folders", "browse", "stat", "source", "check", "close", "search", "count", "measure", "link", "related"),
    *("start_zip", "zip_job", "zip_jobs", "zip_source"),
}
"""Every other one that asks the server."""


def test_every_method_is_known_to_read_or_to_change() -> None:
    asking = {name for name, method in vars(StorageProvider).items() if inspect.iscoroutinefunction(method)}
    assert asking == {*CHANGES, *READS}


@pytest.mark.parametrize("method", list(CHANGES))
async def test_a_read_only_profile_refuses_everything_that_changes(
    service: Any, changed: Any, sandbox: Sandbox, method: str
) -> None:
    writable = service.provider
    assert set(CHANGES) - {"cancel_zip"} == {capability.value for capability in WRITES}
    provider = changed(read_only=True).provider
    assert not provider.capabilities & WRITES
    entry = await service.an_object()
    sandbox.log.clear()
    is_there = getattr(type(writable), method) is not getattr(StorageProvider, method)
    with pytest.raises(ReadOnlyError if is_there else UnsupportedError) as refused:
        await CHANGES[method](provider, entry)
    assert refused.value.code == (3 if is_there else 2)
    assert not is_there or "read_only = false" in refused.value.hint
    assert sandbox.log.requests == []


async def test_a_read_only_profile_stops_the_zip_jobs_that_it_started(service: Any, changed: Any) -> None:
    if service.has_keys:
        pytest.skip("no zip jobs there")
    provider = changed(read_only=True).provider
    entry = await service.an_object()
    other = await service.provider.start_zip([entry.location])
    mine = await provider.start_zip([entry.location])
    await provider.cancel_zip("us-east", mine.name)
    with pytest.raises(ReadOnlyError):
        await provider.cancel_zip("us-east", other.name)
    await service.provider.cancel_zip("us-east", other.name)


async def test_a_broken_connection_is_one_sentence_with_the_right_code(changed: Any) -> None:
    service = changed()
    options = dict(service.profile.options) | {"api_base": "http://127.0.0.1:9"}
    timeouts = type(service.profile.timeouts)(connect=1, read=1, give_up=1)
    unreachable = changed(options=options, timeouts=timeouts)
    with pytest.raises(StorageError) as broken:
        await unreachable.provider.browse(unreachable.locate(service.folder))
    assert broken.value.code == 4
    assert broken.value.retryable
    assert "127.0.0.1" in str(broken.value)


async def test_a_cancelled_listing_leaves_the_provider_usable(service: Any) -> None:
    location, sent = service.locate(service.folder), requests_sent()
    task = asyncio.ensure_future(service.provider.browse(location))
    while requests_sent() == sent:  # noqa: ASYNC110 - each turn of the loop counts
        await asyncio.sleep(0)
    # It is on its way, and no turn of the loop has looked for the reply yet.
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await service.provider.browse(location)).items


async def test_one_token_serves_many_calls_at_once(service: Any, sandbox: Sandbox) -> None:
    sandbox.log.clear()
    location = service.locate(service.folder)
    await asyncio.gather(*(service.provider.browse(location) for _ in range(10)))
    tokens = [request for request in sandbox.log.requests if "token" in request.path]
    assert len(tokens) == 1


async def test_nothing_secret_is_logged(service: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    entry = await service.an_object()
    link = await service.provider.link(entry.location)
    signature = link.url.reveal().rpartition("=")[2]
    secret = service.profile.secrets("secret").reveal()
    assert signature not in caplog.text
    assert secret not in caplog.text
    assert "Bearer" not in caplog.text


async def test_columns_name_fields_and_tags_that_are_there(service: Any) -> None:
    location = service.locate(service.folder)
    entries = [entry for entry in await service.listing(location, 100) if isinstance(entry, StoredObject)]
    columns = service.provider.columns(location, frozenset(entry.type for entry in entries))
    assert 2 <= len(columns) <= 12
    for column in columns:
        assert any(getattr(entry, column.name, None) or entry.tag(column.name) for entry in entries), column


async def test_places_that_stand_for_a_query_find_what_they_list(service: Any) -> None:
    for folder in (await service.provider.folders(service.locate(""))).items:
        assert isinstance(folder, Folder)
        query = service.provider.query(folder.location)
        if query is None:
            continue
        listed = await service.provider.browse(folder.location)
        found = await service.provider.search(query)
        assert [identity(entry) for entry in found.items] == [identity(entry) for entry in listed.items]


@pytest.mark.parametrize("spec", PROVIDERS, ids=lambda spec: spec.name)
async def test_a_provider_has_no_method_that_the_contract_does_not_know(spec: ProviderSpec, config: Config) -> None:
    provider = spec.open(next(profile for profile in config.profiles.values() if profile.provider == spec.name))
    own = {name for name in vars(type(provider)) if not name.startswith("_")}
    await provider.close()
    assert own
    assert own <= set(dir(StorageProvider))

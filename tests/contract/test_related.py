"""The objects of one call, found from any of them, on the real sandbox."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from cloudstore_tui.calls import CallPart, CallTree, Tie, call_tree, placeholder
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject, identity
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider
from cloudstore_tui.sandbox.server import Sandbox

EAST = Location("acme8", "us-east")
SHOWN = "type==callcenterrecording;agentName=='Khang Glynn';duration==1271000"
"""The call that has everything."""
TRANSFER = "type==callcenterrecording;createdTime=ge=1724666400000;createdTime=le=1724666800000"
"""Both recordings of a call that was passed on."""


@pytest.fixture
async def provider(config: Config) -> AsyncIterator[StorageProvider]:
    provider = EightByEightProvider(replace(config.profile("acme8"), requests_per_minute=0))
    yield provider
    await provider.close()


async def found(provider: StorageProvider, text: str, where: Location = EAST) -> tuple[StoredObject, ...]:
    return (await provider.search(Query(where, text, Sort("createdTime")))).items


async def tree_of(provider: StorageProvider, entry: StoredObject, *, everywhere: bool = False) -> CallTree:
    page = await provider.related(entry, everywhere=everywhere)
    assert page.cursor is None
    assert identity(entry) not in map(identity, page.items)
    return call_tree([entry, *page.items], entry)


def searches(sandbox: Sandbox) -> int:
    return sum(seen.path.endswith("/objects") for seen in sandbox.log.requests)


async def test_a_recording_leads_to_everything_of_its_call(provider: StorageProvider) -> None:
    tree = await tree_of(provider, (await found(provider, SHOWN))[0])
    assert [node.part for node in tree.nodes] == [
        *(
            CallPart.RECORDING,
            CallPart.TRANSCRIPT,
            CallPart.TRANSCRIPT,
            CallPart.SUMMARY,
            CallPart.SENTIMENT,
            CallPart.SURVEY,
        ),
        *(CallPart.COMMENT, CallPart.TRANSCRIPT, CallPart.NOTES, CallPart.SCREEN),
    ]
    assert len(tree.legs) == 1


async def test_every_object_of_a_call_leads_to_all_others(provider: StorageProvider) -> None:
    shown = (await found(provider, SHOWN))[0]
    everything = set((await tree_of(provider, shown)).entries)
    for entry in everything:
        assert set((await tree_of(provider, entry)).entries) == everything, entry.type


async def test_both_legs_of_a_transferred_call_are_found_from_each(provider: StorageProvider) -> None:
    one, other = await found(provider, TRANSFER)
    notes = next(entry for entry in (await tree_of(provider, other)).entries if entry.type == "agentnotes")
    for entry, legs in ((one, [3, 4]), (other, [4, 3]), (notes, [4, 3])):
        tree = await tree_of(provider, entry)
        assert [leg.tie for leg in tree.legs] == [Tie.SELF, Tie.TRANSFER]
        assert [len(list(leg.walk())) for leg in tree.legs] == legs
        assert tree.legs[0].call_id == entry.tag("callId")


@pytest.mark.parametrize(
    "key", ["callId", "originalCallId", "transactionId", "sourceId", "sourceObjectId", "bucketId", "id"]
)
async def test_a_call_is_found_by_each_of_its_ids(provider: StorageProvider, key: str) -> None:
    if key == "originalCallId":
        # Nothing of that call is left but the message that somebody left.
        voicemail = (await found(provider, "type==callcentervoicemail"))[0]
        value, wanted = voicemail.tag(key), {voicemail}
    else:
        shown = (await found(provider, SHOWN))[0]
        wanted = set((await tree_of(provider, shown)).entries)
        told = {"bucketId": {shown.bucket_id}, "id": {entry.id for entry in wanted}}
        value = sorted(told.get(key) or {entry.tag(key) for entry in wanted} - {""})[0]
    page = await provider.related(placeholder(EAST, value))
    assert wanted <= set(page.items)


async def test_one_call_costs_few_requests(provider: StorageProvider, sandbox: Sandbox) -> None:
    shown = (await found(provider, SHOWN))[0]
    before = searches(sandbox)
    await provider.related(shown)
    assert searches(sandbox) - before <= 3


async def test_a_value_of_nobody_finds_nothing_and_says_so(provider: StorageProvider) -> None:
    page = await provider.related(placeholder(Location("acme8"), "nobody's call; or (is it)"))
    assert (page.items, page.warnings) == ((), ())


async def test_all_regions_are_asked_only_where_that_is_wanted(provider: StorageProvider) -> None:
    british = (await found(provider, "type==callrecording", Location("acme8", "uk")))[0]
    key = british.tag("callId")
    assert (await provider.related(placeholder(EAST, key))).items == ()
    assert british in (await provider.related(placeholder(EAST, key), everywhere=True)).items
    assert british in (await provider.related(placeholder(Location("acme8"), key))).items


async def test_what_is_not_available_is_shown_as_well(provider: StorageProvider) -> None:
    revoked = (await found(provider, "objectState==REVOKED"))[0]
    assert (await provider.related(placeholder(EAST, revoked.tag("callId")))).items == (revoked,)
    purged = (await found(provider, "objectState==DELETED"))[0]
    assert (await provider.related(placeholder(EAST, purged.tag("callId")))).items == ()

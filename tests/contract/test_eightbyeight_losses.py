"""Replies that are lost and tokens that end on the way: what was asked for is done once, and known afterwards."""

import http.client
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import DeletionOutcome, StorageProvider
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.providers.eightbyeight.spec import SPEC
from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.http import Asked, Reply, serving
from tests.support.sandbox import own_sandbox

EAST = Location("acme8", "us-east")
MISSING = Location("acme8", "us-east", "00000000-0000-4000-8000-000000000000")


@dataclass
class Cutter:
    """A proxy that passes everything on, and loses the next replies to what it is told."""

    url: str = ""
    cut: list[str] = field(default_factory=list)
    """Beginnings of `METHOD path`, each for one reply."""
    lost: list[str] = field(default_factory=list)
    """What was passed on without an answer."""

    def loses(self, line: str) -> bool:
        start = next((start for start in self.cut if line.startswith(start)), None)
        if start is None:
            return False
        self.cut.remove(start)
        self.lost.append(line)
        return True


sandbox_server = own_sandbox()


@pytest.fixture
def cutter(ready: Ready) -> Iterator[Cutter]:
    cutter, goal = Cutter(), ready.base_url.partition("//")[2]

    def pass_on(asked: Asked) -> Reply:
        onward = http.client.HTTPConnection(goal, timeout=20)
        onward.request(asked.method, asked.target, body=asked.body, headers=asked.headers)
        answer = onward.getresponse()
        data = answer.read()
        onward.close()
        if cutter.loses(f"{asked.method} {asked.target}"):
            return None
        return answer.status, data, ("Content-Type", answer.headers.get("Content-Type", ""))

    with serving(pass_on) as cutter.url:
        yield cutter


@pytest.fixture
async def provider(sandbox: Sandbox, ready: Ready, cutter: Cutter) -> AsyncIterator[StorageProvider]:
    """The sandbox's profile, behind the proxy."""
    usual = load_config(ready.config, PROVIDERS).profile("acme8")
    options = {**usual.options, "api_base": cutter.url, "token_url": f"{cutter.url}/oauth/v2/token"}
    made = SPEC.open(replace(usual, options=options, timeouts=Timeouts(connect=5, read=10, give_up=20)))
    yield made
    await made.close()


async def some(provider: StorageProvider, filter_: str, number: int) -> list[StoredObject]:
    page = await provider.search(Query(EAST, filter_, Sort("createdTime")))
    assert len(page.items) >= number, filter_
    return list(page.items[:number])


def sent(sandbox: Sandbox, method: str, ending: str) -> int:
    """How many such requests the service saw."""
    return len([seen for seen in sandbox.log.requests if seen.method == method and seen.path.endswith(ending)])


async def test_a_lost_answer_to_a_reading_is_asked_for_again(
    provider: StorageProvider, sandbox: Sandbox, cutter: Cutter
) -> None:
    cutter.cut = ["POST /oauth/v2/token", "GET /storage/us-east/v3/objects"]
    assert (await provider.browse(EAST)).items
    assert len(cutter.lost) == 2
    assert sent(sandbox, "GET", "/objects") == 2


async def test_a_lost_answer_to_a_deletion_is_settled_by_looking(
    provider: StorageProvider, sandbox: Sandbox, cutter: Cutter
) -> None:
    first, second, kept = await some(provider, "type==postcallsurvey", 3)
    cutter.cut = ["DELETE "]
    found = await provider.delete([first.location, second.location])
    assert [(deletion.location, deletion.outcome) for deletion in found] == [
        (first.location, DeletionOutcome.DELETED),
        (second.location, DeletionOutcome.DELETED),
    ]
    assert (cutter.lost, sent(sandbox, "DELETE", "/bulk")) == (["DELETE /storage/us-east/v3/bulk"], 1)
    seen = await provider.stat(kept.location)
    assert isinstance(seen, StoredObject)
    assert seen.state == "AVAILABLE"


async def test_a_lost_refusal_of_a_deletion_leaves_what_is_there(
    provider: StorageProvider, sandbox: Sandbox, cutter: Cutter
) -> None:
    (kept,) = await some(provider, "type==summary", 1)
    sandbox.switches.set({"E-28": "404"})
    cutter.cut = ["DELETE "]
    found = await provider.delete([kept.location, MISSING])
    assert found[0].outcome is DeletionOutcome.KEPT
    assert found[0].error is not None
    assert "still there" in str(found[0].error)
    assert sent(sandbox, "DELETE", "/bulk") == 1


@pytest.mark.parametrize("shape", ["object", "array", "queue"])
async def test_a_zip_job_whose_start_was_lost_is_found_in_the_queue(
    provider: StorageProvider, sandbox: Sandbox, cutter: Cutter, shape: str
) -> None:
    sandbox.switches.set({"E-5": shape})
    entries = await some(provider, "type==transcription", 2)
    assert await provider.clear_zips("us-east") == ()
    earlier = await provider.start_zip([entries[0].location])
    cutter.cut = ["POST /storage/us-east/v3/bulk"]
    job = await provider.start_zip([entry.location for entry in entries])
    assert job.name != earlier.name
    assert len(job.content) == 2
    assert len((await provider.zip_jobs("us-east")).items) == 2
    cutter.cut = ["PUT /storage/us-east/v3/bulk/download/cancel"]
    states = {one.name: one.status for one in await provider.cancel_zip("us-east", job.name)}
    assert states[job.name] == "CANCELLED"
    cutter.cut = ["PUT /storage/us-east/v3/bulk/download/clear"]
    assert await provider.clear_zips("us-east") == ()
    assert len(cutter.lost) == 3
    assert sent(sandbox, "POST", "/start") == 2
    assert sent(sandbox, "PUT", "/clear") == 2


async def test_a_restore_whose_answer_was_lost_is_seen_in_the_state(
    provider: StorageProvider, sandbox: Sandbox, cutter: Cutter
) -> None:
    first, second = await some(provider, "objectState==ARCHIVED", 2)
    sandbox.switches.set({"E-18": "PENDING"})
    cutter.cut = ["POST "]
    assert await provider.restore(first.location, 3) == 3
    sandbox.switches.set({"E-18": "ARCHIVED"})
    cutter.cut = ["POST "]
    with pytest.raises(NetworkError) as unknown:
        await provider.restore(second.location, 3)
    assert unknown.value.code == 4
    assert "Nobody knows" in unknown.value.hint
    assert sent(sandbox, "POST", "/restore") == 2


async def test_a_job_that_outlives_the_token_is_watched_to_its_end(provider: StorageProvider, sandbox: Sandbox) -> None:
    sandbox.switches.set({"token-life": "100", "zip-seconds": "600"})
    entries = await some(provider, "type==transcription", 2)
    job = await provider.start_zip([entry.location for entry in entries])
    states = []
    for _poll in range(4):
        sandbox.world.clock.offset += 160
        states.append((await provider.zip_job("us-east", job.name)).status)
    assert states == ["NOT_STARTED", "IN_PROGRESS", "IN_PROGRESS", "DONE"]
    assert sent(sandbox, "POST", "/oauth/v2/token") == 5
    sandbox.world.clock.offset += 160
    source = await provider.zip_source("us-east", job.name)
    assert source.headers == {}
    assert sent(sandbox, "POST", "/oauth/v2/token") == 6

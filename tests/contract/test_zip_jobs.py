"""Zip transfers against the sandbox's 8x8 service: every answer it can give, and what comes out on the disk."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import JobError, NotAvailableError, PartialError, StorageError
from cloudstore_tui.core.models import Location, Query, Sort, StoredObject
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.providers.eightbyeight.spec import SPEC
from cloudstore_tui.sandbox.server import Ready, Sandbox
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    State,
    TransferProgress,
    TransferSnapshot,
    ZipRequest,
)
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.transfers.zip.download import ZipDownload

EAST = Location("acme8", "us-east")
REPEATED = "type=in=(transcription,sentimentScore)"
"""Small objects, many of which share a name, some with `:` in it, some whose checksum ends in -1 or -3."""


class ServiceClock(Clock):
    """Waiting takes no time here, but the service's clock goes on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.pauses)

    async def sleep(self, delay: float) -> None:
        self.pauses.append(delay)
        self._sandbox.world.clock.offset += delay


@dataclass
class Ended:
    """What became of a zip transfer."""

    state: State | None
    error: StorageError | None
    progress: TransferProgress

    @property
    def members(self) -> list[TransferSnapshot]:
        return [member.snapshot() for member in self.progress.members]

    @property
    def states(self) -> Counter[str]:
        return Counter(member.state.value for member in self.members)


@dataclass
class Bench:
    """The service, and what transfers work with."""

    sandbox: Sandbox
    provider: StorageProvider
    means: TransferContext
    folder: Path

    async def found(self, filter_: str, count: int = 100) -> list[StoredObject]:
        page = await self.provider.search(Query(EAST, filter_, Sort("createdTime")))
        assert len(page.items) >= count, filter_
        return list(page.items[:count])

    def request(self, entries: list[StoredObject], **fields: Any) -> ZipRequest:
        members = (
            DownloadRequest(one.location, self.folder, on_conflict=OnConflict.KEEP_BOTH, entry=one, sha256=True)
            for one in entries
        )
        return ZipRequest(tuple(members), EAST, self.folder, **fields)

    async def run(self, request: ZipRequest) -> Ended:
        progress = TransferProgress(1, request, self.means.clock)
        work = ZipDownload(progress, request, self.provider, self.means, JournalEntry(None, 1))
        try:
            return Ended(await work.run(), None, progress)
        except StorageError as error:
            work.discard()
            return Ended(None, error, progress)

    def starts(self) -> int:
        return sum(seen.path.endswith("/bulk/download/start") for seen in self.sandbox.log.requests)

    def contents(self) -> int:
        """Objects that were fetched by themselves."""
        return sum(seen.path.endswith("/content") for seen in self.sandbox.log.requests)

    def check(self, members: list[TransferSnapshot], entries: list[StoredObject]) -> None:
        """Every member is on the disk and is what its record says."""
        for member, entry in zip(members, entries, strict=False):
            assert member.state is State.DONE
            assert member.path is not None
            content = member.path.read_bytes()
            assert len(content) == entry.size
            assert member.sha256 == hashlib.sha256(content).hexdigest()
            if len(entry.checksum) == 32:
                assert (member.level, entry.checksum) == ("md5", hashlib.md5(content).hexdigest())
        names = [path.name for path in self.folder.iterdir() if path.is_file()]
        assert not [name for name in names if name.startswith(".cs-")]


@pytest.fixture
async def bench(sandbox: Sandbox, config: Config, tmp_path: Path) -> AsyncIterator[Bench]:
    provider = SPEC.open(replace(config.profile("acme8"), requests_per_minute=0))
    timeouts, workers = Timeouts(connect=2, read=5, stall=5, give_up=20), Workers()
    blob = BlobClient(timeouts)
    means = TransferContext(blob, timeouts, ServiceClock(sandbox), Disk(), workers=workers)
    sandbox.log.clear()
    (tmp_path / "to").mkdir()
    yield Bench(sandbox, provider, means, tmp_path / "to")
    workers.close()
    await blob.close()
    await provider.clear_zips("us-east")
    await provider.close()
    sandbox.world.clock.offset = 0.0
    leaks = [seen for seen in sandbox.log.requests if "/BULK/" in seen.path and "authorization" in seen.headers]
    assert leaks == []


@pytest.mark.parametrize("shape", ["object", "array", "queue"])
@pytest.mark.parametrize("reply", ["200", "201", "204"])
async def test_a_hundred_objects_with_repeated_names_arrive_whatever_the_replies_look_like(
    bench: Bench, shape: str, reply: str
) -> None:
    bench.sandbox.switches.set({"E-5": shape, "zip-reply": reply})
    entries = await bench.found(REPEATED)
    assert len({entry.name for entry in entries}) < 100
    assert any(":" in entry.name for entry in entries)
    ended = await bench.run(bench.request(entries))
    assert (ended.state, ended.states) == (State.DONE, {"done": 100})
    bench.check(ended.members, entries)
    assert (bench.starts(), bench.contents()) == (1, 0)


@pytest.mark.parametrize("naming", ["raw", "dots", "numbered"])
async def test_members_are_recognised_however_the_service_names_them(bench: Bench, naming: str) -> None:
    bench.sandbox.switches.set({"E-29": naming})
    entries = await bench.found(REPEATED)
    ended = await bench.run(bench.request(entries))
    assert ended.states == {"done": 100}
    bench.check(ended.members, entries)


async def test_hostile_names_come_out_as_plain_files(bench: Bench) -> None:
    entries = await bench.found("type==agentnotes", 10)
    ended = await bench.run(bench.request(entries))
    assert ended.states == {"done": len(entries)}
    bench.check(ended.members, entries)
    assert all(member.path is not None and member.path.parent == bench.folder for member in ended.members)


async def test_what_a_partial_job_left_out_is_fetched_by_itself(bench: Bench) -> None:
    bench.sandbox.switches.set({"zip-outcome": "PARTIAL_DONE"})
    entries = await bench.found(REPEATED, 12)
    ended = await bench.run(bench.request(entries))
    assert ended.states == {"done": 12}
    bench.check(ended.members, entries)
    assert bench.starts() == 1
    assert bench.contents() >= 1


async def test_jobs_that_fail_are_halved_until_each_object_is_fetched_by_itself(bench: Bench) -> None:
    bench.sandbox.switches.set({"zip-outcome": "FAILED"})
    entries = await bench.found(REPEATED, 5)
    ended = await bench.run(bench.request(entries))
    assert ended.states == {"done": 5}
    bench.check(ended.members, entries)
    # All of them twice, then 2 and 3, 1 and 1, 1 and 2, 1 and 1.
    assert bench.starts() == 10


async def test_archived_objects_fail_alone(bench: Bench) -> None:
    archived = await bench.found("objectState==ARCHIVED", 2)
    entries = await bench.found(REPEATED, 8)
    ended = await bench.run(bench.request([*entries, *archived]))
    assert isinstance(ended.error, PartialError)
    assert "2 of 10 objects failed" in str(ended.error)
    bench.check(ended.members[:8], entries)
    assert all(isinstance(member.error, NotAvailableError) for member in ended.members[8:])
    assert bench.contents() == 0


@pytest.mark.parametrize("refusal", ["PARTIAL_DONE", "404"])
async def test_objects_that_left_the_service_meanwhile_fail_alone(bench: Bench, refusal: str) -> None:
    bench.sandbox.switches.set({"E-22": refusal})
    entries = await bench.found(REPEATED, 3)
    (archived,) = await bench.found("objectState==ARCHIVED", 1)
    stale = replace(archived, state="AVAILABLE")
    ended = await bench.run(bench.request([*entries, stale]))
    assert ended.states["failed"] in (1, 4)
    if refusal == "PARTIAL_DONE":
        assert isinstance(ended.members[3].error, NotAvailableError)
        bench.check(ended.members[:3], entries)


async def test_a_job_that_vanished_is_started_again_once(bench: Bench) -> None:
    entries = await bench.found(REPEATED, 4)
    request = bench.request(entries)
    clock = bench.means.clock
    assert isinstance(clock, ServiceClock)
    sleep, cleared = clock.sleep, 0

    async def clear(delay: float) -> None:
        nonlocal cleared
        await sleep(delay)
        if cleared < 1:
            cleared += 1
            await bench.provider.clear_zips("us-east")

    clock.sleep = clear  # type: ignore[method-assign]  # somebody else clears the queue meanwhile
    ended = await bench.run(request)
    assert ended.states == {"done": 4}
    assert bench.starts() == 2


async def test_a_job_of_yesterday_is_opened_without_knowing_what_is_in_it(bench: Bench) -> None:
    entries = await bench.found(REPEATED, 20)
    job = await bench.provider.start_zip([entry.location for entry in entries])
    ended = await bench.run(bench.request([], job=job.name))
    assert ended.states == {"done": 20}
    found = Counter(len(path.read_bytes()) for path in bench.folder.iterdir())
    assert found == Counter(entry.size for entry in entries)
    assert {member.level for member in ended.members} == {"crc32+size"}


async def test_a_job_whose_zip_has_expired_says_so(bench: Bench) -> None:
    bench.sandbox.switches.set({"E-24": "60s"})
    (entry,) = await bench.found(REPEATED, 1)
    job = await bench.provider.start_zip([entry.location])
    bench.sandbox.world.clock.offset += 100
    ended = await bench.run(bench.request([], job=job.name))
    assert isinstance(ended.error, JobError)
    assert (ended.error.code, "no longer on the server" in str(ended.error)) == (11, True)


@pytest.mark.parametrize("ranges", ["206", "200"])
async def test_the_zip_itself_is_kept_on_request(bench: Bench, ranges: str) -> None:
    bench.sandbox.switches.set({"E-17": ranges})
    entries = await bench.found(REPEATED, 6)
    ended = await bench.run(bench.request(entries, keep="all.zip"))
    assert (ended.state, ended.states) == (State.DONE, {"done": 6})
    assert [path.name for path in bench.folder.iterdir()] == ["all.zip"]


async def test_a_token_that_ends_while_the_service_packs_is_renewed(bench: Bench) -> None:
    bench.sandbox.switches.set({"token-life": "100", "zip-seconds": "400"})
    entries = await bench.found(REPEATED, 3)
    assert (await bench.run(bench.request(entries))).states == {"done": 3}


_PROGRAM = """
import asyncio, json, sys


from msgspec.structs import replace
from msgspec import structs
from pathlib import Path
from typing import Any

from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.models import Query, Sort
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.providers.eightbyeight.spec import SPEC
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.journal.store import JournalEntry
from cloudstore_tui.transfers.model import TransferProgress
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, ZipRequest
from cloudstore_tui.transfers.zip.download import ZipDownload

config, state, folder, filter_ = sys.argv[1:]
east = Location("acme8", "us-east")


async def main() -> None:
    provider = SPEC.open(replace(load_config(Path(config), PROVIDERS).profile("acme8"), requests_per_minute=0))
    journal = JournalStore(Path(state))
    records = await journal.adopt()
    if records:
        request, entry = records[0].request, JournalEntry(journal, records[0].id, records[0])
    else:
        page = await provider.search(Query(east, filter_, Sort("createdTime")))
        members = [DownloadRequest(one.location, Path(folder), on_conflict=OnConflict.KEEP_BOTH, entry=one)
                   for one in page.items[:30]]
        request, entry = ZipRequest(tuple(members), east, Path(folder)), JournalEntry(journal, 1)
        entry.enter(request)
    timeouts = Timeouts(connect=2, read=5, stall=5, give_up=20)
    blob, clock = BlobClient(timeouts), Clock()
    progress = TransferProgress(1, request, clock)
    context = TransferContext(blob, timeouts, clock, Disk(), polls=(1,))
    state_ = await ZipDownload(progress, request, provider, context, entry).run()
    entry.remove()
    await blob.close()
    await provider.close()
    journal.close()
    print(json.dumps([state_, [member.state for member in progress.members], len(records)]))


asyncio.run(main())
"""


@pytest.fixture
def program(ready: Ready, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a zip transfer of thirty objects in a program of its own, which goes on with what was interrupted."""

    def run(crash_at: str = "") -> tuple[int, str]:
        place = (str(ready.config), str(tmp_path / "state"), str(tmp_path / "to"), REPEATED)
        environment = {**os.environ, "CLOUDSTORE_CRASH_AT": crash_at}
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *place], capture_output=True, text=True, timeout=60, env=environment
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("places", "starts"),
    [
        (("verifying:3", "after_link:5", "after_folder_sync:9"), 1),
        (("zip_started", "journal_row", "checkpoint"), 2),
        (("zip_intent", "before_link:2", "after_unlink:20"), 1),
    ],
)
async def test_a_transfer_that_is_killed_three_times_ends_as_if_it_had_not_been(
    sandbox: Sandbox, program: Callable[..., tuple[int, str]], tmp_path: Path, places: tuple[str, ...], starts: int
) -> None:
    sandbox.switches.set({"zip-seconds": "0"})
    sandbox.log.clear()
    for place in places:
        assert program(place)[0] == -signal.SIGKILL
    code, said = program()
    assert (code, json.loads(said)) == (0, ["done", ["done"] * 30, 1])
    names = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert len(names) == 30
    assert not [name for name in names if name.startswith(".cs-")]
    paths = [seen.path for seen in sandbox.log.requests]
    assert sum(path.endswith("/bulk/download/start") for path in paths) == starts
    assert not [path for path in paths if path.endswith("/content")]

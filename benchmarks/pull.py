"""What a large pull costs: memory over start, and seconds.

    python benchmarks/pull.py [--objects 100000]

First a sandbox with so many generated recordings is listed and planned, as by `pull --dry-run`. Then as many objects of
1,000 bytes are pulled, from a server that does nothing else, into a folder that is removed afterwards; then once more,
when all of them are there.
"""

import argparse
import asyncio
import gc
import hashlib
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec.structs import replace

from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.archive.manifest import place_of
from cloudstore_tui.archive.pull import Pull
from cloudstore_tui.archive.strategy import PullOptions, Via
from cloudstore_tui.archive.template import Template
from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Column, Entry, Folder, Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.provider import Check, StorageProvider
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager

BODY = b"0123456789" * 100
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
NAMES = "{start:%Y/%m/%d}/{agentName}-{callId}"
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
PAGE = 100


class Stand(StorageProvider):
    """So many small objects, one a minute."""

    def __init__(self, count: int, port: int) -> None:
        self.profile = Profile("stand", "8x8", requests_per_minute=0)
        self._count = count
        self._port = port

    async def search(self, query: Query, cursor: str | None = None) -> Page[StoredObject]:
        """One page, oldest first."""
        terms = comparisons(parse(query.filter)) if query.filter else ()
        since = [int(term.value) for term in terms if term.operator == "=ge="]
        first = max([0, *(int(moment / 1000 - FIRST.timestamp()) // 60 for moment in since)])
        last = min(first + PAGE, self._count)
        return Page(tuple(_object(number) for number in range(first, last)), str(last) if last < self._count else None)

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        """Where the bytes are."""
        return Source(
            Secret(f"http://127.0.0.1:{self._port}/{location.path}"),
            size=len(BODY),
            checksum=MD5,
            checksum_type="MD5",
            local=True,
        )

    def locate(self, rest: str) -> Location:
        """The location."""
        return Location("stand", "here", rest)

    def is_folder(self, location: Location) -> bool:
        """Whether it is the region."""
        return not location.path

    def parent(self, location: Location) -> Location | None:
        """Nothing."""
        return None

    async def folders(self, location: Location, cursor: str | None = None) -> Page[Folder]:
        """Nothing."""
        return Page(())

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        """Nothing."""
        return Page(())

    def query(self, location: Location) -> Query | None:
        """Nothing."""
        return None

    async def stat(self, location: Location) -> Entry:
        """One object."""
        return _object(int(location.path, 16))

    def columns(self, location: Location, types: frozenset[str] = frozenset()) -> tuple[Column, ...]:
        """Nothing."""
        return ()

    async def check(self) -> tuple[Check, ...]:
        """Nothing."""
        return ()

    async def close(self) -> None:
        """Nothing."""


def _object(number: int) -> StoredObject:
    id_ = f"{number:032x}"
    tags = {"agentName": f"Agent {number % 300}", "callId": f"int-{number:x}", "queueName": "Billing, English"}
    tags |= {f"tag{extra}": "a value of ordinary length" for extra in range(15)}
    return StoredObject(
        Location("stand", "here", id_),
        f"int-{number:x}.mp3",
        id=id_,
        type="callcenterrecording",
        mime="audio/mpeg",
        size=len(BODY),
        size_exact=True,
        created=FIRST + timedelta(minutes=number),
        state="AVAILABLE",
        checksum=MD5,
        checksum_type="MD5",
        tags=tuple(tags.items()),
    )


def serve(channel: Connection) -> None:
    """Answer every request with the same bytes."""
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\nETag: "x"\r\nContent-Type: audio/mpeg\r\n\r\n'.encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head + BODY)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        channel.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def sandbox(channel: Connection, objects: int, data: str) -> None:
    """A sandbox, until this process is ended."""
    channel.send(Sandbox(SandboxOptions(data=Path(data), objects=objects)).start().config)
    time.sleep(3600)


def memory() -> float:
    """Megabytes in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
    return pages * resource.getpagesize() / 1e6


async def measured(title: str, work: Callable[[], Awaitable[object]]) -> None:
    """Print what some work costs."""
    gc.collect()
    before, peak, begun = memory(), memory(), time.perf_counter()
    task = asyncio.ensure_future(work())
    while not task.done():
        peak = max(peak, memory())
        await asyncio.wait({task}, timeout=0.05)
    seconds = time.perf_counter() - begun
    sys.stdout.write(f"{title:24} {seconds:7.1f} s  {peak - before:6.1f} MB over start  {task.result()}\n")
    sys.stdout.flush()


async def preview(config: Path, folder: Path) -> None:
    """List and plan everything in the sandbox."""
    profile = replace(load_config(config, PROVIDERS).profile("acme8"), requests_per_minute=0)
    provider = next(spec for spec in PROVIDERS if spec.name == profile.provider).open(profile)
    # The first page opens connections and the like, which any pull needs.
    await provider.search(Query(Location("acme8", "us-east")))
    pull = Pull(
        provider, QueryListing(provider, Query(Location("acme8")), datetime.now(UTC)), options(folder, Via.AUTO)
    )
    await measured("list and plan", lambda: pull.estimate(2))
    await pull.close()
    await provider.close()


async def fetch(count: int, port: int, folder: Path) -> None:
    """Pull everything, then once more."""
    for title in ("pull", "pull again"):
        provider = Stand(count, port)
        journal = JournalStore(folder / "state")
        engine = TransferManager(partial(_given, provider), 8, journal=journal)
        assert engine.context
        listing = QueryListing(provider, Query(Location("stand", "here")), datetime.now(UTC))
        pull = Pull(provider, listing, options(folder / "calls", Via.CONTENT))
        await measured(title, partial(pull.run, engine))
        await pull.close()
        await engine.close()
        journal.close()


def _given(provider: StorageProvider, _name: str) -> StorageProvider:
    return provider


def options(folder: Path, via: Via) -> PullOptions:
    """As on the command line."""
    return PullOptions(place_of(folder), Template(NAMES, UTC), via, scratch=folder.parent / "scratch")


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the files go meanwhile")
    wanted = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=wanted.folder) as name:
        folder = Path(name)
        ours, theirs = context.Pipe()
        servers = [
            context.Process(target=sandbox, args=(theirs, wanted.objects, str(folder / "data")), daemon=True),
            context.Process(target=serve, args=(theirs,), daemon=True),
        ]
        servers[0].start()
        asyncio.run(preview(ours.recv(), folder / "calls"))
        servers[1].start()
        asyncio.run(fetch(wanted.objects, ours.recv(), folder))
        for server in servers:
            server.kill()


if __name__ == "__main__":
    main()

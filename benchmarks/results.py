"""What it takes to read a large result: calls at once, time left, memory, and keys in a table of many rows.

    python benchmarks/results.py [--rows 100000] [--few 6000] [--latency 100] [--paced 12000] [--table 1000000]

The service is a process of its own that answers each search after `--latency` milliseconds. Times are those of this
machine at this moment: compare figures of one run with each other.
"""

import argparse
import asyncio
import gc
import multiprocessing
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import msgspec
import psutil

from cloudstore_tui.cli.main import collect_garbage_rarely
from cloudstore_tui.core.models import Location, Query, StoredObject, identity
from cloudstore_tui.core.paging import EtaEstimator, Pager
from cloudstore_tui.core.profile import OptionValue, Profile, Secret
from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider
from cloudstore_tui.results.row_store import RowStore

PAGE = 100
LATEST = datetime(2024, 9, 1, tzinfo=UTC)
APART = timedelta(seconds=2)
_BOUND = re.compile(r"createdTime=lt=(\d+)")
_TAGS = {
    "agentName": "Khang Glynn",
    "queueName": "Level 3",
    "direction": "INBOUND",
    "agentId": "agJhRyYsTZQdOr9qYbTFz0vw",
    "address": "+15551234567",
    "duration": "1271000",
    "channelId": "voice",
    "startTime": "1725148800000",
    "endTime": "1725150071000",
    "branch": "Main",
    "dnis": "+18005551212",
}


def say(what: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{what:<62}{value:>12.3f} {unit}\n")
    sys.stdout.flush()


# The service


_RECORD = msgspec.json.encode(
    {
        "id": "%(number)08x-339b-43c2-ad15-572a35dc3aad",
        "customerId": "acmecorp01",
        "userId": "user0001",
        "bucketId": "bucket01",
        "type": "callcenterrecording",
        "mimeType": "audio/mpeg",
        "objectName": "int-%(number)012x-call-acmecorp01.mp3",
        "objectState": "AVAILABLE",
        "storedBytes": "%(size)d",
        "checksum": "a" * 32,
        "checksumType": "MD5",
        "createdTime": "%(created)s",
        "updatedTime": "%(created)s",
        "tags": [
            *({"key": key, "value": value} for key, value in _TAGS.items()),
            {"key": "callId", "value": "int-%(number)012x"},
        ],
    }
).replace(b'"%(size)d"', b"%(size)d")
"""An object as 8x8 returns them, with blanks: a service that took its time would take it from the client beside it."""


def record(number: int) -> bytes:
    """One object, the newest first."""
    created = (LATEST - number * APART).isoformat().encode()
    return _RECORD % {b"number": number, b"size": 3_812_345 + number, b"created": created}


@dataclass
class Service:
    """Answers after a while, with at most so many at once as come."""

    rows: int
    latency: float
    searches: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if found := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
                    await reader.readexactly(int(found[1]))
                body = await self.answer(head.split(b" ", 2)[1].decode())
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, target: str) -> bytes:
        """A token, a page, or how often a page was asked for."""
        path = urlsplit(target)
        if path.path == "/searches":
            return str(self.searches).encode()
        if path.path.endswith("/token"):
            return b'{"access_token":"t","token_type":"BearerToken","expires_in":"3599","api_product_list":"[storage]"}'
        self.searches += 1
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        offset, limit, first = int(asked.get("pageKey", 0)), int(asked.get("limit", PAGE)), 0
        if bound := _BOUND.search(asked.get("filter", "")):
            before = LATEST - datetime.fromtimestamp(int(bound[1]) / 1000, UTC)
            first = max(int(before / APART) + 1, 0)
        numbers = range(min(first + offset, self.rows), min(first + offset + limit, self.rows))
        page = {"lastPage": numbers.stop >= self.rows, "pageKey": offset + limit, "pageSize": len(numbers)}
        content = b",".join(map(record, numbers))
        await asyncio.sleep(self.latency)
        return msgspec.json.encode(page)[:-1] + b',"content":[' + content + b"]}"


def _serve(rows: int, latency: float, pipe: Connection) -> None:
    async def work() -> None:
        server = await asyncio.start_server(Service(rows, latency).serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(work())


@contextmanager
def service(rows: int, latency: float) -> Iterator[int]:
    """The port of a service in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(rows, latency, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def provider(port: int, *, at_once: int, per_minute: int = 0) -> EightByEightProvider:
    """A profile of that service."""
    base = f"http://127.0.0.1:{port}"
    options: dict[str, OptionValue] = {"api_base": base, "client_id": "id", "regions": ("us-east",)}
    profile = Profile(
        "acme8",
        "8x8",
        options=options,
        secrets=lambda _: Secret("s"),
        concurrency=at_once,
        requests_per_minute=per_minute,
    )
    return EightByEightProvider(profile)


# The measurements

QUERY = Query(Location("acme8", "us-east"))


async def read_all(port: int, at_once: int) -> tuple[float, float, int, float]:
    """Seconds until everything is in a store, those of CPU, how many rows that were, and bytes of memory for each."""
    opened = provider(port, at_once=at_once)
    store = RowStore()
    pager: Pager[StoredObject] = Pager(
        partial(opened.search, QUERY), identity, prefetch=partial(opened.prefetch, QUERY) if at_once > 1 else None
    )
    try:
        store.extend((await pager.next_page()).items)
        gc.collect()
        before, spent, started = psutil.Process().memory_info().rss, time.process_time(), time.perf_counter()
        async with pager.prefetch():
            async for page in pager:
                store.extend(page.items)
        taken, spent, loaded = time.perf_counter() - started, time.process_time() - spent, store.loaded
        gc.collect()
        return taken, spent, loaded, (psutil.Process().memory_info().rss - before) / loaded
    finally:
        store.close()
        await opened.close()


async def first_page(port: int) -> tuple[float, int]:
    """Seconds until a result can be shown, by a client that has a token, and how many rows there are then."""
    opened = provider(port, at_once=8)
    try:
        await opened.search(QUERY)
        started = time.perf_counter()
        page = await opened.search(QUERY)
        return time.perf_counter() - started, len(page.items)
    finally:
        await opened.close()


def measure_first_page(rows: int, latency: float) -> None:
    with service(rows, latency) as port:
        taken, loaded = asyncio.run(first_page(port))
        with urlopen(f"http://127.0.0.1:{port}/searches") as reply:
            asked = int(reply.read()) / 2
    say(f"first {loaded} of {rows:,} rows, {latency * 1000:.0f} ms latency", 1000 * taken, "ms")
    say("  searches sent for them", asked, "")


async def bare_reading(port: int, rows: int, at_once: int) -> float:
    """Seconds that a client takes which only counts bytes: the least there is."""
    offsets = iter(range(0, rows, PAGE))

    async def read() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for offset in offsets:
            writer.write(f"GET /objects?pageKey={offset}&limit={PAGE} HTTP/1.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b":")[2]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(read() for _ in range(at_once)))
    return time.perf_counter() - started


def measure_reading(rows: int, few: int, latency: float) -> None:
    """Read `rows` eight pages at once, and `few` one after another: that takes ten times as long a page."""
    page, bare = {}, {}
    for at_once, many in ((8, rows), (1, few)):
        with service(many, latency) as port:
            seconds, spent, loaded, memory = asyncio.run(read_all(port, at_once))
            assert loaded == many, f"{loaded:,} of {many:,} rows"
            bare[at_once] = asyncio.run(bare_reading(port, few, at_once))
        page[at_once] = seconds / many
        say(f"read {many:,} rows, {at_once} at once", seconds, "s")
        say("  of that CPU of the reading program", spent, "s")
        say(f"  CPU per page, {at_once} at once", 1000 * spent / (many / PAGE), "ms")
        say("  memory per loaded row", memory, "B")
    say("times faster with 8 at once than one after another", page[1] / page[8], "x")
    say("  of a client that only counts bytes", bare[1] / bare[8], "x")
    with service(few, 0) as port:
        say("the service alone, pages a second", few / PAGE / asyncio.run(bare_reading(port, few, 8)), "")


async def forecasts(port: int) -> tuple[float, list[tuple[float, float]]]:
    """Seconds that a read at the default pace takes, and what was eta when."""
    opened = provider(port, at_once=4, per_minute=60)
    pager: Pager[StoredObject] = Pager(
        partial(opened.search, QUERY), identity, prefetch=partial(opened.prefetch, QUERY)
    )
    eta, told, started = EtaEstimator(60), [], time.perf_counter()
    try:
        async with pager.prefetch():
            async for page in pager:
                eta.update(len(page.items), pager.left)
                if eta.seconds is not None:
                    told.append((time.perf_counter() - started, eta.seconds))
        return time.perf_counter() - started, told
    finally:
        await opened.close()


def measure_forecast(rows: int, latency: float) -> None:
    with service(rows, latency) as port:
        taken, told = asyncio.run(forecasts(port))
    early = [(at, left) for at, left in told if taken - at > 10]
    say(f"read {rows:,} rows at 60 calls a minute", taken, "s")
    say("  first eta after", told[0][0], "s")
    say("  forecasts more than 10 s before the end", len(early), "")
    worst = max(abs(left - (taken - at)) / (taken - at) for at, left in early)
    say("  the worst of them is wrong by", 100 * worst, "%")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=6_000, help="rows to read one page after another")
    parser.add_argument("--latency", type=float, default=100, help="milliseconds")
    parser.add_argument("--paced", type=int, default=12_000, help="rows to read at 60 calls a minute; 0 for none")
    parser.add_argument("--table", type=int, default=1_000_000, help="rows of a table to scroll in; 0 for none")
    asked = parser.parse_args()
    collect_garbage_rarely()
    measure_first_page(1_000_000, asked.latency / 1000)
    if asked.paced:
        measure_forecast(asked.paced, asked.latency / 1000)
    if asked.rows:
        measure_reading(asked.rows, asked.few, asked.latency / 1000)
    if asked.table:
        # A program of its own in a terminal of its own, beside the same one with 1,000 rows.
        table = Path(__file__).with_name("listing.py")
        subprocess.run([sys.executable, str(table), "--rows", str(asked.table)], check=True)


if __name__ == "__main__":
    main()

"""How time, memory and requests grow with the number of objects: list, search, pull and verify.

    python benchmarks/curve.py [--upto 1000000] [--pull-upto 10000] [--seconds SECONDS]

List is a folder of Alvaria, search a region of 8x8, both read to the end into the rows of the browser, from a service
of this script that answers at once. Pull fetches as many objects of 1,000 bytes from a server that does nothing else,
and verify reads them back. Every line is a process of its own, so that its memory is its own. The next line is the one
that should take the least time; what would take longer than the rest of `--seconds` is left out.
"""

import argparse
import asyncio
import math
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pull as pulls
import results

from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.archive.pull import Pull
from cloudstore_tui.archive.strategy import Via
from cloudstore_tui.archive.verify import verify_folder
from cloudstore_tui.cli.main import collect_garbage_rarely
from cloudstore_tui.core.models import Entry, Location, Query, identity
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.profile import OptionValue, Profile, Secret
from cloudstore_tui.net.logs import requests_sent
from cloudstore_tui.providers.alvaria.provider import AlvariaProvider
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.workers import Stop

STEPS = (1_000, 10_000, 100_000, 1_000_000)
_PAGE = 500


class Folder(results.Service):
    """A folder of Alvaria with so many files."""

    async def answer(self, target: str) -> bytes:
        """A token, or a page of keys."""
        path = urlsplit(target)
        if "token" in path.path:
            return b'{"access_token":"t","expires_in":3600}'
        self.searches += 1
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        first = int(asked.get("continuationToken") or asked.get("nextToken") or 0)
        numbers = range(first, min(first + _PAGE, self.rows))
        keys = [
            {
                "key": f"exports/outreach-{number:09}.tar",
                "keyName": f"outreach-{number:09}.tar",
                "keyType": "file",
                "size": "3.8 MB",
                "lastModified": "2024-09-01T08:00:00Z",
            }
            for number in numbers
        ]
        return msgspec.json.encode({"objectKeys": keys, "continuationToken": _more(numbers, self.rows)})


def _more(numbers: range, rows: int) -> str:
    return str(numbers.stop) if numbers.stop < rows else ""


def _serve_folder(rows: int, pipe: Connection) -> None:
    async def work() -> None:
        server = await asyncio.start_server(Folder(rows, 0).serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(work())


@contextmanager
def _folder_service(rows: int) -> Iterator[int]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve_folder, args=(rows, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


async def read_list(count: int, _folder: Path) -> None:
    """A folder to its end."""
    with _folder_service(count) as port:
        base = f"http://127.0.0.1:{port}"
        options: dict[str, OptionValue] = {
            "api_base": base,
            "token_url": f"{base}/token",
            "org": "acme",
            "client_id": "id",
        }
        opened = AlvariaProvider(Profile("acme", "alvaria", options=options, secrets=_secret, requests_per_minute=0))
        pager: Pager[Entry] = Pager(partial(opened.browse, Location("acme", path="exports/")), identity)
        await _read(pager, count)
        await opened.close()


def _secret(_name: str) -> Secret:
    return Secret("s")


async def read_search(count: int, _folder: Path) -> None:
    """A region to its end, eight calls at once."""
    with results.service(count, 0) as port:
        opened = results.provider(port, at_once=8)
        pager: Pager[Entry] = Pager(
            partial(opened.search, results.QUERY), identity, prefetch=partial(opened.prefetch, results.QUERY)
        )
        await _read(pager, count)
        await opened.close()


async def _read(pager: Pager[Entry], count: int) -> None:
    store = RowStore()
    with measured(count):
        async with pager.prefetch():
            async for page in pager:
                store.extend(page.items)
    assert store.loaded == count, f"{store.loaded:,} of {count:,}"
    store.close()


async def read_pull(count: int, folder: Path) -> None:
    """So many small objects into a folder."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=pulls.serve, args=(theirs,), daemon=True)
    server.start()
    provider = pulls.Stand(count, ours.recv())
    journal = JournalStore(folder / "state")
    engine = TransferManager(lambda _name: provider, 8, journal=journal)
    listing = QueryListing(provider, Query(Location("stand", "here")), datetime.now(UTC))
    pull = Pull(provider, listing, pulls.options(folder / "calls", Via.CONTENT))
    with measured(count):
        await pull.run(engine)
    await pull.close()
    await engine.close()
    journal.close()
    server.kill()


async def read_back(count: int, folder: Path) -> None:
    """What was pulled there, looked at again."""
    with measured(count):
        for _finding in verify_folder(folder / "calls", Stop(), folder / "state"):
            pass


@contextmanager
def measured(count: int) -> Iterator[None]:
    """Print what a block costs."""
    before, sent, begun = pulls.memory(), requests_sent(), time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, grown = time.perf_counter() - begun, max(peak - before / 1.048576, 0)
    sys.stdout.write(f"{count} {seconds:.3f} {grown:.1f} {requests_sent() - sent}\n")


DOING = {"list": read_list, "search": read_search, "pull": read_pull, "verify": read_back}
CURVES = (("list",), ("search",), ("pull", "verify"))
"""What is done one after the other, in the same folder."""


def main() -> None:
    """Print a line for each way and number of objects, or be the process that does one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upto", type=int, default=STEPS[-1], help="objects to list and to search")
    parser.add_argument("--pull-upto", type=int, default=STEPS[1], help="objects to pull and to verify")
    parser.add_argument("--seconds", type=float, default=math.inf, help="how long to take at most, roughly")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "COUNT", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        way, count, folder = asked.one
        collect_garbage_rarely()
        asyncio.run(DOING[way](int(count), Path(folder)))
        return
    ends = time.monotonic() + asked.seconds
    upto = {ways: asked.pull_upto if "pull" in ways else asked.upto for ways in CURVES}
    due = [(0.0, STEPS[0], ways) for ways in CURVES]
    while due:
        due.sort()
        expected, count, ways = due.pop(0)
        begun = time.monotonic()
        if begun + expected > ends:
            what = " and ".join(ways)
            takes = f", which takes some {expected:.0f} s" if expected else ""
            sys.stdout.write(f"left out: {what} of {count:,} objects{takes}\n")
            continue
        with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as folder:
            seconds = sum(print_line(way, count, folder) for way in ways)
        if following := next((step for step in STEPS if count < step <= upto[ways]), 0):
            # The start of a process takes as long for few objects as for many.
            expected = time.monotonic() - begun + (following / count - 1) * seconds
            due.append((expected, following, ways))


def print_line(way: str, count: int, folder: str) -> float:
    """Do one thing in a process of its own, and print what it costs; the seconds without the start of the process."""
    command = [sys.executable, __file__, "--one", way, str(count), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} of {count:,} failed: {done.stderr.strip().splitlines()[-1]}")
    _, seconds, memory, requests = done.stdout.split()
    line = f"{way:8} {count:9} objects {float(seconds):8.2f} s {1e6 * float(seconds) / count:8.1f} us each"
    sys.stdout.write(f"{line} {memory:>7} MiB {requests:>7} requests\n")
    sys.stdout.flush()
    return float(seconds)


if __name__ == "__main__":
    main()

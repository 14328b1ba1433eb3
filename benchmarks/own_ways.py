"""Ways to download that the benchmark of transfers runs in a process of their own, so that each pays for itself.

    python benchmarks/own_ways.py WAY URL FOLDER < paths-and-checksums

Prints how many seconds it took, without the start of Python.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from cloudstore_tui.cli.main import collect_garbage_rarely
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, State

CONCURRENCY = 4


class Bench:
    """Knows where every object is; the part of a provider that a download with a known entry asks for."""

    profile = Profile("bench", "bench")

    def __init__(self, url: str, checksums: Mapping[str, str]) -> None:
        self.url = url
        self.checksums = checksums

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        """The object, with its size and checksum."""
        path = location.path
        size, checksum = int(path.partition("/")[0]), self.checksums[path]
        return Source(Secret(f"{self.url}/{path}"), size=size, checksum=checksum, checksum_type="MD5", local=True)


class ToFile:
    """Writes what comes, as `curl -o` does."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def accept(self, _reply: BlobReply) -> bool:
        """Everything is wanted."""
        return True

    def write(self, data: memoryview) -> None:
        """The next bytes."""
        self._file.write(data)

    def close(self) -> None:
        """The end."""
        self._file.close()


async def by_engine(url: str, folder: Path, paths: Mapping[str, str]) -> None:
    """Download everything as the product does."""
    provider = cast(StorageProvider, Bench(url, paths))
    engine = TransferManager(lambda _name: provider, CONCURRENCY, Timeouts())
    numbers = []
    for path in paths:
        location = Location("bench", path=path)
        entry = StoredObject(location, path.replace("/", "-"), id=path)
        numbers.append(engine.submit(DownloadRequest(location, folder, entry=entry)))
    ended = [await engine.wait(number) for number in numbers]
    await engine.close()
    assert all(transfer.state is State.DONE for transfer in ended), next(t.error for t in ended if t.error)
    assert {transfer.level for transfer in ended} == {"md5"}


async def by_blob_client(url: str, folder: Path, paths: Mapping[str, str]) -> None:
    """Download everything through the blob client alone."""
    blob = BlobClient(Timeouts())
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(path: str) -> None:
        async with gate:
            sink = ToFile(folder / path.replace("/", "-"))
            await blob.get(Source(Secret(f"{url}/{path}"), local=True), sink)
            sink.close()

    await asyncio.gather(*(one(path) for path in paths))
    await blob.close()


WAYS = {"engine": by_engine, "blob-client": by_blob_client}


def main() -> None:
    """Do it, and tell how long it took."""
    way, url, folder = sys.argv[1:]
    words = sys.stdin.read().split()
    paths = dict(zip(words[::2], words[1::2], strict=True))
    collect_garbage_rarely()
    begun = time.monotonic()
    asyncio.run(WAYS[way](url, Path(folder), paths))
    sys.stdout.write(f"{time.monotonic() - begun}\n")


if __name__ == "__main__":
    main()

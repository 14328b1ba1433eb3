"""How fast bytes move: the engine beside `curl` (and `rclone`, where installed) on one loopback server, in one run.

    python tests/benchmarks/transfers.py [--size MIB] [--count N] [--rounds N] [--dir FOLDER]

Every line is the best of the rounds, which alternate between the programs, so that a busy machine is unfair to none.
"engine" is all of a download: fetch, sync, read back, MD5 and SHA-256, publish. "blob client" writes to the same disk
and stops there, as `curl` does.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.exchange import Source
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.profile import Profile, Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.transfers.blob import BlobClient
from cloudstore_tui.transfers.engine import TransferEngine
from cloudstore_tui.transfers.reply import BlobReply
from cloudstore_tui.transfers.transfer import DownloadRequest, State

MIB = 1 << 20
SMALL = 200_000
AT_ONCE = 4


def serve(ready: Any) -> None:
    """Answer `GET /<bytes>/<anything>` with that many bytes, a thread per connection, straight from a file."""
    with tempfile.TemporaryFile() as content, socket.socket() as listener:
        content.truncate(4096 * MIB)
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        ready.put(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_answer, args=(connection, content.fileno()), daemon=True).start()


def _answer(connection: socket.socket, content: int) -> None:
    with connection:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
            size = int(head.split(b"/", 2)[1])
            connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "bench"\r\nContent-Length: %d\r\n\r\n' % size)
            offset = 0
            while offset < size:
                offset += os.sendfile(connection.fileno(), content, offset, min(size - offset, MIB))


class Bench:
    """Knows where every object is; the part of a provider that a download with a known entry asks for."""

    profile = Profile("bench", "bench")

    def __init__(self, url: str) -> None:
        self.url = url

    async def source(self, location: Location) -> Source:
        """The object, by its size."""
        return Source(Secret(f"{self.url}/{location.path}"), size=int(location.path.partition("/")[0]), local=True)


class ToFile:
    """Writes what comes, as `curl -o` does."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def accept(self, _reply: BlobReply) -> bool:
        """Everything is wanted."""
        return True

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._file.write(data)

    def close(self) -> None:
        """The end."""
        self._file.close()


async def by_engine(url: str, folder: Path, paths: list[str]) -> None:
    """Download everything as the product does."""
    provider = cast(StorageProvider, Bench(url))
    engine = TransferEngine(lambda _name: provider, AT_ONCE, Timeouts())
    numbers = []
    for path in paths:
        location = Location("bench", path=path)
        entry = StoredObject(location, path.replace("/", "-"), id=path)
        numbers.append(engine.submit(DownloadRequest(location, folder, entry=entry)))
    ended = [await engine.wait(number) for number in numbers]
    await engine.close()
    assert all(transfer.state is State.DONE for transfer in ended), next(t.error for t in ended if t.error)


async def by_blob_client(url: str, folder: Path, paths: list[str]) -> None:
    """Download everything through the blob client alone."""
    blob = BlobClient(Timeouts())
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(path: str) -> None:
        async with gate:
            sink = ToFile(folder / path.replace("/", "-"))
            await blob.get(Source(Secret(f"{url}/{path}"), local=True), sink)
            sink.close()

    await asyncio.gather(*(one(path) for path in paths))
    await blob.close()


async def by_curl(url: str, folder: Path, paths: list[str]) -> None:
    """Download everything with one `curl`, as many at once."""
    lines = [f'url = "{url}/{path}"\noutput = "{folder / path.replace("/", "-")}"' for path in paths]
    command = ["curl", "-s", "-S", "--no-progress-meter", "-Z", "--parallel-max", str(AT_ONCE), "-K", "-"]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    await process.communicate("\n".join(lines).encode())
    assert process.returncode == 0


async def by_rclone(url: str, folder: Path, paths: list[str]) -> None:
    """Download everything with one `rclone`, as many at once."""
    files = folder / "files.txt"
    files.write_text("\n".join(paths))
    command = ["rclone", "copy", "--transfers", str(AT_ONCE), "--no-traverse", "--files-from-raw", str(files)]
    process = await asyncio.create_subprocess_exec(*command, f"--http-url={url}", ":http:", str(folder))
    assert await process.wait() == 0


Way = Callable[[str, Path, list[str]], Awaitable[None]]
WAYS: dict[str, Way] = {"curl": by_curl, "blob client": by_blob_client, "engine": by_engine}


def measure(way: Way, url: str, parent: str, paths: list[str]) -> tuple[float, float]:
    """Seconds and CPU seconds of one run; the disk starts without unwritten bytes of others."""
    os.sync()
    with tempfile.TemporaryDirectory(dir=parent, prefix=".bench-") as folder:
        before, begun = _cpu(), time.monotonic()
        asyncio.run(_run(way, url, Path(folder), paths))
        return time.monotonic() - begun, _cpu() - before


async def _run(way: Way, url: str, folder: Path, paths: list[str]) -> None:
    await way(url, folder, paths)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    """Run all, and print one line per program and task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large object")
    parser.add_argument("--count", type=int, default=1000, help="number of small objects")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", default=".", help="where to download to; /dev/shm leaves the disk out")
    options = parser.parse_args()
    ready: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ready,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ready.get(timeout=10)}"
    tasks = {
        f"one object of {options.size} MiB": [f"{options.size * MIB}/large"],
        f"{options.count} objects of {SMALL} B": [f"{SMALL}/{number}" for number in range(options.count)],
        f"four objects of {options.size // 4} MiB at once": [f"{options.size * MIB // 4}/{n}" for n in range(4)],
    }
    try:
        for title, paths in tasks.items():
            size = sum(int(path.partition("/")[0]) for path in paths)
            once = partial(measure, url=url, parent=options.dir, paths=paths)
            _report(f"{title}, {size / 1e6:.0f} MB", once, size, options.rounds)
    finally:
        server.terminate()


def _report(title: str, measure_one: Callable[[Way], tuple[float, float]], size: int, rounds: int) -> None:
    ways = WAYS | ({"rclone": by_rclone} if shutil.which("rclone") else {})
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seen[name].append(measure_one(way))
    base = min(seen["curl"])[0]
    sys.stdout.write(f"{title}\n")
    for name, runs in seen.items():
        seconds, cpu = min(runs)
        rate = size / seconds / 1e6
        sys.stdout.write(
            f"  {name:12} {seconds:7.2f} s  {rate:7.0f} MB/s  {cpu:6.2f} s CPU  {base / seconds:5.2f} x curl\n"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else MIB)
    sys.stdout.write(f"  peak memory of this process so far: {peak:.0f} MiB\n")


if __name__ == "__main__":
    main()

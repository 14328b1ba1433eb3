"""How fast bytes move: this program beside `curl` and `rclone`, all from one local server, in one run.

    python benchmarks/transfers.py [--size MIB] [--count N] [--rounds N] [--seconds S] [--dir FOLDER] [--only WAY …]

The server is `nginx` where it is installed, else a small one of this script. Every line is the best of the rounds,
which alternate between the programs, so that a busy machine is unfair to none.

curl                  writes the files, and nothing else
curl, sync, md5sum    what a careful script does: the floor for "on the disk, and right"
rclone                with as many transfers at once, where it is installed
blob client           our libcurl client alone, writing files as curl does
engine                all of a download: fetch, sync, checksum of what is on the disk, publish under the final name
cloudstore get        the command: start, configuration, login, a look-up and a signed link per object, then the engine;
                      without a checksum, because this service gives none: size and version are compared

Seconds are those of the whole process, but for "blob client" and "engine", which leave out the start of Python.
CPU and peak memory are always those of the whole process; none shows less memory than this script has itself.
"""

import argparse
import asyncio
import hashlib
import json
import math
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from cloudstore_tui.sandbox.profiles import write_config

MIB = 1 << 20
SMALL = 200_000
CONCURRENCY = 4
LONGEST = 600
"""Seconds that one run may take."""
OWN_WAYS = Path(__file__).with_name("own_ways.py")
WAYS = ("curl", "curl, sync, md5sum", "rclone", "blob client", "engine", "cloudstore get")
OWN = {"blob client": "blob-client", "engine": "engine"}
"""What `own_ways.py` calls them."""

_NGINX = """\
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    root {folder};
    location ~ ^/(\\d+)/ {{ try_files /$1.bin =404; }}
  }}
}}
"""


@dataclass
class Cost:
    """What one run took."""

    seconds: float = 0
    cpu: float = 0
    memory: float = 0
    """Peak, in MiB."""
    steps: list[tuple[str, float]] = field(default_factory=list)


@contextmanager
def blob_server(folder: Path, sizes: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The name of a running server, and where it listens: `GET /<bytes>/<anything>` gives that many bytes."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        with in_process(serve_bytes) as port:
            yield "a server of this script (no nginx here)", f"http://127.0.0.1:{port}"
        return
    folder.chmod(0o755)
    for size in sizes:
        with (folder / f"{size}.bin").open("wb") as file:
            # Not sparse: reading holes is cheaper than reading a file.
            for offset in range(0, size, MIB):
                file.write(os.urandom(4096) * 256 if size - offset >= MIB else os.urandom(size - offset))
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port))
    process = subprocess.Popen([binary, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        wait_for(port)
        yield "nginx", f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def in_process(serve: Any, *arguments: object) -> Iterator[int]:
    """The port of a server that runs in a process of its own."""
    ready: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ready, *arguments), daemon=True)
    server.start()
    try:
        yield ready.get(timeout=10)
    finally:
        server.terminate()
        server.join(10)


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when somebody listens there."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def far_from_removed_files(folder: str) -> None:
    """Have each folder that is made in this one lie somewhere else on the disk, where the file system is ext4.

    Without a journal, ext4 looks at each inode nearby that was freed within the last minutes before it makes a file:
    after another run of this script, a thousand files take 0.5 s instead of 0.03 s, whichever program makes them.
    """
    with suppress(FileNotFoundError):
        subprocess.run(["chattr", "+T", folder], stderr=subprocess.DEVNULL, check=False)


def checksum_of(url: str) -> str:
    """MD5 of what is there, in hex."""
    digest = hashlib.md5(usedforsecurity=False)
    with urlopen(url, timeout=60) as reply:
        while data := reply.read(MIB):
            digest.update(data)
    return digest.hexdigest()


def serve_bytes(ready: Any) -> None:
    """A thread per connection, straight from a file."""
    with tempfile.TemporaryFile() as content, socket.socket() as listener:
        content.truncate(8192 * MIB)
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        ready.put(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_answer, args=(connection, content.fileno()), daemon=True).start()


def _answer(connection: socket.socket, content: int) -> None:
    # A client that has all it wants may just go.
    with connection, suppress(ConnectionError):
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
            while offset < size and not head.startswith(b"HEAD"):
                offset += os.sendfile(connection.fileno(), content, offset, min(size - offset, MIB))


def serve_api(ready: Any, blobs: str) -> None:
    """As much of an API as `get` needs: tokens, what a key is, and links that lead to the other server."""

    def told(target: str) -> dict[str, object]:
        parts = urlsplit(target)
        if "token" in parts.path:
            return {"access_token": "bench", "expires_in": 3600}
        key = parse_qs(parts.query)["key"][0]
        name = key.rpartition("/")[2]
        size = int(name.partition("-")[0])
        known = {"key": key, "keyName": name, "keyType": "file", "size": f"{size / 1000:.1f} KB"}
        link = {"signedDownloadUrl": f"{blobs}/{size}/{name}"}
        return {"objectKeys": [known]} if parts.path.endswith("objectKeys") else {**known, **link}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            length = 0
            while (line := await reader.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            await reader.readexactly(length)
            body = json.dumps(told(head.split()[1].decode())).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@dataclass(frozen=True)
class Bed:
    """Where everything is."""

    url: str
    config: Path
    kept: Path
    """Where the files go, until all is done."""
    checksums: dict[str, str]
    """MD5 by size, as a service that knows it would tell."""

    def steps(self, way: str, folder: Path, paths: Sequence[str]) -> list[tuple[str, list[str], str]]:
        """Name, command and input of every process that one way consists of."""
        files = [str(folder / path.replace("/", "-")) for path in paths]
        if way in OWN:
            given = "\n".join(f"{path} {self.checksums[path.partition('/')[0]]}" for path in paths)
            return [(way, [sys.executable, str(OWN_WAYS), OWN[way], self.url, str(folder)], given)]
        if way == "cloudstore get":
            names = [f"acme:exports/{path.replace('/', '-')}" for path in paths]
            return [(way, [sys.executable, "-m", "cloudstore_tui", "get", "--to", str(folder), *names], "")]
        if way == "rclone":
            some = ["--transfers", str(CONCURRENCY), "--no-traverse", "--files-from-raw", "-", f"--http-url={self.url}"]
            return [(way, ["rclone", "--config", os.devnull, "copy", *some, ":http:", str(folder)], "\n".join(paths))]
        pairs = zip(paths, files, strict=True)
        wanted = "\n".join(f'url = "{self.url}/{path}"\noutput = "{file}"' for path, file in pairs)
        many = ["--parallel", "--parallel-max", str(CONCURRENCY)] if len(paths) > 1 else []
        curl = ("curl", ["curl", "-sS", *many, "-K", "-"], wanted)
        if way == "curl":
            return [curl]
        return [curl, ("sync", ["sync", "-d", *files], ""), ("md5sum", ["md5sum", *files], "")]

    def measure(self, way: str, paths: Sequence[str]) -> Cost:
        """One run; the disk starts without unwritten bytes of others.

        The files stay, empty: see `far_from_removed_files`.
        """
        os.sync()
        cost = Cost()
        folder = Path(tempfile.mkdtemp(dir=self.kept))
        for name, command, given in self.steps(way, folder, paths):
            self._step(cost, name, command, given)
        files = [path for path in folder.rglob("*") if path.is_file()]
        sizes = [path.stat().st_size for path in files]
        assert (len(sizes), sum(sizes)) == (len(paths), sum(int(path.partition("/")[0]) for path in paths)), way
        for path in files:
            os.truncate(path, 0)
        return cost

    def _step(self, cost: Cost, name: str, command: list[str], given: str) -> None:
        home = str(self.config.parent)
        own = {"CLOUDSTORE_CONFIG": str(self.config), "HOME": home, "XDG_STATE_HOME": home, "XDG_CACHE_HOME": home}
        # As it is installed: nothing is compiled again at each start.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as told:
            stdin.write(given.encode())
            stdin.seek(0)
            begun = time.monotonic()
            process = subprocess.Popen(command, stdin=stdin, stdout=told, stderr=told, env=environment | own)
            ending = threading.Timer(LONGEST, process.kill)
            ending.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
            ending.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            told.seek(0)
            text = told.read().decode(errors="replace")
        if process.returncode:
            raise SystemExit(f"{name} failed: {text}")
        cost.steps.append((name, float(text) if name in OWN else seconds))
        cost.seconds += cost.steps[-1][1]
        cost.cpu += usage.ru_utime + usage.ru_stime
        cost.memory = max(cost.memory, usage.ru_maxrss / (1024 if sys.platform != "darwin" else MIB))


def main() -> None:
    """Run all, and print one line per program and task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large object")
    parser.add_argument("--count", type=int, default=1000, help="number of small objects")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no round that would end later")
    parser.add_argument("--dir", type=Path, default=Path(), help="where to download to; /dev/shm leaves the disk out")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=WAYS, metavar="WAY", help=", ".join(WAYS))
    options = parser.parse_args()
    large, part = options.size * MIB, options.size * MIB // 4
    tasks = {
        f"one object of {options.size} MiB": [f"{large}/{large}-large"],
        f"{options.count} objects of {SMALL} B": [f"{SMALL}/{SMALL}-{number}" for number in range(options.count)],
        f"four objects of {options.size // 4} MiB at once": [f"{part}/{part}-{number}" for number in range(4)],
    }
    ways = [way for way in options.only if way != "rclone" or shutil.which("rclone")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        name, url = stack.enter_context(blob_server(folder, (large, part, SMALL)))
        api = stack.enter_context(in_process(serve_api, url))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        secrets = {"secret": "bench", "api_key": "bench"}
        config = write_config(home, f"http://127.0.0.1:{api}", [("acme", "bench", secrets)])
        checksums = {str(size): checksum_of(f"{url}/{size}/x") for size in (large, part, SMALL)}
        kept = stack.enter_context(tempfile.TemporaryDirectory(dir=options.dir.resolve(), prefix=".bench-"))
        far_from_removed_files(kept)
        bed = Bed(url, config, Path(kept), checksums)
        rounds = [
            {title: {way: bed.measure(way, paths) for way in ways} for title, paths in tasks.items()}
            for _ in within(options.rounds, options.seconds)
        ]
        sys.stdout.write(f"{name}, {CONCURRENCY} at once, best of {len(rounds)}, to {bed.kept.parent}\n")
        for title, paths in tasks.items():
            report(title, paths, {way: [done[title][way] for done in rounds] for way in ways})


def within(rounds: int, seconds: float, least: int = 1) -> Iterator[int]:
    """The numbers of rounds: as many as end in time if each takes as long as the last one, but at least so many."""
    ends = time.monotonic() + seconds
    taken = 0.0
    for number in range(rounds):
        begun = time.monotonic()
        if number >= least and begun + taken > ends:
            return
        yield number
        taken = time.monotonic() - begun


def report(title: str, paths: Sequence[str], seen: Mapping[str, Sequence[Cost]]) -> None:
    """Print what one task cost in all ways."""
    size = sum(int(path.partition("/")[0]) for path in paths)
    base = min((cost.seconds for cost in seen.get("curl", [])), default=0.0)
    sys.stdout.write(f"{title}, {size / 1e6:.0f} MB\n")
    for way, runs in seen.items():
        best = min(runs, key=lambda cost: cost.seconds)
        rate = size / best.seconds / 1e6
        parts = "  = " + " + ".join(f"{name} {seconds:.2f}" for name, seconds in best.steps) if best.steps[1:] else ""
        sys.stdout.write(
            f"  {way:18} {best.seconds:7.2f} s  {rate:6.0f} MB/s  {base / best.seconds:5.2f} x curl"
            f"  {best.cpu:6.2f} s CPU  {best.memory:5.0f} MiB{parts}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()

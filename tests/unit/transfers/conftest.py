"""A server that misbehaves by script, a provider that points at it, and time that costs nothing."""

import asyncio
import hashlib
import re
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.links import Source, Target
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from tests.support.providers import FakeProvider
from tests.support.waiting import until

MODIFIED = datetime(2024, 9, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def start(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        return int(found[1]) if found else 0

    @property
    def stop(self) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        return int(found[2]) + 1 if found else None


@dataclass
class Answer:
    """How one request is answered; every field that is set is one fault."""

    status: int = 0
    """Instead of 200 or 206."""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as it is, instead of everything else."""
    cut: int | None = None
    """Body bytes after which the connection ends."""
    reset: bool = False
    """End it with a reset."""
    stall: int | None = None
    """Body bytes after which nothing more comes."""
    slow: bool = False
    """A byte every 50 ms."""
    silent: bool = False
    """Never answer."""
    flip: int | None = None
    """Byte that arrives changed."""
    no_length: bool = False
    chunked: bool = False
    ignore_range: bool = False
    once: Callable[[], None] | None = None
    """Done before answering."""


SILENCE = 60
"""Seconds that nobody waits for: whoever does so has waited for too much."""


class FaultServer:
    """Serves objects over HTTP/1.1 on a port of its own; answers in `script` come first."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.script: deque[Answer] = deque()
        self.log: list[Seen] = []
        self.connections = 0
        self.open_connections = 0
        self.put_takes = True
        self._ending = threading.Event()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(50)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def put(self, path: str, content: bytes, etag: str | None = None) -> None:
        self.objects[path] = content
        self.etags[path] = f'"{hashlib.sha1(content).hexdigest()}"' if etag is None else etag

    def answer(self, *answers: Answer) -> None:
        self.script.extend(answers)

    async def saw(self, count: int) -> None:
        """Wait until so many requests arrived."""
        await until(lambda: len(self.log) >= count, f"request {count}")

    @property
    def puts(self) -> int:
        """Uploads that were tried."""
        return sum(seen.method == "PUT" for seen in self.log)

    def starts(self) -> list[int]:
        return [seen.start for seen in self.log if seen.method == "GET"]

    def close(self) -> None:
        self._ending.set()
        with socket.socket() as last:
            last.connect(self._listener.getsockname())
        self._thread.join(SILENCE)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            connection, _ = self._listener.accept()
            self.connections += 1
            connection.settimeout(SILENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.open_connections += 1
        try:
            with connection:
                reader = connection.makefile("rb")
                with reader:
                    while self._one(connection, reader):
                        pass
        except OSError:
            pass
        finally:
            self.open_connections -= 1

    def _one(self, connection: socket.socket, reader: Any) -> bool:
        line = reader.readline().decode()
        if not line:
            return False
        method, target, _ = line.split(" ", 2)
        headers: dict[str, str] = {}
        while header := reader.readline().decode().strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        seen = Seen(method, target.partition("?")[0], headers)
        self.log.append(seen)
        answer = self.script.popleft() if self.script else Answer()
        if method == "PUT":
            return self._take(connection, reader, seen, answer)
        return self._give(connection, seen, answer)

    def _take(self, connection: socket.socket, reader: Any, seen: Seen, answer: Answer) -> bool:
        length = int(seen.headers.get("content-length", 0))
        if answer.cut is not None:
            reader.read(answer.cut)
            return False
        seen.body = reader.read(length)
        if answer.once is not None:
            answer.once()
        if answer.status < 400 and self.put_takes:
            self.put(seen.path, seen.body)
        if answer.silent:
            return False
        receipt = {"ETag": self.etags[seen.path]} if self.put_takes and seen.path in self.etags else {}
        headers = {"Content-Length": str(len(answer.body or b"")), **receipt, **answer.headers}
        self._send_head(connection, answer.status or 200, headers)
        connection.sendall(answer.body or b"")
        return True

    def _give(self, connection: socket.socket, seen: Seen, answer: Answer) -> bool:
        if answer.once is not None:
            answer.once()
        if answer.silent:
            self._ending.wait(SILENCE)
            return False
        if answer.raw is not None:
            connection.sendall(answer.raw)
            return False
        status, headers, body = self._reply(seen, answer)
        self._send_head(connection, status, headers)
        return self._send_body(connection, body, answer)

    def _reply(self, seen: Seen, answer: Answer) -> tuple[int, dict[str, str], bytes]:
        content = self.objects.get(seen.path)
        if answer.status or answer.body is not None or content is None:
            body = answer.body if answer.body is not None else b""
            status = answer.status or (404 if content is None else 200)
            return status, {"Content-Length": str(len(body)), **answer.headers}, body
        etag = self.etags[seen.path]
        headers = {"ETag": etag} if etag else {}
        if seen.headers.get("if-match", etag) != etag:
            return 412, {"Content-Length": "0"}, b""
        status, body = 200, content
        if "range" in seen.headers and not answer.ignore_range:
            if seen.start >= len(content):
                return 416, {"Content-Length": "0", "Content-Range": f"bytes */{len(content)}"}, b""
            status, body = 206, content[seen.start : seen.stop]
            headers["Content-Range"] = f"bytes {seen.start}-{seen.start + len(body) - 1}/{len(content)}"
        if answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not answer.no_length:
            headers["Content-Length"] = str(len(body))
        if answer.flip is not None:
            body = body[: answer.flip] + bytes([body[answer.flip] ^ 1]) + body[answer.flip + 1 :]
        return status, headers | answer.headers, body

    def _send_head(self, connection: socket.socket, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _send_body(self, connection: socket.socket, body: bytes, answer: Answer) -> bool:
        end = answer.cut if answer.cut is not None else answer.stall
        body = body[:end]
        if answer.slow:
            for byte in body:
                connection.sendall(bytes([byte]))
                if self._ending.wait(0.05):
                    return False
        elif answer.chunked:
            connection.sendall(b"%x\r\n%s\r\n" % (len(body), body))
            if answer.cut is None:
                connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(body)
        if answer.stall is not None:
            self._ending.wait(SILENCE)
        if answer.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return not (answer.no_length or answer.cut is not None or answer.stall is not None)


class TinyProvider(FakeProvider):
    """Knows objects of the fault server; what it tells of them can be changed."""

    def __init__(self, server: FaultServer) -> None:
        super().__init__(Profile("tiny", "tiny", read_only=False))
        self.server = server
        self.tells_size = True
        self.tells_checksum = True
        self.checksum: str | None = None
        self.signed = 0
        self.looked_up = 0
        """Times a link was asked for without a record that is believed."""
        self.source_errors: deque[Exception] = deque()
        self.modified = MODIFIED
        self.hidden: set[str] = set()
        self.target_headers: dict[str, Secret] = {}

    async def stat(self, location: Location) -> Entry:
        content = self.server.objects.get("/" + location.path)
        if content is None or location.path in self.hidden:
            raise MissingError("no such object", subject=location.address)
        return StoredObject(
            location,
            location.path.rsplit("/", 1)[-1],
            id=f"id-of-{location.path}",
            size=len(content),
            modified=self.modified,
        )

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        self.signed += 1
        if self.source_errors:
            raise self.source_errors.popleft()
        if location.path in self.hidden:
            raise MissingError("no such object", subject=location.address)
        content = self.server.objects.get("/" + location.path, b"")
        if known is not None and known.checksum:
            url = Secret(f"{self.server.url}/{location.path}?X-Signature=canary{self.signed}")
            return Source(url, size=known.size, checksum=known.checksum, checksum_type="MD5", local=True)
        self.looked_up += 1
        checksum = hashlib.md5(content).hexdigest() if self.checksum is None else self.checksum
        return Source(
            Secret(f"{self.server.url}/{location.path}?X-Signature=canary{self.signed}"),
            size=len(content) if self.tells_size else None,
            checksum=checksum if self.tells_checksum else "",
            checksum_type="MD5",
            local=True,
        )

    async def target(self, location: Location, size: int) -> Target:
        self.signed += 1
        url = f"{self.server.url}/{location.path}?X-Signature=canary{self.signed}"
        return Target(Secret(url), headers=self.target_headers, local=True)


class FastClock(Clock):
    """Waiting takes no time but counts."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + self.passed

    async def sleep(self, delay: float) -> None:
        self.pauses.append(delay)
        self.passed += delay
        await asyncio.sleep(0)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    running = FaultServer()
    yield running
    running.close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def provider(server: FaultServer) -> TinyProvider:
    return TinyProvider(server)


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


@pytest.fixture
def timeouts() -> Timeouts:
    return Timeouts(connect=1, read=0.6, stall=1, give_up=900)


@pytest.fixture
async def engine(provider: TinyProvider, clock: FastClock, timeouts: Timeouts) -> AsyncIterator[TransferManager]:
    running = TransferManager(lambda _name: provider, timeouts=timeouts, clock=clock)
    yield running
    await running.close()


@pytest.fixture
def fresh_engine(provider: TinyProvider, clock: FastClock, timeouts: Timeouts) -> Callable[..., TransferManager]:
    """An engine with other settings; the test closes it."""

    def make(**settings: Any) -> TransferManager:
        chosen = replace(timeouts, **settings.pop("timeouts", {}))
        return TransferManager(lambda _name: provider, timeouts=chosen, clock=settings.pop("clock", clock), **settings)

    return make


@pytest.fixture(scope="session")
def content() -> bytes:
    """An object that no two places of are alike."""
    return b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(10_000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "downloads"
    place.mkdir()
    return place


@pytest.fixture
def plan(tmp_path: Path, content: bytes) -> Path:
    """A file to upload."""
    path = tmp_path / "plan.csv"
    path.write_bytes(content)
    return path


@pytest.fixture
async def blob(timeouts: Timeouts) -> AsyncIterator[BlobClient]:
    client = BlobClient(timeouts)
    yield client
    await client.close()


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[[], JournalStore]]:
    """Opens the same journal again and again, as one program after the other does."""
    opened: list[JournalStore] = []

    def make() -> JournalStore:
        opened.append(JournalStore(tmp_path / "state"))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()

"""A server on a real socket that says exactly what a test tells it to, and remembers what it was asked."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.net.auth import AccessToken, Login
from cloudstore_tui.net.clock import Clock

CANARIES = ("canary-client-secret", "canary-api-key", "canary-token", "canary-query")


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """Bytes to send, and what to do with the connection."""

    raw: bytes
    close: bool = False
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between single bytes of the body."""


@dataclass
class Server:
    """Answers each path with its own list; the last answer of a list is repeated."""

    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def on(self, path: str, *answers: Answer) -> None:
        """What a path is answered with, in order."""
        self.answers[path] = list(answers)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.target.partition("?")[0] == path]

    @staticmethod
    def reply(
        status: int = 200,
        body: bytes | str = b"{}",
        *,
        close: bool = False,
        delay: float = 0.0,
        drip: float = 0.0,
        **headers: str,
    ) -> Answer:
        """A whole answer; header names are written with `_`."""
        data = body.encode() if isinstance(body, str) else body
        fields = {"content-type": "application/json", "content-length": str(len(data))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        return Answer(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data, close, delay, drip)

    def json(self, value: object, status: int = 200) -> Answer:
        return self.reply(status, json.dumps(value))

    def zipped(self, data: bytes) -> Answer:
        return self.reply(200, gzip.compress(data), content_encoding="gzip")

    @staticmethod
    def cut(raw: bytes = b"") -> Answer:
        """Some bytes, and then the end of the connection."""
        return Answer(raw, close=True)

    @staticmethod
    def silent(seconds: float = 30.0) -> Answer:
        """Nothing for a long time."""
        return Answer(b"", close=True, delay=seconds)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                if not await self._answer(self._next(request), writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    def _next(self, request: Request) -> Answer:
        known = self.answers.get(request.target.partition("?")[0])
        if not known:
            return self.reply(404, b'{"message": "not in the script"}')
        return known.pop(0) if len(known) > 1 else known[0]

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(answer.delay)
        head, mark, body = answer.raw.partition(b"\r\n\r\n")
        writer.write(head + mark)
        for start in range(0, len(body), 1) if answer.drip else ():
            writer.write(body[start : start + 1])
            await writer.drain()
            await asyncio.sleep(answer.drip)
        writer.write(b"" if answer.drip else body)
        await writer.drain()
        return not answer.close

    def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


Start = Callable[..., Awaitable[Server]]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for `localhost` that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
async def start(certificate: Path) -> AsyncIterator[Start]:
    """Starts servers, also with TLS, and stops them after the test."""
    running: list[tuple[Server, asyncio.Server]] = []

    async def begin(*, tls: bool = False, host: str = "127.0.0.1") -> Server:
        server = Server(scheme="https" if tls else "http", host=host)
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context, limit=2**20)
        server.port = listener.sockets[0].getsockname()[1]
        running.append((server, listener))
        return server

    yield begin
    for server, listener in running:
        server.stop()
        listener.close()


@pytest.fixture
async def server(start: Start) -> Server:
    return await start()


@pytest.fixture
def profile() -> Profile:
    """A profile without limits of ours, with short time-outs and secrets that are easy to find in texts."""
    secrets = {"secret": CANARIES[0], "api_key": CANARIES[1]}
    return Profile(
        "acme",
        "alvaria",
        requests_per_minute=0,
        timeouts=Timeouts(connect=2, read=2, stall=1, give_up=60),
        secrets=lambda name: Secret(secrets[name]),
    )


class ScaledClock(Clock):
    """Waiting takes a part of its time, or none, but counts in full."""

    def __init__(self, scale: float = 0.0) -> None:
        self.scale = scale
        self.passed = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + self.passed

    async def sleep(self, delay: float) -> None:
        self.pauses.append(delay)
        await asyncio.sleep(delay * self.scale)
        self.passed += delay * (1 - self.scale)


@pytest.fixture
def clock() -> ScaledClock:
    return ScaledClock()


@dataclass
class Tokens:
    """Gives out tokens and counts them."""

    given: int = 0
    life: float = 3600.0

    async def fetch(self) -> AccessToken:
        self.given += 1
        await asyncio.sleep(0.01)
        return AccessToken(Secret(f"{CANARIES[2]}-{self.given}"), self.life)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


Connect = Callable[..., ApiClient]


@pytest.fixture
async def connect(profile: Profile, tokens: Tokens) -> AsyncIterator[Connect]:
    """Makes clients whose waits are a hundred times shorter, and closes them."""
    made: list[ApiClient] = []

    def client(url: str, *, scale: float = 0.01, using: Profile = profile, **options: object) -> ApiClient:
        login = Login(tokens.fetch, lambda: {"x-api-key": Secret(CANARIES[1])})
        made.append(ApiClient(using, url, login, **{"clock": ScaledClock(scale), **options}))  # type: ignore[arg-type]  # the test names them
        return made[-1]

    yield client
    for one in made:
        await one.close()


@pytest.fixture
def canaries() -> tuple[str, ...]:
    """Texts that may reach nobody but the host they are for."""
    return CANARIES

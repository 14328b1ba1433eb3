"""A client below HTTP, which sees how an answer really ends, and links and objects to try it on."""

import base64
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from cloudstore_tui.sandbox.alvaria.access import CLIENT_ID
from cloudstore_tui.sandbox.eightbyeight import KEYS
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.server import Ready, Sandbox

KEY = "imports/outreach/nanp/number-plan.csv"


@dataclass
class Heard:
    """All that came back, and how it ended: `fin`, `reset` or `silence`."""

    data: bytes
    end: str

    @property
    def head(self) -> str:
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1]) if self.data else 0

    @property
    def headers(self) -> list[tuple[str, str]]:
        pairs = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return [(name.lower(), value) for name, _, value in pairs]

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")

    @property
    def body(self) -> bytes:
        """As it came, chunked or not."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def pieces(self) -> bytes:
        """The body out of its chunks."""
        data, rest = b"", self.body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            data, rest = data + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return data

    @property
    def length(self) -> int:
        return int(self.header("content-length") or -1)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Heard]


@pytest.fixture
def ask() -> Ask:
    """Sends one request and listens until the end, or until nothing has come for a while."""

    def send(
        url: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        patience: float = 5.0,
        wait_to_read: Callable[[], None] | None = None,
    ) -> Heard:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        sent = {"Host": parts.netloc, "Connection": "close", **(headers or {})}
        if body:
            sent["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        with socket.create_connection((parts.hostname, parts.port), patience) as sock:
            sock.sendall(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body)
            if wait_to_read is not None:
                wait_to_read()
            return _listen(sock)

    return send


def _listen(sock: socket.socket) -> Heard:
    data = bytearray()
    try:
        while piece := sock.recv(65_536):
            data += piece
    except ConnectionResetError:
        return Heard(bytes(data), "reset")
    except TimeoutError:
        return Heard(bytes(data), "silence")
    return Heard(bytes(data), "fin")


class Alvaria:
    """Alvaria, spoken to as far as it takes to get a link."""

    def __init__(self, sandbox: Sandbox, ready: Ready, ask: Ask) -> None:
        assert sandbox.alvaria is not None
        self._tokens = sandbox.alvaria.tokens
        self._base, self.ask = ready.base_url, ask
        self.token_url = f"{ready.base_url}/tokenservice/oauth2/access_token"
        self.headers = {"x-api-key": self._tokens.api_key, "Accept": "application/json"}
        self.headers["Authorization"] = f"Bearer {self.login().json['access_token']}"

    def login(self) -> Heard:
        basic = base64.b64encode(f"{CLIENT_ID}:{self._tokens.secret(CLIENT_ID)}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        scope = "mediastorageapi.exports mediastorageapi.imports"
        form = {"grant_type": "client_credentials", "realm": "acme", "scope": scope}
        return self.ask(self.token_url, "POST", headers, urlencode(form).encode())

    def url(self, resource: str, **query: str) -> str:
        path = f"/via/v3/organizations/acme/mediaStorage/data/{resource}"
        return f"{self._base}{path}?{urlencode(query, quote_via=quote)}"

    def listing(self) -> Heard:
        url = self.url("objectKeys", key="imports/outreach/", keyType="file:directory")
        return self.ask(url, headers=self.headers)

    def link(self, key: str = KEY, kind: str = "signedDownloadUrl") -> str:
        heard = self.ask(self.url(kind, key=key), headers=self.headers)
        assert heard.status == 200, heard.data
        return str(heard.json[kind])

    def put(self, link: str, data: bytes) -> Heard:
        key = dict(pair.split("=", 1) for pair in urlsplit(link).query.split("&"))["kms-key"]
        names = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
        return self.ask(link, "PUT", dict(zip(names, ("aws:kms", key), strict=True)), data)


class EightByEight:
    """8x8, spoken to as far as it takes to get objects and zips."""

    def __init__(self, sandbox: Sandbox, ready: Ready, ask: Ask) -> None:
        self._world, self._ask = sandbox.world, ask
        self.base = f"{ready.base_url}/storage/us-east/v3"
        basic = base64.b64encode(f"{KEYS[0].client_id}:{KEYS[0].secret(sandbox.world)}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        token = ask(f"{ready.base_url}/oauth/v2/token", "POST", headers, b"grant_type=client_credentials")
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self.headers["Authorization"] = f"Bearer {token.json['access_token']}"

    def get(self, path: str, **headers: str) -> Heard:
        return self._ask(self.base + path, headers={**self.headers, **headers})

    def objects(self, filter_: str, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/objects?filter={quote(filter_)}&limit={count}").json["content"]
        return found

    def zipped(self, ids: list[str]) -> str:
        """The name of a finished zip."""
        self._world.switches.set({"zip-seconds": "0"})
        job = self._ask(f"{self.base}/bulk/download/start", "POST", self.headers, json.dumps(ids).encode())
        return str(job.json["zipName"])

    def link(self, path: str) -> str:
        return str(self.get(f"{path}?presignUrl=true").json["url"])


@pytest.fixture
def alvaria(sandbox: Sandbox, ready: Ready, ask: Ask) -> Alvaria:
    return Alvaria(sandbox, ready, ask)


@pytest.fixture
def eight(sandbox: Sandbox, ready: Ready, ask: Ask) -> EightByEight:
    return EightByEight(sandbox, ready, ask)


@pytest.fixture
def link(alvaria: Alvaria) -> str:
    """A link to an object of a few kilobytes."""
    return alvaria.link()


@pytest.fixture
def truth(link: str, ask: Ask, sandbox: Sandbox, faults: FaultPlan) -> bytes:
    """What the link leads to; the log is empty after it."""
    assert not faults.active
    data = ask(link).body
    sandbox.log.clear()
    return data

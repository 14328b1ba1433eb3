"""The Alvaria side of a real sandbox, and a client that speaks plain HTTP to it."""

import base64
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from cloudstore_tui.sandbox.alvaria.access import CLIENT_ID, TokenService
from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions

PREFIX = "mediastorageapi."


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """What the error envelope says."""
        return str(self.json["error"]["errors"][0]["message"])

    @property
    def keys(self) -> list[str]:
        return [entry["key"] for entry in self.json["objectKeys"]]


@dataclass
class Client:
    """Sends exactly what it is given."""

    sandbox: Sandbox
    ready: Ready
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> TokenService:
        assert self.sandbox.alvaria is not None
        return self.sandbox.alvaria.tokens

    def send(self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None) -> Reply:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        try:
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def ask_token(self, *, client: str = CLIENT_ID, secret: str = "", query: str = "", **form: str) -> Reply:
        basic = base64.b64encode(f"{client}:{secret or self.tokens.secret(client)}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.ready.base_url}/tokenservice/oauth2/access_token{query}"
        return self.send("POST", url, headers, urlencode(form))

    def login(self, *scopes: str) -> None:
        """Use a token with these scopes from now on."""
        asked = " ".join(PREFIX + scope for scope in scopes or ("exports", "imports"))
        reply = self.ask_token(grant_type="client_credentials", realm="acme", scope=asked)
        self.headers = {
            "Authorization": f"Bearer {reply.json['access_token']}",
            "x-api-key": self.tokens.api_key,
            "Accept": "application/json",
        }

    def call(
        self,
        resource: str = "objectKeys",
        *,
        method: str = "GET",
        version: str = "v3",
        org: str = "acme",
        switch: str = "",
        headers: dict[str, str | None] | None = None,
        **query: Any,
    ) -> Reply:
        sent = {**self.headers, **({"X-Sandbox-Switch": switch} if switch else {}), **(headers or {})}
        path = f"/via/{version}/organizations/{org}/mediaStorage/data/{resource}"
        url = f"{self.ready.base_url}{path}?{urlencode(query, quote_via=quote)}"
        return self.send(method, url, {name: value for name, value in sent.items() if value is not None})

    def list(self, key: str, kind: str = "file:directory", **more: Any) -> Reply:
        return self.call(key=key, keyType=kind, **more)

    def signed(self, key: str, kind: str = "signedDownloadUrl", **more: Any) -> str:
        """A link by the v3 endpoint of that name; `native…` for the native one."""
        resource = kind[6:7].lower() + kind[7:] if kind.startswith("native") else kind
        return str(self.call(resource, key=key, **more).json[kind])

    def upload_headers(self, url: str) -> dict[str, str]:
        key = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&"))["kms-key"]
        return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}

    def upload(self, key: str, data: bytes) -> Reply:
        url = self.signed(key, "signedUploadUrl")
        return self.send("PUT", url, self.upload_headers(url), data)

    def delete(self, key: str, **more: Any) -> Reply:
        return self.call(method="DELETE", key=key, **more)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    sandbox = Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("alvaria")))
    client = Client(sandbox, sandbox.start())
    yield client
    sandbox.stop()


@pytest.fixture
def api(running: Client) -> Iterator[Client]:
    """The client, logged in with everything, every switch at its default."""
    running.sandbox.switches.reset()
    running.sandbox.world.clock.offset = 0.0
    running.login()
    yield running
    running.sandbox.switches.reset()
    running.sandbox.world.clock.offset = 0.0

"""The 8x8 service of the sandbox on a real socket, with a client that speaks plain HTTP to it."""

import base64
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from cloudstore_tui.sandbox.eightbyeight import KEYS, SWITCHES, Key, routes, seed
from cloudstore_tui.sandbox.world import Switches, World

JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class Service:
    """One running service, logged in with the key that may do everything."""

    def __init__(self, folder: Path, seed_number: int = 7) -> None:
        self.world = World(folder, seed_number, 300, Switches(SWITCHES))
        seed(self.world)
        app = Starlette(routes=routes(self.world))
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.world.base_url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.world.base_url, timeout=30)
        self.token = self.login(KEYS[0])

    def stop(self) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(20)

    def login(self, key: Key) -> str:
        reply = self.ask_token(f"{key.client_id}:{key.secret(self.world)}")
        assert reply.status_code == 200
        return str(reply.json()["access_token"])

    def ask_token(self, credentials: str, **form: str) -> httpx.Response:
        basic = base64.b64encode(credentials.encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        return self.http.post("/oauth/v2/token", headers=headers, data=form or {"grant_type": "client_credentials"})

    def call(self, method: str, path: str, *, region: str = "us-east", **more: Any) -> httpx.Response:
        headers = {**JSON, "Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.http.request(method, f"/storage/{region}/v3{path}", headers=sent, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def find(self, filter_: str = "", region: str = "us-east", **query: Any) -> list[dict[str, Any]]:
        query = {**({"filter": filter_} if filter_ else {}), **query}
        reply = self.get("/objects", region=region, params=query)
        assert reply.status_code == 200, reply.text
        page = reply.json()
        content: list[dict[str, Any]] = (page[0] if isinstance(page, list) else page)["content"]
        return content

    def one(self, filter_: str, **query: Any) -> dict[str, Any]:
        return self.find(filter_, **query)[0]

    def start(self, ids: list[str]) -> httpx.Response:
        return self.call("POST", "/bulk/download/start", content=json.dumps(ids))

    def outcome(self, ids: list[str]) -> tuple[str, list[str]]:
        """How a job ends, and the names in its zip."""
        name = self.start(ids).json()["zipName"]
        self.world.clock.offset += 4
        status = self.get(f"/bulk/download/status/{name}").json()["status"]
        reply = self.get(f"/bulk/download/{name}")
        if reply.status_code != 200:
            return status, []
        with zipfile.ZipFile(io.BytesIO(reply.content)) as file:
            return status, [member.filename for member in file.infolist()]

    def summaries(self, count: int) -> list[str]:
        return [record["id"] for record in self.find("type==summary", limit=count)]

    def archived(self) -> str:
        return str(self.one("objectState==ARCHIVED")["id"])

    def types(self) -> set[str]:
        """Every type of us-east, found as a client would find it."""
        found: set[str] = set()
        while more := self.find(f"type=out=({','.join(found) or 'x'})", limit=100):
            found |= {record["type"] for record in more}
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of a file."""
    service = Service(tmp_path_factory.mktemp("eightbyeight"))
    yield service
    service.stop()


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """The running service; switches, clock and login are put back after the test."""
    yield running
    running.world.switches.reset()
    running.world.clock.offset = 0
    running.token = running.login(KEYS[0])


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts further services; by default again and again on one folder."""
    started: list[Service] = []

    def start(folder: Path = tmp_path, seed_number: int = 7) -> Service:
        started.append(Service(folder, seed_number))
        return started[-1]

    yield start
    for one in started:
        one.stop()

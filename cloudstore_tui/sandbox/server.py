"""The sandbox as one thing that starts, says where it listens and what its configuration is, and stops."""

import asyncio
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

import msgspec
import uvicorn
from starlette.types import ASGIApp

from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.sandbox import DATA_NOW, alvaria, eightbyeight
from cloudstore_tui.sandbox.app import api_app, blob_app
from cloudstore_tui.sandbox.faults.exchange import OpenProtocol
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.log import RequestLog
from cloudstore_tui.sandbox.world import NUMBER, Switch, Switches, World

# The configuration, with its secrets in files beside it


_HEAD = """\
# Made by `cloudstore sandbox`. Use it with: export CLOUDSTORE_CONFIG=<this file>
"""
_ALVARIA = """
[profiles.{profile}]
provider = "alvaria"
org = "acme"
api_version = "{version}"
api_base = "{base}"
token_url = "{base}/tokenservice/oauth2/access_token"
client_id = "{client}"
scopes = ["mediastorageapi.exports", "mediastorageapi.imports"]
read_only = false
requests_per_minute = 0
secret_file = "{profile}.secret"
api_key_file = "{profile}.api_key"
"""
_EIGHT_BY_EIGHT = """
[profiles.{profile}]
provider = "8x8"
api_base = "{base}"
token_url = "{base}/oauth/v2/token"
client_id = "{client}"
read_only = false
requests_per_minute = 0
secret_file = "{profile}.secret"
"""
_TEMPLATES = {
    "acme": _ALVARIA.replace("{version}", "v3"),
    "acme-v2": _ALVARIA.replace("{version}", "v2"),
    "acme8": _EIGHT_BY_EIGHT,
}


def write_config(folder: Path, base: str, logins: Iterable[tuple[str, str, Mapping[str, str]]]) -> Path:
    """Write `config.toml` and the secrets beside it, readable by their owner only.

    Args:
        folder: where to; it is there.
        base: where the APIs listen.
        logins: profile, client id, and secrets by name.
    """
    text = _HEAD
    for profile, client, secrets in logins:
        text += _TEMPLATES[profile].format(profile=profile, base=base, client=client)
        for name, secret in secrets.items():
            _write_private(folder / f"{profile}.{name}", f"{secret}\n")
    path = folder / "config.toml"
    _write_private(path, text)
    return path


def _write_private(path: Path, text: str) -> None:
    """Write a new file, whatever was there before: a link would lead elsewhere, an old mode let others in."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


# The server


SWITCHES: tuple[Switch, ...] = (*alvaria.SWITCHES, *eightbyeight.SWITCHES)
"""Every open question of both services."""

START_TIMEOUT_S = 30.0
"""Seconds a start or a stop may take."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where a sandbox may listen; clients speak plain HTTP to no other host."""


class SandboxOptions(msgspec.Struct, frozen=True):
    """How a sandbox is started."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 for any free one."""
    data: Path | None = None
    """Where to keep the data; a temporary folder that goes with the sandbox if `None`."""
    seed: int = 1
    objects: int = 0
    """Recordings to make besides the fixtures."""
    now: datetime = DATA_NOW
    """The moment that the ages of the data count back from."""
    switches: Mapping[str, str] = msgspec.field(default_factory=dict)
    faults: Sequence[str | Mapping[str, object]] = ()
    """Rules of what goes wrong, see `faults.reading`."""


class Ready(msgspec.Struct, frozen=True):
    """Where a started sandbox is."""

    base_url: str
    blob_url: str
    config: Path


class Sandbox:
    """Both services on loopback, in a thread with an event loop of its own.

    Raises:
        UsageError: the host is not this machine, or there is no such switch, fault or value.
    """

    def __init__(self, options: SandboxOptions) -> None:
        if options.host not in LOOPBACK:
            raise UsageError(
                "the sandbox serves this machine only",
                subject=f"--host {options.host}",
                hint="Use 127.0.0.1, ::1 or localhost; from another machine reach it through SSH.",
            )
        self._options = options
        self._temporary: Path | None = None
        data = (options.data or Path()).absolute()
        self.world = World(data, options.seed, options.objects, Switches(SWITCHES, options.switches), options.now)
        self.world.faults = FaultPlan(options.faults)
        self.alvaria: alvaria.Alvaria | None = None
        self._servers: list[uvicorn.Server] = []
        self._sockets: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def switches(self) -> Switches:
        """The answers to open questions, to be changed while it runs."""
        return self.world.switches

    @property
    def faults(self) -> FaultPlan:
        """What goes wrong, to be changed while it runs."""
        return self.world.faults

    @property
    def log(self) -> RequestLog:
        """The requests that it has seen."""
        return self.world.log

    def start(self) -> Ready:
        """Make the data, listen, and tell where; returns when requests are answered.

        Raises:
            UsageError: nothing can listen there.
        """
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all connections and remove what was temporary."""
        if self._thread is not None:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._hang_up)
            self._thread.join(START_TIMEOUT_S)
            self._thread = None
        for sock in self._sockets:
            sock.close()
        if self.alvaria is not None:
            self.alvaria.store.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Ready:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> Ready:
        options, world = self._options, self.world
        if options.data is None:
            self._temporary = world.data = Path(tempfile.mkdtemp(prefix="cloudstore-sandbox-"))
        world.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for port in (options.port, 0):
            self._sockets.append(_listen(options.host, port))
        world.base_url, world.blob_url = (_url(options.host, sock) for sock in self._sockets)
        service = self.alvaria = alvaria.Alvaria(world)
        eightbyeight.seed(world)
        self._servers = [
            _server(api_app(world, [*service.routes(), *eightbyeight.routes(world)])),
            _server(blob_app(world, service.object_store.answer)),
        ]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="sandbox", daemon=True)
        self._thread.start()
        self._wait()
        keys = {"secret": service.tokens.client_secret, "api_key": service.tokens.api_key}
        key = eightbyeight.KEYS[0]
        logins = [
            ("acme", alvaria.CLIENT_ID, keys),
            ("acme-v2", alvaria.CLIENT_ID, keys),
            ("acme8", key.client_id, {"secret": key.secret(world)}),
        ]
        return Ready(world.base_url, world.blob_url, write_config(world.data, world.base_url, logins))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        pairs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve([sock]) for server, sock in pairs))

    def _wait(self) -> None:
        """Return once both servers listen."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not all(server.started for server in self._servers):
            if time.monotonic() > deadline or self._thread is None or not self._thread.is_alive():
                raise StorageError("the sandbox did not start")
            time.sleep(0.005)

    def _hang_up(self) -> None:
        """In the loop's own thread: cut every connection, so that nothing is left to wait for."""
        for server in self._servers:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()


def describe_switches() -> Iterator[str]:
    """A line for every switch: its id, its values with the default first, and its question."""
    for switch in SWITCHES:
        values = f"{switch.default} (any number)" if switch.values == NUMBER else " | ".join(switch.values)
        yield f"{switch.id:16} {values:52} {switch.text}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because the event loop turns off delays for small packets only where it sees that this is TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise UsageError(
            f"cannot listen there ({error.strerror})", subject=f"{host}:{port}", hint="--port 0 takes any free port."
        ) from None
    return sock


def _url(host: str, sock: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}"


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=OpenProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=75,
        server_header=False,
        date_header=False,
    )
    return uvicorn.Server(config)

"""The sandbox as a whole: starts it, with its addresses and a configuration for them, and stops it."""

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

import msgspec
import uvicorn
from starlette.types import ASGIApp

from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.sandbox import DATA_NOW, alvaria, eightbyeight
from cloudstore_tui.sandbox.app import api_app, blob_app
from cloudstore_tui.sandbox.faults.exchange import ConnectionProtocol
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.log import RequestLog
from cloudstore_tui.sandbox.profiles import listen, logins, url_of, write_config
from cloudstore_tui.sandbox.world import NUMBER, Switch, Switches, World

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
    socket_fd: int | None = None
    """A listening socket to use instead of host and port, so that its address is known beforehand."""
    data: Path | None = None
    """Folder for the data; if `None`, a temporary one that is deleted with the sandbox."""
    seed: int = 1
    objects: int = 0
    """Number of recordings to generate in addition to the fixtures."""
    now: datetime = DATA_NOW
    """The time from which the ages of the data are counted."""
    switches: Mapping[str, str] = msgspec.field(default_factory=dict)
    faults: Sequence[str | Mapping[str, object]] = ()
    """Rules as `faults.plan` reads them."""


class Ready(msgspec.Struct, frozen=True):
    """The addresses and the configuration of a running sandbox."""

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
        """The switches, which may be changed while it runs."""
        return self.world.switches

    @property
    def faults(self) -> FaultPlan:
        """The faults, which may be changed while it runs."""
        return self.world.faults

    @property
    def log(self) -> RequestLog:
        """The requests that it has seen."""
        return self.world.log

    def start(self) -> Ready:
        """Create the data and listen; returns as soon as requests are answered.

        Raises:
            UsageError: nothing can listen there.
        """
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close all connections and remove temporary data."""
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
        taken_over = options.socket_fd is not None
        self._sockets.append(
            socket.socket(fileno=options.socket_fd) if taken_over else listen(options.host, options.port)
        )
        self._sockets.append(listen(options.host, 0))
        world.base_url, world.blob_url = (url_of(options.host, sock) for sock in self._sockets)
        service = self.alvaria = alvaria.Alvaria(world)
        eightbyeight.seed(world)
        self._servers = [
            _server(api_app(world, [*service.routes(), *eightbyeight.routes(world)])),
            _server(blob_app(world, service.object_store.answer)),
        ]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="sandbox", daemon=True)
        self._thread.start()
        self._wait()
        config = write_config(world.data, world.base_url, logins(options.seed))
        return Ready(world.base_url, world.blob_url, config)

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
        """Abort every connection, so that there is nothing to wait for. Runs in the thread of the loop."""
        for server in self._servers:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()


def describe_switches() -> Iterator[str]:
    """A line for every switch: id, values with the default first, and question."""
    for switch in SWITCHES:
        values = f"{switch.default} (any number)" if switch.values == NUMBER else " | ".join(switch.values)
        yield f"{switch.id:16} {values:52} {switch.text}"


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=ConnectionProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=75,
        server_header=False,
        date_header=False,
    )
    return uvicorn.Server(config)

"""What every test stands on: no configuration of the developer's, no network, one sandbox per worker."""

import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from itertools import accumulate, count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from textual._styles_cache import StylesCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.net.curl import CurlCall, stopping_with
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions

OpenProfile = Callable[[str], StorageProvider]


HERE = Path(__file__).parent
MOVED_CLOCK = HERE / "moved_clock"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=20_260_101, help="of what is left to chance in tests/faults and tests/fuzz"
    )
    parser.addoption("--fuzz-seconds", type=float, default=0.0, help="for all targets of tests/fuzz together")


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    if worker or not config.getoption("numprocesses", None):
        ignore_for_this_process_alone()
    # What is compiled is kept: every worker and every program that a test starts needs it again.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    be_patient()
    if worker and [Path(argument).resolve() for argument in config.args] == [HERE]:
        config.args = own_share_first(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
    if "FAKETIME" in os.environ and str(MOVED_CLOCK) not in sys.path:
        sys.path.insert(0, str(MOVED_CLOCK))
        os.environ["PYTHONPATH"] = str(MOVED_CLOCK)
        import_module("sitecustomize")


def be_patient() -> None:
    """A busy machine is slow; that is no failure of what is tested."""
    # Imported only when what is compiled is kept: pytest rewrites all of it, which takes two seconds.
    from hypothesis import HealthCheck, settings

    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def own_share_first(worker: int, workers: int) -> list[str]:
    """All folders of tests, from a place on that is each worker's own: no two compile the same files at first."""
    folders = [inside for folder in sorted(HERE.glob("*/")) for inside in parts_of(folder)]
    sizes = [sum(file.stat().st_size for file in [*folder.rglob("*.py"), folder]) for folder in folders]
    begun = list(accumulate(sizes, initial=0))
    first = next(place for place, before in enumerate(begun) if before >= begun[-1] * worker / workers)
    return [str(folder) for folder in folders[first:] + folders[:first]]


def parts_of(folder: Path) -> list[Path]:
    """A folder itself, if it has tests; of the largest what is in it."""
    parts = sorted(folder.iterdir()) if folder.name == "unit" else [folder]
    return [part for part in parts if any(part.rglob("test_*.py")) or part.match("test_*.py")]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring all workers' tests into one order, whichever folder each began with."""
    items.sort(key=lambda item: item.path)


def pytest_collection_finish() -> None:
    """Look for garbage rarely, as the program does, and never in what is there before the first test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


def ignore_for_this_process_alone() -> None:
    """Let no program that a test starts inherit that signals are ignored here, as below `nohup` or some runners.

    What is ignored stays so across `exec`; what has a handler goes back to the default.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def ignoring() -> Callable[[], None]:
    return ignore_for_this_process_alone


@pytest.fixture(scope="session", autouse=True)
def _styles_are_parsed_once() -> Iterator[None]:
    """Let all programs of a worker share what Textual made of its style sheets: each start parses the same ones.

    For every widget it looks up each rule in a set; that asks Python for the hash, which is the rule's identity anyway.
    """
    parsed: dict[tuple[Any, ...], Any] = {}
    parse = Stylesheet._parse_rules  # noqa: SLF001 - what is parsed stands nowhere else

    def cached(self: Stylesheet, css: str, *where: Any, **kind: Any) -> Any:
        key = (css, *where, *kind.items(), *self._variables.items())
        if key not in parsed:
            parsed[key] = parse(self, css, *where, **kind)
        return parsed[key]

    with (
        mock.patch.object(Stylesheet, "_parse_rules", cached),
        mock.patch.object(RuleSet, "__hash__", object.__hash__),
    ):
        yield


@pytest.fixture(autouse=True)
def _pictures_of_programs_that_ended_are_forgotten() -> Iterator[None]:
    """Textual keeps those of a thousand widgets, in which the search for garbage would look each time."""
    yield
    StylesCache.get_inner_outer.cache_clear()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Empty folders, in one of their own: pytest looks through all there are in its folder to name the next one."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path]) -> None:
    """Keep the developer's configuration, secrets, proxies and terminal out of every test."""
    for name in list(os.environ):
        if name.startswith(("CLOUDSTORE_", "TEXTUAL_", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "SSH_CONNECTION", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to leave this machine, to sockets of Python and to those that libcurl connects."""
    connect, open_socket = socket.socket.connect, CurlCall.open_socket

    def refuse(address: str) -> None:
        if address not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0])
        connect(self, address)

    @stopping_with(-1)
    def guarded_open(call: CurlCall[Any], purpose: int, address: Any) -> Any:
        opened = open_socket(call, purpose, address)
        if opened != -1:
            refuse(address[3][0])
        return opened

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(CurlCall, "open_socket", guarded_open)


@pytest.fixture(scope="session")
def seen_cells() -> Callable[[Any], list[list[Any]]]:
    """Everything that can be seen of each cell of a screen: the colour of the ink of a space cannot."""

    def seen(char: Any) -> tuple[Any, ...]:
        lines = (char.underscore, char.strikethrough, char.reverse)
        if char.data == " " and not char.reverse:
            return (" ", char.bg, char.fg if any(lines) else "", *lines)
        return (char.data, char.fg, char.bg, char.bold, char.italics, *lines)

    return lambda screen: [[seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Ready]]:
    """One sandbox for all tests of a worker."""
    sandbox = Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("sandbox")))
    ready = sandbox.start()
    yield sandbox, ready
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_server: tuple[Sandbox, Ready]) -> Iterator[Sandbox]:
    """The sandbox, with every switch at its default, no faults, and the clock right before and after."""
    server, _ready = sandbox_server
    server.switches.reset()
    server.faults.reset()
    server.log.clear()
    yield server
    server.switches.reset()
    server.faults.reset()
    server.world.clock.offset = 0.0


@pytest.fixture
def faults(sandbox: Sandbox) -> FaultPlan:
    """What goes wrong: `faults.add("reset-after where=blob times=3")`."""
    return sandbox.faults


@pytest.fixture
def ready(sandbox: Sandbox, sandbox_server: tuple[Sandbox, Ready]) -> Ready:
    """Where the sandbox listens and where its configuration is."""
    return sandbox_server[1]


@pytest.fixture
def config(ready: Ready) -> Config:
    """The sandbox's own configuration."""
    return load_config(ready.config, PROVIDERS)


@pytest.fixture
async def open_profile(config: Config) -> AsyncIterator[OpenProfile]:
    """Opens providers of the sandbox's profiles and closes them after the test."""
    opened: list[StorageProvider] = []

    def opener(name: str) -> StorageProvider:
        profile = config.profile(name)
        spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
        opened.append(spec.open(profile))
        return opened[-1]

    yield opener
    for provider in opened:
        await provider.close()

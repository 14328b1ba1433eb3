"""What tests of whole processes share: a machine with a home, the sandbox behind it, and commands that run there."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.environment import own_environment
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE

PROGRAM = [sys.executable, "-m", "cloudstore_tui"]
SIGNED = (b"X-Amz-Signature", b"X-Goog-Signature", b"X-Amz-Credential", b"Bearer ")


def until(met: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What a condition gives as soon as that is true."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = met()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come")


@dataclass(frozen=True)
class Ended:
    """What a command did."""

    code: int
    out: str
    err: str
    seconds: float
    """Since it was last told something, or began."""

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """A command that runs."""

    def __init__(self, arguments: list[str], folder: Path, variables: dict[str, str], **options: Any) -> None:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # A group of its own below ours: where ours is orphaned, as on some runners, nothing in it can be suspended.
        own = {"process_group": 0, **streams, **options}
        self.process = subprocess.Popen(arguments, cwd=folder, env=variables, **own)
        self.sent = b""
        self._told = time.monotonic()

    def tell(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)
        self._told = time.monotonic()

    def end(self, patience: float = PATIENCE) -> Ended:
        """Wait for the end, but not for ever."""
        try:
            out, err = self.process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"{self.process.args!r} hangs") from None
        self.sent += (out or b"") + (err or b"")
        ended = Ended(self.process.returncode, (out or b"").decode(), (err or b"").decode(), self.age)
        assert "Traceback" not in ended.err, ended.err
        return ended

    @property
    def age(self) -> float:
        return time.monotonic() - self._told

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@dataclass
class Machine:
    """A home, a folder for downloads, the state of the program, and a sandbox that it reaches."""

    root: Path
    sandbox: Sandbox
    config: Path
    opened: list[Command | Terminal] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in (self.home, self.folder):
            folder.mkdir()

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def folder(self) -> Path:
        return self.root / "downloads"

    @property
    def state(self) -> Path:
        return self.root / "state" / "cloudstore"

    @property
    def variables(self) -> dict[str, str]:
        return own_environment(
            self.home, LANG="C.UTF-8", CLOUDSTORE_CONFIG=str(self.config), XDG_STATE_HOME=str(self.root / "state")
        )

    def start(
        self,
        *arguments: str,
        variables: dict[str, str] | None = None,
        before: tuple[str, ...] = (),
        **options: Any,
    ) -> Command:
        """Begin a command without a terminal; a variable that is empty is left out."""
        told = {name: value for name, value in (self.variables | (variables or {})).items() if value}
        command = Command([*before, *PROGRAM, *arguments], self.folder, told, **options)
        self.opened.append(command)
        return command

    def run(self, *arguments: str, **options: Any) -> Ended:
        """A command from its beginning to its end."""
        return self.start(*arguments, **options).end()

    def terminal(
        self,
        *arguments: str,
        variables: dict[str, str] | None = None,
        before: tuple[str, ...] = (),
        columns: int = 100,
        rows: int = 30,
    ) -> Terminal:
        """Begin a command in a terminal, such as with `nohup` before it."""
        command = [*before, *PROGRAM, *arguments]
        opened = Terminal(command, self.folder, self.variables | (variables or {}), columns, rows)
        self.opened.append(opened)
        return opened

    def parts(self) -> list[Path]:
        return sorted(self.folder.glob(".cs-*"))

    def arrived(self, least: int = 1) -> int:
        """Bytes in part files; waits until there are some."""

        def look() -> int:
            size = sum(part.stat().st_size for part in self.folder.rglob(".cs-*"))
            return size if size >= least else 0

        return int(until(look, "bytes"))

    def rows(self) -> list[dict[str, Any]]:
        """The journal; it has to be whole."""
        if not (self.state / "journal.db").exists():
            return []
        connection = sqlite3.connect(self.state / "journal.db", timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            assert [tuple(row) for row in connection.execute("PRAGMA quick_check")] == [("ok",)]
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'transfer'").fetchone():
                return []
            return [dict(row) for row in connection.execute("SELECT * FROM transfer ORDER BY created")]
        finally:
            connection.close()

    def listed(self) -> list[dict[str, Any]]:
        """What `transfers list` tells."""
        listing = self.run("transfers", "list", "--json")
        assert (listing.code, listing.err) == (0, "")
        return listing.records

    def fetched(self) -> int:
        """Bytes of objects that the sandbox sent since its log was cleared."""
        return sum(seen.sent for seen in self.sandbox.log.requests if seen.role == "blob" and seen.method == "GET")

    def nothing_left(self) -> None:
        """No part file, no row, no mark of a program."""
        assert self.parts() == []
        assert self.rows() == []
        assert list((self.state / "writers").iterdir()) == []

    def secrets(self) -> list[bytes]:
        folder = self.config.parent
        files = [*folder.glob("*.secret"), *folder.glob("*.api_key")]
        return [file.read_text().strip().encode() for file in files] + list(SIGNED)

    def check_secrets(self, texts: Iterable[bytes]) -> None:
        """No secret in what was said, nor in anything on the disk: the journal, part files, what was fetched."""
        said = list(texts)
        files = [path for path in self.root.rglob("*") if path.is_file()]
        for secret in self.secrets():
            assert not [text for text in said if secret in text]
            assert not [path for path in files if secret in path.read_bytes()]


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox, ready: Ready) -> Iterator[Machine]:
    """A machine of its own; afterwards nothing runs there, and no secret lies there."""
    sandbox.log.clear()
    made = Machine(tmp_path, sandbox, ready.config)
    yield made
    for opened in made.opened:
        opened.close()
    made.check_secrets(opened.sent for opened in made.opened)


@dataclass(frozen=True)
class Large:
    """An object that takes a while at a slow rate."""

    address: str
    name: str
    size: int


@pytest.fixture(scope="session")
def _known() -> dict[str, Large]:
    return {}


@pytest.fixture
def large(machine: Machine, _known: dict[str, Large]) -> Large:
    """A film of 13 MB."""
    if not _known:
        found = machine.run("find", "acme8:us-east", "--type", "meeting", "--json").records
        (film,) = [record for record in found if record["name"] == "weekly-0.mp4"]
        _known["film"] = Large(f"acme8:us-east/{film['id']}", film["name"], film["size"])
        machine.sandbox.log.clear()
    return _known["film"]


@pytest.fixture
def slow(machine: Machine) -> Callable[[int], None]:
    """Lets bytes come slowly, so many a second; 0 for as fast as they can."""

    def set_rate(rate: int) -> None:
        machine.sandbox.faults.reset()
        if rate:
            machine.sandbox.faults.add(f"slow rate={rate} where=blob")

    return set_rate


@pytest.fixture(autouse=True)
def _no_stray_signals() -> Iterator[None]:
    """A test that lets go of a terminal must not lose its own."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Waits for a condition."""
    return until


@pytest.fixture
def lock_journal(machine: Machine) -> Callable[[], AbstractContextManager[None]]:
    """Keeps the journal locked for as long as the block lasts, as another program could."""

    @contextmanager
    def lock() -> Iterator[None]:
        connection = sqlite3.connect(machine.state / "journal.db", isolation_level=None, timeout=10)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    return lock

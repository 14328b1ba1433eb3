"""What the gates share: a store in a process of its own, programs that download and are killed, and what must hold."""

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PATIENCE = 90.0
"""Seconds after which a program that downloads is taken to hang."""
FORBIDDEN_HEADERS = ("authorization", "x-api-key", "cookie", "proxy-authorization")
CANARIES = (b"canary-api-key", b"canary-of-link", b"X-Signature")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Of everything left to chance; shown when a test fails."""
    chosen = int(request.config.getoption("--seed"))
    sys.stdout.write(f"seed {chosen}\n")
    return chosen


@pytest.fixture
def chance(seed: int) -> random.Random:
    return random.Random(seed)


@dataclass
class Row:
    """One transfer as the journal has it."""

    id: int
    path: str
    part: str
    inode: int
    durable: int
    state: str


class Store:
    """The store's process, and what it saw."""

    def __init__(self, log: Path, seed: int, objects: dict[str, int], **orders: Any) -> None:
        self.log = log
        told = {"seed": seed, "objects": objects, "log": str(log), **orders}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "store.py"), json.dumps(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url, "the store did not start"

    def order(self, **orders: Any) -> dict[str, Any]:
        """Change orders; what the store knows."""
        request = urllib.request.Request(f"{self.url}/?orders", json.dumps(orders).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=10) as reply:
            told: dict[str, Any] = json.load(reply)
        return told

    def objects(self) -> dict[str, Any]:
        known: dict[str, Any] = self.order()["objects"]
        return known

    def asked(self) -> int:
        """Requests that were made so far."""
        return int(self.order()["asked"])

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait(10)


@dataclass
class Ended:
    """What a program that downloads left to read."""

    code: int
    lines: list[dict[str, Any]]
    stderr: str

    @property
    def outcomes(self) -> dict[str, tuple[str, int]]:
        return {line["name"]: (line["state"], line["code"]) for line in self.lines}

    @property
    def wrong(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["state"] != "done"]


class Child:
    """One run of the program that downloads."""

    def __init__(self, orders: dict[str, Any], errors: Path, variables: dict[str, str], store: Store) -> None:
        self.errors = errors
        self._store = store
        self._asked = store.asked()
        with errors.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.child", json.dumps(orders)],
                cwd=HERE.parents[1],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **variables},
            )

    def kill_after(self, seconds: float) -> bool:
        """Kill it so long after it began to ask the store; whether it still ran then."""
        given_up = time.monotonic() + PATIENCE
        while self.process.poll() is None and self._store.asked() == self._asked and time.monotonic() < given_up:
            time.sleep(0.02)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
        self.end()
        return self.process.returncode == -signal.SIGKILL

    def end(self) -> Ended:
        """Wait for its end, but not for ever."""
        try:
            out, _ = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            pytest.fail("the program hangs")
        lines = [json.loads(line) for line in out.decode().splitlines() if line.endswith("}")]
        return Ended(self.process.returncode, lines, self.errors.read_text())


@dataclass
class Place:
    """A folder where objects go, a journal, and the files of somebody else."""

    root: Path
    store: Store
    foreign: dict[str, bytes] = field(default_factory=dict)
    orders: dict[str, Any] = field(default_factory=dict)
    _seen: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.foreign = {"somebody's.mp3": b"mine " * 999, ".cs-0123456789ab.part": b"not ours", ".hidden": b""}
        for name, content in self.foreign.items():
            (self.folder / name).write_bytes(content)

    @property
    def folder(self) -> Path:
        return self.root / "downloads"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def record(self) -> Path:
        return self.root / "synced"

    def start(self, names: list[str], variables: dict[str, str] | None = None, **orders: Any) -> Child:
        told = {
            "store": self.store.url,
            "state": str(self.state),
            "folder": str(self.folder),
            "names": names,
            **self.orders,
            **orders,
        }
        return Child(told, self.root / "stderr", variables or {}, self.store)

    def rows(self) -> list[Row]:
        """The journal as it is; it has to be whole."""
        if not (self.state / "journal.db").exists():
            return []
        connection = sqlite3.connect(self.state / "journal.db", timeout=10)
        try:
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'transfer'").fetchone():
                return []
            found = connection.execute("SELECT id, path, part, inode, durable, state FROM transfer").fetchall()
        finally:
            connection.close()
        return [Row(*row) for row in found]

    def parts(self) -> list[Path]:
        return [path for path in self.folder.glob(".cs-*") if path.name not in self.foreign]

    def digest(self, path: Path) -> str:
        """Of a file; looked at again only if it changed."""
        found = path.stat()
        mark = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if self._seen.get(path.name, ((), ""))[0] != mark:
            self._seen[path.name] = (mark, hashlib.sha256(path.read_bytes()).hexdigest())
        return self._seen[path.name][1]

    def synced(self) -> dict[int, int]:
        """Bytes of each file that are on the disk, by its inode, as the recording disk saw it."""
        known: dict[int, int] = {}
        for entry in self.entries():
            if "cut" in entry:
                known[entry["inode"]] = min(known.get(entry["inode"], 0), entry["cut"])
            elif "inode" in entry:
                known[entry["inode"]] = entry["size"]
        return known

    def entries(self) -> list[dict[str, Any]]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def check(self) -> None:
        """What has to hold at every moment, also right after a kill."""
        known = self.store.objects()
        for path in self.folder.iterdir():
            if path.name in self.foreign:
                assert path.read_bytes() == self.foreign[path.name], f"{path.name}, a foreign file, was changed"
            elif not path.name.startswith(".cs-"):
                assert self.digest(path) in known[path.name]["digests"], f"{path.name} has wrong bytes"
        assert secrets_in(self.state) == []
        synced = self.synced() if self.record.exists() else None
        for row in self.rows():
            part = self.folder / row.part
            if not row.part or not part.exists() or part.stat().st_ino != row.inode:
                continue
            there = part.stat().st_size if synced is None else synced.get(row.inode, 0)
            assert row.durable <= there, f"{row.path}: {row.durable} bytes are promised, {there} are on the disk"

    def check_end(self, names: list[str]) -> None:
        """What has to hold when everything is done: nothing lost, nothing left over."""
        self.check()
        missing = [name for name in names if not (self.folder / name).is_file()]
        assert missing == [], "lost"
        assert [path.name for path in self.parts()] == [], "left over"
        assert self.rows() == [], "left in the journal"
        writers = self.state / "writers"
        assert not writers.exists() or list(writers.iterdir()) == [], "marks of ended programs"

    def finish(self, names: list[str], **orders: Any) -> None:
        """A last run that nobody disturbs."""
        self.store.order(rate=0, share=0.0, drops=[])
        ended = self.start(names, **orders).end()
        assert ended.wrong == []
        assert (ended.code, ended.stderr) == (0, "")
        self.check_end(names)


@pytest.fixture
def open_store(tmp_path: Path, seed: int) -> Iterator[Callable[..., Store]]:
    """Starts stores; afterwards looks at all that they were sent."""
    opened: list[Store] = []

    def opener(objects: dict[str, int], **orders: Any) -> Store:
        opened.append(Store(tmp_path / f"requests-{len(opened)}", seed, objects, **orders))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()
    for store in opened:
        for request in store.requests():
            assert not set(FORBIDDEN_HEADERS) & set(request["headers"]), "credentials reached the store"
            assert "canary-api-key" not in json.dumps(request), "the secret reached the store"


@pytest.fixture
def open_place(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes places; afterwards looks for secrets in everything that lies there."""
    opened: list[Place] = []

    def opener(store: Store, **orders: Any) -> Place:
        opened.append(Place(tmp_path / f"place-{len(opened)}", store, orders=orders))
        return opened[-1]

    yield opener
    for place in opened:
        assert secrets_in(place.root) == []


def secrets_in(root: Path) -> list[str]:
    """Files that hold a secret, with which one."""
    found = []
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_size < 50_000_000:
            data = path.read_bytes()
            found += [f"{path.name}: {canary.decode()}" for canary in CANARIES if canary in data]
    return found


@pytest.fixture
def recordings(chance: random.Random) -> Callable[[int, int, int], dict[str, int]]:
    """Names and sizes of objects; the store tells no checksum for every third."""

    def make(count: int, smallest: int, largest: int) -> dict[str, int]:
        kinds = ("call", "call", "plain")
        return {f"{kinds[number % 3]}-{number:03}.wav": chance.randint(smallest, largest) for number in range(count)}

    return make


@pytest.fixture
def deadline() -> Callable[[float], Callable[[], None]]:
    """Fails when a loop takes longer than it may."""

    def start(seconds: float) -> Callable[[], None]:
        end = time.monotonic() + seconds

        def check() -> None:
            assert time.monotonic() < end, f"not done within {seconds} s"

        return check

    return start

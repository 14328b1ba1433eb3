"""Every command while a store, a thread or a call of the disk fails: a sentence and its exit code, soon.

Nothing hangs, nothing ends as a mistake of ours, and no traceback is shown.
"""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import FullDiskError, LocalDiskError, StorageError
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.results.scratch import ScratchDatabase
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from tests.support.commands import Cloudstore, Done

PATIENCE = 20.0
"""Seconds in which each command has to end: four times what it may take, for machines that have other things to do."""

TIMES = ("--since", "2024-09-01T09:00Z", "--until", "2024-09-01T09:10Z")
COMMANDS: dict[str, tuple[str, ...]] = {
    "ls": ("ls", "acme:exports/"),
    "find": ("find", "acme8:us-east", "--limit", "3", "--sort", "size"),
    "count": ("find", "acme8:us-east", "--count"),
    "export": ("find", "acme8:us-east", "--limit", "3", "-o", "found.csv"),
    "stat": ("stat", "{object}"),
    "url": ("url", "{object}"),
    "get": ("get", "{object}", "--to", "got"),
    "get to a pipe": ("get", "{object}", "--to", "-"),
    "zip get": ("zip", "get", "{object}", "--to", "zipped"),
    "zip list": ("zip", "list", "acme8:us-east"),
    "put": ("put", "plan.csv", "acme:imports/outreach/nanp/", "--on-conflict", "overwrite"),
    "pull": ("pull", "acme8:us-east", "type:callcenterrecording", *TIMES, "--to", "pulled", "--sidecar"),
    "dry pull": ("pull", "acme8:us-east", *TIMES, "--to", "pulled", "--dry-run"),
    "verify": ("verify", "archive"),
    "call": ("call", "show", "{object}"),
    "preview": ("preview", "{object}"),
    "restore": ("restore", "{archived}"),
    "restores": ("restore", "list"),
    "transfers": ("transfers", "list"),
    "run": ("transfers", "run"),
    "prune": ("transfers", "prune", "--all"),
    "rm": ("rm", "{object}", "--dry-run"),
    "searches": ("search", "list"),
    "profiles": ("profile", "list"),
    "doctor": ("doctor", "acme8"),
}
MOVING = ("get", "put", "pull", "verify")
"""Those that have something to do with files of the user's."""
STORED = ("get", "put", "pull", "restore", "restores", "transfers", "run", "prune", "rm", "doctor")
"""Those that read or keep something of their own."""
THREADS = {
    "api client": ("ls", "find", "stat", "get", "put", "pull", "call", "restore", "doctor"),
    "blob client": (*MOVING, "get to a pipe", "zip get", "preview", "run"),
    "secret": tuple(COMMANDS),
    "journal": STORED,
    "transfer worker": (*MOVING, "run", "prune"),
    "asyncio_": ("call", "restore", "restores", "rm", "doctor", "find", "zip list"),
    "preview": ("preview",),
}
"""Threads by their names, and the commands that have something to do with them."""
CALLS = [
    *(
        "open_folder",
        "open_below",
        "open",
        "lstat",
        "write",
        "read",
        "truncate",
        "sync",
        "sync_folder",
        "set_time",
        "lock",
    ),
    *("link", "move", "give_free_name", "move_onto_placeholder", "is_placeholder", "is_private", "is_same", "replace"),
    *("remove", "check_size", "room"),
]


def fails(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


ADDRESSES: dict[str, str] = {}
"""Those of objects that every test may use."""


class Machine:
    """Runs every command, and looks at how it ends."""

    def __init__(self, cloudstore: Cloudstore, folder: Path) -> None:
        self._cloudstore = cloudstore
        self.state = folder / "state" / "cloudstore"

    def found(self, *words: str) -> str:
        """The address of an object that such a search finds."""
        record = self.run("find", "acme8:us-east", *words, "--limit", "1", "--json").records[0]
        return f"acme8:us-east/{record['id']}"

    def run(self, *words: str) -> Done:
        return self._cloudstore(*(ADDRESSES.get(word, word) for word in words), XDG_STATE_HOME=str(self.state.parent))

    def each(self, names: tuple[str, ...]) -> dict[str, Done]:
        ended = {}
        for name in names:
            began = time.monotonic()
            try:
                done = self.run(*COMMANDS[name])
            except Exception as error:
                raise AssertionError(f"{name}: a mistake of ours") from error
            took = time.monotonic() - began
            assert done.code < 70, (name, done)
            assert "Traceback" not in done.err, (name, done)
            assert done.code == 0 or done.err or name == "doctor", (name, done)
            assert took < PATIENCE, (name, took, done)
            ended[name] = done
        return ended


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox of its own, in which things may be changed: its configuration."""
    sandbox = Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("service"), objects=0))
    config = sandbox.start().config
    config.write_text(f"[settings]\nzip_poll_seconds = [1]\n{config.read_text()}")
    # What an earlier one held is not here: tests of a module come to a process in several runs.
    ADDRESSES.clear()
    yield config
    sandbox.stop()


@pytest.fixture
def machine(service: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Machine:
    (tmp_path / "plan.csv").write_text("1,2\n")
    made = Machine(Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(service)}, tmp_path), tmp_path)
    archive = service.with_name("archive")
    if not ADDRESSES:
        ADDRESSES["{object}"] = made.found("type:callcenterrecording", *TIMES)
        ADDRESSES["{archived}"] = made.found("state:archived")
        assert made.run("pull", "acme8:us-east", "type:callcenterrecording", *TIMES, "--to", str(archive)).code == 0
        shutil.rmtree(made.state)
    shutil.copytree(archive, tmp_path / "archive")
    return made


@pytest.mark.parametrize("name", THREADS)
def test_a_thread_that_cannot_begin(machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    start = threading.Thread.start

    def refusing(self: threading.Thread) -> None:
        if self.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refusing)
    ended = machine.each(THREADS[name])
    codes = {done.code for done in ended.values()}
    assert codes <= {0, 5}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_the_disk_that_fails(machine: Machine, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(Disk, call, fails)
    machine.each(MOVING)


def in_the_way(place: Path) -> None:
    place.mkdir(parents=True)


def garbage(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    place.chmod(0o600)


def open_to_all(place: Path) -> None:
    garbage(place)
    place.chmod(0o666)


def no_folder(place: Path) -> None:
    place.parent.parent.mkdir(parents=True, exist_ok=True)
    place.parent.write_text("a file")


def open_folder(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.parent.chmod(0o777)


@pytest.mark.parametrize("spoil", [in_the_way, garbage, open_to_all, no_folder, open_folder])
@pytest.mark.parametrize("store", ["journal.db", "restores.db", "deletions.jsonl"])
def test_a_store_that_cannot_be_used(machine: Machine, spoil: Callable[[Path], None], store: str) -> None:
    spoil(machine.state / store)
    ended = machine.each(STORED)
    assert ended["get"].code == 0
    if spoil in (open_to_all, no_folder, open_folder):
        needing = {"journal.db": ("transfers", "run", "prune"), "restores.db": ("restore",)}.get(store, ())
        assert all(ended[name].code == 5 for name in needing)


@pytest.mark.parametrize("error", [LocalDiskError("scratch data cannot be kept"), FullDiskError("the disk is full")])
def test_scratch_data_that_cannot_be_kept(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, error: StorageError
) -> None:
    def refuse(*_: object) -> None:
        raise error

    for name in ("execute", "one", "executemany"):
        if hasattr(ScratchDatabase, name):
            monkeypatch.setattr(ScratchDatabase, name, refuse)
    ended = machine.each(("find", "export", "pull", "dry pull", "verify"))
    assert {ended[name].code for name in ("pull", "dry pull", "verify")} == {5}

"""Storage is freed after proof: whatever happens meanwhile, nothing is deleted of which there is no good copy.

A service and a folder are played; at each moment at which the command waits for one of them something may happen to a
copy, to an object, or to the program itself. What cannot be guarded is not drawn: that an object changes at the service
between the last look at it and its deletion, since no service deletes on condition.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudstore_tui.archive.chain import read_chain
from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import CHAIN, NAME, Manifest, entry_of, fetched_entry
from cloudstore_tui.archive.verify import verify_folder
from cloudstore_tui.cli import rm
from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Deletion, DeletionOutcome
from cloudstore_tui.deletions import DeletionLog
from cloudstore_tui.transfers.workers import Stop

OBJECTS = 4


class Killed(BaseException):
    """The program is no more."""


def flip(path: Path) -> None:
    found, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 1] = b"?"
    path.write_bytes(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    path.rename(path.parent.parent / f"elsewhere-{path.name}")
    path.symlink_to(path.parent.parent / f"elsewhere-{path.name}")


def swap(path: Path) -> None:
    """Take the bytes of another object, with a manifest that fits them."""
    path.write_bytes(b"x" * path.stat().st_size)
    manifest = path.parent / NAME
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    digest, size = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
    lines = [{**line, "sha256": digest, "size": size} if line["path"] == path.name else line for line in lines]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))


def forget(path: Path) -> None:
    manifest = path.parent / NAME
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if json.loads(line)["path"] != path.name))


DAMAGE: tuple[Callable[[Path], None], ...] = (flip, truncate, remove, link, swap, forget)
CHANGED, VANISHED, KILLED = "changed", "vanished", "killed"


class World:
    """A service with some recordings, a folder with copies of them, and what is to happen at which moment."""

    def __init__(self, home: Path, plan: dict[int, list[tuple[Any, int]]]) -> None:
        self.profile = Profile("acme8", "8x8", read_only=False)
        self.home, self.folder = home, home / "calls"
        self.bodies = {f"r{number}": b"the recording %d" % number for number in range(OBJECTS)}
        self.deleted: list[str] = []
        self.seen: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self.moments = 0
        self.killed = False
        self._plan = plan
        manifest = Manifest(self.folder)
        for name, body in self.bodies.items():
            (self.folder / name).write_bytes(body)
            entry, found = self._entry(name), (self.folder / name).stat()
            line = entry_of(entry, Path(name), "8x8")  # type: ignore[arg-type]  # a path is a path
            manifest.append(fetched_entry(line, found, "md5", hashlib.sha256(body).hexdigest(), datetime.now(UTC)))
        manifest.close()

    def _entry(self, name: str) -> StoredObject:
        md5 = hashlib.md5(self.bodies[name], usedforsecurity=False).hexdigest()
        facts: dict[str, Any] = {"size": len(self.bodies[name]), "size_exact": True, "checksum": md5}
        where = Location("acme8", "us-east", name)
        return StoredObject(where, name, name, "callrecording", checksum_type="MD5", state="AVAILABLE", **facts)

    def moment(self, of: str = "") -> None:
        """Let happen what is to happen now."""
        self.moments += 1
        for action, number in self._plan.get(self.moments, ()):
            name = f"r{number}"
            if action == KILLED:
                self.killed = True
                raise Killed
            if action in (CHANGED, VANISHED):
                # Not after the last look at it.
                if self.seen[name] < 2 or name == of:
                    self._at_the_service(action, name)
            elif (self.folder / name).is_file() and not (self.folder / name).is_symlink():
                with contextlib.suppress(FileNotFoundError):
                    action(self.folder / name)
                self.happened[action.__name__] += 1

    def _at_the_service(self, action: str, name: str) -> None:
        if name in self.bodies:
            if action == VANISHED:
                del self.bodies[name]
            else:
                self.bodies[name] += b"!"
            self.happened[action] += 1

    # What the command sees of the service

    def require(self, *_: object) -> None:
        """Everything can be done."""

    def is_folder(self, _location: Location) -> bool:
        return False

    async def stat(self, location: Location) -> StoredObject:
        self.moment(of=location.path)
        self.seen[location.path] += 1
        if location.path not in self.bodies:
            raise MissingError("it is gone", subject=location.address)
        return self._entry(location.path)

    async def source(self, location: Location, _known: StoredObject | None = None) -> Source:
        """Nobody gives a link to what is gone."""
        raise MissingError("it is gone", subject=location.address)

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        for location in locations:
            copy = self.folder / location.path
            assert not copy.is_symlink(), f"{location.path} is deleted, and a link is in its place"
            assert copy.read_bytes() == self.bodies[location.path], f"{location.path} is deleted, and its copy is bad"
        for location in locations:
            del self.bodies[location.path]
            self.deleted.append(location.path)
        self.moment()
        return tuple(Deletion(location, DeletionOutcome.DELETED) for location in locations)


@contextlib.contextmanager
def played(plan: dict[int, list[tuple[Any, int]]]) -> Iterator[World]:
    """A world in which the reading of files and the log of deletions are moments, too."""
    home = Path(tempfile.mkdtemp())
    world, verified, begin = World(home, plan), PullFolder.verified, DeletionLog.begin

    def reading(self: PullFolder, *given: Any) -> Any:
        world.moment()
        found = verified(self, *given)
        world.moment()
        return found

    def beginning(self: DeletionLog, *given: Any) -> str:
        batch = begin(self, *given)
        world.moment()
        return batch

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(home / "state"))
        patched.setattr(PullFolder, "verified", reading)
        patched.setattr(DeletionLog, "begin", beginning)
        try:
            yield world
        finally:
            shutil.rmtree(home)


def release(world: World) -> None:
    """The command, until it has ended or was killed."""
    world.seen.clear()
    world.killed = False
    session = SimpleNamespace(
        output=Output(as_json=True, zone=ZoneInfo("UTC")),
        read_paths=lambda paths: paths,
        resolve=lambda path: (world, Location("acme8", "us-east", path.rpartition("/")[2])),
    )
    try:
        asyncio.run(rm.rm_command(session, (), folder=world.folder, yes=True, dry_run=False))  # type: ignore[arg-type]  # played
    except (Killed, RuntimeError):
        # A worker reports it as a mistake.
        assert world.killed


ACTIONS = st.tuples(st.sampled_from([*DAMAGE, *DAMAGE, CHANGED, VANISHED, KILLED]), st.integers(0, OBJECTS - 1))
PLANS = st.dictionaries(st.integers(1, 22), st.lists(ACTIONS, min_size=1, max_size=2), max_size=4)
FEW = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), max_examples=60)


def check(plan: dict[int, list[tuple[Any, int]]]) -> World:
    with played(plan) as world:
        release(world)
        # Whoever was killed does it once more, and so may anybody.
        again = 0
        while world.killed or not again:
            release(world)
            again += 1
        lines = [link.event for link in read_chain(world.folder / CHAIN)] if (world.folder / CHAIN).exists() else []
        released = [event["path"] for event in lines if event["event"] == "released" and event["outcome"] == "deleted"]
        assert set(released) <= set(world.deleted)
        if not any(action == KILLED for actions in plan.values() for action, _ in actions):
            assert released == world.deleted
        assert len(world.deleted) == len(set(world.deleted))
        if not world.happened:
            assert sorted(world.deleted) == [f"r{number}" for number in range(OBJECTS)]
            assert not [finding for finding in verify_folder(world.folder, Stop()) if finding.error]
        return world


def test_without_a_mishap_everything_goes() -> None:
    world = check({})
    assert world.moments > 15


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_damaged_before_is_kept_whatever_the_manifest_says(damage: Callable[[Path], None]) -> None:
    with played({}) as world:
        damage(world.folder / "r0")
        release(world)
        assert sorted(world.deleted) == ["r1", "r2", "r3"]


@FEW
@given(PLANS)
def test_nothing_without_a_good_copy_is_deleted(plan: dict[int, list[tuple[Any, int]]]) -> None:
    check(plan)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(FEW, max_examples=1000, derandomize=False)
@given(PLANS)
def test_the_same_with_thousands_of_interleavings(plan: dict[int, list[tuple[Any, int]]]) -> None:
    check(plan)

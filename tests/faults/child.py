"""A program that downloads with the transfer engine, to be killed. Run with its orders as JSON.

`store` (address), `state`, `folder`, `names`, `at_once`, `conflict`, `timeouts`; `only_missing` (not what is there),
`adopt` (go on with what was interrupted), `start_at` (seconds since 1970), `patience` (seconds), `quick` (waiting takes
no time), `checkpoint` (bytes between two), `locks` (false: every lock is given), `record` (a file where every sync is
written down once it is done), `fail` (the how-manieth call of the disk fails, with which error, and whether all later
ones do), `runs` (orders that are carried out one after the other, each on top of these).

Prints a JSON line per transfer.
"""

import asyncio
import contextlib
import errno
import json
import os
import stat
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers import download
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, TransferSnapshot
from tests.support.clock import QuickClock
from tests.support.providers import FakeProvider

CANARY = "canary-api-key-5f1c"
Orders = dict[str, Any]


def told(store: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{store}/?orders", timeout=10) as reply:
        objects: dict[str, Any] = json.load(reply)["objects"]
    return objects


class Provider(FakeProvider):
    """Knows the objects of the store, and a secret that nobody else may learn."""

    def __init__(self, store: str) -> None:
        super().__init__(Profile("tiny", "tiny", {"api_key": CANARY}, read_only=False))
        self.store = store
        self.signed = 0

    async def stat(self, location: Location) -> Entry:
        known = (await asyncio.to_thread(told, self.store))[location.path]
        return StoredObject(location, location.path, id=location.path, size=known["size"])

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        facts = (await asyncio.to_thread(told, self.store))[location.path]
        self.signed += 1
        url = f"{self.store}/{location.path}?X-Signature=canary-of-link-{os.getpid()}-{self.signed}"
        return Source(Secret(url), size=facts["size"], checksum=facts["md5"], checksum_type="MD5", local=True)


class RecordingDisk(Disk):
    """Writes down what is known to be on the disk, after it is: a power cut takes everything else."""

    def __init__(self, record: Path, *, locks: bool) -> None:
        super().__init__()
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._locks = locks

    def sync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            entry: dict[str, Any] = {"names": {item.name: item.inode() for item in os.scandir(descriptor)}}
        else:
            entry = {"inode": found.st_ino, "size": found.st_size}
        super().sync(descriptor)
        self._note(entry)

    def truncate(self, descriptor: int, size: int) -> None:
        self._note({"inode": os.fstat(descriptor).st_ino, "cut": size})
        super().truncate(descriptor, size)

    def lock(self, descriptor: int) -> bool:
        return super().lock(descriptor) if self._locks else True

    def _note(self, entry: dict[str, Any]) -> None:
        os.write(self._record, json.dumps(entry).encode() + b"\n")


class FailingDisk(RecordingDisk):
    """Fails at one call, or from it on; a write that fails has taken half of its bytes."""

    def __init__(self, record: Path, call: int, error: str, *, lasting: bool) -> None:
        super().__init__(record, locks=True)
        self.calls: list[str] = []
        self._call = call
        self._error = error
        self._lasting = lasting
        self._synced = threading.Event()
        self._counting = threading.Lock()

    def open_folder(self, path: Path) -> int:
        self._pass("open_folder")
        return super().open_folder(path)

    def open(self, name: str | Path, flags: int, folder: int | None = None) -> int:
        self._pass("open")
        return super().open(name, flags, folder)

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        try:
            self._pass("close")
        except OSError:
            # As the system fails: the file is closed, and an error is given.
            super().close(-1)

    def lstat(self, name: str | Path, folder: int | None = None) -> os.stat_result | None:
        self._pass("lstat")
        return super().lstat(name, folder)

    def write(self, descriptor: int, data: memoryview) -> int:
        if self._error == "short":
            return super().write(descriptor, data[: max(len(data) // 3, 1)])
        if self._fails("write"):
            super().write(descriptor, data[: len(data) // 2])
            # Whoever counts bytes before they are written promises them now.
            self._synced.clear()
            self._synced.wait(0.2)
            raise self._failure()
        return super().write(descriptor, data)

    def read(self, descriptor: int, count: int, offset: int) -> bytes:
        self._pass("read")
        return super().read(descriptor, count, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        self._pass("truncate")
        super().truncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self._pass("sync")
        super().sync(descriptor)
        self._synced.set()

    def set_time(self, descriptor: int, seconds: float) -> None:
        self._pass("set_time")
        super().set_time(descriptor, seconds)

    def lock(self, descriptor: int) -> bool:
        self._pass("lock")
        return super().lock(descriptor)

    def link(self, name: str, new: str, folder: int) -> None:
        self._pass("link")
        super().link(name, new, folder)

    def replace(self, name: str, new: str, folder: int) -> None:
        self._pass("replace")
        super().replace(name, new, folder)

    def remove(self, name: str, folder: int) -> None:
        self._pass("remove")
        super().remove(name, folder)

    def room(self, descriptor: int) -> tuple[int, int]:
        self._pass("room")
        return super().room(descriptor)

    def _pass(self, call: str) -> None:
        if self._fails(call):
            raise self._failure()

    def _fails(self, call: str) -> bool:
        with self._counting:
            self.calls.append(call)
            count = len(self.calls)
        return self._error != "short" and (count == self._call or (self._lasting and count > self._call > 0))

    def _failure(self) -> OSError:
        number = getattr(errno, self._error)
        return OSError(number, os.strerror(number))


def say(item: TransferSnapshot, **more: object) -> None:
    error = item.error
    line = {
        **more,
        "name": item.request.location.path,
        "state": item.state.value,
        "code": error.code if error is not None else 0,
        "error": str(error) if error is not None else "",
        "level": item.level,
        "attempts": item.attempts,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(orders: Orders, disk: Disk | None = None) -> list[TransferSnapshot]:
    provider = Provider(orders["store"])
    journal = JournalStore(Path(orders["state"]))
    folder = Path(orders["folder"])
    engine = TransferManager(
        lambda _name: provider,
        orders.get("at_once", 4),
        Timeouts(**{"connect": 2, "read": 1, "stall": 2, "give_up": 900, **orders.get("timeouts", {})}),
        journal=journal,
        clock=QuickClock() if orders.get("quick") else None,
        disk=disk,
    )
    numbers = list(await engine.adopt()) if orders.get("adopt", True) else []
    taken = {item.request.location.path for item in engine.snapshot()}
    conflict = OnConflict(orders.get("conflict", "refuse"))
    requests = [
        DownloadRequest(provider.locate(name), folder, name, conflict)
        for name in orders["names"]
        if name not in taken and not (orders.get("only_missing") and (folder / name).exists())
    ]
    numbers += [engine.submit(request) for request in requests]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(engine.wait(number) for number in numbers)), orders.get("patience", 60))
    wanted = set(numbers)
    ended = [item for item in engine.snapshot() if item.id in wanted]
    await engine.close()
    journal.close()
    return ended


def disk_of(orders: Orders) -> Disk | None:
    record = Path(orders.get("record", os.devnull))
    if "fail" in orders:
        call, error, lasting = orders["fail"]
        return FailingDisk(record, call, error, lasting=lasting)
    locks = orders.get("locks", True)
    return RecordingDisk(record, locks=locks) if "record" in orders or not locks else None


def main(orders: Orders) -> None:
    if "checkpoint" in orders:
        download.CHECKPOINT_BYTES = orders["checkpoint"]
        # The objects are small: what only large ones are worth begins at once.
        download.START_AFTER_S, download.POLL_S = 0.0, 0.02
    with contextlib.suppress(ValueError):
        time.sleep(orders.get("start_at", 0) - time.time())
    for number, more in enumerate(orders.get("runs", [{}])):
        disk = disk_of(orders | more)
        ended = asyncio.run(run(orders | more, disk))
        calls = disk.calls if isinstance(disk, FailingDisk) else []
        for item in ended:
            say(item, run=number, calls=calls)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

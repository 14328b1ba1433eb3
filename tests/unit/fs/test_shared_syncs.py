"""Those who wait for the same folder share a sync, and none is served by one that began before it asked."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from cloudstore_tui.fs.disk import SharedSyncs

PATIENCE = 20.0


class SlowDisk:
    """Syncs that end when they are told to."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.count = 0
        self.failure: OSError | None = None

    def sync(self) -> None:
        self.count += 1
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE)
        if self.failure is not None:
            raise self.failure


def waiting_behind_one(
    disk: SlowDisk, syncs: SharedSyncs, threads: ThreadPoolExecutor
) -> tuple[Future[None], list[Future[None]]]:
    """A sync that runs, and four calls that came after it began."""
    first = threads.submit(syncs.join, "folder", disk.sync)
    assert disk.begun.acquire(timeout=PATIENCE)
    entered = threading.Semaphore(0)

    def come_later() -> None:
        entered.release()
        syncs.join("folder", disk.sync)

    later = [threads.submit(come_later) for _ in range(4)]
    assert all(entered.acquire(timeout=PATIENCE) for _ in later)
    return first, later


def test_calls_that_come_during_a_sync_wait_for_the_next_one_and_share_it() -> None:
    disk, syncs = SlowDisk(), SharedSyncs()
    with ThreadPoolExecutor(5) as threads:
        first, later = waiting_behind_one(disk, syncs, threads)
        disk.go_on.release()
        first.result(PATIENCE)
        assert disk.begun.acquire(timeout=PATIENCE)
        assert not any(call.done() for call in later)
        disk.go_on.release(5)
        for call in later:
            call.result(PATIENCE)
    assert 2 <= disk.count <= 3, "those that were slow to come in may need one more"


def test_a_failure_is_that_of_all_who_shared_the_sync_and_of_nobody_after() -> None:
    disk, syncs = SlowDisk(), SharedSyncs()
    with ThreadPoolExecutor(5) as threads:
        first, later = waiting_behind_one(disk, syncs, threads)
        disk.go_on.release()
        first.result(PATIENCE)
        disk.failure = OSError(5, "Input/output error")
        disk.go_on.release(5)
        for call in later:
            with pytest.raises(OSError, match="Input/output"):
                call.result(PATIENCE)
    disk.failure = None
    disk.go_on.release()
    syncs.join("folder", disk.sync)


def test_folders_do_not_wait_for_each_other() -> None:
    disk, syncs = SlowDisk(), SharedSyncs()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(syncs.join, "folder", disk.sync)
        assert disk.begun.acquire(timeout=PATIENCE)
        syncs.join("another", lambda: None)
        assert not slow.done()
        disk.go_on.release()
        slow.result(PATIENCE)

"""Uploads that one run of the program began and another one finds in the journal."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import LocalDiskError, NetworkError, StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.journal.store import JournalEntry, JournalStore
from cloudstore_tui.transfers.model import State, TransferProgress, UploadRequest
from cloudstore_tui.transfers.upload import Upload

PLACE = Location("tiny", path="imports/plan.csv")
TAKEN = tuple(Location("tiny", path=f"imports/{folder}/plan.csv") for folder in ("processed", "errors"))


class Runs:
    """The same upload in several runs of the program, with what the journal keeps between them."""

    def __init__(self, state: Path, provider: Any, make: Callable[[], TransferContext]) -> None:
        self.state = state
        self.provider = provider
        self.make = make
        self.journals: list[JournalStore] = []

    async def first(self, path: Path, *, overwrite: bool = False) -> Upload:
        journal = self._journal()
        request = UploadRequest(path, PLACE, overwrite)
        journal_entry = JournalEntry(journal, 7)
        journal_entry.enter(request)
        return Upload(
            TransferProgress(7, request, self.make().clock), request, self.provider, self.make(), journal_entry
        )

    async def next(self) -> Upload:
        """The upload that another run of the program finds in the journal."""
        self.journals.pop().close()
        journal = self._journal()
        (record,) = await journal.adopt()
        request = record.request
        assert isinstance(request, UploadRequest)
        journal_entry = JournalEntry(journal, record.id, record)
        return Upload(
            TransferProgress(7, request, self.make().clock), request, self.provider, self.make(), journal_entry
        )

    def _journal(self) -> JournalStore:
        self.journals.append(JournalStore(self.state))
        return self.journals[-1]


@pytest.fixture
async def context(timeouts: Any, clock: Any) -> AsyncIterator[TransferContext]:
    given = TransferContext(BlobClient(timeouts), timeouts, clock, Disk())
    yield given
    await given.blob.close()
    given.workers.close()


@pytest.fixture
def runs(tmp_path: Path, provider: Any, context: TransferContext) -> Iterator[Runs]:
    made = Runs(tmp_path / "state", provider, lambda: context)
    yield made
    for journal in made.journals:
        journal.close()


async def cut_off(runs: Runs, server: Any, answer: Any, plan: Path, *, overwrite: bool = False) -> Upload:
    """The next run after one that ended between the last byte and the reply."""
    upload, look = await runs.first(plan, overwrite=overwrite), runs.provider.stat

    async def ending(location: Location) -> Any:
        if server.puts:
            raise RuntimeError("the program ends here, before it looks whether the file arrived")
        return await look(location)

    server.answer(answer(silent=True))
    runs.provider.stat = ending
    with pytest.raises(RuntimeError):
        await upload.run()
    runs.provider.stat = look
    upload.discard()
    assert server.puts == 1
    return await runs.next()


async def test_a_file_that_arrived_before_a_crash_is_not_sent_again(
    runs: Runs, server: Any, provider: Any, answer: Any, clock: Any, plan: Path
) -> None:
    provider.modified = clock.now() + timedelta(seconds=1)
    upload = await cut_off(runs, server, answer, plan)
    assert await upload.run() is State.DONE
    assert (upload.finished, server.puts) == (True, 1)
    upload.discard()


@pytest.mark.parametrize("taken", TAKEN)
async def test_a_file_that_the_service_took_before_a_crash_was_noticed_is_not_sent_again(
    runs: Runs, server: Any, provider: Any, answer: Any, clock: Any, plan: Path, content: bytes, taken: Location
) -> None:
    provider.taken_to = lambda _location: TAKEN
    provider.modified = clock.now() + timedelta(seconds=1)
    server.put_takes = False
    server.put(f"/{taken.path}", content)
    upload = await cut_off(runs, server, answer, plan)
    assert await upload.run() is State.DONE
    assert server.puts == 1
    upload.discard()


async def test_what_may_have_been_read_and_taken_away_is_sent_again_only_when_asked(
    runs: Runs, server: Any, provider: Any, answer: Any, plan: Path
) -> None:
    provider.taken_to = lambda _location: TAKEN
    server.put_takes = False
    upload = await cut_off(runs, server, answer, plan)
    with pytest.raises(StorageError, match="whether it arrived is unknown") as caught:
        await upload.run()
    assert (caught.value.code, caught.value.retryable, server.puts) == (1, False, 1)
    assert caught.value.hint
    upload.discard()
    server.put_takes = True
    again = await runs.next()
    assert await again.run() is State.DONE
    assert server.puts == 2
    again.discard()


async def test_what_would_still_be_there_is_sent_again_after_a_crash(
    runs: Runs, server: Any, answer: Any, plan: Path
) -> None:
    server.put_takes = False
    upload = await cut_off(runs, server, answer, plan)
    server.put_takes = True
    assert await upload.run() is State.DONE
    assert server.puts == 2
    upload.discard()


@pytest.mark.parametrize("ahead", [None, timedelta(hours=1)], ids=["clocks agree", "the service's clock is ahead"])
async def test_an_older_object_is_not_what_was_sent_before_a_crash(
    runs: Runs,
    server: Any,
    provider: Any,
    answer: Any,
    clock: Any,
    plan: Path,
    content: bytes,
    ahead: timedelta | None,
) -> None:
    if ahead is not None:
        provider.modified = clock.now() + ahead
    server.put_takes = False
    server.put("/imports/plan.csv", bytes(len(content)))
    upload = await cut_off(runs, server, answer, plan, overwrite=True)
    server.put_takes = True
    assert await upload.run() is State.DONE
    assert (server.puts, server.objects["/imports/plan.csv"]) == (2, content)
    upload.discard()


async def test_a_file_that_changed_since_a_crash_is_not_sent(
    runs: Runs, server: Any, provider: Any, answer: Any, clock: Any, plan: Path
) -> None:
    provider.modified = clock.now() + timedelta(seconds=1)
    upload = await cut_off(runs, server, answer, plan)
    later = (clock.now() + timedelta(seconds=2)).timestamp()
    os.utime(plan, (later, later))
    with pytest.raises(LocalDiskError, match="it has a different time of change"):
        await upload.run()
    assert server.puts == 1
    upload.discard()


async def test_a_file_that_cannot_have_arrived_whole_needs_no_look_after_a_crash(
    runs: Runs, server: Any, provider: Any, answer: Any, tmp_path: Path, content: bytes
) -> None:
    provider.taken_to = lambda _location: TAKEN
    plan = tmp_path / "plan.csv"
    plan.write_bytes(content * 60)
    server.answer(*[answer(cut=1000)] * 5)
    upload = await runs.first(plan)
    with pytest.raises(NetworkError):
        await upload.run()
    assert server.puts == 5
    upload.discard()
    again = await runs.next()
    assert await again.run() is State.DONE
    assert server.puts == 6
    again.discard()


async def test_nothing_is_sent_that_a_crash_would_make_forgotten(
    runs: Runs, server: Any, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_journal: JournalStore, _number: int = 0) -> None:
        raise LocalDiskError("the disk is full")

    upload = await runs.first(plan)
    monkeypatch.setattr(JournalStore, "settled", full)
    with pytest.raises(LocalDiskError):
        await upload.run()
    assert server.puts == 0
    upload.discard()

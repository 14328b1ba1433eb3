"""What one run leaves, and what the next one makes of it."""

import asyncio
import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import BusyError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import DownloadRequest, State
from tests.support.waiting import until

Make = Callable[..., TransferManager]
MakeJournal = Callable[[], JournalStore]


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".cs-")]


async def stopped_half_way(engine: TransferManager, request: DownloadRequest, arrived: int) -> int:
    number = engine.submit(request)
    await until(lambda: engine.snapshot()[0].done >= arrived)
    await engine.close()
    return number


async def ended_half_way(fresh_engine: Make, open_journal: MakeJournal, request: DownloadRequest) -> int:
    """A transfer of a program that ended after 200,000 bytes."""
    journal = open_journal()
    number = await stopped_half_way(fresh_engine(journal=journal), request, 200_000)
    journal.close()
    return number


@pytest.fixture
def request_(provider: Any, server: Any, content: bytes, folder: Path) -> DownloadRequest:
    server.put("/a.bin", content)
    return DownloadRequest(provider.locate("a.bin"), folder)


async def test_a_transfer_that_the_end_of_the_program_stopped_goes_on_where_it_was(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    number = await ended_half_way(fresh_engine, open_journal, request_)
    assert not (request_.folder / "a.bin").exists()
    assert len(parts(request_.folder)) == 1

    second = fresh_engine(journal=open_journal())
    (left,) = await second.left_overs.interrupted()
    assert (left.id, left.done) == (number, 200_000)
    assert await second.adopt([number]) == (number,)
    ended = await second.wait(number)

    assert (ended.state, ended.level) == (State.DONE, "md5")
    assert server.starts() == [0, 200_000]
    assert (request_.folder / "a.bin").read_bytes() == content
    assert parts(request_.folder) == []
    assert await second.left_overs.interrupted() == ()
    await second.close()


async def test_asking_for_the_same_file_again_takes_over_what_is_there(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)

    second = fresh_engine(journal=open_journal())
    assert (await second.wait(second.submit(request_))).state is State.DONE
    assert server.starts() == [0, 200_000]
    assert (request_.folder / "a.bin").read_bytes() == content
    assert await second.left_overs.interrupted() == ()
    await second.close()


async def test_what_is_taken_over_is_known_before_the_next_byte_comes(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest
) -> None:
    server.answer(answer(stall=200_000), *[answer(silent=True)] * 100)
    await ended_half_way(fresh_engine, open_journal, request_)

    journal, others = open_journal(), open_journal()
    second = fresh_engine(journal=journal)
    second.submit(request_)
    await server.saw(2)
    await journal.settled()
    (row,) = await others.running_elsewhere()
    (part,) = parts(request_.folder)
    assert (row.part, row.inode, row.durable) == (part, (request_.folder / part).stat().st_ino, 200_000)
    await second.close()


async def test_bytes_beyond_the_last_checkpoint_are_fetched_again(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)
    part = request_.folder / parts(request_.folder)[0]
    with part.open("ab") as file:
        file.write(b"not of the object")

    second = fresh_engine(journal=open_journal())
    assert (await second.wait(second.submit(request_))).state is State.DONE
    assert server.starts() == [0, 200_000]
    assert (request_.folder / "a.bin").read_bytes() == content
    await second.close()


@pytest.mark.parametrize("harm", ["shorter", "another file", "gone"])
async def test_a_part_file_that_was_tampered_with_is_not_trusted(
    fresh_engine: Make,
    open_journal: MakeJournal,
    server: Any,
    answer: Any,
    request_: DownloadRequest,
    content: bytes,
    harm: str,
) -> None:
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)
    part = request_.folder / parts(request_.folder)[0]
    if harm == "shorter":
        os.truncate(part, 50_000)
    else:
        part.rename(request_.folder / "aside")
    if harm == "another file":
        part.write_bytes(b"x" * 200_000)

    second = fresh_engine(journal=open_journal())
    assert (await second.wait(second.submit(request_))).state is State.DONE
    assert server.starts() == [0, 50_000 if harm == "shorter" else 0]
    assert (request_.folder / "a.bin").read_bytes() == content
    assert parts(request_.folder) == []
    await second.close()


async def test_a_folder_that_is_gone_with_what_had_arrived_is_waited_for_and_not_made_elsewhere(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)
    mounted, away = request_.folder, request_.folder.with_name("taken away")
    mounted.rename(away)

    second = fresh_engine(journal=open_journal())
    (number,) = await second.adopt()
    ended = await second.wait(number)
    assert ended.error is not None
    assert (ended.error.code, ended.error.subject, mounted.exists()) == (5, str(mounted), False)
    away.rename(mounted)
    second.retry(number)
    assert (await second.wait(number)).state is State.DONE
    assert server.starts() == [0, 200_000]
    assert (mounted / "a.bin").read_bytes() == content
    await second.close()


async def test_an_object_that_changed_meanwhile_is_fetched_anew(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)
    changed = content[::-1]
    server.put("/a.bin", changed)

    second = fresh_engine(journal=open_journal())
    assert (await second.wait(second.submit(request_))).state is State.DONE
    assert (request_.folder / "a.bin").read_bytes() == changed
    await second.close()


class DiskWithoutNames(Disk):
    """Takes all bytes, and gives no file its name."""

    def link(self, name: str, new: str, folder: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("etag", [None, ""], ids=["validator", "overlap"])
async def test_bytes_that_had_all_come_are_only_the_objects_if_it_has_not_changed_since(
    fresh_engine: Make,
    open_journal: MakeJournal,
    server: Any,
    provider: Any,
    request_: DownloadRequest,
    content: bytes,
    etag: str | None,
    changed: bool,
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/a.bin", content, etag)
    journal = open_journal()
    first = fresh_engine(journal=journal, disk=DiskWithoutNames())
    assert (await first.wait(first.submit(request_))).state is State.FAILED
    await first.close()
    journal.close()
    final = content[::-1] if changed else content
    server.put("/a.bin", final, etag)

    second = fresh_engine(journal=open_journal())
    (number,) = await second.adopt()
    ended = await second.wait(number)
    assert ended.state is State.DONE
    assert (request_.folder / "a.bin").read_bytes() == final
    assert server.starts().count(0) == (2 if changed else 1)
    await second.close()


async def test_without_a_validator_the_overlap_is_compared(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.put("/a.bin", content, etag="")
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)

    second = fresh_engine(journal=open_journal())
    assert (await second.wait(second.submit(request_))).state is State.DONE
    assert server.starts() == [0, 200_000 - 65_536]
    assert (request_.folder / "a.bin").read_bytes() == content
    await second.close()


async def test_a_weak_validator_that_differs_in_the_next_run_mixes_nothing(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, provider: Any, answer: Any, request_: DownloadRequest
) -> None:
    provider.tells_checksum = False
    before, after = (tone * 20_000 + bytes(200_000) + tone * 20_000 for tone in (b"a", b"b"))
    server.put("/a.bin", before, etag='W/"1"')
    server.answer(answer(stall=200_000))
    await ended_half_way(fresh_engine, open_journal, request_)
    server.put("/a.bin", after, etag='W/"2"')

    second = fresh_engine(journal=open_journal())
    ended = await second.wait(second.submit(request_))
    assert (ended.state, ended.level) == (State.DONE, "size")
    assert server.starts() == [0, 200_000 - 65_536, 0]
    assert (request_.folder / "a.bin").read_bytes() == after
    await second.close()


async def test_a_paused_transfer_rests_until_it_is_resumed(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest, content: bytes
) -> None:
    server.answer(answer(stall=200_000))
    engine = fresh_engine(journal=open_journal())
    number = engine.submit(request_)
    await until(lambda: engine.snapshot()[0].done >= 200_000)
    engine.pause(number)
    await until(lambda: engine.snapshot()[0].state is State.PAUSED)
    assert len(parts(request_.folder)) == 1
    engine.resume(number)
    assert (await engine.wait(number)).state is State.DONE
    assert server.starts() == [0, 200_000]
    await engine.close()


async def test_a_paused_transfer_that_is_cancelled_leaves_nothing(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest
) -> None:
    server.answer(answer(stall=200_000))
    journal = open_journal()
    engine = fresh_engine(journal=journal)
    number = engine.submit(request_)
    await until(lambda: engine.snapshot()[0].done >= 200_000)
    engine.pause(number)
    await until(lambda: engine.snapshot()[0].state is State.PAUSED)
    engine.cancel(number)
    assert (await engine.wait(number)).state is State.CANCELLED
    assert parts(request_.folder) == []
    await engine.close()
    journal.close()
    assert await open_journal().interrupted() == ()


async def test_what_is_dropped_leaves_no_part_file(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, provider: Any, request_: DownloadRequest
) -> None:
    server.answer(answer(stall=200_000))
    number = await ended_half_way(fresh_engine, open_journal, request_)

    second = fresh_engine(journal=open_journal())
    assert await second.left_overs.drop([number]) == 1
    assert parts(request_.folder) == []
    assert await second.left_overs.interrupted() == ()
    await second.close()


async def test_two_programs_see_each_other_and_only_one_makes_a_file(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest
) -> None:
    server.answer(answer(stall=200_000))
    first = fresh_engine(journal=open_journal())
    number = first.submit(request_)
    await until(lambda: first.snapshot()[0].done >= 200_000)

    second = fresh_engine(journal=open_journal())
    (other,) = await second.left_overs.running_elsewhere()
    assert (other.transfer.id, other.process) == (number, os.getpid())
    assert await second.adopt([number]) == ()
    refused = await second.wait(second.submit(request_))
    assert isinstance(refused.error, BusyError)
    assert str(os.getpid()) in str(refused.error)
    await second.close()
    await first.close()


async def test_another_program_can_ask_for_a_pause_and_a_cancel(
    fresh_engine: Make, open_journal: MakeJournal, server: Any, answer: Any, request_: DownloadRequest
) -> None:
    server.answer(answer(stall=200_000), *[answer(stall=0)] * 20)
    engine = fresh_engine(journal=open_journal())
    number = engine.submit(request_)
    await until(lambda: engine.snapshot()[0].done >= 200_000)
    other = fresh_engine(journal=open_journal()).left_overs
    await other.send_command(number, "pause")
    await until(lambda: engine.snapshot()[0].state is State.PAUSED)
    await other.send_command(number, "cancel")
    await until(lambda: engine.snapshot()[0].state is State.CANCELLED)
    assert parts(request_.folder) == []
    await engine.close()


SCRIPT = """
import asyncio, sys
from pathlib import Path
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.model import DownloadRequest
from cloudstore_tui.core.models import Location
journal = JournalStore(Path(sys.argv[1]))
journal.add(7, DownloadRequest(Location("tiny", path="a.bin"), Path("/tmp")))
asyncio.run(journal.settled())
print("ready", flush=True)
sys.stdin.read()
"""


def test_the_transfers_of_a_killed_process_are_interrupted_at_once(tmp_path: Path, open_journal: MakeJournal) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "state")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        journal = open_journal()
        assert [record.id for record in asyncio.run(journal.running_elsewhere())] == [7]
        assert asyncio.run(journal.interrupted()) == ()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert [record.id for record in asyncio.run(journal.interrupted())] == [7]
        assert asyncio.run(journal.running_elsewhere()) == ()


async def test_what_an_earlier_run_knew_of_the_object_is_asked_for_again(
    provider: Any, server: Any, content: bytes, fresh_engine: Make, open_journal: MakeJournal, answer: Any, folder: Path
) -> None:
    server.put("/a.bin", content)
    server.answer(answer(stall=100_000))
    place = provider.locate("a.bin")
    checksum = hashlib.md5(content).hexdigest()
    entry = StoredObject(place, "a.bin", size=len(content), size_exact=True, checksum=checksum)
    first = open_journal()
    request = DownloadRequest(place, folder, entry=entry)
    number = await stopped_half_way(fresh_engine(journal=first), request, 100_000)
    first.close()
    assert provider.looked_up == 0
    second = fresh_engine(journal=open_journal())
    await second.adopt([number])
    assert (await second.wait(number)).state is State.DONE
    assert provider.looked_up == 1
    assert (folder / "a.bin").read_bytes() == content
    await second.close()

"""A zip transfer from the job to the last file, against a service that does what a script says."""

import asyncio
import errno
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConflictError,
    IntegrityError,
    JobError,
    LocalDiskError,
    MissingError,
    NotAvailableError,
    PartialError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.transfers.journal.store import JournalEntry, JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.transfers.model import OnConflict, State, ZipRequest
from tests.support.waiting import until

Ask = Callable[..., ZipRequest]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def many(service: Any, count: int) -> list[Any]:
    return [service.put(f"{number}.wav", b"%d " % number * (number + 1) * 50) for number in range(count)]


def contents(service: Any, folder: Path) -> dict[str, bytes]:
    return {entry.name.replace(":", "%3A"): content for entry, content in service.entries.values()}


def parts(folder: Path) -> list[str]:
    return [name for name in files(folder) if name.startswith(".cs-")]


# The usual way


async def test_objects_are_packed_fetched_verified_and_published(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    service.words = [["NOT_STARTED", "IN_PROGRESS", "DONE"]]
    run = await carry_out(asked(*many(service, 5)))
    assert (run.state, run.states) == (State.DONE, ["done"] * 5)
    assert files(folder) == contents(service, folder)
    assert {member.level for member in run.members} == {"md5"}
    assert (folder / "3.wav").stat().st_mtime == datetime(2024, 9, 1, tzinfo=UTC).timestamp()
    assert (folder / "3.wav").stat().st_mode & 0o777 == 0o600
    assert service.started == [["id-0", "id-1", "id-2", "id-3", "id-4"]]
    assert {seen.path for seen in service.server.log} == {"/zips/job-0.zip"}
    assert carry_out.notes == ["packed on the server, 5 objects"] * 2
    assert run.work.finished


async def test_polls_are_far_apart_and_the_last_pause_repeats(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["NOT_STARTED", *["IN_PROGRESS"] * 5, "DONE"]]
    await carry_out(asked(*many(service, 2)))
    assert carry_out.clock.pauses == [5, 10, 20, 20, 20, 20]


async def test_a_job_that_is_done_at_once_is_not_asked_for(service: Any, carry_out: Any, asked: Ask) -> None:
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    assert service.looks == []


async def test_a_sha256_is_told_where_it_is_wanted(service: Any, carry_out: Any, asked: Ask) -> None:
    run = await carry_out(asked(*(replace(one, sha256=True) for one in many(service, 2))))
    assert [len(member.sha256) for member in run.members] == [64, 64]


async def test_repeated_names_and_colons_come_out_right(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    members = [service.put("int-a:b.json", text * 9) for text in (b"a", b"b", b"c")]
    run = await carry_out(asked(*(replace(one, on_conflict=OnConflict.KEEP_BOTH) for one in members)))
    assert run.states == ["done"] * 3
    found = [(member.path or Path()).read_bytes() for member in run.members]
    assert found == [b"a" * 9, b"b" * 9, b"c" * 9]


async def test_an_object_without_a_checksum_is_known_by_crc_and_size(service: Any, carry_out: Any, asked: Ask) -> None:
    run = await carry_out(asked(service.put("a", b"x", checksum=""), service.put("b", b"y" * 9, checksum="nonsense")))
    assert [member.level for member in run.members] == ["crc32+size", "crc32+size"]


async def test_empty_objects_are_published_too(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    assert (await carry_out(asked(service.put("a", b""), service.put("b", b"b")))).states == ["done", "done"]
    assert files(folder) == {"a": b"", "b": b"b"}


async def test_members_go_to_their_own_folders_and_names(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    one = replace(service.put("x", b"1"), folder=folder / "deep" / "er", name="one.txt")
    assert (await carry_out(asked(one, service.put("y", b"2")))).state is State.DONE
    assert files(folder) == {"deep/er/one.txt": b"1", "y": b"2"}


# What the service does wrong


async def test_what_is_missing_in_the_zip_is_fetched_by_itself(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    pack = service.pack
    service.pack, service.words = lambda entries: pack(entries[:-2]), [["PARTIAL_DONE"]]
    run = await carry_out(asked(*many(service, 5)))
    assert run.states == ["done"] * 5
    assert files(folder) == contents(service, folder)
    assert [service.fetched(f"/object/id-{number}") for number in range(5)] == [0, 0, 0, 1, 1]
    assert len(service.started) == 1


async def test_much_that_is_missing_is_packed_once_more(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    pack = service.pack
    service.pack, service.words = lambda entries: pack(entries[:10]), [["PARTIAL_DONE"], ["PARTIAL_DONE"]]
    run = await carry_out(asked(*many(service, 40)))
    assert run.states == ["done"] * 40
    assert [len(ids) for ids in service.started] == [40, 30]
    assert files(folder) == contents(service, folder)
    assert sum(service.fetched(f"/object/id-{number}") for number in range(40)) == 20


async def test_a_member_with_other_bytes_is_fetched_by_itself(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    pack = service.pack
    service.pack = lambda entries: pack([(name, b"!" * len(content)) for name, content in entries[:1]] + entries[1:])
    run = await carry_out(asked(*many(service, 3)))
    assert run.states == ["done"] * 3
    assert files(folder) == contents(service, folder)
    assert service.fetched("/object/id-0") == 1


async def test_an_object_that_contradicts_its_checksum_fails_alone(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    bad = service.put("bad", b"bytes", checksum="0" * 32)
    run = await carry_out(asked(service.put("good", b"x"), bad))
    assert run.states == ["done", "failed"]
    assert isinstance(run.members[1].error, IntegrityError)
    assert isinstance(run.error, PartialError)
    assert "1 of 2 objects failed" in str(run.error)
    assert files(folder) == {"good": b"x"}


async def test_an_archived_object_fails_alone_and_is_not_asked_for(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    run = await carry_out(
        asked(service.put("a", b"a"), service.put("old", b"o", state="ARCHIVED"), service.put("b", b"b"))
    )
    assert run.states == ["done", "failed", "done"]
    assert isinstance(run.members[1].error, NotAvailableError)
    assert service.started == [["id-0", "id-2"]]
    assert files(folder) == {"a": b"a", "b": b"b"}


async def test_an_object_archived_meanwhile_fails_alone(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    members = [service.put("a", b"a"), service.put("b", b"b")]

    def archive() -> None:
        entry, content = service.entries["id-1"]
        service.entries["id-1"] = (replace(entry, state="ARCHIVED"), content)

    service.on_start = archive
    run = await carry_out(asked(*members))
    assert run.states == ["done", "failed"]
    assert isinstance(run.members[1].error, NotAvailableError)


async def test_members_that_nobody_asked_for_are_kept_apart(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    pack = service.pack
    service.pack = lambda entries: pack([*entries, ("../x:y", b"extra"), ("../x:y", b"other")])
    run = await carry_out(asked(*many(service, 2)))
    assert run.state is State.DONE
    assert run.states == ["done"] * 4
    beside = files(folder / "unrequested")
    assert sorted(beside.values()) == [b"extra", b"other"]
    assert sorted(beside)[0] == "%2E.%2Fx%3Ay"
    assert [member.level for member in run.members[2:]] == ["crc32+size"] * 2


async def test_a_failed_job_is_tried_again(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["IN_PROGRESS", "FAILED"]]
    assert (await carry_out(asked(*many(service, 4)))).states == ["done"] * 4
    assert [len(ids) for ids in service.started] == [4, 4]


async def test_an_object_that_no_job_can_pack_is_found_by_halving(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    start = service.start

    def poisoned(ids: list[str]) -> Any:
        service.words = [*[["DONE"]] * len(service.started), ["FAILED"] if "id-5" in ids else ["DONE"]]
        return start(ids)

    service.start = poisoned
    run = await carry_out(asked(*many(service, 8)))
    assert run.states == ["done"] * 8
    assert files(folder) == contents(service, folder)
    assert [len(ids) for ids in service.started] == [8, 8, 4, 4, 2, 1, 1, 2]
    assert [service.fetched(f"/object/id-{number}") for number in range(8)] == [0, 0, 0, 0, 0, 1, 0, 0]


async def test_a_service_that_packs_nothing_is_not_asked_for_ever(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["FAILED"]] * 500
    assert (await carry_out(asked(*many(service, 60)))).states == ["done"] * 60
    assert len(service.started) == 20


async def test_a_job_that_somebody_cancelled_ends_the_transfer(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["IN_PROGRESS", "CANCELLED"]]
    run = await carry_out(asked(*many(service, 2)))
    assert isinstance(run.error, JobError)
    assert run.states == ["failed"] * 2
    assert "cancelled on the server" in str(run.members[0].error)
    assert (await carry_out.finish(run)).states == ["done"] * 2


async def test_unknown_words_are_shown_harmlessly_and_polled_on(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["", "QUEUED\x1b[2J", "in_progress", "done"]]
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    usual = "packed on the server, 2 objects"
    assert carry_out.notes == [usual, f"{usual}; the service says QUEUED␛[2J", usual]


async def test_a_job_that_takes_too_long_is_left_and_found_again(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["IN_PROGRESS"]]
    run = await carry_out(asked(*many(service, 2)))
    assert isinstance(run.error, UnavailableError)
    assert run.error.code == 4
    assert 7_200 < sum(carry_out.clock.pauses) < 7_300
    assert service.cancelled == []
    assert run.work.can_resume
    service.said["job-0.zip"] = ["DONE"]
    assert (await carry_out.finish(run)).states == ["done"] * 2
    assert len(service.started) == 1


async def test_a_job_that_vanished_is_replaced_once(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["IN_PROGRESS", "GONE"]]
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    assert len(service.started) == 2


@pytest.mark.parametrize("before", ["IN_PROGRESS", "DONE"])
async def test_objects_of_a_job_that_vanishes_twice_come_one_by_one(
    service: Any, carry_out: Any, asked: Ask, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_region: str, _name: str) -> Source:
        raise MissingError("there is no such zip")

    monkeypatch.setattr(service.provider, "zip_source", gone)
    service.words = [[before, "GONE"]] * 3
    run = await carry_out(asked(*many(service, 2)))
    assert (run.error, run.states) == (None, ["done"] * 2)
    assert len(service.started) == 2


async def test_a_zip_that_is_missing_after_its_job_is_looked_for_again(
    service: Any, carry_out: Any, asked: Ask, answer: Any
) -> None:
    service.server.answer(answer(status=404))
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    assert (len(service.started), service.looks) == (1, ["job-0.zip"])


async def test_a_zip_that_stays_missing_is_packed_anew_once(
    service: Any, carry_out: Any, asked: Ask, answer: Any
) -> None:
    service.server.answer(*[answer(status=404)] * 2)
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    assert len(service.started) == 2


async def test_a_job_that_goes_back_to_work_is_waited_for(
    service: Any, carry_out: Any, asked: Ask, answer: Any
) -> None:
    service.words = [["IN_PROGRESS", "DONE", "IN_PROGRESS", "DONE"]]
    service.server.answer(answer(status=404))
    assert (await carry_out(asked(*many(service, 2)))).state is State.DONE
    assert len(service.started) == 1


# The zip itself


async def test_a_zip_whose_connection_breaks_is_gone_on_with(
    service: Any, carry_out: Any, asked: Ask, answer: Any, content: bytes
) -> None:
    service.server.answer(answer(cut=200_000))
    run = await carry_out(asked(service.put("a", content), service.put("b", content[::-1])))
    assert run.states == ["done"] * 2
    assert service.server.starts() == [0, 200_000]


@pytest.mark.parametrize("cut", [0, 10, 0.5, -30, -5])
async def test_a_zip_that_was_cut_is_fetched_again_and_then_done_without(
    service: Any, carry_out: Any, asked: Ask, folder: Path, cut: float
) -> None:
    pack = service.pack

    def shortened(entries: Any) -> bytes:
        whole: bytes = pack(entries)
        return whole[: int(len(whole) * cut) if isinstance(cut, float) else cut]

    service.pack = shortened
    run = await carry_out(asked(*many(service, 3)))
    assert run.states == ["done"] * 3
    assert files(folder) == contents(service, folder)
    assert service.fetched("/zips/job-0.zip") == 2


async def test_a_zip_that_cannot_be_trusted_ends_the_transfer(
    service: Any, carry_out: Any, asked: Ask, folder: Path, forge: Any, forged: Any
) -> None:
    service.pack = lambda _entries: forge(forged(), forged(offset=0))
    run = await carry_out(asked(*many(service, 3)))
    assert isinstance(run.error, UnsafeError)
    assert (run.error.code, run.states) == (7, ["failed"] * 3)
    assert files(folder) == {}


async def test_a_bomb_writes_nothing_beyond_the_size_of_its_object(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    pack = service.pack
    service.pack = lambda entries: pack([(entries[0][0], b"\0" * 4_000_000)])
    run = await carry_out(asked(service.put("a", b"a")))
    assert run.states == ["done"]
    assert files(folder) == {"a": b"a"}


# What is there already


async def test_a_second_run_asks_for_nothing(service: Any, carry_out: Any, asked: Ask) -> None:
    request = asked(*many(service, 4))
    await carry_out(request)
    asked_before = len(service.server.log)
    run = await carry_out(request)
    assert (run.states, len(service.started), len(service.server.log)) == (["done"] * 4, 1, asked_before)
    assert [member.level for member in run.members] == ["md5"] * 4


async def test_only_what_is_not_there_is_packed(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    members = many(service, 4)
    await carry_out(asked(*members[:2]))
    await carry_out(asked(*members))
    assert service.started[1] == ["id-2", "id-3"]


async def test_other_files_in_the_way_fail_alone(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    (folder / "0.wav").write_text("mine")
    run = await carry_out(asked(*many(service, 3)))
    assert run.states == ["failed", "done", "done"]
    assert isinstance(run.members[0].error, ConflictError)
    assert (folder / "0.wav").read_text() == "mine"


@pytest.mark.parametrize(("on_conflict", "state"), [(OnConflict.SKIP, "skipped"), (OnConflict.OVERWRITE, "done")])
async def test_other_files_are_left_alone_or_replaced_as_the_user_wishes(
    service: Any, carry_out: Any, asked: Ask, folder: Path, on_conflict: OnConflict, state: str
) -> None:
    (folder / "0.wav").write_text("mine")
    first, second = many(service, 2)
    run = await carry_out(asked(replace(first, on_conflict=on_conflict), second))
    assert run.states == [state, "done"]
    assert ((folder / "0.wav").read_text() == "mine") is (state == "skipped")


async def test_a_link_in_the_place_of_a_file_is_not_followed(
    service: Any, carry_out: Any, asked: Ask, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "target").write_text("mine")
    (folder / "0.wav").symlink_to(tmp_path / "target")
    run = await carry_out(asked(*many(service, 2)))
    assert run.states == ["failed", "done"]
    assert isinstance(run.members[0].error, UnsafeError)
    assert (tmp_path / "target").read_text() == "mine"


async def test_a_full_disk_ends_the_transfer_and_another_try_goes_on(
    service: Any, carry_out: Any, asked: Ask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = many(service, 3)
    room = len(service.pack([(one.entry.name, service.entries[one.location.path][1]) for one in members]))
    write = carry_out.disk.write

    def limited(descriptor: int, data: memoryview) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken: int = write(descriptor, data)
        room -= taken
        return taken

    monkeypatch.setattr(carry_out.disk, "write", limited)
    run = await carry_out(asked(*members))
    assert isinstance(run.error, LocalDiskError)
    assert (run.error.code, run.states) == (5, ["failed"] * 3)
    assert [name[:4] for name in files(folder)] == [".cs-"], "the zip itself waits for another try"
    room = 1 << 20
    assert (await carry_out.finish(run)).states == ["done"] * 3
    assert files(folder) == contents(service, folder)
    assert service.fetched("/zips/job-0.zip") == 1


async def test_a_full_disk_is_waited_for_and_the_zip_is_opened_when_there_is_room(
    service: Any, carry_out: Any, asked: Ask, folder: Path, timeouts: Timeouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = type(carry_out)(service, replace(timeouts, disk=600.0), carry_out.clock)
    write, sleep, full = patient.disk.write, carry_out.clock.sleep, True

    def limited(descriptor: int, data: memoryview) -> int:
        if full and not bytes(data[:4]).startswith(b"PK"):
            raise OSError(errno.ENOSPC, "No space left on device")
        taken: int = write(descriptor, data)
        return taken

    async def freeing(delay: float) -> None:
        nonlocal full
        full = False
        await sleep(delay)

    monkeypatch.setattr(patient.disk, "write", limited)
    members = many(service, 3)
    monkeypatch.setattr(carry_out.clock, "sleep", freeing)
    run = await patient(asked(*members))
    await patient.close()
    assert (run.error, run.states) == (None, ["done"] * 3)
    assert files(folder) == contents(service, folder)


# Jobs that are there already, and zips that are kept


async def test_a_job_of_unknown_content_is_opened_under_safe_names(
    service: Any, carry_out: Any, asked: Ask, folder: Path
) -> None:
    many(service, 2)
    service.put("t/a:b.json", b"1")
    service.put("t/a:b.json", b"2")
    service.start(list(service.entries))
    run = await carry_out(asked(job="job-0.zip"))
    assert (run.state, run.states) == (State.DONE, ["done"] * 4)
    found = files(folder)
    assert sorted(found.values()) == sorted(content for _, content in service.entries.values())
    assert {name for name in found if "%2F" in name} >= {"t%2Fa%3Ab.json"}
    assert {member.level for member in run.members} == {"crc32+size"}
    assert len(service.started) == 1


async def test_a_job_of_unknown_content_that_is_gone_says_so(service: Any, carry_out: Any, asked: Ask) -> None:
    run = await carry_out(asked(job="job-9.zip"))
    assert isinstance(run.error, JobError)
    assert "no longer on the server" in str(run.error)


async def test_a_job_of_unknown_content_that_failed_says_so(service: Any, carry_out: Any, asked: Ask) -> None:
    service.put("a", b"a")
    service.words = [["FAILED"]]
    service.start(["id-0"])
    assert isinstance((await carry_out(asked(job="job-0.zip"))).error, JobError)


@pytest.mark.parametrize("keep", ["", "mine.zip"])
async def test_a_job_of_unknown_content_whose_zip_is_not_whole_says_so(
    service: Any, carry_out: Any, asked: Ask, folder: Path, keep: str
) -> None:
    many(service, 3)
    pack = service.pack
    service.pack, service.words = lambda entries: pack(entries[1:]), [["PARTIAL_DONE"]]
    service.start(list(service.entries))
    run = await carry_out(asked(job="job-0.zip", keep=keep))
    assert isinstance(run.error, PartialError)
    assert sorted(run.states) == (["failed"] if keep else ["done", "done", "failed"])
    (error,) = [member.error for member in run.members if member.error]
    assert (error.code, error.subject) == (11, "tiny:job-0.zip")
    assert error.message == "the zip holds 2 of the 3 objects that its job names"
    assert len(files(folder)) == (1 if keep else 2)


async def test_a_job_that_names_more_objects_than_its_zip_holds_is_remarked(
    service: Any, carry_out: Any, asked: Ask
) -> None:
    many(service, 3)
    pack = service.pack
    service.pack = lambda entries: pack(entries[1:])
    service.start(list(service.entries))
    run = await carry_out(asked(job="job-0.zip"))
    assert (run.error, run.states) == (None, ["done"] * 2)
    assert run.progress.remark == "the zip holds 2 of the 3 objects that its job names"


async def test_the_zip_itself_can_be_kept(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    run = await carry_out(asked(*many(service, 3), keep="mine.zip"))
    assert (run.state, run.states) == (State.DONE, ["done"] * 3)
    assert files(folder) == {"mine.zip": service.server.objects["/zips/job-0.zip"]}
    assert (run.progress.path, run.progress.level) == (folder / "mine.zip", "size+etag")


async def test_a_kept_zip_tells_what_it_does_not_hold(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    pack = service.pack
    service.pack = lambda entries: pack(entries[1:])
    run = await carry_out(asked(*many(service, 3), keep="mine.zip"))
    assert run.states == ["failed", "done", "done"]
    assert isinstance(run.error, PartialError)
    assert (folder / "mine.zip").exists()


async def test_a_zip_is_not_kept_over_another_file(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    (folder / "mine.zip").write_text("mine")
    run = await carry_out(asked(*many(service, 1), keep="mine.zip"))
    assert isinstance(run.error, ConflictError)
    assert files(folder) == {"mine.zip": b"mine"}


# Stopping, and going on later


async def adopted(journal: JournalStore) -> tuple[ZipRequest, JournalEntry]:
    (record,) = await journal.adopt()
    assert isinstance(record.request, ZipRequest)
    return record.request, JournalEntry(journal, record.id, record)


async def test_cancelling_stops_the_job_on_the_server(service: Any, carry_out: Any, asked: Ask, folder: Path) -> None:
    service.words = [["IN_PROGRESS"]]
    carry_out.clock.sleep = lambda _delay: asyncio.sleep(60)
    run = carry_out.begin(asked(*many(service, 2)))
    task = asyncio.create_task(run.work.run())
    await until(lambda: run.progress.note.startswith("packed"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.states == ["queued"] * 2
    await run.work.call_off()
    run.work.discard()
    assert service.cancelled == ["job-0.zip"]
    assert (run.states, files(folder)) == (["cancelled"] * 2, {})


async def test_a_job_that_is_not_ours_or_has_ended_is_not_cancelled(
    service: Any, carry_out: Any, asked: Ask, answer: Any
) -> None:
    service.put("a", b"a")
    service.words = [["IN_PROGRESS"]]
    service.start(["id-0"])
    theirs = carry_out.begin(asked(job="job-0.zip"))
    carry_out.clock.sleep = lambda _delay: asyncio.sleep(60)
    task = asyncio.create_task(theirs.work.run())
    await until(lambda: theirs.progress.note.startswith("packed"))
    task.cancel()
    await asyncio.wait({task})
    await theirs.work.call_off()
    ours = await carry_out(asked(service.put("b", b"b")))
    await ours.work.call_off()
    assert service.cancelled == []


async def test_a_rest_between_two_members_costs_nothing(
    service: Any, carry_out: Any, asked: Ask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carry_out.begin(asked(*many(service, 6)))
    task = asyncio.create_task(run.work.run())
    await until(lambda: "done" in run.states)
    task.cancel()
    await asyncio.wait({task})
    assert set(run.states) <= {"done", "queued"}
    assert (await carry_out.finish(run)).states == ["done"] * 6
    assert (len(service.started), service.fetched("/zips/job-0.zip")) == (1, 1)
    assert files(folder) == contents(service, folder)


async def test_a_rest_while_objects_are_fetched_by_themselves_starts_no_other_job(
    service: Any, carry_out: Any, asked: Ask, folder: Path, answer: Any
) -> None:
    pack = service.pack
    service.pack = lambda entries: pack(entries[:1])
    service.server.answer(answer(), answer(stall=10), answer(stall=10))
    run = carry_out.begin(asked(*many(service, 3)))
    task = asyncio.create_task(run.work.run())
    await until(lambda: len(service.server.log) == 3)
    task.cancel()
    await asyncio.wait({task})
    assert (run.states, len(parts(folder))) == (["done", "queued", "queued"], 1)
    assert (await carry_out.finish(run)).states == ["done"] * 3
    assert len(service.started) == 1
    assert files(folder) == contents(service, folder)


async def test_two_zips_are_packed_at_once_and_the_third_one_waits(service: Any, carry_out: Any, asked: Ask) -> None:
    service.words = [["IN_PROGRESS"]] * 3
    going = asyncio.Event()
    sleep = carry_out.clock.sleep

    async def slow(delay: float) -> None:
        await going.wait()
        await sleep(delay)

    carry_out.clock.sleep = slow
    runs = [carry_out.begin(asked(one)) for one in many(service, 3)]
    tasks = [asyncio.create_task(run.work.run()) for run in runs]
    await until(lambda: any(run.progress.note == "waits until another zip is packed" for run in runs))
    assert len(service.started) == 2
    for name in service.said:
        service.said[name] = ["DONE"]
    service.words = []
    going.set()
    assert await asyncio.gather(*tasks) == [State.DONE] * 3


async def test_a_job_of_an_earlier_run_is_taken_over(
    service: Any, carry_out: Any, asked: Ask, folder: Path, open_journal: Callable[[], JournalStore]
) -> None:
    service.words = [["IN_PROGRESS"]]
    first = open_journal()
    request, journal_entry = asked(*many(service, 3)), JournalEntry(first, 7)
    journal_entry.enter(request)
    await carry_out(request, journal_entry)
    first.close()

    service.said["job-0.zip"] = ["DONE"]
    request, journal_entry = await adopted(open_journal())
    run = await carry_out(request, journal_entry)
    assert (run.states, len(service.started)) == (["done"] * 3, 1)
    assert files(folder) == contents(service, folder)


async def test_a_zip_fetched_in_part_is_gone_on_with_by_the_next_run(
    service: Any,
    carry_out: Any,
    asked: Ask,
    folder: Path,
    content: bytes,
    answer: Any,
    open_journal: Callable[[], JournalStore],
) -> None:
    first = open_journal()
    request, journal_entry = asked(service.put("a", content), service.put("b", content[::-1])), JournalEntry(first, 7)
    journal_entry.enter(request)
    service.server.answer(answer(stall=200_000))
    run = carry_out.begin(request, journal_entry)
    task = asyncio.create_task(run.work.run())
    await until(lambda: run.progress.meter() >= 200_000)
    task.cancel()
    await asyncio.wait({task})
    await run.work.suspend()
    first.close()
    assert [name[:4] for name in files(folder)] == [".cs-"]

    request, journal_entry = await adopted(open_journal())
    run = await carry_out(request, journal_entry)
    assert run.states == ["done"] * 2
    assert service.server.starts() == [0, 200_000]
    assert files(folder) == {"a": content, "b": content[::-1]}


async def test_the_engine_carries_a_zip_out_and_shows_its_members(
    service: Any, asked: Ask, folder: Path, timeouts: Timeouts, clock: Any
) -> None:
    engine = TransferManager(lambda _name: service.provider, timeouts=timeouts, clock=clock)
    number = engine.submit(asked(*many(service, 3), service.put("old", b"o", state="ARCHIVED")))
    ended = await engine.wait(number)
    assert (ended.state, type(ended.error)) == (State.FAILED, PartialError)
    assert [member.state.value for member in engine.members(number)] == ["done", "done", "done", "failed"]
    assert [member.path for member in engine.members(number)][:3] == [folder / f"{place}.wav" for place in range(3)]
    assert parts(folder) == []
    await engine.close()

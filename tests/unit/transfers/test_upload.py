"""Uploads: one PUT, and certainty about what arrived."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import ForbiddenError, LocalDiskError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.fs.local_file import LocalFile
from cloudstore_tui.transfers.model import State, TransferSnapshot, UploadRequest

PLACE = Location("tiny", path="imports/plan.csv")


async def put(engine: Any, path: Path, *, overwrite: bool = False) -> TransferSnapshot:
    transfer: TransferSnapshot = await engine.wait(engine.submit(UploadRequest(path, PLACE, overwrite)))
    return transfer


@pytest.mark.parametrize("tells", [False, True])
async def test_a_file_arrives_and_its_size_is_looked_at(
    engine: Any, server: Any, provider: Any, plan: Path, content: bytes, tells: bool
) -> None:
    provider.tells_size = tells
    provider.target_headers = {"x-amz-server-side-encryption": Secret("aws:kms")}
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.error, transfer.level) == (State.DONE, None, "size")
    assert (transfer.done, transfer.size) == (len(content), len(content))
    assert server.objects["/imports/plan.csv"] == content
    assert server.log[0].headers["x-amz-server-side-encryption"] == "aws:kms"
    assert server.log[0].headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in server.log[0].headers
    assert [seen.headers.get("range") for seen in server.log[1:]] == ([] if tells else ["bytes=0-0"])


async def test_an_empty_file_arrives(engine: Any, server: Any, provider: Any, tmp_path: Path) -> None:
    provider.tells_size = False
    (tmp_path / "empty").write_bytes(b"")
    transfer = await put(engine, tmp_path / "empty")
    assert (transfer.state, transfer.level) == (State.DONE, "size")
    assert server.objects["/imports/plan.csv"] == b""


async def test_an_object_that_exists_is_not_replaced_unasked(
    engine: Any, server: Any, plan: Path, content: bytes
) -> None:
    server.put("/imports/plan.csv", b"theirs")
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert transfer.error.code == 9
    assert server.puts == 0
    assert (await put(engine, plan, overwrite=True)).state is State.DONE
    assert server.objects["/imports/plan.csv"] == content


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "device", "unreadable", "proc"])
async def test_what_is_no_plain_file_is_refused(engine: Any, server: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "unreadable":
        path.write_bytes(b"x")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("root reads everything")
    elif kind in ("device", "proc"):
        path = Path("/dev/null" if kind == "device" else "/proc/self/status")
        if not path.exists():
            pytest.skip("this system has no such file")
    transfer = await put(engine, path)
    assert transfer.error is not None
    assert transfer.error.code in (2, 5)
    assert server.log == []


async def test_a_link_that_has_ended_is_renewed(
    engine: Any, server: Any, provider: Any, answer: Any, plan: Path
) -> None:
    server.answer(answer(status=403, body=b"<Error><Code>ExpiredToken</Code></Error>"))
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.attempts, server.puts) == (State.DONE, 2, 2)


async def test_a_refusal_is_not_repeated_for_ever(engine: Any, server: Any, answer: Any, plan: Path) -> None:
    server.answer(*[answer(status=403)] * 9)
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (3, 2)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 307, "headers": {"Location": "https://evil.example/"}}, 7),
        ({"status": 400, "body": b"<Error><Code>BadDigest</Code></Error>"}, 6),
        ({"status": 400, "body": b"<Error><Code>EntityTooLarge</Code></Error>"}, 2),
        ({"status": 404}, 8),
    ],
)
async def test_final_refusals_are_sent_once(
    engine: Any, server: Any, answer: Any, plan: Path, fault: dict[str, Any], code: int
) -> None:
    server.answer(answer(**fault))
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (code, 1)


@pytest.mark.parametrize("fault", [{"cut": 1000}, {"status": 503}, {"status": 429}])
async def test_what_the_store_surely_did_not_take_is_sent_again(
    engine: Any, server: Any, answer: Any, tmp_path: Path, content: bytes, fault: dict[str, Any]
) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_bytes(content * 60)
    server.answer(answer(**fault))
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.error, server.puts) == (State.DONE, None, 2)
    assert server.objects["/imports/plan.csv"] == content * 60


async def test_five_attempts_are_enough(engine: Any, server: Any, answer: Any, plan: Path) -> None:
    server.answer(*[answer(status=503)] * 9)
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (4, 5)


LOGIN = {"body": b"<html>Log in</html>", "headers": {"Content-Type": "text/html; charset=utf-8"}}
"""What a proxy says instead of passing anything on, or after it did."""
REFUSAL = {"status": 200, "body": b"<Error><Code>InternalError</Code></Error>"}
"""An error that begins as a success."""
UNCLEAR = [{"silent": True}, {"status": 502}, {"status": 504}, {"status": 500}, LOGIN, REFUSAL]


@pytest.mark.parametrize("fault", UNCLEAR)
async def test_a_lost_reply_is_read_back_and_not_sent_again(
    engine: Any, server: Any, answer: Any, plan: Path, content: bytes, fault: dict[str, Any]
) -> None:
    server.answer(answer(**fault, once=lambda: server.put("/imports/plan.csv", content)))
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.error, transfer.level) == (State.DONE, None, "size")
    assert server.puts == 1


@pytest.mark.parametrize("fault", UNCLEAR)
async def test_a_lost_reply_to_a_file_that_is_not_there_is_not_sent_again(
    engine: Any, server: Any, answer: Any, plan: Path, fault: dict[str, Any]
) -> None:
    server.put_takes = False
    server.answer(answer(**fault))
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (1, 1)


async def test_a_lost_reply_while_replacing_is_not_taken_for_success(
    engine: Any, server: Any, answer: Any, plan: Path, content: bytes
) -> None:
    server.put("/imports/plan.csv", bytes(len(content)))
    server.put_takes = False
    server.answer(answer(silent=True))
    transfer = await put(engine, plan, overwrite=True)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (4, 1)


async def test_a_store_that_took_only_half_is_found_out(
    engine: Any, server: Any, provider: Any, answer: Any, plan: Path, content: bytes
) -> None:
    provider.tells_size = False
    server.put_takes = False
    server.answer(answer(once=lambda: server.put("/imports/plan.csv", content[:1000])))
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert "1000 of 320000" in str(transfer.error)


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_file_that_nobody_may_look_at_counts_as_unverified(
    engine: Any, server: Any, provider: Any, plan: Path, hidden: bool
) -> None:
    if hidden:
        provider.hidden.add(PLACE.path)
    else:
        provider.source_errors.extend([ForbiddenError("no scope")] * 3)
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.level) == (State.DONE, "unverified")
    assert ("is not there now" if hidden else "what arrived could not be checked: no scope") in transfer.note


@pytest.mark.parametrize("taken", [False, True])
async def test_a_file_that_is_not_where_it_was_sent_is_looked_for_where_the_service_takes_it(
    engine: Any, server: Any, provider: Any, answer: Any, clock: Any, plan: Path, content: bytes, taken: bool
) -> None:
    provider.taken_to = lambda _location: TAKEN
    provider.modified = clock.now() + timedelta(seconds=1)
    provider.hidden.add(PLACE.path)
    server.answer(answer(once=lambda: server.put(f"/{TAKEN[0].path}", content) if taken else None))
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.level) == (State.DONE, "size" if taken else "unverified")
    assert ("is not there now" in transfer.note) is not taken


async def test_a_success_without_etag_that_leaves_the_old_object_is_a_failure(
    engine: Any, server: Any, plan: Path, content: bytes
) -> None:
    server.put("/imports/plan.csv", bytes(len(content)))
    server.put_takes = False
    transfer = await put(engine, plan, overwrite=True)
    assert transfer.state is State.FAILED
    assert "an answer without the ETag that a store gives came after all was sent" in str(transfer.error)


async def test_a_success_without_etag_that_leaves_no_object_is_a_failure_and_the_file_may_be_sent_again(
    engine: Any, server: Any, provider: Any, plan: Path, content: bytes
) -> None:
    server.put_takes = False
    provider.hidden.add(PLACE.path)
    transfer = await put(engine, plan)
    assert transfer.state is State.FAILED
    assert str(transfer.error).startswith(f"{PLACE.address}: success was reported, but without the ETag")
    assert server.puts == 1
    server.put_takes = True
    provider.hidden.clear()
    assert (await put(engine, plan)).state is State.DONE
    assert server.objects["/imports/plan.csv"] == content


@pytest.mark.parametrize("change", ["grows", "shrinks", "is touched"])
async def test_a_file_that_changes_meanwhile_is_an_error(
    engine: Any, server: Any, answer: Any, plan: Path, content: bytes, change: str
) -> None:
    changes = {
        "grows": lambda: plan.write_bytes(content + b"more"),
        "shrinks": lambda: plan.write_bytes(content[:10]),
        "is touched": lambda: os.utime(plan, (1, 1)),
    }
    server.answer(answer(once=changes[change]))
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (5, 1)
    assert "changed" in str(transfer.error)


async def test_a_link_to_a_plain_file_is_sent_as_that_file(
    engine: Any, server: Any, plan: Path, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(plan)
    assert (await put(engine, tmp_path / "link")).state is State.DONE
    assert server.objects["/imports/plan.csv"] == content


def test_a_file_that_becomes_shorter_while_it_is_read_is_an_error(plan: Path, content: bytes) -> None:
    file = LocalFile(Disk(), plan)
    file.open()
    assert file.read(1000) == content[:1000]
    plan.write_bytes(b"")
    with pytest.raises(LocalDiskError, match="changed"):
        file.read(1000)
    file.close()


TAKEN = tuple(Location("tiny", path=f"imports/{folder}/plan.csv") for folder in ("processed", "errors"))


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("fault", UNCLEAR)
async def test_a_lost_reply_to_a_file_that_the_service_took_away_is_no_failure(
    engine: Any,
    server: Any,
    provider: Any,
    answer: Any,
    clock: Any,
    plan: Path,
    content: bytes,
    taken: Location,
    fault: dict[str, Any],
) -> None:
    provider.taken_to = lambda _location: TAKEN
    provider.modified = clock.now() + timedelta(seconds=1)
    server.put_takes = False
    server.answer(answer(**fault, once=lambda: server.put(f"/{taken.path}", content)))
    transfer = await put(engine, plan)
    assert (transfer.state, transfer.error, transfer.level, server.puts) == (State.DONE, None, "size", 1)


@pytest.mark.parametrize(("size", "age"), [(0, 60), (1, -1), (-1, -1)])
async def test_another_file_where_the_service_takes_files_is_not_taken_for_this_one(
    engine: Any, server: Any, provider: Any, answer: Any, clock: Any, plan: Path, content: bytes, size: int, age: int
) -> None:
    provider.taken_to = lambda _location: TAKEN
    provider.modified = clock.now() - timedelta(seconds=age)
    server.put(f"/{TAKEN[0].path}", bytes(len(content) + size))
    server.put_takes = False
    server.answer(answer(silent=True))
    transfer = await put(engine, plan)
    assert transfer.error is not None
    assert (transfer.error.code, server.puts) == (1, 1)


class CountingDisk(Disk):
    """Knows how many files are open."""

    def __init__(self) -> None:
        super().__init__()
        self.files = 0

    def open(self, name: str | Path, flags: int, folder: int | None = None) -> int:
        descriptor = super().open(name, flags, folder)
        self.files += 1
        return descriptor

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self.files -= 1


def test_a_file_that_is_opened_again_is_read_from_its_start(plan: Path, content: bytes) -> None:
    disk = CountingDisk()
    file = LocalFile(disk, plan)
    for _ in range(2):
        file.open()
        assert (file.offset, file.is_read, file.modified) == (0, False, plan.stat().st_mtime_ns / 1e9)
        assert file.read(100) == content[:100]
        assert disk.files == 1
    file.close()
    assert disk.files == 0

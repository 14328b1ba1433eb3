"""Downloads through a real socket onto a real disk."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State
from tests.support.downloads import PLACE, get, names_in


async def test_a_download_arrives_whole_verified_and_private(
    engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.error, transfer.level) == (State.DONE, None, "md5")
    file = folder / "x.tar"
    assert transfer.path == file
    assert file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mtime == 1725192000
    assert names_in(folder) == ["x.tar"]


@pytest.mark.parametrize("size", [0, 1, 65_536])
async def test_objects_of_any_size_arrive(engine: Any, server: Any, content: bytes, folder: Path, size: int) -> None:
    server.put("/exports/x.tar", content[:size])
    transfer = await get(engine, folder)
    assert transfer.state is State.DONE
    assert (folder / "x.tar").read_bytes() == content[:size]
    assert len(server.log) == 1


@pytest.mark.parametrize("size", [0, 300_000])
async def test_the_size_is_learned_where_the_service_does_not_tell(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path, size: int
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content[:size])
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.level, transfer.size) == (State.DONE, "size+etag", size)
    assert (folder / "x.tar").read_bytes() == content[:size]


async def test_the_folder_is_made(engine: Any, server: Any, content: bytes, folder: Path) -> None:
    server.put("/exports/x.tar", content)
    await get(engine, folder / "calls" / "2024")
    assert (folder / "calls" / "2024" / "x.tar").read_bytes() == content
    assert (folder / "calls").stat().st_mode & 0o777 == 0o700


async def test_a_remote_name_never_leaves_the_folder(engine: Any, server: Any, provider: Any, folder: Path) -> None:
    server.put("/exports/..", b"evil")
    transfer = await get(engine, folder, location=Location("tiny", path="exports/.."))
    assert transfer.path is not None
    assert transfer.path.parent == folder
    assert names_in(folder) == ["%2E%2E"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "..", "a\0b"])
async def test_a_wished_name_must_be_one_segment(engine: Any, server: Any, folder: Path, name: str) -> None:
    server.put("/exports/x.tar", b"x")
    transfer = await get(engine, folder, name=name)
    assert transfer.error is not None
    assert transfer.error.code == 2
    assert server.log == []


# What the network does


FAULTS: dict[str, dict[str, Any]] = {
    "the connection ends in the body": {"cut": 100_000},
    "the connection ends before the body": {"cut": 0},
    "the connection is reset": {"cut": 200_000, "reset": True},
    "the body ends early without a length": {"cut": 150_000, "no_length": True},
    "a chunked body is cut": {"cut": 150_000, "chunked": True},
    "the body stalls": {"stall": 70_000},
    "no answer comes": {"silent": True},
    "a short body has a matching length": {"body": b"only this"},
    "a longer body has a matching length": {"body": b"x" * 400_000},
    "the answer has two lengths": {"headers": {"content-length": "5"}},
    "the answer is compressed": {"body": bytes(1000), "headers": {"Content-Encoding": "gzip"}},
    "the answer is a web page": {"body": b"<html>log in</html>", "headers": {"Content-Type": "text/html"}},
    "the headers are endless": {"headers": {f"X-{number}": "x" for number in range(300)}},
    "a header is huge": {"headers": {"X-Huge": "x" * 90_000}},
    "the answer is not HTTP": {"raw": b"SSH-2.0-OpenSSH_9.2\r\n"},
    "the store is busy": {"status": 503},
    "the store asks to wait": {"status": 429, "headers": {"Retry-After": "3"}},
    "the store has a fault": {"status": 500, "body": b"<Error><Code>InternalError</Code></Error>"},
    "the link has ended": {"status": 403, "body": b"<Error><Code>ExpiredToken</Code></Error>"},
    "the link has ended (GCS)": {"status": 400, "body": b"<Error><Code>ExpiredToken</Code></Error>"},
    "one byte arrives changed": {"flip": 123_456},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_one_fault_is_put_right(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, fault: dict[str, Any]
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(**fault))
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.error) == (State.DONE, None)
    assert (folder / "x.tar").read_bytes() == content
    assert len(server.log) >= 2
    assert names_in(folder) == ["x.tar"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_for_ever_ends_with_an_error_and_leaves_nothing(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path, fault: dict[str, Any]
) -> None:
    server.put("/exports/x.tar", content)
    without_progress = {kind: 0 for kind in ("cut", "stall") if fault.get(kind)}
    server.answer(*[answer(**fault | without_progress)] * 40)
    engine = fresh_engine(timeouts={"give_up": 20.0, "read": 0.05, "stall": 1})
    transfer = await get(engine, folder)
    await engine.close()
    assert transfer.state is State.FAILED
    assert transfer.error is not None
    assert transfer.error.code in (3, 4, 6)
    assert "canary" not in str(transfer.error)
    assert names_in(folder) == []


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_one_fresh_link_is_tried_where_a_store_refuses_and_no_more(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, status: int
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(*[answer(status=status, body=b"<Error><Code>AccessDenied</Code></Error>")] * 3)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, len(server.log), provider.signed) == (3, 2, 2)


@pytest.mark.parametrize("body", [b"only this", b"x" * 400_000], ids=["short", "long"])
async def test_a_length_that_cannot_be_right_is_named_and_nothing_of_it_is_taken(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, body: bytes
) -> None:
    provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(*[answer(body=body)] * 2)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, transfer.done, len(server.log)) == (6, 0, 2)
    assert f"{len(body)} of 320000 bytes" in str(transfer.error)


async def test_not_one_byte_beyond_the_size_is_written(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 20
    server.answer(*[answer(raw=endless)] * 2)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, len(server.log)) == (6, 2)
    assert "more than the expected 320000 bytes" in str(transfer.error)


@pytest.mark.parametrize(("name", "code"), [("x.tar", 4), ("page.html", 0)])
async def test_a_web_page_is_only_taken_for_an_object_that_is_one(
    engine: Any, server: Any, provider: Any, answer: Any, folder: Path, name: str, code: int
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put(f"/{name}", b"<html>")
    page = b"<html>" + b" " * 2000
    server.answer(*[answer(body=page, headers={"Content-Type": "text/html; charset=utf-8"})] * 400)
    transfer = await get(engine, folder, location=Location("tiny", path=name))
    assert (transfer.error.code if transfer.error else 0) == code


HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize("known", ["size", "checksum", "rounded size"])
async def test_an_object_that_is_stored_as_a_web_page_is_no_login_page(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, known: str
) -> None:
    provider.tells_size, provider.tells_checksum = known == "size", known == "checksum"
    server.put("/exports/x.tar", content)
    server.answer(answer(headers=HTML))
    entry = None if known == "rounded size" else StoredObject(PLACE, "x.tar")
    transfer = await get(engine, folder, entry=entry)
    assert (transfer.error, len(server.starts())) == (None, 1)
    assert (folder / "x.tar").read_bytes() == content


async def test_a_page_that_the_store_itself_gives_is_the_object_where_nothing_else_is_known(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(answer(headers=HTML | {"x-amz-request-id": "D6ZB4X"}))
    transfer = await get(engine, folder, entry=StoredObject(PLACE, "x.tar"))
    assert (transfer.error, len(server.starts())) == (None, 1)
    assert (folder / "x.tar").read_bytes() == content


async def test_a_page_of_another_size_is_none_even_from_a_store(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    page = answer(body=b"<html>log in</html>", headers=HTML | {"x-amz-request-id": "D6ZB4X"})
    server.answer(*[page] * 400)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 4
    assert names_in(folder) == []


@pytest.mark.parametrize("known", ["size", "checksum", "rounded size"])
async def test_bytes_that_fit_are_taken_as_stored_whatever_coding_is_said(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, known: str
) -> None:
    provider.tells_size, provider.tells_checksum = known == "size", known == "checksum"
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000, headers={"Content-Encoding": "gzip"}), answer(headers={"Content-Encoding": "br"}))
    entry = None if known == "rounded size" else StoredObject(PLACE, "x.tar")
    transfer = await get(engine, folder, entry=entry)
    assert (transfer.error, server.starts()) == (None, [0, 100_000])
    assert (folder / "x.tar").read_bytes() == content


@pytest.mark.parametrize("known", ["size", "checksum", "rounded size"])
async def test_a_rest_that_is_compressed_on_the_way_never_gets_into_the_file(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, known: str
) -> None:
    provider.tells_size, provider.tells_checksum = known == "size", known == "checksum"
    server.put("/exports/x.tar", content)
    span, packed = f"bytes 100000-{len(content) - 1}/{len(content)}", gzip.compress(bytes(50_000))
    head = f"HTTP/1.1 206 OK\r\nETag: {server.etags['/exports/x.tar']}\r\nContent-Range: {span}\r\n"
    head += "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    server.answer(answer(cut=100_000), answer(raw=raw))
    entry = None if known == "rounded size" else StoredObject(PLACE, "x.tar")
    transfer = await get(engine, folder, entry=entry)
    assert (transfer.error, server.starts()) == (None, [0, 100_000, 100_000])
    assert (folder / "x.tar").read_bytes() == content


@pytest.mark.parametrize("coding", ["aws-chunked", "utf-8", "none", "identity"])
async def test_codings_that_compress_nothing_are_none(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, coding: str
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(answer(headers={"Content-Encoding": coding}))
    transfer = await get(engine, folder, entry=StoredObject(PLACE, "x.tar"))
    assert (transfer.error, (folder / "x.tar").read_bytes()) == (None, content)


async def test_a_coding_that_nothing_explains_is_refused_for_good(
    engine: Any, server: Any, provider: Any, answer: Any, clock: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(*[answer(headers={"Content-Encoding": "gzip"})] * 400)
    transfer = await get(engine, folder, entry=StoredObject(PLACE, "x.tar"))
    assert transfer.error is not None
    assert (transfer.error.code, len(server.log), clock.pauses) == (6, 2, [])
    assert "compressed (gzip)" in transfer.error.message
    assert names_in(folder) == []


async def test_a_checksum_that_fits_outweighs_a_wrong_size_in_the_record(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/exports/x.tar", content)
    source = provider.source

    async def wrong(location: Location, known: Any = None) -> Any:
        return replace(await source(location, known), size=len(content) + 7)

    monkeypatch.setattr(provider, "source", wrong)
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.error, transfer.level) == (State.DONE, None, "md5")
    assert transfer.note == "its record says 320,007 bytes, and it has 320,000; the checksum fits"
    assert (folder / "x.tar").read_bytes() == content
    again = await get(engine, folder)
    assert (again.state, again.level, names_in(folder)) == (State.DONE, "md5", ["x.tar"])


async def test_a_checksum_of_one_part_that_does_not_fit_is_told(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/exports/x.tar", content)
    source = provider.source

    async def told(location: Location, known: Any = None) -> Any:
        return replace(await source(location, known), checksum=f"{'0' * 32}-1")

    monkeypatch.setattr(provider, "source", told)
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.level) == (State.DONE, "size+etag")
    assert transfer.note == "the checksum from the service does not fit its bytes"


@pytest.mark.parametrize("parts", ["", "-1"])
@pytest.mark.parametrize("length", [200_000, 400_000])
async def test_a_wrong_size_with_a_checksum_that_does_not_fit_is_damage(
    engine: Any,
    server: Any,
    provider: Any,
    answer: Any,
    content: bytes,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    parts: str,
    length: int,
) -> None:
    server.put("/exports/x.tar", content)
    source = provider.source

    async def told(location: Location, known: Any = None) -> Any:
        known = await source(location, known)
        return replace(known, checksum=f"{known.checksum}{parts}")

    monkeypatch.setattr(provider, "source", told)
    server.answer(*[answer(body=b"x" * length)] * 9)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, names_in(folder)) == (6, [])


async def test_a_download_goes_on_where_it_stopped(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(cut=100_000))
    transfer = await get(engine, folder)
    assert transfer.attempts == 3
    assert server.starts() == [0, 100_000, 200_000]
    assert [seen.headers.get("if-match") for seen in server.log] == [None, *[server.etags["/exports/x.tar"]] * 2]
    assert (folder / "x.tar").read_bytes() == content


async def test_every_attempt_has_a_link_of_its_own(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(status=403))
    await get(engine, folder)
    assert provider.signed == len(server.log) == 3


async def test_a_fresh_link_that_is_refused_too_is_an_error(
    engine: Any, server: Any, provider: Any, answer: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"x")
    server.answer(*[answer(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")] * 9)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, len(server.log)) == (3, 2)
    assert "AccessDenied" in str(transfer.error)


@pytest.mark.parametrize(
    "refusal",
    [
        b"<Error><Code>HeadersNotSigned</Code></Error>",
        b"<Error><Code>AccessDenied</Code><HeadersNotSigned>if-match</HeadersNotSigned></Error>",
    ],
)
async def test_a_refused_condition_is_left_out(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, refusal: bytes
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(
        answer(cut=100_000),
        answer(status=403, body=refusal),
        answer(cut=50_000),
    )
    await get(engine, folder)
    assert server.starts() == [0, 100_000, 100_000, 150_000]
    assert ["if-match" in seen.headers for seen in server.log] == [False, True, False, False]
    assert (folder / "x.tar").read_bytes() == content


# What is never followed or forgiven


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_redirect_is_refused(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, status: int
) -> None:
    server.put("/exports/x.tar", content)
    server.put("/elsewhere", content)
    server.answer(answer(status=status, headers={"Location": f"{server.url}/elsewhere"}))
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 7
    assert [seen.path for seen in server.log] == ["/exports/x.tar"]


async def test_bytes_that_contradict_the_checksum_twice_are_not_kept(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.checksum = "0" * 32
    server.put("/exports/x.tar", content)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert "0" * 32 in str(transfer.error)
    assert len(server.log) == 2
    assert names_in(folder) == []


@pytest.mark.parametrize("status", [404, 410])
async def test_an_object_that_is_gone_is_not_asked_for_again(
    engine: Any, server: Any, answer: Any, folder: Path, status: int
) -> None:
    server.put("/exports/x.tar", b"x")
    server.answer(answer(status=status))
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, transfer.error.subject, len(server.log)) == (8, "tiny:exports/x.tar", 1)


# RetryBudget


async def test_progress_renews_the_patience(
    fresh_engine: Any, server: Any, answer: Any, clock: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content * 4)
    server.answer(*[answer(cut=70_000)] * 15)
    engine = fresh_engine(timeouts={"give_up": 1.0})
    transfer = await get(engine, folder)
    await engine.close()
    assert transfer.state is State.DONE
    assert clock.pauses
    assert all(pause <= 0.5 for pause in clock.pauses)


async def test_a_dead_host_is_given_up_in_time(
    fresh_engine: Any, server: Any, answer: Any, clock: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"x")
    server.answer(*[answer(cut=0)] * 500)
    engine = fresh_engine()
    transfer = await get(engine, folder)
    await engine.close()
    assert transfer.error is not None
    assert transfer.error.retryable
    assert clock.passed <= 900
    assert len(clock.pauses) > 8
    assert all(5 <= pause <= 60 for pause in clock.pauses[8:-1])


async def test_the_store_is_asked_again_when_it_said(
    engine: Any, server: Any, answer: Any, clock: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"x")
    server.answer(answer(status=429, headers={"Retry-After": "30"}))
    await get(engine, folder)
    assert len(clock.pauses) == 1
    assert 30 <= clock.pauses[0] <= 33


async def test_who_asks_for_more_than_there_is_patience_is_not_waited_for(
    engine: Any, server: Any, answer: Any, clock: Any, folder: Path
) -> None:
    server.put("/exports/x.tar", b"x")
    server.answer(answer(status=503, headers={"Retry-After": "5000"}))
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert (transfer.error.code, clock.pauses) == (4, [])
    assert "5,000 s" in str(transfer.error)


async def test_a_retry_goes_on_with_what_arrived(
    fresh_engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), *[answer(cut=0)] * 200)
    engine = fresh_engine(timeouts={"give_up": 5.0})
    number = engine.submit(DownloadRequest(PLACE, folder))
    assert (await engine.wait(number)).state is State.FAILED
    server.script.clear()
    server.log.clear()
    engine.retry(number)
    transfer = await engine.wait(number)
    await engine.close()
    assert (transfer.state, transfer.error) == (State.DONE, None)
    assert server.starts() == [100_000]
    assert (folder / "x.tar").read_bytes() == content


def record_of(content: bytes) -> StoredObject:
    checksum = hashlib.md5(content).hexdigest()
    return StoredObject(PLACE, "x.tar", size=len(content), size_exact=True, checksum=checksum, state="AVAILABLE")


async def test_a_record_that_is_known_is_not_asked_for_again(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(status=503))
    transfer = await get(engine, folder, entry=record_of(content))
    assert (transfer.state, transfer.level, transfer.error) == (State.DONE, "md5", None)
    assert (provider.looked_up, provider.signed) == (0, 3)
    there = await get(engine, folder, entry=record_of(content))
    assert (there.state, there.level, provider.signed) == (State.DONE, "md5", 3)


@pytest.mark.parametrize("change", ["length", "content", "while it comes"])
async def test_a_record_that_is_out_of_date_is_asked_for_once_its_object_contradicts_it(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, change: str
) -> None:
    new = content[::-1] if change == "content" else content[::-1] + b"more"
    server.put("/exports/x.tar", content)
    if change == "while it comes":
        server.answer(answer(cut=100_000, once=lambda: None), answer(once=lambda: server.put("/exports/x.tar", new)))
    else:
        server.put("/exports/x.tar", new)
    transfer = await get(engine, folder, entry=record_of(content))
    assert (transfer.state, transfer.level, transfer.error) == (State.DONE, "md5", None)
    assert (folder / "x.tar").read_bytes() == new
    assert provider.looked_up == 1


async def test_a_link_that_is_refused_makes_the_record_doubtful(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(status=403))
    assert (await get(engine, folder, entry=record_of(content))).state is State.DONE
    assert provider.looked_up == 1


async def test_one_link_serves_for_the_look_and_for_the_bytes(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(b"theirs")
    transfer = await get(engine, folder, on_conflict=OnConflict.OVERWRITE)
    assert (transfer.state, transfer.error, provider.signed) == (State.DONE, None, 1)
    assert (folder / "x.tar").read_bytes() == content

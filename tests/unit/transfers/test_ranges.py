"""What a store may do to a download that goes on where it stopped."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, State
from tests.support.downloads import get, names_in


async def test_a_store_that_cannot_resume_starts_again_in_the_same_answer(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(ignore_range=True))
    await get(engine, folder)
    assert server.starts() == [0, 100_000]
    assert (folder / "x.tar").read_bytes() == content


@pytest.mark.parametrize("no_length", [False, True])
@pytest.mark.parametrize(
    "span",
    [
        "bytes 0-219999/320000",
        "bytes 50000-319999/320000",
        "bytes 100000-200000/320000",
        "bytes 100000-320000/320001",
        "bytes 100000-319998/319999",
        "bytes 100000-319999/*",
        "bytes */320000",
        "lines 1-2",
    ],
)
async def test_bytes_from_elsewhere_are_never_appended(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, span: str, no_length: bool
) -> None:
    provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    wrong = answer(headers={"Content-Range": span}, no_length=no_length)
    server.answer(answer(cut=100_000), wrong, wrong)
    transfer = await get(engine, folder)
    assert transfer.state is State.DONE
    assert server.starts() == [0, 100_000, 100_000, 0]
    assert (folder / "x.tar").read_bytes() == content


async def test_a_store_that_always_sends_other_bytes_is_given_up(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    wrong = answer(status=206, body=b"x", headers={"Content-Range": "bytes 7-7/8"})
    server.answer(answer(cut=100_000), *[wrong] * 9)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert names_in(folder) == []


@pytest.mark.parametrize("status", [0, 412])
async def test_an_object_that_changes_meanwhile_is_fetched_anew(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, status: int
) -> None:
    provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    other = bytes(reversed(content))
    server.answer(
        answer(cut=100_000),
        answer(status=status, once=lambda: server.put("/exports/x.tar", other)),
    )
    transfer = await get(engine, folder)
    assert transfer.state is State.DONE
    assert (folder / "x.tar").read_bytes() == other


async def test_a_206_with_another_validator_is_not_appended(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(answer(cut=100_000), answer(headers={"ETag": '"another"'}))
    await get(engine, folder)
    assert server.starts() == [0, 100_000, 0]
    assert (folder / "x.tar").read_bytes() == content


async def test_an_object_that_keeps_changing_is_given_up(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(*[answer(cut=100_000), answer(status=412)] * 9)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert len(server.log) == 8


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
async def test_without_a_strong_validator_an_overlap_is_compared(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path, etag: str, changed: bool
) -> None:
    provider.tells_checksum = False
    server.put("/exports/x.tar", content, etag=etag)
    final = bytes(reversed(content)) if changed else content
    server.answer(answer(cut=100_000), answer(once=lambda: server.put("/exports/x.tar", final, etag=etag)))
    transfer = await get(engine, folder)
    assert server.starts() == [0, 100_000 - 65_536, *([0] if changed else [])]
    assert (folder / "x.tar").read_bytes() == final
    assert transfer.level == "size"


@pytest.mark.parametrize(("name", "values"), [("ETag", ('W/"1"', 'W/"2"')), ("Last-Modified", ("Sun", "Mon"))])
async def test_an_overlap_that_is_the_same_in_both_versions_mixes_nothing(
    engine: Any, server: Any, provider: Any, answer: Any, folder: Path, name: str, values: tuple[str, str]
) -> None:
    provider.tells_checksum = False
    silence = b"\0" * 100_000
    before, after = (tone * 20_000 + silence + tone * 20_000 for tone in (b"a", b"b"))
    server.put("/exports/x.tar", before, etag="")
    told = [{name: value} for value in values]
    change = answer(headers=told[1], once=lambda: server.put("/exports/x.tar", after, etag=""))
    server.answer(answer(cut=100_000, headers=told[0]), change, answer(headers=told[1]))
    await get(engine, folder)
    assert server.starts() == [0, 100_000 - 65_536, 0]
    assert (folder / "x.tar").read_bytes() == after


async def test_a_connection_lost_after_the_last_byte_costs_no_second_download(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = False
    server.put("/exports/x.tar", content)
    server.answer(answer(chunked=True, cut=len(content)))
    transfer = await get(engine, folder)
    assert transfer.state is State.DONE
    assert server.starts() == [0, len(content)]


async def test_a_body_without_length_is_confirmed_by_a_one_byte_request(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(answer(no_length=True, cut=100_000))
    transfer = await get(engine, folder)
    assert (folder / "x.tar").read_bytes() == content
    assert server.log[1].headers["range"] == "bytes=0-0"
    assert transfer.level == "size+etag"


async def test_a_size_nobody_confirms_is_shown_as_unverified(
    engine: Any, server: Any, provider: Any, answer: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    server.answer(answer(no_length=True), answer(no_length=True, ignore_range=True))
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.level) == (State.DONE, "unverified")
    assert transfer.note.endswith("so whether it is complete is unknown")


@pytest.mark.parametrize("always", [False, True])
async def test_a_body_without_length_that_is_far_from_the_rounded_size_was_cut(
    engine: Any, server: Any, answer: Any, provider: Any, content: bytes, folder: Path, always: bool
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/x", content)
    server.answer(*[answer(no_length=True, cut=1000), answer(no_length=True, ignore_range=True)] * (1 + always))
    location = Location("tiny", path="x")
    entry = StoredObject(location, "x", size=len(content) - 200)
    transfer = await engine.wait(engine.submit(DownloadRequest(location, folder, entry=entry)))
    if always:
        assert (transfer.error.code, names_in(folder)) == (6, [])
        assert "1000 of about 319800 bytes" in str(transfer.error)
    else:
        assert (transfer.state, (folder / "x").read_bytes()) == (State.DONE, content)


async def test_a_reply_far_from_the_rounded_size_is_not_believed(
    engine: Any, server: Any, answer: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/x", content)
    server.answer(answer(body=b"<Error>later</Error>"), answer(body=content[:1000]))
    location = Location("tiny", path="x")
    entry = StoredObject(location, "x", size=len(content) - 200)
    transfer = await engine.wait(engine.submit(DownloadRequest(location, folder, entry=entry)))
    assert (transfer.state, transfer.level) == (State.DONE, "size+etag")
    assert (folder / "x").read_bytes() == content


async def test_a_rounded_size_that_is_out_of_date_is_no_error(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/x", content)
    location = Location("tiny", path="x")
    entry = StoredObject(location, "x", size=len(content) // 2)
    transfer = await engine.wait(engine.submit(DownloadRequest(location, folder, entry=entry)))
    assert transfer.state is State.DONE
    assert (folder / "x").read_bytes() == content

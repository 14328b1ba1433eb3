"""Pieces out of the middle of an object, from hosts that behave in every way."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cloudstore_tui.core.errors import (
    ForbiddenError,
    IntegrityError,
    NetworkError,
    NotAvailableError,
    ReplyError,
    StorageError,
)
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.transfers.range_reader import RangeReader

Open = Callable[..., RangeReader]


@pytest.fixture
def opened(blob: BlobClient, provider: Any, server: Any, content: bytes) -> Open:
    server.put("/a", content)

    def make(**options: Any) -> RangeReader:
        return RangeReader(
            lambda: blob, lambda _known: provider.source(provider.locate("a")), pauses=(0.0, 0.0), **options
        )

    return make


async def test_bytes_out_of_the_middle_come_over_one_connection_and_one_link(
    opened: Open, server: Any, provider: Any, content: bytes
) -> None:
    reader = opened()
    for first, count in ((0, 100), (5000, 70_000), (len(content) - 10, 10)):
        piece = await reader.read(first, count)
        assert piece.data == content[first : first + count]
        assert piece.total == len(content)
        assert piece.ranged
    assert server.connections == 1
    assert provider.signed == 1
    assert [seen.headers["range"] for seen in server.log] == [
        "bytes=0-99",
        "bytes=5000-74999",
        f"bytes={len(content) - 10}-{len(content) - 1}",
    ]


async def test_a_piece_ends_where_the_object_does(opened: Open, content: bytes) -> None:
    assert (await opened().read(len(content) - 5, 100)).data == content[-5:]
    beyond = await opened().read(len(content) + 5, 100)
    assert (beyond.data, beyond.total) == (b"", len(content))


async def test_a_reply_that_ignores_the_range_is_cut_after_what_is_wanted(
    opened: Open, server: Any, answer: Any, content: bytes
) -> None:
    server.answer(answer(ignore_range=True), answer(ignore_range=True))
    first = await opened().read(0, 1000)
    assert (first.data, first.total, first.ranged) == (content[:1000], len(content), False)
    middle = await opened().read(2000, 1000)
    assert (middle.data, middle.ranged) == (content[2000:3000], False)


async def test_a_place_far_behind_is_not_waited_for_where_everything_comes(
    opened: Open, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.transfers.range_reader.MAX_SKIPPED", 1000)
    server.answer(answer(ignore_range=True))
    piece = await opened().read(200_000, 10)
    assert (piece.data, piece.ranged) == (b"", False)


async def test_a_piece_that_was_cut_off_is_asked_for_again(
    opened: Open, server: Any, answer: Any, content: bytes
) -> None:
    server.answer(answer(cut=300), answer(no_length=True, cut=300))
    assert (await opened().read(100, 1000)).data == content[100:1100]
    assert len(server.log) == 3


async def test_a_host_that_never_gives_it_is_given_up(opened: Open, server: Any, answer: Any) -> None:
    server.answer(*(answer(cut=0) for _ in range(9)))
    with pytest.raises(NetworkError):
        await opened().read(0, 1000)
    assert len(server.log) == 3


async def test_a_link_that_has_ended_is_asked_for_again_once(
    opened: Open, server: Any, provider: Any, answer: Any, content: bytes
) -> None:
    reader = opened()
    await reader.read(0, 10)
    server.answer(answer(status=403, body=b"<Error><Code>ExpiredToken</Code></Error>"))
    assert (await reader.read(10, 10)).data == content[10:20]
    assert provider.signed == 2


async def test_a_fresh_link_that_is_refused_too_is_the_end(
    opened: Open, server: Any, provider: Any, answer: Any
) -> None:
    server.answer(*(answer(status=403) for _ in range(9)))
    with pytest.raises(ForbiddenError) as caught:
        await opened().read(0, 10)
    assert provider.signed == 2
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("size", [400_000, 100_000, 5], ids=["longer", "shorter", "ends before"])
@pytest.mark.parametrize("etags", [(None, None), ("", ""), ('W/"1"', 'W/"2"')], ids=["strong", "none", "weak"])
async def test_an_object_that_changes_between_two_pieces_is_not_mixed(
    opened: Open, server: Any, content: bytes, etags: tuple[str | None, str | None], size: int
) -> None:
    server.put("/a", content, etags[0])
    reader = opened()
    await reader.read(0, 10)
    server.put("/a", bytes(size), etags[1])
    with pytest.raises(IntegrityError, match="changed"):
        await reader.read(10, 10)


@pytest.mark.parametrize("told", [{"ETag": 'W/"2"'}, {"Last-Modified": "Mon"}], ids=["weak", "time"])
async def test_an_object_of_the_same_size_that_changes_between_two_pieces_is_not_mixed(
    opened: Open, server: Any, answer: Any, content: bytes, told: dict[str, str]
) -> None:
    server.put("/a", content, 'W/"1"')
    server.answer(answer(headers={"Last-Modified": "Sun"}), answer(headers={"Last-Modified": "Sun"} | told))
    reader = opened()
    await reader.read(0, 10)
    with pytest.raises(IntegrityError, match="changed"):
        await reader.read(10, 10)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Content-Type": "text/html"}, ReplyError),
        ({"Content-Encoding": "gzip"}, ReplyError),
    ],
)
async def test_an_answer_that_is_not_the_object_is_none(
    opened: Open, server: Any, answer: Any, headers: dict[str, str], error: type[StorageError]
) -> None:
    server.answer(*(answer(status=200, body=b"<html>", headers=headers) for _ in range(9)))
    with pytest.raises(error):
        await opened().read(0, 10)


@pytest.mark.parametrize("whole", [True, False], ids=["whole objects", "ranges"])
async def test_an_object_that_is_stored_compressed_is_read_as_it_is_stored(
    opened: Open, server: Any, answer: Any, content: bytes, whole: bool
) -> None:
    coding = {"Content-Encoding": "gzip"}
    server.answer(*(answer(headers=coding, ignore_range=whole) for _ in range(2)))
    piece = await opened().read(0, 1000)
    assert (piece.data, piece.total, piece.coding) == (content[:1000], len(content), "gzip")
    assert (await opened().read(500, 100)).data == content[500:600]


@pytest.mark.parametrize("changed", [{"body": b"x" * 60}, {"no_length": True}], ids=["another length", "no length"])
async def test_what_was_compressed_on_the_way_is_refused(
    opened: Open, server: Any, answer: Any, content: bytes, changed: dict[str, Any]
) -> None:
    span = {"Content-Encoding": "gzip", "Content-Range": f"bytes 0-99/{len(content)}"}
    server.answer(*(answer(status=206, headers=span, **changed) for _ in range(9)))
    with pytest.raises(ReplyError, match="compressed"):
        await opened().read(0, 100)


async def test_what_is_as_long_as_the_object_is_no_login_page(
    opened: Open, server: Any, answer: Any, content: bytes
) -> None:
    server.answer(answer(status=200, body=content, headers={"Content-Type": "text/html"}))
    assert (await opened().read(0, 10)).data == content[:10]


async def test_other_bytes_than_those_asked_for_are_refused(opened: Open, server: Any, answer: Any) -> None:
    wrong = {"Content-Range": "bytes 5-14/100000"}
    server.answer(*(answer(status=206, body=b"x" * 10, headers=wrong) for _ in range(9)))
    with pytest.raises(IntegrityError, match="other bytes"):
        await opened().read(0, 10)


@pytest.mark.parametrize("told", [{}, {"Content-Range": "bytes */320000"}], ids=["untold", "told"])
async def test_an_end_that_comes_before_the_last_byte_is_none(
    opened: Open, server: Any, provider: Any, answer: Any, told: dict[str, str]
) -> None:
    provider.tells_size = False
    reader = opened()
    await reader.read(0, 10)
    server.answer(*(answer(status=416, headers=told) for _ in range(9)))
    with pytest.raises(IntegrityError, match="other bytes"):
        await reader.read(10, 10)


async def test_what_the_state_forbids_is_said_at_once(opened: Open, provider: Any, server: Any) -> None:
    provider.source_errors.append(NotAvailableError("its state is ARCHIVED", state="ARCHIVED"))
    with pytest.raises(NotAvailableError):
        await opened().read(0, 10)
    assert server.log == []


async def test_many_pieces_at_once_need_one_link(opened: Open, provider: Any, content: bytes) -> None:
    reader = opened()
    pieces = await asyncio.gather(*(reader.read(first, 50) for first in range(0, 2000, 100)))
    assert [piece.data for piece in pieces] == [content[first : first + 50] for first in range(0, 2000, 100)]
    assert provider.signed == 1


async def test_a_cancelled_piece_lets_go_of_the_connection(opened: Open, server: Any, answer: Any) -> None:
    server.answer(answer(stall=10))
    task = asyncio.ensure_future(opened().read(0, 1000))
    await server.saw(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

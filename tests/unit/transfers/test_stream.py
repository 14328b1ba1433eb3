"""Bytes to a pipe: in order, once, and never of two versions."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import State
from cloudstore_tui.transfers.pipe import pipe


async def test_a_stream_gives_all_bytes_in_order(engine: Any, provider: Any, server: Any, content: bytes) -> None:
    server.put("/x", content)
    taken = bytearray()
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), taken.extend)
    assert (transfer.state, transfer.level, transfer.done) == (State.DONE, "md5", len(content))
    assert bytes(taken) == content


@pytest.mark.parametrize("etag", [None, ""])
@pytest.mark.parametrize("ignore_range", [False, True])
async def test_a_stream_goes_on_after_a_lost_connection(
    engine: Any, provider: Any, server: Any, answer: Any, content: bytes, etag: str | None, ignore_range: bool
) -> None:
    server.put("/x", content, etag=etag)
    server.answer(answer(cut=100_000), answer(ignore_range=ignore_range, cut=150_000), answer(cut=30_000))
    taken = bytearray()
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), taken.extend)
    assert (transfer.state, transfer.error) == (State.DONE, None)
    assert bytes(taken) == content


async def test_a_stream_of_an_object_that_changed_is_an_error_and_writes_nothing_wrong(
    engine: Any, provider: Any, server: Any, answer: Any, content: bytes
) -> None:
    provider.tells_checksum = False
    server.put("/x", content)
    server.answer(
        answer(cut=100_000),
        answer(once=lambda: server.put("/x", bytes(reversed(content)))),
    )
    taken = bytearray()
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), taken.extend)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert bytes(taken) == content[:100_000]


async def test_a_stream_of_an_object_that_became_shorter_is_an_error(
    engine: Any, provider: Any, server: Any, answer: Any, content: bytes
) -> None:
    provider.tells_checksum = provider.tells_size = False
    server.put("/x", content, etag="")
    shorter = content[:50_000]
    server.answer(answer(cut=100_000), answer(ignore_range=True, once=lambda: server.put("/x", shorter, etag="")))
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), lambda _data: None)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert len(server.log) == 3


async def test_a_stream_that_became_shorter_where_nobody_tells_a_size_is_an_error(
    engine: Any, provider: Any, server: Any, answer: Any, content: bytes
) -> None:
    provider.tells_checksum = provider.tells_size = False
    server.put("/x", content, etag="")
    shorter = content[:50_000]
    silent = answer(no_length=True, ignore_range=True)
    server.answer(answer(chunked=True, cut=100_000))
    server.answer(answer(no_length=True, ignore_range=True, once=lambda: server.put("/x", shorter, etag="")), silent)
    taken = bytearray()
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), taken.extend)
    assert transfer.error is not None
    assert transfer.error.code == 6
    assert len(taken) == 100_000


async def test_a_web_page_is_not_streamed_for_an_object(engine: Any, provider: Any, server: Any, answer: Any) -> None:
    provider.tells_checksum = provider.tells_size = False
    server.put("/x", b"<html>log in</html>")
    server.answer(*[answer(headers={"Content-Type": "text/html"})] * 400)
    taken = bytearray()
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), taken.extend)
    assert transfer.error is not None
    assert (transfer.error.code, bytes(taken)) == (4, b"")


async def test_a_damaged_stream_is_an_error(
    engine: Any, provider: Any, server: Any, answer: Any, content: bytes
) -> None:
    server.put("/x", content)
    server.answer(answer(flip=5))
    transfer = await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), lambda _data: None)
    assert transfer.error is not None
    assert transfer.error.code == 6


async def test_a_closed_pipe_ends_a_stream_as_such(engine: Any, provider: Any, server: Any, content: bytes) -> None:
    def closed(_data: bytes) -> None:
        raise BrokenPipeError

    server.put("/x", content)
    with pytest.raises(BrokenPipeError):
        await pipe(provider, engine.context, StoredObject(Location("tiny", path="x"), "x"), closed)

"""The blob client on real sockets: what it sends, where it does not go, how it ends."""

import asyncio
import os
import select
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pycurl
import pytest

from cloudstore_tui.core.errors import (
    LocalDiskError,
    NetworkError,
    StorageError,
    UnsafeError,
)
from cloudstore_tui.core.links import Source, Target
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net import curl, retry
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.hosts import is_allowed, literal_address
from cloudstore_tui.net.retry import RetryBudget
from cloudstore_tui.net.transport import route_to
from tests.support.downloads import Pile, source
from tests.support.waiting import PATIENCE, PROMPTLY, until


class Bytes:
    """Gives bytes, `pause` seconds apart."""

    def __init__(self, data: bytes, pause: float = 0) -> None:
        self.data = data
        self.size = len(data)
        self.offset = 0
        self.pause = pause

    def read(self, count: int) -> bytes:
        time.sleep(self.pause)
        data = self.data[self.offset : self.offset + count]
        self.offset += len(data)
        return data


async def test_exactly_the_given_headers_are_sent(blob: BlobClient, server: Any) -> None:
    server.put("/x", b"content")
    pile = Pile()
    reply = await blob.get(source(f"{server.url}/x?sig=1", Authorization="Bearer t"), pile, {"Range": "bytes=0-3"})
    assert (reply.status, pile.bytes) == (206, b"cont")
    assert server.log[0].headers == {
        "host": server.url.removeprefix("http://"),
        "authorization": "Bearer t",
        "range": "bytes=0-3",
        "accept-encoding": "identity",
        "user-agent": "cloudstore-tui",
    }


async def test_what_follows_a_body_is_none_of_its_headers(blob: BlobClient, server: Any, answer: Any) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nETag: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    server.answer(answer(raw=chunked + b"ETag: y\r\nContent-Range: bytes 0-2/9\r\n\r\n"))
    pile = Pile()
    reply = await blob.get(source(f"{server.url}/x"), pile)
    assert (pile.bytes, pile.replies, dict(reply.headers)) == (b"abc", 1, {"etag": "x", "transfer-encoding": "chunked"})


async def test_a_large_body_is_sent_at_once_with_its_length(blob: BlobClient, server: Any) -> None:
    data = os.urandom(3_000_000)
    target = Target(Secret(f"{server.url}/x"), {"x-amz-server-side-encryption": Secret("aws:kms")}, local=True)
    reply = await blob.put(target, Bytes(data))
    assert (reply.status, server.objects["/x"]) == (200, data)
    assert server.log[0].headers == {
        "host": server.url.removeprefix("http://"),
        "content-length": "3000000",
        "x-amz-server-side-encryption": "aws:kms",
        "accept-encoding": "identity",
        "user-agent": "cloudstore-tui",
    }


async def test_connections_are_used_again(blob: BlobClient, server: Any) -> None:
    server.put("/x", b"content")
    for _ in range(50):
        await blob.get(source(f"{server.url}/x"), Pile())
    assert (len(server.log), server.connections) == (50, 1)


async def test_after_sleep_no_connection_from_before_is_used(blob: BlobClient, server: Any) -> None:
    blob.renew()
    server.put("/x", b"content")
    for expected in (1, 2, 2):
        await blob.get(source(f"{server.url}/x"), Pile())
        assert server.connections == expected
        if expected == 1:
            blob.renew()
    await until(lambda: server.open_connections == 1, "the end of the first connection")


async def test_after_sleep_no_connection_is_used_while_a_request_goes_on(
    blob: BlobClient, server: Any, answer: Any
) -> None:
    server.put("/x", b"content" * 2)
    await blob.get(source(f"{server.url}/x"), Pile())
    server.answer(answer(slow=True))
    slow = Pile()
    going = asyncio.create_task(blob.get(source(f"{server.url}/x"), slow))
    await server.saw(2)
    blob.renew()
    for expected in (2, 3):
        pile = Pile()
        await blob.get(source(f"{server.url}/x"), pile)
        assert (server.connections, pile.bytes) == (expected, b"content" * 2)
    await going
    assert slow.bytes == b"content" * 2
    for _ in range(2):
        await blob.get(source(f"{server.url}/x"), Pile())
        assert server.connections == 4


async def test_many_requests_run_at_once(blob: BlobClient, server: Any, answer: Any) -> None:
    server.put("/x", b"0123456789")
    server.answer(*[answer(slow=True)] * 20)
    begun = time.monotonic()
    piles = [Pile() for _ in range(20)]
    await asyncio.gather(*(blob.get(source(f"{server.url}/x"), pile) for pile in piles))
    assert {pile.bytes for pile in piles} == {b"0123456789"}
    assert time.monotonic() - begun < 5


async def test_the_body_of_a_refusal_is_kept_for_the_error(blob: BlobClient, server: Any, answer: Any) -> None:
    server.answer(answer(status=403, body=b"<Error><Code>AccessDenied</Code></Error>"))
    reply = await blob.get(source(f"{server.url}/x"), Pile())
    assert (reply.status, reply.store_code) == (403, "AccessDenied")


async def test_a_huge_refusal_is_cut_off(blob: BlobClient, server: Any, answer: Any) -> None:
    server.answer(answer(status=500, body=b"x" * 9_000_000))
    reply = await blob.get(source(f"{server.url}/x"), Pile())
    assert reply.status == 500
    assert len(reply.body) < 1_000_000


async def test_the_path_is_sent_as_it_was_signed(blob: BlobClient, server: Any) -> None:
    await blob.get(source(f"{server.url}/a/../b%2F..%2fc//d?x=%20y"), Pile())
    assert server.log[0].path == "/a/../b%2F..%2fc//d"


# Where it does not go


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x",
        "https://127.0.0.1:{port}/x",
        "https://127.1:{port}/x",
        "https://2130706433:{port}/x",
        "https://0x7f.1:{port}/x",
        "https://0:{port}/x",
        "https://[::1]:{port}/x",
        "https://[::ffff:127.0.0.1]:{port}/x",
        "https://localhost:{port}/x",
        "https://169.254.169.254/latest/",
        "https://10.0.0.5/",
        "https://192.168.1.1/",
        "https://[fe80::1%25eth0]/",
        "https://[64:ff9b::7f00:1]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/x",
        "//x/y",
        "https://exa mple.com/",
        "https://ex\xe4mple.com/",
    ],
)
async def test_private_places_are_refused_before_a_connection(blob: BlobClient, server: Any, url: str) -> None:
    server.put("/x", b"content")
    with pytest.raises(UnsafeError):
        await blob.get(source(url.format(port=server.url.rpartition(":")[2]), local=False), Pile())
    assert server.connections == 0


@pytest.mark.parametrize("url", ["http://10.0.0.5/", "http://169.254.169.254/", "file:///etc/passwd"])
async def test_a_local_profile_reaches_this_machine_only(blob: BlobClient, url: str) -> None:
    with pytest.raises(UnsafeError):
        await blob.get(source(url), Pile())


@pytest.mark.parametrize(
    ("address", "local", "allowed"),
    [
        ("8.8.8.8", False, True),
        ("2a00:1450:4001:82b::200e", False, True),
        ("64:ff9b::808:808", False, True),
        ("64:ff9b::a00:1", False, False),
        ("100.64.0.1", False, False),
        ("224.0.0.1", False, False),
        ("239.1.2.3", True, False),
        ("ff02::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("127.9.9.9", False, False),
        ("127.0.0.1", True, True),
        ("::1", True, True),
        ("10.0.0.1", True, False),
        ("::ffff:8.8.8.8", False, True),
        ("::ffff:127.0.0.1", True, True),
        ("::ffff:10.0.0.1", False, False),
        ("2002:7f00:1::", False, False),
        ("fd00::1", False, False),
        ("fec0::1", False, False),
        ("::127.0.0.1", False, False),
        ("::127.0.0.1", True, False),
        ("::8.8.8.8", False, False),
        ("::ffff:0:127.0.0.1", False, False),
        ("64:ff9b:1::a00:1", False, False),
        ("64:ff9b:1::808:808", False, False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False, False),
        ("2001:db8::1", False, False),
        ("2002:a00:1::", False, False),
        ("2002:808:808::", False, True),
        ("100::1", False, False),
        ("4000::1", False, False),
        ("fe80::1%eth0", False, False),
        ("240.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("198.18.0.1", False, False),
        ("192.0.2.1", False, False),
        ("", False, False),
    ],
)
def test_only_public_addresses_are_allowed(address: str, local: bool, allowed: bool) -> None:
    assert is_allowed(address, local=local) is allowed


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), True),
        ("192.168.1.1", ("10.0.0.0/8", "192.168.0.0/16"), True),
        ("192.168.1.1", ("10.0.0.0/8",), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("fd12::1", ("fd00::/8",), True),
        ("169.254.169.254", ("10.0.0.0/8",), False),
        ("127.0.0.1", ("10.0.0.0/8",), False),
        ("127.0.0.1", ("127.0.0.0/8",), True),
    ],
)
def test_networks_of_the_users_are_allowed(address: str, networks: tuple[str, ...], allowed: bool) -> None:
    assert is_allowed(address, local=False, networks=networks) is allowed


def test_addresses_are_seen_through_every_way_to_write_them() -> None:
    assert {literal_address(host) for host in ("127.1", "2130706433", "0x7f.1", "127.0.0.1")} == {"127.0.0.1"}
    assert literal_address("bucket.s3.amazonaws.com") == ""


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "", "\x7f", "ä", "x" * 20_000])
async def test_a_header_that_would_be_two_is_refused(blob: BlobClient, server: Any, value: str) -> None:
    with pytest.raises(UnsafeError):
        await blob.get(source(f"{server.url}/x", X_Odd=value), Pile())
    assert server.connections == 0


# How it ends


async def test_cancelling_closes_the_connection_at_once(blob: BlobClient, server: Any, answer: Any) -> None:
    server.put("/x", b"content")
    server.answer(answer(stall=3))
    pile = Pile()
    task = asyncio.create_task(blob.get(source(f"{server.url}/x"), pile))
    await server.saw(1)
    await until(lambda: pile.bytes == b"con")
    assert len(_connections(server)) == 1
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < PROMPTLY
    assert _connections(server) == []


def _connections(server: Any) -> list[int]:
    """Our own ends of connections to the server."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not list a process's connections")
    numbers = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    return [number for number in numbers if _is_connected(number, server)]


def _is_connected(descriptor: int, server: Any) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            return bool(duplicate.getpeername()[1] == int(server.url.rpartition(":")[2]))
    except (OSError, IndexError, TypeError):
        return False


async def test_what_a_sink_raises_reaches_the_caller(blob: BlobClient, server: Any) -> None:
    server.put("/x", b"content")
    pile = Pile()
    pile.error = LocalDiskError("the disk is full")
    with pytest.raises(LocalDiskError):
        await blob.get(source(f"{server.url}/x"), pile)


@pytest.mark.parametrize("fault", [{"silent": True}, {"stall": 3}])
async def test_silence_ends_with_a_time_out(server: Any, answer: Any, fault: dict[str, Any]) -> None:
    server.put("/x", b"content")
    server.answer(answer(**fault))
    blob = BlobClient(Timeouts(read=0.4, stall=60))
    begun = time.monotonic()
    with pytest.raises(NetworkError):
        await blob.get(source(f"{server.url}/x"), Pile())
    assert 0.3 < time.monotonic() - begun < PROMPTLY
    await blob.close()


async def test_a_sink_that_holds_the_thread_up_ends_nobody_elses_request(
    server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Pile):
        def write(self, data: memoryview) -> None:
            time.sleep(2.2)
            super().write(data)

    monkeypatch.setattr("cloudstore_tui.net.curl.HELD_UP_S", 0.5)
    server.put("/x", b"content")
    server.answer(answer(once=lambda: time.sleep(2.6)))
    blob = BlobClient(Timeouts(read=2, stall=60))
    pile, slow = Pile(), Slow()
    first = asyncio.create_task(blob.get(source(f"{server.url}/x"), pile))
    await server.saw(1)
    # While the thread is held up, nobody looked whether the first host answers.
    await blob.get(source(f"{server.url}/x"), slow)
    await first
    assert (pile.bytes, slow.bytes) == (b"content", b"content")
    await blob.close()


async def test_a_trickle_is_given_up(server: Any, answer: Any) -> None:
    server.put("/x", b"x" * 200)
    server.answer(answer(slow=True))
    blob = BlobClient(Timeouts(connect=1, read=5, stall=1))
    with pytest.raises(NetworkError, match="too slowly"):
        await blob.get(source(f"{server.url}/x"), Pile())
    await blob.close()


async def test_a_host_that_does_not_listen_is_named(blob: BlobClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(NetworkError, match=r"127\.0\.0\.1 cannot be reached") as caught:
            await blob.get(source(f"http://127.0.0.1:{port}/x?secret=canary"), Pile())
    assert "canary" not in str(caught.value)


async def test_closing_waits_for_nobody(server: Any, answer: Any, timeouts: Timeouts) -> None:
    server.put("/x", b"content")
    server.answer(*[answer(stall=3)] * 4)
    blob = BlobClient(timeouts)
    tasks = [asyncio.create_task(blob.get(source(f"{server.url}/x"), Pile())) for _ in range(4)]
    await server.saw(4)
    begun = time.monotonic()
    await blob.close()
    assert time.monotonic() - begun < PROMPTLY
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, StorageError) for result in results)
    with pytest.raises(NetworkError):
        await blob.get(source(f"{server.url}/x"), Pile())


async def test_a_client_that_was_never_used_closes_too(timeouts: Timeouts) -> None:
    await BlobClient(timeouts).close()


async def test_a_lost_reply_is_told_from_a_lost_body(blob: BlobClient, server: Any, answer: Any) -> None:
    target = Target(Secret(f"{server.url}/x"), local=True)
    server.answer(answer(silent=True))
    with pytest.raises(LostReplyError):
        await blob.put(target, Bytes(b"x" * 1000))
    server.answer(answer(cut=1000))
    with pytest.raises(NetworkError) as caught:
        await blob.put(target, Bytes(b"x" * 20_000_000, pause=0.01))
    assert not isinstance(caught.value, LostReplyError)


async def test_the_way_to_a_host_is_found_out_once_and_allows_no_more_than_the_link_does(
    blob: BlobClient, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def finding(url: str, *, local: bool, real: Any = route_to) -> Any:
        found.append(url)
        return real(url, local=local)

    monkeypatch.setattr("cloudstore_tui.net.blob.route_to", finding)
    for name in ("x", "y"):
        server.put(f"/{name}", b"content")
        await blob.get(source(f"{server.url}/{name}"), Pile())
    assert found == [f"{server.url}/x"]
    # What is known of the host was allowed to a profile whose own service is on this machine.
    for refused, why in ((Source(Secret(f"{server.url}/x")), "not https"), (source(f"{server.url}/ü"), "damaged")):
        with pytest.raises(UnsafeError, match=why):
            await blob.get(refused, Pile())
    assert len(server.log) == 2


async def test_a_body_is_never_sent_twice_by_itself(blob: BlobClient, server: Any, answer: Any) -> None:
    server.put("/x", b"content")
    await blob.get(source(f"{server.url}/x"), Pile())
    server.answer(answer(silent=True))
    with pytest.raises(LostReplyError):
        await blob.put(Target(Secret(f"{server.url}/y"), local=True), Bytes(b"x" * 10))
    assert [seen.method for seen in server.log] == ["GET", "PUT"]
    # A kept connection may have died unnoticed, and a body cannot be taken back.
    assert server.connections == 2


# When something of ours fails


async def soon(*calls: Any) -> list[Any]:
    """How the calls end; none may hang."""
    async with asyncio.timeout(PATIENCE):
        return await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("name", ["open_socket", "before_request", "take_header", "got_on", "prepare"])
async def test_what_fails_in_the_thread_fails_one_call_alone(
    blob: BlobClient, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, name: str, capfd: Any
) -> None:
    server.put("/slow", b"0123456789")
    server.put("/x", b"content")
    server.answer(answer(slow=True))
    slow, pile = Pile(), Pile()
    going = asyncio.create_task(blob.get(source(f"{server.url}/slow"), slow))
    await server.saw(1)
    owner = curl.CurlLoop if name == "prepare" else curl.CurlCall
    real = getattr(owner, name)

    def failing(self: Any, *args: Any) -> Any:
        call = args[-1] if name == "prepare" else self
        if call.target == "/x":
            raise ValueError("canary")
        return real(self, *args)

    wrapped = curl.stopping_with(-1 if name == "open_socket" else 1 if name == "before_request" else 0)(failing)
    monkeypatch.setattr(owner, name, failing if name in ("prepare", "got_on") else wrapped)
    (error,) = await soon(blob.get(source(f"{server.url}/x"), pile))
    assert isinstance(error, ValueError | StorageError)
    await soon(going)
    assert slow.bytes == b"0123456789"
    monkeypatch.setattr(owner, name, real)
    await soon(blob.get(source(f"{server.url}/x"), pile))
    assert pile.bytes == b"content"
    assert "canary" not in capfd.readouterr().err


class Frail:
    """What a loop works with, until some of it fails."""

    def __init__(self, real: Any, failing: set[str]) -> None:
        self._real = real
        self._failing = failing

    def __enter__(self) -> "Frail":
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Any:
        if name in self._failing:
            raise MemoryError
        return getattr(self._real, name)


@pytest.mark.parametrize("name", ["poll", "register", "info_read", "socket_action"])
async def test_a_loop_that_dies_fails_all_its_calls_and_the_next_call_begins_another_one(
    blob: BlobClient, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    failing: set[str] = set()
    for owner, kind in ((select, "poll"), (pycurl, "CurlMulti")):
        real = getattr(owner, kind)
        monkeypatch.setattr(owner, kind, lambda *given, real=real: Frail(real(*given), failing))
    server.put("/x", b"content")
    server.answer(answer(silent=True))
    going = asyncio.create_task(blob.get(source(f"{server.url}/x"), Pile()))
    await server.saw(1)
    failing.add(name)
    first, second = await soon(going, blob.get(source(f"{server.url}/x"), Pile()))
    assert isinstance(first, NetworkError)
    assert isinstance(second, NetworkError)
    assert first is not second
    failing.clear()
    pile = Pile()
    await soon(blob.get(source(f"{server.url}/x"), pile))
    assert pile.bytes == b"content"


@pytest.mark.parametrize("name", ["threading.Thread.start", "socket.socketpair"])
async def test_a_machine_without_threads_or_open_files_left_is_said_to_be_so(
    blob: BlobClient, server: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def failing(*_args: Any) -> Any:
        raise RuntimeError if name.startswith("threading") else OSError(24, "Too many open files")

    server.put("/x", b"content")
    with monkeypatch.context() as patched:
        patched.setattr(f"cloudstore_tui.net.curl.{name}", failing)
        (error,) = await soon(blob.get(source(f"{server.url}/x"), Pile()))
    assert isinstance(error, LocalDiskError)
    pile = Pile()
    await soon(blob.get(source(f"{server.url}/x"), pile))
    assert pile.bytes == b"content"


async def test_a_call_after_the_end_of_the_loop_is_told_so_and_does_not_wait(
    blob: BlobClient, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def once(*given: Any, real: Any = curl.CurlLoop) -> Any:
        made.append(made[0] if made else real(*given))
        return made[0]

    monkeypatch.setattr(curl, "CurlLoop", once)
    server.put("/x", b"content")
    await blob.get(source(f"{server.url}/x"), Pile())
    await made[0].close()
    (error,) = await soon(blob.get(source(f"{server.url}/x"), Pile()))
    assert isinstance(error, NetworkError)
    assert len(made) == 2


HEAD = b"HTTP/1.1 200 OK\r\nETag: x\r\n"
ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "one header": (HEAD + b"X-Long: ", b"x"),
    "interim replies": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a chunk extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x"),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-More: 1\r\n"),
}


@pytest.fixture
async def endless(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a service whose replies of one kind never end."""
    start, more = ENDLESS[request.param]
    dripping = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.append(asyncio.current_task())
        with suppress(OSError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            while True:
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()

    listener = await asyncio.start_server(drip, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    for task in filter(None, dripping):
        task.cancel()
    await asyncio.gather(*filter(None, dripping))
    listener.close()


LIMITS = {
    "of each step": Timeouts(connect=0.1, read=0.3, stall=0.5, give_up=60),
    "of all tries": Timeouts(connect=60, read=60, stall=60, give_up=0.3),
}


@pytest.mark.parametrize("endless", ENDLESS, indirect=True)
@pytest.mark.parametrize("limit", LIMITS)
async def test_a_reply_that_never_ends_is_given_up_in_time(
    endless: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "MIN_EXCHANGE_S", 0.2)
    blob, client = BlobClient(LIMITS[limit]), ApiClient(Profile("a", "alvaria", timeouts=LIMITS[limit]), endless)
    # Tried once, as in a transfer: it is the owner of all tries who tries again.
    with RetryBudget(Clock(), LIMITS[limit].give_up).owning_retries():
        for call in (blob.get(source(f"{endless}/x"), Pile()), client.post_form("x", (), (), {}, "acme:")):
            async with asyncio.timeout(PROMPTLY):
                (error,) = await asyncio.gather(call, return_exceptions=True)
            assert isinstance(error, StorageError)
            assert error.code == 4
    await client.close()
    await blob.close()

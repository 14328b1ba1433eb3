"""What goes wrong below HTTP, and that no credential goes anywhere else."""

import logging
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import AccessError, LoginError, NetworkError, StorageError, UnsafeError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net import channel
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.net.auth import Login
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.curl import Wire
from cloudstore_tui.net.transport import ApiCall, NoSink
from tests.support.waiting import until

PLACE = "acme:exports/"


@pytest.fixture
def hasty(profile: Profile) -> Profile:
    return replace(profile, timeouts=Timeouts(connect=2, read=2, give_up=0.0))


async def test_an_unknown_authority_is_not_trusted(start: Any, connect: Any, hasty: Profile, canaries: Any) -> None:
    server = await start(tls=True, host="localhost")
    with pytest.raises(UnsafeError) as refused:
        await connect(server.url, using=hasty).get("x", [("k", "canary-query")], subject=PLACE)
    assert refused.value.code == 7
    assert "self-signed" in str(refused.value)
    assert "SSL_CERT_FILE" in refused.value.hint
    assert "canary" not in str(refused.value)
    assert server.requests == []


async def test_an_authority_of_ones_own_is_trusted_for_its_own_name_only(
    start: Any, connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = await start(tls=True, host="localhost")
    server.on("/x", server.reply())
    assert (await connect(server.url, using=hasty).get("x", subject=PLACE)).status == 200
    with pytest.raises(UnsafeError, match=r"IP address mismatch|not valid"):
        await connect(server.url.replace("localhost", "127.0.0.1"), using=hasty).get("x", subject=PLACE)


async def test_a_server_without_tls_is_not_spoken_to(server: Any, connect: Any, hasty: Profile) -> None:
    with pytest.raises(StorageError) as refused:
        await connect(server.url.replace("http:", "https:"), using=hasty).get("x", subject=PLACE)
    assert refused.value.code in (4, 7)
    assert server.requests == []


async def test_a_certificate_file_that_cannot_be_read_is_named(
    connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(StorageError) as refused:
        await connect("https://localhost:9", using=hasty).get("x", subject=PLACE)
    assert (refused.value.code, refused.value.subject) == (2, "/nowhere/ca.pem")


async def test_a_name_that_does_not_exist_is_said_to_be_unknown(connect: Any, hasty: Profile) -> None:
    with pytest.raises(NetworkError) as failed:
        await connect("https://no-such-host.invalid", using=hasty).get("x", subject=PLACE)
    assert failed.value.message == "the name of no-such-host.invalid cannot be resolved"


class TestProxy:
    """A proxy is named, without its password, when it is the culprit."""

    @pytest.fixture
    def by_proxy(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:canary-password@127.0.0.1:{server.port}")
        return f"the proxy 127.0.0.1:{server.port}"

    async def test_that_wants_a_login(self, by_proxy: str, server: Any, connect: Any, hasty: Profile) -> None:
        server.on("api.example.com:443", server.reply(407))
        with pytest.raises(StorageError) as failed:
            await connect("https://api.example.com", using=hasty).get("x", subject=PLACE)
        assert by_proxy in str(failed.value)
        assert isinstance(failed.value, LoginError)
        assert "canary" not in str(failed.value)
        (request,) = server.requests
        assert (request.method, request.target) == ("CONNECT", "api.example.com:443")
        assert not {"authorization", "x-api-key"} & set(request.headers)

    async def test_that_is_spoken_to_by_tls(
        self, start: Any, connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch, certificate: Path
    ) -> None:
        server = await start(tls=True, host="localhost")
        monkeypatch.setenv("HTTPS_PROXY", f"https://someone:canary-password@localhost:{server.port}")
        url = Source(Secret("https://api.example.com/x"))
        for trusted in (False, True):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            blob = BlobClient(hasty.timeouts)
            server.on("api.example.com:443", server.reply(407))
            for call in (
                connect("https://api.example.com", using=hasty).get("x", subject=PLACE),
                blob.get(url, NoSink()),
            ):
                with pytest.raises(AccessError if trusted else StorageError) as failed:
                    await call
                assert "canary" not in str(failed.value)
            assert len(server.requests) == 2 * trusted
            await blob.close()
        assert all(request.headers["proxy-authorization"].startswith("Basic ") for request in server.requests)

    async def test_that_refuses(self, by_proxy: str, server: Any, connect: Any, hasty: Profile) -> None:
        server.on("api.example.com:443", server.reply(502, b"<html>"))
        with pytest.raises(NetworkError) as failed:
            await connect("https://api.example.com", using=hasty).get("x", subject=PLACE)
        assert failed.value.message == f"{by_proxy} does not connect to api.example.com"
        assert "NO_PROXY" in failed.value.hint

    async def test_that_is_down(self, connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://someone:canary-password@127.0.0.1:9")
        with pytest.raises(NetworkError) as failed:
            await connect("https://api.example.com", using=hasty).get("x", subject=PLACE)
        assert failed.value.message == "the proxy 127.0.0.1:9 cannot be reached"
        assert "canary" not in str(failed.value)

    async def test_that_is_nonsense(self, connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:9")
        with pytest.raises(StorageError) as failed:
            await connect("https://api.example.com", using=hasty).get("x", subject=PLACE)
        assert failed.value.code == 2

    async def test_that_has_no_business_on_this_machine(
        self, server: Any, start: Any, connect: Any, hasty: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = await start()
        monkeypatch.setenv("HTTP_PROXY", other.url)
        server.on("/x", server.reply())
        await connect(server.url, using=hasty).get("x", subject=PLACE)
        assert other.connections == 0


async def test_reading_and_changing_share_a_connection(server: Any, connect: Any, hasty: Profile) -> None:
    server.on("/x", server.reply())
    client = connect(server.url, using=hasty)
    for _ in range(3):
        await client.get("x", subject=PLACE)
        await client.send("POST", "x", body=[1], subject=PLACE)
        await client.send("DELETE", "x", subject=PLACE)
    assert (len(server.requests), server.connections) == (9, 1)
    assert [request.headers.get("content-length") for request in server.requests[:3]] == [None, "3", None]


async def test_all_profiles_share_one_thread_that_ends_with_the_last(
    server: Any, hasty: Profile, tokens: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def threads() -> int:
        return sum(thread.name == "of all" for thread in threading.enumerate())

    monkeypatch.setattr(channel, "WIRE", Wire("of all"))
    server.on("/x", server.reply())
    clients = [ApiClient(hasty, server.url, Login(tokens.fetch)) for _ in range(10)]
    for client in clients:
        await client.get("x", subject=PLACE)
    for client in clients:
        assert threads() == 1
        await client.close()
    await until(lambda: threads() == 0)
    await clients[0].get("x", subject=PLACE)
    await clients[0].close()


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "http://evil.example/x", "\\\\evil.example", "@evil.example/", "x"]
)
async def test_no_path_leaves_the_host(server: Any, connect: Any, hasty: Profile, path: str) -> None:
    with pytest.raises(StorageError):
        await connect(server.url, using=hasty).get(path, subject=PLACE)
    assert all(request.headers["host"] == f"127.0.0.1:{server.port}" for request in server.requests)
    assert all(request.target.startswith("/") for request in server.requests)


async def test_no_secret_is_in_a_log_or_an_error(
    server: Any, connect: Any, caplog: pytest.LogCaptureFixture, hasty: Profile, canaries: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(server.url, using=hasty)
    answers = [
        server.reply(), server.reply(302, b"", location="https://evil.example/?s=canary-query"), server.reply(401),
        server.reply(429, retry_after="1"), server.reply(500), server.cut(), server.reply(200, b"<html>"),
        server.reply(x_long="y" * 1_000_000), server.cut(b"HTTP/1.1 nonsense\r\n\r\n"),
    ]  # fmt: skip
    # Named here because a traceback shows the line of the call.
    query, said = [("key", "canary-query")], []
    for answer in answers:
        server.on("/x", answer)
        try:
            (await client.get("x", query, subject=PLACE)).decode(dict, subject=PLACE)
        except StorageError as error:
            said += [str(error), repr(error), "".join(traceback.format_exception(error)), repr(error.__cause__)]
    assert len(said) == 8 * 4
    assert set(said[3::4]) == {"None"}
    for canary in canaries:
        assert canary not in caplog.text
        assert canary not in "\n".join(said)
    assert f"GET 127.0.0.1:{server.port}/x -> 200, 2 bytes" in caplog.text


def test_a_call_does_not_show_its_secrets() -> None:
    call = ApiCall("GET", "/x?key=canary", {"Authorization": Secret("Bearer canary")}, b"canary")
    assert "canary" not in repr(call)
    assert call.path == "/x"

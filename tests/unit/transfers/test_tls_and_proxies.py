"""The blob client through proxies, and to hosts whose certificate nobody vouches for."""

import asyncio
import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import (
    AccessError,
    ConfigError,
    NetworkError,
    UnsafeError,
)
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net import transport
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.transport import trust_store
from tests.support.downloads import Pile, source
from tests.support.waiting import PATIENCE


async def test_a_proxy_from_the_environment_is_used_and_named(
    blob: BlobClient, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url.replace("http://", "http://user:canary@"))
    server.answer(answer(raw=b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(AccessError, match="proxy") as caught:
        await blob.get(source("https://bucket.s3.amazonaws.com/x", local=False), Pile())
    assert "canary" not in str(caught.value)
    assert server.log[0].method == "CONNECT"
    server.answer(answer(raw=b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(NetworkError, match="proxy"):
        await blob.get(source("https://bucket.s3.amazonaws.com/x", local=False), Pile())


@pytest.mark.parametrize(
    ("login", "sent"), [("us%20er:p%C3%A4ss", "us er:päss"), ("user:pässwörd@x", "user:pässwörd@x")]
)
async def test_the_login_of_a_proxy_reaches_it_from_both_clients(
    blob: BlobClient, server: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, login: str, sent: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url.replace("http://", f"http://{login}@"))
    server.answer(*[answer(raw=b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")] * 2)
    client = ApiClient(Profile("acme", "alvaria", timeouts=Timeouts(give_up=0)), "https://api.example.com")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(AccessError, match="requires a login"):
            await blob.get(source("https://bucket.s3.amazonaws.com/x", local=False), Pile())
        with pytest.raises(AccessError, match="requires a login"):
            await client.post_form("x", (), (), {}, "acme")
    await client.close()
    assert [seen.headers["proxy-authorization"] for seen in server.log] == [
        f"Basic {base64.b64encode(sent.encode()).decode()}"
    ] * 2


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
async def test_a_proxy_that_cannot_be_used_is_named_by_both_clients(
    blob: BlobClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "socks5://127.0.0.1:9050")
    client = ApiClient(Profile("acme", "alvaria"), "https://api.example.com")
    with pytest.raises(ConfigError, match=name):
        await blob.get(source("https://bucket.s3.amazonaws.com/x", local=False), Pile())
    with pytest.raises(ConfigError, match=name):
        await client.post_form("x", (), (), {}, "acme")
    await client.close()


async def test_both_clients_trust_the_same_certificates(
    tls_host: "TlsHost", trusting: BlobClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = ApiClient(Profile("acme", "alvaria", timeouts=Timeouts(give_up=0)), tls_host.url.removesuffix("/x"))
    await client.post_form("x", (), (), {}, "acme")
    await trusting.get(source(tls_host.url), Pile())
    assert tls_host.requests == 2
    await client.close()
    # The same in a folder.
    folder = tmp_path / "certificates"
    folder.mkdir()
    shutil.copy(tls_host.certificate, folder / "corporate.crt")
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    client = ApiClient(Profile("acme", "alvaria", timeouts=Timeouts(give_up=0)), tls_host.url.removesuffix("/x"))
    other = BlobClient(Timeouts(connect=5, read=5))
    await client.post_form("x", (), (), {}, "acme")
    await other.get(source(tls_host.url), Pile())
    assert tls_host.requests == 4
    await client.close()
    await other.close()


def hashed(certificate: Path, folder: Path) -> Path:
    """A folder in which OpenSSL finds a certificate by its name alone."""
    asked = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    name = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    folder.mkdir()
    shutil.copy(certificate, folder / f"{name}.0")
    return folder


async def test_a_system_that_has_a_folder_of_certificates_alone_is_trusted_by_both(
    tls_host: "TlsHost", blob: BlobClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = hashed(tls_host.certificate, tmp_path / "hashed")
    monkeypatch.setattr(transport, "system_store", lambda: ("", str(folder)))
    transport.load_trust_store.cache_clear()
    client = ApiClient(Profile("acme", "alvaria", timeouts=Timeouts(give_up=0)), tls_host.url.removesuffix("/x"))
    try:
        await client.post_form("x", (), (), {}, "acme")
        await blob.get(source(tls_host.url), Pile())
        assert tls_host.requests == 2
    finally:
        transport.load_trust_store.cache_clear()
        await client.close()


async def test_a_proxy_is_no_way_to_a_private_address(
    blob: BlobClient, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url)
    with pytest.raises(UnsafeError):
        await blob.get(source("https://169.254.169.254/latest", local=False), Pile())
    assert server.connections == 0


class TlsHost:
    """A host with a certificate that only its own file vouches for; also tunnels to itself, as a proxy does."""

    def __init__(self, folder: Path) -> None:
        key, self.certificate = folder / "key.pem", folder / "certificate.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run([*command, *more], check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(5)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}/x"
        self.requests = 0
        self.tunnels = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection:
            try:
                if connection.recv(7, socket.MSG_PEEK) == b"CONNECT":
                    connection.recv(4096)
                    self.tunnels += 1
                    connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "of the proxy"\r\nVia: x\r\n\r\n')
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    while secure.recv(4096):
                        self.requests += 1
                        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            except OSError:
                pass


@pytest.fixture
def tls_host(tmp_path: Path) -> Iterator[TlsHost]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    host = TlsHost(tmp_path)
    yield host
    host.close()


@pytest.fixture
async def trusting(tls_host: TlsHost, timeouts: Timeouts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BlobClient]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_host.certificate))
    client = BlobClient(timeouts)
    yield client
    await client.close()


async def test_an_unknown_authority_is_refused(tls_host: TlsHost, blob: BlobClient) -> None:
    with pytest.raises(UnsafeError, match="self-signed") as caught:
        await blob.get(source(tls_host.url), Pile())
    assert "SSL_CERT_FILE" in str(caught.value)
    assert tls_host.requests == 0


async def test_a_certificate_file_of_the_users_is_trusted(tls_host: TlsHost, trusting: BlobClient) -> None:
    pile = Pile()
    await trusting.get(source(tls_host.url), pile)
    assert pile.bytes == b"hi"


async def test_a_connection_kept_for_a_local_profile_is_no_way_around(tls_host: TlsHost, trusting: BlobClient) -> None:
    await trusting.get(source(tls_host.url), Pile())
    with pytest.raises(UnsafeError, match="private address"):
        await trusting.get(source(tls_host.url, local=False), Pile())
    assert tls_host.requests == 1


async def test_a_link_into_a_network_that_the_user_allowed_is_followed(tls_host: TlsHost, trusting: BlobClient) -> None:
    url = Secret(tls_host.url)
    with pytest.raises(UnsafeError) as refused:
        await trusting.get(Source(url, networks=("10.0.0.0/8",)), Pile())
    assert "allow_networks" in refused.value.hint
    assert tls_host.requests == 0
    pile = Pile()
    await trusting.get(Source(url, networks=("127.0.0.0/8", "::1/128")), pile)
    assert pile.bytes == b"hi"


async def test_bytes_come_through_a_proxy_and_its_headers_are_not_the_hosts(
    tls_host: TlsHost, trusting: BlobClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{tls_host.port}")
    pile = Pile()
    reply = await trusting.get(source(tls_host.url, local=False), pile)
    assert (pile.bytes, tls_host.tunnels, dict(reply.headers)) == (b"hi", 1, {"content-length": "2"})


async def test_no_proxy_is_obeyed(tls_host: TlsHost, trusting: BlobClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{tls_host.port}")
    monkeypatch.setenv("no_proxy", "localhost")
    with pytest.raises(UnsafeError):
        await trusting.get(source(tls_host.url, local=False), Pile())
    assert tls_host.tunnels == 0


def test_the_systems_certificates_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    trusted = trust_store()
    assert trusted.file or trusted.folder

"""What the environment says of proxies and certificates, for both clients alike."""

import base64
import os
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.net.transport import TrustStore, proxy_for, trust_store

VARIABLES = [
    "https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
]  # fmt: skip
API = "https://api.8x8.com/storage"
GOOD = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": GOOD}, GOOD),
        ({"https_proxy": GOOD}, GOOD),
        ({"HTTPS_PROXY": GOOD + "/"}, GOOD),
        ({"HTTPS_PROXY": f"  {GOOD} "}, GOOD),
        ({"HTTPS_PROXY": "proxy.example:3128"}, GOOD),
        ({"HTTPS_PROXY": "HTTP://proxy.example:3128"}, GOOD),
        ({"HTTPS_PROXY": "http://proxy.example"}, "http://proxy.example:80"),
        ({"HTTPS_PROXY": "https://proxy.example"}, "https://proxy.example:443"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "http://[::1]:3128"),
        ({"HTTPS_PROXY": "http://pröxy.example:3128"}, "http://xn--prxy-6qa.example:3128"),
        ({"HTTP_PROXY": GOOD}, ""),
        ({"ALL_PROXY": GOOD}, GOOD),
        ({"all_proxy": GOOD, "ALL_PROXY": "http://other:1"}, GOOD),
        ({"https_proxy": GOOD, "HTTPS_PROXY": "http://other:1"}, GOOD),
        ({"https_proxy": "", "HTTPS_PROXY": GOOD}, ""),
        # What is not used need not be good.
        ({"HTTPS_PROXY": GOOD, "ALL_PROXY": "socks5://127.0.0.1:9050"}, GOOD),
        ({"HTTPS_PROXY": GOOD, "HTTP_PROXY": "gopher://x"}, GOOD),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:9050", "NO_PROXY": "8x8.com"}, ""),
        ({"NO_PROXY": "fe80::/10"}, ""),
        ({"NO_PROXY": "[oops, ::/999, %%, http://x/, *:*", "HTTPS_PROXY": GOOD}, GOOD),
    ],
)
def test_the_proxy_that_an_environment_asks_for(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(API)
    assert (found.url if found else "") == proxy


@pytest.mark.parametrize(
    ("no_proxy", "url", "exempt"),
    [
        ("*", API, True),
        ("8x8.com", API, True),
        (".8x8.com", API, True),
        ("*.8x8.com", API, True),
        ("api.8x8.com", API, True),
        ("API.8x8.COM.", API, True),
        ("x8.com", API, False),
        ("com.8x8", API, False),
        ("a.example, 8x8.com", API, True),
        ("a.example 8x8.com", API, True),
        ("api.8x8.com:443", API, True),
        ("api.8x8.com:8443", API, False),
        ("api.8x8.com:8443", "https://api.8x8.com:8443/x", True),
        ("8x8.com:443", API, True),
        (".8x8.com:443", API, True),
        ("10.0.0.0/8", API, False),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("10.1.2.3:443", "https://10.1.2.3/", True),
        ("10.1.2.3:80", "https://10.1.2.3/", False),
        ("10.1.2.3/8", "https://10.9.9.9/", True),
        ("fe80::/10", "https://[fe80::1]/", True),
        ("fe80::/10", "https://[fe80::1%25eth0]/", True),
        ("fe80::/10", "https://[2a00::1]/", False),
        ("fd00::1", "https://[fd00::1]/", True),
        ("[fd00::1]", "https://[fd00::1]/", True),
        ("[fd00::1]:443", "https://[fd00::1]/", True),
        ("[fd00::1]:8443", "https://[fd00::1]/", False),
        ("[fd00::1]", API, False),
        ("<local>", API, False),
        (",,  ,", API, False),
        (":443", API, False),
        (".", API, False),
    ],
)
def test_hosts_that_need_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, exempt: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", GOOD)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is exempt
    # The lower case wins, and empty means nobody.
    monkeypatch.setenv("no_proxy", "")
    assert proxy_for(url) is not None


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ("user:secret", b"user:secret"),
        ("user:p%40ss%2Fw%3Ard", b"user:p@ss/w:rd"),
        ("user:p@ss", b"user:p@ss"),
        ("user:pässwörd", "user:pässwörd".encode()),
        ("user:p%E4ss", b"user:p\xe4ss"),
        ("user", b"user:"),
        ("user:", b"user:"),
        ("us er:pass word", b"us er:pass word"),
    ],
)
def test_the_login_of_a_proxy_is_sent_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, login: str, sent: bytes
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{login}@proxy.example:3128")
    proxy = proxy_for(API)
    assert proxy is not None
    assert proxy.url == GOOD
    assert base64.b64decode(proxy.authorization.reveal().removeprefix("Basic ")) == sent
    assert "ss" not in repr(proxy)


@pytest.mark.parametrize(
    "value",
    [
        "socks5://127.0.0.1:9050", "socks5h://x:1", "socks4://x:1", "gopher://x:1", "http://proxy.example:99999",
        "http://proxy.example:abc", "http://proxy.example:0", "http://:3128", "http://", "://", "http://[::1:3128",
        "http://user:canary#pass@proxy.example:3128", "http://user:12/canary@proxy.example:3128", "http://a b:1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as refused:
        proxy_for(API)
    assert (refused.value.code, refused.value.subject) == (2, variable)
    assert "canary" not in str(refused.value)
    monkeypatch.setenv("NO_PROXY", "8x8.com")
    assert proxy_for(API) is None


def names(trusted: TrustStore) -> set[str]:
    """Those of all authorities that libcurl is told of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(trusted.file or None, trusted.folder or None, trusted.pem.decode() or None)
    return {str(found["subject"]) for found in context.get_ca_certs()}


def test_certificates_of_the_user_are_trusted_beside_those_of_the_system(
    monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    system = trust_store()
    assert not system.pem
    assert system.file or system.folder
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    both = trust_store()
    assert any("localhost" in name for name in names(both))
    assert names(system) < names(both)
    # In one piece, libcurl takes nothing else.
    assert names(both) == names(replace(both, file="", folder=""))


def test_a_folder_of_certificates_needs_no_links_and_may_hold_other_files(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tmp_path: Path
) -> None:
    shutil.copy(certificate, tmp_path / "corporate root.pem")
    (tmp_path / "README").write_text("no certificate")
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{tmp_path}")
    assert any("localhost" in name for name in names(trust_store()))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("kind", ["missing", "empty", "damaged", "pipe"])
async def test_certificates_that_cannot_be_used_are_named_by_both_clients_and_only_where_they_are_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, kind: str, server: Any, connect: Any
) -> None:
    place = tmp_path / "certificates"
    if variable == "SSL_CERT_DIR" and kind != "missing":
        place.mkdir()
    file = place / "x.pem" if place.is_dir() else place
    if kind == "damaged":
        file.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    elif kind == "empty":
        file.touch()
    elif kind == "pipe":
        os.mkfifo(file)
    monkeypatch.setenv(variable, str(place))
    with pytest.raises(ConfigError) as refused:
        await connect("https://api.example.com").get("x", subject="acme:")
    assert (refused.value.code, refused.value.subject) == (2, str(place))
    assert variable in refused.value.hint
    with pytest.raises(ConfigError, match=variable):
        trust_store()
    server.on("/x", server.reply())
    await connect(server.url).get("x", subject="acme:")

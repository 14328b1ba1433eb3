"""Addresses in the configuration."""

import pytest

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.net.api import api_address, encoded, host_name, segment


@pytest.mark.parametrize(
    "url",
    [
        "https://api.8x8.com",
        "https://api.8x8.com:8443/",
        "http://127.0.0.1:8899",
        "http://localhost:1/",
        "http://[::1]:5",
    ],
)
def test_a_safe_address_is_taken_without_its_last_slash(url: str) -> None:
    assert api_address(url, option="api_base", profile="acme") == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.8x8.com", "unprotected"), ("http://127.0.0.1.evil.example", "unprotected"),
        ("http://127.1", "unprotected"), ("api.8x8.com", "not an address"), ("", "not an address"),
        ("ftp://x", "not an address"), ("https://", "not an address"), ("https://[bad", "not an address"),
        ("https://h:port", "not an address"), ("https://h\\@evil", "not an address"), ("https://h x", "not an address"),
        ("https://käse.example", "not an address"), ("https://me:canary@api.8x8.com", "password"),
        ("https://me@h", "password"), ("https://h/v3", "path"), ("https://h?a=canary", "query"),
        ("https://h#f", "query"),
    ],
)  # fmt: skip
def test_any_other_is_an_error_that_names_the_option_and_not_the_value(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        api_address(url, option="api_base", profile="acme")
    assert "api_base" in str(refused.value)
    assert "profile acme" in str(refused.value)
    assert "canary" not in str(refused.value)
    assert refused.value.hint


def test_a_token_address_may_have_a_path() -> None:
    url = "https://h/tokenservice/oauth2/access_token"
    assert api_address(url, option="token_url", profile="acme", path=True) == url


@pytest.mark.parametrize("text", ["https://h", "h/x", "", "-h", "h..x", "a b", "h?x", "u@h", "x" * 300])
def test_a_host_name_is_a_name_alone(text: str) -> None:
    with pytest.raises(ConfigError):
        host_name(text, option="domain", profile="acme")
    assert host_name("Via.Aspect-Cloud.net", option="domain", profile="acme") == "via.aspect-cloud.net"


def test_a_segment_stays_one_segment() -> None:
    assert segment("a/b?c#d e%") == "a%2Fb%3Fc%23d%20e%25"
    assert segment("..") == "%2E%2E"
    assert segment("a..b") == "a..b"
    assert segment("half \ud800") == "half%20%ED%A0%80"


def test_a_query_is_encoded_so_that_nothing_in_it_means_anything() -> None:
    assert encoded([("a b", "x&y=z+%2B/~")]) == "a%20b=x%26y%3Dz%2B%252B%2F~"

"""What refusals mean, and the service's own words in them."""

import json

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConflictError,
    ForbiddenError,
    LoginError,
    MissingError,
    ReplyError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
    UnsupportedError,
    UsageError,
)
from cloudstore_tui.net.failures import FailureContext, HostError, api_error, curl_error
from cloudstore_tui.net.reply import Reply, message_of


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (302, UnsafeError, 7), (400, UsageError, 2), (401, LoginError, 3), (403, ForbiddenError, 3),
        (404, MissingError, 8), (405, UnsupportedError, 2), (407, LoginError, 3), (408, ThrottledError, 4),
        (409, ConflictError, 9), (410, MissingError, 8), (418, UsageError, 2), (425, ThrottledError, 4),
        (429, ThrottledError, 4), (500, UnavailableError, 4), (501, UnsupportedError, 2), (503, UnavailableError, 4),
        (599, UnavailableError, 4), (199, ReplyError, 4),
    ],
)  # fmt: skip
def test_each_status_has_its_error(status: int, kind: type[StorageError], code: int) -> None:
    error = api_error(Reply(status, b""), "acme:x")
    assert type(error) is kind
    assert error.code == code
    assert str(error).startswith("acme:x: ")
    assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error": {"code": "400", "message": "Bad request", "errors": [
                {"scope": "global", "reason": "Invalid request", "message": "The bucketName is invalid"},
                {"message": "And the key"}]}},
            "The bucketName is invalid; And the key",
        ),
        ({"error": {"code": 404, "message": "Not found"}}, "Not found"),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"fault": {"faultstring": "Token expired", "detail": {"errorcode": "k.expired"}}}, "Token expired"),
        ({"ErrorCode": "invalid_client", "Error": "ClientId is Invalid"}, "ClientId is Invalid"),
        ({"error": "invalid_scope", "error_description": "unknown scope"}, "unknown scope"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"status": 400, "title": "Bad", "detail": "limit too big", "errors": [{"message": "x"}]}, "limit too big"),
        ({"status": 400, "title": "Bad", "errors": [{"field": "limit", "code": 1, "message": "too big"}]}, "too big"),
        ({"title": "Only a title"}, "Only a title"),
        ([{"message": "in a list"}], "in a list"),
        ({"error": {"errors": [None, 5, {}]}}, ""),
        ({"message": ["not", "a", "text"]}, ""),
        ({}, ""),
        (None, "null"),
    ],
)  # fmt: skip
def test_the_words_are_found_in_every_known_shape(body: object, words: str) -> None:
    assert message_of(json.dumps(body).encode()) == words


def test_words_are_one_line_of_at_most_200_characters_that_no_terminal_obeys() -> None:
    assert message_of(b"plain\n  text\tof  a gateway") == "plain text of a gateway"
    assert len(message_of(b'{"message": "' + b"x" * 5000 + b'"}')) == 200
    assert "\x1b" not in message_of(b'{"message": "\\u001b]52;c;evil\\u0007"}')
    assert message_of(b'{"message": "broken') == '{"message": "broken'


def test_throttling_is_known_by_its_code_also_behind_a_500() -> None:
    body = b'{"fault":{"faultstring":"Too many","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}'
    assert isinstance(api_error(Reply(500, body), ""), ThrottledError)
    assert isinstance(api_error(Reply(500, b"{}"), ""), UnavailableError)


def test_a_web_page_is_not_the_api_whatever_its_status() -> None:
    page = b"<html><head><title>404 Not Found</title></head></html>"
    error = api_error(Reply(404, page), "acme:x")
    assert isinstance(error, ReplyError)
    assert "HTML page with status 404 titled '404 Not Found'" in error.message
    assert isinstance(api_error(Reply(502, page), ""), UnavailableError)


def test_the_asked_wait_is_in_the_error() -> None:
    error = api_error(Reply(429, b"", wait=7.0), "")
    assert isinstance(error, ThrottledError)
    assert error.wait == 7.0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": "invalid_scope", "error_description": "none of the scopes"}', "invalid_scope"),
        (b'{"error": "Realm does not exist"}', ""),
        (b'{"ErrorCode": "invalid_client", "Error": "ClientId is invalid"}', "invalid_client"),
        (b'{"fault": {"faultstring": "slow", "detail": {"errorcode": "policies.ratelimit.Quota"}}}',
         "policies.ratelimit.Quota"),
        (b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>", "NoSuchKey"),
        (b"[1]", ""), (b"", ""), (b"{", ""), (b'{"code": 7}', ""),
    ],
)  # fmt: skip
def test_the_services_own_name_for_a_refusal_is_kept_beside_its_words(body: bytes, code: str) -> None:
    error = api_error(Reply(400, body), "acme:a")
    assert (error.status, error.service_code) == (400, code)
    assert error.service_message == message_of(body)


HOST, PROXIED = FailureContext("h.example:1"), FailureContext("h.example", "p.example:3128")
CONNECTED = FailureContext("h.example", connected=True)
TUNNELLED = replace(PROXIED, connect_status=200)


@pytest.mark.parametrize(
    ("code", "known", "kind", "words"),
    [
        (6, HOST, HostError, "the name of h.example:1 cannot be resolved"),
        (5, PROXIED, HostError, "the name of the proxy p.example:3128 cannot be resolved"),
        (7, HOST, HostError, "h.example:1 cannot be reached"),
        (7, PROXIED, HostError, "the proxy p.example:3128 cannot be reached"),
        (28, HOST, HostError, "h.example:1 does not answer"),
        (28, PROXIED, HostError, "the proxy p.example:3128 does not answer"),
        (28, CONNECTED, HostError, "h.example stopped answering"),
        (28, replace(CONNECTED, answered=True), HostError, "the answer of h.example comes too slowly"),
        (56, CONNECTED, HostError, "the connection to h.example was lost"),
        (56, replace(PROXIED, connect_status=407), LoginError, "the proxy p.example:3128 requires a login"),
        (56, replace(PROXIED, connect_status=502), HostError,
         "the proxy p.example:3128 does not connect to h.example"),
        (8, CONNECTED, ReplyError, "h.example sent an answer that is not HTTP"),
        (60, replace(HOST, text="SSL certificate problem: self-signed certificate"), UnsafeError,
         "the connection to h.example:1 is not safe: self-signed certificate"),
        (60, replace(HOST, text="SSL certificate OpenSSL verify result: certificate has expired (10)"), UnsafeError,
         "the connection to h.example:1 is not safe: certificate has expired"),
        (60, replace(HOST, text="SSL: no alternative certificate subject name matches target host name 'x'"),
         UnsafeError, "the connection to h.example:1 is not safe: its certificate is not valid for this name"),
        (60, HOST, UnsafeError, "the connection to h.example:1 is not safe: its certificate cannot be trusted"),
        (35, replace(HOST, text="SSL routines::unsupported protocol"), UnsafeError,
         "h.example:1 only speaks TLS older than 1.2"),
        (35, HOST, HostError, "the TLS handshake with h.example:1 failed"),
        (35, replace(HOST, text="SSL routines::wrong version number"), HostError, "h.example:1 does not speak TLS"),
        (35, replace(PROXIED, text="SSL routines::wrong version number"), HostError,
         "the proxy p.example:3128 does not speak TLS"),
        (35, replace(TUNNELLED, text="SSL routines::wrong version number"), HostError,
         "h.example does not speak TLS through the proxy p.example:3128"),
        (7, replace(PROXIED, connect_status=302), HostError,
         "the proxy p.example:3128 does not connect to h.example"),
        (56, PROXIED, HostError, "the connection to the proxy p.example:3128 was lost"),
        (56, TUNNELLED, HostError, "the connection to h.example was lost"),
        (56, replace(PROXIED, connected=True), HostError, "the connection to h.example was lost"),
        (8, PROXIED, ReplyError, "the proxy p.example:3128 sent an answer that is not HTTP"),
        (60, PROXIED, UnsafeError,
         "the connection to the proxy p.example:3128 is not safe: its certificate cannot be trusted"),
        (60, TUNNELLED, UnsafeError, "the connection to h.example is not safe: its certificate cannot be trusted"),
        (100, CONNECTED, ReplyError, "the headers of the reply are too large"),
        (99, CONNECTED, HostError, "the connection to h.example failed (libcurl 99)"),
    ],
)  # fmt: skip
def test_each_failure_below_http_has_its_words(code: int, known: FailureContext, kind: type, words: str) -> None:
    error = curl_error(code, known)
    assert (type(error), error.message) == (kind, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SSL certificate problem: self-signed certificate", "SSL_CERT_FILE"),
        ("SSL certificate problem: unable to get local issuer certificate", "SSL_CERT_FILE"),
        ("SSL certificate problem: certificate has expired", "clock"),
        ("SSL certificate problem: certificate is not yet valid", "clock"),
        ("SSL: no alternative certificate subject name matches target host name 'x'", "address"),
    ],
)
def test_what_to_do_fits_the_fault_of_a_certificate(text: str, words: str) -> None:
    hint = curl_error(60, replace(HOST, text=text)).hint
    assert words in hint
    assert ("SSL_CERT_FILE" in hint) == (words == "SSL_CERT_FILE")

"""Nothing secret in any log."""

import logging
from collections.abc import Iterator

import pytest

from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.logs import Redacting, silence
from cloudstore_tui.net.redaction import HIDDEN, guard, redact


@pytest.mark.parametrize(
    "text",
    [
        "GET https://b.s3.amazonaws.com/k.tar?X-Amz-Signature=canary&X-Amz-Date=1 HTTP/1.1",
        "'Location': 'https://x.example/a?sig=canary'",
        "target=b'/via/v3/objectKeys?key=canary'",
        "Authorization: Bearer canary-token",
        "headers=[(b'Authorization', b'Bearer canary-token'), (b'Accept', b'*/*')]",
        "{'authorization': 'Basic Y2FuYXJ5canary='}",
        "x-api-key: canary",
        "{'x-api-key': 'canary', 'accept': 'json'}",
        "Set-Cookie: session=canary; Path=/",
        '{"access_token": "canary", "expires_in": 5}',
        "client_secret=canary&grant_type=x",
        "https://user:canary@proxy.example:8080/",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-sig end",
        "X-Amz-Security-Token=canary/+=",
        "X-Goog-Signature: canary",
        "multi\nline https://h/p?a=canary\nmore",
    ],
)
def test_no_credential_survives(text: str) -> None:
    assert "canary" not in redact(text)


def test_a_secret_that_is_a_part_of_a_name_hides_no_value_of_that_name() -> None:
    guard(Secret("Goog-Zebra"))
    assert redact("X-Goog-Zebra=canary&x=1") == f"X-{HIDDEN}={HIDDEN}&x=1"


def test_a_secret_that_repeats_itself_is_masked_to_its_end() -> None:
    guard(Secret("abababab"))
    assert redact("it is ababababab.") == f"it is {HIDDEN}."


def test_what_is_no_secret_stays() -> None:
    assert redact("GET api.8x8.com/storage/us-east/v3/objects: 200, 17 bytes") == (
        "GET api.8x8.com/storage/us-east/v3/objects: 200, 17 bytes"
    )
    assert redact("https://h/p?a=1 is gone") == "https://h/p?… is gone"


def test_a_control_character_is_not_written() -> None:
    assert "\x1b" not in redact("name \x1b]0;evil\x07")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Keep()
    handler.addFilter(Redacting())
    logger = logging.getLogger("test.redact")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(handler)


def test_a_record_is_cleaned_with_its_arguments_and_its_exception(lines: list[str]) -> None:
    try:
        raise ValueError("https://h/p?sig=canary")
    except ValueError:
        logging.getLogger("test.redact").exception("failed for %s", "https://h/p?sig=canary")
    assert lines == ["failed for https://h/p?… (ValueError)"]


def test_a_silenced_library_reaches_no_handler(caplog: pytest.LogCaptureFixture) -> None:
    silence("test.noisy")
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test.noisy.child").error("canary")
    assert caplog.text == ""

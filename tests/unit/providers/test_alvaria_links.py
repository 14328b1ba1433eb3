"""Signed links: vetting, their end, and the headers of an upload."""

from datetime import UTC, datetime

import pytest

from cloudstore_tui.core.errors import ReplyError, UnsafeError
from cloudstore_tui.core.links import LinkForm
from cloudstore_tui.core.models import Location
from cloudstore_tui.providers.alvaria.links import LinkRules, link_end, upload_headers
from cloudstore_tui.providers.alvaria.wire import ObjectKey

PROXIED = "https://acme.via.aspect-cloud.net/s3/b.s3.amazonaws.com/exports/x.tar?X-Amz-Expires=518399"
NATIVE = "https://b.s3.amazonaws.com/exports/x.tar?X-Amz-Expires=518399"
LOCATION = Location("acme", path="exports/reporting/x.tar")
KMS = "5b1e7d2c-33c4-4d0e-9f0a-2f6a54a2b9c1"
SIGNED = "x-amz-server-side-encryption%3Bx-amz-server-side-encryption-aws-kms-key-id"


def given(proxied: object, native: object) -> ObjectKey:
    return ObjectKey(signed_download_url=proxied, native_signed_download_url=native)


@pytest.mark.parametrize(
    ("reply", "wanted", "url", "form", "has_note"),
    [
        (given(PROXIED, NATIVE), LinkForm.PROXIED, PROXIED, LinkForm.PROXIED, False),
        (given(PROXIED, NATIVE), LinkForm.NATIVE, NATIVE, LinkForm.NATIVE, False),
        (given(" ", NATIVE), LinkForm.PROXIED, NATIVE, LinkForm.NATIVE, True),
        (given(PROXIED, None), LinkForm.NATIVE, PROXIED, LinkForm.PROXIED, True),
        (given(PROXIED, PROXIED), LinkForm.NATIVE, PROXIED, LinkForm.PROXIED, True),
    ],
)
def test_the_form_that_is_wanted_or_else_the_other_with_a_note(
    reply: ObjectKey, wanted: LinkForm, url: str, form: LinkForm, has_note: bool
) -> None:
    link = LinkRules(local=False).choose(reply, "download", wanted, LOCATION)
    assert (link.url.reveal(), link.form, bool(link.note)) == (url, form, has_note)


def test_no_link_at_all_is_an_answer_that_cannot_be_used() -> None:
    with pytest.raises(ReplyError):
        LinkRules(local=False).choose(given("", None), "download", LinkForm.PROXIED, LOCATION)


@pytest.mark.parametrize(
    "url",
    [
        "http://b.s3.amazonaws.com/x.tar",
        "https://evil.example/x.tar",
        "https://b.s3.amazonaws.com/other.tar",
        "https://b.s3.amazonaws.com/outre ach/x.tar",
        "https://169.254.169.254/x.tar",
        "file:///etc/x.tar",
        "https://s3.amazonaws.com@evil.example/x.tar",
        "http://127.0.0.1/x.tar",
        5,
    ],
)
def test_a_link_that_must_not_be_followed_is_refused_with_the_address_and_without_the_link(url: object) -> None:
    with pytest.raises((UnsafeError, ReplyError)) as refused:
        LinkRules(local=False).choose(given(url, url), "download", LinkForm.PROXIED, LOCATION)
    assert refused.value.subject == "acme:exports/reporting/x.tar"
    assert "evil" not in str(refused.value)


def test_a_host_that_the_user_allows_and_this_machine_for_a_sandbox() -> None:
    link = given("https://store.corp.example/x.tar", None)
    assert LinkRules(False, ("corp.example",)).choose(link, "download", LinkForm.PROXIED, LOCATION)
    local = given("http://127.0.0.1:999/s3/x.tar", None)
    assert LinkRules(True).choose(local, "download", LinkForm.PROXIED, LOCATION)


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("X-Amz-Expires=518399", 3540),
        ("X-Goog-Expires=21599", 3540),
        ("X-Amz-Expires=600", 540),
        ("", 3540),
        ("X-Amz-Expires=abc", 3540),
        ("X-Amz-Expires=30", 1),
        ("X-Amz-Expires=-5", 3540),
        ("x-amz-expires=600", 540),
    ],
)
def test_a_link_ends_after_an_hour_or_earlier_and_a_minute_before_that(query: str, seconds: float) -> None:
    left = (link_end(f"https://h/x?{query}") - datetime.now(UTC)).total_seconds()
    assert left == pytest.approx(seconds, abs=1)


def test_exactly_the_signed_headers_are_sent() -> None:
    aws = upload_headers(
        f"https://h/x?X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key={KMS}&x-amz-storage-class=STANDARD_IA"
    )
    assert {name: value.reveal() for name, value in aws.items()} == {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": KMS,
    }
    assert upload_headers("https://h/x?X-Goog-SignedHeaders=host") == {}


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-SignedHeaders=host%3Bauthorization",
        "X-Amz-SignedHeaders=cookie",
        "X-Amz-SignedHeaders=host%3Bx-amz-acl",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key=",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key=a%0D%0AEvil:%20x",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key=a%20b",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key={'k' * 257}",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key=%C3%A4",
        f"X-Amz-SignedHeaders=host%3B{SIGNED}&kms-key=a&kms-key=b",
        "X-Amz-Expires=5",
        "X-Amz-SignedHeaders=host&X-Goog-SignedHeaders=host",
        "X-Amz-SignedHeaders=host%3B%1B%5D52",
    ],
)
def test_a_header_that_we_do_not_know_or_cannot_send_is_refused(query: str) -> None:
    with pytest.raises(UnsafeError) as refused:
        upload_headers(f"https://h/x?{query}")
    assert str(refused.value).isprintable()
    assert "Nothing was sent" in refused.value.hint

"""Signed links are data: only safe ones are followed."""

import pytest

from cloudstore_tui.core.errors import UnsafeError
from cloudstore_tui.core.links import MAX_LINK_LENGTH, vet_link

NAME = "outreach-20240901.tar"


@pytest.mark.parametrize(
    "url",
    [
        f"https://bucket.s3.amazonaws.com/exports/{NAME}?X-Amz-Expires=518399",
        f"https://acme.via.aspect-cloud.net/s3/bucket.s3.amazonaws.com/other/folders/{NAME}",
        f"https://acme.adc.alvaria.cloud/gcs/storage.googleapis.com/bucket/{NAME}",
        f"https://storage.googleapis.com/bucket/{NAME}",
        f"https://api.8x8.com/storage/us-east/x.s3.amazonaws.com/content/EPS/{NAME}",
        f"https://BUCKET.S3.AMAZONAWS.COM/{NAME}",
    ],
)
def test_links_of_both_services_are_followed(url: str) -> None:
    assert vet_link(url, name=NAME, local=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        f"ftp://bucket.s3.amazonaws.com/{NAME}",
        f"//bucket.s3.amazonaws.com/{NAME}",
        f"http://bucket.s3.amazonaws.com/{NAME}",
        f"javascript:alert(1)/{NAME}",
        f"http://169.254.169.254/latest/{NAME}",
        f"https://10.0.0.5/{NAME}",
        f"https://[::1]/{NAME}",
        f"https://[fe80::1%25eth0]/{NAME}",
        f"https://[::ffff:127.0.0.1]/{NAME}",
        f"http://2130706433/{NAME}",
        f"http://0x7f.1/{NAME}",
        f"https://bucket.s3.amazonaws.com.evil.example/{NAME}",
        f"https://evilamazonaws.com/{NAME}",
        f"https://evil.example/bucket.s3.amazonaws.com/{NAME}",
        f"https://s3.amazonaws.com@evil.example/{NAME}",
        f"https://user:pass@s3.amazonaws.com/{NAME}",
        f"https://bucket.s3.amazonaws.com%00.evil.example/{NAME}",
        f"https://bucket.s3.amazonaws.com/outre ach/{NAME}",
        f"https://bucket.s3.amazonaws.com/{NAME}\r\nX: y",
        f"https://bucket.s3.amazonaws.com\\@evil.example/{NAME}",
        f"https://bucket.s3.amazonaws.com/{NAME}#x",
        f"https://bucket.s3.amazonaws.com:99999/{NAME}",
        f"https://\u0430mazonaws.com/{NAME}",
        f"https://bucket.s3.amazonaws.com/{NAME}?" + "a" * MAX_LINK_LENGTH,
        "https://bucket.s3.amazonaws.com/exports/other.tar",
        "http://127.0.0.1:8899/x",
    ],
)
def test_every_other_link_is_refused(url: str) -> None:
    with pytest.raises(UnsafeError) as refused:
        vet_link(url, name=NAME, local=False)
    assert url == "" or url not in str(refused.value)


def test_loopback_links_are_for_loopback_profiles_only() -> None:
    url = f"http://127.0.0.1:40123/s3/bucket/{NAME}?X-Amz-Signature=1"
    assert vet_link(url, name=NAME, local=True) == url
    with pytest.raises(UnsafeError):
        vet_link(url, name=NAME, local=False)


@pytest.mark.parametrize("allowed", ["store.example", "Store.Example"])
def test_a_host_that_the_user_allows_is_followed_with_those_below_it_and_no_other(allowed: str) -> None:
    for host in ("store.example", "a.store.example", "STORE.example."):
        url = f"https://{host}/{NAME}"
        assert vet_link(url, name=NAME, local=False, trusted=(allowed,)) == url
    for host in ("xstore.example", "store.example.org", "127.0.0.1"):
        with pytest.raises(UnsafeError, match="not one of its own"):
            vet_link(f"https://{host}/{NAME}", name=NAME, local=False, trusted=(allowed, "127.0.0.1"))


def test_a_local_profile_still_refuses_private_hosts() -> None:
    for host in ("10.0.0.5", "169.254.169.254", "127.1", "0"):
        with pytest.raises(UnsafeError):
            vet_link(f"http://{host}/{NAME}", name=NAME, local=True)


@pytest.mark.parametrize("path", ["x/a%20b%2Bc%2525.csv", "x%2Fa%20b%2bc%2525.csv"])
def test_a_name_is_compared_after_decoding(path: str) -> None:
    url = f"https://bucket.s3.amazonaws.com/{path}"
    assert vet_link(url, name="a b+c%25.csv", local=False) == url

"""Levels of verification: only a contradiction is an error."""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudstore_tui.transfers.verify import MIB, Digests, ExpectedChecksum, VerifyResult, part_digest, verify

ETAG = '"e"'


def digests_of(data: bytes) -> Digests:
    return Digests(len(data), hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest())


def check(data: bytes, expected: ExpectedChecksum) -> VerifyResult:
    parts = lambda size: part_digest(data[start : start + size] for start in range(0, len(data), size))  # noqa: E731
    return verify(expected, digests_of(data), parts)


def multipart(data: bytes, size: int) -> str:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    joined = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    return f"{hashlib.md5(joined).hexdigest()}-{len(pieces)}"


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_the_right_checksum_gives_the_level_and_any_change_contradicts(data: bytes) -> None:
    expected = ExpectedChecksum(len(data), hashlib.md5(data).hexdigest().upper(), "MD5")
    assert check(data, expected) == VerifyResult("md5")
    for position in range(len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        assert check(changed, expected).contradiction
    assert check(data + b"x", expected).contradiction


@given(st.text(max_size=50), st.text(max_size=10))
def test_a_checksum_nobody_understands_is_never_an_error(checksum: str, kind: str) -> None:
    result = check(b"data", ExpectedChecksum(4, checksum if len(checksum) != 32 else "", kind))
    assert (result.level, result.contradiction) == ("size", "")


@pytest.mark.parametrize("size", [5 * MIB, 8 * MIB])
def test_a_multipart_checksum_is_recomputed(size: int) -> None:
    data = bytes(range(256)) * 45_000
    assert check(data, ExpectedChecksum(len(data), multipart(data, size), "MD5")).level == "md5-N"
    assert check(data, ExpectedChecksum(len(data), multipart(data, 7 * MIB), "MD5")) == VerifyResult("size")
    changed = b"x" + data[1:]
    assert check(changed, ExpectedChecksum(len(data), multipart(data, size), "MD5")) == VerifyResult("size")


def test_a_single_part_checksum_is_exact() -> None:
    assert check(b"data", ExpectedChecksum(4, multipart(b"data", MIB), "MD5")).level == "md5-1"
    other = check(b"dato", ExpectedChecksum(4, multipart(b"data", MIB), "MD5"))
    assert (other.level, other.is_same, "does not fit its bytes" in other.doubt) == ("size", None, True)


MD5 = hashlib.md5(b"data")
HEX, BASE64 = MD5.hexdigest(), base64.b64encode(MD5.digest()).decode()


@pytest.mark.parametrize("checksum", [HEX.upper(), f'"{HEX}"', f" {HEX}\n", BASE64, f'"{BASE64}"'])
def test_an_md5_is_read_however_it_is_written(checksum: str) -> None:
    assert check(b"data", ExpectedChecksum(4, checksum, "MD5")) == VerifyResult("md5")
    assert check(b"dato", ExpectedChecksum(4, checksum, "MD5")).contradiction


def test_sixteen_bytes_that_nobody_calls_an_md5_are_none() -> None:
    assert check(b"dato", ExpectedChecksum(4, BASE64)) == VerifyResult("size")


@pytest.mark.parametrize("kind", ["SHA-256", "sha1", "CRC32"])
def test_a_checksum_of_another_kind_is_not_taken_for_md5(kind: str) -> None:
    assert check(b"data", ExpectedChecksum(4, "0" * 32, kind)) == VerifyResult("size")


def test_the_digests_of_the_store_count() -> None:
    sha256 = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    md5 = base64.b64encode(hashlib.md5(b"data").digest()).decode()
    for headers in ({"x-amz-checksum-sha256": sha256}, {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"}):
        assert check(b"data", ExpectedChecksum(None, headers=headers)).level == "store"
        assert check(b"dato", ExpectedChecksum(None, headers=headers)).contradiction
    assert check(b"dato", ExpectedChecksum(None, headers={"x-amz-checksum-sha256": f"{sha256}-3"})) == VerifyResult(
        "unverified"
    )


def test_without_checksum_the_level_says_what_is_known() -> None:
    assert check(b"data", ExpectedChecksum(4, etag=ETAG)).level == "size+etag"
    assert check(b"data", ExpectedChecksum(4)).level == "size"
    assert check(b"data", ExpectedChecksum()).level == "unverified"
    assert check(b"data", ExpectedChecksum(5)).contradiction

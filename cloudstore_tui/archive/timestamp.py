"""A time stamp of a seal (RFC 3161): an authority's statement that the seal existed at that time.

It covers what the signature covers, and `openssl ts -verify` checks it without this program. The authority receives
only a digest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cloudstore_tui.core.errors import IntegrityError, UsageError
from cloudstore_tui.fs.disk import os_errors_as

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

_MAX_BYTES = 1 << 20


def stamp_request(covered: bytes) -> "TimeStampRequest":
    """The request for a time stamp.

    Raises:
        UsageError: the library is not installed.
    """
    with _library("--timestamp"):
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
    return TimestampRequestBuilder().data(covered).hash_algorithm(HashAlgorithm.SHA256).build()


def check_answer(answer: bytes, request: "TimeStampRequest", subject: str) -> datetime:
    """The time of the stamp in an authority's answer.

    Raises:
        IntegrityError: it refused, or stamped something else.
    """
    stamp = _stamp(answer, subject)
    if stamp.status != 0:
        why = "; ".join(stamp.status_string)[:200]
        raise IntegrityError(f"the authority gives no time stamp{f': {why}' if why else ''}", subject=subject)
    info = stamp.tst_info
    if info.message_imprint.message != request.message_imprint.message or info.nonce != request.nonce:
        raise IntegrityError("the authority has stamped something else", subject=subject)
    return info.gen_time


def check_stamp(path: Path, covered: bytes, authority: Path | None) -> datetime:
    """When a seal was stamped. Without certificates, the issuer of the stamp is not checked.

    Args:
        path: the stamp.
        covered: the bytes that it must cover.
        authority: certificates of the trusted authorities (PEM).

    Raises:
        IntegrityError: it is no stamp of this seal, or not of a trusted authority.
        UsageError: the library is not installed, or the file holds no certificate.
        StorageError: it cannot be read.
    """
    with os_errors_as(path):
        stamp = _stamp(path.read_bytes()[:_MAX_BYTES], str(path))
    if authority is not None:
        _verify(stamp, covered, authority, str(path))
    elif stamp.tst_info.message_imprint.message != sha256(covered).digest():
        raise IntegrityError("it is the time stamp of another seal", subject=str(path))
    return stamp.tst_info.gen_time


def _verify(stamp: "TimeStampResponse", covered: bytes, authority: Path, subject: str) -> None:
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder

    with os_errors_as(authority):
        text = authority.read_bytes()
    try:
        verifier = VerifierBuilder(roots=load_pem_x509_certificates(text)).build()
    except ValueError:
        hint = "Name the certificate that the authority publishes, as PEM."
        raise UsageError("there is no certificate in it", subject=str(authority), hint=hint) from None
    try:
        verifier.verify_message(stamp, covered)
    except (VerificationError, ValueError) as error:
        raise IntegrityError(f"the time stamp is not good: {str(error)[:200]}", subject=subject) from None


def _stamp(text: bytes, subject: str) -> "TimeStampResponse":
    with _library(subject):
        from rfc3161_client import decode_timestamp_response
    try:
        stamp = decode_timestamp_response(text)
        if stamp.status == 0:
            # It is parsed lazily: a broken one fails here.
            _ = stamp.tst_info.gen_time
    except ValueError:
        raise IntegrityError("it is not a readable time stamp", subject=subject) from None
    return stamp


@contextmanager
def _library(subject: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise UsageError(
            "time stamps take the library rfc3161-client, which is not installed",
            subject=subject,
            hint="Install it: uv tool install 'cloudstore-tui[timestamp]', or pip install rfc3161-client.",
        ) from None

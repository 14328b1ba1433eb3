"""A time stamp of a seal (RFC 3161): an authority's word that the seal was there at that time.

It covers what the signature covers, and is checked without this program by `openssl ts -verify`. The authority gets a
digest and nothing else.
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

_LARGEST = 1 << 20


def stamp_request(covered: bytes) -> "TimeStampRequest":
    """What an authority is asked.

    Raises:
        UsageError: the library is not installed.
    """
    with _library("--timestamp"):
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
    return TimestampRequestBuilder().data(covered).hash_algorithm(HashAlgorithm.SHA256).build()


def check_answer(answer: bytes, request: "TimeStampRequest", subject: str) -> datetime:
    """The time of the stamp that an authority answered with.

    Raises:
        IntegrityError: it refuses, or has stamped something else.
    """
    stamp = _stamp(answer, subject)
    if stamp.status != 0:
        why = "; ".join(stamp.status_string)[:200]
        raise IntegrityError(f"the authority gives no time stamp{f': {why}' if why else ''}", subject=subject)
    told = stamp.tst_info
    if told.message_imprint.message != request.message_imprint.message or told.nonce != request.nonce:
        raise IntegrityError("the authority has stamped something else", subject=subject)
    return told.gen_time


def check_stamp(path: Path, covered: bytes, authority: Path | None) -> datetime:
    """When a seal was stamped; without an authority's certificate the stamp's own word for it.

    Args:
        path: the stamp.
        covered: what it has to cover.
        authority: certificates of the authorities that are believed (PEM).

    Raises:
        IntegrityError: it is no stamp of this seal, or of nobody who is believed.
        UsageError: the library is not installed, or there is no certificate in the file.
        StorageError: it cannot be read.
    """
    with os_errors_as(path):
        stamp = _stamp(path.read_bytes()[:_LARGEST], str(path))
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
            # Read when it is asked for: what is none fails there.
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

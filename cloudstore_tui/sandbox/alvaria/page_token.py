"""Tokens that say where the next page of a listing starts."""

import base64
import binascii
import hashlib
import secrets
from random import Random
from urllib.parse import quote

_TAIL = "+/%="
"""Ends every token of v2, so that a client which does not encode tokens is found out."""


def token_of(key: str, version: str, *, quoted: bool = False) -> str:
    """The token for the page after `key`: readable in v3, and never twice the same in v2."""
    data = key.encode()
    if version == "v3":
        return base64.b64encode(data).decode()
    nonce = secrets.token_bytes(4)
    token = base64.b64encode(nonce + _sum(data) + _mask(nonce, data)).decode() + _TAIL
    return quote(token, safe="") if quoted else token


def key_of(token: str, version: str) -> str | None:
    """The key of a token; `None` if nobody gave it out."""
    try:
        if version == "v3":
            return base64.b64decode(token, validate=True).decode()
        if not token.endswith(_TAIL):
            return None
        data = base64.b64decode(token.removesuffix(_TAIL), validate=True)
        key = _mask(data[:4], data[8:])
        return key.decode() if _sum(key) == data[4:8] else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mask(nonce: bytes, data: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, Random(nonce).randbytes(len(data)), strict=True))


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=4).digest()

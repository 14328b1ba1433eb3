"""Signed links as the object stores give them, with a signature of our own."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a store does not serve a link: what goes into its XML answer."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Form:
    """How one vendor's links look."""

    prefix: str
    """Of the query parameters: `X-Amz` or `X-Goog`."""
    algorithm: str
    credential: str
    """With the day in braces."""
    headers: str
    """How the vendor's own request headers begin."""
    told_life: int
    """Seconds the query says, whatever the truth."""
    expired: Refusal


AWS = Form(
    *("X-Amz", "AWS4-HMAC-SHA256", "ASIASANDBOX7EXAMPLE/{day}/us-east-1/s3/aws4_request", "x-amz-", 518_399),
    Refusal(403, "AccessDenied", "Request has expired"),
)
GCS = Form(
    *("X-Goog", "GOOG4-RSA-SHA256", "sandbox@acme.iam.gserviceaccount.com/{day}/auto/storage/goog4_request"),
    *("x-goog-", 21_599, Refusal(400, "ExpiredToken", "The provided token has expired.")),
)

_ONE_MECHANISM = Refusal(
    *(400, "InvalidArgument"),
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified",
)
_DENIED = Refusal(403, "AccessDenied", "Access Denied")
_MISMATCH = Refusal(
    *(403, "SignatureDoesNotMatch"),
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
)
_LOOSE = Refusal(403, "AccessDenied", "There were headers present in the request which were not signed")

_STORE_HEADERS = ("x-amz-", "x-goog-")
_END = 12
"""Digits of the signature that hold when the link really ends, which the vendors do not tell either."""


class Signer:
    """Makes and checks signatures over method, path, parameters, end and signed headers."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def sign(
        self,
        form: Form,
        method: str,
        path: str,
        life: float,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
        told_life: int | None = None,
    ) -> str:
        """The query of a link to `path` (not encoded) that is good for `life` seconds from now.

        Args:
            form: whose links they look like.
            method: the only method it is good for.
            path: decoded, with its leading slash.
            life: seconds it is really good for.
            headers: headers besides `host` that the request has to send, lower-case names and exact values.
            extra: further parameters, part of what is signed.
            told_life: seconds the query says instead of the form's own.
        """
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC)
        query = {
            **(extra or {}),
            f"{form.prefix}-Algorithm": form.algorithm,
            f"{form.prefix}-Date": moment.strftime("%Y%m%dT%H%M%SZ"),
            f"{form.prefix}-SignedHeaders": ";".join(sorted(("host", *(headers or {})))),
            f"{form.prefix}-Expires": str(form.told_life if told_life is None else told_life),
            f"{form.prefix}-Credential": form.credential.format(day=f"{moment:%Y%m%d}"),
        }
        if form is AWS:
            query["X-Amz-Security-Token"] = f"FQoDYXdz{hashlib.sha256(self._key + b'token').hexdigest()}+/="
        end = f"{round((now + life) * 1000):0{_END}x}"
        query[f"{form.prefix}-Signature"] = end + self._digest(f"{method} {path} {end}", query, headers or {})
        return urlencode(query, quote_via=quote)

    def check(self, form: Form, request: Request, path: str) -> Refusal | None:
        """Why a request may not use its link; `None` if it may."""
        if "authorization" in request.headers or "x-api-key" in request.headers:
            return _ONE_MECHANISM
        query = dict(request.query_params)
        given = query.pop(f"{form.prefix}-Signature", "")
        names = query.get(f"{form.prefix}-SignedHeaders", "").split(";")
        if not given or len(query) + 1 != len(request.query_params.multi_items()):
            return _DENIED
        end = given[:_END]
        signed = {name: request.headers.get(name, "") for name in names if name != "host"}
        expected = end + self._digest(f"{request.method} {path} {end}", query, signed)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return _MISMATCH
        if self._clock() * 1000 >= int(end, 16):
            return form.expired
        loose = [name for name in request.headers if name.startswith(_STORE_HEADERS) and name not in names]
        return _LOOSE if loose else None

    def _digest(self, subject: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        parts = [
            subject,
            *(f"{name}={value}" for name, value in sorted(query.items())),
            *(f"{name}:{value}" for name, value in sorted(headers.items())),
        ]
        text = "\n".join(parts).encode("utf-8", "surrogateescape")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[_END:]

"""Bytes as object stores serve them: signed links, ranges, validators, XML errors."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# Signed links, with a signature scheme of the sandbox's own


class Refusal(msgspec.Struct, frozen=True):
    """An error of a store, as in its XML answer."""

    status: int
    code: str
    message: str


class SignatureForm(msgspec.Struct, frozen=True):
    """The form of one vendor's links."""

    prefix: str
    """Of the query parameters: `X-Amz` or `X-Goog`."""
    algorithm: str
    credential: str
    """With `{day}` for the date."""
    headers: str
    """Prefix of the vendor's own request headers."""
    stated_life: int
    """Lifetime in seconds according to the query, which need not be true."""
    expired: Refusal


AWS = SignatureForm(
    *("X-Amz", "AWS4-HMAC-SHA256", "ASIASANDBOX7EXAMPLE/{day}/us-east-1/s3/aws4_request", "x-amz-", 518_399),
    Refusal(403, "AccessDenied", "Request has expired"),
)
GCS = SignatureForm(
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
_UNSIGNED_HEADERS = Refusal(403, "AccessDenied", "There were headers present in the request which were not signed")

_STORE_HEADERS = ("x-amz-", "x-goog-")
_END_DIGITS = 12
"""Digits of the signature that hold when the link really expires, which the vendors do not reveal either."""


class Signer:
    """Makes and checks signatures over method, path, parameters, expiry and signed headers."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def sign(
        self,
        form: SignatureForm,
        method: str,
        path: str,
        life: float,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
        stated_life: int | None = None,
    ) -> str:
        """The query of a link to `path` that is valid for `life` seconds from now.

        Args:
            form: the vendor's form.
            method: the only valid method.
            path: decoded, with its leading slash.
            life: true lifetime in seconds.
            headers: headers besides `host` that the request has to send, by name in lower case.
            extra: further parameters, which are signed as well.
            stated_life: lifetime according to the query, if not the form's own.
        """
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC)
        query = {
            **(extra or {}),
            f"{form.prefix}-Algorithm": form.algorithm,
            f"{form.prefix}-Date": moment.strftime("%Y%m%dT%H%M%SZ"),
            f"{form.prefix}-SignedHeaders": ";".join(sorted(("host", *(headers or {})))),
            f"{form.prefix}-Expires": str(form.stated_life if stated_life is None else stated_life),
            f"{form.prefix}-Credential": form.credential.format(day=f"{moment:%Y%m%d}"),
        }
        if form is AWS:
            query["X-Amz-Security-Token"] = f"FQoDYXdz{hashlib.sha256(self._key + b'token').hexdigest()}+/="
        end = f"{round((now + life) * 1000):0{_END_DIGITS}x}"
        query[f"{form.prefix}-Signature"] = end + self._digest(f"{method} {path} {end}", query, headers or {})
        return urlencode(query, quote_via=quote)

    def check(self, form: SignatureForm, request: Request, path: str) -> Refusal | None:
        """Why a request may not use its link; `None` if it may."""
        if "authorization" in request.headers or "x-api-key" in request.headers:
            return _ONE_MECHANISM
        query = dict(request.query_params)
        given = query.pop(f"{form.prefix}-Signature", "")
        names = query.get(f"{form.prefix}-SignedHeaders", "").split(";")
        if not given or len(query) + 1 != len(request.query_params.multi_items()):
            return _DENIED
        end = given[:_END_DIGITS]
        signed = {name: request.headers.get(name, "") for name in names if name != "host"}
        expected = end + self._digest(f"{request.method} {path} {end}", query, signed)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            return _MISMATCH
        if self._clock() * 1000 >= int(end, 16):
            return form.expired
        unsigned = [name for name in request.headers if name.startswith(_STORE_HEADERS) and name not in names]
        return _UNSIGNED_HEADERS if unsigned else None

    def _digest(self, subject: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        parts = [
            subject,
            *(f"{name}={value}" for name, value in sorted(query.items())),
            *(f"{name}:{value}" for name, value in sorted(headers.items())),
        ]
        text = "\n".join(parts).encode("utf-8", "surrogateescape")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[_END_DIGITS:]


# Bytes over HTTP


CHUNK = 256 * 1024
"""Bytes sent at a time: enough for the sandbox not to be the bottleneck of a transfer."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_FAILED_CONDITION = Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


class StoredBlob(msgspec.Struct, frozen=True):
    """Stored bytes."""

    size: int
    etag: str
    """Strong, without the quotes."""
    modified: float
    mime: str
    read: Callable[[int, int], bytes]
    """Takes start and end offsets."""


def file_reader(path: Path) -> Callable[[int, int], bytes]:
    """The `read` of a blob that is a file."""

    def read(start: int, end: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    return read


def refuse(refusal: Refusal) -> Response:
    """The XML answer for a refused request."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        "<RequestId>SANDBOX</RequestId></Error>"
    )
    return Response(body, refusal.status, media_type="application/xml")


def serve(request: Request, blob: StoredBlob, *, ranges: bool = True) -> Response:
    """A blob, or the range of it that was requested."""
    headers = {
        "ETag": f'"{blob.etag}"',
        "Last-Modified": formatdate(blob.modified, usegmt=True),
        "Content-Type": blob.mime,
    }
    if ranges:
        headers["Accept-Ranges"] = "bytes"
    if not _matches(request.headers.get("if-match", "*"), blob):
        return refuse(_FAILED_CONDITION)
    if _matches(request.headers.get("if-none-match", ""), blob):
        return Response(status_code=304, headers=headers)
    part = _requested_range(request, blob) if ranges else None
    if part is None:
        return BlobResponse(blob, 0, blob.size, 200, headers)
    start, end = part
    if start >= end:
        answer = refuse(Refusal(416, "InvalidRange", "The requested range is not satisfiable"))
        answer.headers["Content-Range"] = f"bytes */{blob.size}"
        return answer
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
    return BlobResponse(blob, start, end, 206, headers)


def _matches(tags: str, blob: StoredBlob) -> bool:
    """Whether a list of entity tags matches the blob; weak tags never do."""
    return any(tag.strip() in ("*", f'"{blob.etag}"') for tag in tags.split(","))


def _requested_range(request: Request, blob: StoredBlob) -> tuple[int, int] | None:
    """Start and end of the requested range; `None` for the whole blob, also if the header is no single range."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if not found or not _matches(request.headers.get("if-range", "*"), blob):
        return None
    first, last = found.groups()
    if not first:
        return (max(blob.size - int(last), 0), blob.size) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, blob.size) if last else blob.size


class BlobResponse(Response):
    """Sends a range of a blob in pieces, as fast as the client reads; stops when the client disconnects."""

    def __init__(self, blob: StoredBlob, start: int, end: int, status: int, headers: dict[str, str]) -> None:
        super().__init__(None, status, headers | {"Content-Length": str(end - start)})
        self._blob = blob
        self._start = start
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's own form
        """Answer one request."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            for piece in self._pieces():
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                # A fast client would otherwise keep the loop from all others.
                await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    def _pieces(self) -> Iterator[bytes]:
        for position in range(self._start, self._end, CHUNK):
            yield self._blob.read(position, min(position + CHUNK, self._end))


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

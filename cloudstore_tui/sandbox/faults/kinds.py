"""Every kind of fault there is: a name, its parameters, and what it does."""

from collections.abc import Callable, Mapping

import msgspec

from cloudstore_tui.sandbox.faults import broken_answers, broken_transport
from cloudstore_tui.sandbox.faults.exchange import Apply, FaultyExchange, RequestFacts, Value

Test = Callable[[RequestFacts], bool]


def always(_asked: RequestFacts) -> bool:
    """Every request."""
    return True


def never(_asked: RequestFacts) -> bool:
    """No request."""
    return False


async def _nothing(exchange: FaultyExchange) -> None:
    await exchange.run()


class FaultKind(msgspec.Struct, frozen=True):
    """One kind of fault."""

    name: str
    text: str
    apply: Apply = _nothing
    """Does it to one request."""
    defaults: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Its parameters."""
    fits: Test = always
    """The requests it can happen to."""
    mixes: Test = never
    """The requests that a client can be expected to repeat after it, so that a mix may contain it."""
    once_per_object: bool = False
    """In a mix at most once for a path: a client rightly gives up when it comes again."""
    in_mix: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Its parameters in a mix."""
    stored: bool = False
    """Whether it is in what is stored, not in an answer."""
    underneath: bool = False
    """Whether it goes together with another fault of the same request."""


MIX = "mix"
"""The fault of a rule that draws from all others."""

_HALF = {"after": "50%"}
_ALL = 2**31


def _fetches(asked: RequestFacts) -> bool:
    return asked.fetches


def _ranged(asked: RequestFacts) -> bool:
    return asked.ranged


def _conditional(asked: RequestFacts) -> bool:
    return asked.conditional


def _stores(asked: RequestFacts) -> bool:
    return asked.stores


def _talks(asked: RequestFacts) -> bool:
    return asked.talks


def _blob(asked: RequestFacts) -> bool:
    return asked.role == "blob"


def _linked(asked: RequestFacts) -> bool:
    return asked.role == "blob" and asked.fetches


def _repeatable(asked: RequestFacts) -> bool:
    """Whether it changes nothing, so that a client may send it again without looking."""
    return asked.method == "GET" or asked.role == "token"


def _checked(asked: RequestFacts) -> bool:
    """Whether it fetches bytes whose checksum the service tells; without one nobody can see a changed byte."""
    return asked.fetches and asked.path.startswith("/storage/")


def _needs_token(asked: RequestFacts) -> bool:
    return asked.role == "api" and asked.method == "GET"


_CONNECTION = (
    FaultKind("refuse", "close the connection instead of answering", broken_transport.refuse, mixes=_repeatable),
    FaultKind(
        "reset",
        "reset the connection instead of answering; nothing is carried out",
        broken_transport.reset,
        mixes=_repeatable,
    ),
    FaultKind("lost-reply", "carry it out, then reset the connection", broken_transport.lost_reply, mixes=_repeatable),
    FaultKind("stall", "no answer for some seconds, 0 for ever", broken_transport.stall, {"seconds": 0.0}),
    FaultKind("reset-after", "reset in the middle of the body", broken_transport.reset_after, _HALF, mixes=_repeatable),
    FaultKind("close-after", "close in the middle of the body", broken_transport.close_after, _HALF, mixes=_repeatable),
    FaultKind("stall-after", "stop in the middle of the body", broken_transport.stall_after, {**_HALF, "seconds": 0.0}),
    FaultKind(
        "slow",
        "bytes a second; goes together with another fault",
        broken_transport.slow,
        {"rate": 65_536},
        underneath=True,
    ),
)
_FRAMING = (
    FaultKind(
        "chunk-cut", "chunks, the last of which is missing", broken_transport.chunk_cut, _HALF, mixes=_repeatable
    ),
    FaultKind(
        "no-length", "no length; ends with the connection", broken_transport.no_length, fits=_fetches, mixes=_fetches
    ),
    FaultKind(
        "no-length-cut", "no length, and ends too soon", broken_transport.no_length_cut, _HALF, _fetches, _fetches
    ),
    FaultKind("two-lengths", "two different lengths", broken_transport.two_lengths, mixes=_repeatable),
    FaultKind(
        "short-body",
        "less, with a fitting length",
        broken_transport.short_body,
        _HALF,
        _fetches,
        _fetches,
        once_per_object=True,
    ),
    FaultKind(
        "more-bytes",
        "more, with a fitting length",
        broken_transport.more_bytes,
        {"bytes": 1000},
        _fetches,
        _fetches,
        once_per_object=True,
    ),
    FaultKind(
        "long-body", "the right length, then more", broken_transport.long_body, {"bytes": 1000}, _fetches, _fetches
    ),
    FaultKind("gzip", "compressed unasked", broken_transport.gzip, fits=_fetches, mixes=_fetches, once_per_object=True),
    FaultKind("gzip-bomb", "JSON that grows to so many bytes", broken_transport.gzip_bomb, {"bytes": _ALL}, _talks),
    FaultKind("huge-header", "a header of so many bytes", broken_transport.huge_header, {"bytes": 1_000_000}),
    FaultKind("many-headers", "so many headers", broken_transport.many_headers, {"count": 10_000}),
    FaultKind("header", "one header set, or left out", broken_transport.header, {"name": "content-type", "value": ""}),
)
_BODIES = (
    FaultKind(
        "flip",
        "one byte changed at a place of the object",
        broken_answers.flip,
        _HALF,
        _fetches,
        _checked,
        once_per_object=True,
    ),
    FaultKind("html", "200 and a page", broken_answers.html, mixes=_linked, once_per_object=True),
    FaultKind(
        "xml-error", "200 and an error of the store", broken_answers.xml_error, mixes=_linked, once_per_object=True
    ),
    FaultKind("empty", "200 and nothing", broken_answers.empty, mixes=_linked, once_per_object=True),
    FaultKind("cut-json", "the beginning of a reply", broken_answers.cut_json, _HALF, _talks),
    FaultKind(
        "odd-json",
        f"JSON nobody expects: {' '.join(broken_answers.ODD)}",
        broken_answers.odd_json,
        {"form": "null"},
        _talks,
    ),
    FaultKind(
        "field", "a field of a reply changed", broken_answers.field, {"name": "expires_in", "value": "abc"}, _talks
    ),
)
_RANGES = (
    FaultKind(
        "wrong-start",
        "206 that begins elsewhere",
        broken_answers.wrong_start,
        {"by": 1},
        _ranged,
        _ranged,
        once_per_object=True,
    ),
    FaultKind(
        "wrong-total",
        "206 of another size, or *",
        broken_answers.wrong_total,
        {"by": "1"},
        _ranged,
        _ranged,
        once_per_object=True,
    ),
    FaultKind(
        "no-content-range",
        "206 of nobody knows what",
        broken_answers.no_content_range,
        {},
        _ranged,
        _ranged,
        once_per_object=True,
    ),
    FaultKind("whole", "200 although a part was asked for", broken_answers.whole, fits=_ranged, mixes=_ranged),
    FaultKind(
        "multipart", "206 in an envelope", broken_answers.multipart, fits=_ranged, mixes=_ranged, once_per_object=True
    ),
    FaultKind(
        "etag-changed", "another ETag", broken_answers.etag_changed, fits=_fetches, mixes=_ranged, once_per_object=True
    ),
    FaultKind("weak-etag", "a weak ETag", broken_answers.weak_etag, fits=_fetches, mixes=_fetches),
    FaultKind("no-etag", "no ETag", broken_answers.no_etag, fits=_fetches, mixes=_fetches),
    FaultKind("unsatisfiable", "416; size right, * or N", broken_answers.unsatisfiable, {"total": "right"}, _ranged),
    FaultKind(
        "precondition", "412", broken_answers.status(412), fits=_conditional, mixes=_conditional, once_per_object=True
    ),
    FaultKind(
        "headers-not-signed",
        "403 for a condition",
        broken_answers.headers_not_signed,
        {},
        _conditional,
        _conditional,
        once_per_object=True,
    ),
)
_REPLIES = (
    FaultKind("status", "an answer of this status", broken_answers.status(), {"status": 500}),
    FaultKind("500", "internal error", broken_answers.status(500), mixes=_repeatable),
    FaultKind("502", "bad gateway", broken_answers.status(502), mixes=_repeatable),
    FaultKind("503", "unavailable", broken_answers.status(503), mixes=_repeatable),
    FaultKind("504", "gateway timeout", broken_answers.status(504), mixes=_repeatable),
    FaultKind(
        name="too-many",
        text="429; Retry-After any text, none, date:SECONDS",
        apply=broken_answers.too_many,
        defaults={"retry-after": "1", "status": 429},
        mixes=_repeatable,
        in_mix={"retry-after": "0"},
    ),
    FaultKind("unauthorised", "401", broken_answers.status(401), mixes=_needs_token, once_per_object=True),
    FaultKind("forbidden", "403", broken_answers.status(403)),
    FaultKind("not-found", "404, as for a job or an object that has gone", broken_answers.status(404)),
    FaultKind("gone", "410", broken_answers.status(410)),
    FaultKind(
        "expired", "403, the link has expired", broken_answers.expired, fits=_blob, mixes=_linked, once_per_object=True
    ),
    FaultKind(
        "redirect", "to another place", broken_answers.redirect, {"to": "https://files.example.com/", "status": 302}
    ),
)
_UPLOADS = (
    FaultKind("half-upload", "stored in part, told as whole", broken_answers.half_upload, _HALF, _stores),
    FaultKind("bad-digest", "400 BadDigest", broken_answers.bad_digest, fits=_stores),
    FaultKind("too-large", "400 EntityTooLarge", broken_answers.too_large, fits=_stores),
)
_STORED = (
    FaultKind(broken_answers.DAMAGED, "a byte other than the checksum says; path is id, key or name", stored=True),
    FaultKind(broken_answers.CUT, "a zip of the first so many bytes", defaults={"after": "-5"}, stored=True),
    FaultKind(broken_answers.BAD_MEMBER, "a zip whose Nth member is damaged", defaults={"member": 0}, stored=True),
)

KINDS: Mapping[str, FaultKind] = {
    kind.name: kind for kind in (*_CONNECTION, *_FRAMING, *_BODIES, *_RANGES, *_REPLIES, *_UPLOADS, *_STORED)
}
"""All kinds, by name."""

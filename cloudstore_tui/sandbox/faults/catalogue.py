"""Every kind of fault there is."""

from collections.abc import Mapping

from cloudstore_tui.sandbox.faults import bodies, cuts, framing, ranges, replies, stored, uploads
from cloudstore_tui.sandbox.faults.asked import Asked
from cloudstore_tui.sandbox.faults.kind import Kind

MIX = "mix"
"""The fault of a rule that draws from all others."""

_HALF = {"after": "50%"}
_ALL = 2**31


def _fetches(asked: Asked) -> bool:
    return asked.fetches


def _ranged(asked: Asked) -> bool:
    return asked.ranged


def _conditional(asked: Asked) -> bool:
    return asked.conditional


def _stores(asked: Asked) -> bool:
    return asked.stores


def _talks(asked: Asked) -> bool:
    return asked.talks


def _blob(asked: Asked) -> bool:
    return asked.role == "blob"


def _linked(asked: Asked) -> bool:
    return asked.role == "blob" and asked.fetches


def _repeatable(asked: Asked) -> bool:
    """Whether it changes nothing, so that a client may send it again without looking."""
    return asked.method == "GET" or asked.role == "token"


def _checked(asked: Asked) -> bool:
    """Whether it fetches bytes whose checksum the service tells; without one nobody can see a changed byte."""
    return asked.fetches and asked.path.startswith("/storage/")


def _needs_token(asked: Asked) -> bool:
    return asked.role == "api" and asked.method == "GET"


_CONNECTION = (
    Kind("refuse", "close the connection instead of answering", cuts.refuse, mixes=_repeatable),
    Kind("reset", "reset the connection instead of answering; nothing is carried out", cuts.reset, mixes=_repeatable),
    Kind("lost-reply", "carry it out, then reset the connection", cuts.lost_reply, mixes=_repeatable),
    Kind("stall", "no answer for some seconds, 0 for ever", cuts.stall, {"seconds": 0.0}),
    Kind("reset-after", "reset in the middle of the body", cuts.reset_after, _HALF, mixes=_repeatable),
    Kind("close-after", "close in the middle of the body", cuts.close_after, _HALF, mixes=_repeatable),
    Kind("stall-after", "stop in the middle of the body", cuts.stall_after, {**_HALF, "seconds": 0.0}),
    Kind("slow", "bytes a second; goes together with another fault", cuts.slow, {"rate": 65_536}, underneath=True),
)
_FRAMING = (
    Kind("chunk-cut", "chunks, the last of which is missing", cuts.chunk_cut, _HALF, mixes=_repeatable),
    Kind("no-length", "no length; ends with the connection", framing.no_length, fits=_fetches, mixes=_fetches),
    Kind("no-length-cut", "no length, and ends too soon", framing.no_length_cut, _HALF, _fetches, _fetches),
    Kind("two-lengths", "two different lengths", framing.two_lengths, mixes=_repeatable),
    Kind("short-body", "less, with a fitting length", framing.short_body, _HALF, _fetches, _fetches, sparing=True),
    Kind(
        "more-bytes",
        "more, with a fitting length",
        framing.more_bytes,
        {"bytes": 1000},
        _fetches,
        _fetches,
        sparing=True,
    ),
    Kind("long-body", "the right length, then more", framing.long_body, {"bytes": 1000}, _fetches, _fetches),
    Kind("gzip", "compressed unasked", framing.gzip, fits=_fetches, mixes=_fetches),
    Kind("gzip-bomb", "JSON that grows to so many bytes", framing.gzip_bomb, {"bytes": _ALL}, _talks),
    Kind("huge-header", "a header of so many bytes", framing.huge_header, {"bytes": 1_000_000}),
    Kind("many-headers", "so many headers", framing.many_headers, {"count": 10_000}),
    Kind("header", "one header set, or left out", framing.header, {"name": "content-type", "value": ""}),
)
_BODIES = (
    Kind("flip", "one byte changed at a place of the object", bodies.flip, _HALF, _fetches, _checked, sparing=True),
    Kind("html", "200 and a page", bodies.html, mixes=_linked, sparing=True),
    Kind("xml-error", "200 and an error of the store", bodies.xml_error, mixes=_linked, sparing=True),
    Kind("empty", "200 and nothing", bodies.empty, mixes=_linked, sparing=True),
    Kind("cut-json", "the beginning of a reply", bodies.cut_json, _HALF, _talks),
    Kind("odd-json", f"JSON nobody expects: {' '.join(bodies.ODD)}", bodies.odd_json, {"form": "null"}, _talks),
    Kind("field", "a field of a reply changed", bodies.field, {"name": "expires_in", "value": "abc"}, _talks),
)
_RANGES = (
    Kind("wrong-start", "206 that begins elsewhere", ranges.wrong_start, {"by": 1}, _ranged, _ranged, sparing=True),
    Kind("wrong-total", "206 of another size, or *", ranges.wrong_total, {"by": "1"}, _ranged, _ranged, sparing=True),
    Kind("no-content-range", "206 of nobody knows what", ranges.no_content_range, {}, _ranged, _ranged, sparing=True),
    Kind("whole", "200 although a part was asked for", ranges.whole, fits=_ranged, mixes=_ranged),
    Kind("multipart", "206 in an envelope", ranges.multipart, fits=_ranged, mixes=_ranged, sparing=True),
    Kind("etag-changed", "another ETag", ranges.etag_changed, fits=_fetches, mixes=_ranged, sparing=True),
    Kind("weak-etag", "a weak ETag", ranges.weak_etag, fits=_fetches, mixes=_fetches),
    Kind("no-etag", "no ETag", ranges.no_etag, fits=_fetches, mixes=_fetches),
    Kind("unsatisfiable", "416; size right, * or N", replies.unsatisfiable, {"total": "right"}, _ranged),
    Kind("precondition", "412", replies.status(412), fits=_conditional, mixes=_conditional, sparing=True),
    Kind(
        "headers-not-signed",
        "403 for a condition",
        replies.headers_not_signed,
        {},
        _conditional,
        _conditional,
        sparing=True,
    ),
)
_REPLIES = (
    Kind("status", "an answer of this status", replies.status(), {"status": 500}),
    Kind("500", "internal error", replies.status(500), mixes=_repeatable),
    Kind("502", "bad gateway", replies.status(502), mixes=_repeatable),
    Kind("503", "unavailable", replies.status(503), mixes=_repeatable),
    Kind("504", "gateway timeout", replies.status(504), mixes=_repeatable),
    Kind(
        name="too-many",
        text="429; Retry-After any text, none, date:SECONDS",
        apply=replies.too_many,
        defaults={"retry-after": "1", "status": 429},
        mixes=_repeatable,
        in_mix={"retry-after": "0"},
    ),
    Kind("unauthorised", "401", replies.status(401), mixes=_needs_token, sparing=True),
    Kind("forbidden", "403", replies.status(403)),
    Kind("not-found", "404, as for a job or an object that has gone", replies.status(404)),
    Kind("gone", "410", replies.status(410)),
    Kind("expired", "403, the link has expired", replies.expired, fits=_blob, mixes=_linked, sparing=True),
    Kind("redirect", "to another place", replies.redirect, {"to": "https://files.example.com/", "status": 302}),
)
_UPLOADS = (
    Kind("half-upload", "stored in part, told as whole", uploads.half_upload, _HALF, _stores),
    Kind("bad-digest", "400 BadDigest", replies.bad_digest, fits=_stores),
    Kind("too-large", "400 EntityTooLarge", replies.too_large, fits=_stores),
)
_STORED = (
    Kind(stored.DAMAGED, "a byte other than the checksum says; path is id, key or name", stored=True),
    Kind(stored.CUT, "a zip of the first so many bytes", defaults={"after": "-5"}, stored=True),
    Kind(stored.BAD_MEMBER, "a zip whose Nth member is damaged", defaults={"member": 0}, stored=True),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (*_CONNECTION, *_FRAMING, *_BODIES, *_RANGES, *_REPLIES, *_UPLOADS, *_STORED)
}
"""All kinds, by name."""

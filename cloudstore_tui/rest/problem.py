"""What a refusal of a service means: from status and body to one of our errors."""

from collections.abc import Mapping
from http import HTTPStatus

from cloudstore_tui.core.errors import (
    ConflictError,
    ForbiddenError,
    LoginError,
    MissingError,
    NetworkError,
    ReplyError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
    UnsupportedError,
    UsageError,
)
from cloudstore_tui.rest.message import is_html, message_of
from cloudstore_tui.rest.reply import Reply

THROTTLING = frozenset({408, 425, 429})
"""Statuses that ask to come back later."""

_MEANING: Mapping[int, tuple[type[StorageError], str, str]] = {
    400: (UsageError, "the service refuses the request", ""),
    401: (LoginError, "the service refuses the login", ""),
    403: (ForbiddenError, "the service does not allow this", ""),
    404: (MissingError, "there is no such thing", ""),
    405: (UnsupportedError, "the service cannot do this", ""),
    407: (LoginError, "the proxy wants a login", "Put it into HTTPS_PROXY, or set NO_PROXY."),
    409: (ConflictError, "something is in the way", ""),
    410: (MissingError, "it is gone", ""),
    501: (UnsupportedError, "the service cannot do this", ""),
}
_NEVER_HTML = frozenset({400, 404, 405, 409, 410})
"""Statuses that the API explains in JSON or not at all: a web page with them comes from somebody else."""


class LostReplyError(NetworkError):
    """A request was sent and no answer came: whether it was done has to be looked up."""


def problem(reply: Reply, place: str) -> StorageError:
    """The error for a reply that is no success; `place` is the address of what was asked for."""
    status, words = reply.status, message_of(reply.body)
    if status in _NEVER_HTML and is_html(reply.body):
        return reply.stranger(place)
    if status in THROTTLING or (status == 500 and b"policies.ratelimit." in reply.body):
        return ThrottledError(
            _with("the service asks to wait", words), wait=reply.wait, place=place, cure="Try again later."
        )
    if 300 <= status < 400:
        return UnsafeError(f"the service answers with a redirect ({status}), which is not followed", place=place)
    if status in _MEANING:
        kind, cause, cure = _MEANING[status]
        return kind(_with(cause, words), place=place, cure=cure)
    known = _with(f"the service answers with status {status}", words or _phrase(status))
    if status >= 500:
        return UnavailableError(known, place=place, cure="Try again in a few minutes.")
    return UsageError(known, place=place) if status >= 400 else ReplyError(known, place=place)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _with(cause: str, words: str) -> str:
    return f"{cause}: {words.rstrip('. ')}" if words else cause

"""What a refusal of a service means: from status and body to one of our errors."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from cloudstore_tui.net.message import code_of, is_html, message_of
from cloudstore_tui.net.reply import Reply

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


def problem(reply: Reply, subject: str) -> StorageError:
    """The error for a reply that is no success; `subject` is the address of what was asked for."""
    status, words, service_code = reply.status, message_of(reply.body), code_of(reply.body)
    if status in _NEVER_HTML and is_html(reply.body):
        return reply.stranger(subject)
    if status in THROTTLING or (status == 500 and b"policies.ratelimit." in reply.body):
        return ThrottledError(
            _with("the service asks to wait", words),
            wait=reply.wait,
            subject=subject,
            hint=_until(reply.wait),
            status=status,
            service_code=service_code,
            service_message=words,
        )
    kind, meaning, hint = _MEANING.get(status) or _of_class(status)
    if status not in _MEANING:
        words = words or _phrase(status)
    return kind(
        _with(meaning, words),
        subject=subject,
        hint=hint,
        status=status,
        service_code=service_code,
        service_message=words,
    )


def _of_class(status: int) -> tuple[type[StorageError], str, str]:
    """What a status means that has no meaning of its own."""
    if 300 <= status < 400:
        return UnsafeError, f"the service answers with a redirect ({status}), which is not followed", ""
    known = f"the service answers with status {status}"
    if status >= 500:
        return UnavailableError, known, "Try again in a few minutes."
    return (UsageError if status >= 400 else ReplyError), known, ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _with(meaning: str, words: str) -> str:
    return f"{meaning}: {words.rstrip('. ')}" if words else meaning


def _until(seconds: float | None) -> str:
    """When to try again, where a service that asks to wait says for how long."""
    if seconds is None:
        return "Try again later."
    if seconds > 86_400:
        return "The service asks to wait for more than a day."
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"The service asks to wait until {moment:%H:%M:%S} UTC."

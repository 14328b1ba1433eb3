"""What refusals and broken connections mean: from a status or an exception to one of our errors."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import ClassVar

import msgspec

from cloudstore_tui.core.errors import (
    ConflictError,
    ForbiddenError,
    IntegrityError,
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
from cloudstore_tui.net.reply import BlobReply, Reply, code_of, is_html, message_of

THROTTLING = frozenset({408, 425, 429})
"""Statuses that ask to come back later."""
LOGIN_REFUSED = "the service refuses the login"
_PROXY_LOGIN = "Put it into HTTPS_PROXY, or set NO_PROXY."

_MEANING: Mapping[int, tuple[type[StorageError], str, str]] = {
    400: (UsageError, "the service refuses the request", ""),
    401: (LoginError, LOGIN_REFUSED, ""),
    403: (ForbiddenError, "the service does not allow this", ""),
    404: (MissingError, "not found", ""),
    405: (UnsupportedError, "the service cannot do this", ""),
    407: (LoginError, "the proxy wants a login", _PROXY_LOGIN),
    409: (ConflictError, "something is in the way", ""),
    410: (MissingError, "it is gone", ""),
    501: (UnsupportedError, "the service cannot do this", ""),
}
_NEVER_HTML = frozenset({400, 404, 405, 409, 410})
"""Statuses that the API explains in JSON or not at all: a web page with them comes from somebody else."""


class LostReplyError(NetworkError):
    """A request was sent and no answer came: whether it was done has to be looked up."""


def was_not_done(error: StorageError) -> bool:
    """Whether the service certainly did nothing: the request never reached it, or it asks to come back later."""
    return isinstance(error, NetworkError | ThrottledError) and not isinstance(error, LostReplyError)


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


_SUPPORT = "If this repeats, show the service's support the path and the time."


class RecoverableReplyError(Exception):
    """A reply that asks for another request, and becomes an error only when it repeats."""

    max_repeats: ClassVar[int] = 1
    """How often another request is tried."""
    restart_from: ClassVar[int | None] = None
    """From which repeat on the bytes that are here are given up; `None` for never."""

    def __init__(self, final: StorageError) -> None:
        super().__init__(final.message)
        self.final = final
        """The error it is when it was not put right."""


class DeniedError(RecoverableReplyError):
    """The link is refused: it may have ended."""


class ConditionError(RecoverableReplyError):
    """The store refuses a conditional header that the link was not signed for."""


class ChangedError(RecoverableReplyError):
    """The object is not the one that the bytes here are from."""

    max_repeats = 3
    restart_from = 1

    def __init__(self) -> None:
        super().__init__(IntegrityError("it keeps changing on the server", hint="Try again later."))


class RangeError(RecoverableReplyError):
    """The reply holds other bytes than those asked for."""

    max_repeats = 2
    restart_from = 2

    def __init__(self) -> None:
        super().__init__(IntegrityError("the server keeps sending other bytes than asked for", hint=_SUPPORT))


class ContradictionError(RecoverableReplyError):
    """The length of the reply cannot be right."""

    restart_from = 1

    def __init__(self, message: str) -> None:
        super().__init__(IntegrityError(message, hint=_SUPPORT))


DENIED = frozenset({400, 401, 403})
"""Replies to a link that a fresh link may change."""
_BUSY = frozenset({408, 425, 429, 503})


def refused(reply: BlobReply) -> Exception:
    """The error for a reply to a request for bytes: a recoverable one if another request may help."""
    if reply.has_unsigned_headers:
        return ConditionError(final(reply))
    if reply.status in DENIED:
        return DeniedError(final(reply))
    if reply.status == 412:
        return ChangedError()
    return final(reply)


def final(reply: BlobReply) -> StorageError:
    """The error for a reply that another link does not change."""
    status, code = reply.status, reply.store_code
    shown = f"{status} {code}" if code else f"{status}"
    if 300 <= status < 400:
        return UnsafeError("the store sends us elsewhere, which is never followed", hint="Nothing was sent there.")
    if status == 401:
        return LoginError("the store refuses the login", hint="Run `cloudstore profile test`.")
    if status in DENIED:
        return ForbiddenError(f"the store refuses a fresh link ({shown})", hint="Ask for the right to this object.")
    if status in (404, 410):
        return MissingError("the store has no such object (any more)")
    if status == 407:
        return LoginError("the proxy wants a login", hint=_PROXY_LOGIN)
    if status in _BUSY:
        return ThrottledError(_asked(reply), wait=reply.retry_after)
    if status >= 500:
        return UnavailableError(f"the store has a problem of its own ({shown})")
    return ReplyError(f"the store gave an answer that nobody asked for ({shown})")


def _asked(reply: BlobReply) -> str:
    wait = reply.retry_after
    return f"the store asks to wait {wait:,.0f} s" if wait is not None else f"the store is busy ({reply.status})"


_TRUST_HINT = "If its authority is your own, add it to this system or name its file in SSL_CERT_FILE."
_LOST = "the connection to {host} was lost"
_UNKNOWN_NAME = "the name of {peer} cannot be resolved"
_NETWORK = {
    5: _UNKNOWN_NAME,
    6: _UNKNOWN_NAME,
    7: "{peer} cannot be reached",
    18: _LOST,
    52: "{host} closed the connection without an answer",
    55: _LOST,
    56: _LOST,
    97: "the proxy {proxy} does not connect to {host}",
}
_CERTIFICATE = frozenset({51, 60, 83, 91})
_NO_STORE = frozenset({58, 59, 77})
_UNSAFE = frozenset({1, 3})
_STRANGE = frozenset({8, 61})
_TIMED_OUT, _TLS_HANDSHAKE = 28, 35
_OLD_TLS = ("unsupported protocol", "protocol version", "wrong version number", "no protocols available")
_PROBLEM = re.compile(r"(?:certificate problem|verify result): ([A-Za-z ,-]{4,80})")


class HostError(NetworkError):
    """A request that got no whole reply, with what that says of the host."""

    def __init__(self, message: str, *, connected: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.connected = connected
        """Whether there was a connection."""
        self.timed_out = timed_out
        """Whether the host was silent for too long."""


class Circumstances(msgspec.Struct, frozen=True):
    """What was known when a request failed."""

    host: str
    proxy: str = ""
    """Host of the proxy, if there is one."""
    asked: bool = False
    """Whether a connection was made."""
    answered: bool = False
    """Whether the reply began."""
    connect_status: int = 0
    """What the proxy answered when asked to connect."""
    text: str = ""
    """What libcurl says; looked at, never shown."""


def failure(code: int, known: Circumstances) -> StorageError:
    """The error for a libcurl result code."""
    names = {"host": known.host, "proxy": known.proxy, "peer": _peer(known)}
    if known.proxy and known.connect_status >= 400:
        return _proxy_refusal(known)
    if code == _TIMED_OUT:
        return timed_out(known)
    if code == _TLS_HANDSHAKE:
        return _handshake(known)
    if code in _CERTIFICATE:
        return UnsafeError(f"the connection to {known.host} is not safe: {_distrust(known.text)}", hint=_TRUST_HINT)
    if code in _NO_STORE:
        return UnsafeError("the file of trusted certificates cannot be read", hint="Check SSL_CERT_FILE.")
    if code in _STRANGE or (code in _UNSAFE and known.asked):
        return ReplyError(f"{known.host} sent an answer that is not HTTP")
    if code in _UNSAFE:
        return UnsafeError("the service gave a link that cannot be followed")
    message = _NETWORK.get(code, f"the connection to {{host}} failed (libcurl {code})").format(**names)
    return HostError(message, connected=known.asked)


def timed_out(known: Circumstances) -> HostError:
    """Which time-out it was."""
    if known.answered:
        message = f"the answer of {known.host} comes too slowly"
    elif known.asked:
        message = f"{known.host} stopped answering"
    else:
        message = f"{_peer(known)} does not answer"
    return HostError(message, connected=known.asked, timed_out=True)


def _peer(known: Circumstances) -> str:
    """Who is at the other end of the connection."""
    return f"the proxy {known.proxy}" if known.proxy else known.host


def _proxy_refusal(known: Circumstances) -> StorageError:
    if known.connect_status == 407:
        return LoginError(f"the proxy {known.proxy} wants a login", hint=_PROXY_LOGIN)
    return HostError(_NETWORK[97].format(host=known.host, proxy=known.proxy), connected=False)


def _distrust(text: str) -> str:
    """What is wrong with a certificate, as OpenSSL says it."""
    if "subject name" in text:
        return "its certificate is not valid for this name"
    found = _PROBLEM.search(text)
    return found[1].strip() if found else "its certificate cannot be trusted"


def _handshake(known: Circumstances) -> StorageError:
    if any(sign in known.text.lower() for sign in _OLD_TLS):
        return UnsafeError(f"{known.host} only speaks TLS older than 1.2", hint="Tell the service's support.")
    return HostError(f"the connection to {known.host} was lost while it was made safe", connected=False)

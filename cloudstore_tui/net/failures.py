"""What refusals and broken connections mean: from an HTTP status or a libcurl code to one of our errors."""

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
"""Statuses that ask to retry later."""
LOGIN_REFUSED = "the service refuses the login"
_PROXY_LOGIN = "Put one that it accepts into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT, or set NO_PROXY."

_MEANING: Mapping[int, tuple[type[StorageError], str, str]] = {
    400: (UsageError, "the service refuses the request", ""),
    401: (LoginError, LOGIN_REFUSED, ""),
    403: (ForbiddenError, "the service does not allow this", ""),
    404: (MissingError, "not found", ""),
    405: (UnsupportedError, "the service cannot do this", ""),
    407: (LoginError, "the proxy requires a login", _PROXY_LOGIN),
    409: (ConflictError, "the service reports a conflict", ""),
    410: (MissingError, "it is gone", ""),
    501: (UnsupportedError, "the service cannot do this", ""),
}
_NEVER_HTML = frozenset({400, 404, 405, 409, 410})
"""Statuses that the API explains in JSON or not at all: a web page with one of them is not from the API."""


class LostReplyError(NetworkError):
    """A request was sent and no reply came: whether it took effect has to be looked up."""


def had_no_effect(error: StorageError) -> bool:
    """Whether the service certainly did nothing: the request never reached it, or it asks to retry later."""
    return isinstance(error, NetworkError | ThrottledError) and not isinstance(error, LostReplyError)


def api_error(reply: Reply, subject: str) -> StorageError:
    """The error for an unsuccessful reply of an API; `subject` is the address of what was asked for."""
    status, words, service_code = reply.status, message_of(reply.body), code_of(reply.body)
    if status in _NEVER_HTML and is_html(reply.body):
        return reply.stranger(subject)
    if status in THROTTLING or (status == 500 and b"policies.ratelimit." in reply.body):
        return ThrottledError(
            _explained("the service asks to wait", words),
            wait=reply.wait,
            subject=subject,
            hint=_retry_hint(reply.wait),
            status=status,
            service_code=service_code,
            service_message=words,
        )
    kind, meaning, hint = _MEANING.get(status) or _meaning_of_class(status)
    if status not in _MEANING:
        words = words or _phrase(status)
    return kind(
        _explained(meaning, words),
        subject=subject,
        hint=hint,
        status=status,
        service_code=service_code,
        service_message=words,
    )


def _meaning_of_class(status: int) -> tuple[type[StorageError], str, str]:
    """What a status means that is not in `_MEANING`."""
    if 300 <= status < 400:
        message = f"the service answers with a redirect ({status}), which is not followed"
        return UnsafeError, message, "Check the addresses in the profile; a proxy on the way may have answered instead."
    message = f"the service answers with status {status}"
    if status >= 500:
        return UnavailableError, message, "Try again in a few minutes."
    return (UsageError if status >= 400 else ReplyError), message, ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _explained(meaning: str, words: str) -> str:
    return f"{meaning}: {words.rstrip('. ')}" if words else meaning


def _retry_hint(seconds: float | None) -> str:
    if seconds is None:
        return "Try again later."
    if seconds > 86_400:
        return "The service asks to wait for more than a day."
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"The service asks to wait until {moment:%H:%M:%S} UTC."


_SUPPORT = "If this repeats, show the service's support the path and the time."


class RecoverableReplyError(Exception):
    """A reply that another request may put right; an error only if it repeats."""

    max_repeats: ClassVar[int] = 1
    """How many further requests are tried."""
    restart_from: ClassVar[int | None] = None
    """The repetition from which on the bytes received so far are discarded; `None` for never."""

    def __init__(self, error: StorageError) -> None:
        super().__init__(error.message)
        self.error = error
        """What to raise if it repeats."""


class DeniedError(RecoverableReplyError):
    """The link is refused: it may have expired."""


class ConditionError(RecoverableReplyError):
    """The store refuses a conditional header that the link's signature does not cover."""


class ChangedError(RecoverableReplyError):
    """The object is no longer the one that the bytes received so far belong to."""

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
"""Replies to a link that may be different with a fresh link."""
_BUSY = frozenset({408, 425, 429, 503})


def store_refusal(reply: BlobReply) -> Exception:
    """The error for a reply to a request for bytes: a recoverable one if another request may help."""
    if reply.has_unsigned_headers:
        return ConditionError(store_error(reply))
    if reply.status in DENIED:
        return DeniedError(store_error(reply))
    if reply.status == 412:
        return ChangedError()
    return store_error(reply)


def store_error(reply: BlobReply) -> StorageError:
    """The error for an unsuccessful reply of an object store, once a fresh link has not helped."""
    status, code = reply.status, reply.store_code
    shown = f"{status} {code}" if code else f"{status}"
    if 300 <= status < 400:
        return UnsafeError("the store redirects, which is never followed", hint="Nothing was sent there.")
    if status == 401:
        return LoginError("the store refuses the login", hint="Run `cloudstore profile test`.")
    if status in DENIED:
        return ForbiddenError(
            f"the store refuses a fresh link ({shown})", hint="Ask for permission to read this object."
        )
    if status in (404, 410):
        return MissingError("the store has no such object (any more)")
    if status == 407:
        return LoginError("the proxy requires a login", hint=_PROXY_LOGIN)
    if status in _BUSY:
        wait = reply.retry_after
        message = f"the store asks to wait {wait:,.0f} s" if wait is not None else f"the store is busy ({status})"
        return ThrottledError(message, wait=wait)
    if status >= 500:
        return UnavailableError(f"the store reports an internal error ({shown})")
    return ReplyError(f"the store gave an unexpected answer ({shown})")


_TRUST_HINT = "If its authority is your own, add it to this system or name its file in SSL_CERT_FILE."
_DATE_HINT = "Check the clock of this machine; if it is right, the certificate must be renewed where it is used."
_NAME_HINT = "Check that address, and whether a proxy or a firewall is in the way."
_LOST = "the connection to {peer} was lost"
_UNKNOWN_NAME = "the name of {peer} cannot be resolved"
_NETWORK = {
    5: _UNKNOWN_NAME,
    6: _UNKNOWN_NAME,
    7: "{peer} cannot be reached",
    18: _LOST,
    52: "{peer} closed the connection without an answer",
    55: _LOST,
    56: _LOST,
    97: "the proxy {proxy} does not connect to {host}",
}
_CERTIFICATE = frozenset({51, 60, 83, 91})
_NO_STORE = frozenset({58, 59, 77})
_UNSAFE = frozenset({1, 3})
_NOT_HTTP = "{peer} sent an answer that is not HTTP"
_STRANGE = {8: _NOT_HTTP, 61: _NOT_HTTP, 100: "the headers of the reply are too large"}
_TIMED_OUT, _TLS_HANDSHAKE = 28, 35
_OLD_TLS = ("unsupported protocol", "protocol version", "no protocols available")
_NO_TLS = ("wrong version number", "http request", "packet length too long")
_PROBLEM = re.compile(r"(?:certificate problem|verify result): ([A-Za-z ,-]{4,80})")


class HostError(NetworkError):
    """A request without a complete reply, and what that says about the host."""

    def __init__(self, message: str, *, connected: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.connected = connected
        """Whether there was a connection."""
        self.timed_out = timed_out
        """Whether the host was silent for too long."""


class FailureContext(msgspec.Struct, frozen=True):
    """How far a request had got when it failed."""

    host: str
    proxy: str = ""
    """Host of the proxy, if there is one."""
    connected: bool = False
    """Whether a connection was made."""
    answered: bool = False
    """Whether the reply began."""
    connect_status: int = 0
    """The proxy's reply to CONNECT."""
    text: str = ""
    """What libcurl says; analysed, never shown."""


def curl_error(code: int, context: FailureContext) -> StorageError:
    """The error for a libcurl result code."""
    host, proxy = context.host, context.proxy
    if proxy and context.connect_status >= 300:
        return _proxy_refusal(context)
    if code == _TIMED_OUT:
        return timeout_error(context)
    if code == _TLS_HANDSHAKE:
        return _handshake_error(context)
    if code in _CERTIFICATE:
        fault, hint = _certificate_fault(context.text)
        return UnsafeError(f"the connection to {_peer(context)} is not safe: {fault}", hint=hint)
    if code in _NO_STORE:
        return UnsafeError("the file of trusted certificates cannot be read", hint="Check SSL_CERT_FILE.")
    if code in _STRANGE or (code in _UNSAFE and context.connected):
        return ReplyError(_STRANGE.get(code, _NOT_HTTP).format(peer=_peer(context)))
    if code in _UNSAFE:
        return UnsafeError("the service gave a link that cannot be followed")
    message = _NETWORK.get(code, f"the connection to {{peer}} failed (libcurl {code})")
    return HostError(message.format(host=host, proxy=proxy, peer=_peer(context)), connected=context.connected)


def timeout_error(context: FailureContext) -> HostError:
    """The error for a time-out, by how far the request had got."""
    if context.answered:
        message = f"the answer of {context.host} comes too slowly"
    elif context.connected:
        message = f"{context.host} stopped answering"
    else:
        message = f"{_peer(context)} does not answer"
    return HostError(message, connected=context.connected, timed_out=True)


def _peer(context: FailureContext) -> str:
    """Who was at the other end: the proxy until it has connected."""
    is_proxy = context.proxy and not context.connected and not context.connect_status
    return f"the proxy {context.proxy}" if is_proxy else context.host


def _proxy_refusal(context: FailureContext) -> StorageError:
    if context.connect_status == 407:
        return LoginError(f"the proxy {context.proxy} requires a login", hint=_PROXY_LOGIN)
    return HostError(_NETWORK[97].format(host=context.host, proxy=context.proxy), connected=False)


def _certificate_fault(text: str) -> tuple[str, str]:
    """What is wrong with a certificate, and what to do."""
    if "subject name" in text:
        return "its certificate is not valid for this name", _NAME_HINT
    found = _PROBLEM.search(text)
    fault = found[1].strip() if found else "its certificate cannot be trusted"
    return fault, _DATE_HINT if "expired" in fault or "not yet valid" in fault else _TRUST_HINT


def _handshake_error(context: FailureContext) -> StorageError:
    peer, text = _peer(context), context.text.lower()
    if any(sign in text for sign in _OLD_TLS):
        return UnsafeError(f"{peer} only speaks TLS older than 1.2", hint="Tell the service's support.")
    if any(sign in text for sign in _NO_TLS):
        way = f" through the proxy {context.proxy}" if context.proxy and context.connect_status else ""
        return HostError(f"{peer} does not speak TLS{way}", connected=False)
    return HostError(f"the TLS handshake with {peer} failed", connected=False)

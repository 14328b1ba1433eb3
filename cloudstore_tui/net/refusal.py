"""What a reply without the object's bytes means."""

from cloudstore_tui.core.errors import (
    AccessError,
    ForbiddenError,
    LoginError,
    MissingError,
    ReplyError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.net.blob_reply import BlobReply
from cloudstore_tui.net.detour import ChangedError, ConditionError, DeniedError

_DENIED = frozenset({400, 401, 403})
_BUSY = frozenset({408, 425, 429, 503})


def refused(reply: BlobReply) -> Exception:
    """The error for a reply to a request for bytes: a detour if another request may help."""
    if reply.has_unsigned_headers:
        return ConditionError(final(reply))
    if reply.status in _DENIED:
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
    if status in _DENIED:
        return ForbiddenError(f"the store refuses a fresh link ({shown})", hint="Ask for the right to this object.")
    if status in (404, 410):
        return MissingError("the store has no such object (any more)")
    if status == 407:
        return AccessError("the proxy wants a login", hint="Put it into https_proxy.")
    if status in _BUSY:
        return ThrottledError(_asked(reply), wait=reply.retry_after)
    if status >= 500:
        return UnavailableError(f"the store has a problem of its own ({shown})")
    return ReplyError(f"the store gave an answer that nobody asked for ({shown})")


def _asked(reply: BlobReply) -> str:
    wait = reply.retry_after
    return f"the store asks to wait {wait:,.0f} s" if wait is not None else f"the store is busy ({reply.status})"

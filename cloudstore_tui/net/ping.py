"""Requests of a run to hosts other than the services: pings of a monitor, and time stamps."""

from collections.abc import Collection
from urllib.parse import urlsplit

from cloudstore_tui.core.errors import ReplyError, UsageError
from cloudstore_tui.core.links import is_loopback
from cloudstore_tui.core.profile import Secret, Timeouts
from cloudstore_tui.net.redaction import guard
from cloudstore_tui.net.transport import ApiCall

_LARGEST_STAMP = 1 << 20


def is_url(text: str) -> bool:
    """Whether a text is an http or https URL."""
    return text.lower().startswith(("http://", "https://"))


def host_of(url: str) -> str:
    """The host of a URL, which may be shown; its path may be secret."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def check_ping(url: str, hosts: Collection[str], subject: str) -> None:
    """Raise unless the settings allow this ping.

    Raises:
        UsageError: it is another host, or not https.
    """
    host = host_of(url)
    _check_host(host, hosts, "ping", "ping_hosts", subject)
    if not url.lower().startswith("https://") and not is_loopback(url):
        raise UsageError(f"{host} has to be pinged by https", subject=subject, hint="Write https://…")


def check_timestamp(url: str, hosts: Collection[str], subject: str) -> None:
    """Raise unless the settings allow this time-stamp authority. A stamp is signed, so it needs no TLS.

    Raises:
        UsageError: it is not a URL, or one of another host.
    """
    if not is_url(url):
        raise UsageError("is no URL", subject=subject, hint="Write https://…")
    _check_host(host_of(url), hosts, "ask", "timestamp_hosts", subject)


def _check_host(host: str, hosts: Collection[str], verb: str, setting: str, subject: str) -> None:
    if host not in {allowed.lower() for allowed in hosts}:
        hint = f'Write the host into the configuration: {setting} = ["HOST"] under [settings].'
        raise UsageError(f"the settings do not allow to {verb} {host}", subject=subject, hint=hint)


async def ping(url: str, timeouts: Timeouts, subject: str) -> None:
    """Request a URL once.

    Raises:
        StorageError: there was no answer, or it was not a success.
    """
    guard(Secret(url), Secret(_target(url)))
    await _exchange(url, ApiCall("GET", _target(url)), timeouts, subject)


async def fetch_timestamp(url: str, query: bytes, timeouts: Timeouts, subject: str) -> bytes:
    """Request a time stamp from an authority (RFC 3161).

    Raises:
        StorageError: there was no answer, or it was not a success.
    """
    headers = {"Content-Type": Secret("application/timestamp-query"), "Accept": Secret("application/timestamp-reply")}
    return (await _exchange(url, ApiCall("POST", _target(url), headers, query), timeouts, subject))[:_LARGEST_STAMP]


async def _exchange(url: str, call: ApiCall, timeouts: Timeouts, subject: str) -> bytes:
    # Deferred: most runs send neither.
    from cloudstore_tui.net.channel import Channel

    channel = Channel(url, timeouts)
    try:
        reply = await channel.exchange(call, subject)
    finally:
        await channel.close()
    if not 200 <= reply.status < 300:
        raise ReplyError(f"{host_of(url)} answers with status {reply.status}", subject=subject)
    return reply.body


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

"""Telling a monitor outside that something has happened, by asking for a URL of it; nothing else is sent."""

from collections.abc import Collection
from urllib.parse import urlsplit

from cloudstore_tui.core.errors import ReplyError, UsageError
from cloudstore_tui.core.links import is_loopback
from cloudstore_tui.core.profile import Secret, Timeouts
from cloudstore_tui.net.redaction import guard
from cloudstore_tui.net.transport import ApiCall

_HINT = 'Write the host into the configuration: ping_hosts = ["HOST"] under [settings].'


def is_url(text: str) -> bool:
    """Whether a text is the address of something that can be pinged."""
    return text.lower().startswith(("http://", "https://"))


def host_of(url: str) -> str:
    """The host of a URL, which may be shown; its path may be what makes it secret."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def check_ping(url: str, hosts: Collection[str], subject: str) -> None:
    """Refuse what the settings do not allow.

    Raises:
        UsageError: another host, or one that would be asked without TLS.
    """
    host = host_of(url)
    if host not in {allowed.lower() for allowed in hosts}:
        raise UsageError(f"the settings do not allow to ping {host}", subject=subject, hint=_HINT)
    if not url.lower().startswith("https://") and not is_loopback(url):
        raise UsageError(f"{host} has to be pinged by https", subject=subject, hint="Write https://…")


async def ping(url: str, timeouts: Timeouts, subject: str) -> None:
    """Ask for a URL once.

    Raises:
        StorageError: it was not answered, or not with a success.
    """
    # Deferred: nearly no run pings anything.
    from cloudstore_tui.net.channel import Channel

    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    guard(Secret(url), Secret(target))
    channel = Channel(url, timeouts)
    try:
        reply = await channel.exchange(ApiCall("GET", target), subject)
    finally:
        await channel.close()
    if not 200 <= reply.status < 300:
        raise ReplyError(f"{host_of(url)} answers with status {reply.status}", subject=subject)

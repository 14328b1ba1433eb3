"""Addresses of APIs as they stand in a configuration, and how paths and queries below them are written."""

import re
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.link import is_loopback

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values of a query or a form, in order; a name may come twice."""

_VISIBLE = re.compile(r"[!-\[\]-~]+")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*(?::\d{1,5})?"
)


def api_address(url: str, *, option: str, profile: str, path: bool = False) -> str:
    """Give an address back, without a slash at its end, if credentials may be sent there.

    Args:
        url: as the user wrote it.
        option: the name of the option, for the error.
        profile: the name of the profile, for the error.
        path: whether it may have a path.

    Raises:
        ConfigError: it is no https address (http for this machine only), or has a path, a query or a user in it.
    """

    def wrong(message: str, hint: str) -> ConfigError:
        return ConfigError(f"{option} {message}", subject=f"profile {profile}", hint=hint)

    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise wrong("is not an address", "Write it as https://HOST.") from None
    if not host or parts.scheme not in ("https", "http") or not _VISIBLE.fullmatch(url):
        raise wrong("is not an address", "Write it as https://HOST.")
    if parts.username is not None or parts.password is not None:
        raise wrong("holds a user name or a password", "Leave them out; secrets have their own places.")
    if parts.scheme == "http" and not is_loopback(url):
        raise wrong("would send secrets unprotected", "Write https:// instead of http://.")
    if "?" in url or "#" in url:
        raise wrong("has a query or a fragment", "Leave everything from ? or # out.")
    if parts.path.strip("/") and not path:
        raise wrong("has a path", f"Write {parts.scheme}://{parts.netloc} alone.")
    return url.rstrip("/")


def host_name(text: str, *, option: str, profile: str) -> str:
    """Give a host name, with or without a port, back in lower case.

    Raises:
        ConfigError: it is anything else, such as a whole address.
    """
    if not _HOST.fullmatch(text):
        raise ConfigError(
            f"{option} is not a host name",
            subject=f"profile {profile}",
            hint="Write the name alone, without https:// and without a path.",
        )
    return text.lower()


def segment(text: str) -> str:
    """`text` as one segment of a path; `.` and `..` lose their meaning, too."""
    encoded = quote(text, safe="", errors="surrogatepass")
    return encoded.replace(".", "%2E") if text in (".", "..") else encoded


def encoded(pairs: Pairs) -> str:
    """Names and values of a query or a form; everything but unreserved characters is encoded."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='', errors='surrogatepass')}" for name, value in pairs)

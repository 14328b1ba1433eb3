"""What a failure of libcurl means, in words and as an error with the right exit code.

The texts that libcurl gives are not used: they may hold parts of a URL.
"""

from dataclasses import dataclass

from cloudstore_tui.core.errors import AccessError, NetworkError, ReplyError, StorageError, UnsafeError

_TLS_CURE = "If your company inspects connections, point SSL_CERT_FILE at its certificate file."
_LOST = "the connection to {host} was lost"
_NETWORK = {
    5: "the name of the proxy {proxy} cannot be resolved",
    6: "the name {host} cannot be resolved",
    7: "{peer} cannot be reached",
    18: _LOST,
    52: "{host} closed the connection without an answer",
    55: _LOST,
    56: _LOST,
    97: "the proxy {proxy} refuses to connect to {host}",
}
_TLS = {
    51: "the certificate of {host} is for another host",
    60: "the certificate of {host} is not trusted: expired, for another host, or from an unknown authority",
    83: "the certificate of {host} is not trusted: expired, for another host, or from an unknown authority",
    91: "the certificate of {host} has been revoked",
}
_NO_STORE = "the file of trusted certificates cannot be read"
_NO_CERTIFICATES = frozenset({58, 59, 77})
_UNSAFE = frozenset({1, 3})
_STRANGE = frozenset({8, 61})
_TIMED_OUT, _TLS_HANDSHAKE = 28, 35
_OLD_TLS = ("unsupported protocol", "protocol version", "wrong version number", "no protocols available")


class HostError(NetworkError):
    """A request that got no whole reply, with what that says of the host."""

    def __init__(self, message: str, *, connected: bool, timed_out: bool = False) -> None:
        super().__init__(message)
        self.connected = connected
        """Whether there was a connection."""
        self.timed_out = timed_out
        """Whether the host was silent for too long."""


@dataclass(frozen=True, slots=True)
class Circumstances:
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
    if code in _TLS or code in _NO_CERTIFICATES:
        return UnsafeError(_TLS.get(code, _NO_STORE).format(**names), hint=_TLS_CURE)
    if code in _STRANGE or (code in _UNSAFE and known.asked):
        return ReplyError(f"{known.host} sent an answer that is not HTTP")
    if code in _UNSAFE:
        return UnsafeError("the service gave a link that cannot be followed")
    message = _NETWORK.get(code, f"the connection to {{host}} failed (libcurl {code})").format(**names)
    return HostError(message, connected=known.asked)


def timed_out(known: Circumstances) -> HostError:
    """Which time-out it was."""
    if known.answered:
        message = f"{known.host} sends too slowly"
    elif known.asked:
        message = f"{known.host} does not answer"
    else:
        message = f"{_peer(known)} cannot be reached in time"
    return HostError(message, connected=known.asked, timed_out=True)


def _peer(known: Circumstances) -> str:
    """Who is at the other end of the connection."""
    return f"the proxy {known.proxy}" if known.proxy else known.host


def _proxy_refusal(known: Circumstances) -> StorageError:
    if known.connect_status == 407:
        return AccessError(f"the proxy {known.proxy} wants a login", hint="Put it into https_proxy.")
    return HostError(_NETWORK[97].format(host=known.host, proxy=known.proxy), connected=False)


def _handshake(known: Circumstances) -> StorageError:
    if any(sign in known.text.lower() for sign in _OLD_TLS):
        return UnsafeError(f"{known.host} only speaks TLS older than 1.2", hint="Tell the service's support.")
    return HostError(f"the connection to {known.host} was lost while it was made safe", connected=False)

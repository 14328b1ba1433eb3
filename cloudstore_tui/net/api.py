"""The API client: calls to one API with the credentials of one profile."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from cloudstore_tui.core.errors import (
    ConfigError,
    LoginError,
    MissingError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.core.links import is_loopback
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.core.records import json_text
from cloudstore_tui.core.text import plain
from cloudstore_tui.net.auth import Login
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.failures import LOGIN_REFUSED, api_error
from cloudstore_tui.net.rate_limit import RateLimiter
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.net.retry import Retries
from cloudstore_tui.net.transport import PORTS, ApiCall, Sender

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values of a query or a form, in order; a name may come twice."""

_VISIBLE = re.compile(r"[!-\[\]-~]+")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*(?::\d{1,5})?"
)


def api_address(url: str, *, option: str, profile: str, path: bool = False) -> str:
    """Return an address, without a trailing slash, if credentials may be sent there.

    Args:
        url: as the user wrote it.
        option: the name of the option, for the error.
        profile: the name of the profile, for the error.
        path: whether it may have a path.

    Raises:
        ConfigError: it is not an https address (http for this machine only), or has a path, a query or a user in it.
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


def split_origin(address: str) -> tuple[str, str]:
    """Split a URL into its origin and its path."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path


def host_name(text: str, *, option: str, profile: str) -> str:
    """Return a host name, with or without a port, in lower case.

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
    """`text` encoded as one segment of a path, even if it is `.` or `..`."""
    encoded = quote(text, safe="", errors="surrogatepass")
    return encoded.replace(".", "%2E") if text in (".", "..") else encoded


def encoded(pairs: Pairs) -> str:
    """Names and values encoded as a query or a form; all but unreserved characters are escaped."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='', errors='surrogatepass')}" for name, value in pairs)


MAX_SKEW = 300.0
"""Seconds by which the clocks may differ before the user hears of it: signed links depend on them."""


def clock_doubt(skew: float) -> str:
    """What is wrong with our clock if the service's is `skew` seconds ahead, as a clause; empty if nothing is."""
    return clock_words(skew) if abs(skew) > MAX_SKEW else ""


def clock_words(skew: float) -> str:
    """By how much our clock is off if the service's is `skew` seconds ahead, as a clause."""
    from cloudstore_tui.fiql.measures import rough_duration

    return f"this machine's clock is {rough_duration(abs(skew))} {'behind' if skew > 0 else 'ahead'}"


Explain = Callable[[Reply, StorageError], StorageError]
"""Turns the error for a refusal into what one service means by it."""


class ApiClient:
    """Calls one API with the credentials of one profile.

    All calls go to the host of `base_url`, so credentials reach no other one. Calls that only read are retried and may
    be redirected once, within that host; calls that change something are sent once.
    """

    def __init__(
        self,
        profile: Profile,
        base_url: str,
        login: Login | None = None,
        *,
        explain: Explain = lambda _reply, error: error,
        renew_on: frozenset[int] = frozenset({401}),
        clock: Clock | None = None,
    ) -> None:
        """Send nothing yet.

        Args:
            profile: for its time-outs and limits.
            base_url: scheme, host and port, and the part of the path that all calls share.
            login: the source of credentials; without one the client can only request tokens.
            explain: makes the error for a refusal more specific.
            renew_on: statuses that may mean that the token has expired.
            clock: time and chance.
        """
        self._base = base_url.rstrip("/")
        self._login = login
        self._explain = explain
        self._renew_on = renew_on
        self._timeouts = profile.timeouts
        clock = clock or Clock()
        self._limiter = RateLimiter(profile.requests_per_minute, profile.concurrency, clock)
        self._retries = Retries(profile.timeouts.give_up, clock)
        self._sender: Sender | None = None
        self.local = is_loopback(self._base)
        """Whether the API is on this machine."""
        self.clock_skew: float | None = None
        """Seconds by which the service's clock is ahead of ours; `None` before the first reply with a date."""

    @property
    def host(self) -> str:
        """Host and port of the API."""
        return urlsplit(self._base).netloc

    @property
    def pace_used(self) -> float:
        """Calls of the last minute as a share of the profile's limit; 0 without one."""
        return self._limiter.used

    @property
    def note(self) -> str:
        """What is being waited for, or what the user should know about this host; empty if there is nothing to say."""
        return self._retries.note or self._limiter.note or clock_doubt(self.clock_skew or 0.0)

    async def get(self, path: str, query: Pairs = (), *, subject: str, redirect: bool = False) -> Reply:
        """Read something, with retries as long as they can help.

        Args:
            path: below the base, each segment encoded by `segment`.
            query: encoded here.
            subject: the address of what is asked for, for errors.
            redirect: return a 3xx reply instead of following it.

        Raises:
            StorageError: see `net.failures.api_error`.
        """
        call = ApiCall("GET", self._target(path, query))

        async def attempt() -> Reply:
            reply = await self._with_login(call, subject)
            if _is_redirect(reply) and not redirect:
                reply = await self._with_login(ApiCall("GET", self._redirected(call, reply, subject)), subject)
            return self._accepted(reply, subject, redirect=redirect)

        return await self._retries.run(attempt, self._limiter.turn)

    async def send(
        self, method: str, path: str, query: Pairs = (), *, body: object | None = None, subject: str
    ) -> Reply:
        """Change something: sent once, with `body` as JSON.

        Raises:
            LostReplyError: it was sent, and whether it took effect is unknown.
            StorageError: see `net.failures.api_error`.
        """
        if body is None:
            call = ApiCall(method, self._target(path, query))
        else:
            headers = {"Content-Type": Secret("application/json")}
            call = ApiCall(method, self._target(path, query), headers, json_text(body, compact=True).encode())
        async with self._limiter.turn():
            return self._accepted(await self._with_login(call, subject), subject)

    async def post_form(
        self, path: str, query: Pairs, form: Pairs, headers: Mapping[str, Secret], subject: str
    ) -> Reply:
        """Request a token with a form; retried if the service does not answer.

        Raises:
            LoginError: the credentials were refused.
            ConfigError: there is no token service at this address.
        """
        sent = {**headers, "Content-Type": Secret("application/x-www-form-urlencoded")}
        call = ApiCall("POST", self._target(path, query), sent, encoded(form).encode())

        async def attempt() -> Reply:
            return self._accepted(await self._exchange(call, subject, is_token=True), subject)

        try:
            return await self._retries.run(attempt)
        except StorageError as error:
            raise self._token_error(error) from None

    async def close(self) -> None:
        """Close all connections."""
        if self._login is not None:
            self._login.close()
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.close()

    async def _with_login(self, call: ApiCall, subject: str) -> Reply:
        """One call with credentials; a refused token is renewed once."""
        if self._login is None:
            raise AssertionError("a client without a login can only request tokens")
        headers = await self._login.headers()
        reply = await self._exchange(call.with_headers(headers), subject)
        if reply.status in self._renew_on and await self._login.renew(headers, certain=reply.status == 401):
            headers = await self._login.headers()
            reply = await self._exchange(call.with_headers(headers), subject)
            if reply.status in self._renew_on:
                self._login.mark_rejected(headers)
        return reply

    async def _exchange(self, call: ApiCall, subject: str, *, is_token: bool = False) -> Reply:
        if self._sender is None:
            self._sender = _open_sender(self._base, self._timeouts)
        reply = await self._sender.exchange(call, subject, is_token=is_token)
        if reply.date is not None:
            self.clock_skew = (reply.date - datetime.now(UTC)).total_seconds()
        return reply

    def _accepted(self, reply: Reply, subject: str, *, redirect: bool = False) -> Reply:
        if 200 <= reply.status < 300 or (redirect and _is_redirect(reply)):
            return reply
        error = api_error(reply, subject)
        if isinstance(error, ThrottledError):
            self._limiter.throttled(error.wait)
        raise self._explain(reply, error)

    def _target(self, path: str, query: Pairs) -> str:
        base = urlsplit(self._base).path
        return f"{base}/{path.lstrip('/')}" + (f"?{encoded(query)}" if query else "")

    def _redirected(self, call: ApiCall, reply: Reply, subject: str) -> str:
        goal, name = redirect_target(self._base, call.target, reply.location)
        if goal is None:
            raise UnsafeError(
                f"{self.host} redirects to another host ({plain(name, 100)}), which is not followed",
                subject=subject,
                hint="Check the addresses in the profile.",
            )
        return goal

    def _token_error(self, error: StorageError) -> StorageError:
        """The error for a refusal of a token service, which is about the login whatever its status."""
        if (
            error.status is None
            or error.status >= 500
            or isinstance(error, LoginError | UnavailableError | UnsafeError)
        ):
            return error
        if isinstance(error, MissingError):
            return ConfigError(
                f"there is no token service at {self.host}",
                subject=error.subject,
                hint="Check token_url or token_host.",
            )
        words = error.service_message.rstrip(". ")
        refused = LOGIN_REFUSED + (f": {words}" if words else "")
        return LoginError(
            refused if error.status == 400 else error.message,
            subject=error.subject,
            status=error.status,
            service_code=error.service_code,
            service_message=error.service_message,
        )


def redirect_target(base: str, target: str, location: str) -> tuple[str | None, str]:
    """The target of a redirect, `None` unless scheme, host and port stay the same; and the host that it names."""
    try:
        goal = urlsplit(urljoin(base + target, location))
        same = _origin(goal) == _origin(urlsplit(base))
        name = goal.hostname or "nowhere"
    except ValueError:
        return None, "nowhere"
    if not same or "@" in goal.netloc:
        return None, name
    return (goal.path or "/") + (f"?{goal.query}" if goal.query else ""), name


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def _is_redirect(reply: Reply) -> bool:
    return 300 <= reply.status < 400 and bool(reply.location)


def _open_sender(base_url: str, timeouts: Timeouts) -> Sender:
    # Deferred: libcurl takes long to load, and nothing needs it before the first request.
    from cloudstore_tui.net.channel import Channel

    return Channel(base_url, timeouts)

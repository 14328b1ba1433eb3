"""The API client: calls to one API with the credentials of one profile."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import msgspec

from cloudstore_tui.core.errors import (
    ConfigError,
    LoginError,
    MissingError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.core.link import is_loopback
from cloudstore_tui.core.profile import Profile, Timeouts
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.core.text import plain
from cloudstore_tui.net.address import Pairs, encoded, segment
from cloudstore_tui.net.auth import Login
from cloudstore_tui.net.call import Call, Sender
from cloudstore_tui.net.failures import LostReplyError, problem
from cloudstore_tui.net.rate_limit import Pace
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.net.retry import TOKEN, Retries

__all__ = ["ApiClient", "LostReplyError", "segment"]

MOST_SKEW = 300.0
"""Seconds by which the clocks may differ before it is worth a word: signed links depend on them."""

Explain = Callable[[Reply, StorageError], StorageError]
"""What one service means by a refusal, where that is more than its status says."""


def _as_it_is(_reply: Reply, error: StorageError) -> StorageError:
    return error


class ApiClient:
    """Calls one API with the credentials of one profile.

    The host is that of `base_url`, so no credential can reach another one. Calls that only read are retried and may be
    redirected once, within that host; calls that change something are sent once.
    """

    def __init__(
        self,
        profile: Profile,
        base_url: str,
        login: Login | None = None,
        *,
        explain: Explain = _as_it_is,
        renew_on: frozenset[int] = frozenset({401}),
        scale: float = 1.0,
    ) -> None:
        """Make a client without sending anything.

        Args:
            profile: for its time-outs and its pace.
            base_url: scheme, host and port, and the part of the path that all calls share.
            login: where credentials come from; without one it can ask for tokens only.
            explain: makes a better error of a refusal.
            renew_on: statuses that may mean that the token has ended.
            scale: of all waits between tries, for tests.
        """
        self._base = base_url.rstrip("/")
        self._login = login
        self._explain = explain
        self._renew_on = renew_on
        self._renewed: Mapping[str, Secret] = {}
        self._timeouts = profile.timeouts
        self._scale = scale
        self._pace = Pace(profile.requests_per_minute, profile.concurrency)
        self._retries = Retries(profile.timeouts.give_up, scale=scale)
        self._token_retries = Retries(profile.timeouts.give_up, TOKEN, scale=scale)
        self._sender: Sender | None = None
        self.local = is_loopback(self._base)
        """Whether the API is on this machine."""
        self.clock_skew: float | None = None
        """Seconds by which the service's clock is ahead of ours, once it told."""

    @property
    def host(self) -> str:
        """Host and port of the API."""
        return urlsplit(self._base).netloc

    @property
    def note(self) -> str:
        """What is waited for, or what the user should know of this host; empty when there is nothing to say."""
        waiting = self._retries.note or self._token_retries.note or self._pace.note
        skew = self.clock_skew or 0.0
        if waiting or abs(skew) <= MOST_SKEW:
            return waiting
        return f"this machine's clock is {abs(skew) / 60:.0f} min {'behind' if skew > 0 else 'ahead'}"

    async def get(self, path: str, query: Pairs = (), *, subject: str, redirect: bool = False) -> Reply:
        """Read something; tried again as long as that can help.

        Args:
            path: below the base, each segment encoded by `segment`.
            query: encoded here.
            subject: the address of what is asked for, for errors.
            redirect: give a 3xx answer back instead of following it.

        Raises:
            StorageError: see `rest.problem`.
        """
        call = Call("GET", self._target(path, query))

        async def attempt() -> Reply:
            reply = await self._with_login(call, subject)
            if _is_redirect(reply) and not redirect:
                reply = await self._with_login(Call("GET", self._redirected(call, reply, subject)), subject)
            return self._accepted(reply, subject, redirect=redirect)

        return await self._retries.run(attempt, self._pace.turn)

    async def send(
        self, method: str, path: str, query: Pairs = (), *, body: object | None = None, subject: str
    ) -> Reply:
        """Change something: sent once. `body` is sent as JSON.

        Raises:
            LostReplyError: it was sent, and nobody knows whether it was done.
            StorageError: see `rest.problem`.
        """
        if body is None:
            call = Call(method, self._target(path, query))
        else:
            headers = {"Content-Type": Secret("application/json")}
            call = Call(method, self._target(path, query), headers, msgspec.json.encode(body))
        async with self._pace.turn():
            return self._accepted(await self._with_login(call, subject), subject)

    async def post_form(
        self, path: str, query: Pairs, form: Pairs, headers: Mapping[str, Secret], subject: str
    ) -> Reply:
        """Ask for a token: a form, answered with JSON; tried again when the service does not answer.

        Raises:
            LoginError: the credentials were refused.
            ConfigError: there is no token service at this address.
        """
        sent = {**headers, "Content-Type": Secret("application/x-www-form-urlencoded")}
        call = Call("POST", self._target(path, query), sent, encoded(form).encode())

        async def attempt() -> Reply:
            return self._accepted(await self._exchange(call, subject, is_token=True), subject)

        try:
            return await self._token_retries.run(attempt)
        except StorageError as error:
            raise self._token_error(error) from None

    async def close(self) -> None:
        """Close all connections."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.close()

    async def _with_login(self, call: Call, subject: str) -> Reply:
        """One call with credentials; a refused token is renewed once.

        A status that does not say for sure that the token has ended is tried with a new one just once per token.
        """
        if self._login is None:
            raise AssertionError("a client without login asks for tokens only")
        headers = await self._login.headers()
        reply = await self._exchange(call.with_headers(headers), subject)
        if reply.status == 401 or (reply.status in self._renew_on and headers is not self._renewed):
            await self._login.renew(headers)
            self._renewed = await self._login.headers()
            reply = await self._exchange(call.with_headers(self._renewed), subject)
        return reply

    async def _exchange(self, call: Call, subject: str, *, is_token: bool = False) -> Reply:
        if self._sender is None:
            self._sender = _open_sender(self._base, self._timeouts)
        reply = await self._sender.exchange(call, subject, is_token=is_token)
        if reply.date is not None:
            self.clock_skew = (reply.date - datetime.now(UTC)).total_seconds()
        return reply

    def _accepted(self, reply: Reply, subject: str, *, redirect: bool = False) -> Reply:
        if 200 <= reply.status < 300 or (redirect and _is_redirect(reply)):
            return reply
        error = problem(reply, subject)
        if isinstance(error, ThrottledError):
            self._pace.throttled((error.wait or 0.0) * self._scale)
        raise self._explain(reply, error)

    def _target(self, path: str, query: Pairs) -> str:
        base = urlsplit(self._base).path
        return f"{base}/{path.lstrip('/')}" + (f"?{encoded(query)}" if query else "")

    def _redirected(self, call: Call, reply: Reply, subject: str) -> str:
        """Where a redirect leads, if that is the same scheme, host and port."""
        try:
            goal, base = urlsplit(urljoin(self._base + call.target, reply.location)), urlsplit(self._base)
            same = (goal.scheme, goal.hostname, goal.port) == (base.scheme, base.hostname, base.port)
            name = goal.hostname or "nowhere"
        except ValueError:
            same, name = False, "nowhere"
        if not same or "@" in goal.netloc:
            raise UnsafeError(
                f"{self.host} redirects to another host ({plain(name, 100)}), which is not followed",
                subject=subject,
                hint="Check the addresses in the profile.",
            )
        return (goal.path or "/") + (f"?{goal.query}" if goal.query else "")

    def _token_error(self, error: StorageError) -> StorageError:
        """A refusal of a token service is about the login, whatever its status."""
        if error.status is None or error.status >= 500 or isinstance(error, LoginError | UnavailableError):
            return error
        if isinstance(error, MissingError):
            return ConfigError(
                f"there is no token service at {self.host}",
                subject=error.subject,
                hint="Check token_url or token_host.",
            )
        words = error.service_message.rstrip(". ")
        refused = "the service refuses the login" + (f": {words}" if words else "")
        return LoginError(
            refused if error.status == 400 else error.message,
            subject=error.subject,
            status=error.status,
            service_code=error.service_code,
            service_message=error.service_message,
        )


def _is_redirect(reply: Reply) -> bool:
    return 300 <= reply.status < 400 and bool(reply.location)


def _open_sender(base_url: str, timeouts: Timeouts) -> Sender:
    # Deferred because httpx takes 160 ms to import, and nothing needs it before the first request.
    from cloudstore_tui.net.transport import Channel

    return Channel(base_url, timeouts)

"""Credentials for one API host: a token, fetched when needed and renewed before it ends."""

import asyncio
import base64
import math
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from cloudstore_tui.core.errors import (
    ConfigError,
    NetworkError,
    ReplyError,
    StorageError,
    UnavailableError,
    no_more_threads,
)
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.net.clock import ClockReading, now
from cloudstore_tui.net.redaction import guard

MIN_LIFE_S, MAX_LIFE_S, DEFAULT_LIFE_S = 60.0, 86_400.0, 900.0
"""The life that a service states for a token is clamped to the first two; the third applies if it states none."""
RENEW_AT = 0.8
"""The part of its life after which a token is renewed; while that fails, the old one is used."""
MIN_REMAINING_S = 120.0
"""A token that expires in less than this is not used any more; for a short one, in less than a fifth of its life."""
RENEWAL_PAUSE_S = 30.0
"""Pause between attempts to renew a token that is still valid, or whose successor was rejected."""

_TOKEN = re.compile(r"[\x21-\x7e]+")


class AccessToken(msgspec.Struct, frozen=True):
    """An access token."""

    value: Secret
    life: float
    """Seconds."""


def token_life(raw: object) -> float:
    """The seconds in `expires_in`, which may be a number, digits as text, nonsense or missing."""
    try:
        seconds = float(str(raw).strip())
    except ValueError:
        return DEFAULT_LIFE_S
    return DEFAULT_LIFE_S if math.isnan(seconds) else min(max(seconds, MIN_LIFE_S), MAX_LIFE_S)


def basic(name: str, secret: Secret) -> Secret:
    """The value of an `Authorization` header with name and secret."""
    pair = base64.b64encode(f"{name}:{secret.reveal()}".encode()).decode()
    guard(Secret(pair))
    return Secret(f"Basic {pair}")


async def read_secret(profile: Profile, name: str) -> Secret:
    """One of the profile's secrets, in a form that a header can carry.

    Raises:
        ConfigError: no source has it, or it holds characters that cannot be sent.
    """
    secret = await _in_daemon_thread(lambda: profile.secrets(name))
    if not secret.reveal().isascii() or not secret.reveal().isprintable():
        raise ConfigError(
            f"the {name} of profile {profile.name} holds characters that cannot be sent",
            hint="Store exactly the text that the service shows.",
        )
    guard(secret)
    return secret


async def _in_daemon_thread(work: Callable[[], Secret]) -> Secret:
    # A thread of a pool would keep the program from ending.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Secret] = loop.create_future()

    def answer(secret: Secret | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        elif secret is not None:
            done.set_result(secret)

    def run() -> None:
        secret, failure = None, None
        try:
            secret = work()
        except StorageError as error:
            failure = error
        except BaseException as error:  # noqa: BLE001 - whatever ends this thread, the caller must hear of it
            failure = StorageError(f"a secret could not be read ({type(error).__name__})", hint="Please report this.")
        with suppress(RuntimeError):  # the loop has ended; nobody waits any more
            loop.call_soon_threadsafe(answer, secret, failure)

    _start(run)
    return await done


def _start(run: Callable[[], None]) -> None:
    try:
        threading.Thread(target=run, name="secret", daemon=True).start()
    except RuntimeError:
        raise no_more_threads() from None


class Login:
    """Adds credentials to calls. There is at most one token request at a time, and all callers share it."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[AccessToken]],
        extra: Callable[[], Mapping[str, Secret] | Awaitable[Mapping[str, Secret]]] = dict,
        clock: Callable[[], ClockReading] = now,
    ) -> None:
        """Send nothing yet.

        Args:
            fetch: requests a token.
            extra: further headers of every call, such as an API key.
            clock: the current time.
        """
        self._fetch = fetch
        self._extra = extra
        self._clock = clock
        self._renewal: asyncio.Task[None] | None = None
        self._token: AccessToken | None = None
        self._headers: Mapping[str, Secret] = {}
        self._rejected: Mapping[str, Secret] | None = None
        """Headers with a new token that were refused nevertheless."""
        self._rejected_until = ClockReading(0.0, 0.0)
        self._due = self._last = ClockReading(0.0, 0.0)
        self.ends: datetime | None = None
        """When the present token expires."""

    async def headers(self) -> Mapping[str, Secret]:
        """The headers of a call, with a token that stays valid for a while."""
        moment = self._clock()
        if moment.reached(self._last):
            await self._renew()
        elif moment.reached(self._due) and self._renewal is None:
            # While one caller renews a token that is still valid, all others keep using it.
            try:
                await self._renew()
            except UnavailableError:
                self._due = self._clock().later(RENEWAL_PAUSE_S)
            except StorageError:
                # It refuses the login, say. Asking again and again could lock the account.
                self._due = self._last
        return self._headers

    async def renew(self, used: Mapping[str, Secret], *, certain: bool = True) -> bool:
        """Replace the token of a refused call, unless that has been done already; return whether there is a new one.

        A new token that was refused as well is not to blame and is kept: for good, if the refusal may have another
        cause, or for a while, if it is `certain` that it was about the token.
        """
        if used is self._rejected and not (certain and self._clock().reached(self._rejected_until)):
            return False
        if used is self._headers:
            await self._renew()
        return True

    def mark_rejected(self, used: Mapping[str, Secret]) -> None:
        """Record that a call was refused although its token had just been renewed."""
        self._rejected, self._rejected_until = used, self._clock().later(RENEWAL_PAUSE_S)

    async def token(self) -> AccessToken:
        """The present token, fetched if need be."""
        await self.headers()
        if self._token is None:
            raise AssertionError("headers were made without a token")
        return self._token

    def close(self) -> None:
        """Cancel a token request that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()

    async def _renew(self) -> None:
        """Replace the token, in one request shared by all callers; cancelling one of them does not cancel it."""
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._replace())
            self._renewal.add_done_callback(self._renewed)
        renewal = self._renewal
        try:
            await asyncio.shield(renewal)
        except StorageError as error:
            # A copy for each caller, since callers add their own subjects.
            raise error.with_() from None
        except asyncio.CancelledError:
            if renewal.cancelled():
                raise NetworkError("the program is ending") from None
            raise

    def _renewed(self, renewal: "asyncio.Task[None]") -> None:
        self._renewal = None
        if not renewal.cancelled():
            # Retrieved here, as asyncio would complain if all callers were cancelled.
            renewal.exception()

    async def _replace(self) -> None:
        asked = self._clock()
        token = await self._fetch()
        if not _TOKEN.fullmatch(token.value.reveal()):
            raise ReplyError(
                "the token service gave a token that cannot be sent",
                hint="Check the address of the token service; if it is right, tell the service's support.",
            )
        guard(token.value)
        found = self._extra()
        extra = found if isinstance(found, Mapping) else await found
        self._headers = {"Authorization": Secret(f"Bearer {token.value.reveal()}"), **extra}
        self._token = token
        self._due = asked.later(token.life * RENEW_AT)
        self._last = asked.later(token.life - min(MIN_REMAINING_S, token.life * (1 - RENEW_AT)))
        self.ends = datetime.now(UTC) + timedelta(seconds=token.life)

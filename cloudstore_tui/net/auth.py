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

SHORTEST_LIFE, LONGEST_LIFE, USUAL_LIFE = 60.0, 86_400.0, 900.0
"""Seconds: what a service says of a token's life is held between the first two; the third if it says nothing."""
RENEWED_AFTER = 0.8
"""The part of its life after which a token is renewed; if that fails it is used on until `LAST_SECONDS`."""
LAST_SECONDS = 120.0
"""Seconds before its end in which a token is not used any more; a short one gets along with a fifth of its life."""
PAUSE = 30.0
"""Seconds between tries to renew a token that is still good, or that was renewed in vain."""

_TOKEN = re.compile(r"[\x21-\x7e]+")


class AccessToken(msgspec.Struct, frozen=True):
    """An access token."""

    value: Secret
    life: float
    """Seconds."""
    granted: tuple[str, ...] = ()
    """Scopes or products that the service says it is good for."""


def token_life(raw: object) -> float:
    """The seconds in `expires_in`, whatever form it has: a number, a text of digits, nonsense or nothing."""
    try:
        seconds = float(str(raw).strip())
    except ValueError:
        return USUAL_LIFE
    return USUAL_LIFE if math.isnan(seconds) else min(max(seconds, SHORTEST_LIFE), LONGEST_LIFE)


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
    secret = await _aside(lambda: profile.secrets(name))
    if not secret.reveal().isascii() or not secret.reveal().isprintable():
        raise ConfigError(
            f"the {name} of profile {profile.name} holds characters that cannot be sent",
            hint="Store exactly the text that the service shows.",
        )
    guard(secret)
    return secret


async def _aside(work: Callable[[], Secret]) -> Secret:
    """Do blocking work in a daemon thread: one of a pool would hold up the end of the program."""
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
        except BaseException as error:  # noqa: BLE001 - whatever ends this thread, somebody waits for it
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
    """Adds credentials to calls. One token request is under way at any time, and all callers share it."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[AccessToken]],
        extra: Callable[[], Mapping[str, Secret] | Awaitable[Mapping[str, Secret]]] = dict,
        clock: Callable[[], ClockReading] = now,
    ) -> None:
        """Make a login without sending anything.

        Args:
            fetch: asks for a token.
            extra: further headers of every call, such as an API key.
            clock: tells the time.
        """
        self._fetch = fetch
        self._extra = extra
        self._clock = clock
        self._renewal: asyncio.Task[None] | None = None
        self._token: AccessToken | None = None
        self._headers: Mapping[str, Secret] = {}
        self._in_vain: Mapping[str, Secret] | None = None
        """The headers with which a call was refused again, although their token was new."""
        self._vain_until = ClockReading(0.0, 0.0)
        self._due = self._last = ClockReading(0.0, 0.0)
        self.ends: datetime | None = None
        """When the present token ends."""

    async def headers(self) -> Mapping[str, Secret]:
        """The headers of a call, with a token that is still good for a while."""
        moment = self._clock()
        if moment.reached(self._last):
            await self._renew()
        elif moment.reached(self._due) and self._renewal is None:
            # While one caller renews a token that is still good, all others go on using it.
            try:
                await self._renew()
            except UnavailableError:
                self._due = self._clock().later(PAUSE)
        return self._headers

    async def renew(self, used: Mapping[str, Secret], *, certain: bool = True) -> bool:
        """Replace the token that a refused call used, unless somebody has done so; whether there is another one.

        A new token that was refused as well is not to blame: it is kept, for good if the refusal may mean something
        else, or for a while if it is `certain` that the token was meant.
        """
        if used is self._in_vain and not (certain and self._clock().reached(self._vain_until)):
            return False
        if used is self._headers:
            await self._renew()
        return True

    def renewed_in_vain(self, used: Mapping[str, Secret]) -> None:
        """Take note that a call was refused again with a token that had just been renewed for it."""
        self._in_vain, self._vain_until = used, self._clock().later(PAUSE)

    async def token(self) -> AccessToken:
        """The present token; fetched if there is none."""
        await self.headers()
        if self._token is None:
            raise AssertionError("headers were made without a token")
        return self._token

    def close(self) -> None:
        """Stop asking for a token."""
        if self._renewal is not None:
            self._renewal.cancel()

    async def _renew(self) -> None:
        """Replace the token, together with all others who want that now; who is cancelled leaves it to them."""
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._replace())
            self._renewal.add_done_callback(self._renewed)
        renewal = self._renewal
        try:
            await asyncio.shield(renewal)
        except StorageError as error:
            # Each caller tells its own: the same one would be about the first caller's object.
            raise error.with_() from None
        except asyncio.CancelledError:
            if renewal.cancelled():
                raise NetworkError("the program is ending") from None
            raise

    def _renewed(self, renewal: "asyncio.Task[None]") -> None:
        self._renewal = None
        if not renewal.cancelled():
            # Nobody looks at it where all callers were cancelled.
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
        self._due = asked.later(token.life * RENEWED_AFTER)
        self._last = asked.later(token.life - min(LAST_SECONDS, token.life * (1 - RENEWED_AFTER)))
        self.ends = datetime.now(UTC) + timedelta(seconds=token.life)

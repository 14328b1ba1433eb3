"""When something is tried again, how long to wait before that, and when to give up.

One policy for calls of the API, for tokens and for bytes, and one owner at a time: whoever begins has a `RetryBudget`,
and what is called below it is tried once, so that tries never multiply. A budget is used up by time alone, and no
single exchange outlives it.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from msgspec.structs import replace

from cloudstore_tui.core.errors import FullDiskError, ReplyError, StorageError, ThrottledError, UnavailableError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.clock import Clock

Answer = TypeVar("Answer")
Turn = Callable[[], AbstractAsyncContextManager[object]]

PROGRESS = 65_536
"""New bytes after which a transfer counts as going on, so that its budget starts anew."""
QUICK_TRIES = 8
"""Failures in a row without progress after which the line is taken to be down, and only probed."""
LONGEST_PAUSE = 60.0
SHORTEST_PROBE = 5.0
LAST_TRY = 5.0
"""Seconds that an exchange may take in any case: the last try comes when the time is up."""
DAMAGED = 60.0
"""Seconds for which answers may be damaged in a row; whoever sits in the way then will not go by itself."""
DISK_PAUSE = 30.0
"""Seconds between two looks at a disk that is full."""
LONGEST_WAIT_ASKED = 3600.0
"""Seconds; a service that asks for more is not waited for: the error tells until when."""
SHORTEST_WAIT_ASKED = 1.0
"""Seconds waited for `0` and for dates that have passed: asking again at once helps nobody."""

_FOREVER = 10.0**9
_log = logging.getLogger("cloudstore_tui.wait")

_owner: ContextVar["RetryBudget | None"] = ContextVar("owner", default=None)
_waits: dict[object, str] = {}


def waiting() -> str:
    """What this program waits for just now, as a clause; empty when nothing is. May be asked from any thread."""
    return next(reversed(list(_waits.values())), "")


def attempt() -> int:
    """Which try of the present owner this is, from 1."""
    owner = _owner.get()
    return owner.failures + 1 if owner is not None else 1


def for_one_exchange(timeouts: Timeouts) -> Timeouts:
    """The same for the exchange that begins now: none of them longer than what the present owner has left."""
    owner = _owner.get()
    most = max(owner.left if owner is not None else timeouts.give_up, LAST_TRY)
    return replace(
        timeouts,
        connect=min(timeouts.connect, most),
        read=min(timeouts.read, most),
        stall=min(timeouts.stall, most),
        give_up=most,
    )


class RetryBudget:
    """The time in which one piece of work may fail. Work that gets on is never given up."""

    def __init__(self, clock: Clock, give_up: float, disk: float = 0.0) -> None:
        """Make one; its time begins now.

        Args:
            clock: time and chance.
            give_up: seconds without progress after which a host is given up.
            disk: seconds after which a full disk is.
        """
        self._clock = clock
        self._give_up = give_up
        self._give_up_disk = disk
        self._since = clock.monotonic()
        self._mark = 0
        self._progressed = False
        self._damaged_since = math.inf
        self.failures = 0
        """Those in a row, without progress between them."""

    @property
    def left(self) -> float:
        """Seconds; 0 when it is used up."""
        return max(self._give_up - (self._clock.monotonic() - self._since), 0.0)

    def owning(self) -> "_Owning":
        """Own all tries in a block: what is called in it raises its first failure."""
        return _Owning(self)

    def saw(self, offset: int) -> bool:
        """Learn how many bytes are there now; whether that is progress."""
        progress = offset - self._mark >= PROGRESS
        if progress:
            self._since = self._clock.monotonic()
            self._damaged_since = math.inf
            self.failures = 0
            self._progressed = True
        if offset < self._mark or progress:
            self._mark = offset
        return progress

    def pause(self, error: StorageError) -> float:
        """Seconds to wait after a failure.

        Raises:
            StorageError: `error`, if another try is of no use, or would come too late.
        """
        if not error.retryable:
            raise error
        if isinstance(error, FullDiskError):
            return self._until_there_is_room(error)
        self.failures += 1
        self._check_damage(error)
        if isinstance(error, ThrottledError) and error.wait is not None:
            delay = max(error.wait, SHORTEST_WAIT_ASKED)
            if delay > LONGEST_WAIT_ASKED:
                raise error
            self.check(error, delay)
            return min(delay * self._clock.between(1.0, 1.1), max(self.left, delay))
        self.check(error)
        # The last try comes when the time is up, and not up to a minute before.
        return min(self._delay(), self.left)

    def check(self, error: StorageError, delay: float = 0.0) -> None:
        """Make sure that `delay` more seconds may pass.

        Raises:
            StorageError: `error`, if they may not.
        """
        if not self.left or delay > self.left:
            raise error

    async def wait(self, error: StorageError, hold: Callable[[str], None], note: str = "") -> None:
        """Wait before another try.

        Args:
            error: what failed.
            hold: told what is waited for, before that.
            note: what to tell instead of the error's message.

        Raises:
            StorageError: `error`, if there is no other try.
        """
        delay = self.pause(error)
        hold(note or error.message)
        with showing_wait(f"waiting {max(delay, 1):.0f} s: {error.message}"):
            await self._clock.sleep(delay)

    def _until_there_is_room(self, error: FullDiskError) -> float:
        if self._clock.monotonic() - self._since + DISK_PAUSE > self._give_up_disk:
            raise error
        return DISK_PAUSE

    def _check_damage(self, error: StorageError) -> None:
        now = self._clock.monotonic()
        if not isinstance(error, ReplyError):
            self._damaged_since = math.inf
        elif now - self._damaged_since >= DAMAGED:
            raise error
        else:
            self._damaged_since = min(self._damaged_since, now)

    def _delay(self) -> float:
        first, self._progressed = self._progressed, False
        if first:
            return self._clock.between(0.0, 0.5)
        if self.failures > QUICK_TRIES:
            return self._clock.between(SHORTEST_PROBE, LONGEST_PAUSE)
        return self._clock.between(0.0, min(2.0 ** (self.failures - 1), LONGEST_PAUSE))


class _Owning:
    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget

    def __enter__(self) -> None:
        self._before = _owner.set(self._budget)

    def __exit__(self, *_: object) -> None:
        _owner.reset(self._before)


class Retries:
    """Repeats calls that failed for a passing reason, and says so meanwhile."""

    def __init__(self, give_up: float, clock: Clock) -> None:
        self._give_up = give_up
        self._clock = clock
        self._notes: dict[object, str] = {}

    @property
    def note(self) -> str:
        """What is waited for, as a clause; empty when nothing is."""
        return next(reversed(self._notes.values()), "")

    async def run(self, call: Callable[[], Awaitable[Answer]], turn: Turn = nullcontext) -> Answer:
        """The answer of the first try that works.

        Args:
            call: one try.
            turn: entered for each try; time spent waiting for the first one does not count.

        Raises:
            StorageError: the error of the last try, or the first that would not pass by waiting.
        """
        if _owner.get() is not None:
            async with turn():
                return await call()
        budget: RetryBudget | None = None
        while True:
            try:
                async with turn():
                    budget = budget or RetryBudget(self._clock, self._give_up)
                    with budget.owning():
                        return await call()
            except UnavailableError as error:
                if budget is None or isinstance(error, ReplyError):
                    raise
                await self._wait(budget, error)

    async def _wait(self, budget: RetryBudget, error: UnavailableError) -> None:
        delay = budget.pause(error)
        asked = isinstance(error, ThrottledError) and error.wait is not None
        why = "the service asks to" if asked else f"attempt {budget.failures + 1} follows: {error.message}"
        # Of several lists, such as one for each region, the one that keeps the others waiting.
        what = f" for {error.subject}" if error.subject.endswith("/") else ""
        with showing_wait(f"waiting {max(delay, 1):.0f} s{what}: {why}", self._notes):
            await self._clock.sleep(delay)


@contextmanager
def showing_wait(note: str, *more: dict[object, str]) -> Iterator[None]:
    """Let `waiting` and further notes say what the block waits for."""
    key = object()
    _log.debug("%s", note)
    for notes in (_waits, *more):
        notes[key] = note
    try:
        yield
    finally:
        for notes in (_waits, *more):
            notes.pop(key, None)


def asked_wait(retry_after: str, reset: str, date: datetime | None) -> float | None:
    """Seconds from `Retry-After` (a number or a date) or `x-ratelimit-reset` (seconds since 1970), else `None`.

    Dates count from the service's own clock, because ours may be off. What makes no sense is nothing.
    """
    now = date or datetime.now(UTC)
    text = retry_after.strip()
    if text:
        if _is_number(text):
            return min(max(float(text), SHORTEST_WAIT_ASKED), _FOREVER)
        moment = http_date(text)
        return max((moment - now).total_seconds(), SHORTEST_WAIT_ASKED) if moment else None
    if _is_number(reset.strip()):
        return min(max(float(reset) - now.timestamp(), SHORTEST_WAIT_ASKED), _FOREVER)
    return None


def http_date(text: str) -> datetime | None:
    """The moment in an HTTP date, `None` if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 300

"""When to retry, how long to wait before that, and when to give up.

One policy for API calls, tokens and bytes, and one owner at a time: the outermost caller has a `RetryBudget`, and
everything it calls is tried once, so that retries never multiply. A budget is used up by time alone, and no single
exchange outlives it.
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

PROGRESS_BYTES = 65_536
"""New bytes after which a transfer has made progress, so that its budget starts afresh."""
MAX_QUICK_RETRIES = 8
"""Failures in a row without progress after which the connection counts as down and is only probed."""
MAX_PAUSE_S = 60.0
MIN_PROBE_PAUSE_S = 5.0
MIN_EXCHANGE_S = 5.0
"""Seconds that every exchange gets: the last try starts when the budget has just run out."""
MAX_DAMAGED_S = 60.0
"""Seconds for which every reply may be damaged; after that, whatever damages them is not a passing problem."""
DISK_POLL_S = 30.0
"""Seconds between two attempts to write to a full disk."""
MAX_RETRY_AFTER_S = 3600.0
"""A service that asks for a longer wait is not waited for: the error says until when."""
MIN_RETRY_AFTER_S = 1.0
"""Waited for `0` and for dates in the past: retrying at once helps nobody."""

_MAX_SECONDS = 10.0**9
_log = logging.getLogger("cloudstore_tui.wait")

_owner: ContextVar["RetryBudget | None"] = ContextVar("owner", default=None)
_waits: dict[object, str] = {}


def waiting() -> str:
    """What this process is waiting for, as a clause; empty if it is not. Safe to call from any thread."""
    return next(reversed(list(_waits.values())), "")


def attempt_number() -> int:
    """The number of the current attempt of the present owner, from 1."""
    owner = _owner.get()
    return owner.failures + 1 if owner is not None else 1


def exchange_timeouts(timeouts: Timeouts) -> Timeouts:
    """The time-outs for one exchange that starts now, none of them beyond the time that the present owner has left."""
    owner = _owner.get()
    most = max(owner.left if owner is not None else timeouts.give_up, MIN_EXCHANGE_S)
    return replace(
        timeouts,
        connect=min(timeouts.connect, most),
        read=min(timeouts.read, most),
        stall=min(timeouts.stall, most),
        give_up=most,
    )


class RetryBudget:
    """How long one piece of work may keep failing. Work that makes progress is never given up."""

    def __init__(self, clock: Clock, give_up: float, disk: float = 0.0) -> None:
        """Start the time.

        Args:
            clock: time and chance.
            give_up: seconds without progress after which to give up on a host.
            disk: seconds after which to give up on a full disk.
        """
        self._clock = clock
        self._give_up = give_up
        self._give_up_disk = disk
        self._since = clock.monotonic()
        self._mark = 0
        self._progressed = False
        self._damaged_since = math.inf
        self.failures = 0
        """Failures in a row, without progress between them."""

    @property
    def left(self) -> float:
        """Seconds left; 0 when it is used up."""
        return max(self._give_up - (self._clock.monotonic() - self._since), 0.0)

    @contextmanager
    def owning_retries(self) -> Iterator[None]:
        """Be the owner of all retries within the block: calls in it raise their first failure."""
        before = _owner.set(self)
        try:
            yield
        finally:
            _owner.reset(before)

    def record_progress(self, offset: int) -> bool:
        """Take note of how many bytes have arrived; return whether that is progress."""
        progress = offset - self._mark >= PROGRESS_BYTES
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
            StorageError: `error`, if retrying is useless or too late.
        """
        if not error.retryable:
            raise error
        if isinstance(error, FullDiskError):
            return self._disk_pause(error)
        self.failures += 1
        self._check_damage(error)
        if isinstance(error, ThrottledError) and error.wait is not None:
            delay = max(error.wait, MIN_RETRY_AFTER_S)
            if delay > MAX_RETRY_AFTER_S:
                raise error
            self.check(error, delay)
            return min(delay * self._clock.between(1.0, 1.1), max(self.left, delay))
        self.check(error)
        # The last try starts when the time is up, not up to a minute before.
        return min(self._delay(), self.left)

    def check(self, error: StorageError, delay: float = 0.0) -> None:
        """Raise `error` unless at least `delay` seconds are left."""
        if not self.left or delay > self.left:
            raise error

    async def wait(self, error: StorageError, on_wait: Callable[[str], None], note: str = "") -> None:
        """Wait before the next try.

        Args:
            error: what failed.
            on_wait: called first, with what is waited for.
            note: what to pass to it instead of the error's message.

        Raises:
            StorageError: `error`, if there is no next try.
        """
        delay = self.pause(error)
        on_wait(note or error.message)
        with showing_wait(f"waiting {max(delay, 1):.0f} s: {error.message}"):
            await self._clock.sleep(delay)

    def _disk_pause(self, error: FullDiskError) -> float:
        if self._clock.monotonic() - self._since + DISK_POLL_S > self._give_up_disk:
            raise error
        return DISK_POLL_S

    def _check_damage(self, error: StorageError) -> None:
        now = self._clock.monotonic()
        if not isinstance(error, ReplyError):
            self._damaged_since = math.inf
        elif now - self._damaged_since >= MAX_DAMAGED_S:
            raise error
        else:
            self._damaged_since = min(self._damaged_since, now)

    def _delay(self) -> float:
        is_first, self._progressed = self._progressed, False
        if is_first:
            return self._clock.between(0.0, 0.5)
        if self.failures > MAX_QUICK_RETRIES:
            return self._clock.between(MIN_PROBE_PAUSE_S, MAX_PAUSE_S)
        return self._clock.between(0.0, min(2.0 ** (self.failures - 1), MAX_PAUSE_S))


class Retries:
    """Retries calls that failed for a passing reason, with a note for the user meanwhile."""

    def __init__(self, give_up: float, clock: Clock) -> None:
        self._give_up = give_up
        self._clock = clock
        self._notes: dict[object, str] = {}

    @property
    def note(self) -> str:
        """What is being waited for, as a clause; empty if nothing is."""
        return next(reversed(self._notes.values()), "")

    async def run(self, call: Callable[[], Awaitable[Answer]], turn: Turn = nullcontext) -> Answer:
        """The result of the first try that succeeds.

        Args:
            call: makes one try.
            turn: entered for each try; time spent waiting for the first one does not count.

        Raises:
            StorageError: the error of the last try, or the first one that waiting does not help.
        """
        if _owner.get() is not None:
            async with turn():
                return await call()
        budget: RetryBudget | None = None
        while True:
            try:
                async with turn():
                    budget = budget or RetryBudget(self._clock, self._give_up)
                    with budget.owning_retries():
                        return await call()
            except UnavailableError as error:
                if budget is None or isinstance(error, ReplyError):
                    raise
                await self._wait(budget, error)

    async def _wait(self, budget: RetryBudget, error: UnavailableError) -> None:
        delay = budget.pause(error)
        asked = isinstance(error, ThrottledError) and error.wait is not None
        why = "the service asks to" if asked else f"attempt {budget.failures + 1} follows: {error.message}"
        # Of several listings, such as one per region, name the one that keeps the others waiting.
        what = f" for {error.subject}" if error.subject.endswith("/") else ""
        with showing_wait(f"waiting {max(delay, 1):.0f} s{what}: {why}", self._notes):
            await self._clock.sleep(delay)


@contextmanager
def showing_wait(note: str, *more: dict[object, str]) -> Iterator[None]:
    """Show what the block waits for in `waiting()`, and in further dictionaries of notes."""
    key = object()
    _log.debug("%s", note)
    for notes in (_waits, *more):
        notes[key] = note
    try:
        yield
    finally:
        for notes in (_waits, *more):
            notes.pop(key, None)


def retry_after_s(retry_after: str, reset: str, date: datetime | None) -> float | None:
    """Seconds from `Retry-After` (a number or a date) or `x-ratelimit-reset` (seconds since 1970), else `None`.

    Dates are relative to the service's own clock, because ours may be off. Values that make no sense are ignored.
    """
    now = date or datetime.now(UTC)
    text = retry_after.strip()
    if text:
        if _is_number(text):
            return min(max(float(text), MIN_RETRY_AFTER_S), _MAX_SECONDS)
        moment = http_date(text)
        return max((moment - now).total_seconds(), MIN_RETRY_AFTER_S) if moment else None
    if _is_number(reset.strip()):
        return min(max(float(reset) - now.timestamp(), MIN_RETRY_AFTER_S), _MAX_SECONDS)
    return None


def http_date(text: str) -> datetime | None:
    """The time in an HTTP date; `None` if it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 300

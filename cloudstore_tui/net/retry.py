"""When a call is tried again, and how long to wait before that."""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from cloudstore_tui.core.errors import ReplyError, ThrottledError, UnavailableError

Answer = TypeVar("Answer")
Turn = Callable[[], AbstractAsyncContextManager[object]]

LONGEST_ASKED = 3600.0
"""Seconds a service may ask to wait at the very most; above that the call fails at once and tells until when."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long one kind of call is tried."""

    tries: int = 6
    first: float = 1.0
    longest: float = 60.0
    """Seconds: waits are random up to a limit that doubles from `first` to `longest`."""


READING = Patience()
TOKEN = Patience(tries=4, first=0.5, longest=8.0)
"""A login that does not come after these is not worth waiting for."""


class Retries:
    """Repeats calls that failed for a passing reason, and says so meanwhile."""

    def __init__(self, give_up: float, patience: Patience = READING, *, scale: float = 1.0) -> None:
        self._give_up = give_up
        self._patience = patience
        self._scale = scale
        self._notes: dict[object, str] = {}

    @property
    def note(self) -> str:
        """What is waited for, as a clause; empty when nothing is."""
        return next(reversed(self._notes.values()), "")

    async def run(self, call: Callable[[], Awaitable[Answer]], turn: Turn = nullcontext) -> Answer:
        """The answer of the first try that works.

        Args:
            call: one try.
            turn: entered for each try; time spent waiting for it does not count.

        Raises:
            StorageError: the error of the last try, or the first that would not pass by waiting.
        """
        # Deferred because it takes 40 ms to import, and nothing needs it before the first request.
        import stamina

        run = _Run(self._give_up, self._patience)

        def decide(error: Exception) -> bool | float:
            wait = run.wait_after(error)
            if wait is None:
                return False
            self._notes[run] = run.note
            return wait * self._scale

        attempts = stamina.retry_context(on=decide, attempts=self._patience.tries, timeout=None)
        try:
            async for attempt in attempts:
                with attempt:
                    async with turn():
                        run.begin()
                        self._notes.pop(run, None)
                        return await call()
        finally:
            self._notes.pop(run, None)
        raise AssertionError("a retry ends with an answer or an error")


class _Run:
    """One call with all its tries."""

    def __init__(self, give_up: float, patience: Patience) -> None:
        self._give_up = give_up
        self._patience = patience
        self._began: float | None = None
        self._failed = 0
        self.note = ""

    def begin(self) -> None:
        """A try begins; the time counts from the first."""
        if self._began is None:
            self._began = time.monotonic()

    def wait_after(self, error: Exception) -> float | None:
        """Seconds until the next try; `None` if there is none."""
        self._failed += 1
        if not isinstance(error, UnavailableError) or isinstance(error, ReplyError):
            return None
        left = self._give_up - (time.monotonic() - (self._began or 0.0))
        if isinstance(error, ThrottledError) and error.wait is not None:
            if error.wait > min(left, LONGEST_ASKED):
                return None
            wait = min(error.wait * random.uniform(1.0, 1.1), max(left, error.wait))
            self.note = f"waiting {max(wait, 1):.0f} s: the service asks to"
            return wait
        limit = min(self._patience.longest, self._patience.first * 2.0 ** (self._failed - 1))
        wait = random.uniform(0.0, limit)
        self.note = (
            f"trying again in {wait:.0f} s (attempt {self._failed + 1} of {self._patience.tries}): {error.message}"
        )
        return wait if wait < left else None

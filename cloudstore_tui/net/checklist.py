"""The checks of `profile test` and `doctor`, one after the other."""

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.provider import Check
from cloudstore_tui.net.api import MAX_SKEW, clock_words

REPORTED_SKEW_S = 60.0
"""Seconds by which the clocks may differ before it is reported."""

_HINT = "Set it, or let NTP do so: signed links and tokens depend on it."


class Doubt(msgspec.Struct, frozen=True):
    """Something that works but is probably not what the user wants."""

    text: str
    hint: str = ""


Step = Callable[[], Awaitable[str | Doubt]]
"""Checks one thing and returns what it found; raises if something is wrong."""


class Checklist:
    """Runs steps until one fails, and ends with the clock."""

    def __init__(self, subject: str, skew: Callable[[], float]) -> None:
        """Start an empty list.

        Args:
            subject: the profile, for errors.
            skew: seconds by which the service's clock is ahead of ours.
        """
        self._subject = subject
        self._skew = skew
        self._found: list[Check] = []

    async def run(self, steps: Iterable[tuple[str, Step]]) -> bool:
        """Run some more steps; return whether all succeeded."""
        for title, step in steps:
            try:
                found = await step()
            except StorageError as error:
                # A clock that is off makes a login fail, so the cause is listed before the effect.
                if abs(self._skew()) > REPORTED_SKEW_S:
                    self._found.append(self._clock())
                self._found.append(Check(title, False, str(error), error))
                return False
            self._found.append(_check(title, found))
        return True

    def end(self, *, ok: bool) -> tuple[Check, ...]:
        """All results, and the clock if nothing failed."""
        return (*self._found, self._clock()) if ok else tuple(self._found)

    def _clock(self) -> Check:
        skew = self._skew()
        if abs(skew) <= REPORTED_SKEW_S:
            return Check("clock", True, "agrees with the service")
        text = clock_words(skew)
        if abs(skew) <= MAX_SKEW:
            return Check("clock", False, text, hint=_HINT)
        error = StorageError(text, subject=self._subject, hint=_HINT)
        return Check("clock", False, str(error), error)


def _check(title: str, found: str | Doubt) -> Check:
    return Check(title, True, found) if isinstance(found, str) else Check(title, False, found.text, hint=found.hint)

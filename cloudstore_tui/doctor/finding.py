"""One line of a check-up."""

from dataclasses import dataclass
from enum import StrEnum

from cloudstore_tui.core.errors import StorageError


class Verdict(StrEnum):
    """How something was found."""

    OK = "ok"
    WARN = "warn"
    """It works, but not in everything or not for ever."""
    FAIL = "FAIL"
    SKIP = "skip"
    """Not looked at, because of something before it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it was found, and what to do."""

    subject: str
    """The profile it is about; empty for what is the same for all."""
    title: str
    verdict: Verdict
    text: str
    """What was found, not yet safe to draw."""
    hint: str = ""
    """What to do, in sentences; empty where nothing is wrong, or nobody knows."""
    code: int = 0
    """Exit code that this failure stands for."""


def failed(subject: str, title: str, error: StorageError) -> Finding:
    """A failure in the words of an error."""
    place = f"{error.subject}: " if error.subject and error.subject != subject else ""
    return Finding(subject, title, Verdict.FAIL, f"{place}{error.message}", error.hint, error.code)

"""The requests that the sandbox has seen, for tests and for people who wonder."""

from collections import deque
from dataclasses import dataclass

MOST = 20_000
"""Requests kept; older ones go."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request and how it was answered."""

    method: str
    host: str
    path: str
    query: str
    headers: tuple[str, ...]
    """Names only, in lower case: values can be credentials."""
    status: int


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=MOST)

    @property
    def requests(self) -> list[Seen]:
        """What was seen since the last `clear`."""
        return list(self._seen)

    def add(self, seen: Seen) -> None:
        """Note one request."""
        self._seen.append(seen)

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()

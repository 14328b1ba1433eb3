"""The requests that the sandbox has seen, for tests and for people who wonder."""

from collections import deque

import msgspec

MAX_LOGGED = 20_000
"""Requests kept; older ones go."""

TRACE = "sandbox.trace"
"""Where a scope's state holds the trace of a request."""


class LoggedRequest(msgspec.Struct):
    """One request and how it was answered."""

    method: str
    host: str
    path: str
    query: str
    headers: tuple[str, ...]
    """Names only, in lower case: values can be credentials."""
    status: int = 0
    """0 if the connection ended without an answer."""
    role: str = ""
    """`token`, `api` or `blob`; a link of 8x8 is a blob although it has the host of the API."""
    asked: tuple[tuple[str, str], ...] = ()
    """The range and the conditions that were asked for, by the names of their headers."""
    sent: int = 0
    """Bytes of the body handed to the connection; final once the answer is over."""
    fault: str = ""
    """The faults that it met, by name."""


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[LoggedRequest] = deque(maxlen=MAX_LOGGED)
        self.times_cleared = 0

    @property
    def requests(self) -> list[LoggedRequest]:
        """What was seen since the last `clear`."""
        return list(self._seen)

    def add(self, seen: LoggedRequest) -> None:
        """Note one request."""
        self._seen.append(seen)

    def clear(self) -> None:
        """Forget everything, also what is still without an answer."""
        self.times_cleared += 1
        self._seen.clear()


class RequestTrace:
    """One request while it is answered; it is in the log as soon as its answer begins, or its connection has ended."""

    def __init__(self, log: RequestLog, seen: LoggedRequest) -> None:
        self._log = log
        self._seen = seen
        self._begun = log.times_cleared
        self._noted = False

    def met(self, fault: str) -> None:
        """Note a fault."""
        self._seen.fault = f"{self._seen.fault}, {fault}".removeprefix(", ")

    def answered(self, status: int) -> None:
        """Note the beginning of the answer, or with 0 its absence."""
        if not self._noted:
            self._noted = True
            self._seen.status = status
            if self._log.times_cleared == self._begun:
                self._log.add(self._seen)

    def sent(self, count: int) -> None:
        """Note bytes of the body."""
        self._seen.sent += count

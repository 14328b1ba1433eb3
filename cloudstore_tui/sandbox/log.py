"""A log of the requests to the sandbox, for tests and for people who want to know."""

from collections import deque

import msgspec

MAX_LOGGED = 20_000
"""Requests in the log; older ones are dropped."""

TRACE = "sandbox.trace"
"""The key of a request's trace in the state of its scope."""


class LoggedRequest(msgspec.Struct):
    """One request and how it was answered."""

    method: str
    host: str
    path: str
    query: str
    headers: tuple[str, ...]
    """Names only, in lower case: values can be credentials."""
    status: int = 0
    """0 if the connection was closed without an answer."""
    role: str = ""
    """`token`, `api` or `blob`; a link of 8x8 is a blob although it has the host of the API."""
    asked: tuple[tuple[str, str], ...] = ()
    """Name and value of the headers for ranges and conditions."""
    sent: int = 0
    """Bytes of the body handed to the connection so far."""
    fault: str = ""
    """Names of the faults that it met."""


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[LoggedRequest] = deque(maxlen=MAX_LOGGED)
        self.clears = 0

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests since the last `clear`."""
        return list(self._seen)

    def add(self, seen: LoggedRequest) -> None:
        """Log one request."""
        self._seen.append(seen)

    def clear(self) -> None:
        """Drop everything, including requests that have no answer yet."""
        self.clears += 1
        self._seen.clear()


class RequestTrace:
    """A request being answered, which is logged when its answer begins or its connection is closed."""

    def __init__(self, log: RequestLog, seen: LoggedRequest) -> None:
        self._log = log
        self._seen = seen
        self._clears_before = log.clears
        self._is_logged = False

    def met(self, fault: str) -> None:
        """Add a fault."""
        self._seen.fault = f"{self._seen.fault}, {fault}".removeprefix(", ")

    def answered(self, status: int) -> None:
        """Log the request with the status of its answer, or 0 if there is none."""
        if not self._is_logged:
            self._is_logged = True
            self._seen.status = status
            if self._log.clears == self._clears_before:
                self._log.add(self._seen)

    def sent(self, count: int) -> None:
        """Count bytes of the body."""
        self._seen.sent += count

"""Every error a user can meet.

```
StorageError
├── PartialError        1    some of several things failed
├── UsageError          2    an argument, date, limit or name that cannot be used
│   ├── FilterError     2    a FIQL text that does not parse; knows the position
│   ├── ConfigError     2    the configuration file; knows file and line
│   └── UnsupportedError 2   the service has no such ability
├── AccessError         3    who you are, or what you may do
│   ├── LoginError      3    the key or secret was refused
│   ├── ForbiddenError  3    logged in, but not allowed
│   └── ReadOnlyError   3    the profile is read-only
├── UnavailableError    4    try again later
│   ├── NetworkError    4    no answer: name, connection, time-out, TLS time-out
│   │   └── UnsettledError 4  sent, and nobody knows what came of it
│   ├── ThrottledError  4    the service asks to wait; knows how long
│   └── ReplyError      4    an answer that is not the API's
├── LocalDiskError      5    this machine's disk
│   └── FullDiskError   5    no room left; goes on once there is
├── IntegrityError      6    bytes that contradict a checksum, a size or a manifest
├── UnsafeError         7    a link, host, redirect or certificate that must not be followed
├── MissingError        8    no such thing, or gone
│   └── NotAvailableError 8  there, but not AVAILABLE; knows the state
├── ConflictError       9    a local file is in the way
├── BusyError          10    another process is doing it
├── JobError           11    a zip job failed or is incomplete
└── InterruptedTransfer 130  stopped by the user
```

The number is the exit code of a command that ends with this error. An error is a sentence about the user's thing:
`place` is what it is about (`acme:exports/x.tar`), `cause` what is wrong, `cure` what to do next. None of the three
ever holds a secret, a query string or a header value.
"""

from typing import ClassVar


class StorageError(Exception):
    """Something the user asked for could not be done."""

    code: ClassVar[int] = 1
    """Exit code of a command that ends with this error."""
    retryable: ClassVar[bool] = False
    """Whether the same request may work later without any change."""

    def __init__(self, cause: str, *, place: str = "", cure: str = "") -> None:
        super().__init__(cause)
        self.place = place
        """What the error is about, as the user would write it: a path, a profile, a file."""
        self.cause = cause
        """What is wrong: a clause without capital or full stop."""
        self.cure = cure
        """What the user can do: a whole sentence, or nothing."""

    def at(self, place: str) -> "StorageError":
        """The same error, about `place` if it was about nothing yet."""
        if not self.place:
            self.place = place
        return self

    def __str__(self) -> str:
        sentence = f"{self.place}: {self.cause}" if self.place else self.cause[:1].upper() + self.cause[1:]
        if not sentence.endswith((".", "!", "?")):
            sentence += "."
        return f"{sentence} {self.cure}".rstrip()


class PartialError(StorageError):
    """Some of several things failed, for different reasons."""

    code = 1


class UsageError(StorageError):
    """An argument that cannot be used."""

    code = 2


class FilterError(UsageError):
    """A FIQL text that does not parse, or that cannot be sent as it is."""

    def __init__(self, cause: str, *, text: str, position: int, cure: str = "") -> None:
        super().__init__(cause, place="filter", cure=cure)
        self.text = text
        """The whole filter."""
        self.position = position
        """Offset of the first character that is wrong."""


class ConfigError(UsageError):
    """The configuration cannot be used; `place` is `file:line`."""


class UnsupportedError(UsageError):
    """The service has no such ability."""


class AccessError(StorageError):
    """Who you are, or what you may do."""

    code = 3


class LoginError(AccessError):
    """The key, secret or scope was refused."""


class ForbiddenError(AccessError):
    """Logged in, but not allowed to do this."""


class ReadOnlyError(AccessError):
    """The profile is read-only."""


class UnavailableError(StorageError):
    """The service cannot be used just now."""

    code = 4
    retryable = True


class NetworkError(UnavailableError):
    """No answer came: the name, the connection or the time-out."""


class UnsettledError(NetworkError):
    """Something was sent that changes something, and nobody knows whether it was done."""


class ThrottledError(UnavailableError):
    """The service asks to wait."""

    def __init__(self, cause: str, *, wait: float | None = None, place: str = "", cure: str = "") -> None:
        super().__init__(cause, place=place, cure=cure)
        self.wait = wait
        """Seconds the service asks to wait, if it said so."""


class ReplyError(UnavailableError):
    """The answer is not one that the API gives: HTML, XML, broken JSON, too large."""


class LocalDiskError(StorageError):
    """This machine's disk: full, read-only, missing."""

    code = 5


class FullDiskError(LocalDiskError):
    """No room is left, or none that may be used."""

    retryable = True


class IntegrityError(StorageError):
    """Bytes that contradict a checksum, a size or a manifest."""

    code = 6


class UnsafeError(StorageError):
    """A link, host, redirect or certificate that must not be followed."""

    code = 7


class MissingError(StorageError):
    """No such thing, or gone."""

    code = 8


class NotAvailableError(MissingError):
    """The object exists but its content cannot be fetched in this state."""

    def __init__(self, cause: str, *, state: str, place: str = "", cure: str = "") -> None:
        super().__init__(cause, place=place, cure=cure)
        self.state = state
        """The object's state as the service names it."""


class ConflictError(StorageError):
    """A local file, or an object on the server, is in the way."""

    code = 9


class BusyError(StorageError):
    """Another process is doing it."""

    code = 10
    retryable = True


class JobError(StorageError):
    """A zip job failed or is incomplete."""

    code = 11


class InterruptedTransfer(StorageError):  # noqa: N818 - a stop asked for is no error
    """The user stopped it."""

    code = 130


def common_code(errors: list[StorageError]) -> int:
    """Exit code of a batch: 0 without errors, the cause all errors share, else 1."""
    codes = {error.code for error in errors}
    if not codes:
        return 0
    return codes.pop() if len(codes) == 1 else PartialError.code

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
│   │   └── OutcomeUnknownError 4  a change was sent; whether it was made is unknown
│   ├── ThrottledError  4    the service asks to wait; knows how long
│   └── ReplyError      4    an answer that is not the API's
│       └── UnreadableError 4  records in it that cannot be read; knows how many
├── LocalDiskError      5    this machine's disk
│   └── FullDiskError   5    no room left; work continues once there is some
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
`subject` is what it is about (`acme:exports/x.tar`), `message` what is wrong, `hint` what to do next. None of the three
ever holds a secret, a query string or a header value.

Errors are immutable, since several callers may share one; `with_` and `about` give copies. No logic reads the text of a
message: what a caller needs to know is in the class and the fields.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from cloudstore_tui import __version__

CRASHED = 70
"""Exit code after a bug in this program."""
CLOSED_PIPE = 141
"""Exit code once nobody reads the output any more."""


class StorageError(Exception):
    """Something the user asked for could not be done."""

    code: ClassVar[int] = 1
    """Exit code of a command that ends with this error."""
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""

    def __init__(
        self,
        message: str,
        *,
        subject: str = "",
        hint: str = "",
        status: int | None = None,
        service_code: str = "",
        service_message: str = "",
    ) -> None:
        super().__init__(message)
        self.message: Final = message
        """What is wrong: a clause without capital or full stop."""
        self.subject: Final = subject
        """What the error is about, as the user would write it: a path, a profile, a file."""
        self.hint: Final = hint
        """What the user can do: a whole sentence, or nothing."""
        self.status: Final = status
        """HTTP status of the reply; `None` where it does not come from a reply."""
        self.service_code: Final = service_code
        """The service's own error code, such as `invalid_scope`; may be empty."""
        self.service_message: Final = service_message
        """The service's own words, safe to show; may be empty."""

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change a field."""
        if name in vars(self) and not name.startswith("__"):
            raise AttributeError(f"{name} of an error cannot be changed; with_() gives a copy")
        super().__setattr__(name, value)

    def with_(self, *, message: str | None = None, subject: str | None = None, hint: str | None = None) -> Self:
        """A copy with another message, subject or hint."""
        changes = {"message": message, "subject": subject, "hint": hint}
        copy = type(self).__new__(type(self), self.message if message is None else message)
        vars(copy).update(vars(self), **{name: text for name, text in changes.items() if text is not None})
        copy.__cause__, copy.__suppress_context__ = self.__cause__, self.__suppress_context__
        return copy

    def about(self, subject: str) -> Self:
        """This error, with `subject` if it has none yet."""
        return self if self.subject else self.with_(subject=subject)

    def __str__(self) -> str:
        sentence = f"{self.subject}: {self.message}" if self.subject else self.message[:1].upper() + self.message[1:]
        if not sentence.endswith((".", "!", "?")):
            sentence += "."
        return f"{sentence} {self.hint}".rstrip()


class PartialError(StorageError):
    """Some of several things failed, for different reasons."""

    code = 1


class UsageError(StorageError):
    """An argument that cannot be used."""

    code = 2


class FilterError(UsageError):
    """A FIQL filter that does not parse, or that cannot be sent as it is."""

    def __init__(self, message: str, *, text: str, position: int, hint: str = "") -> None:
        super().__init__(message, subject="filter", hint=hint)
        self.text: Final = text
        """The whole filter."""
        self.position: Final = position
        """Offset of the first character that is wrong."""


class ConfigError(UsageError):
    """The configuration cannot be used; `subject` is `file:line`."""


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


class OutcomeUnknownError(NetworkError):
    """A request that changes something was sent, and its outcome is unknown."""


class ThrottledError(UnavailableError):
    """The service asks to wait."""

    def __init__(self, message: str, *, wait: float | None = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.wait: Final = wait
        """Seconds the service asks to wait, if it says so."""


class ReplyError(UnavailableError):
    """The answer is not one that the API gives: HTML, XML, broken JSON, too large."""


class UnreadableError(ReplyError):
    """Records from the service that cannot be read, so a listing lacks them."""

    def __init__(self, number: int, *, subject: str) -> None:
        records, are = ("record", "is") if number == 1 else ("records", "are")
        super().__init__(
            f"{number:,} {records} of the service cannot be read, and {are} missing here",
            subject=subject,
            hint="Its support team can find out what is wrong.",
        )
        self.number: Final = number


def unreadable(number: int, subject: str) -> tuple[UnreadableError, ...]:
    """The failures of a page with this many unreadable records: one error, or none."""
    return (UnreadableError(number, subject=subject),) if number else ()


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

    def __init__(self, message: str, *, state: str, subject: str = "", hint: str = "") -> None:
        super().__init__(message, subject=subject, hint=hint)
        self.state: Final = state
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


class InterruptedTransfer(StorageError):  # noqa: N818 - stopping on request is no error
    """The user stopped it."""

    code = 130


def no_more_threads() -> LocalDiskError:
    """The error for a thread or process that the system refuses to start."""
    hint = "End other programs, or raise the limit that `ulimit -u` shows."
    return LocalDiskError("this machine starts no more threads", hint=hint)


def distinct(failures: Iterable[StorageError]) -> tuple[StorageError, ...]:
    """The failures without repetitions, in order; numbers of unreadable records are added up per subject."""
    unique: dict[tuple[type, str, str], StorageError] = {}
    for failure in failures:
        if isinstance(failure, UnreadableError):
            key = (type(failure), failure.subject, "")
            earlier = unique.get(key)
            number = failure.number + (earlier.number if isinstance(earlier, UnreadableError) else 0)
            unique[key] = UnreadableError(number, subject=failure.subject)
        else:
            unique.setdefault((type(failure), failure.subject, failure.message), failure)
    return tuple(unique.values())


def common_code(errors: list[StorageError]) -> int:
    """Exit code of a batch: 0 without errors, the code that all errors share, else 1."""
    codes = {error.code for error in errors}
    if not codes:
        return 0
    return codes.pop() if len(codes) == 1 else PartialError.code


def error_for_code(code: int, message: str, *, subject: str = "", hint: str = "") -> StorageError:
    """Rebuild an error from its stored exit code and texts, as the base class of that code."""
    return _BASE_CLASSES.get(code, StorageError)(message, subject=subject, hint=hint)


_BASE_CLASSES: Final[Mapping[int, type[StorageError]]] = {
    kind.code: kind
    for kind in (
        *(PartialError, UsageError, AccessError, UnavailableError, LocalDiskError, IntegrityError, UnsafeError),
        *(MissingError, ConflictError, BusyError, JobError, InterruptedTransfer),
    )
}


def origin(error: BaseException | None) -> str:
    """The class of an error and the line of our source it comes from; no values and no message, which may be secret."""
    # Deferred: needed only after a crash.
    import traceback

    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    ours = [frame for frame in frames if "cloudstore_tui" in Path(frame.filename).parts]
    last = ours[-1] if ours else frames[-1] if frames else None
    where = f" in {Path(last.filename).name} line {last.lineno}" if last is not None else ""
    return f"{type(error).__name__}{where}"


def crash_sentence(error: BaseException | None) -> str:
    """The message for a crash."""
    return f"cloudstore {__version__} crashed ({origin(error)}). Finished downloads are safe. Please report this line."

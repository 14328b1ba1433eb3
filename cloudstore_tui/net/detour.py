"""Replies that ask for another request, and become an error only when they repeat."""

from typing import ClassVar

from cloudstore_tui.core.errors import IntegrityError, StorageError

_SUPPORT = "If this repeats, show the service's support the path and the time."


class DetourError(Exception):
    """Something that another request may put right."""

    most: ClassVar[int] = 1
    """How often it is tried to be put right."""
    restart_from: ClassVar[int | None] = None
    """The how-manieth time the bytes that are here are given up; `None` for never."""

    def __init__(self, final: StorageError) -> None:
        super().__init__(final.message)
        self.final = final
        """The error it is when it was not put right."""


class DeniedError(DetourError):
    """The link is refused: it may have ended."""


class ConditionError(DetourError):
    """The store refuses a conditional header that the link was not signed for."""


class ChangedError(DetourError):
    """The object is not the one that the bytes here are from."""

    most = 3
    restart_from = 1

    def __init__(self) -> None:
        super().__init__(IntegrityError("it keeps changing on the server", hint="Try again later."))


class RangeError(DetourError):
    """The reply holds other bytes than those asked for."""

    most = 2
    restart_from = 2

    def __init__(self) -> None:
        super().__init__(IntegrityError("the server keeps sending other bytes than asked for", hint=_SUPPORT))


class ContradictionError(DetourError):
    """The length of the reply cannot be right."""

    restart_from = 1

    def __init__(self, message: str) -> None:
        super().__init__(IntegrityError(message, hint=_SUPPORT))

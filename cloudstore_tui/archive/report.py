"""What a pull is going to do, and what it has done."""

from dataclasses import dataclass

from cloudstore_tui.core.errors import StorageError


@dataclass(frozen=True, slots=True)
class Preview:
    """A pull before it begins."""

    found: int
    had: int
    """Objects that are here already, complete."""
    size: int
    """Bytes of what is to be fetched, as far as the service tells them."""
    windows: int
    """Windows of time, or folders, that were looked at."""
    unit: str
    """Which of both: `window` or `folder`."""
    zip_jobs: int
    direct: int
    """Objects to be fetched one by one."""
    requests: int
    """Of the API, listing included."""
    seconds: float
    """To fetch everything at the present pace."""
    examples: tuple[str, ...]
    """The first paths below the folder."""

    @property
    def wanted(self) -> int:
        """Objects to be fetched."""
        return self.found - self.had


@dataclass(frozen=True, slots=True)
class Report:
    """A pull when it has ended: `found` is the sum of `had`, `fetched`, `skipped` and `missing`."""

    found: int
    had: int
    fetched: int
    skipped: int
    missing: int
    size: int
    """Bytes of what was fetched now."""
    levels: dict[str, int]
    """How many of the objects that are here were verified how well."""
    errors: tuple[StorageError, ...] = ()
    """Why the listing is not complete."""
    warnings: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing and not self.errors

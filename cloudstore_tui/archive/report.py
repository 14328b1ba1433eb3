"""What a pull is going to do, and what it has done."""

import msgspec

from cloudstore_tui.core.errors import StorageError


class PullEstimate(msgspec.Struct, frozen=True):
    """What a pull would do, before it begins."""

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
    left_out: int = 0
    """Objects that the service found and that do not meet those conditions of the user which only we can check."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, and so is not in the numbers."""

    @property
    def wanted(self) -> int:
        """Objects to be fetched."""
        return self.found - self.had


class PullReport(msgspec.Struct, frozen=True):
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
    changed: int = 0
    """How many of those fetched are new versions of what an earlier pull brought."""
    left_out: int = 0
    """Objects that the service found and that do not meet those conditions of the user which only we can check."""
    unlisted: tuple[StorageError, ...] = ()
    """What could not be listed, and so may be missing, too."""
    unwritten: tuple[StorageError, ...] = ()
    """What could not be written beside the objects: the manifest, its table, files that tell of an object."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing, as far as anybody can tell, and everything is written down."""
        return not (self.missing or self.unlisted or self.unwritten)

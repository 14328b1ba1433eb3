"""How a pull is to be done."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.transfers.model import OnConflict


class Via(StrEnum):
    """How the bytes come."""

    AUTO = "auto"
    """Whichever is faster."""
    ZIP = "zip"
    """In zips that the service packs."""
    CONTENT = "content"
    """One by one."""


class Naming(Protocol):
    """Gives objects their local paths."""

    def path(self, entry: StoredObject, provider: str) -> tuple[str, ...]:
        """Folders and file name of an object of a provider, each one harmless segment."""


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What the user wants."""

    folder: Path
    naming: Naming
    via: Via = Via.AUTO
    on_conflict: OnConflict = OnConflict.REFUSE
    sidecars: bool = False
    """Whether every file gets a `.json` beside it."""
    table: bool = False
    """Whether there is a `manifest.csv`, too."""
    scratch: Path | None = None
    """Where databases lie while the pull runs; the system's own place for such files if `None`."""
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between looks at a zip job, for the estimate."""
    at_once: int = 4
    """Transfers at the same time, for the estimate."""
